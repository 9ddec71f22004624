//! How far the owners of accounts have read, in the database.

use chatterbox_hub::{Marked, StoredMark};

use crate::accounts::{DirectoryError, MARKS, MarksDirectory, NewMark};
use crate::store::sqlite::accounts::Sqlite;
use crate::store::sqlite::row::{signed, unsigned};

/// So many marks are kept beside the one that was written last.
const OTHERS: i64 = MARKS as i64 - 1;

impl MarksDirectory for Sqlite {
    fn marks(&mut self, account: i64) -> Result<Vec<StoredMark>, DirectoryError> {
        let mut select = self.connection.prepare_cached(
            "SELECT conversation, upto FROM marks WHERE account = ? ORDER BY conversation",
        )?;
        let marks = select.query_map([account], |row| {
            let key: String = row.get(0)?;
            Ok((Marked::of_key(&key), unsigned(row, 1)?))
        })?;
        Ok(marks.collect::<Result<_, _>>()?)
    }

    fn set_marks(&mut self, marks: &[NewMark]) -> Result<Vec<bool>, DirectoryError> {
        let writing = self.writing()?;
        let mut news = Vec::with_capacity(marks.len());
        {
            let mut upsert = writing.prepare_cached(
                "INSERT INTO marks (account, conversation, upto)
                 SELECT id, ?2, ?3 FROM accounts WHERE id = ?1
                 ON CONFLICT (account, conversation) DO UPDATE SET upto = ?3 WHERE upto < ?3",
            )?;
            let mut forget = writing.prepare_cached(
                "DELETE FROM marks WHERE account = ?1 AND conversation IN
                 (SELECT conversation FROM marks WHERE account = ?1 AND conversation != ?3
                  ORDER BY upto DESC, conversation LIMIT -1 OFFSET ?2)",
            )?;
            for NewMark { account, with, upto } in marks {
                let key = with.key();
                let is_new = *upto > 0 && upsert.execute((account, &*key, signed(*upto)))? > 0;
                if is_new {
                    forget.execute((account, OTHERS, &*key))?;
                }
                news.push(is_new);
            }
        }
        writing.commit()?;
        Ok(news)
    }
}
