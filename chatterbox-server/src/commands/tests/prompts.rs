//! Questions: answered, cancelled, late, and by the wrong one.

#![allow(clippy::disallowed_methods, reason = "a test of time")]

use std::time::Duration;

use chatterbox_hub::Level;
use chatterbox_proto::Code;
use serde_json::json;
use tokio::time::Instant;

use crate::commands::tests::fake::{House, PASSWORD, name};

#[tokio::test]
async fn a_question_is_answered_by_whom_it_was_put_to() {
    let house = House::new().await;
    let (mut ann, bob) = (house.guest("ann").await, house.guest("bob").await);
    let id = ann.begin("input-test", &[]);
    let prompt = ann.next_with("PROMPT").await["PROMPT"].clone();
    assert_eq!(prompt, json!({"ID": id, "TEXT": "Say something:", "SECRET": false}));
    assert_eq!(bob.answer(&id, Some("I am ann")), Err(Code::AnswerToNothing), "b13");
    assert_eq!(ann.answer("other", Some("x")), Err(Code::AnswerToNothing));
    assert_eq!(ann.answer(&id, Some("hello \u{1b}")), Ok(()));
    assert_eq!(ann.answer(&id, Some("again")), Err(Code::AnswerToNothing));
    let result = ann.result(&id).await;
    assert_eq!(
        (&result["INFO"], &result["DATA"]["ANSWER"]),
        (&json!("You said: hello \\u{1b}"), &json!("hello \u{1b}"))
    );
}

#[tokio::test]
async fn null_cancels() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    let id = ann.begin("register", &[]);
    assert_eq!(ann.next_with("PROMPT").await["PROMPT"]["SECRET"], true);
    ann.answer(&id, None).unwrap();
    assert_eq!(ann.result(&id).await["CODE"], "cancelled");
    assert_eq!(house.account("ann").await, None, "b4: what was broken off made nothing");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_answered_in_a_minute_is_over() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    let start = Instant::now();
    let id = ann.begin("input-test", &[]);
    ann.next_with("PROMPT").await;
    tokio::time::sleep(Duration::from_secs(59)).await;
    assert!(ann.everything().iter().all(|told| told.get("RESULT").is_none()));
    assert_eq!(ann.result(&id).await["CODE"], "timeout");
    assert_eq!(start.elapsed().as_secs(), 60);
    assert_eq!(ann.answer(&id, Some("late")), Err(Code::AnswerToNothing));
}

#[tokio::test]
async fn a_password_that_is_not_given_is_asked_for_twice() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    let mut answers = async |first: &str, again: &str| {
        let id = ann.begin("register", &[]);
        for answer in [first, again] {
            ann.next_with("PROMPT").await;
            ann.answer(&id, Some(answer)).unwrap();
        }
        ann.result(&id).await
    };
    assert_eq!(answers(PASSWORD, "another horse").await["CODE"], "failed");
    assert_eq!(house.account("ann").await, None);
    assert_eq!(answers(PASSWORD, PASSWORD).await["CODE"], "ok");
    assert_eq!(house.account("ann").await.unwrap().name, name("ann"));
}

#[tokio::test]
async fn one_runs_sixteen_wait_and_the_rest_is_busy() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    let first = ann.begin("input-test", &[]);
    ann.next_with("PROMPT").await;
    let waiting: Vec<_> = (0..16).map(|_| ann.begin("name", &[])).collect();
    let busy = ann.call("name", &[]).await;
    assert_eq!((&busy["CODE"], &busy["OK"]), (&json!("busy"), &json!(false)));
    ann.answer(&first, Some("x")).unwrap();
    for id in std::iter::once(&first).chain(&waiting) {
        assert_eq!(ann.result(id).await["CODE"], "ok", "in the order in which they came");
    }
}

#[tokio::test]
async fn a_catalogue_does_not_wait_for_an_answer() {
    let house = House::new().await;
    let mut ann = house.guest("ann").await;
    let mut root = house.user("root", Level::ADMIN).await;
    ann.next_with("COMMANDS").await;
    let _asked = ann.begin("input-test", &[]);
    ann.next_with("PROMPT").await;
    root.call("set-prefix", &["!"]).await;
    assert_eq!(ann.next_with("COMMANDS").await["PREFIX"], "!");
}

#[tokio::test]
async fn elevating_is_for_the_session_and_wrong_tries_are_throttled() {
    let house = House::new().await;
    let mut ann = house.user("ann", Level::USER).await;
    assert_eq!(ann.call("set-prefix", &["!"]).await["CODE"], "forbidden");
    let id = ann.begin("elevate", &[]);
    assert_eq!(ann.next_with("PROMPT").await["PROMPT"]["SECRET"], true);
    ann.answer(&id, Some(PASSWORD)).unwrap();
    assert_eq!(ann.result(&id).await["DATA"]["LEVEL"], 5);
    assert_eq!(ann.call("set-prefix", &["!"]).await["CODE"], "ok");
    assert_eq!(house.account("ann").await.unwrap().level, Level::USER, "not for good");
    for _ in 0..5 {
        assert_eq!(ann.call("elevate", &["wrong"]).await["CODE"], "wrong-password");
    }
    assert_eq!(ann.call("elevate", &[PASSWORD]).await["CODE"], "throttled");
    let mut guest = house.guest("bob").await;
    assert_eq!(guest.call("elevate", &[PASSWORD]).await["CODE"], "forbidden");
}
