//! Private messages for who has an account and is not here (AN-7).

use super::*;
use crate::{AccountKey, BlockLists, Identity, Level, LoggedIn, Proposal, Reserved, Say};
use crate::{WAITING_MAIL, WAITING_MAIL_OF_ONE};

fn account(id: i64, text: &str) -> LoggedIn {
    LoggedIn { account: name(text), account_key: AccountKey { id, epoch: 0 } }
}

/// Somebody who is logged in with an account, under this name.
fn come(hub: &mut Hub, login: &LoggedIn, nick: &str, blocks: &[&str]) -> MemberId {
    let identity = Identity {
        login: Some(login.clone()),
        level: Level::USER,
        agreed: Some([chatterbox_proto::Capability::Ids].into_iter().collect()),
        ..Identity::guest(name(nick))
    };
    let lists = BlockLists::new(blocks.iter().map(|text| name(text)).collect(), []);
    let request = JoinRequest {
        identity,
        lists,
        extra: br#""CAPABILITIES": """#,
        ..JoinRequest::base(&name(nick), "")
    };
    hub.admit(request).unwrap().id
}

/// Says something to an account, and gives the place back.
fn leave_for(hub: &mut Hub, by: MemberId, to: &LoggedIn, since: i64, at: i64) -> Result<(), Code> {
    let reserved = hub.reserve_waiting(by, to, since, 5)?;
    let id = hub.newest() + 1;
    let source = hub.name_of(by).unwrap().clone();
    let mut record =
        [Record { arrived: at, ..record(source.as_str(), Some(to.account.as_str()), "x") }];
    record[0].filing.to = Some(crate::Party::Account(to.account_key.id));
    hub.file_from(by, &mut record);
    let [record] = record;
    let say = Say { member: by, number: id, tag: None, record };
    assert!(hub.step(Default::default(), Proposal::Say(say), None).outcome.is_ok());
    match reserved {
        Reserved::Here(member) => hub.release(member, 5),
        Reserved::Waits(sender) => hub.release_waiting(sender, to.account_key.id),
    }
    Ok(())
}

