//! Flood control by itself: what is admitted, what is owed, who is muted.

use proptest::prelude::*;

use super::*;

const LOBBY: FloodTo = FloodTo::Room(RoomNumber::LOBBY);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// How many of `tries` single messages are admitted.
fn admitted(flood: &mut Flood, now: Duration, sender: i64, to: FloodTo, tries: usize) -> usize {
    (0..tries).filter(|_| flood.admit(now, sender, to, 1).is_ok()).count()
}

#[test]
fn a_paste_is_few_tokens() {
    assert_eq!(cost(1, 20), 1);
    assert_eq!(cost(30, 1_200), 2, "thirty lines");
    assert_eq!(cost(600, 24_000), 38, "six hundred short ones go through");
    assert_eq!(cost(128, 0), 8, "what a client sends again");
    assert_eq!(cost(1, 4_096), 1);
    assert_eq!(cost(1, 4_097), 2);
    assert_eq!(cost(0, 0), 0);
}

#[test]
fn the_forty_first_is_refused_and_waiting_as_told_helps() {
    let mut flood = Flood::default();
    assert_eq!(admitted(&mut flood, seconds(9), 1, LOBBY, 100), 40);
    assert_eq!(flood.admit(seconds(9), 1, LOBBY, 1), Err(TooMuch::Sender(seconds(1))));
    assert_eq!(flood.admit(seconds(9), 1, LOBBY, 16), Err(TooMuch::Sender(seconds(16))));
    assert_eq!(flood.admit(seconds(9), 1, FloodTo::Private, 1), Ok(()), "another destination");
    assert_eq!(flood.admit(seconds(9), 2, LOBBY, 1), Ok(()), "somebody else");
    assert_eq!(flood.admit(seconds(10), 1, LOBBY, 1), Ok(()));
    assert_eq!(flood.admit(seconds(26), 1, LOBBY, 16), Ok(()));
    assert_eq!(flood.admit(seconds(26), 1, LOBBY, 1), Err(TooMuch::Sender(seconds(1))));
}

#[test]
fn what_costs_more_than_a_bucket_holds_goes_once_and_is_owed() {
    let mut flood = Flood::default();
    let frame = cost(1, 4 * 1024 * 1024);
    assert_eq!(frame, 1_024);
    assert_eq!(flood.admit(seconds(0), 1, LOBBY, frame), Ok(()));
    assert_eq!(flood.admit(seconds(0), 1, LOBBY, 1), Err(TooMuch::Sender(seconds(985))));
    assert_eq!(flood.admit(seconds(1_000), 1, LOBBY, frame), Err(TooMuch::Sender(seconds(24))));
    assert_eq!(flood.admit(seconds(1_024), 1, LOBBY, frame), Ok(()), "when it is full again");
    // The room does not owe anything: others wait for a token, and not for a minute.
    assert_eq!(
        flood.admit(seconds(1_024), 2, LOBBY, 1),
        Err(TooMuch::Room(Duration::from_millis(25)))
    );
}

#[test]
fn a_class_says_hello_and_a_crowd_is_held_up() {
    let mut flood = Flood::default();
    for student in 0..200 {
        assert_eq!(flood.admit(seconds(0), student, LOBBY, 1), Ok(()), "hello");
        assert_eq!(flood.admit(seconds(0), student, LOBBY, 2), Ok(()), "thirty lines");
    }
    let mut everybody = (0..1_000).map(|sender| flood.admit(seconds(0), sender, LOBBY, 1));
    assert!(everybody.all(|said| said == Err(TooMuch::Room(seconds(1) / 40))));
    let more = (0..1_000).filter(|sender| flood.admit(seconds(1), *sender, LOBBY, 1).is_ok());
    assert_eq!(more.count(), 40);
    // Who was refused because of the others keeps the tokens.
    assert_eq!(flood.wait(seconds(1), 999, LOBBY, 40), Duration::ZERO);
    let room = FloodTo::Room(RoomNumber(7));
    let heard = (0..1_000).filter(|sender| flood.admit(seconds(1), *sender, room, 2).is_ok());
    assert_eq!(heard.count(), 200, "another room");
}

