//! What every store has to do with messages of rooms: their numbers, their pages, and how much of them is kept.

use std::time::Duration;

use chatterbox_hub::{
    Conversation, Keep, Record, RoomDefinition, RoomKeep, RoomNumber, RoomRecord, Sequence,
};
use chatterbox_proto::Username;
use chatterbox_proto::capability::ids::Side;

use super::rooms::{defined, ids_of, keep_facts, page_of, room, said_in};
use super::{NUMBERINGS, ROOMY, check, numbered, read_all, said};
use crate::store::message_store::Store;
use crate::store::page::{Page, PageQuery};

pub async fn hold<S: Store>(fresh: &impl Fn(Keep) -> S) {
    for number in NUMBERINGS {
        numbers(fresh(ROOMY), number).await;
        pages(fresh(ROOMY), number).await;
        the_lobby_is_cleared(fresh(ROOMY), number).await;
    }
    what_may_be_read(fresh(ROOMY)).await;
    a_busy_room_pushes_out_nothing_of_others(fresh(Keep { messages: 10, ..ROOMY })).await;
    a_room_has_a_bound_of_its_own(fresh(ROOMY)).await;
}

async fn say(store: &dyn Store, number: u64, count: usize) {
    super::keep_next(store, &vec![said_in(number, "hi"); count]).await.unwrap();
}

/// How often is looked whether a store has removed what is too much. It is no time, since the machine may stand still.
const LOOKS: u32 = 30_000;

async fn look_again() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Waits until so many messages can be read of rooms.
async fn settles<const N: usize>(store: &dyn Store, expected: [(u64, usize); N]) {
    for _ in 0..LOOKS {
        let mut is_so = true;
        for (number, count) in expected {
            is_so &= ids_of(store, number).await.len() == count;
        }
        if is_so {
            return;
        }
        look_again().await;
    }
    for (number, count) in expected {
        let found = ids_of(store, number).await;
        assert_eq!(found.len(), count, "{number}: {found:?}");
    }
}

/// Messages and facts have one sequence of numbers, and a number is used once, whatever it was used for.
async fn numbers<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let at = |place, record| (number(place), record);
    let (all, off) = (defined(room(1, RoomKeep::All, 0)), defined(room(2, RoomKeep::Off, 0)));
    store.keep_rooms(number(0), &[all.clone(), off.clone()]).await.unwrap();
    store.keep(&[at(0, said("ann", None, "late")), at(1, said_in(1, "b"))]).await.unwrap();
    assert_eq!(read_all(&store).await, [], "its number was that of a room");
    // What nothing is kept of has a number all the same; so has what is said in a room that is not there.
    for (place, nobody_knows) in [(2, said_in(2, "c")), (3, said_in(77, "d"))] {
        store.keep(&[at(place, nobody_knows)]).await.unwrap();
        assert_eq!(store.newest().await.unwrap(), number(place));
    }
    let group = [at(4, said_in(2, "e")), at(5, said_in(1, "f")), at(6, said_in(2, "g"))];
    store.keep(&group).await.unwrap();
    assert_eq!(store.newest().await.unwrap(), number(6));
    for place in [0, 3, 6] {
        store.keep_rooms(number(place), &[RoomRecord::Deleted(RoomNumber(1))]).await.unwrap();
    }
    assert_eq!(store.rooms().await.unwrap(), [all, off], "they were kept before");
    store.keep_rooms(number(7), &[]).await.unwrap();
    assert_eq!(store.newest().await.unwrap(), number(7));
    store.keep(&[at(6, said_in(1, "h")), at(7, said_in(1, "i"))]).await.unwrap();
    let lobby = at(8, said("ann", None, "j"));
    store.keep(std::slice::from_ref(&lobby)).await.unwrap();
    assert_eq!(ids_of(&store, 1).await, [1, 5].map(number));
    for unknown in [2, 77, 0, u64::MAX] {
        assert_eq!(page_of(&store, unknown, 0, None).await, Page::default(), "{unknown}");
    }
    assert_eq!(read_all(&store).await, [lobby], "rooms are read by pages only");
    assert_eq!(store.newest_of_rooms().await.unwrap(), [(RoomNumber(1), number(5))]);
    // From now on it keeps what is said.
    keep_facts(&store, &[defined(room(2, RoomKeep::All, 0))]).await;
    say(&store, 2, 1).await;
    assert_eq!(ids_of(&store, 2).await, [number(8) + 2]);
    say(&store, 1, 1).await;
    let newest = [(RoomNumber(1), number(8) + 3), (RoomNumber(2), number(8) + 2)];
    let mut found = store.newest_of_rooms().await.unwrap();
    found.sort_unstable();
    assert_eq!(found, newest);
    keep_facts(&store, &[RoomRecord::Deleted(RoomNumber(1))]).await;
    assert_eq!(store.newest_of_rooms().await.unwrap(), newest[1..]);
}

