//! The memory that waits for members: what is counted is what is there, and who holds most goes first.

use core::net::IpAddr;

use super::*;
use crate::Identity;

fn from(address: &str, who: &str) -> JoinRequest<'static> {
    let address: IpAddr = address.parse().unwrap();
    let identity = Identity { address: Some(address), ..Identity::guest(name(who)) };
    JoinRequest { identity, ..JoinRequest::base(&name(who), "") }
}

/// A member that has taken everything that has happened so far.
fn up_to_date(hub: &mut Hub, address: &str, who: &str) -> MemberId {
    let id = hub.admit(from(address, who)).unwrap().id;
    take_all(hub, id);
    id
}

fn own(size: usize) -> Event {
    Event::error(&"x".repeat(size))
}

#[test]
fn who_holds_most_goes_first_and_is_told_why() {
    let mut hub = hub().with_budget(1_000_000);
    let light = up_to_date(&mut hub, "192.0.2.1", "light");
    let heavy = up_to_date(&mut hub, "192.0.2.2", "heavy");
    let _ = hub.tell(light, own(200_000));
    let _ = hub.tell(heavy, own(700_000));
    assert_eq!(hub.keep_within_budget(), []);
    let _ = hub.tell(light, own(200_000));
    assert_eq!(hub.keep_within_budget(), [heavy]);
    assert!(matches!(hub.take(heavy), Delivery::Removed(Removal::OverBudget)));
    assert!(hub.waiting() < 500_000, "{}", hub.waiting());
    take_all(&mut hub, light);
    assert_eq!(hub.waiting(), 0);
}

#[test]
fn many_connections_of_one_address_weigh_together() {
    let mut hub = hub().with_budget(1_000_000);
    let honest = up_to_date(&mut hub, "2001:db8:1::1", "honest");
    let _ = hub.tell(honest, own(100_000));
    let mut removed = Vec::new();
    for number in 0..100 {
        let address = format!("2001:db8:2::{number:x}");
        let id = up_to_date(&mut hub, &address, &format!("mal{number}"));
        let _ = hub.tell(id, own(20_000));
        removed.extend(hub.keep_within_budget());
        assert!(hub.waiting() <= 1_000_000);
    }
    assert!(!removed.is_empty() && !removed.contains(&honest), "{removed:?}");
    let error = Event::error("x");
    assert!(matches!(hub.tell(honest, error), Wake::One(_)), "still here");
}

#[test]
fn what_is_being_written_counts_until_the_next_is_asked_for() {
    let mut hub = hub();
    let bob = up_to_date(&mut hub, "192.0.2.1", "bob");
    let _ = hub.tell(bob, own(100_000));
    let Delivery::Frames { frames, more: false, .. } = hub.take(bob) else { panic!() };
    assert!(hub.waiting() >= 100_000, "it is on its way");
    drop(frames);
    assert!(matches!(hub.take(bob), Delivery::UpToDate));
    assert_eq!(hub.waiting(), 0);
    let _ = hub.tell(bob, own(100_000));
    let _ = hub.leave(bob);
    assert_eq!(hub.waiting(), 0);
}

#[test]
fn a_batch_that_only_slow_readers_hold_counts_once() {
    let mut hub = hub();
    let slow: Vec<_> =
        (0..10).map(|n| up_to_date(&mut hub, "192.0.2.1", &format!("slow{n}"))).collect();
    let fast = up_to_date(&mut hub, "192.0.2.2", "fast");
    for id in &slow {
        take_all(&mut hub, *id);
    }
    let _ = apply(&mut hub, &record("fast", None, &"x".repeat(50_000)));
    let held: Vec<_> = slow.iter().map(|id| hub.take(*id)).collect();
    take_all(&mut hub, fast);
    assert_eq!(hub.waiting(), 0, "it is shared with everybody who comes here");
    for number in 0..10 {
        let _ = apply(&mut hub, &record("fast", None, &number.to_string()));
        take_all(&mut hub, fast);
    }
    let waiting = hub.waiting();
    assert!((50_000..60_000).contains(&waiting), "once, not ten times: {waiting}");
    drop(held);
    hub.rooms.forget_written();
    assert_eq!(hub.waiting(), 0);
}

