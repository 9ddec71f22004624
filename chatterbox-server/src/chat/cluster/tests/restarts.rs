//! Nodes that begin again find what they had, and what was decided meanwhile.

use super::*;

/// Two nodes on which something was said and done.
async fn busy(kit: &Kit) -> (TestNode, TestNode) {
    let (one, two) = (kit.node("one").await, kit.node("two").await);
    let (ann, _) = one.join("ann").await.unwrap();
    let (bob, _) = two.join("bob").await.unwrap();
    for number in 0..20 {
        say(&one, ann.handle().id(), "ann", &format!("a{number}")).await.unwrap();
        say(&two, bob.handle().id(), "bob", &format!("b{number}")).await.unwrap();
    }
    settled(kit, &[&one, &two]).await;
    (one, two)
}

#[tokio::test(start_paused = true)]
async fn a_node_that_begins_again_has_all_that_was_said_meanwhile() {
    let kit = Kit::new();
    let (one, two) = busy(&kit).await;
    let store = one.kill().await;
    let (cyd, _) = two.join("cyd").await.unwrap();
    say(&two, cyd.handle().id(), "cyd", "meanwhile").await.unwrap();
    let one = kit.node_with("one", store).await;
    settled(&kit, &[&one, &two]).await;
    same(&[&one, &two]);
    assert_eq!(stored(&*one.store).await, stored(&*two.store).await);
    let (_eve, welcomed) = one.join("eve").await.unwrap();
    let welcome = String::from_utf8(welcomed.welcome.concat()).unwrap();
    for text in ["\"a0\"", "\"b19\"", "\"meanwhile\""] {
        assert_eq!(welcome.matches(text).count(), 1, "{text} in {welcome}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_new_node_without_anything_gets_all_that_the_order_has() {
    let kit = Kit::new();
    let (one, two) = busy(&kit).await;
    let three = kit.node("three").await;
    settled(&kit, &[&one, &two, &three]).await;
    same(&[&one, &two, &three]);
    assert_eq!(stored(&*one.store).await, stored(&*three.store).await);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_is_stopped_in_order_has_stored_everything() {
    let kit = Kit::new();
    let (one, two) = busy(&kit).await;
    let (first, second) = (Arc::clone(&one.store), Arc::clone(&two.store));
    one.end().await;
    two.end().await;
    assert_eq!(stored(&*first).await, stored(&*second).await);
    assert_eq!(stored(&*first).await.len(), 40);
}
