use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn address(number: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, number).into()
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn five_are_free_then_the_wait_doubles_up_to_five_minutes() {
    let mut throttle = Throttle::default();
    for _ in 0..5 {
        let _failed = throttle.begin(at(0), "ann", address(1)).unwrap();
    }
    let mut now = at(0);
    for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        let TooMany(wait) = throttle.begin(now, "ann", address(1)).unwrap_err();
        assert_eq!(wait, at(expected));
        now += wait - SECOND / 2;
        assert_eq!(throttle.begin(now, "ann", address(1)), Err(TooMany(SECOND / 2)));
        now += SECOND / 2;
        let _failed = throttle.begin(now, "ann", address(1)).unwrap();
    }
    let _free_again = throttle.begin(now + at(15 * 60), "ann", address(1)).unwrap();
}

/// Guessing at three nodes at once gains hardly anything: together they let through what one does.
#[test]
fn nodes_share_what_is_free() {
    let free = |nodes: u32| {
        let throttles = (0..nodes.max(1)).map(|_| {
            let mut throttle = Throttle::default();
            throttle.share_among(nodes);
            throttle
        });
        let one_name = throttles.clone().map(|mut throttle| {
            (0..200).filter(|_| throttle.begin(at(0), "ann", address(1)).is_ok()).count()
        });
        let one_address = throttles.clone().map(|mut throttle| {
            let begin = |n: u32| throttle.begin(at(0), &n.to_string(), address(1)).is_ok();
            (0..200).map(begin).filter(|free| *free).count()
        });
        let everywhere = throttles.map(|mut throttle| {
            (0..200).filter(|n| throttle.begin(at(0), "ann", address(*n)).is_ok()).count()
        });
        (one_name.sum::<usize>(), one_address.sum::<usize>(), everywhere.sum::<usize>())
    };
    assert_eq!((free(0), free(1)), ((5, 50, 100), (5, 50, 100)));
    assert_eq!(free(3), (6, 48, 99), "two tries are free at each");
    assert_eq!(free(20), (40, 40, 100), "two tries are free at each");
}

#[test]
fn what_was_counted_counts_when_the_number_of_nodes_changes() {
    let mut throttle = Throttle::default();
    for _ in 0..4 {
        let _failed = throttle.begin(at(0), "ann", address(1)).unwrap();
    }
    throttle.share_among(3);
    assert_eq!(throttle.begin(at(0), "ann", address(1)), Err(TooMany(at(4))));
    throttle.share_among(1);
    let _free_again = throttle.begin(at(0), "ann", address(1)).unwrap();
}

#[test]
fn others_are_not_held_up() {
    let mut throttle = Throttle::default();
    for _ in 0..5 {
        let _failed = throttle.begin(at(0), "ann", address(1)).unwrap();
    }
    assert!(throttle.begin(at(0), "ann", address(1)).is_err());
    assert!(throttle.begin(at(0), "ann", address(2)).is_ok());
    assert!(throttle.begin(at(0), "bob", address(1)).is_ok());
    assert!(throttle.begin(at(0), "anna", address(1)).is_ok());
}

#[test]
fn success_frees_the_name_for_this_address_only() {
    let mut throttle = Throttle::default();
    for from in [1, 2] {
        for _ in 0..5 {
            let _failed = throttle.begin(at(0), "ann", address(from)).unwrap();
        }
    }
    let right = throttle.begin(at(1), "ann", address(1)).unwrap();
    throttle.succeeded(at(1), right);
    for _ in 0..5 {
        let _failed = throttle.begin(at(1), "ann", address(1)).unwrap();
    }
    assert!(throttle.begin(at(1), "ann", address(1)).is_err());
    let _sixth = throttle.begin(at(1), "ann", address(2)).unwrap();
    assert_eq!(throttle.begin(at(1), "ann", address(2)), Err(TooMany(at(2))));
}

