//! What every order has to keep to.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::sync::Arc;
use std::time::Duration;

use chatterbox_hub::{Group, Incarnation, Proposal, Up};
use futures_util::FutureExt as _;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::time::timeout;

use crate::order::total_order::{Decided, Order, OrderError, Place, Reach};

/// A group that can be told from others by its number.
pub fn group(number: u64) -> Arc<Group> {
    let proposals = vec![Proposal::Up(Up { read_to: number, ..Up::default() })];
    Arc::new(Group { from: Incarnation(7), number, proposals })
}

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What somebody is told next.
async fn next(
    follow: &mut BoxStream<'_, Result<Arc<Decided>, OrderError>>,
) -> Result<Arc<Decided>, OrderError> {
    timeout(PATIENCE, follow.next()).await.expect("something comes").expect("it has not ended")
}

/// The numbers and places that somebody is told who follows from a place, as far as there is something by now.
async fn told(order: &dyn Order, after: Place) -> Vec<(Place, u64)> {
    let last = order.reach().await.unwrap().last;
    let mut follow = order.follow(after);
    let mut all = Vec::new();
    let mut time = 0;
    for _ in after..last {
        let decided = next(&mut follow).await.unwrap();
        assert!(decided.at >= time, "time does not go back");
        time = decided.at;
        all.push((decided.place, decided.group.number));
    }
    assert!(follow.next().now_or_never().is_none(), "nothing is behind the last one");
    all
}

/// Checks an implementation, which gives an empty order each time.
pub async fn holds<O: Order + 'static>(new: impl AsyncFn() -> Arc<O>) {
    follows_from_anywhere(&*new().await).await;
    an_offer_is_there_when_it_is_done(&*new().await).await;
    what_is_offered_again_has_two_places(&*new().await).await;
    concurrent_offers_have_one_order(new().await).await;
    who_waits_is_told(new().await).await;
}

async fn follows_from_anywhere(order: &dyn Order) {
    assert_eq!(told(order, 0).await, []);
    assert_eq!(order.reach().await.unwrap(), Reach { first: 1, last: 0 });
    for number in 1..=3 {
        order.offer(group(10 * number)).await.unwrap();
    }
    assert_eq!(order.reach().await.unwrap(), Reach { first: 1, last: 3 });
    let all = [(1, 10), (2, 20), (3, 30)];
    for after in 0..=3_usize {
        assert_eq!(told(order, after as Place).await, all[after..], "from {after}");
        assert_eq!(told(order, after as Place).await, all[after..], "once more");
    }
    let beyond = next(&mut order.follow(4)).await;
    assert_eq!(beyond.unwrap_err(), OrderError::OutOfReach { after: 4, first: 1 });
}

async fn an_offer_is_there_when_it_is_done(order: &dyn Order) {
    let mut follow = order.follow(0);
    for number in 1..=100 {
        assert!(follow.next().now_or_never().is_none(), "nothing twice, and nothing early");
        order.offer(group(number)).await.unwrap();
        let decided = next(&mut follow).await.unwrap();
        assert_eq!((decided.place, decided.group.number), (number, number));
    }
}

/// Whoever applies it tells repetitions apart, by the number of the group.
async fn what_is_offered_again_has_two_places(order: &dyn Order) {
    order.offer(group(1)).await.unwrap();
    order.offer(group(1)).await.unwrap();
    assert_eq!(told(order, 0).await, [(1, 1), (2, 1)]);
}

async fn concurrent_offers_have_one_order<O: Order + 'static>(order: Arc<O>) {
    let followers: Vec<_> = (0..3)
        .map(|_| {
            let order = Arc::clone(&order);
            tokio::spawn(async move {
                let follow = order.follow(0).take(60);
                let told =
                    follow.map(|next| next.map(|decided| (decided.place, decided.group.number)));
                told.collect::<Vec<_>>().await
            })
        })
        .collect();
    let offering = (0..3).map(|who| {
        let order = Arc::clone(&order);
        async move {
            for number in 0..20 {
                order.offer(group(100 * who + number)).await.unwrap();
                // Followers are given their turns: no more is kept than they need.
                tokio::task::yield_now().await;
            }
        }
    });
    futures_util::future::join_all(offering).await;
    let mut stories = Vec::new();
    for follower in followers {
        let story: Result<Vec<_>, _> = follower.await.unwrap().into_iter().collect();
        stories.push(story.unwrap());
    }
    assert!(stories.iter().all(|story| *story == stories[0]), "one order for all");
    let places: Vec<_> = stories[0].iter().map(|(place, _)| *place).collect();
    assert_eq!(places, (1..=60).collect::<Vec<_>>(), "no holes");
    for who in 0..3 {
        let own = stories[0].iter().map(|(_, number)| *number).filter(|number| number / 100 == who);
        let expected: Vec<_> = (0..20).map(|number| 100 * who + number).collect();
        assert_eq!(own.collect::<Vec<_>>(), expected, "what one offers is in its order");
    }
}

async fn who_waits_is_told<O: Order + 'static>(order: Arc<O>) {
    let waiting = Arc::clone(&order);
    let waiting =
        tokio::spawn(async move { waiting.follow(0).next().await.unwrap().unwrap().group.number });
    tokio::task::yield_now().await;
    order.offer(group(5)).await.unwrap();
    let told = timeout(PATIENCE, waiting).await;
    assert_eq!(told.unwrap().unwrap(), 5);
}
