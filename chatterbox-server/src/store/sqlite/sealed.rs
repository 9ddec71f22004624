//! Encrypted texts that nobody is told any more: all devices that they are for have read them, or they are old (EE-4).
//!
//! The messages stay. For the bounds of what is kept they count as they did when they came, until the program starts again.

use rusqlite::Connection;

/// Drops some of them: those of messages that arrived before this, and those that are for no device that has not said to have read
/// them. Says how many.
pub(super) fn forget(
    connection: &Connection,
    before: i64,
    most: usize,
) -> Result<usize, rusqlite::Error> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "UPDATE messages SET sealed = NULL WHERE sequence IN (
                 SELECT sequence FROM messages WHERE sealed IS NOT NULL AND (arrived < ?1
                     OR NOT EXISTS (
                         SELECT 1 FROM json_each(sealed, '$.TO') AS entry
                         JOIN e2ee_devices ON device = entry.key WHERE done < sequence))
                 LIMIT ?2)",
        )?
        .execute((before, most))
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
        assert_eq!(forget(&connection, 60, 2).unwrap(), 2, "no more than so many");
        assert_eq!(forget(&connection, 60, 1_000).unwrap(), 2);
        assert_eq!(left(&connection), [5, 6], "a2 has not read 5, and a1 not 6");
        assert_eq!(forget(&connection, 60, 1_000).unwrap(), 0);
        let all: i64 =
            connection.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).unwrap();
        assert_eq!(all, 6);
    }
}