/// A page of a room against a plain list: above a number, of the newest so many, in both directions.
async fn pages<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let rooms = [room(1, RoomKeep::All, 0), room(2, RoomKeep::All, 0)].map(defined);
    store.keep_rooms(number(0), &rooms).await.unwrap();
    let records = (0..60_u64).map(|place| match place % 4 {
        0 => said("ann", None, "lobby"),
        1 => said("ann", Some("bob"), "private"),
        2 => said_in(2, &place.to_string()),
        _ => said_in(1, &place.to_string()),
    });
    let records: Vec<_> = (1..).map(number).zip(records).collect();
    store.keep(&records).await.unwrap();
    let in_room = |record: &Record| record.room() == Some(RoomNumber(1));
    let all: Vec<_> =
        records.iter().filter(|(_, record)| in_room(record)).map(|(id, _)| *id).collect();
    assert_eq!(all.len(), 15);
    for newest in [None, Some(0), Some(1), Some(14), Some(15), Some(16), Some(u32::MAX)] {
        for above in [0, all[0] - 1, all[0], all[7] + 1, all[14], u64::MAX] {
            let hidden = newest.map_or(0, |newest| 15_usize.saturating_sub(newest as usize));
            let expected: Vec<_> =
                all.iter().skip(hidden).copied().filter(|id| *id > above).collect();
            for at in [0, all[0], all[6] + 1, all[7], all[14], 1 << 53] {
                for limit in [1, 4, 500] {
                    let of = Conversation::Room { room: RoomNumber(1), above, newest };
                    let query = |side| PageQuery { of: of.clone(), side, limit };
                    let before: Vec<_> = expected.iter().copied().filter(|id| *id < at).collect();
                    let start = before.len().saturating_sub(limit);
                    let page = store.page(query(Side::Before(at))).await.unwrap();
                    check(&page, &before[start..], start > 0, &records);
                    let after: Vec<_> = expected.iter().copied().filter(|id| *id > at).collect();
                    let end = after.len().min(limit);
                    let page = store.page(query(Side::After(at))).await.unwrap();
                    check(&page, &after[..end], end < after.len(), &records);
                    let start = expected.len().saturating_sub(limit);
                    let page = store.page(query(Side::Newest)).await.unwrap();
                    check(&page, &expected[start..], start > 0, &records);
                }
            }
        }
    }
    // Neither is part of another conversation.
    for of in [
        Conversation::Public,
        Conversation::between(&Username::parse("ann").unwrap(), &Username::parse("bob").unwrap()),
        Conversation::between(&Username::parse("ann").unwrap(), &Username::parse("room1").unwrap()),
    ] {
        let page = store.page(PageQuery { of, side: Side::Newest, limit: 500 }).await.unwrap();
        assert!(page.records.iter().all(|(_, record)| record.room().is_none()));
    }
}

/// Of the lobby nothing is read up to its floor; what is private stays.
async fn the_lobby_is_cleared<S: Store>(store: S, number: fn(u64) -> Sequence) {
    let records = (0..60).map(|place| if place % 2 == 0 { None } else { Some("bob") });
    let records = numbered(number, records.map(|to| said("ann", to, "x")));
    store.keep(&records).await.unwrap();
    let floor = records[40].0;
    let left: Vec<_> = (0..)
        .zip(&records)
        .filter(|(place, _)| place % 2 == 1 || *place > 40)
        .map(|(_, kept)| kept.clone())
        .collect();
    let public: Vec<_> =
        left.iter().filter(|(_, record)| record.recipient().is_none()).cloned().collect();
    for raised in [floor, floor - 1, 0] {
        keep_facts(&store, &[defined(room(0, RoomKeep::Off, raised))]).await;
        assert_eq!(read_all(&store).await, left);
        let of = Conversation::Public;
        let query = PageQuery { of, side: Side::Newest, limit: 500 };
        assert_eq!(store.page(query).await.unwrap(), Page { records: public.clone(), more: false });
    }
}

