//! Accounts that are removed while nodes are away.

use std::time::Duration;

use chatterbox_hub::{AccountChange, AccountChangeKind};

use super::restarts::{come, make_room};
use super::stores::{Tables, with};
use super::*;

async fn say_to(node: &TestNode, by: MemberId, to: &str, text: &str) {
    let destination = Destination::User(Username::parse(to).unwrap());
    let said = Record { destination, ..record("bob", text) };
    node.chat.post(by, vec![said], None, None, None).await.unwrap().all().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_that_was_away_forgets_what_was_said_to_a_removed_account() {
    let kit = Kit::new();
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let _host = come(&one, "host", 1).await;
    let _eve = come(&one, "eve", 2).await;
    let (bob, _) = two.join("bob").await.unwrap();
    say_to(&two, bob.handle().id(), "host", "to host").await;
    say_to(&two, bob.handle().id(), "eve", "to eve").await;
    settled(&kit, &[&one, &two]).await;
    assert_eq!(stored(&*one.store).await.len(), 2);
    let store = one.kill().await;
    let (name, kind) = (Username::parse("host").unwrap(), AccountChangeKind::Removed);
    two.chat.end_logins(AccountChange { account: 1, name, kind }).await;
    let one = kit.node_with("one", store).await;
    settled(&kit, &[&one, &two]).await;
    for node in [&one, &two] {
        let left = stored(&*node.store).await;
        assert!(left.len() == 1 && left[0].1.contains("to eve"), "{left:?}");
    }
    same(&[&one, &two]);
}

/// The one who has removed it, and all who would have told it, have ended before they could.
#[tokio::test(start_paused = true)]
async fn an_account_that_nobody_has_told_of_is_forgotten_when_a_node_comes() {
    let kit = Kit::new();
    let tables = Arc::new(Tables::default());
    let one = with(&kit, &tables).up("one").await;
    let (host, eve) = (come(&one, "host", 1).await, come(&one, "eve", 2).await);
    make_room(&one, &host, "#garden").await;
    make_room(&one, &eve, "#attic").await;
    let (bob, _) = one.join("bob").await.unwrap();
    say_to(&one, bob.handle().id(), "host", "to host").await;
    say_to(&one, bob.handle().id(), "eve", "to eve").await;
    settled(&kit, &[&one]).await;
    let store = one.kill().await;
    tables.lack(&[1]);
    let one = with(&kit, &tables).store(store).up("one").await;
    let owners = async || {
        let all = one.store.rooms().await.unwrap();
        let owner = |record: &chatterbox_hub::RoomRecord| match record {
            chatterbox_hub::RoomRecord::Defined(room) => Some(room.owner.as_ref()?.id),
            _ => None,
        };
        all.iter().filter_map(owner).collect::<Vec<_>>()
    };
    let forgotten = async {
        while owners().await != [2] {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), forgotten).await.expect("its room has no owner");
    let left = stored(&*one.store).await;
    assert!(left.len() == 1 && left[0].1.contains("to eve"), "{left:?}");
    let known = one.chat.known_accounts();
    assert_eq!(known.iter().map(|account| account.id).collect::<Vec<_>>(), [2]);
}
