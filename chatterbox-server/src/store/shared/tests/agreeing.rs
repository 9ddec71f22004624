//! All nodes come to the same end.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::cell::RefCell;
use std::sync::{Arc, Barrier};

use chatterbox_hub::{
    AccountChange, AccountChangeKind, AccountKey, Level, Moderation, ModerationAct, Proposal,
    SanctionId, SanctionKind, SanctionSubject, StoreCommand,
};
use chatterbox_proto::Username;
use proptest::prelude::*;

use super::kit::{Log, Node, block_on};
use crate::accounts::{
    Account, Added, Directory, DirectoryError, PasswordHash, SeenDirectory as _, Spared, TokenHash,
};
use crate::moderation::{Act, AuditEntry, AuditFilter, ModerationStore, NewSanction, ReportFilter};
use crate::store::shared::command::{Asked, Command, read, written};
use crate::store::store_commands::StoreCommands as _;
use crate::store::{SharedFiles, StoreError};

pub fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn hash(text: &str) -> PasswordHash {
    PasswordHash::stored(text.to_owned())
}

pub fn account(text: &str) -> Account {
    Account {
        account_key: AccountKey::default(),
        name: name(text),
        password: hash(text),
        level: Level::USER,
        created: 7,
    }
}

fn nodes<const N: usize>() -> [Node; N] {
    let log = Arc::new(Log::default());
    std::array::from_fn(|_| Node::new(&log))
}

#[test]
fn it_is_a_directory_and_another_node_has_the_same() {
    let all = RefCell::new(Vec::new());
    crate::accounts::contract::holds(|| {
        let pair = nodes::<2>();
        let directory = pair[0].stores.directory().unwrap();
        all.borrow_mut().push(pair);
        directory
    });
    for [first, second] in &*all.borrow() {
        // Who was here when is what each has seen itself.
        let forget = |node: &Node| {
            let path = node.folder().join("chatterbox.db");
            let connection = rusqlite::Connection::open(path).unwrap();
            connection
                .execute_batch("DELETE FROM guests_seen; UPDATE accounts SET seen = NULL")
                .unwrap();
        };
        first.catch_up();
        second.catch_up();
        assert_eq!(first.digest(), second.digest(), "that is not in it");
        forget(first);
        forget(second);
        assert_eq!(first.dump(), second.dump());
    }
}

#[test]
fn it_is_a_store_of_moderation_and_another_node_has_the_same() {
    let all = RefCell::new(Vec::new());
    crate::moderation::contract::holds(|| {
        let pair = nodes::<2>();
        let moderation = pair[0].stores.moderation().unwrap();
        all.borrow_mut().push(pair);
        moderation
    });
    for [first, second] in &*all.borrow() {
        assert_eq!(first.dump(), second.dump());
        assert_eq!(first.digest(), second.digest());
    }
}

#[test]
fn it_is_a_store_of_files_and_another_node_has_the_same() {
    let all = RefCell::new(Vec::new());
    let empty = || {
        let pair = nodes::<2>();
        let mut directory = pair[0].stores.directory().unwrap();
        for name in ["ann", "bob"] {
            directory.add(&account(name)).unwrap();
        }
        let files = pair[0].stores.files().unwrap();
        all.borrow_mut().push(pair);
        files
    };
    let announce = |_: &mut SharedFiles, token: &str| {
        let all = all.borrow();
        let [first, _] = all.last().unwrap();
        first.says_with_file(token)
    };
    crate::files::contract::holds(empty, announce);
    for [first, second] in &*all.borrow() {
        assert_eq!(first.dump(), second.dump());
        assert_eq!(first.digest(), second.digest());
    }
}

