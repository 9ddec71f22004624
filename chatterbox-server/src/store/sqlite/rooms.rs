//! Rooms in the database: the facts of the log, put together in tables.
//!
//! Accounts are removed by another connection, and by another program (`chatterbox-server user del`). The foreign keys take them
//! out of rooms at that moment, whoever does it. Who owns a room then is decided here, by the thread that owns the messages: the
//! number of an account is never used again, so an owner that is not there any more is one that was removed.

use chatterbox_hub::{
    AccountRef, Level, RoomDefinition, RoomKeep, RoomMember, RoomNumber, RoomRecord, RoomSettings,
    RoomShow, Sequence,
};
use chatterbox_proto::{RoomName, Username};
use rusqlite::{Connection, Row, Transaction, named_params};

use crate::store::sqlite::row::{signed, text, unsigned};

/// KEEP `off`, where a number is the newest so many, and NULL is all.
const OFF: i64 = -1;

/// What an account has in rooms.
const OF_ACCOUNTS: [&str; 5] =
    ["room_members", "room_leavers", "room_levels", "room_invitations", "room_defaults"];

const DEFINE: &str = "INSERT INTO rooms
        (number, name, key, owner, owner_name, topic, description, most, password, hidden, closed, talk,
         slow, length, keep, show_all, roster, configured, auto, floor)
    VALUES (:number, :name, :key, :owner, :owner_name, :topic, :description, :most, :password, :hidden, :closed,
         :talk, :slow, :length, :keep, :show_all, :roster, :configured, :auto, :floor)
    ON CONFLICT (number) DO UPDATE SET
        name = :name, key = :key, owner = :owner, owner_name = :owner_name, topic = :topic,
        description = :description, most = :most, password = :password, hidden = :hidden, closed = :closed,
        talk = :talk, slow = :slow, length = :length, keep = :keep, show_all = :show_all, roster = :roster,
        configured = :configured, auto = :auto, floor = :floor";

/// The greatest number of a message of each room that has any.
pub(super) fn newest(
    connection: &Connection,
) -> Result<Vec<(RoomNumber, Sequence)>, rusqlite::Error> {
    // Each room is one look at the index.
    let mut select = connection.prepare_cached(
        "SELECT number, (SELECT max(sequence) FROM messages WHERE room = number) FROM rooms",
    )?;
    let read = |row: &Row<'_>| {
        let newest: Option<i64> = row.get(1)?;
        Ok((RoomNumber(unsigned(row, 0)?), newest.map(i64::unsigned_abs)))
    };
    let all = select.query_map([], read)?.collect::<Result<Vec<_>, _>>()?;
    Ok(all.into_iter().filter_map(|(room, newest)| Some((room, newest?))).collect())
}

