//! The mailboxes against a plain list with the same rules.

use proptest::prelude::*;

use super::*;

fn kept(sender: i64, bytes: u64) -> Kept<()> {
    Kept { sender: Sender { number: sender, origin: None }, arrived: 7, bytes, message: () }
}

#[derive(Debug, Clone)]
struct Plain {
    id: Sequence,
    owner: u8,
    sender: i64,
    counted: u64,
}

fn held<'a>(of: impl Iterator<Item = &'a Plain>) -> Keep {
    of.fold(Keep::NOTHING, |held, one| held.plus(Keep::one(one.counted)))
}

/// The place of what goes next.
fn goes(list: &[Plain], keep: Keep, new: &Plain) -> Option<usize> {
    let of = |sender: i64| list.iter().filter(move |one| one.sender == sender);
    let share =
        Keep { messages: (keep.messages / 10).max(64), bytes: (keep.bytes / 10).max(65536) };
    let own = held(of(new.sender));
    if new.sender != 0 && share.is_exceeded_by(own) && own.messages > 1 {
        return list.iter().position(|one| one.sender == new.sender);
    }
    let of_box = |owner: u8| list.iter().filter(move |one| one.owner == owner);
    let full = keep.part(4).is_exceeded_by(held(of_box(new.owner)));
    let owner = if full {
        new.owner
    } else if keep.is_exceeded_by(held(list.iter())) {
        (0..4).max_by_key(|owner| (held(of_box(*owner)).bytes, *owner))?
    } else {
        return None;
    };
    let most = |sender: &i64| held(of_box(owner).filter(|one| one.sender == *sender)).bytes;
    let sender = (-1..4).filter(|s| most(s) > 0).max_by_key(|sender| (most(sender), *sender))?;
    list.iter().position(|one| one.owner == owner && one.sender == sender)
}

proptest! {
    #[test]
    fn equal_a_plain_list(
        steps in prop::collection::vec((0_u8..4, -1_i64..4, 0_u64..3000), 0..250),
        keep in (0_u64..150, 0_u64..200_000),
    ) {
        let keep = Keep { messages: keep.0, bytes: keep.1 };
        let mut mailboxes = Mailboxes::new(keep);
        let mut list: Vec<Plain> = Vec::new();
        for (id, (owner, sender, bytes)) in (1..).zip(steps) {
            let new = Plain { id, owner, sender, counted: bytes + OVERHEAD };
            list.push(new.clone());
            let mut expected = Vec::new();
            while let Some(place) = goes(&list, keep, &new) {
                expected.push(list.remove(place).id);
            }
            let gone = mailboxes.push(id, &owner.to_string(), kept(sender, bytes));
            let gone: Vec<_> = gone.into_iter().map(|(id, _)| id).collect();
            prop_assert_eq!(&gone, &expected);
            prop_assert_eq!(mailboxes.held(), held(list.iter()));
            prop_assert!(!keep.is_exceeded_by(mailboxes.held()));
            for owner in 0..4 {
                let of: Vec<_> = list.iter().filter(|o| o.owner == owner).map(|o| o.id).collect();
                let key = owner.to_string();
                prop_assert_eq!(mailboxes.after(&key, 0).map(|(id, _)| id).collect::<Vec<_>>(), of);
                prop_assert!(mailboxes.forgotten(&key) <= mailboxes.forgotten.max(id));
            }
        }
        for owner in 0..4 {
            mailboxes.seal(&owner.to_string());
        }
        prop_assert!(mailboxes.is_empty());
    }
}

#[test]
fn what_is_old_goes_and_only_that() {
    let mut mailboxes = Mailboxes::new(Keep { messages: 100, bytes: 100_000 });
    for id in 1..=10 {
        let kept = Kept { arrived: i64::try_from(id).unwrap(), ..kept(1, 5) };
        mailboxes.push(id, if id % 2 == 0 { "even" } else { "odd" }, kept);
    }
    while mailboxes.expire_one(6).is_some() {}
    let ids = |owner: &str| mailboxes.after(owner, 0).map(|(id, _)| id).collect::<Vec<_>>();
    assert_eq!((ids("odd"), ids("even")), (vec![7, 9], vec![6, 8, 10]));
    assert_eq!((mailboxes.forgotten("odd"), mailboxes.forgotten("even")), (5, 4));
    assert_eq!(mailboxes.forgotten("nobody"), 0);
}