#[test]
fn of_two_that_look_alike_and_are_registered_at_the_same_moment_one_wins() {
    let [first, second] = nodes();
    let pairs: Vec<_> = (0..20).map(|n| (format!("scope{n}"), format!("ѕсоре{n}"))).collect();
    let barrier = Barrier::new(2);
    let register = |node: &Node, names: Vec<String>| {
        let mut directory = node.stores.directory().unwrap();
        let one = |text: &String| {
            barrier.wait();
            directory.add_unlike(&account(text)).unwrap()
        };
        names.iter().map(one).collect::<Vec<_>>()
    };
    let (latin, cyrillic): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let (of_first, of_second) = std::thread::scope(|scope| {
        let other = scope.spawn(|| register(&second, cyrillic));
        (register(&first, latin), other.join().unwrap())
    });
    for (place, both) in of_first.into_iter().zip(of_second).enumerate() {
        let added = [both.0, both.1].into_iter().filter(|added| *added == Added::Yes).count();
        assert_eq!(added, 1, "pair {place}: {both:?}");
    }
    assert_eq!(first.dump(), second.dump());
    assert_eq!(second.stores.directory().unwrap().list(99).unwrap().len(), 20);
}

#[test]
fn what_was_looked_at_has_to_be_so_still() {
    let [first, second] = nodes();
    let mut here = first.stores.directory().unwrap();
    let mut there = second.stores.directory().unwrap();
    here.add(&account("ann")).unwrap();
    second.catch_up();
    // Somebody removes the account between the look and the change, and somebody else has the name then.
    here.begin();
    let looked_at = here.account(&name("ann")).unwrap().unwrap();
    there.remove(&name("ann")).unwrap();
    there.add(&Account { password: hash("other"), ..account("Ann") }).unwrap();
    first.catch_up();
    let overtaken =
        |outcome: Result<(), DirectoryError>| matches!(outcome, Err(DirectoryError::Overtaken));
    assert!(overtaken(here.change_password(&name("ann"), &hash("new")).map(drop)));
    assert!(overtaken(here.add_token(&name("ann"), TokenHash([1; 32]), 100)));
    assert!(overtaken(here.set_level(&name("ann"), Level::ADMIN).map(drop)));
    assert!(overtaken(here.remove_tokens(&name("ann"))));
    assert!(overtaken(here.remove(&name("ann")).map(drop)));
    let now = here.account(&name("ann")).unwrap().unwrap();
    assert_eq!((now.password.clone(), now.level), (hash("other"), Level::USER));
    assert_ne!(now.account_key.id, looked_at.account_key.id);
    // Of two who change one password, the second is told.
    here.begin();
    there.begin();
    here.account(&name("ann")).unwrap();
    there.account(&name("ann")).unwrap();
    assert!(here.change_password(&name("ann"), &hash("mine")).unwrap());
    assert!(overtaken(there.change_password(&name("ann"), &hash("yours")).map(drop)));
    here.begin();
    here.add_token(&name("ann"), TokenHash([2; 32]), 100).unwrap();
    second.catch_up();
    assert_eq!(there.token_owner(TokenHash([2; 32]), 7).unwrap().unwrap().password, hash("mine"));
}

#[test]
fn every_node_is_told_whose_logins_have_ended_and_whose_go_on() {
    let [first, second] = nodes();
    let mut here = first.stores.directory().unwrap();
    let mut there = second.stores.directory().unwrap();
    here.add(&account("Ann")).unwrap();
    let ann = here.account(&name("ann")).unwrap().unwrap().account_key.id;
    let member = postcard::from_bytes(&[42]).unwrap();
    here.spare(Spared::Member(member));
    here.change_password(&name("ann"), &hash("new")).unwrap();
    here.remove_tokens(&name("ann")).unwrap();
    here.spare(Spared::Everybody);
    here.remove_tokens(&name("ann")).unwrap();
    here.set_level(&name("ann"), Level::ADMIN).unwrap();
    here.remove(&name("ann")).unwrap();
    second.catch_up();
    let ended = |epoch, spared| AccountChangeKind::LoginsEnded { epoch, spared };
    let kinds = [
        ended(1, Some(member)),
        ended(2, None),
        ended(3, None), // Another level; what was spared for everybody is not told.
        AccountChangeKind::Removed,
    ];
    let expected = kinds.map(|kind| AccountChange { account: ann, name: name("Ann"), kind });
    assert_eq!(there.changes().unwrap(), expected);
    assert_eq!(there.changes().unwrap(), []);
    assert_eq!(here.changes().unwrap(), [], "whoever has asked knows it");
}

