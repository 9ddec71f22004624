//! A file that is given up at one node, and announced at another one.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::FileScope;
use chatterbox_proto::Username;

use super::agreeing::account;
use super::kit::{Log, Node};
use crate::accounts::Directory as _;
use crate::files::{CLAIM_AGE, Claim, FileStore as _, NewFile, Quotas, UPLOAD_AGE};

const NOW: i64 = 1_000_000;

fn new() -> NewFile {
    NewFile {
        token: "a".to_owned(),
        account: 1,
        scope: FileScope::All,
        name: "x".to_owned(),
        size: 5,
        sha256: [7; 32],
        now: NOW,
        until: NOW + 7 * UPLOAD_AGE,
    }
}

fn message(seconds: i64) -> Claim {
    Claim {
        token: "a".to_owned(),
        account: 1,
        scope: FileScope::All,
        source: Username::parse("ann").unwrap(),
        recipient: None,
        key: "a message".to_owned(),
        now: NOW + seconds,
    }
}

/// Whoever gives a file up asks for one thing after the other. Whichever of these hangs, and comes round when nobody waits for it any
/// more: no message loses the file that it has announced meanwhile.
#[test]
fn no_announced_file_is_removed_however_late_a_removal_comes_round() {
    for passes in 0..=3 {
        for seconds in [CLAIM_AGE - 1, CLAIM_AGE + 1, UPLOAD_AGE - 1] {
            let log = Arc::new(Log::default());
            let (first, second) =
                (Node::with_patience(&log, Duration::from_millis(200)), Node::new(&log));
            first.stores.directory().unwrap().add(&account("ann")).unwrap();
            let (mut here, mut there) =
                (first.stores.files().unwrap(), second.stores.files().unwrap());
            here.reserve(&new(), Quotas { account: 9, room: 9, all: 9 }).unwrap();
            assert!(here.complete("a").unwrap());
            log.hangs_behind(passes);
            let given_up = here.give_up("a", 1, NOW);
            log.overtakes();
            second.catch_up();
            let claimed = there.claim(&message(seconds)).unwrap();
            if claimed.is_some() {
                second.says_with_file("a");
            }
            log.hangs(false);
            first.catch_up();
            second.catch_up();
            let found = there.find("a").unwrap();
            let what = format!("{given_up:?} behind {passes}, {seconds} s: {found:?}");
            if claimed.is_some() {
                assert!(found.is_some_and(|file| file.announcement().is_some()), "{what}");
            } else {
                assert!(found.is_none_or(|file| file.message.is_none()), "{what}");
            }
            assert_eq!(first.dump(), second.dump(), "{what}");
        }
    }
}
