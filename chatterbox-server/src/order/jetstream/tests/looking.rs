//! What is seen of a cluster by whoever is no node of it.

use super::engine::Engine;
use super::kit::{PATIENCE, connect, of_its_own, offer, settings};
use crate::order::jetstream::{JetStream, ServerStanding};

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_the_engine_are_seen_and_nothing_is_made() {
    let Some(mut engine) = Engine::start(3) else { return };
    let settings = settings(&engine);
    assert!(JetStream::look(&settings).await.unwrap().is_none());
    assert!(JetStream::look(&settings).await.unwrap().is_none(), "looking makes nothing");
    let order = connect(&settings).await;
    offer(&order, 1).await;
    let (_, seen) = JetStream::look(&settings).await.unwrap().unwrap();
    assert_eq!((seen.log.first, seen.log.last, seen.log.replicas), (1, 1, 3));
    assert!(seen.log.bytes > 0 && seen.log.max_bytes > Some(1 << 30), "{seen:?}");
    assert_eq!(seen.state.as_ref().unwrap().last, 0);
    assert!(seen.now.is_some_and(|now| now > 1_700_000_000_000), "{seen:?}");
    let names: Vec<_> = seen.log.servers.iter().map(|server| &*server.name).collect();
    assert_eq!(names, ["n0", "n1", "n2"]);
    // One that does not lead, so that nobody is elected meanwhile.
    let leader = engine.leader("CHAT");
    let gone = (0..3).find(|index| *index != leader).unwrap();
    engine.stop(gone);
    let offline = async {
        loop {
            let (_, seen) = JetStream::look(&settings).await.unwrap().unwrap();
            let server = seen.log.servers.iter().find(|server| server.name == format!("n{gone}"));
            if server.is_some_and(|server| server.standing == ServerStanding::Offline) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, offline).await.expect("it is seen that a server is offline");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_alone_leads() {
    let Some(engine) = Engine::start(1) else { return };
    let settings = of_its_own(&engine);
    connect(&settings).await;
    let (_, seen) = JetStream::look(&settings).await.unwrap().unwrap();
    let servers: Vec<_> =
        seen.log.servers.iter().map(|server| (&*server.name, server.standing)).collect();
    assert_eq!(servers, [("n0", ServerStanding::Leads)]);
}
