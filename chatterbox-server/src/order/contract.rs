//! What every order has to keep to.

#![allow(clippy::disallowed_methods, reason = "tests are an edge")]

use std::sync::Arc;

use chatterbox_hub::{Group, Incarnation, Proposal, Up};
use futures_util::FutureExt as _;
use futures_util::stream::StreamExt as _;

use crate::order::total_order::{Order, Place, Reach};

/// A group that can be told from others by its number.
pub fn group(number: u64) -> Arc<Group> {
    let proposals = vec![Proposal::Up(Up { read_to: number, ..Up::default() })];
    Arc::new(Group { from: Incarnation(7), number, proposals })
}

/// The numbers and places that somebody is told who follows from a place, as far as there is something by now.
fn told(order: &dyn Order, after: Place) -> Vec<(Place, u64)> {
    let mut follow = order.follow(after);
    let mut all = Vec::new();
    let mut time = 0;
    while let Some(Some(next)) = follow.next().now_or_never() {
        let decided = next.unwrap();
        assert!(decided.at >= time, "time does not go back");
        time = decided.at;
        all.push((decided.place, decided.group.number));
    }
    all
}

/// Checks an implementation, which gives an empty order each time.
pub async fn holds<O: Order + 'static>(new: impl Fn() -> Arc<O>) {
    follows_from_anywhere(&*new()).await;
    an_offer_is_there_when_it_is_done(&*new()).await;
    what_is_offered_again_has_two_places(&*new()).await;
    concurrent_offers_have_one_order(new()).await;
    who_waits_is_told(new()).await;
}

async fn follows_from_anywhere(order: &dyn Order) {
    assert_eq!(told(order, 0), []);
    assert_eq!(order.reach().await.unwrap(), Reach { first: 1, last: 0 });
    for number in 1..=3 {
        order.offer(group(10 * number)).await.unwrap();
    }
    assert_eq!(order.reach().await.unwrap(), Reach { first: 1, last: 3 });
    let all = [(1, 10), (2, 20), (3, 30)];
    for after in 0..=3_usize {
        assert_eq!(told(order, after as Place), all[after..], "from {after}");
        assert_eq!(told(order, after as Place), all[after..], "once more");
    }
    let beyond = order.follow(4).next().now_or_never();
    assert!(matches!(beyond, Some(Some(Err(_)))), "there is nothing yet: {beyond:?}");
}

async fn an_offer_is_there_when_it_is_done(order: &dyn Order) {
    let mut follow = order.follow(0);
    for number in 1..=100 {
        assert!(follow.next().now_or_never().is_none(), "nothing twice, and nothing early");
        order.offer(group(number)).await.unwrap();
        let decided = follow.next().now_or_never().unwrap().unwrap().unwrap();
        assert_eq!((decided.place, decided.group.number), (number, number));
    }
}

/// Whoever applies it tells repetitions apart, by the number of the group.
async fn what_is_offered_again_has_two_places(order: &dyn Order) {
    order.offer(group(1)).await.unwrap();
    order.offer(group(1)).await.unwrap();
    assert_eq!(told(order, 0), [(1, 1), (2, 1)]);
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
    let told = tokio::time::timeout(std::time::Duration::from_secs(10), waiting).await;
    assert_eq!(told.unwrap().unwrap(), 5);
}
