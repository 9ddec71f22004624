//! Servers of the engine that end, hang and come back, while three nodes write and read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::engine::Engine;
use super::kit::{PATIENCE, connect, next, of_its_own, offer};
use crate::order::contract::group;
use crate::order::jetstream::JetStream;
use crate::order::total_order::{Order as _, Place};

/// The number of the last group, behind which nobody writes any more.
const END: u64 = u64::MAX;

/// What a writer knows at its end.
struct Written {
    confirmed: Vec<u64>,
    /// The longest time without a confirmation.
    silence: Duration,
}

/// How many groups were confirmed, and how many attempts were not, of all writers.
#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    confirmed: u64,
    unconfirmed: u64,
}

/// Is told of each attempt of all writers.
#[derive(Debug)]
struct Watch(watch::Receiver<Counts>);

impl Watch {
    /// Waits until so many more of these are counted.
    async fn more(&mut self, of: fn(&Counts) -> u64, count: u64, what: &str) {
        let before = of(&self.0.borrow());
        let more = self.0.wait_for(|counts| of(counts) > before + count);
        timeout(PATIENCE, more).await.expect(what).unwrap();
    }

    /// Waits until everything goes on.
    async fn goes_on(&mut self) {
        self.more(|counts| counts.confirmed, 30, "it goes on").await;
    }

    /// Waits until nothing is confirmed any more, to nobody.
    async fn stands_still(&mut self) {
        self.more(|counts| counts.unconfirmed, 3, "it stands still").await;
    }
}

/// Offers one group after the other, each until it is confirmed.
async fn writes(
    node: Arc<JetStream>,
    who: u64,
    stop: watch::Receiver<bool>,
    count: watch::Sender<Counts>,
) -> Written {
    let mut written = Written { confirmed: Vec::new(), silence: Duration::ZERO };
    for number in 1000 * 1000 * who.. {
        let start = Instant::now();
        while node.offer(group(number)).await.is_err() {
            count.send_modify(|counts| counts.unconfirmed += 1);
            assert!(start.elapsed() < PATIENCE, "nothing is confirmed");
        }
        written.silence = written.silence.max(start.elapsed());
        written.confirmed.push(number);
        count.send_modify(|counts| counts.confirmed += 1);
        if *stop.borrow() {
            break;
        }
    }
    written
}

/// Reads to the end: what is where, and the longest time without anything.
async fn reads(node: Arc<JetStream>) -> (Vec<(Place, u64, u64)>, Duration) {
    let mut follow = node.follow(0);
    let (mut all, mut silence) = (Vec::new(), Duration::ZERO);
    loop {
        let start = Instant::now();
        let decided = next(&mut follow).await.unwrap();
        silence = silence.max(start.elapsed());
        all.push((decided.place, decided.read, decided.group.number));
        if decided.group.number == END {
            return (all, silence);
        }
    }
}

