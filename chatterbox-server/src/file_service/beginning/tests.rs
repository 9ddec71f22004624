//! Uploads that begin, go on and end while something else happens to them.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Mutex, mpsc};

use chatterbox_hub::{AccountKey, JoinRequest, LoggedIn};
use chatterbox_proto::capability::meta::Digest;
use chatterbox_proto::{Capabilities, WireText};
use futures_util::FutureExt as _;
use futures_util::future::ready;

use super::*;
use crate::chat::handle::Seat;
use crate::file_service::hooked::{Moment, files, hooked, spool};
use crate::files::FileStore as _;
use crate::store::failing::FailingStore;

const OFFER: &str = "accounts/1 commands/1 files/1 ids/1 meta/1";
const BYTES: &[u8] = b"hello";

/// The seat of ann, who is logged in.
async fn ann() -> Seat {
    let chat = crate::chat::opened::chat(Arc::new(FailingStore::default()));
    let ann = Username::parse("ann").unwrap();
    let login = LoggedIn { account: ann.clone(), account_key: AccountKey { id: 1, epoch: 0 } };
    let agreed = Capabilities::parse_offer(OFFER).ok();
    let guest = Identity::guest(ann.clone());
    let request = JoinRequest {
        identity: Identity { login: Some(login), level: Level::USER, agreed, ..guest },
        random: 7,
        ..JoinRequest::base(&ann, "Hi")
    };
    Seat::join(&chat, request).await.unwrap().0
}

/// Begins the upload of some bytes, or goes on with it.
async fn begin(files: &Files, seat: &Seat) -> Result<Upload, FileRefusal> {
    let digest = ring::digest::digest(&ring::digest::SHA256, BYTES);
    let put = FilePut {
        id: "f1".to_owned(),
        to: WireText::new("ALL"),
        name: WireText::new("x"),
        size: BYTES.len() as u64,
        sha256: Digest(*digest.as_ref().first_chunk().unwrap()),
    };
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    files.put(&seat.handle(), |_, _| ready(Ok(None)).boxed(), |_| {}, &put, peer).await
}

fn tokens(folder: &Path) -> Vec<String> {
    spool(folder).tokens(Duration::ZERO).unwrap()
}

#[tokio::test]
async fn an_upload_that_was_removed_before_its_bytes_are_locked_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = spool(folder.path());
    let files = hooked(folder.path(), move |store, moment| {
        // It is asked for again, and gone before whoever asks is told.
        let Moment::Reserved(Reserved::Again(file)) = moment else { return };
        store.remove(std::slice::from_ref(&file.token)).unwrap();
        bytes.remove(&file.token).unwrap();
    });
    let seat = ann().await;
    let first = begin(&files, &seat).await.unwrap().file.token;
    let mut again = begin(&files, &seat).await.unwrap();
    assert_ne!(again.file.token, first);
    assert_eq!(tokens(folder.path()), [again.file.token.clone()], "nothing is left of the first");
    files.add(&mut again, BYTES.to_vec()).await.unwrap();
    files.complete(&mut again).await.unwrap();
}

#[tokio::test]
async fn bytes_are_locked_until_it_is_written_down_that_they_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let (begin_now, begun) = mpsc::channel();
    let bytes = spool(folder.path());
    let files = hooked(folder.path(), move |_, moment| {
        if let Moment::Completes(token) = moment {
            let held = bytes.hold_idle(token, Duration::ZERO, Duration::ZERO).unwrap();
            begin_now.send(held.is_some()).unwrap();
        }
    });
    let seat = ann().await;
    let mut upload = begin(&files, &seat).await.unwrap();
    files.add(&mut upload, BYTES.to_vec()).await.unwrap();
    files.complete(&mut upload).await.unwrap();
    assert_eq!(begun.try_iter().collect::<Vec<_>>(), [false], "a sweep would take it for idle");
    let token = &upload.file.token;
    assert!(spool(folder.path()).begin(token, 5).is_ok(), "others need not wait any more");
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_another_connection_has_by_now_is_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = spool(folder.path());
    let other = Arc::new(Mutex::new(None));
    let taken = Arc::clone(&other);
    let files = hooked(folder.path(), move |_, moment| {
        if let Moment::Reserved(Reserved::New(file)) = moment {
            *taken.lock().unwrap() = Some(bytes.begin(&file.token, file.size).unwrap());
        }
    });
    let seat = ann().await;
    let refused = begin(&files, &seat).await.unwrap_err();
    assert_eq!(refused.code, "busy");
    let [token]: [String; 1] = tokens(folder.path()).try_into().unwrap();
    assert!(files.records.find(token).await.unwrap().is_some(), "the other one goes on");
    assert!(other.lock().unwrap().is_some());
}

#[tokio::test]
async fn what_another_connection_uploads_is_not_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let seat = ann().await;
    let upload = begin(&files, &seat).await.unwrap();
    let token = upload.file.token.clone();
    files.give_up(&seat.handle(), &token).await;
    assert!(files.records.find(token.clone()).await.unwrap().is_some());
    drop(upload);
    files.give_up(&seat.handle(), &token).await;
    assert_eq!(files.records.find(token).await.unwrap(), None);
    assert_eq!(tokens(folder.path()), Vec::<String>::new());
}

#[tokio::test]
async fn an_upload_that_can_not_begin_takes_no_space() {
    let folder = tempfile::tempdir().unwrap();
    let files = files(folder.path());
    let seat = ann().await;
    // All places of the account are taken.
    let places: Vec<_> = (0..8)
        .map(|n: u32| files.under_way.begin(&n.to_string(), 1, Ipv4Addr::LOCALHOST.into()).unwrap())
        .collect();
    assert_eq!(begin(&files, &seat).await.unwrap_err().code, "busy");
    assert_eq!(files.records.list(String::new(), 9).await.unwrap(), []);
    assert_eq!(tokens(folder.path()), Vec::<String>::new());
    drop(places);
    begin(&files, &seat).await.unwrap();
}
