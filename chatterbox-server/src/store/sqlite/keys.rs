//! Public keys of accounts in the database (EE-1, EE-2).

use chatterbox_hub::Sequence;
use chatterbox_proto::capability::e2ee::{
    DEVICES, Device, KEPT, KeyKind, KeyName, PublicKey, Signature, SignedKey,
};
use chatterbox_proto::capability::meta::DeviceId;
use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::accounts::{
    AccountKeys, ClaimedKey, DeviceDone, DirectoryError, KeysDirectory, KeysPutDone, LowKeys,
    NewKeys,
};
use crate::store::sqlite::accounts::Sqlite;
use crate::store::sqlite::row::{damaged, name, signed, unsigned};

/// A checked text, as it was stored.
fn checked<T>(
    row: &Row<'_>,
    column: usize,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<T, rusqlite::Error> {
    let text = row.get_ref(column)?.as_str()?;
    parse(text).ok_or_else(|| damaged(column, "it is no key, signature or name of one".into()))
}

fn device(row: &Row<'_>) -> Result<Device, rusqlite::Error> {
    Ok(Device {
        device: checked(row, 0, DeviceId::parse)?,
        curve25519: checked(row, 1, PublicKey::parse)?,
        ed25519: checked(row, 2, PublicKey::parse)?,
        signature: checked(row, 3, Signature::parse)?,
    })
}

/// A key for new sessions, in three columns from this one on.
fn signed_key(row: &Row<'_>, column: usize) -> Result<SignedKey, rusqlite::Error> {
    Ok(SignedKey {
        name: checked(row, column, KeyName::parse)?,
        key: checked(row, column + 1, PublicKey::parse)?,
        signature: checked(row, column + 2, Signature::parse)?,
    })
}

fn identity(connection: &Connection, account: i64) -> Result<Option<PublicKey>, rusqlite::Error> {
    connection
        .prepare_cached("SELECT identity FROM e2ee_identities WHERE account = ?")?
        .query_row([account], |row| checked(row, 0, PublicKey::parse))
        .optional()
}

/// How many one-time keys of a device there are that nobody has got.
fn left(connection: &Connection, device: i64) -> Result<usize, rusqlite::Error> {
    let left: i64 = connection
        .prepare_cached("SELECT count(*) FROM e2ee_keys WHERE device = ?")?
        .query_row([device], |row| row.get(0))?;
    Ok(usize::try_from(left).unwrap_or(usize::MAX))
}

/// The number of a device that is published already, or is now.
fn published(
    writing: &Connection,
    new: &NewKeys,
) -> Result<Result<i64, KeysPutDone>, rusqlite::Error> {
    let NewKeys { account, device, .. } = new;
    let known = writing
        .prepare_cached(
            "SELECT number, account, curve25519, ed25519 FROM e2ee_devices WHERE device = ?",
        )?
        .query_row([device.device.as_str()], |row| {
            let is_same = row.get::<_, i64>(1)? == *account
                && row.get_ref(2)?.as_str()? == device.curve25519.as_str()
                && row.get_ref(3)?.as_str()? == device.ed25519.as_str();
            Ok((row.get::<_, i64>(0)?, is_same))
        })
        .optional()?;
    match known {
        Some((number, true)) => return Ok(Ok(number)),
        Some((_, false)) => return Ok(Err(KeysPutDone::Taken)),
        None => {}
    }
    let count: i64 = writing
        .prepare_cached("SELECT count(*) FROM e2ee_devices WHERE account = ?")?
        .query_row([account], |row| row.get(0))?;
    if usize::try_from(count).unwrap_or(usize::MAX) >= DEVICES {
        return Ok(Err(KeysPutDone::TooMany));
    }
    writing.execute(
        "INSERT INTO e2ee_devices (account, device, curve25519, ed25519, signature)
         VALUES (?, ?, ?, ?, ?)",
        (
            account,
            device.device.as_str(),
            device.curve25519.as_str(),
            device.ed25519.as_str(),
            device.signature.as_str(),
        ),
    )?;
    Ok(Ok(writing.last_insert_rowid()))
}

/// Adds one-time keys to those of a device, and says how many there are.
fn add(writing: &Connection, device: i64, keys: &[&SignedKey]) -> Result<usize, rusqlite::Error> {
    let newest: Option<String> = writing
        .prepare_cached("SELECT newest_key FROM e2ee_devices WHERE number = ?")?
        .query_row([device], |row| row.get(0))?;
    let (mut count, mut newest) = (left(writing, device)?, newest.unwrap_or_default());
    for SignedKey { name, key, signature } in keys {
        if count >= KEPT {
            break;
        }
        if name.as_str() > newest.as_str() {
            writing.execute(
                "INSERT INTO e2ee_keys (device, name, public_key, signature) VALUES (?, ?, ?, ?)",
                (device, name.as_str(), key.as_str(), signature.as_str()),
            )?;
            name.as_str().clone_into(&mut newest);
            count += 1;
        }
    }
    let newest = (!newest.is_empty()).then_some(newest);
    writing.execute("UPDATE e2ee_devices SET newest_key = ? WHERE number = ?", (newest, device))?;
    Ok(count)
}

/// Takes a key of a device, and says how many one-time keys are left of it.
fn claim(
    writing: &Connection,
    device: i64,
) -> Result<(Option<ClaimedKey>, usize), rusqlite::Error> {
    let oldest = writing
        .prepare_cached(
            "SELECT number, name, public_key, signature FROM e2ee_keys
             WHERE device = ? ORDER BY number LIMIT 1",
        )?
        .query_row([device], |row| Ok((row.get::<_, i64>(0)?, signed_key(row, 1)?)))
        .optional()?;
    let Some((number, key)) = oldest else {
        let fallback = writing
            .prepare_cached(
                "SELECT fallback_name, fallback, fallback_signature FROM e2ee_devices
                 WHERE number = ? AND fallback IS NOT NULL",
            )?
            .query_row([device], |row| signed_key(row, 0))
            .optional()?;
        return Ok((fallback.map(|key| (KeyKind::Fallback, key)), 0));
    };
    writing.execute("DELETE FROM e2ee_keys WHERE number = ?", [number])?;
    Ok((Some((KeyKind::OneTime, key)), left(writing, device)?))
}

impl KeysDirectory for Sqlite {
    fn put_keys(&mut self, new: &NewKeys) -> Result<KeysPutDone, DirectoryError> {
        let writing = self.writing()?;
        let NewKeys { account, identity: own, fallback, .. } = new;
        let is_there: bool = writing
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM accounts WHERE id = ?)")?
            .query_row([account], |row| row.get(0))?;
        if !is_there {
            return Ok(KeysPutDone::NoAccount);
        }
        if identity(&writing, *account)?.is_some_and(|known| known != *own) {
            return Ok(KeysPutDone::OtherIdentity);
        }
        let device = match published(&writing, new)? {
            Ok(device) => device,
            Err(refused) => return Ok(refused),
        };
        writing.execute(
            "INSERT OR IGNORE INTO e2ee_identities (account, identity) VALUES (?, ?)",
            (account, own.as_str()),
        )?;
        let count = add(&writing, device, &new.in_order())?;
        if let Some(SignedKey { name, key, signature }) = fallback {
            writing.execute(
                "UPDATE e2ee_devices SET fallback_name = ?, fallback = ?, fallback_signature = ?
                 WHERE number = ?",
                (name.as_str(), key.as_str(), signature.as_str(), device),
            )?;
        }
        writing.commit()?;
        Ok(KeysPutDone::Yes(count))
    }

    fn keys_of(&mut self, account: i64) -> Result<AccountKeys, DirectoryError> {
        let identity = identity(&self.connection, account)?;
        let mut select = self.connection.prepare_cached(
            "SELECT device, curve25519, ed25519, signature FROM e2ee_devices
             WHERE account = ? ORDER BY number",
        )?;
        let devices = select.query_map([account], device)?.collect::<Result<_, _>>()?;
        Ok(AccountKeys { identity, devices })
    }

    fn claim_keys(
        &mut self,
        devices: &[(i64, DeviceId)],
    ) -> Result<Vec<Option<ClaimedKey>>, DirectoryError> {
        let writing = self.writing()?;
        let (mut claimed, mut low) = (Vec::with_capacity(devices.len()), Vec::new());
        for (account, device) in devices {
            let found = writing
                .prepare_cached(
                    "SELECT number, accounts.name FROM e2ee_devices
                     JOIN accounts ON accounts.id = account WHERE account = ? AND device = ?",
                )?
                .query_row((account, device.as_str()), |row| {
                    Ok((row.get::<_, i64>(0)?, name(row, 1)?))
                })
                .optional()?;
            let mut key = None;
            if let Some((number, owner)) = found {
                let (taken, left) = claim(&writing, number)?;
                key = taken;
                low.push((*account, owner, device, left));
            }
            claimed.push(key);
        }
        writing.commit()?;
        for (account, owner, device, left) in low {
            self.low.note(account, &owner, device, left);
        }
        Ok(claimed)
    }

    fn fallback_key(
        &mut self,
        account: i64,
        device: &DeviceId,
    ) -> Result<Option<ClaimedKey>, DirectoryError> {
        let mut select = self.connection.prepare_cached(
            "SELECT fallback_name, fallback, fallback_signature FROM e2ee_devices
             WHERE account = ? AND device = ? AND fallback IS NOT NULL",
        )?;
        let key = select.query_row((account, device.as_str()), |row| signed_key(row, 0));
        Ok(key.optional()?.map(|key| (KeyKind::Fallback, key)))
    }

    fn device_done(
        &mut self,
        account: i64,
        device: &DeviceId,
    ) -> Result<Option<Sequence>, DirectoryError> {
        let mut select = self
            .connection
            .prepare_cached("SELECT done FROM e2ee_devices WHERE account = ? AND device = ?")?;
        let done = select.query_row((account, device.as_str()), |row| unsigned(row, 0));
        Ok(done.optional()?)
    }

    fn set_devices_done(&mut self, done: &[DeviceDone]) -> Result<(), DirectoryError> {
        let writing = self.writing()?;
        {
            let mut update = writing.prepare_cached(
                "UPDATE e2ee_devices SET done = ?3
                 WHERE account = ?1 AND device = ?2 AND done < ?3",
            )?;
            for (account, device, up_to) in done {
                update.execute((account, device.as_str(), signed(*up_to)))?;
            }
        }
        Ok(writing.commit()?)
    }

    fn reset_keys(&mut self, account: i64) -> Result<bool, DirectoryError> {
        let writing = self.writing()?;
        writing.execute("DELETE FROM e2ee_devices WHERE account = ?", [account])?;
        let removed =
            writing.execute("DELETE FROM e2ee_identities WHERE account = ?", [account])?;
        writing.commit()?;
        Ok(removed > 0)
    }

    fn remove_device(&mut self, account: i64, device: &DeviceId) -> Result<bool, DirectoryError> {
        let delete = "DELETE FROM e2ee_devices WHERE account = ? AND device = ?";
        Ok(self.connection.execute(delete, (account, device.as_str()))? > 0)
    }

    fn take_low(&mut self) -> Result<Vec<LowKeys>, DirectoryError> {
        Ok(self.low.take())
    }
}
