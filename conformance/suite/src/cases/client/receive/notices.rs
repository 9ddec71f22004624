//! `c.recv`, the notices: who came, who went, what was wrong, and all of it in one frame.

use serde_json::json;

use crate::{
    client::{ClientHands, Means, operator::person},
    verdict::{Outcome, Verdict},
};

pub(super) async fn piggyback(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let (text, somebody) = (c.text(), c.name("carl"));
    let frame = json!({
        "INFO": "All at once",
        "USERS_JOINED": [somebody],
        "MESSAGES": [session.public(&text)],
        "USERS_LEFT": [somebody],
    });
    session.peer.send(&frame).await;
    session.must_show(&text, "beside INFO, USERS_JOINED and USERS_LEFT in one frame").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn piggyback_accept(c: &mut ClientHands) -> Outcome {
    let mut session = c.enter().await?;
    let mut frame = session.welcome_frame(&[]);
    if let Some(object) = frame.as_object_mut() {
        object.insert("USERS_JOINED".to_owned(), json!([session.other]));
    }
    session.accept(&frame).await;
    session.still_sends(&c.text()).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn joined(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let somebody = c.name("carl");
    session.peer.send(&json!({"USERS_JOINED": [somebody]})).await;
    let shown = session.shows(&somebody).await;
    let expected = format!("the name {somebody}, who joined");
    Ok(Verdict::check(shown, expected, session.shown()))
}

pub(super) async fn left(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let somebody = c.name("carl");
    session.peer.send(&json!({"USERS_JOINED": [somebody]})).await;
    session.taken_in().await;
    let stood = session.operator.screen.stands(&somebody);
    let mark = session.operator.screen.mark();
    session.peer.send(&json!({"USERS_LEFT": [somebody]})).await;
    let expected = format!("the name {somebody}, who left");
    if let Means::Person(person) = session.operator.means() {
        let told = person::ask(person, format!("Does the client show that {somebody} left?")).await;
        return Ok(Verdict::check(told, expected, "the person says no"));
    }
    let key = c.text();
    if c.shared.quirks().needs_a_key() {
        session.hears(&key).await;
        let _ = session.shows(&key).await;
    }
    // A list of users on the screen tells it by what is not in it any more.
    let told = session
        .operator
        .screen
        .wait(session.patience(), |screen| {
            let gone = stood && screen.is_full_screen() && !screen.stands(&somebody);
            gone || screen.written_holds(mark, &somebody)
        })
        .await;
    Ok(Verdict::check(told, expected, session.shown()))
}

pub(super) async fn error(c: &mut ClientHands) -> Outcome {
    let mut session = c.join().await?;
    let text = c.text();
    session.peer.send(&json!({"ERROR": format!("mistake {text}")})).await;
    session.must_show(&text, "the text of ERROR").await?;
    Ok(Verdict::Pass)
}
