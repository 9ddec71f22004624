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
            let mut further = writing.prepare_cached(
                "UPDATE marks SET upto = ?3
                 WHERE account = ?1 AND conversation = ?2 AND upto < ?3",
            )?;
            let mut first = writing.prepare_cached(
                "INSERT INTO marks (account, conversation, upto)
                 SELECT id, ?2, ?3 FROM accounts WHERE id = ?1
                 ON CONFLICT (account, conversation) DO NOTHING",
            )?;
            let mut forget = writing.prepare_cached(
                "DELETE FROM marks WHERE account = ?1 AND conversation IN
                 (SELECT conversation FROM marks WHERE account = ?1 AND conversation != ?3
                  ORDER BY upto DESC, conversation LIMIT -1 OFFSET ?2)",
            )?;
            for NewMark { account, with, upto } in marks {
                let key = with.key();
                let mark = (account, &*key, signed(*upto));
                let is_further = *upto > 0 && further.execute(mark)? > 0;
                let is_first = *upto > 0 && !is_further && first.execute(mark)? > 0;
                if is_first {
                    // All marks of the account are looked at for it, and no more rows come in any other way.
                    forget.execute((account, OTHERS, &*key))?;
                }
                news.push(is_further || is_first);
            }
        }
        writing.commit()?;
        Ok(news)
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_hub::{AccountKey, Level, RoomNumber};
    use chatterbox_proto::Username;

    use super::*;
    use crate::accounts::{Account, Directory as _, PasswordHash};

    #[test]
    fn a_mark_that_moves_costs_one_row_and_only_a_new_one_makes_others_go() {
        let folder = tempfile::tempdir().unwrap();
        let mut directory = Sqlite::open(folder.path()).unwrap();
        let name = Username::parse("ann").unwrap();
        let account = Account {
            account_key: AccountKey::default(),
            name: name.clone(),
            password: PasswordHash::stored("x".into()),
            level: Level::USER,
            created: 7,
        };
        directory.add(&account).unwrap();
        let ann = directory.account(&name).unwrap().unwrap().account_key.id;
        let mark = |room, upto| {
            let with = Marked::Room(RoomNumber(room));
            NewMark { account: ann, with, upto }
        };
        let all: Vec<_> = (1..=MARKS as u64).map(|room| mark(room, room)).collect();
        directory.set_marks(&all).unwrap();
        // One more than are kept, which only whoever looks at all of them finds.
        let more = "INSERT INTO marks (account, conversation, upto) VALUES (?, 'eve', 1)";
        directory.connection.execute(more, [ann]).unwrap();
        assert_eq!(directory.set_marks(&[mark(7, 1_000)]).unwrap(), [true]);
        assert_eq!(directory.marks(ann).unwrap().len(), MARKS + 1);
        assert_eq!(directory.set_marks(&[mark(9_999, 1_001)]).unwrap(), [true]);
        assert_eq!(directory.marks(ann).unwrap().len(), MARKS);
    }
}