#[test]
fn rank_in_a_room_is_no_way_around_ones_own_bucket() {
    let mut flood = Flood::default();
    let (room, own) = (FloodTo::Room(RoomNumber(7)), FloodTo::RoomOfStaff(RoomNumber(7)));
    for sender in 0..10 {
        assert_eq!(admitted(&mut flood, seconds(0), sender, room, 40), 40);
    }
    assert!(matches!(flood.admit(seconds(0), 10, room, 1), Err(TooMuch::Room(_))));
    assert_eq!(admitted(&mut flood, seconds(0), 11, own, 100), 40, "heard above a crowd");
    assert_eq!(flood.admit(seconds(0), 11, own, 1), Err(TooMuch::Sender(seconds(1))));
    assert_eq!(
        flood.admit(seconds(9), 11, room, 10),
        Err(TooMuch::Sender(seconds(1))),
        "one bucket"
    );
}

#[test]
fn what_was_refused_for_another_reason_costs_nothing() {
    let mut flood = Flood::default();
    flood.admit(seconds(0), 1, LOBBY, 40).unwrap();
    flood.give_back(1, LOBBY, 40, 38);
    assert_eq!(admitted(&mut flood, seconds(0), 1, LOBBY, 9), 2);
    flood.admit(seconds(0), 2, LOBBY, 1_000).unwrap_err();
    flood.admit(seconds(60), 2, LOBBY, 1_000).unwrap();
    flood.give_back(2, LOBBY, 1_000, 0);
    assert_eq!(flood.admit(seconds(60), 2, LOBBY, 40), Ok(()));
    assert_eq!(flood.rooms.wait_for(seconds(60), &RoomNumber::LOBBY, 360), Duration::ZERO);
}

#[test]
fn twenty_new_recipients_and_then_one_in_three_seconds() {
    let mut flood = Flood::default();
    let new = (0..100).filter(|to| flood.write_to(seconds(0), 1, *to).is_ok()).count();
    assert_eq!(new, 20);
    assert_eq!(flood.write_to(seconds(0), 1, 7), Ok(()), "somebody whom one writes to");
    assert_eq!(flood.write_to(seconds(1), 1, 70), Err(seconds(2)));
    assert_eq!(flood.write_to(seconds(3), 1, 70), Ok(()));
    assert_eq!(flood.write_to(seconds(3), 2, 70), Ok(()));
    for to in 0..1_000 {
        let _ = flood.write_to(seconds(10 * to), 1, to);
    }
    assert!(flood.senders[&1].recipients.len() <= KNOWN_RECIPIENTS);
}

#[test]
fn twenty_refusals_in_a_minute_mute_longer_each_time() {
    let mut flood = Flood::default();
    let mute = |flood: &mut Flood, now| (0..20).filter_map(|_| flood.refused(now, 1)).next();
    for refusal in 0..100 {
        assert_eq!(flood.refused(seconds(4 * refusal), 1), None, "fifteen in a minute");
    }
    let mut now = seconds(1_000);
    for length in [60, 120, 240, 480, 900, 900] {
        assert_eq!(flood.muted(now, 1), None);
        assert_eq!(mute(&mut flood, now), Some(seconds(length)));
        assert_eq!(flood.muted(now, 1), Some(seconds(length)));
        assert_eq!(flood.muted(now, 2), None);
        now += seconds(length);
    }
    assert_eq!(mute(&mut flood, now + seconds(3_599)), Some(seconds(900)));
    now += seconds(3_599 + 900 + 3_600);
    assert_eq!(mute(&mut flood, now), Some(seconds(60)), "forgotten after an hour");
}

#[test]
fn who_is_pardoned_may_write_as_far_as_the_bucket_goes() {
    let mut flood = Flood::default();
    admitted(&mut flood, seconds(0), 1, LOBBY, 40);
    for _ in 0..39 {
        flood.refused(seconds(0), 1);
    }
    assert!(flood.pardon(seconds(9), 1));
    assert!(!flood.pardon(seconds(9), 1) && !flood.pardon(seconds(9), 2));
    assert_eq!(flood.muted(seconds(9), 1), None);
    assert_eq!(admitted(&mut flood, seconds(9), 1, LOBBY, 40), 9);
    assert_eq!(flood.refused(seconds(9), 1), None, "it is counted from the beginning");
}