#[test]
fn a_welcome_that_pins_dropped_history_is_ended() {
    let keep = Keep { messages: 1000, bytes: 200_000 };
    let mut hub = Hub::new(TimelineLimits::default(), keep).with_budget(300_000);
    let text = "x".repeat(5_000);
    let fill = |hub: &mut Hub| {
        for _ in 0..60 {
            let _ = apply(hub, &record("ann", None, &text));
        }
    };
    fill(&mut hub);
    let mut welcomes = Vec::new();
    let mut ended = Vec::new();
    for number in 0..10 {
        let joined = hub.admit(from("192.0.2.1", &format!("slow{number}"))).unwrap();
        welcomes.push((joined.id, joined.welcome));
        fill(&mut hub);
        for id in hub.keep_within_budget() {
            ended.push(id);
            welcomes.retain(|(slow, _)| *slow != id);
            let _ = hub.leave(id);
        }
        hub.history.forget_unpinned();
        assert!(hub.waiting() <= 300_000, "{}", hub.waiting());
    }
    assert!(ended.len() >= 6 && ended.is_sorted(), "the slowest first: {ended:?}");
    drop(welcomes);
    hub.history.forget_unpinned();
    assert_eq!(hub.history.pinned(), 0);
}

#[test]
fn whoever_joins_pays_nothing_for_what_removed_members_still_hold() {
    let keep = Keep { messages: 1000, bytes: 200_000 };
    let mut hub = Hub::new(TimelineLimits::default(), keep).with_budget(150_000);
    let honest: Vec<_> = (0..5)
        .map(|n| up_to_date(&mut hub, &format!("192.0.2.{n}"), &format!("honest{n}")))
        .collect();
    let fill = |hub: &mut Hub, name: &str| {
        for _ in 0..60 {
            let _ = apply(hub, &record(name, None, &"x".repeat(5_000)));
        }
        for id in &honest {
            take_all(hub, *id);
        }
    };
    fill(&mut hub, "ann");
    let slow: Vec<_> =
        (0..2).map(|n| hub.admit(from("198.51.100.1", &format!("slow{n}"))).unwrap()).collect();
    fill(&mut hub, "ann");
    fill(&mut hub, "ann");
    let ids: Vec<_> = slow.iter().map(|slow| slow.id).collect();
    let mut removed = hub.keep_within_budget();
    removed.sort_unstable();
    assert!(!removed.is_empty() && removed.iter().all(|id| ids.contains(id)), "{removed:?}");
    // Their connections have not ended, so the memory is still there.
    for id in &honest {
        let _ = hub.tell(*id, own(50));
    }
    let fresh = hub.admit(from("203.0.113.1", "fresh")).unwrap();
    for _ in 0..3 {
        assert_eq!(hub.keep_within_budget(), []);
    }
    drop((slow, fresh));
    for id in removed {
        let _ = hub.leave(id);
    }
    hub.history.forget_unpinned();
    assert!(hub.waiting() <= 150_000);
}

#[test]
fn a_batch_that_a_class_shares_is_no_reason_to_end_the_class() {
    let mut hub = hub().with_budget(1_000_000);
    let class: Vec<_> =
        (0..100).map(|n| up_to_date(&mut hub, "192.0.2.1", &format!("pupil{n}"))).collect();
    let heavy: Vec<_> = (0..4)
        .map(|n| up_to_date(&mut hub, &format!("198.51.100.{n}"), &format!("heavy{n}")))
        .collect();
    for id in &class {
        take_all(&mut hub, *id);
    }
    let _ = apply(&mut hub, &record("x", None, &"x".repeat(200_000)));
    let held: Vec<_> = class.iter().map(|id| hub.take(*id)).collect();
    for id in &heavy {
        let _ = hub.tell(*id, own(240_000));
    }
    for id in &class {
        let _ = hub.tell(*id, own(500));
    }
    let removed = hub.keep_within_budget();
    assert!(!removed.is_empty() && removed.iter().all(|id| heavy.contains(id)), "{removed:?}");
    drop(held);
}

#[test]
fn the_networks_of_a_site_weigh_together() {
    let mut hub = hub().with_budget(1_000_000);
    let class: Vec<_> =
        (0..100).map(|n| up_to_date(&mut hub, "192.0.2.1", &format!("pupil{n}"))).collect();
    for id in &class {
        let _ = hub.tell(*id, own(300));
    }
    for number in 0..200 {
        let address = format!("2001:db8:0:{number:x}::1");
        let id = up_to_date(&mut hub, &address, &format!("mal{number}"));
        let _ = hub.tell(id, own(20_000));
        let removed = hub.keep_within_budget();
        assert!(removed.iter().all(|id| !class.contains(id)), "{removed:?}");
    }
    assert!(hub.waiting() <= 1_000_000);
}

