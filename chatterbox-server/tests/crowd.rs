//! Five hundred users over TLS: all join, all chat, all leave, and nobody misses anything.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::collections::HashSet;
use std::sync::Arc;

use harness::{PATIENCE, Server, unlimited};
use tokio::sync::Barrier;

const USERS: usize = 500;

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_join_chat_and_leave() {
    let server = Arc::new(Server::start(unlimited()).await);
    let (mut watcher, _) = server.join("watcher").await;
    let joined = Arc::new(Barrier::new(USERS));
    let done = Arc::new(Barrier::new(USERS));
    let users: Vec<_> = (0..USERS)
        .map(|number| {
            let (server, joined, done) =
                (Arc::clone(&server), Arc::clone(&joined), Arc::clone(&done));
            tokio::spawn(async move {
                let (mut user, _) = server.join(&format!("u{number}")).await;
                joined.wait().await;
                user.say("ALL", &format!("m{number}")).await;
                user.say(&format!("u{}", (number + 1) % USERS), &format!("p{number}")).await;
                // One from everybody, and one private.
                let mut seen = Vec::new();
                while seen.len() < USERS + 1 {
                    let frame = user.next().await;
                    assert!(frame.error.is_none(), "{:?}", frame.error);
                    seen.extend(
                        frame.messages.into_iter().flatten().map(|m| m.content.into_owned()),
                    );
                }
                done.wait().await;
                seen
            })
        })
        .collect();
    for (number, user) in users.into_iter().enumerate() {
        let seen = user.await.unwrap();
        let private = format!("p{}", (number + USERS - 1) % USERS);
        let distinct: HashSet<_> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "nothing twice");
        assert!(distinct.contains(&private));
        assert!((0..USERS).all(|other| distinct.contains(&format!("m{other}"))));
    }
    // Every join and every leave was announced once.
    let (mut came, mut went, mut heard) = (HashSet::new(), HashSet::new(), 0);
    let watching = async {
        while went.len() < USERS || heard < USERS {
            let frame = watcher.next().await;
            heard += frame.messages.into_iter().flatten().count();
            for name in frame.joined {
                assert!(came.insert(name));
            }
            for name in frame.left {
                assert!(came.contains(&name) && went.insert(name));
            }
        }
    };
    tokio::time::timeout(PATIENCE, watching).await.unwrap();
    assert_eq!((came.len(), heard), (USERS, USERS));
    let (_, welcome) = server.join("late").await;
    assert_eq!(welcome.user_list.unwrap().len(), 2);
    assert_eq!(welcome.messages.unwrap().len(), USERS);
}
