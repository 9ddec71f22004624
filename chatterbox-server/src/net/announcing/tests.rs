//! Messages with files, of a frame that takes several posts, of which one is refused.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::path::Path;
use std::sync::atomic::Ordering;

use chatterbox_hub::{
    AccountKey, Delivery, FileScope, Identity, JoinRequest, Level, LoggedIn, RoomActor, RoomChange,
};
use chatterbox_proto::capability::meta::NewMeta;
use chatterbox_proto::session::{Destination, JoinedAction, Posting};
use chatterbox_proto::{Capabilities, Entry, LookupKey, RoomName, Username};

use super::*;
use crate::accounts::{Account, Directory as _, PasswordHash};
use crate::chat::handle::Seat;
use crate::chat::posts::POST_RECORDS;
use crate::chat::shared::Chat;
use crate::config::{Config, Live};
use crate::files::{FileRecords, FileStore as _, NewFile, Quotas, Spool, StoredFile};
use crate::net::context::Context;
use crate::net::inbound::Inbound;
use crate::net::requests::Requests;
use crate::store::failing::FailingStore;
use crate::store::sqlite::{Durability, Retention, SqliteOptions};
use crate::store::{Sqlite, SqliteDirectory, SqliteFiles};

const OFFER: &str = "accounts/1 commands/1 files/1 ids/1 meta/1 rename/1 rooms/1";

fn ann() -> Username {
    Username::parse("ann").unwrap()
}

/// The tokens of two files of ann for the lobby, which are there.
const FILES: [&str; 2] = ["aaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbb"];

/// What is known about files in a folder, with those files.
fn with_files(folder: &Path) -> SqliteFiles {
    let mut directory = SqliteDirectory::open(folder).unwrap();
    let account = Account {
        account_key: AccountKey::default(),
        name: ann(),
        password: PasswordHash::stored("$argon2id$x".to_owned()),
        level: Level::USER,
        created: 1,
    };
    directory.add(&account).unwrap();
    let mut store = SqliteFiles::open(folder).unwrap();
    let now = crate::ops::clock::unix_now();
    for (token, digest) in FILES.into_iter().zip(0..) {
        let new = NewFile {
            token: token.to_owned(),
            account: 1,
            scope: FileScope::All,
            name: "x".to_owned(),
            size: 5,
            sha256: [digest; 32],
            now,
            until: now + 1_000,
        };
        store.reserve(&new, Quotas { account: 100, room: 100, all: 100 }).unwrap();
        assert!(store.complete(token).unwrap());
    }
    store
}

fn found(store: &mut SqliteFiles, token: &str) -> StoredFile {
    store.find(token).unwrap().unwrap()
}

/// The input of ann, who reads whatever there is for her.
async fn input_of_ann(chat: &Arc<Chat>, folder: &Path) -> Inbound {
    let login = LoggedIn { account: ann(), account_key: AccountKey { id: 1, epoch: 0 } };
    let agreed = Capabilities::parse_offer(OFFER).ok();
    let guest = Identity::guest(ann());
    let request = JoinRequest {
        identity: Identity { login: Some(login), level: Level::USER, agreed, ..guest },
        extra: br#""LIMITS": {}"#,
        random: 7,
        ..JoinRequest::base(&ann(), "Hi")
    };
    let seat = Seat::join(chat, request).await.unwrap().0;
    let member = seat.handle();
    tokio::spawn(async move {
        loop {
            seat.pending().await;
            while let Delivery::Frames { more: true, .. } = seat.take() {}
        }
    });
    let context = Context::plain(Arc::clone(chat));
    let accounts = Arc::clone(&context.access.authenticator);
    let mut requests = Requests::new(None, Arc::clone(&context.pages), accounts);
    let records = FileRecords::new(SqliteFiles::open(folder).unwrap()).unwrap();
    let spool = Spool::open(&folder.join("files")).unwrap();
    let files = Files::new(records, spool, Live::new(Config::default()), false);
    requests.announcing.files = Some(Arc::new(files));
    Inbound::new(member, Some(Box::new(requests)), None)
}

fn posting(index: usize, room: Option<&str>, file: Option<&str>) -> Posting<'static> {
    let destination = match room {
        Some(room) => Destination::Room(LookupKey::of(room, 100).unwrap()),
        None => Destination::All,
    };
    let to = room.unwrap_or("ALL").to_owned().into();
    let content = "x".into();
    let meta = file.map(|file| NewMeta { file: FileToken::parse(file), ..NewMeta::default() });
    Posting {
        index,
        source: ann(),
        destination,
        entry: Entry { source: "ann".into(), destination: to, timestamp: 1, content },
        tag: None,
        meta: meta.map(Box::new),
    }
}

#[tokio::test]
async fn a_message_that_is_refused_takes_no_file_from_a_later_post() {
    let folder = tempfile::tempdir().unwrap();
    let options = SqliteOptions {
        folder: folder.path().to_owned(),
        durability: Durability::Process,
        retention: Retention { messages: 1_000, bytes: 1 << 20, age: None },
    };
    let chat = crate::chat::opened::chat(Arc::new(Sqlite::open_alone(&options).unwrap()));
    let mut store = with_files(folder.path());
    let mut inbound = input_of_ann(&chat, folder.path()).await;
    let name = RoomName::parse("#lab").unwrap();
    name.looks();
    let by = || RoomActor::Member(inbound.member().id());
    let made = chat.change_room(by(), RoomChange::Create { name, password: None }).await.unwrap();
    let delete = RoomChange::Delete(made.room.unwrap().number);
    let by = by();
    // One to the room, which is gone when its turn comes; the one with the file is the first of the second post.
    let mut postings = vec![posting(0, Some("#lab"), None)];
    postings.extend((1..POST_RECORDS).map(|index| posting(index, None, None)));
    postings.push(posting(POST_RECORDS, None, Some(FILES[0])));
    inbound.take(vec![JoinedAction::Post(postings)]);
    chat.change_room(by, delete).await.unwrap();
    inbound.deliver().await;
    let database = rusqlite::Connection::open(folder.path().join("chatterbox.db")).unwrap();
    let count = "SELECT count(*) FROM messages";
    let stored: i64 = database.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(stored), Ok(POST_RECORDS), "all but the first");
    let file = found(&mut store, FILES[0]);
    assert!(file.message.is_some() && file.announcement().is_some(), "{file:?}");
}

#[tokio::test]
async fn the_files_of_messages_that_are_not_stored_are_there_for_others_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let messages = Arc::new(FailingStore::default());
    let chat = crate::chat::opened::chat(Arc::clone(&messages) as _);
    let mut store = with_files(folder.path());
    let mut inbound = input_of_ann(&chat, folder.path()).await;
    let send = || {
        let mut postings = vec![posting(0, None, Some(FILES[0]))];
        postings.extend((1..POST_RECORDS).map(|index| posting(index, None, None)));
        postings.push(posting(POST_RECORDS, None, Some(FILES[1])));
        vec![JoinedAction::Post(postings)]
    };
    messages.is_full.store(true, Ordering::SeqCst);
    inbound.take(send());
    inbound.deliver().await;
    assert!(messages.refused.load(Ordering::SeqCst) > 0);
    for token in FILES {
        assert_eq!(found(&mut store, token).claimed, None);
    }
    // Others, as these have no tags.
    messages.is_full.store(false, Ordering::SeqCst);
    inbound.take(send());
    inbound.deliver().await;
    for token in FILES {
        assert!(found(&mut store, token).claimed.is_some());
    }
}