/// Deleting, clearing and keeping less hold at once, and what has gone does not come back.
async fn what_may_be_read<S: Store>(store: S) {
    keep_facts(&store, &[1, 2, 3].map(|number| defined(room(number, RoomKeep::All, 0)))).await;
    for number in [1, 2, 3] {
        say(&store, number, 20).await;
    }
    let ids = ids_of(&store, 1).await;
    keep_facts(&store, &[defined(room(1, RoomKeep::Newest(5), 0))]).await;
    assert_eq!(ids_of(&store, 1).await, ids[15..]);
    let page = page_of(&store, 1, 0, Some(3)).await;
    assert_eq!(page.records.into_iter().map(|(id, _)| id).collect::<Vec<_>>(), ids[17..]);
    assert_eq!(page_of(&store, 1, 0, Some(9)).await.records.len(), 5, "KEEP counts, whoever asks");
    say(&store, 1, 2).await;
    assert_eq!(ids_of(&store, 1).await.len(), 5);
    assert_eq!(ids_of(&store, 1).await[..3], ids[17..]);
    let floor = ids[18];
    keep_facts(&store, &[defined(room(1, RoomKeep::Newest(5), floor))]).await;
    assert_eq!(ids_of(&store, 1).await.len(), 3);
    assert_eq!(ids_of(&store, 1).await[0], ids[19]);
    keep_facts(&store, &[defined(room(1, RoomKeep::Off, floor))]).await;
    assert!(ids_of(&store, 1).await.is_empty());
    say(&store, 1, 1).await;
    keep_facts(&store, &[RoomRecord::Deleted(RoomNumber(2))]).await;
    assert_eq!(page_of(&store, 2, 0, None).await, Page::default());
    let newest = store.newest().await.unwrap();
    say(&store, 2, 1).await;
    assert_eq!(page_of(&store, 2, 0, None).await, Page::default());
    assert_eq!(store.newest().await.unwrap(), newest + 1);
    assert_eq!(ids_of(&store, 3).await.len(), 20, "nothing of that is about others");
    // The name is free.
    let name = room(2, RoomKeep::All, 0).name;
    keep_facts(&store, &[defined(RoomDefinition { name, ..room(9, RoomKeep::All, 0) })]).await;
    assert!(ids_of(&store, 9).await.is_empty());
    // The room before is still cut when it keeps all again.
    settles(&store, [(1, 0)]).await;
    keep_facts(&store, &[defined(room(1, RoomKeep::All, floor))]).await;
    say(&store, 1, 1).await;
    assert_eq!(ids_of(&store, 1).await.last(), Some(&store.newest().await.unwrap()));
}

/// Ten messages are kept of the lobby, so forty of rooms.
async fn a_busy_room_pushes_out_nothing_of_others<S: Store>(store: S) {
    super::keep_next(&store, &[(); 10].map(|()| said("ann", None, "lobby"))).await.unwrap();
    let rooms = [1, 2, 3].map(|number| defined(room(number, RoomKeep::All, 0)));
    keep_facts(&store, &rooms).await;
    say(&store, 1, 5).await;
    let quiet = ids_of(&store, 1).await;
    say(&store, 2, 100).await;
    settles(&store, [(1, 5), (2, 35)]).await;
    let newest = store.newest().await.unwrap();
    assert_eq!(
        ids_of(&store, 2).await,
        (newest - 34..=newest).collect::<Vec<_>>(),
        "the oldest go"
    );
    for _ in 0..100 {
        say(&store, 3, 1).await;
    }
    let mut counts = (0, 0);
    for _ in 0..LOOKS {
        counts = (ids_of(&store, 2).await.len(), ids_of(&store, 3).await.len());
        if matches!(counts, (17, 18) | (18, 17)) {
            break;
        }
        look_again().await;
    }
    assert!(matches!(counts, (17, 18) | (18, 17)), "{counts:?}");
    assert_eq!(ids_of(&store, 3).await.last(), Some(&store.newest().await.unwrap()));
    assert_eq!(ids_of(&store, 1).await, quiet);
    assert_eq!(read_all(&store).await.len(), 10, "the lobby has bounds of its own");
}

async fn a_room_has_a_bound_of_its_own<S: Store>(store: S) {
    let keeps = [RoomKeep::All, RoomKeep::Newest(1000), RoomKeep::All];
    let rooms: Vec<_> =
        (1..).zip(keeps).map(|(number, keep)| defined(room(number, keep, 0))).collect();
    keep_facts(&store, &rooms).await;
    say(&store, 3, 3).await;
    let long = "x".repeat(1 << 20);
    for number in [1, 2] {
        for _ in 0..17 {
            super::keep_next(&store, &[said_in(number, &long)]).await.unwrap();
        }
    }
    // 16 MiB of them, less what is around the text.
    let counted = async |number| {
        let of = Conversation::Room { room: RoomNumber(number), above: 0, newest: None };
        let (mut count, mut side) = (0, Side::After(0));
        loop {
            let page = store.page(PageQuery { of: of.clone(), side, limit: 9 }).await.unwrap();
            count += page.records.len();
            match page.records.last() {
                Some((last, _)) if page.more => side = Side::After(*last),
                _ => return count,
            }
        }
    };
    for _ in 0..LOOKS {
        if (counted(1).await, counted(2).await) == (15, 15) {
            break;
        }
        look_again().await;
    }
    assert_eq!((counted(1).await, counted(2).await), (15, 15));
    assert_eq!(counted(3).await, 3);
}
