//! Databases that move into a cluster and out of it: what was stored is stored at every node, wherever whoever moves it was killed.

mod kit;

use std::path::Path;

use chatterbox_hub::{Conversation, Group, Incarnation, Party};
use chatterbox_proto::capability::ids::Side;
use kit::{Cut, Node, TABLES, alone, copied, count, filled, moved, options, rows, schema};

use super::*;
use crate::chat::cluster::moving_in::{MoveError, MoveIn};
use crate::chat::cluster::moving_out::look_behind;
use crate::order::Order as _;
use crate::order::simulated::Engine;
use crate::store::sqlite::{OpenError, Stopped};
use crate::store::{Followed, PageQuery, Sqlite};

/// The rows of all tables that have to survive.
fn everything(folder: &Path) -> Vec<(&'static str, Vec<String>)> {
    TABLES.iter().map(|table| (*table, rows(folder, table))).collect()
}

#[tokio::test]
async fn every_table_survives_moving_in_and_out() {
    let (before, folder) = (filled(), tempfile::tempdir().unwrap());
    // A table that is added later needs a row here, and a way through the log or the snapshot.
    let of_its_own = ["account_changes", "cluster", "commands"];
    let mut known: Vec<_> = TABLES.iter().chain(&of_its_own).copied().collect();
    known.sort_unstable();
    assert_eq!(schema(before.path()), known);
    let expected = everything(before.path());
    for (table, rows) in &expected {
        assert!(!rows.is_empty(), "nothing shows that {table} survives");
    }
    let engine = moved(before.path()).await;
    assert_eq!(everything(before.path()), expected, "it is left as it was");
    for _ in 0..2 {
        // The second time it begins with what it has stored, and reads the old messages once more.
        let node = Node::start(&engine, folder.path()).await;
        let (_seat, welcomed) = node.join("here").await.unwrap();
        let welcome = String::from_utf8_lossy(&welcomed.welcome.concat()).into_owned();
        assert_eq!(welcome.matches("in the lobby").count(), 1, "{welcome}");
        assert!(!welcome.contains("cleared"), "{welcome}");
        assert!(node.join("eve").await.is_err(), "she is banned");
        node.end().await;
        assert_eq!(everything(folder.path()), expected);
    }
    let followed = Stopped::open(folder.path()).unwrap().cluster().unwrap().unwrap().1;
    assert!(matches!(
        Sqlite::open_alone(&options(folder.path())),
        Err(OpenError::OfCluster { .. })
    ));
    Stopped::open(folder.path()).unwrap().leave(0).unwrap();
    assert_eq!(everything(folder.path()), expected);
    let sqlite = Sqlite::open_alone(&options(folder.path())).unwrap();
    let newest = Group::number_of(followed.place, Group::PROPOSALS - 1);
    assert_eq!(sqlite.newest().await.unwrap(), newest, "numbers go on above all that were given");
    drop(sqlite);
    // And once more, as another cluster.
    let engine = moved(folder.path()).await;
    let third = tempfile::tempdir().unwrap();
    Node::start(&engine, third.path()).await.end().await;
    assert_eq!(everything(third.path()), expected);
}

#[tokio::test]
async fn pages_of_old_messages_are_for_those_who_could_read_them() {
    let (before, folder) = (filled(), tempfile::tempdir().unwrap());
    let of = [
        Conversation::Public,
        Conversation::Between(vec![Party::Account(1)], vec![Party::Account(2)]),
        Conversation::Between(vec![Party::Account(1)], vec![Party::Guest(name("bob"))]),
        Conversation::Between(vec![Party::Guest(name("cyd"))], vec![Party::Guest(name("bob"))]),
        Conversation::Between(vec![Party::Guest(name("cyd"))], vec![Party::Account(2)]),
    ];
    let read = async |folder: &Path| {
        let sqlite = Sqlite::open(&options(folder)).unwrap();
        let mut pages = Vec::new();
        for of in &of {
            let query = PageQuery { of: of.clone(), side: Side::Newest, limit: 100 };
            let page = sqlite.page(query).await.unwrap();
            pages.push(page.records.iter().map(|(number, _)| *number).collect::<Vec<_>>());
        }
        pages
    };
    let expected = read(before.path()).await;
    assert!(expected.iter().all(|page| !page.is_empty()), "{expected:?}");
    let engine = moved(before.path()).await;
    Node::start(&engine, folder.path()).await.end().await;
    assert_eq!(read(folder.path()).await, expected);
}

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

#[tokio::test]
async fn nodes_agree_and_new_numbers_are_above_the_old_ones() {
    let before = filled();
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let engine = moved(before.path()).await;
    let one = Node::start(&engine, folders[0].path()).await;
    let two = Node::start(&engine, folders[1].path()).await;
    // The database itself may be that of a node, too.
    let three = Node::start(&engine, before.path()).await;
    let (seat, _) = one.join("here").await.unwrap();
    let receipt = one.say(&seat, "here", "new").await;
    let newest = rows(folders[0].path(), "messages").len() as u64;
    assert!(receipt > newest.max(2 * 1024), "{receipt}");
    for node in [&one, &two, &three] {
        node.has_all(&engine).await;
    }
    assert_eq!(one.chat.digest(), two.chat.digest());
    assert_eq!(one.chat.digest(), three.chat.digest());
    for node in [one, two, three] {
        node.end().await;
    }
    let messages = rows(folders[0].path(), "messages");
    assert_eq!(messages.len(), count(before.path()), "{messages:?}");
    assert_eq!(messages, rows(folders[1].path(), "messages"));
    assert_eq!(messages, rows(before.path(), "messages"));
}