#[test]
fn what_was_done_is_not_done_again() {
    let [node, other] = nodes();
    let mut directory = node.stores.directory().unwrap();
    directory.add(&account("ann")).unwrap();
    directory.change_password(&name("ann"), &hash("new")).unwrap();
    let mut moderation = node.stores.moderation().unwrap();
    moderation.note(&AuditEntry::new(7, "Mod", Act::Kick)).unwrap();
    drop((directory, moderation));
    let before = node.dump();
    let node = node.restarted();
    assert_eq!(node.dump(), before);
    assert_eq!(node.dump(), other.dump());
    let mut directory = node.stores.directory().unwrap();
    assert_eq!(directory.changes().unwrap(), [], "nobody is told again");
    assert!(directory.set_level(&name("ann"), Level::ADMIN).unwrap(), "it goes on");
    assert_eq!(node.dump(), other.dump());
}

fn ban(text: &str) -> NewSanction {
    NewSanction {
        kind: SanctionKind::Ban,
        subject: SanctionSubject::Name(name(text)),
        about: text.into(),
        room: None,
        by: "Mod".into(),
        reason: "spam".into(),
        since: 100,
        until: None,
    }
}

/// An act as the chat has it when it has come round in this place.
fn done(moderation: &mut dyn ModerationStore, act: Act, done: ModerationAct) -> Moderation {
    let written = moderation.written_when_done(&AuditEntry::new(100, "Mod", act));
    assert!(written.is_some());
    Moderation { by: "Mod".into(), level: None, now: 100, silent: false, written, act: done }
}

#[test]
fn acts_of_the_chat_are_stored_when_they_are_done_under_numbers_of_the_order() {
    let [first, second] = nodes();
    let mut here = first.stores.moderation().unwrap();
    let imposed = vec![ban("eve").with_id(SanctionId(70)), ban("mallory").with_id(SanctionId(71))];
    let impose = done(&mut here, Act::Ban, ModerationAct::Impose(imposed.clone()));
    let lift = done(&mut here, Act::Unban, ModerationAct::Lift(vec![SanctionId(70)]));
    let apply = |node: &Node, number, act: &Moderation, accepted| {
        let proposal = Proposal::Moderate(Box::new(act.clone()));
        block_on(node.stores.apply(number, &proposal, accepted)).unwrap();
    };
    for node in [&first, &second] {
        apply(node, 2_000, &impose, false);
        assert_eq!(node.stores.moderation().unwrap().sanctions(100).unwrap(), [], "it was refused");
        apply(node, 2_001, &impose, true);
        apply(node, 2_001, &impose, true);
        assert_eq!(node.stores.moderation().unwrap().sanctions(100).unwrap(), imposed);
        apply(node, 2_002, &lift, true);
        let mut stored = node.stores.moderation().unwrap();
        assert_eq!(stored.sanctions(100).unwrap(), imposed[1..]);
        let acts = stored.audit(&AuditFilter::default()).unwrap();
        let acts: Vec<_> = acts.into_iter().map(|entry| entry.act).collect();
        assert_eq!(acts, [Act::Unban, Act::Ban]);
        assert_eq!(block_on(node.stores.applied()).unwrap(), 2_002);
    }
    assert_eq!(first.dump(), second.dump());
}

