//! Which snapshots are dropped, so that those that are kept reach as far back as the log.
//!
//! A node that comes back needs one that is not newer than what it has followed, and not older than the log, and reads everything
//! from there on. So the newest few are kept, the oldest with which the log can still be followed, and between them ever fewer: the
//! one goes that is missed least, which is the one that leaves the smallest gap for its age. Whoever was away for long reads some more
//! than what it has missed, and no more than a fixed part of that.
//!
//! Nothing here asks anybody. Whoever looks at the same places drops the same, so that two writers at once do no harm.

use crate::order::total_order::Place;

/// The snapshots that are kept at most: enough that the gaps of a log of a hundred thousand of them are a fifth of their age.
pub const MOST: usize = 64;

/// The newest ones, of which none is dropped while there is room: whoever was away for moments begins with one of them.
const NEWEST: usize = 4;

/// Those that are dropped at once, at most: each is asked of the engine.
const AT_ONCE: usize = 1024;

/// A snapshot that is kept, or is going to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its place.
    pub place: Place,
    /// The bytes that it takes.
    pub bytes: u64,
}

/// There is no room for a snapshot beside the one before it, without which nobody could begin until it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoom;

/// The places to drop of these, which rise, so that at most [`MOST`] stay, in so many bytes. The last is the one that is
/// going to be kept. The log can be followed from `first` on.
///
/// # Errors
/// [`NoRoom`]: the last one is too large.
pub fn to_drop(all: &[Kept], first: Place, room: u64) -> Result<Vec<Place>, NoRoom> {
    // What is behind an older one is not in the log any more, so nobody can begin with it.
    let is_of_use = |kept: &Kept| kept.place.saturating_add(1) >= first;
    let (mut kept, useless): (Vec<Kept>, Vec<Kept>) = all.iter().copied().partition(is_of_use);
    let mut dropped: Vec<_> = useless.iter().map(|kept| kept.place).collect();
    let mut bytes: u64 = kept.iter().fold(0, |sum, kept| sum.saturating_add(kept.bytes));
    while (kept.len() > MOST || bytes > room) && dropped.len() < AT_ONCE {
        // While it begins with place 1, whoever has nothing reads all of it.
        let begins = if first <= 1 { Some(0) } else { None };
        let next = least_missed(&kept, begins, NEWEST)
            .or_else(|| least_missed(&kept, begins, 2))
            // The newest that is whole, and the one that is to come.
            .or_else(|| (kept.len() > 2).then_some(0))
            .ok_or(NoRoom)?;
        let Kept { place, bytes: freed } = kept.remove(next);
        bytes = bytes.saturating_sub(freed);
        dropped.push(place);
    }
    dropped.sort_unstable();
    Ok(dropped)
}