#[test]
fn whoever_reads_stays_while_somebody_who_does_not_can_go() {
    let mut hub = hub().with_budget(1_000_000);
    let reads = up_to_date(&mut hub, "192.0.2.1", "reads");
    let stalled = up_to_date(&mut hub, "192.0.2.2", "stalled");
    let _ = hub.tell(reads, own(700_000));
    let _ = hub.tell(stalled, own(200_000));
    let _ = hub.evict_overtaken(MOVING);
    let _ = hub.evict_overtaken(2 * MOVING);
    let Delivery::Frames { .. } = hub.take(reads) else { panic!() };
    hub.progressed(reads, 9, 10);
    let waiting = hub.waiting();
    assert!((820_000..850_000).contains(&waiting), "a tenth of it is written: {waiting}");
    let _ = hub.tell(reads, own(200_000));
    assert_eq!(hub.keep_within_budget(), [stalled]);
    assert!(hub.waiting() <= 1_000_000);
}

#[test]
fn a_user_list_of_long_names_counts_for_each_who_is_told_it() {
    let mut hub = hub().with_budget(2_000_000);
    let long = |number: u32| {
        let last = char::from_u32(0x1f600 + number % 64).unwrap();
        let other = char::from_u32(0x1f600 + number / 64).unwrap();
        format!("{}{other}{last}", "\u{1f600}".repeat(30))
    };
    for number in 0..200 {
        let _ = hub.admit(from("192.0.2.1", &long(number))).unwrap();
        for removed in hub.keep_within_budget() {
            let _ = hub.leave(removed);
        }
        assert!(hub.waiting() <= 2_000_000);
    }
    assert!(hub.members() < 190, "{}", hub.members());
}

#[derive(Debug, Clone)]
enum Step {
    Join(usize),
    Leave(usize),
    Say(Option<usize>, usize),
    Tell(usize, usize),
    Reserve(usize, usize),
    Take(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = 0..5_usize;
    let step = prop_oneof![
        who.clone().prop_map(Step::Join),
        who.clone().prop_map(Step::Leave),
        (prop::option::of(who.clone()), 0..2000_usize).prop_map(|(to, size)| Step::Say(to, size)),
        (who.clone(), 0..200_000_usize).prop_map(|(who, size)| Step::Tell(who, size)),
        (who.clone(), 0..2000_usize).prop_map(|(who, size)| Step::Reserve(who, size)),
        who.prop_map(Step::Take),
    ];
    prop::collection::vec(step, 0..120)
}

proptest! {
    /// What is counted is the sum over those who are here, whatever has happened; and nobody is over the budget for long.
    #[test]
    fn the_sum_is_the_sum(steps in steps(), budget in 100_000_usize..1_000_000) {
        let mut hub = hub().with_budget(budget);
        let mut here: HashMap<usize, MemberId> = HashMap::new();
        let mut reserved: Vec<(MemberId, usize)> = Vec::new();
        for step in steps {
            match step {
                Step::Join(who) => {
                    let request = from("192.0.2.1", &format!("user{who}"));
                    if let Ok(joined) = hub.admit(request) {
                        here.insert(who, joined.id);
                    }
                }
                Step::Leave(who) => {
                    if let Some(id) = here.remove(&who) {
                        let _ = hub.leave(id);
                    }
                }
                Step::Say(to, size) => {
                    let to = to.map(|to| format!("user{to}"));
                    let _ = apply(&mut hub, &record("x", to.as_deref(), &"x".repeat(size)));
                }
                Step::Tell(who, size) => {
                    if let Some(id) = here.get(&who).filter(|id| hub.has_room(**id, size)) {
                        let _ = hub.tell(*id, own(size));
                    }
                }
                Step::Reserve(who, size) => {
                    let found = hub.reserve(MemberId(u64::MAX), &name(&format!("user{who}")), size);
                    reserved.extend(found.map(|(id, _)| (id, size)));
                    if reserved.len() > 5 {
                        let (id, size) = reserved.remove(0);
                        hub.release(id, size);
                    }
                }
                Step::Take(who) => {
                    if let Some(id) = here.get(&who) {
                        drop(hub.take(*id));
                    }
                }
            }
            for id in hub.keep_within_budget() {
                here.retain(|_, member| *member != id);
            }
            prop_assert!(hub.waiting() <= budget);
            let own: usize = hub.members.values().map(crate::member::Member::own_bytes).sum();
            prop_assert_eq!(hub.waiting(), own + hub.rooms.outstanding() + hub.history.pinned());
        }
        for (id, size) in reserved {
            hub.release(id, size);
        }
        for (_, id) in here {
            let _ = hub.leave(id);
        }
        hub.rooms.forget_written();
        hub.history.forget_unpinned();
        prop_assert_eq!(hub.waiting(), 0);
    }
}
