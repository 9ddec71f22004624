//! Who was here, beside the accounts in the database (PR-3).

use chatterbox_proto::Username;
use rusqlite::{OptionalExtension as _, Row};

use crate::accounts::{DirectoryError, EverSeen, GUESTS, GUESTS_FOR, Seen, SeenDirectory};
use crate::store::sqlite::accounts::Sqlite;
use crate::store::sqlite::row::name;

impl SeenDirectory for Sqlite {
    fn note_seen(&mut self, seen: &[Seen], now: i64) -> Result<(), DirectoryError> {
        let transaction = self.writing()?;
        for Seen { name, account, at, is_new } in seen {
            match account {
                Some(id) => transaction
                    .prepare_cached(
                        "UPDATE accounts SET seen = max(coalesce(seen, ?2), ?2) WHERE id = ?1",
                    )?
                    .execute((id, at))?,
                None if *is_new => transaction
                    .prepare_cached(
                        "INSERT INTO guests_seen (key, name, seen) VALUES (?1, ?2, ?3)
                         ON CONFLICT (key) DO UPDATE SET name = ?2, seen = max(seen, ?3)",
                    )?
                    .execute((name.key(), name.as_str(), at))?,
                None => transaction
                    .prepare_cached(
                        "UPDATE guests_seen SET name = ?2, seen = max(seen, ?3) WHERE key = ?1",
                    )?
                    .execute((name.key(), name.as_str(), at))?,
            };
        }
        transaction
            .prepare_cached("DELETE FROM guests_seen WHERE seen < ?")?
            .execute([now.saturating_sub(GUESTS_FOR)])?;
        let guests = i64::try_from(GUESTS).unwrap_or(i64::MAX);
        transaction
            .prepare_cached(
                "DELETE FROM guests_seen WHERE key IN
                 (SELECT key FROM guests_seen ORDER BY seen DESC LIMIT -1 OFFSET ?)",
            )?
            .execute([guests])?;
        transaction.commit()?;
        Ok(())
    }

    fn ever_seen(
        &mut self,
        after: Option<&Username>,
        limit: usize,
        now: i64,
    ) -> Result<Vec<EverSeen>, DirectoryError> {
        let mut select = self.connection.prepare_cached(
            "SELECT key, name, id, seen, hides_seen FROM accounts WHERE key > ?1
             UNION ALL
             SELECT key, name, NULL, seen, 0 FROM guests_seen
             WHERE key > ?1 AND seen >= ?2 AND key NOT IN (SELECT key FROM accounts)
             ORDER BY key LIMIT ?3",
        )?;
        let read = |row: &Row<'_>| {
            Ok(EverSeen {
                name: name(row, 1)?,
                account: row.get(2)?,
                at: row.get(3)?,
                hides: row.get(4)?,
            })
        };
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let oldest = now.saturating_sub(GUESTS_FOR);
        let rows = select.query_map((after.map_or("", Username::key), oldest, limit), read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn last_seen(&mut self, account: i64) -> Result<Option<i64>, DirectoryError> {
        let mut select =
            self.connection.prepare_cached("SELECT seen FROM accounts WHERE id = ?")?;
        Ok(select.query_row([account], |row| row.get(0)).optional()?.flatten())
    }

    fn hide_last_seen(&mut self, account: i64, hides: bool) -> Result<bool, DirectoryError> {
        let update = "UPDATE accounts SET hides_seen = ? WHERE id = ?";
        Ok(self.connection.execute(update, (hides, account))? > 0)
    }
}