#[test]
fn many_names_from_one_address_are_slowed_down_and_own_successes_do_not_help() {
    let mut throttle = Throttle::default();
    let mut tries = 0;
    while throttle.begin(at(0), &format!("user{tries}"), address(1)).is_ok() {
        tries += 1;
        if let Ok(own) = throttle.begin(at(0), "mallory", address(1)) {
            throttle.succeeded(at(0), own);
        }
    }
    assert_eq!(tries, ADDRESS.free);
}

#[test]
fn many_addresses_do_not_keep_the_owner_out_of_where_they_were() {
    let mut throttle = Throttle::default();
    let own = throttle.begin(at(0), "ann", address(200)).unwrap();
    throttle.succeeded(at(0), own);
    for number in 0..NAME.free {
        let from = address(u8::try_from(number).unwrap());
        let _failed = throttle.begin(at(0), "ann", from).unwrap();
    }
    assert!(throttle.begin(at(0), "ann", address(150)).is_err(), "somewhere new");
    assert!(throttle.begin(at(0), "ann", address(200)).is_ok(), "where the owner was");
}

#[test]
fn what_was_given_up_does_not_count() {
    let mut throttle = Throttle::default();
    for _ in 0..100 {
        let this = throttle.begin(at(0), "ann", address(1)).unwrap();
        throttle.give_up(&this);
    }
    assert!(throttle.pairs.is_empty() && throttle.names.is_empty());
    assert!(throttle.addresses.is_empty());
}

proptest! {
    #[test]
    fn tables_are_bounded_and_waits_too(
        tries in prop::collection::vec((0_u16..400, 0_u64..2_000), 1..600),
    ) {
        let mut counter = Counter::new(NAME_FROM_ADDRESS, 100);
        let mut now = Duration::ZERO;
        for (key, pause) in tries {
            now += Duration::from_millis(pause);
            prop_assert!(counter.wait(now, &key) <= LONGEST);
            counter.count(now, &key);
            prop_assert!(counter.len() <= 100);
        }
    }

    #[test]
    fn more_failures_never_wait_less(failures in 0_u32..200) {
        let slope = NAME_FROM_ADDRESS;
        prop_assert!(slope.wait_after(failures) <= slope.wait_after(failures + 1));
        prop_assert_eq!(slope.wait_after(failures).is_zero(), failures < slope.free);
    }

    #[test]
    fn a_guesser_gets_few_tries_however_they_are_timed(
        pauses in prop::collection::vec(0_u64..20_000, 1..400),
    ) {
        let mut throttle = Throttle::default();
        let (mut now, mut tries) = (Duration::ZERO, 0_u64);
        for pause in pauses {
            now += Duration::from_millis(pause);
            tries += u64::from(throttle.begin(now, "ann", address(1)).is_ok());
        }
        // Free ones, one for each doubling, then one in five minutes; and as many again after each quarter of an hour.
        let rounds = now.as_secs() / FORGOTTEN.as_secs() + 1;
        prop_assert!(tries <= rounds * (5 + 10 + 3), "{} tries in {:?}", tries, now);
    }

    #[test]
    fn equals_a_plain_count(
        steps in prop::collection::vec((0_u8..3, 0_u8..3, 0_u64..4_000, any::<bool>()), 0..200),
    ) {
        let mut throttle = Throttle::default();
        let mut plain: HashMap<(u8, u8), (u32, Duration)> = HashMap::new();
        let mut now = Duration::ZERO;
        for (name, from, pause, right) in steps {
            now += Duration::from_millis(pause);
            let (failures, last) = plain.get(&(name, from)).copied().unwrap_or_default();
            let allowed = NAME_FROM_ADDRESS.wait_after(failures) <= now - last;
            match throttle.begin(now, &name.to_string(), address(from)) {
                Ok(this) if right => {
                    throttle.succeeded(now, this);
                    plain.remove(&(name, from));
                    prop_assert!(allowed);
                }
                Ok(_) => {
                    plain.insert((name, from), (failures + 1, now));
                    prop_assert!(allowed);
                }
                // The address may be the reason, which this model does not know.
                Err(TooMany(wait)) => prop_assert!(!allowed || wait <= ADDRESS.longest),
            }
        }
    }
}
