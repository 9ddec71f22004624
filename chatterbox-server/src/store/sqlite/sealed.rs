//! Encrypted texts that nobody is told any more: all devices that they are for have read them, or they are old (EE-4).
//!
//! The messages stay. For the bounds of what is kept they count as they did when they came, until the program starts again.

use rusqlite::Connection;

/// Looks at so many of them, in the order of their messages, behind the number of one; drops those of messages that arrived before
/// this time, and those that are for no device that has not said to have read them. Gives the number behind which to go on, which is 0
/// where the newest was looked at: what waits for somebody who is away for long is not looked at again and again, however much it is.
pub(super) fn forget(
    connection: &Connection,
    before: i64,
    behind: i64,
    most: usize,
) -> Result<i64, rusqlite::Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let (count, last): (i64, Option<i64>) = connection
        .prepare_cached(
            "SELECT count(*), max(sequence) FROM (
                 SELECT sequence FROM messages INDEXED BY messages_sealed
                 WHERE sealed IS NOT NULL AND sequence > ?1 ORDER BY sequence LIMIT ?2)",
        )?
        .query_row((behind, most), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(last) = last else { return Ok(0) };
    connection
        .prepare_cached(
            "UPDATE messages SET sealed = NULL WHERE sequence IN (
                 SELECT sequence FROM messages INDEXED BY messages_sealed
                 WHERE sealed IS NOT NULL AND sequence > ?1 AND sequence <= ?2 AND (arrived < ?3
                     OR NOT EXISTS (
                         SELECT 1 FROM json_each(sealed, '$.TO') AS entry
                         JOIN e2ee_devices ON device = entry.key WHERE done < sequence)))",
        )?
        .execute((behind, last, before))?;
    Ok(if count < most { 0 } else { last })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sqlite::migrate;

    fn database() -> Connection {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate::migrate(&mut connection, 0).unwrap();
        let devices = "INSERT INTO accounts (id, name, key, password, level, created)
                 VALUES (1, 'ann', 'ann', 'x', 1, 7);
             INSERT INTO e2ee_devices (account, device, curve25519, ed25519, signature, done)
                 VALUES (1, 'a1', 'x', 'x', 'x', 5), (1, 'a2', 'x', 'x', 'x', 3)";
        connection.execute_batch(devices).unwrap();
        connection
    }

    fn say(connection: &Connection, sequence: i64, arrived: i64, to: &str) {
        let sealed = format!(r#"{{"FROM": "b1", "TO": {{{to}}}}}"#);
        let insert = "INSERT INTO messages (sequence, arrived, recipient, json, sealed)
             VALUES (?, ?, 'ann', '[]', ?)";
        connection.execute(insert, (sequence, arrived, sealed)).unwrap();
    }

    fn left(connection: &Connection) -> Vec<i64> {
        let select = "SELECT sequence FROM messages WHERE sealed IS NOT NULL ORDER BY sequence";
        let mut select = connection.prepare(select).unwrap();
        select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn what_all_devices_have_read_and_what_is_old_is_dropped_and_the_message_stays() {
        let connection = database();
        let (one, other) = (r#""a1": [0, "aa"]"#, r#""a2": [0, "aa"]"#);
        let both = format!("{one}, {other}");
        say(&connection, 1, 100, &both);
        say(&connection, 4, 100, one);
        say(&connection, 5, 100, &both);
        say(&connection, 6, 100, one);
        say(&connection, 7, 100, r#""gone": [0, "aa"]"#);
        say(&connection, 8, 50, &both);
        assert_eq!(forget(&connection, 60, 0, 3).unwrap(), 5, "no more than so many at once");
        assert_eq!(left(&connection), [5, 6, 7, 8]);
        assert_eq!(forget(&connection, 60, 5, 3).unwrap(), 8, "there may be more");
        assert_eq!(left(&connection), [5, 6], "a2 has not read 5, and a1 not 6");
        assert_eq!(forget(&connection, 60, 8, 3).unwrap(), 0);
        assert_eq!(forget(&connection, 60, 0, 1_000).unwrap(), 0, "from the start again");
        assert_eq!(left(&connection), [5, 6]);
        let all: i64 =
            connection.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).unwrap();
        assert_eq!(all, 6);
    }
}