/// Makes a fact true. What concerns guests is passed over, and so is what concerns a room or an account that is not there.
pub(super) fn apply(
    transaction: &Transaction<'_>,
    record: &RoomRecord,
    now: i64,
) -> Result<(), rusqlite::Error> {
    let run = |sql: &str, parameters: &[(&str, &dyn rusqlite::ToSql)]| {
        transaction.prepare_cached(sql)?.execute(parameters).map(drop)
    };
    match record {
        RoomRecord::Defined(definition) => define(transaction, definition),
        RoomRecord::Deleted(room) => {
            // Members, levels, invitations and defaults go with it.
            run("DELETE FROM rooms WHERE number = :room", named_params! {":room": signed(room.0)})
        }
        RoomRecord::Entered { room, who: RoomMember::Account(account), since } => {
            let place = named_params! {":room": signed(room.0), ":account": account.id};
            run("DELETE FROM room_leavers WHERE room = :room AND account = :account", place)?;
            run(
                // Who joins again is the last of those who have joined.
                "INSERT OR REPLACE INTO room_members (room, account, name, since)
                 SELECT number, accounts.id, :name, :since FROM rooms, accounts
                 WHERE number = :room AND accounts.id = :account",
                named_params! {
                    ":room": signed(room.0), ":account": account.id,
                    ":name": account.name.as_str(), ":since": signed(*since),
                },
            )
        }
        RoomRecord::Left { room, who: RoomMember::Account(account), stays_out } => {
            let place = named_params! {":room": signed(room.0), ":account": account.id};
            run("DELETE FROM room_members WHERE room = :room AND account = :account", place)?;
            run("DELETE FROM room_defaults WHERE room = :room AND account = :account", place)?;
            if !stays_out {
                return Ok(());
            }
            run(
                "INSERT OR REPLACE INTO room_leavers (room, account, name)
                 SELECT number, accounts.id, :name FROM rooms, accounts
                 WHERE number = :room AND accounts.id = :account",
                named_params! {
                    ":room": signed(room.0), ":account": account.id, ":name": account.name.as_str(),
                },
            )
        }
        RoomRecord::LevelSet { room, account, level } if *level == Level::GUEST => run(
            "DELETE FROM room_levels WHERE room = :room AND account = :account",
            named_params! {":room": signed(room.0), ":account": account.id},
        ),
        RoomRecord::LevelSet { room, account, level } => run(
            "INSERT OR REPLACE INTO room_levels (room, account, name, level)
             SELECT number, accounts.id, :name, :level FROM rooms, accounts
             WHERE number = :room AND accounts.id = :account",
            named_params! {
                ":room": signed(room.0), ":account": account.id, ":name": account.name.as_str(),
                ":level": level.number(),
            },
        ),
        RoomRecord::Invited { room, who: RoomMember::Account(account), by, until } => {
            // The hub counts those that are not over; the others must not pile up.
            let over = named_params! {":room": signed(room.0), ":now": now};
            run("DELETE FROM room_invitations WHERE room = :room AND until <= :now", over)?;
            run(
                "INSERT OR REPLACE INTO room_invitations (room, account, name, inviter, until)
                 SELECT number, accounts.id, :name, :by, :until FROM rooms, accounts
                 WHERE number = :room AND accounts.id = :account",
                named_params! {
                    ":room": signed(room.0), ":account": account.id, ":name": account.name.as_str(),
                    ":by": by, ":until": until,
                },
            )
        }
        RoomRecord::Uninvited { room, who: RoomMember::Account(account) } => run(
            "DELETE FROM room_invitations WHERE room = :room AND account = :account",
            named_params! {":room": signed(room.0), ":account": account.id},
        ),
        RoomRecord::DefaultSet { account, room } => {
            let of = named_params! {":account": account};
            run("DELETE FROM room_defaults WHERE account = :account", of)?;
            let Some(room) = room.filter(|room| *room != RoomNumber::LOBBY) else { return Ok(()) };
            run(
                "INSERT INTO room_defaults (account, room)
                 SELECT accounts.id, number FROM rooms, accounts
                 WHERE number = :room AND accounts.id = :account",
                named_params! {":room": signed(room.0), ":account": account},
            )
        }
        RoomRecord::Entered { who: RoomMember::Guest(_), .. }
        | RoomRecord::Left { who: RoomMember::Guest(_), .. }
        | RoomRecord::Invited { who: RoomMember::Guest(_), .. }
        | RoomRecord::Uninvited { who: RoomMember::Guest(_), .. } => Ok(()),
    }
}

