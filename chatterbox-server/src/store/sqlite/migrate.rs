//! Migrations: the schema of the database, version by version.

use std::collections::HashMap;

use chatterbox_hub::{Conversation, Party};
use chatterbox_proto::{Entry, Username, limits};
use rusqlite::{Connection, Transaction};

use crate::store::sqlite::row;

/// The first version that has rooms.
pub(super) const ROOMS: usize = 9;

/// The first version that knows of clusters.
pub(super) const CLUSTERS: usize = 12;

/// The first version in which something may go with messages.
pub(super) const META: usize = 14;

/// Marks a database as ours ("chbx").
pub(super) const APPLICATION: i32 = 0x6368_6278;

/// Our version: the number of migrations that lead to it.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// Each migrates the database from the version of its place to the next. Never change one that was released.
pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE messages (
        -- Rising, never used twice, so AUTOINCREMENT.
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        -- When it arrived, in seconds since 1970 UTC.
        arrived INTEGER NOT NULL,
        -- NULL is everybody.
        recipient TEXT,
        -- The 4-tuple as ASCII JSON.
        json TEXT NOT NULL
    ) STRICT;
",
    "
    -- Names that belong to somebody.
    CREATE TABLE accounts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        -- As it was registered.
        name TEXT NOT NULL,
        -- What names that are the same have in common (NM-4).
        key TEXT NOT NULL UNIQUE,
        -- argon2id, in the PHC text form.
        password TEXT NOT NULL,
        level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
        -- In seconds since 1970 UTC, like all times here.
        created INTEGER NOT NULL
    ) STRICT;
    -- What names that look the same have in common (UTS 39).
    CREATE TABLE account_looks (
        look TEXT NOT NULL,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        PRIMARY KEY (look, account)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX account_looks_of ON account_looks (account);
    CREATE TABLE tokens (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        -- SHA-256.
        hash BLOB NOT NULL UNIQUE,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        expires INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX tokens_of ON tokens (account);
    -- Whom the owner of an account does not want to hear.
    CREATE TABLE blocks (
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        key TEXT NOT NULL,
        name TEXT NOT NULL,
        PRIMARY KEY (account, key)
    ) STRICT, WITHOUT ROWID;
    -- What admins have set while the server ran.
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE disabled_commands (command TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
",
    "
    -- What the private messages between two users have in common, in both directions; NULL for public ones.
    ALTER TABLE messages ADD COLUMN conversation TEXT;
    CREATE INDEX messages_of ON messages (conversation, sequence) WHERE conversation IS NOT NULL;
    CREATE INDEX messages_public ON messages (sequence) WHERE recipient IS NULL;
",
    "
    -- Who blocks somebody.
    CREATE INDEX blocks_of ON blocks (key);
",
    "
    -- Rises with whatever ends all logins of an account; a session that goes on has to be of the same one.
    ALTER TABLE accounts ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
",
    "
    -- The user who sent it; the first element of its tuple, so that no reader has to parse it. NULL is unknown.
    ALTER TABLE messages ADD COLUMN source TEXT;
    UPDATE messages SET source = CASE WHEN json_valid(json) THEN
        CASE json_type(json, '$[0]') WHEN 'text' THEN json_extract(json, '$[0]') END
    END;
",
    "
    -- What ended accounts and logins, for a server that runs beside whoever did it.
    CREATE TABLE account_changes (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account INTEGER NOT NULL,
        name TEXT NOT NULL,
        -- The epoch of the logins that are good; NULL is an account that was removed.
        epoch INTEGER,
        -- The connection that wrote it, a random number.
        writer INTEGER NOT NULL
    ) STRICT;
",
    "
    -- Whose share of what is kept a message takes: an account, or a number that stands for a guest while the server runs;
    -- NULL is unknown. The origin stands for a network in the same way.
    ALTER TABLE messages ADD COLUMN sender INTEGER;
    ALTER TABLE messages ADD COLUMN origin INTEGER;
    -- The key of whoever may read a private message; NULL is whoever has the name of the recipient.
    ALTER TABLE messages ADD COLUMN mailbox TEXT;
    CREATE INDEX messages_by ON messages (sender, sequence)
        WHERE recipient IS NULL AND sender IS NOT NULL;
",
    "
    CREATE TABLE rooms (
        -- Of the record that made it, so never used twice; 0 is the lobby.
        number INTEGER PRIMARY KEY CHECK (number >= 0),
        -- As its maker spelt it.
        name TEXT NOT NULL,
        -- What names that are the same have in common (RM-1).
        key TEXT NOT NULL UNIQUE,
        -- The number of an account. No reference: who follows a removed one is not for SQLite to say (RL-3).
        owner INTEGER,
        owner_name TEXT,
        topic TEXT NOT NULL,
        description TEXT NOT NULL,
        -- Members at most; 0 is no limit.
        most INTEGER NOT NULL,
        -- argon2id, in the PHC text form.
        password TEXT,
        hidden INTEGER NOT NULL,
        closed INTEGER NOT NULL,
        talk INTEGER NOT NULL CHECK (talk BETWEEN 0 AND 5),
        slow INTEGER NOT NULL,
        length INTEGER NOT NULL,
        -- The newest so many messages; NULL is all, and -1 none.
        keep INTEGER,
        show_all INTEGER NOT NULL,
        roster INTEGER NOT NULL,
        configured INTEGER NOT NULL,
        auto INTEGER NOT NULL,
        -- Nothing up to this number is shown any more (RH-4).
        floor INTEGER NOT NULL CHECK (floor >= 0)
    ) STRICT;
    CREATE TABLE room_members (
        -- Those that joined later have greater ones.
        place INTEGER PRIMARY KEY,
        room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        name TEXT NOT NULL,
        -- The greatest number of the log when they joined.
        since INTEGER NOT NULL,
        UNIQUE (room, account)
    ) STRICT;
    CREATE INDEX room_members_of ON room_members (account);
    -- Who was a member, and does not become one by itself again (RM-16).
    CREATE TABLE room_leavers (
        room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        name TEXT NOT NULL,
        PRIMARY KEY (room, account)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX room_leavers_of ON room_leavers (account);
    CREATE TABLE room_levels (
        room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        name TEXT NOT NULL,
        level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 5),
        PRIMARY KEY (room, account)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX room_levels_of ON room_levels (account);
    CREATE TABLE room_invitations (
        room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        name TEXT NOT NULL,
        -- The name of whoever has invited them.
        inviter TEXT NOT NULL,
        until INTEGER NOT NULL,
        PRIMARY KEY (room, account)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX room_invitations_of ON room_invitations (account);
    -- Where an account begins, if that is not the lobby (RM-5).
    CREATE TABLE room_defaults (
        account INTEGER PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
        room INTEGER NOT NULL REFERENCES rooms ON DELETE CASCADE
    ) STRICT;
    CREATE INDEX room_defaults_of ON room_defaults (room);
    -- The number of the room that a message was said in; its recipient is the name of the room then. NULL is the lobby where
    -- there is no recipient, and else a private message.
    ALTER TABLE messages ADD COLUMN room INTEGER;
    CREATE INDEX messages_in ON messages (room, sequence) WHERE room IS NOT NULL;
",
    "
    -- Who may not be here, or not write.
    CREATE TABLE sanctions (
        -- Never used twice, so AUTOINCREMENT.
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL CHECK (kind IN ('ban', 'mute')),
        -- What it is on: an account, a name, the name of a guest, or a network.
        subject TEXT NOT NULL CHECK (subject IN ('account', 'name', 'guest', 'network')),
        -- No references: a row that means nothing any more is passed over until it is removed.
        account INTEGER,
        name TEXT,
        -- An address, or a CIDR.
        network TEXT,
        -- Whether a network is only for those who are not logged in.
        guests_only INTEGER NOT NULL,
        -- Whom it was asked for.
        about TEXT NOT NULL,
        -- NULL is the server.
        room INTEGER,
        author TEXT NOT NULL,
        reason TEXT NOT NULL,
        since INTEGER NOT NULL,
        -- NULL is never.
        until INTEGER
    ) STRICT;
    -- What was done by those who may (MO-10). Only age removes a row.
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        author TEXT NOT NULL,
        -- Keys are what names that are the same have in common.
        author_key TEXT NOT NULL,
        author_account INTEGER,
        act TEXT NOT NULL,
        about TEXT,
        about_key TEXT,
        -- Whether that is an address or a network.
        is_address INTEGER NOT NULL,
        room INTEGER,
        room_name TEXT,
        room_key TEXT,
        detail TEXT NOT NULL,
        reason TEXT NOT NULL,
        until INTEGER
    ) STRICT;
    CREATE INDEX audit_at ON audit (at);
    CREATE INDEX audit_by ON audit (author_key, id);
    CREATE INDEX audit_about ON audit (about_key, id) WHERE about_key IS NOT NULL;
    CREATE INDEX audit_in ON audit (room, id) WHERE room IS NOT NULL;
    CREATE INDEX audit_in_named ON audit (room_key, id) WHERE room_key IS NOT NULL;
    -- What users have reported (MO-11).
    CREATE TABLE reports (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        reporter TEXT NOT NULL,
        reporter_account INTEGER,
        subject TEXT NOT NULL,
        -- The number of a message, and its text, as far as that is kept.
        message INTEGER,
        text TEXT,
        room INTEGER,
        room_name TEXT,
        reason TEXT NOT NULL,
        -- NULL while it is open.
        closed_at INTEGER,
        closed_by TEXT
    ) STRICT;
    CREATE INDEX reports_at ON reports (at);
    CREATE INDEX reports_open ON reports (number) WHERE closed_at IS NULL;
",
    "
    -- When its user was here last, in seconds since 1970 UTC, and whether the owner lets nobody know.
    ALTER TABLE accounts ADD COLUMN seen INTEGER;
    ALTER TABLE accounts ADD COLUMN hides_seen INTEGER NOT NULL DEFAULT 0;
    -- Guests who were here, for 30 days.
    CREATE TABLE guests_seen (
        -- The folded name.
        key TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        seen INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX guests_seen_at ON guests_seen (seen);
",
    "
    -- The cluster that this database belongs to, if it belongs to one: what follows from its order up to a place is stored.
    CREATE TABLE cluster (
        only INTEGER PRIMARY KEY CHECK (only = 0),
        name TEXT NOT NULL,
        place INTEGER NOT NULL CHECK (place >= 0),
        -- A checksum of everything that was read up to there.
        read INTEGER NOT NULL
    ) STRICT;
",
    "
    -- The number of the last command that this node of a cluster has carried out on what all nodes store alike.
    CREATE TABLE commands (
        only INTEGER PRIMARY KEY CHECK (only = 0),
        number INTEGER NOT NULL
    ) STRICT;
",
    "
    -- What goes with a message beside its tuple, as an object of ASCII JSON; NULL is nothing.
    ALTER TABLE messages ADD COLUMN meta TEXT;
    -- The encrypted texts of a message, one for each device, as an object of ASCII JSON; NULL is none.
    ALTER TABLE messages ADD COLUMN sealed TEXT;
",
    "
    -- How far the owner of an account has read (MK-1).
    CREATE TABLE marks (
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        -- Empty is the lobby; a tab and a number is a room, anything else the folded name of a user.
        conversation TEXT NOT NULL,
        upto INTEGER NOT NULL CHECK (upto > 0),
        PRIMARY KEY (account, conversation)
    ) STRICT, WITHOUT ROWID;
",
    "
    -- Files that users have sent, without their bytes.
    CREATE TABLE files (
        -- 128 random bits, as text.
        token TEXT PRIMARY KEY,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        -- Where the message that announces it is said.
        scope TEXT NOT NULL,
        name TEXT NOT NULL,
        size INTEGER NOT NULL CHECK (size >= 0),
        sha256 BLOB NOT NULL,
        begun INTEGER NOT NULL,
        until INTEGER NOT NULL,
        -- Whether all of it is there.
        there INTEGER NOT NULL DEFAULT 0,
        -- Which message has it for itself, and since when, until it is said or refused.
        claim TEXT,
        claimed INTEGER,
        -- The number of the message that has announced it, who has sent that, and under whom it is filed if it is private.
        message INTEGER,
        source TEXT,
        recipient TEXT
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX files_of ON files (account);
    CREATE INDEX files_in ON files (scope);
",
    "
    -- The public identity key of an account, in Base64 (EE-1).
    CREATE TABLE e2ee_identities (
        account INTEGER PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
        identity TEXT NOT NULL
    ) STRICT;
    -- The devices of accounts, with their public keys and the signatures of those.
    CREATE TABLE e2ee_devices (
        -- Rises in the order in which they were published.
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        account INTEGER NOT NULL REFERENCES accounts ON DELETE CASCADE,
        device TEXT NOT NULL UNIQUE,
        curve25519 TEXT NOT NULL,
        ed25519 TEXT NOT NULL,
        signature TEXT NOT NULL,
        fallback_name TEXT,
        fallback TEXT,
        fallback_signature TEXT,
        -- The greatest name of a one-time key that was ever taken of it.
        newest_key TEXT,
        -- Up to this message the device has read what was encrypted for it (EE-4).
        done INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX e2ee_devices_of ON e2ee_devices (account);
    -- One-time keys of devices that nobody has got.
    CREATE TABLE e2ee_keys (
        -- Rises in the order in which they were published.
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        device INTEGER NOT NULL REFERENCES e2ee_devices ON DELETE CASCADE,
        name TEXT NOT NULL,
        public_key TEXT NOT NULL,
        signature TEXT NOT NULL
    ) STRICT;
    CREATE INDEX e2ee_keys_of ON e2ee_keys (device);
    -- The messages with encrypted texts, which are dropped before the messages.
    CREATE INDEX messages_sealed ON messages (sequence) WHERE sealed IS NOT NULL;
",
];

/// The place of the migration that [`sort_into_conversations`] completes.
const CONVERSATIONS: usize = 2;

/// The place of the migration that [`sort_by_accounts`] completes.
const MAILBOXES: usize = 7;

/// Migrates a database from this version to ours, one transaction for each step.
pub(super) fn migrate(connection: &mut Connection, version: usize) -> Result<(), rusqlite::Error> {
    if (1..VERSION).contains(&version) {
        // It may take seconds, in which nobody is answered.
        let messages: i64 =
            connection.query_row("SELECT count(*) FROM messages", [], |row| row.get(0))?;
        tracing::info!(messages, "migrating the database to version {VERSION}");
    }
    for (place, migration) in MIGRATIONS.iter().enumerate().skip(version) {
        let step = connection.transaction()?;
        step.execute_batch(migration)?;
        if place == CONVERSATIONS {
            sort_into_conversations(&step)?;
        }
        if place == MAILBOXES {
            sort_by_accounts(&step)?;
        }
        step.pragma_update(None, "application_id", APPLICATION)?;
        step.pragma_update(None, "user_version", i64::try_from(place + 1).unwrap_or(i64::MAX))?;
        step.commit()?;
    }
    Ok(())
}

/// Gives every private message the key of its conversation.
///
/// There was no column for its source in that version, so this is the one place that reads it from the JSON.
fn sort_into_conversations(step: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let mut select = step.prepare(
        "SELECT sequence, recipient, json FROM messages
         WHERE recipient IS NOT NULL AND sequence > ? ORDER BY sequence LIMIT 1000",
    )?;
    let mut update = step.prepare("UPDATE messages SET conversation = ? WHERE sequence = ?")?;
    let mut last = 0;
    loop {
        let some: Vec<(i64, String)> = select
            .query_map([last], |row| {
                let recipient = Username::stored(&row::text(row, 1)?.unwrap_or_default());
                let source = Entry::parse(row.get_ref(2)?.as_str()?.as_bytes()).and_then(|entry| {
                    Username::parse_within(&entry.source, limits::USERNAME_CHARS_MOST).ok()
                });
                let alone = recipient.key().to_owned();
                let between =
                    source.and_then(|name| Conversation::between(&name, &recipient).keys().pop());
                Ok((row.get(0)?, between.unwrap_or(alone)))
            })?
            .collect::<Result<_, _>>()?;
        let Some((newest, _)) = some.last() else { return Ok(()) };
        last = *newest;
        for (sequence, conversation) in &some {
            update.execute((conversation, sequence))?;
        }
    }
}

/// Files the private messages of accounts under their numbers: what was said since an account was made is its owner's.
fn sort_by_accounts(step: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    let mut accounts = step.prepare("SELECT key, id, created FROM accounts")?;
    let accounts: HashMap<String, (i64, i64)> = accounts
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?
        .collect::<Result<_, _>>()?;
    if accounts.is_empty() {
        return Ok(());
    }
    let party = |text: &str, arrived: i64| {
        let name = Username::stored(text);
        let account = accounts.get(name.key()).filter(|(_, created)| arrived >= *created);
        account.map_or_else(|| Party::Guest(name.clone()), |(id, _)| Party::Account(*id))
    };
    let mut select = step.prepare(
        "SELECT sequence, arrived, source, recipient FROM messages
         WHERE recipient IS NOT NULL AND source IS NOT NULL AND sequence > ?
         ORDER BY sequence LIMIT 1000",
    )?;
    let mut update =
        step.prepare("UPDATE messages SET mailbox = ?, conversation = ? WHERE sequence = ?")?;
    let mut last = 0;
    loop {
        let some: Vec<(i64, Party, Party)> = select
            .query_map([last], |row| {
                let arrived = row.get(1)?;
                let source = party(&row::text(row, 2)?.unwrap_or_default(), arrived);
                Ok((row.get(0)?, source, party(&row::text(row, 3)?.unwrap_or_default(), arrived)))
            })?
            .collect::<Result<_, _>>()?;
        let Some((newest, ..)) = some.last() else { return Ok(()) };
        last = *newest;
        for (sequence, source, recipient) in some {
            let filed = matches!((&source, &recipient), (Party::Guest(_), Party::Guest(_)));
            if !filed {
                let mailbox = recipient.key().into_owned();
                let between = Conversation::Between(vec![source], vec![recipient]);
                update.execute((mailbox, between.keys().pop(), sequence))?;
            }
        }
    }
}
