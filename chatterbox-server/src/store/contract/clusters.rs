//! What every store has to do for a node of a cluster: it follows an order, and knows how far.

use chatterbox_hub::{
    Durable, Filing, Keep, Party, Record, RoomKeep, RoomNumber, RoomRecord, Sequence,
};

use super::rooms::{defined, ids_of, room, said_in};
use super::{ROOMY, read_all, said, settles};
use crate::store::followed::Followed;
use crate::store::message_store::{Store, StoreError};

pub async fn hold<S: Store>(fresh: &impl Fn(Keep) -> S) {
    a_store_belongs_to_one_cluster(fresh(ROOMY), fresh(ROOMY)).await;
    a_place_is_followed_once(fresh(ROOMY)).await;
    what_is_said_in_a_room_that_was_just_made_is_kept(fresh(ROOMY)).await;
    old_messages_come_behind_what_a_store_begins_with(fresh(ROOMY)).await;
    what_was_said_to_an_account_goes_where_it_is_removed(fresh(ROOMY)).await;
}

async fn a_store_belongs_to_one_cluster<S: Store>(one: S, alone: S) {
    assert!(one.follow(Followed { place: 1, read: 1 }, &[]).await.is_err(), "it is of none yet");
    assert_eq!(one.enter("one").await.unwrap(), Followed::default());
    assert_eq!(one.enter("one").await.unwrap(), Followed::default());
    let followed = Followed { place: 7, read: u64::MAX };
    one.follow(followed, &[]).await.unwrap();
    assert_eq!(one.enter("one").await.unwrap(), followed);
    let other = one.enter("two").await;
    assert!(matches!(other, Err(StoreError::OtherCluster { .. })), "{other:?}");
    alone.keep(&[(1, said("ann", None, "alone"))]).await.unwrap();
    let taken = alone.enter("one").await;
    assert!(matches!(taken, Err(StoreError::OtherCluster { .. })), "{taken:?}");
}

fn at(place: u64, index: u64) -> Sequence {
    place * 1024 + index
}

async fn a_place_is_followed_once<S: Store>(store: S) {
    store.enter("one").await.unwrap();
    let message =
        |place, index, text: &str| Durable::Message(at(place, index), said("ann", None, text));
    let first = [message(3, 0, "a"), message(3, 5, "b")];
    for _ in 0..2 {
        store.follow(Followed { place: 3, read: 1 }, &first).await.unwrap();
    }
    // What was followed before has no effect, whatever it is.
    store.follow(Followed { place: 2, read: 9 }, &[message(9, 0, "late")]).await.unwrap();
    // A part of it was kept, and not the place.
    store.keep(&[(at(5, 1), said("ann", None, "c"))]).await.unwrap();
    let rest = [message(5, 1, "c"), message(6, 0, "d")];
    store.follow(Followed { place: 6, read: 2 }, &rest).await.unwrap();
    assert_eq!(store.enter("one").await.unwrap(), Followed { place: 6, read: 2 });
    let all = [(3, 0, "a"), (3, 5, "b"), (5, 1, "c"), (6, 0, "d")];
    let all = all.map(|(place, index, text)| (at(place, index), said("ann", None, text)));
    assert_eq!(read_all(&store).await, all);
    assert_eq!(store.newest().await.unwrap(), at(6, 0));
}

async fn what_is_said_in_a_room_that_was_just_made_is_kept<S: Store>(store: S) {
    store.enter("one").await.unwrap();
    let made = defined(room(1, RoomKeep::All, 0));
    let durable = [
        Durable::Message(at(1, 0), said_in(1, "before it was there")),
        Durable::Rooms(at(1, 1), vec![made.clone()]),
        Durable::Message(at(2, 0), said_in(1, "kept")),
        Durable::Rooms(at(2, 1), vec![defined(room(2, RoomKeep::Off, 0))]),
        Durable::Message(at(2, 2), said_in(2, "not kept")),
        Durable::Message(at(2, 3), said_in(1, "kept as well")),
    ];
    store.follow(Followed { place: 2, read: 1 }, &durable).await.unwrap();
    assert_eq!(ids_of(&store, 1).await, [at(2, 0), at(2, 3)]);
    assert_eq!(ids_of(&store, 2).await, [0; 0]);
    let gone = [Durable::Rooms(at(3, 0), vec![RoomRecord::Deleted(RoomNumber(2))])];
    store.follow(Followed { place: 3, read: 1 }, &gone).await.unwrap();
    assert_eq!(store.rooms().await.unwrap(), [made]);
}

/// Their numbers are below those of any place.
async fn old_messages_come_behind_what_a_store_begins_with<S: Store>(store: S) {
    store.enter("one").await.unwrap();
    let made = defined(room(1, RoomKeep::All, 0));
    let begin = [Durable::Begin(vec![made.clone()])];
    for _ in 0..2 {
        store.follow(Followed { place: 5, read: 1 }, &begin).await.unwrap();
    }
    assert_eq!(store.newest().await.unwrap(), 0, "it uses no number");
    let old = said("ann", None, "old");
    let first = [Durable::Message(7, said_in(1, "old")), Durable::Message(9, old.clone())];
    store.follow(Followed { place: 6, read: 1 }, &first).await.unwrap();
    let new = said("ann", None, "new");
    let rest = [Durable::Message(9, old.clone()), Durable::Message(at(7, 0), new.clone())];
    store.follow(Followed { place: 7, read: 1 }, &rest).await.unwrap();
    assert_eq!(ids_of(&store, 1).await, [7]);
    assert_eq!(read_all(&store).await, [(9, old), (at(7, 0), new)]);
    assert_eq!(store.rooms().await.unwrap(), [made]);
}

async fn what_was_said_to_an_account_goes_where_it_is_removed<S: Store>(store: S) {
    store.enter("one").await.unwrap();
    let to = |account, text: &str| {
        let filing = Filing { to: Some(Party::Account(account)), ..Filing::default() };
        Record { filing, ..said("bob", Some("ann"), text) }
    };
    let said_to = |place, account| Durable::Message(at(place, 0), to(account, "secret"));
    let durable = [
        said_to(1, 7),
        said_to(2, 8),
        Durable::AccountRemoved(7),
        Durable::Rooms(at(3, 0), vec![defined(room(1, RoomKeep::All, 0))]),
        said_to(4, 8),
    ];
    store.follow(Followed { place: 4, read: 1 }, &durable).await.unwrap();
    let left = [2, 4].map(|place| (at(place, 0), to(8, "secret")));
    settles(&store, &left).await;
    // Nodes tell of it one after the other, and there is nothing left to do.
    let again = [Durable::AccountRemoved(7), Durable::AccountRemoved(9)];
    store.follow(Followed { place: 5, read: 1 }, &again).await.unwrap();
    settles(&store, &left).await;
    assert_eq!(store.newest().await.unwrap(), at(4, 0), "it uses no number");
}