fn define(
    transaction: &Transaction<'_>,
    definition: &RoomDefinition,
) -> Result<(), rusqlite::Error> {
    let RoomDefinition { number, name, owner, settings, configured, auto, floor } = definition;
    let RoomSettings {
        topic,
        description,
        limit,
        password,
        hidden,
        closed,
        talk,
        slow,
        length,
        keep,
        show,
        roster,
    } = settings;
    let keep = match keep {
        RoomKeep::Off => Some(OFF),
        RoomKeep::Newest(count) => Some(i64::from(*count)),
        RoomKeep::All => None,
    };
    let parameters = named_params! {
        ":number": signed(number.0), ":name": name.as_str(), ":key": name.key(),
        ":owner": owner.as_ref().map(|owner| owner.id),
        ":owner_name": owner.as_ref().map(|owner| owner.name.as_str()),
        ":topic": &**topic, ":description": &**description, ":most": limit,
        ":password": password.as_deref(), ":hidden": hidden, ":closed": closed, ":talk": talk.number(),
        ":slow": slow, ":length": length, ":keep": keep, ":show_all": *show == RoomShow::All,
        ":roster": roster, ":configured": configured, ":auto": auto, ":floor": signed(*floor),
    };
    transaction.prepare_cached(DEFINE)?.execute(parameters).map(drop)
}

/// Forgets an account that is removed.
pub(super) fn forget_account(
    transaction: &Transaction<'_>,
    account: i64,
) -> Result<(), rusqlite::Error> {
    for table in OF_ACCOUNTS {
        transaction.execute(&format!("DELETE FROM {table} WHERE account = ?"), [account])?;
    }
    hand_over(transaction, "owner = ?", [account])
}

/// Forgets the accounts that were removed while no server ran. The foreign keys have done most of it, unless somebody has removed
/// them by hand.
pub(super) fn forget_accounts(transaction: &Transaction<'_>) -> Result<(), rusqlite::Error> {
    for table in OF_ACCOUNTS {
        let gone =
            "account NOT IN (SELECT id FROM accounts) OR room NOT IN (SELECT number FROM rooms)";
        transaction.execute(&format!("DELETE FROM {table} WHERE {gone}"), [])?;
    }
    hand_over(transaction, "owner NOT IN (SELECT id FROM accounts)", [])
}

/// Gives rooms to the member of level 4 who joined first, or to nobody (RL-3).
fn hand_over(
    transaction: &Transaction<'_>,
    which: &str,
    parameters: impl rusqlite::Params,
) -> Result<(), rusqlite::Error> {
    let sql = format!(
        "UPDATE rooms SET (owner, owner_name) = (
             SELECT account, room_members.name FROM room_members
             JOIN room_levels USING (room, account)
             WHERE room = number AND level >= {least} ORDER BY place LIMIT 1
         ) WHERE {which}",
        least = Level::OPERATOR.number()
    );
    transaction.execute(&sql, parameters).map(drop)
}

/// What is kept of each room, and its floor; that of the lobby, too.
pub(super) fn kept(
    connection: &Connection,
) -> Result<Vec<(RoomNumber, RoomKeep, Sequence)>, rusqlite::Error> {
    let mut select = connection.prepare("SELECT number, keep, floor FROM rooms")?;
    let rows =
        select.query_map([], |row| Ok((number(row, 0)?, keep(row, 1)?, unsigned(row, 2)?)))?;
    rows.collect()
}