/// Three nodes write and read while something happens. What was confirmed is in the log, in the order of each writer, and everybody
/// reads the same.
async fn disturbed(
    engine: &mut Engine,
    what: &str,
    happens: impl AsyncFnOnce(&mut Engine, &str, &mut Watch),
) {
    let settings = of_its_own(engine);
    let nodes = join_all([connect(&settings), connect(&settings), connect(&settings)]).await;
    let (stop, stopped) = watch::channel(false);
    let (count, counted) = watch::channel(Counts::default());
    let mut counted = Watch(counted);
    let readers: Vec<_> = nodes.iter().map(|node| tokio::spawn(reads(Arc::clone(node)))).collect();
    let writers: Vec<_> = (1..)
        .zip(&nodes)
        .map(|(who, node)| {
            tokio::spawn(writes(Arc::clone(node), who, stopped.clone(), count.clone()))
        })
        .collect();
    counted.goes_on().await;
    happens(engine, &settings.cluster.log_stream(), &mut counted).await;
    counted.goes_on().await;
    stop.send_replace(true);
    let mut confirmed = Vec::new();
    let mut silences = Vec::new();
    for writer in writers {
        let written = writer.await.unwrap();
        silences.push(written.silence);
        confirmed.push(written.confirmed);
    }
    offer(&nodes[0], END).await;
    let mut stories = Vec::new();
    for reader in readers {
        let (story, silence) =
            timeout(PATIENCE, reader).await.expect("readers come to the end").unwrap();
        silences.push(silence);
        stories.push(story);
    }
    let story = &stories[0];
    assert!(stories.iter().all(|other| other == story), "{what}: everybody reads the same");
    assert!((1..).zip(story).all(|(place, (read, ..))| place == *read), "{what}: no holes");
    for (who, confirmed) in (1..).zip(&confirmed) {
        let own: Vec<_> = story
            .iter()
            .map(|(_, _, number)| *number)
            .filter(|number| number / 1_000_000 == who)
            .collect();
        let there: BTreeSet<_> = own.iter().copied().collect();
        assert!(
            confirmed.iter().all(|number| there.contains(number)),
            "{what}: what was confirmed is there"
        );
        assert!(
            own.is_sorted(),
            "{what}: one writer's groups are in its order, and some may be there twice"
        );
    }
    let total: usize = confirmed.iter().map(Vec::len).sum();
    eprintln!(
        "{what}: {total} confirmed, {} in the log; longest silence {silences:.1?}",
        story.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_confirmed_is_lost_when_servers_fail() {
    let Some(mut engine) = Engine::start(3) else { return };
    disturbed(&mut engine, "leader stopped in order", async |engine, stream, _| {
        let leader = engine.leader(stream);
        engine.stop(leader);
        engine.start_again(leader);
        engine.is_ready(leader);
    })
    .await;
    disturbed(&mut engine, "leader killed", async |engine, stream, _| {
        let leader = engine.leader(stream);
        engine.kill(leader);
        engine.leader(stream);
        engine.start_again(leader);
        engine.is_ready(leader);
    })
    .await;
    disturbed(&mut engine, "leader hung, and back", async |engine, stream, counted| {
        let leader = engine.leader(stream);
        engine.hang(leader);
        // The others choose another one, with which everything goes on before the old one is back.
        engine.leader(stream);
        counted.goes_on().await;
        engine.goes_on(leader);
    })
    .await;
    disturbed(&mut engine, "two of three killed, and back", async |engine, stream, counted| {
        let leader = engine.leader(stream);
        let other = (leader + 1) % 3;
        engine.kill(leader);
        engine.kill(other);
        counted.stands_still().await;
        for index in [leader, other] {
            engine.start_again(index);
        }
        for index in [leader, other] {
            engine.is_ready(index);
        }
    })
    .await;
    disturbed(&mut engine, "all killed, and back", async |engine, _, _| {
        for index in 0..3 {
            engine.kill(index);
        }
        for index in 0..3 {
            engine.start_again(index);
        }
        for index in 0..3 {
            engine.is_ready(index);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_engine_nothing_is_confirmed_and_nothing_piles_up() {
    let Some(mut engine) = Engine::start(1) else { return };
    let order = connect(&of_its_own(&engine)).await;
    offer(&order, 1).await;
    engine.kill(0);
    let deadline = "each of them has a deadline";
    for _ in 0..2 {
        let offered = timeout(PATIENCE, order.offer(group(2))).await;
        offered.expect(deadline).unwrap_err();
    }
    assert!(timeout(PATIENCE, order.reach()).await.expect(deadline).is_err());
    engine.start_again(0);
    engine.is_ready(0);
    offer(&order, 3).await;
    let mut follow = order.follow(0);
    let mut numbers = Vec::new();
    while numbers.last() != Some(&3) {
        numbers.push(next(&mut follow).await.unwrap().group.number);
    }
    // What was on its way when the engine was killed may be there or not; what was offered while it was away is not.
    assert!(numbers == [1, 3] || numbers == [1, 2, 3], "{numbers:?}");
}