#[test]
fn a_new_name_is_no_new_bucket() {
    let mut flood = Flood::default();
    admitted(&mut flood, seconds(0), -1, LOBBY, 40);
    for _ in 0..20 {
        flood.refused(seconds(0), -1);
    }
    flood.rename(seconds(0), -1, -2);
    flood.rename(seconds(0), -9, -2);
    flood.rename(seconds(0), -2, -2);
    assert_eq!(flood.muted(seconds(0), -2), Some(seconds(60)));
    assert_eq!(admitted(&mut flood, seconds(0), -2, LOBBY, 40), 0);
    // Whoever owes more already goes on doing so.
    flood.admit(seconds(50), 3, LOBBY, 1_000).unwrap();
    flood.rename(seconds(50), -2, 3);
    assert_eq!(flood.wait(seconds(50), 3, LOBBY, 1), seconds(961));
    assert_eq!(flood.muted(seconds(50), 3), Some(seconds(10)));
}

#[test]
fn a_mute_is_not_left_at_the_names_that_somebody_had() {
    let mut flood = Flood::default();
    admitted(&mut flood, seconds(0), -1, LOBBY, 40);
    for _ in 0..20 {
        flood.refused(seconds(0), -1);
    }
    for name in 1..9 {
        flood.rename(seconds(0), -name, -name - 1);
    }
    // Whoever takes one of the names is somebody else, who has neither been muted nor said anything.
    for name in 1..9 {
        assert_eq!(flood.muted(seconds(0), -name), None);
        assert_eq!(admitted(&mut flood, seconds(0), -name, LOBBY, 100), 40);
    }
    assert_eq!(flood.muted(seconds(0), -9), Some(seconds(60)));
}

#[test]
fn an_account_keeps_what_it_owes_and_gives_it_to_nobody() {
    let mut flood = Flood::default();
    for _ in 0..20 {
        flood.refused(seconds(0), 5);
    }
    for other in [-1, 6] {
        flood.rename(seconds(0), 5, other);
        assert_eq!(flood.muted(seconds(0), 5), Some(seconds(60)));
        assert_eq!(flood.muted(seconds(0), other), None);
    }
}

#[test]
fn senders_and_their_destinations_are_bounded_and_who_owes_most_is_remembered() {
    let mut flood = Flood::new(100);
    flood.admit(seconds(0), -1, LOBBY, 400).unwrap();
    for sender in 0..10_000 {
        let _ = flood.admit(seconds(0), sender, FloodTo::Private, 1);
        assert!(flood.senders.len() <= 100);
    }
    assert!(!flood.wait(seconds(0), -1, LOBBY, 1).is_zero());
    let mut flood = Flood::default();
    flood.admit(seconds(0), 1, LOBBY, 400).unwrap();
    for room in 1..10_000 {
        flood.admit(seconds(0), 1, FloodTo::Room(RoomNumber(room)), 1).unwrap();
        assert!(flood.senders[&1].full_at.len() <= DESTINATIONS);
    }
    assert!(!flood.wait(seconds(0), 1, LOBBY, 1).is_zero());
}

/// Three nodes that count for themselves take together what one takes.
#[test]
fn nodes_share_the_bucket_of_a_room() {
    let taken = |nodes: usize| {
        let mut flood = Flood::default();
        flood.share_among(nodes);
        let room = FloodTo::Room(RoomNumber(7));
        let says = |sender| flood.admit(Duration::ZERO, sender, room, 1).is_ok();
        (0..1000).map(says).filter(|taken| *taken).count()
    };
    assert_eq!(taken(1), 400);
    assert_eq!((taken(0), taken(2), taken(3)), (400, 200, 133));
}

proptest! {
    /// However it is tried, no more is admitted than the burst, what time has brought, and one frame that is owed.
    #[test]
    fn nobody_says_more_than_their_bucket(
        steps in prop::collection::vec((0_u64..20, 1_u32..80, any::<bool>()), 1..80),
    ) {
        let mut flood = Flood::default();
        let (mut now, mut spent) = (0, 0_u64);
        for (passed, tokens, refused_later) in steps {
            now += passed;
            let wait = flood.wait(seconds(now), 1, FloodTo::Private, tokens);
            let said = flood.admit(seconds(now), 1, FloodTo::Private, tokens);
            prop_assert_eq!(said.is_ok(), wait.is_zero());
            if said.is_ok() && refused_later {
                flood.give_back(1, FloodTo::Private, tokens, 0);
            } else if said.is_ok() {
                spent += u64::from(tokens);
            } else {
                let mut later = Flood::default();
                std::mem::swap(&mut later, &mut flood);
                let at = seconds(now) + wait;
                prop_assert_eq!(later.wait(at, 1, FloodTo::Private, tokens), Duration::ZERO);
                flood = later;
            }
            prop_assert!(spent <= 40 + now + 80);
        }
    }
}
