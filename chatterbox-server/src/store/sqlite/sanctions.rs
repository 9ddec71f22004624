//! Sanctions in the database.

use chatterbox_hub::{
    AccountRef, Network, RoomNumber, Sanction, SanctionId, SanctionKind, SanctionSubject,
};
use chatterbox_proto::Username;
use rusqlite::{Connection, Row, named_params};

use crate::moderation::NewSanction;
use crate::store::sqlite::row::{signed, text};

const BAN: &str = "ban";
const MUTE: &str = "mute";

const ACCOUNT: &str = "account";
const NAME: &str = "name";
const GUEST: &str = "guest";
const NETWORK: &str = "network";

/// The sanctions that hold at a moment.
pub(super) fn count(connection: &Connection, now: i64) -> Result<usize, rusqlite::Error> {
    let select = "SELECT count(*) FROM sanctions WHERE until IS NULL OR until > ?";
    let count: i64 = connection.query_row(select, [now], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Writes a sanction under its number, or under the next one where it has none.
pub(super) fn insert(
    transaction: &Connection,
    number: Option<SanctionId>,
    sanction: &NewSanction,
) -> Result<SanctionId, rusqlite::Error> {
    let (subject, account, name, network, guests_only) = match &sanction.subject {
        SanctionSubject::Account(account) => {
            (ACCOUNT, Some(account.id), Some(account.name.as_str()), None, false)
        }
        SanctionSubject::Name(name) => (NAME, None, Some(name.as_str()), None, false),
        // Session and connection mean nothing in the next run.
        SanctionSubject::Guest { name, .. } => (GUEST, None, Some(name.as_str()), None, false),
        SanctionSubject::Network { network, guests_only } => {
            (NETWORK, None, None, Some(network.to_string()), *guests_only)
        }
    };
    let mut insert = transaction.prepare_cached(
        "INSERT INTO sanctions
            (id, kind, subject, account, name, network, guests_only, about, room, author, reason, since, until)
         VALUES (:id, :kind, :subject, :account, :name, :network, :guests_only, :about, :room, :author, :reason, :since, :until)",
    )?;
    insert.execute(named_params! {
        ":id": number.map(|SanctionId(number)| number),
        ":kind": match sanction.kind {
            SanctionKind::Ban => BAN,
            SanctionKind::Mute => MUTE,
        },
        ":subject": subject,
        ":account": account,
        ":name": name,
        ":network": network,
        ":guests_only": guests_only,
        ":about": &*sanction.about,
        ":room": sanction.room.map(|room| signed(room.0)),
        ":author": &*sanction.by,
        ":reason": &*sanction.reason,
        ":since": sanction.since,
        ":until": sanction.until,
    })?;
    Ok(SanctionId(transaction.last_insert_rowid()))
}

/// The sanctions that hold at a moment, in the order of their numbers.
pub(super) fn read(connection: &Connection, now: i64) -> Result<Vec<Sanction>, rusqlite::Error> {
    let mut select = connection.prepare_cached(
        "SELECT id, kind, subject, account, name, network, guests_only, about, room, author, reason, since, until
         FROM sanctions WHERE until IS NULL OR until > ? ORDER BY id",
    )?;
    let mut rows = select.query([now])?;
    let mut sanctions = Vec::new();
    while let Some(row) = rows.next()? {
        match sanction(row)? {
            Some(sanction) => sanctions.push(sanction),
            // One row that somebody has damaged must not set all others free.
            None => tracing::warn!(id = row.get::<_, i64>(0)?, "a sanction can't be read"),
        }
    }
    Ok(sanctions)
}

fn sanction(row: &Row<'_>) -> Result<Option<Sanction>, rusqlite::Error> {
    let kind = match &*text(row, 1)?.unwrap_or_default() {
        BAN => SanctionKind::Ban,
        MUTE => SanctionKind::Mute,
        _ => return Ok(None),
    };
    // Today's rules for names don't matter: who had the name is kept out all the same.
    let name = Username::stored(&text(row, 4)?.unwrap_or_default());
    let subject = match (&*text(row, 2)?.unwrap_or_default(), row.get(3)?) {
        (ACCOUNT, Some(id)) => SanctionSubject::Account(AccountRef { id, name }),
        (NAME, _) => SanctionSubject::Name(name),
        (GUEST, _) => SanctionSubject::Guest { name, session: None, member: None },
        (NETWORK, _) => match text(row, 5)?.and_then(|network| Network::parse(&network)) {
            Some(network) => SanctionSubject::Network { network, guests_only: row.get(6)? },
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let words = |column| Ok::<_, rusqlite::Error>(text(row, column)?.unwrap_or_default().into());
    Ok(Some(Sanction {
        id: SanctionId(row.get(0)?),
        kind,
        subject,
        about: words(7)?,
        room: row.get::<_, Option<i64>>(8)?.map(|room| RoomNumber(room.unsigned_abs())),
        by: words(9)?,
        reason: words(10)?,
        since: row.get(11)?,
        until: row.get(12)?,
    }))
}

/// Removes a sanction, if it is there.
pub(super) fn remove(
    transaction: &Connection,
    SanctionId(id): SanctionId,
) -> Result<(), rusqlite::Error> {
    transaction.prepare_cached("DELETE FROM sanctions WHERE id = ?")?.execute([id]).map(drop)
}

/// Removes those that don't hold any more.
pub(super) fn forget_ended(connection: &Connection, now: i64) -> Result<(), rusqlite::Error> {
    connection.execute("DELETE FROM sanctions WHERE until <= ?", [now]).map(drop)
}

/// Removes those of a room.
pub(super) fn forget_room(
    connection: &Connection,
    RoomNumber(room): RoomNumber,
) -> Result<(), rusqlite::Error> {
    connection.execute("DELETE FROM sanctions WHERE room = ?", [signed(room)]).map(drop)
}

/// Removes those on an account.
pub(super) fn forget_account(connection: &Connection, account: i64) -> Result<(), rusqlite::Error> {
    connection.execute("DELETE FROM sanctions WHERE account = ?", [account]).map(drop)
}

/// Removes those of rooms and accounts that are not there any more. The lobby is no row of the rooms unless it was changed.
pub(super) fn forget_orphans(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection
        .execute(
            "DELETE FROM sanctions
             WHERE (account IS NOT NULL AND account NOT IN (SELECT id FROM accounts))
             OR (room <> 0 AND room NOT IN (SELECT number FROM rooms))",
            [],
        )
        .map(drop)
}
