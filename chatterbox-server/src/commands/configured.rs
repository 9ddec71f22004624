//! The rooms of the configuration, as wishes of whoever runs the server (RM-16).

#![allow(clippy::disallowed_methods, reason = "the edge: reads the files of passwords")]

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chatterbox_hub::{AccountRef, ConfiguredRoom, RoomSetting};
use chatterbox_proto::RoomName;

use crate::accounts::{Accounts, DirectoryError, PasswordHash, Refused, Secret};
use crate::config::RoomBlock;

/// Why a room can't be as the configuration wants it.
#[derive(Debug, thiserror::Error)]
pub enum ConfiguredRoomError {
    /// The file of its password can't be read.
    #[error("[rooms.\"{room}\"]: {}: {source}", .path.display())]
    Read {
        /// The room.
        room: RoomName,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file of its password has no password in it.
    #[error("[rooms.\"{room}\"]: {}: {problem}", .path.display())]
    Password {
        /// The room.
        room: RoomName,
        /// The file.
        path: PathBuf,
        /// Why.
        problem: &'static str,
    },
    /// The accounts can't be asked for its owner.
    #[error(transparent)]
    Accounts(#[from] DirectoryError),
    /// Its password can't be hashed.
    #[error("[rooms.\"{room}\"]: the password can't be hashed: {source}")]
    Hash {
        /// The room.
        room: RoomName,
        /// Why.
        source: Refused,
    },
}

/// Makes wishes of the blocks: finds their owners, reads and hashes their passwords. `stored` gives the hash that a room has
/// now; it stays if it is that of the same password, so that a start changes nothing.
///
/// # Errors
/// [`ConfiguredRoomError`].
pub async fn configured_rooms(
    accounts: &Accounts,
    blocks: &[RoomBlock],
    stored: impl Fn(&RoomName) -> Option<Arc<str>>,
) -> Result<Vec<ConfiguredRoom>, ConfiguredRoomError> {
    let mut rooms = Vec::with_capacity(blocks.len());
    for block in blocks {
        let mut settings = block.settings.clone();
        if let Some(path) = &block.password_file {
            let secret = read(&block.name, path)?;
            settings.extend(password(accounts, &block.name, secret, stored(&block.name)).await?);
        }
        let owner = match &block.owner {
            Some(owner) => accounts.account(owner).await?,
            None => None,
        };
        if let (Some(owner), None) = (&block.owner, &owner) {
            tracing::warn!(room = %block.name, %owner, "the owner of a room has no account yet");
        }
        let owner =
            owner.map(|account| AccountRef { id: account.account_key.id, name: account.name });
        // Whoever judges it has a lock.
        block.name.looks();
        rooms.push(ConfiguredRoom { name: block.name.clone(), settings, owner, auto: block.auto });
    }
    Ok(rooms)
}

/// The settings of a password; an empty one closes the room.
async fn password(
    accounts: &Accounts,
    room: &RoomName,
    secret: Secret,
    stored: Option<Arc<str>>,
) -> Result<Vec<RoomSetting>, ConfiguredRoomError> {
    if secret.bytes().is_empty() {
        return Ok(vec![RoomSetting::Password(None), RoomSetting::Closed(true)]);
    }
    if let Some(stored) = stored {
        let hash = PasswordHash::stored(stored.to_string());
        // A hash that is damaged is none of this password.
        if let Ok(true) = accounts.is_room_password(secret.clone(), hash).await {
            return Ok(vec![RoomSetting::Password(Some(stored))]);
        }
    }
    let hash = accounts.make_room_password(secret).await;
    let hash = hash.map_err(|source| ConfiguredRoomError::Hash { room: room.clone(), source })?;
    Ok(vec![RoomSetting::Password(Some(hash.as_str().into()))])
}

/// The most bytes that are read; every password is shorter.
const LONGEST_FILE: u64 = 4096;

fn read(room: &RoomName, path: &Path) -> Result<Secret, ConfiguredRoomError> {
    let failed =
        |source| ConfiguredRoomError::Read { room: room.clone(), path: path.to_owned(), source };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    // A pipe is nobody else's.
    let is_open = meta.is_file() && meta.permissions().mode() & 0o004 != 0;
    file.take(LONGEST_FILE).read_to_string(&mut text).map_err(failed)?;
    // Some editors begin a file of UTF-8 with a byte order mark, which nobody has typed.
    let line = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_end_matches(['\r', '\n']);
    let unusable = |problem| {
        Err(ConfiguredRoomError::Password { room: room.clone(), path: path.to_owned(), problem })
    };
    if line.contains(['\r', '\n']) {
        return unusable("a password is one line");
    }
    if is_open && !line.is_empty() {
        return unusable("everybody on this machine can read this password; chmod 600 helps");
    }
    let secret = Secret::given(line);
    if !line.is_empty() && secret.is_for_a_room().is_err() {
        return unusable("this is too long for a password");
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::net::{IpAddr, Ipv4Addr};

    use chatterbox_proto::Username;

    use super::*;
    use crate::accounts::Cost;
    use crate::store::MemoryDirectory;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn block(name: &str, password_file: Option<PathBuf>) -> RoomBlock {
        let name = RoomName::parse(name).unwrap();
        let settings = vec![RoomSetting::Slow(3)];
        RoomBlock { name, settings, password_file, owner: None, auto: true }
    }

    fn hash_of(room: &ConfiguredRoom) -> Option<Arc<str>> {
        let found = room.settings.iter().find_map(|setting| match setting {
            RoomSetting::Password(hash) => Some(hash.clone()),
            _ => None,
        });
        found.expect("the file says something of it")
    }

    #[tokio::test]
    async fn b14_passwords_are_in_files_of_their_own_and_hashed_once() {
        let accounts = Accounts::new(MemoryDirectory::default(), Cost::CHEAP).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("lab.txt");
        let rooms = async |text: &str, stored: Option<Arc<str>>| {
            std::fs::write(&file, text).unwrap();
            std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            let blocks = [block("#lab", Some(file.clone()))];
            configured_rooms(&accounts, &blocks, |_| stored.clone()).await
        };
        let made = rooms("\u{feff}hunter2\r\n", None).await.unwrap();
        assert_eq!((made[0].name.as_str(), made[0].auto), ("#lab", true));
        assert_eq!(made[0].settings[0], RoomSetting::Slow(3));
        let hash = hash_of(&made[0]).unwrap();
        assert!(hash.starts_with("$argon2id$") && !hash.contains("hunter2"), "{hash}");
        let stored = PasswordHash::stored(hash.to_string());
        assert!(accounts.is_room_password(Secret::given("hunter2"), stored).await.unwrap());
        let again = rooms("hunter2", Some(Arc::clone(&hash))).await.unwrap();
        assert_eq!(hash_of(&again[0]), Some(Arc::clone(&hash)), "a start changes nothing");
        let other = rooms("hunter3", Some(Arc::clone(&hash))).await.unwrap();
        assert_ne!(hash_of(&other[0]), Some(hash));
        let damaged = rooms("hunter2", Some("plain".into())).await.unwrap();
        assert!(hash_of(&damaged[0]).unwrap().starts_with("$argon2id$"));

        let closed = rooms("\n", Some("x".into())).await.unwrap();
        assert_eq!(hash_of(&closed[0]), None);
        assert!(closed[0].settings.contains(&RoomSetting::Closed(true)));

        for text in ["two\nlines", &"x".repeat(1025)] {
            let error = rooms(text, None).await.unwrap_err().to_string();
            assert!(error.contains("#lab") && error.contains("lab.txt"), "{error}");
            assert!(
                !error.contains("lines") || !text.contains("lines"),
                "it is not shown: {error}"
            );
        }
        std::fs::write(&file, "hunter2").unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        let blocks = [block("#lab", Some(file.clone()))];
        let error = configured_rooms(&accounts, &blocks, |_| None).await.unwrap_err().to_string();
        assert!(error.contains("everybody") && !error.contains("hunter2"), "{error}");
        std::fs::remove_file(&file).unwrap();
        let gone = configured_rooms(&accounts, &[block("#lab", Some(file))], |_| None).await;
        assert!(matches!(gone, Err(ConfiguredRoomError::Read { .. })));
    }

    #[tokio::test]
    async fn an_owner_is_an_account_or_nobody_yet() {
        let accounts = Accounts::new(MemoryDirectory::default(), Cost::CHEAP).unwrap();
        let prof = Username::parse("Prof").unwrap();
        let blocks = [RoomBlock { owner: Some(prof.clone()), ..block("#lab", None) }];
        let rooms = configured_rooms(&accounts, &blocks, |_| None).await.unwrap();
        assert_eq!(rooms[0].owner, None);
        accounts.register(&prof, Secret::given("correct horse"), vec![], HERE).await.unwrap();
        let id = accounts.account(&prof).await.unwrap().unwrap().account_key.id;
        let rooms = configured_rooms(&accounts, &blocks, |_| None).await.unwrap();
        assert_eq!(rooms[0].owner, Some(AccountRef { id, name: prof }));
        assert_eq!(rooms[0].settings, [RoomSetting::Slow(3)], "what it does not name stays");
    }
}
