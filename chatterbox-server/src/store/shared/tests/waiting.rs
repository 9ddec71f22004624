//! Nobody waits for ever, and nobody is told that something is done that is not.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::sync::Arc;
use std::time::Duration;

use super::agreeing::{account, name};
use super::kit::{Log, Node};
use crate::accounts::{Added, Directory as _, DirectoryError};
use crate::moderation::{Act, AuditEntry, AuditFilter, ModerationError, ModerationStore as _};

#[test]
fn what_never_comes_round_is_told_at_once() {
    let log = Arc::new(Log::default());
    let node = Node::new(&log);
    let mut directory = node.stores.directory().unwrap();
    log.refuses(true);
    for _ in 0..3 {
        let refused = directory.add(&account("ann"));
        assert!(matches!(refused, Err(DirectoryError::Undecided)), "{refused:?}");
    }
    log.refuses(false);
    assert_eq!(directory.add(&account("ann")).unwrap(), Added::Yes, "it goes on by itself");
}

#[test]
fn while_one_command_hangs_nobody_else_waits() {
    let log = Arc::new(Log::default());
    let node = Node::with_patience(&log, Duration::from_millis(200));
    let mut directory = node.stores.directory().unwrap();
    let mut moderation = node.stores.moderation().unwrap();
    log.hangs(true);
    let undecided = directory.add(&account("ann"));
    assert!(matches!(undecided, Err(DirectoryError::Undecided)), "{undecided:?}");
    let start = std::time::Instant::now();
    for _ in 0..100 {
        assert!(directory.set_guests(true).is_err());
        let noted = moderation.note(&AuditEntry::new(7, "Mod", Act::Kick));
        assert!(matches!(noted, Err(ModerationError::Undecided)));
    }
    assert!(start.elapsed() < Duration::from_secs(15), "200 that wait would take 40 s");
    assert_eq!(directory.account(&name("ann")).unwrap(), None, "what is stored can be read");
    // It comes round after all: what nobody knew is so, and the next one is carried out.
    log.hangs(false);
    node.catch_up();
    assert!(directory.account(&name("ann")).unwrap().is_some());
    assert_eq!(directory.add(&account("bob")).unwrap(), Added::Yes);
    assert_eq!(
        moderation.audit(&AuditFilter::default()).unwrap(),
        [],
        "none of those was asked for"
    );
}

#[test]
fn what_a_server_that_was_alone_has_made_is_no_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let mut alone = crate::store::SqliteDirectory::open(folder.path()).unwrap();
    assert!(crate::store::SharedStores::open(folder.path()).is_ok());
    alone.add(&account("ann")).unwrap();
    alone.remove(&name("ann")).unwrap();
    let refused = crate::store::SharedStores::open(folder.path()).unwrap_err();
    assert!(matches!(refused, crate::store::sqlite::OpenError::MadeAlone(_)), "{refused}");
}

#[test]
fn before_the_order_is_there_nothing_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let stores = crate::store::SharedStores::open(folder.path()).unwrap();
    let mut directory = stores.directory().unwrap();
    assert!(matches!(directory.add(&account("ann")), Err(DirectoryError::Undecided)));
    assert_eq!(directory.list(9).unwrap(), []);
}

#[test]
fn what_comes_round_when_nobody_waits_for_it_any_more_is_told_like_that_of_others() {
    let log = Arc::new(Log::default());
    let node = Node::with_patience(&log, Duration::from_millis(200));
    let mut directory = node.stores.directory().unwrap();
    directory.add(&account("ann")).unwrap();
    log.hangs(true);
    assert!(directory.remove_tokens(&name("ann")).is_err());
    log.hangs(false);
    node.catch_up();
    assert_eq!(directory.changes().unwrap().len(), 1, "its logins have ended");
}

#[test]
fn what_was_decided_before_a_node_was_up_is_no_news_there() {
    let log = Arc::new(Log::default());
    let asker = Node::new(&log);
    let mut directory = asker.stores.directory().unwrap();
    directory.add(&account("ann")).unwrap();
    directory.remove_tokens(&name("ann")).unwrap();
    let later = Node::not_yet_up(&log);
    later.catch_up();
    let mut there = later.stores.directory().unwrap();
    assert_eq!(there.account(&name("ann")).unwrap().unwrap().account_key.epoch, 1, "it is done");
    assert_eq!(there.changes().unwrap(), [], "and was told by those who were there");
    later.comes_up();
    directory.remove_tokens(&name("ann")).unwrap();
    later.catch_up();
    assert_eq!(there.changes().unwrap().len(), 1, "from here on");
}