#[test]
fn it_is_told_at_the_next_join_and_at_once_to_who_has_another_name() {
    let mut hub = hub();
    let (bob, ann) = (account(7, "bob"), account(8, "ann"));
    let by = come(&mut hub, &ann, "ann", &[]);
    leave_for(&mut hub, by, &bob, 0, 100).unwrap();
    let request = JoinRequest {
        identity: Identity {
            login: Some(bob.clone()),
            level: Level::USER,
            ..Identity::guest(name("bobby"))
        },
        ..JoinRequest::base(&name("bobby"), "")
    };
    let reply = hub.admit(request).unwrap();
    let welcome = String::from_utf8(reply.welcome.assemble().unwrap().concat()).unwrap();
    assert!(welcome.contains(r#"["ann", "bob", 1, "x"]"#), "{welcome}");
    leave_for(&mut hub, by, &bob, 0, 101).unwrap();
    assert_eq!(take_all(&mut hub, reply.id), ["x"]);
    // Somebody who registers the name anew gets nothing of it.
    let _ = hub.leave(reply.id);
    let other = come(&mut hub, &account(9, "bob"), "bob", &[]);
    leave_for(&mut hub, by, &bob, 0, 102).unwrap();
    assert_eq!(take_all(&mut hub, other), [""; 0]);
}

#[test]
fn it_waits_for_who_has_no_connection_any_more_and_has_not_left_yet() {
    let mut hub = hub();
    let (bob, ann) = (account(7, "bob"), account(8, "ann"));
    let by = come(&mut hub, &ann, "ann", &[]);
    let gone = come(&mut hub, &bob, "bob", &[]);
    assert!(hub.is_reachable(&name("bob")) && !hub.is_reachable(&name("zoe")));
    hub.disconnect(gone);
    assert!(hub.who(&name("bob")).is_some() && !hub.is_reachable(&name("bob")));
    assert_eq!(hub.reserve(by, &name("bob"), 5).unwrap_err(), Code::NoSuchUser);
    assert_eq!(hub.reserve_waiting(by, &bob, 0, 5), Ok(Reserved::Waits(8)));
    hub.release_waiting(8, 7);
    // Under another name somebody reads who has the account.
    let here = come(&mut hub, &bob, "bobby", &[]);
    assert_eq!(hub.reserve_waiting(by, &bob, 0, 5), Ok(Reserved::Here(here)));
    hub.release(here, 5);
    hub.disconnect(here);
    leave_for(&mut hub, by, &bob, 0, 100).unwrap();
    let _ = hub.leave(gone);
    let request = JoinRequest {
        identity: Identity { login: Some(bob), level: Level::USER, ..Identity::guest(name("bob")) },
        ..JoinRequest::base(&name("bob"), "")
    };
    let welcome = hub.admit(request).unwrap().welcome.assemble().unwrap().concat();
    let welcome = String::from_utf8_lossy(&welcome);
    assert!(welcome.contains(r#"["ann", "bob", 1, "x"]"#), "{welcome}");
}

#[test]
fn guests_and_blocked_users_leave_nothing() {
    let mut hub = hub();
    let (bob, ann) = (account(7, "bob"), account(8, "ann"));
    let guest = hub.join(&name("guest"), "").unwrap().id;
    assert_eq!(hub.reserve_waiting(guest, &bob, 0, 1), Err(Code::NoSuchUser));
    let by = come(&mut hub, &ann, "ann", &["bob"]);
    assert_eq!(hub.reserve_waiting(by, &bob, 0, 1), Err(Code::Blocked));
    let lists = BlockLists::new(vec![], [(7, name("bob"))]);
    let request = JoinRequest {
        identity: Identity {
            login: Some(account(9, "cyd")),
            level: Level::USER,
            ..Identity::guest(name("cyd"))
        },
        lists,
        ..JoinRequest::base(&name("cyd"), "")
    };
    let cyd = hub.admit(request).unwrap().id;
    assert_eq!(hub.reserve_waiting(cyd, &bob, 0, 1), Err(Code::Blocked), "bob blocks cyd");
}

#[test]
fn two_hundred_wait_and_a_tenth_of_them_are_of_one_sender() {
    let mut hub = hub();
    let bob = account(7, "bob");
    let senders: Vec<_> = (0..11)
        .map(|number| {
            let text = format!("u{number}");
            come(&mut hub, &account(100 + number, &text), &text, &[])
        })
        .collect();
    for by in &senders[..10] {
        for _ in 0..WAITING_MAIL_OF_ONE {
            leave_for(&mut hub, *by, &bob, 50, 100).unwrap();
        }
        assert_eq!(leave_for(&mut hub, *by, &bob, 50, 100), Err(Code::MailboxFull));
    }
    assert_eq!(leave_for(&mut hub, senders[10], &bob, 50, 100), Err(Code::MailboxFull), "others");
    assert_eq!(leave_for(&mut hub, senders[10], &account(6, "zoe"), 50, 100), Ok(()));
    // Once bob was here, nothing waits; what was told him stays in his history. It is known by the time after a restart, and
    // by the numbers from then on.
    for _ in 0..WAITING_MAIL_OF_ONE {
        leave_for(&mut hub, senders[0], &bob, 101, 200).unwrap();
    }
    assert_eq!(leave_for(&mut hub, senders[0], &bob, 101, 200), Err(Code::MailboxFull));
    let member = come(&mut hub, &bob, "bobby", &[]);
    let _ = hub.leave(member);
    for _ in 0..WAITING_MAIL_OF_ONE {
        leave_for(&mut hub, senders[0], &bob, 200, 200).unwrap();
    }
    assert_eq!(leave_for(&mut hub, senders[0], &bob, 200, 200), Err(Code::MailboxFull));
    assert_eq!(WAITING_MAIL, 10 * WAITING_MAIL_OF_ONE);
}

#[test]
fn what_is_being_stored_counts_until_it_is_given_back() {
    let mut hub = hub();
    let bob = account(7, "bob");
    let by = come(&mut hub, &account(8, "ann"), "ann", &[]);
    for _ in 0..WAITING_MAIL_OF_ONE {
        assert_eq!(hub.reserve_waiting(by, &bob, 0, 1), Ok(Reserved::Waits(8)));
    }
    assert_eq!(hub.reserve_waiting(by, &bob, 0, 1), Err(Code::MailboxFull));
    hub.release_waiting(8, 7);
    assert_eq!(hub.reserve_waiting(by, &bob, 0, 1), Ok(Reserved::Waits(8)));
    for _ in 0..2 * WAITING_MAIL_OF_ONE {
        hub.release_waiting(8, 7);
    }
    assert_eq!(hub.reserve_waiting(by, &bob, 0, 1), Ok(Reserved::Waits(8)));
}
