//! The shares against a plain list.

use proptest::prelude::*;

use super::*;

const KEEP: Keep = Keep { messages: 1000, bytes: 1 << 30 };

fn sender(number: i64, origin: i64) -> Sender {
    Sender { number, origin: Some(origin) }
}

#[test]
fn a_share_is_a_tenth_and_a_small_store_is_not_shared_out() {
    let mut shares = Shares::new(KEEP);
    for said in 0..100 {
        assert_eq!(shares.exceeded_by(7), None, "{said}");
        shares.add(sender(7, 1), Keep::one(3));
    }
    assert_eq!(shares.exceeded_by(7), None);
    shares.add(sender(7, 1), Keep::one(3));
    assert_eq!(shares.exceeded_by(7), Some(7));
    assert_eq!(shares.exceeded_by(8), None, "somebody else");
    shares.add(sender(0, 1), Keep { messages: 1 << 20, bytes: 1 << 40 });
    assert_eq!(shares.exceeded_by(0), None, "nobody knows whose it is");

    let mut small = Shares::new(Keep { messages: 10, bytes: 10 });
    small.add(sender(7, 1), Keep { messages: 64, bytes: 64 * 1024 });
    assert_eq!(small.exceeded_by(7), None);
    let mut long = Shares::new(KEEP);
    long.add(sender(7, 1), Keep::one(1 << 29));
    assert_eq!(long.exceeded_by(7), None, "one message may be larger");
}

#[test]
fn who_says_more_than_the_others_of_a_network_loses_first() {
    let mut shares = Shares::new(KEEP);
    for number in 1..=20 {
        shares.add(sender(number, 5), Keep { messages: 25, bytes: 25 });
    }
    assert_eq!(shares.exceeded_by(3), None);
    shares.add(sender(3, 5), Keep::one(1));
    assert_eq!(shares.exceeded_by(9), Some(3));
    // What an account says from elsewhere counts where it began.
    shares.add(sender(9, 6), Keep { messages: 3, bytes: 3 });
    assert_eq!(shares.exceeded_by(1), Some(9));
}

proptest! {
    #[test]
    fn equal_a_plain_list(
        steps in prop::collection::vec((-4_i64..5, 1_u64..100, any::<bool>()), 0..200),
    ) {
        let mut shares = Shares::new(KEEP);
        let mut plain: Vec<(i64, u64)> = Vec::new();
        for (number, bytes, add) in steps {
            if add {
                // Nobody changes networks here.
                let origin = number.rem_euclid(3);
                shares.add(sender(number, origin), Keep::one(bytes));
                plain.push((number, bytes));
            } else if let Some(at) = plain.iter().position(|(of, _)| *of == number) {
                let (_, bytes) = plain.remove(at);
                shares.remove(number, Keep::one(bytes));
            }
            for number in -4..5 {
                let of = plain.iter().filter(|(of, _)| *of == number && number != 0);
                let held = of.fold(Keep::NOTHING, |held, (_, bytes)| held.plus(Keep::one(*bytes)));
                prop_assert_eq!(shares.held_by(number), held);
            }
            for (origin, of) in &shares.origins {
                let known = plain.iter().filter(|(n, _)| *n != 0 && n.rem_euclid(3) == *origin);
                let held = known.fold(Keep::NOTHING, |held, (_, b)| held.plus(Keep::one(*b)));
                prop_assert_eq!(of.held, held);
            }
            prop_assert_eq!(shares.is_empty(), plain.iter().all(|(number, _)| *number == 0));
        }
    }
}