#[test]
fn a_node_that_begins_with_a_dump_goes_on_like_the_others() {
    let log = Arc::new(Log::default());
    let old = Node::new(&log);
    let mut accounts = old.stores.directory().unwrap();
    for text in ["ann", "bob", "jörg"] {
        accounts.add(&account(text)).unwrap();
    }
    accounts.add_token(&name("ann"), TokenHash([7; 32]), 100).unwrap();
    accounts.block(&name("ann"), &name("eve")).unwrap();
    accounts.set_prefix("!").unwrap();
    accounts.set_disabled("nick", true).unwrap();
    accounts.set_admin_password(Some(&hash("x"))).unwrap();
    accounts.remove(&name("jörg")).unwrap();
    let mut moderation = old.stores.moderation().unwrap();
    moderation.impose(&AuditEntry::new(100, "Mod", Act::Ban), &[ban("eve")]).unwrap();
    let lifted = moderation.impose(&AuditEntry::new(100, "Mod", Act::Ban), &[ban("bob")]).unwrap();
    moderation.lift(&AuditEntry::new(100, "Mod", Act::Unban), &lifted).unwrap();
    let dump = old.dump();
    let new = Node::from_dump(&log, dump.clone(), log.len());
    assert_eq!(new.dump(), dump);
    assert_eq!(new.digest(), old.digest());
    // Numbers that were used once are used for nothing else, though nothing has them any more.
    let mut here = new.stores.directory().unwrap();
    here.add(&account("dan")).unwrap();
    let mut moderating = new.stores.moderation().unwrap();
    let next = moderating.impose(&AuditEntry::new(101, "Mod", Act::Ban), &[ban("x")]).unwrap();
    assert!(next > lifted);
    assert_eq!(new.dump(), old.dump());
    assert!(here.token_owner(TokenHash([7; 32]), 7).unwrap().is_some());
    assert_eq!(moderating.reports(ReportFilter::default()).unwrap(), []);
    // Nothing of what was there before is left.
    block_on(new.stores.restore(dump.clone())).unwrap();
    assert_eq!(here.account(&name("dan")).unwrap(), None);
    block_on(new.stores.restore(bytes::Bytes::new())).unwrap();
    assert_eq!(here.list(9).unwrap(), []);
    assert_eq!(block_on(new.stores.applied()).unwrap(), 0);
    // What can't be read changes nothing.
    block_on(new.stores.restore(dump.clone())).unwrap();
    for broken in [dump.slice(1..), dump.slice(..dump.len() - 1), bytes::Bytes::from_static(b"x")] {
        assert!(block_on(new.stores.restore(broken)).is_err());
        assert_eq!(here.list(9).unwrap().len(), 2);
    }
}

/// Whoever reads all of it is not waited for, and has it as it was when it asked.
#[test]
fn what_is_read_is_of_the_moment_in_which_it_was_asked_for() {
    let [node] = nodes();
    let mut accounts = node.stores.directory().unwrap();
    accounts.add(&account("ann")).unwrap();
    accounts.add(&account("bob")).unwrap();
    let (dump, digest) = (node.dump(), node.digest());
    let id = |name| accounts_id(&node, name);
    let (ann, bob) = (id("ann"), id("bob"));
    let (dumping, digesting) = (node.stores.dump(), node.stores.digest());
    let looking = node.stores.gone(vec![ann, bob, 99]);
    accounts.remove(&name("ann")).unwrap();
    assert_ne!(node.digest(), digest);
    assert_eq!(block_on(dumping).unwrap(), dump);
    assert_eq!(block_on(digesting).unwrap(), digest);
    assert_eq!(block_on(looking).unwrap(), [99]);
    assert_eq!(block_on(node.stores.gone(vec![ann, bob, 99])).unwrap(), [ann, 99]);
}

fn accounts_id(node: &Node, text: &str) -> i64 {
    let mut accounts = node.stores.directory().unwrap();
    accounts.account(&name(text)).unwrap().unwrap().account_key.id
}