/// All of it as facts, without the invitations that are over.
///
/// Nothing is judged again, and what this program would not have written is read as what is nearest to it: one room that somebody has
/// changed by hand must not keep the server from starting.
pub(super) fn records(
    connection: &Connection,
    now: i64,
) -> Result<Vec<RoomRecord>, rusqlite::Error> {
    let mut records = Vec::new();
    let mut read = |sql: &str,
                    record: &dyn Fn(&Row<'_>) -> Result<RoomRecord, rusqlite::Error>|
     -> Result<(), rusqlite::Error> {
        let mut select = connection.prepare(sql)?;
        for found in select.query_map([], record)? {
            records.push(found?);
        }
        Ok(())
    };
    read(
        "SELECT number, name, owner, owner_name, topic, description, most, password, hidden, closed,
                talk, slow, length, keep, show_all, roster, configured, auto, floor
         FROM rooms ORDER BY number",
        &|row| Ok(RoomRecord::Defined(Box::new(definition(row)?))),
    )?;
    read("SELECT room, account, name, since FROM room_members ORDER BY place", &|row| {
        let who = RoomMember::Account(account(row, 1)?);
        Ok(RoomRecord::Entered { room: number(row, 0)?, who, since: unsigned(row, 3)? })
    })?;
    read("SELECT room, account, name FROM room_leavers ORDER BY room, account", &|row| {
        let who = RoomMember::Account(account(row, 1)?);
        Ok(RoomRecord::Left { room: number(row, 0)?, who, stays_out: true })
    })?;
    read("SELECT room, account, name, level FROM room_levels ORDER BY room, account", &|row| {
        let level = level(row, 3)?;
        Ok(RoomRecord::LevelSet { room: number(row, 0)?, account: account(row, 1)?, level })
    })?;
    read(
        &format!(
            "SELECT room, account, name, inviter, until FROM room_invitations
             WHERE until > {now} ORDER BY room, account"
        ),
        &|row| {
            let who = RoomMember::Account(account(row, 1)?);
            let by = text(row, 3)?.unwrap_or_default().into_owned();
            Ok(RoomRecord::Invited { room: number(row, 0)?, who, by, until: row.get(4)? })
        },
    )?;
    read("SELECT account, room FROM room_defaults ORDER BY account", &|row| {
        Ok(RoomRecord::DefaultSet { account: row.get(0)?, room: Some(number(row, 1)?) })
    })?;
    Ok(records)
}

fn definition(row: &Row<'_>) -> Result<RoomDefinition, rusqlite::Error> {
    let owner = match row.get(2)? {
        None => None,
        Some(id) => Some(AccountRef { id, name: stored_name(row, 3)? }),
    };
    let short = |column| -> Result<u32, rusqlite::Error> {
        Ok(u32::try_from(unsigned(row, column)?).unwrap_or(u32::MAX))
    };
    let words = |column| -> Result<std::sync::Arc<str>, rusqlite::Error> {
        Ok(text(row, column)?.unwrap_or_default().into())
    };
    let settings = RoomSettings {
        topic: words(4)?,
        description: words(5)?,
        limit: short(6)?,
        password: text(row, 7)?.map(Into::into),
        hidden: row.get(8)?,
        closed: row.get(9)?,
        talk: level(row, 10)?,
        slow: short(11)?,
        length: short(12)?,
        keep: keep(row, 13)?,
        show: if row.get(14)? { RoomShow::All } else { RoomShow::Joined },
        roster: row.get(15)?,
    };
    Ok(RoomDefinition {
        number: number(row, 0)?,
        name: RoomName::stored(&text(row, 1)?.unwrap_or_default()),
        owner,
        settings,
        configured: row.get(16)?,
        auto: row.get(17)?,
        floor: unsigned(row, 18)?,
    })
}

fn number(row: &Row<'_>, column: usize) -> Result<RoomNumber, rusqlite::Error> {
    unsigned(row, column).map(RoomNumber)
}

/// An account: two columns from this one on.
fn account(row: &Row<'_>, column: usize) -> Result<AccountRef, rusqlite::Error> {
    Ok(AccountRef { id: row.get(column)?, name: stored_name(row, column + 1)? })
}

fn stored_name(row: &Row<'_>, column: usize) -> Result<Username, rusqlite::Error> {
    Ok(Username::stored(&text(row, column)?.unwrap_or_default()))
}

fn level(row: &Row<'_>, column: usize) -> Result<Level, rusqlite::Error> {
    let number: i64 = row.get(column)?;
    Ok(Level::new(number).unwrap_or(if number < 0 { Level::GUEST } else { Level::ADMIN }))
}

fn keep(row: &Row<'_>, column: usize) -> Result<RoomKeep, rusqlite::Error> {
    Ok(match row.get::<_, Option<i64>>(column)? {
        None => RoomKeep::All,
        Some(..0) => RoomKeep::Off,
        Some(count) => RoomKeep::Newest(u32::try_from(count).unwrap_or(u32::MAX)),
    })
}
