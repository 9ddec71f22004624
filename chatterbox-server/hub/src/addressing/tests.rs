//! Under whom messages are filed while their senders and recipients come, go, log in and change names.

use std::collections::HashSet;

use super::*;
use crate::encode::view::View;
use crate::filing::{Filing, Party};
use crate::identity::{AccountKey, LoggedIn};
use crate::membership::JoinRequest;
use crate::replica::proposal::Rename;
use crate::room::limits::{Keep, TimelineLimits};

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn join(hub: &mut Hub, text: &str, account: Option<i64>, address: &str) -> MemberId {
    let name = name(text);
    let login = account
        .map(|id| LoggedIn { account: name.clone(), account_key: AccountKey { id, epoch: 0 } });
    let address = Some(address.parse().unwrap());
    let identity = Identity { login, address, ..Identity::guest(name.clone()) };
    hub.admit(JoinRequest { identity, ..JoinRequest::base(&name, "hi") }).unwrap().id
}

fn to(text: &str, filed: Option<Party>) -> Record {
    let (source, destination) = (name("eve"), Destination::User(name(text)));
    let filing = Filing { to: filed, ..Filing::default() };
    Record { source, destination, json: "[1]".into(), arrived: 7, filing, meta: None }
}

/// In how many pieces the history of these is.
fn pieces(hub: &Hub, parties: &[Party]) -> usize {
    hub.history.cut(&parties.to_vec().into(), 0).write(&HashSet::new(), View::BASE).messages.len()
}

fn rename(hub: &mut Hub, id: MemberId, to: &str) {
    let rename = Rename { name: name(to), owns: false, blocked_by: vec![], now: 0 };
    let _ = hub.rename(id, rename).unwrap();
}

fn whose(hub: &Hub, id: MemberId) -> Sender {
    let mut records = [to("x", None)];
    hub.file_from(id, &mut records);
    records[0].filing.sender
}

#[test]
fn f3_a_sender_is_an_account_or_a_name_in_a_network() {
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let ann = join(&mut hub, "ann", Some(7), "192.0.2.1");
    let bob = join(&mut hub, "bob", None, "192.0.2.1");
    let cyd = join(&mut hub, "cyd", None, "2001:db8::1");
    let dan = join(&mut hub, "dan", None, "2001:db8::2");
    assert_eq!(whose(&hub, ann).number, 7);
    let [bobs, cyds, dans] = [bob, cyd, dan].map(|id| whose(&hub, id));
    assert!(bobs.number < 0 && cyds.number < 0 && cyds.number != dans.number);
    assert_eq!(whose(&hub, ann).origin, bobs.origin, "one address");
    assert_eq!(cyds.origin, dans.origin, "one network");
    assert_ne!(bobs.origin, cyds.origin);
    // Who comes back with the name is the same sender; the account is, with any name.
    let _ = hub.leave(bob);
    let again = join(&mut hub, "BOB", None, "192.0.2.1");
    assert_eq!(whose(&hub, again), bobs);
    rename(&mut hub, ann, "annie");
    assert_eq!(whose(&hub, ann).number, 7);
    // Who is gone when its message is filed has a share all the same.
    let _ = hub.leave(again);
    assert!(whose(&hub, again).number < 0);
}

#[test]
fn f11_a_message_is_filed_once_whoever_is_renamed_meanwhile() {
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let bob = join(&mut hub, "bob", None, "192.0.2.1");
    let ann = join(&mut hub, "ann", Some(7), "192.0.2.1");
    rename(&mut hub, bob, "rob");
    rename(&mut hub, ann, "annie");
    let guest = |text: &str| Some(Party::Guest(name(text)));
    let mut records = [to("bob", guest("bob")), to("ann", Some(Party::Account(7)))];
    records.iter_mut().for_each(|record| hub.replica.file_to(record));
    assert_eq!(records[0].filing.to, guest("rob"));
    assert_eq!(records[1].filing.to, Some(Party::Account(7)));
    // From here on the names do not matter: memory and store file it under what the record says.
    rename(&mut hub, bob, "bert");
    let [first, second] = records;
    let _ = hub.apply(1, first);
    let _ = hub.apply(2, second);
    let kept = |party: Option<Party>| pieces(&hub, &[party.unwrap()]);
    assert_eq!((kept(guest("rob")), kept(guest("bob")), kept(guest("bert"))), (1, 0, 0));
    assert_eq!(
        (kept(Some(Party::Account(7))), kept(guest("ann")), kept(guest("annie"))),
        (1, 0, 0)
    );
}

#[test]
fn f11_who_takes_the_name_meanwhile_is_not_told() {
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let ann = join(&mut hub, "ann", Some(7), "192.0.2.1");
    let _ = hub.leave(ann);
    let eve = join(&mut hub, "ann", Some(8), "192.0.2.1");
    let wake = hub.apply(1, to("ann", Some(Party::Account(7))));
    assert_eq!(wake, crate::Wake::Nobody);
    let parties = hub.identity(eve).unwrap().parties();
    assert_eq!(parties, [Party::Guest(name("ann")), Party::Account(8)]);
    assert_eq!(pieces(&hub, &parties), 0);
}

#[test]
fn keys_of_parties_are_read_back() {
    for party in [Party::Account(7), Party::Guest(name("7")), Party::Guest(name("J\u{f6}rg"))] {
        assert_eq!(Party::of_key(&party.key()), party);
    }
}