/// Which of these is missed least, but for the newest few and the oldest: the one without which the gap is the smallest part of its age.
/// Where the log can be followed from before all of them, the oldest is one like others.
fn least_missed(kept: &[Kept], begins: Option<Place>, newest: usize) -> Option<usize> {
    let last = kept.last()?.place;
    let begins: Vec<_> = begins.iter().map(|place| Kept { place: *place, bytes: 0 }).collect();
    let all: Vec<_> = begins.iter().chain(kept).collect();
    let may_go = kept.len().saturating_sub(newest);
    let each = all.windows(3).enumerate().filter_map(|(index, three)| {
        let (older, newer) = (three.first()?.place, three.last()?.place);
        let gap = u128::from(newer.saturating_sub(older));
        let age = u128::from(last.saturating_sub(newer)).max(1);
        Some((index + 1 - begins.len(), gap, age))
    });
    let candidates = each.filter(|(index, ..)| *index < may_go);
    // As fractions: one gap by its age, and the other.
    let least = candidates.min_by(|(_, gap, age), (_, other_gap, other_age)| {
        (gap * other_age).cmp(&(other_gap * age))
    });
    least.map(|(index, ..)| index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVERY: Place = 10_000;

    fn kept(places: impl IntoIterator<Item = Place>) -> Vec<Kept> {
        places.into_iter().map(|place| Kept { place, bytes: 1 }).collect()
    }

    #[test]
    fn while_there_is_room_all_stay_that_are_of_use() {
        let all = kept((1..=MOST as Place).map(|number| number * EVERY));
        assert_eq!(to_drop(&all, 1, 1000), Ok(vec![]));
        // The log begins behind place 25,000 now: with the snapshot of 30,000 it can be followed.
        assert_eq!(to_drop(&all, 25_001, 1000), Ok(vec![10_000, 20_000]));
        assert_eq!(to_drop(&all, 30_001, 1000), Ok(vec![10_000, 20_000]), "just behind it");
        assert_eq!(to_drop(&all, 30_002, 1000), Ok(vec![10_000, 20_000, 30_000]));
        assert_eq!(to_drop(&[], 1, 0), Ok(vec![]));
    }

    #[test]
    fn the_one_goes_that_leaves_the_smallest_gap_for_its_age() {
        let more = kept((1..=MOST as Place + 1).map(|number| number * EVERY));
        // They are as far from each other, so the older one is missed less; and before the oldest is place 0.
        assert_eq!(to_drop(&more, 1, 1000), Ok(vec![EVERY]));
        assert_eq!(to_drop(&more, 2, 1000), Ok(vec![2 * EVERY]), "the oldest is needed");
        let mut wide = more;
        wide[0].place = 1;
        let gone = to_drop(&wide, 2, 1000).unwrap();
        assert_eq!(gone, [3 * EVERY], "behind the wide gap");
    }

    #[test]
    fn large_ones_are_fewer_and_one_that_has_no_room_is_not_kept() {
        let large = |count: u64| -> Vec<_> {
            (1..=count).map(|number| Kept { place: number * EVERY, bytes: 100 }).collect()
        };
        assert_eq!(to_drop(&large(6), 5, 600), Ok(vec![]));
        assert_eq!(to_drop(&large(6), 5, 599), Ok(vec![2 * EVERY]));
        assert_eq!(to_drop(&large(6), 5, 300), Ok(vec![20_000, 30_000, 40_000]));
        assert_eq!(to_drop(&large(6), 5, 299), Ok(vec![10_000, 20_000, 30_000, 40_000]));
        assert_eq!(to_drop(&large(6), 5, 199), Err(NoRoom), "nobody could begin meanwhile");
        assert_eq!(to_drop(&large(1), 5, 99), Err(NoRoom));
        let huge = [Kept { place: 1, bytes: u64::MAX }, Kept { place: 2, bytes: u64::MAX }];
        assert_eq!(to_drop(&huge, 1, u64::MAX - 1), Err(NoRoom));
    }

    proptest! {
        /// What is kept while a log grows, and loses its oldest end.
        #[test]
        fn whoever_was_away_finds_one_that_is_little_older(
            steps in prop::collection::vec((1..4_u64, 1..200_u64, prop::option::weighted(0.2, 0..50_u64)), 1..800),
            begins in prop_oneof![Just(0_u64), 1..1_000_000_000_u64],
            room in 2_000..100_000_u64,
        ) {
            let (mut all, mut first): (Vec<Kept>, _) = (Vec::new(), begins + 1);
            // A log that was moved in begins with one.
            all.extend((begins > 0).then_some(Kept { place: begins, bytes: 1 }));
            let mut last = begins;
            for (gap, bytes, loses) in steps {
                last += gap * EVERY;
                first = last.min(first + loses.unwrap_or(0) * EVERY / 10);
                let before: Vec<_> = all.clone();
                all.push(Kept { place: last, bytes });
                let gone = to_drop(&all, first, room).unwrap();
                all.retain(|kept| !gone.contains(&kept.place));
                prop_assert!(all.len() <= MOST);
                prop_assert!(all.iter().map(|kept| kept.bytes).sum::<u64>() <= room);
                prop_assert!(all.iter().all(|kept| kept.place + 1 >= first), "none without use");
                prop_assert_eq!(all.last().unwrap().place, last);
                // The oldest of use is still there, or place 0 is.
                let oldest = before.iter().find(|kept| kept.place + 1 >= first);
                prop_assert!(first == 1 || oldest.is_none_or(|oldest| all.contains(oldest)));
                // Two writers who see the same drop the same, and there is nothing left to drop.
                prop_assert_eq!(to_drop(&all, first, room), Ok(vec![]));
                let newest = all.len().saturating_sub(NEWEST);
                let is_there = |kept: &Kept| all.contains(kept);
                prop_assert!(before.iter().rev().take(NEWEST - 1).all(is_there) || newest == 0);
                if room > 64 * 200 {
                    let places = (first == 1).then_some(0).into_iter().chain(all.iter().map(|kept| kept.place));
                    let places: Vec<_> = places.collect();
                    for two in places.windows(2) {
                        let (gap, age) = (two[1] - two[0], last - two[1]);
                        prop_assert!(gap <= 6 * EVERY + age / 2, "{gap} at the age of {age}: {places:?}");
                    }
                }
            }
        }
    }
}