#[tokio::test]
async fn whoever_is_killed_anywhere_goes_on_there() {
    let expected = everything(filled().path());
    let mut cuts = 0;
    for is_lost in [true, false] {
        for after in 0.. {
            let (before, folder) = (filled(), tempfile::tempdir().unwrap());
            let moving = MoveIn::of(Stopped::open(before.path()).unwrap(), "chat").unwrap();
            let engine = Engine::behind(moving.place());
            let cut = Cut::after(&engine, after, is_lost);
            let is_done = tokio::select! {
                done = moving.run(&cut, &cut, |_| {}) => {
                    done.unwrap();
                    true
                }
                () = cut.happens() => false,
            };
            if !is_done {
                cuts += 1;
                let refused = Node::begun(&engine, folder.path()).await;
                assert!(matches!(refused, Err(ClusterError::NoSnapshot(_))), "{refused:?}");
                assert!(alone(before.path()).is_err(), "it does not start alone half way");
                let moving = MoveIn::of(Stopped::open(before.path()).unwrap(), "chat").unwrap();
                let whole = Cut::never(&engine);
                assert!(!moving.run(&whole, &whole, |_| {}).await.unwrap().before);
            }
            Node::start(&engine, folder.path()).await.end().await;
            assert_eq!(everything(folder.path()), expected, "cut after {after}, {is_lost}");
            if is_done {
                break;
            }
        }
    }
    assert!(cuts >= 12, "{cuts}");
}

#[tokio::test]
async fn of_two_at_once_one_goes_on_and_the_other_is_told() {
    let before = filled();
    let expected = everything(before.path());
    let moving = MoveIn::of(Stopped::open(before.path()).unwrap(), "chat").unwrap();
    let in_use = Stopped::open(before.path());
    assert!(matches!(in_use, Err(OpenError::InUse(_))), "{in_use:?}");
    let engine = Engine::behind(moving.place());
    let cut = Cut::after(&engine, 4, false);
    let mut first = Box::pin(moving.run(&cut, &cut, |_| {}));
    tokio::select! {
        done = &mut first => panic!("{done:?}"),
        () = cut.happens() => {}
    }
    // A copy of it, as it was when the first one had begun.
    let copy = copied(before.path());
    let second = MoveIn::of(Stopped::open(copy.path()).unwrap(), "chat").unwrap();
    let link = engine.link();
    assert!(!second.run(&link, &link, |_| {}).await.unwrap().before);
    cut.mends();
    let overtaken = first.await;
    assert!(matches!(overtaken, Err(MoveError::Overtaken)), "{overtaken:?}");
    let folder = tempfile::tempdir().unwrap();
    Node::start(&engine, folder.path()).await.end().await;
    assert_eq!(everything(folder.path()), expected);
    // Once more it says that it was done, also when nodes have written since.
    let again = MoveIn::of(Stopped::open(before.path()).unwrap(), "chat").unwrap();
    assert!(again.run(&link, &link, |_| {}).await.unwrap().before);
}

#[tokio::test]
async fn a_log_in_which_somebody_else_has_written_is_refused() {
    let before = filled();
    let moving = || MoveIn::of(Stopped::open(before.path()).unwrap(), "chat").unwrap();
    let link = Engine::new().link();
    let refused = moving().run(&link, &link, |_| {}).await;
    assert!(matches!(refused, Err(MoveError::Begins { first: 1, .. })), "{refused:?}");
    assert!(alone(before.path()).is_ok(), "nothing was begun");
    let engine = Engine::behind(moving().place());
    let group = Group {
        from: Incarnation(1),
        number: 1,
        proposals: vec![Proposal::Up(Default::default())],
    };
    engine.link().offer(Arc::new(group)).await.unwrap();
    let link = engine.link();
    let refused = moving().run(&link, &link, |_| {}).await;
    assert!(matches!(refused, Err(MoveError::Foreign(_))), "{refused:?}");
    // Another database was moved in.
    let engine = moved(filled().path()).await;
    let link = engine.link();
    let refused = moving().run(&link, &link, |_| {}).await;
    assert!(matches!(refused, Err(MoveError::Foreign(_))), "{refused:?}");
    // And a node has nothing of its own to move.
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(&engine, folder.path()).await;
    let (seat, _) = node.join("here").await.unwrap();
    for number in 0..3 {
        node.say(&seat, "here", &number.to_string()).await;
    }
    drop(seat);
    node.end().await;
    let refused = MoveIn::of(Stopped::open(folder.path()).unwrap(), "chat").map(drop);
    assert!(matches!(refused, Err(MoveError::OfNode(_))), "{refused:?}");
    let refused = MoveIn::of(Stopped::open(folder.path()).unwrap(), "other").map(drop);
    assert!(matches!(refused, Err(MoveError::OfAnother(_))), "{refused:?}");
}

#[tokio::test]
async fn whoever_moves_out_is_told_what_it_would_be_without() {
    let (before, folder) = (filled(), tempfile::tempdir().unwrap());
    let engine = moved(before.path()).await;
    let link = engine.link();
    let behind = async |folder: &Path| {
        let stopped = Stopped::open(folder).unwrap();
        let followed = stopped.cluster().unwrap().unwrap().1;
        look_behind(&link, followed, stopped.newest().unwrap()).await.unwrap()
    };
    let node = Node::start(&engine, folder.path()).await;
    assert!(behind(before.path()).await.is_nothing(), "it has the old ones, and nodes only tick");
    let (seat, _) = node.join("here").await.unwrap();
    node.say(&seat, "here", "new").await;
    assert_eq!(behind(before.path()).await.messages, 1);
    drop(seat);
    node.end().await;
    assert!(behind(folder.path()).await.is_nothing());
    let early = look_behind(&link, Followed { place: 1 << 40, read: 0 }, 0).await;
    assert!(early.is_err(), "{early:?}");
}