#[test]
fn a_command_that_is_not_understood_stops_a_node_and_changes_nothing() {
    let [node] = nodes();
    let asked = Asked { nonce: (1, 2), command: Command::SetPrefix("!".to_owned()) };
    let good = written(&asked).unwrap();
    let newer: Vec<u8> = [&[2], &good.0[1..]].concat();
    let longer: Vec<u8> = [&good.0[..], b"x"].concat();
    for bytes in [newer, longer, good.0[..good.0.len() - 1].to_vec(), vec![], vec![1, 255, 255]] {
        let proposal = Proposal::Store(StoreCommand(bytes.into()));
        let outcome = block_on(node.stores.apply(5_000, &proposal, true));
        assert!(matches!(outcome, Err(StoreError::NotUnderstood)), "{outcome:?}");
        assert_eq!(block_on(node.stores.applied()).unwrap(), 0);
    }
    block_on(node.stores.apply(5_000, &Proposal::Store(good), true)).unwrap();
    assert_eq!(block_on(node.stores.applied()).unwrap(), 5_000);
}

#[test]
fn hashes_are_shown_nowhere() {
    let add =
        Command::SetAdminPassword(Some(crate::store::shared::command::Hash::of(&hash("s3cret"))));
    let asked = Asked { nonce: (1, 2), command: add };
    assert!(!format!("{asked:?}").contains("s3cret"));
    let proposal = Proposal::Store(written(&asked).unwrap());
    assert!(!format!("{proposal:?}").contains("s3cret"));
    assert_eq!(read::<Asked>(&written(&asked).unwrap()), Ok(asked));
}

proptest! {
    #[test]
    fn no_bytes_make_reading_fail_badly(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = bytes;
        if let Some(first) = bytes.first_mut() {
            *first = 1;
        }
        let command = StoreCommand(bytes.into());
        if let Ok(asked) = read::<Asked>(&command) {
            let again = written(&asked).unwrap();
            prop_assert_eq!(read::<Asked>(&again), Ok(asked));
        }
    }
}

#[test]
fn who_was_here_is_what_each_node_has_seen_itself() {
    let [first, second] = nodes();
    let mut here = first.stores.directory().unwrap();
    here.add(&account("ann")).unwrap();
    let id = here.account(&name("ann")).unwrap().unwrap().account_key.id;
    let seen = crate::accounts::Seen { name: name("ann"), account: Some(id), at: 9, is_new: true };
    here.note_seen(&[seen], 9).unwrap();
    assert!(here.hide_last_seen(id, true).unwrap());
    second.catch_up();
    let mut there = second.stores.directory().unwrap();
    assert_eq!((here.last_seen(id).unwrap(), there.last_seen(id).unwrap()), (Some(9), None));
    assert!(there.ever_seen(None, 9, 9).unwrap()[0].hides);
}

#[test]
fn a_database_that_somebody_else_holds_may_be_had_later_and_one_that_refuses_may_not() {
    let [node] = nodes();
    let asked = Asked { nonce: (1, 2), command: Command::SetPrefix("!".to_owned()) };
    let proposal = Proposal::Store(written(&asked).unwrap());
    let apply = || block_on(node.stores.apply(5_000, &proposal, true));
    let beside = rusqlite::Connection::open(node.folder().join("chatterbox.db")).unwrap();
    beside.execute_batch("BEGIN IMMEDIATE").unwrap();
    let held = apply().unwrap_err();
    assert!(matches!(held, StoreError::Busy(_)) && held.may_pass(), "{held:?}");
    beside.execute_batch("ROLLBACK").unwrap();
    let refuses =
        "CREATE TRIGGER refuses BEFORE INSERT ON settings BEGIN SELECT RAISE(ABORT, 'no'); END";
    beside.execute_batch(refuses).unwrap();
    let refused = apply().unwrap_err();
    assert!(matches!(refused, StoreError::Failed(_)) && !refused.may_pass(), "{refused:?}");
    beside.execute_batch("DROP TRIGGER refuses").unwrap();
    apply().unwrap();
    assert_eq!(block_on(node.stores.applied()).unwrap(), 5_000);
}
