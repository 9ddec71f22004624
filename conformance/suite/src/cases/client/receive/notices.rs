//! `c.recv`, the notices: who came, who went, what was wrong, and all of it in one frame.

use serde_json::json;

use crate::{
    client::{Means, Stage, operator::person},
    verdict::{Outcome, Verdict},
};

pub(super) async fn piggyback(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let (text, somebody) = (c.text(), c.name("carl"));
    let frame = json!({
        "INFO": "All at once",
        "USERS_JOINED": [somebody],
        "MESSAGES": [visit.public(&text)],
        "USERS_LEFT": [somebody],
    });
    visit.link.send(&frame).await;
    visit.must_show(&text, "beside INFO, USERS_JOINED and USERS_LEFT in one frame").await?;
    Ok(Verdict::Pass)
}

pub(super) async fn piggyback_accept(c: &mut Stage) -> Outcome {
    let mut visit = c.enter().await?;
    let mut frame = visit.welcome_frame(&[]);
    if let Some(object) = frame.as_object_mut() {
        object.insert("USERS_JOINED".to_owned(), json!([visit.other]));
    }
    visit.accept(&frame).await;
    visit.still_sends(&c.text()).await?;
    Ok(Verdict::Pass)
}

pub(super) async fn joined(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let somebody = c.name("carl");
    visit.link.send(&json!({"USERS_JOINED": [somebody]})).await;
    let shown = visit.shows(&somebody).await;
    let expected = format!("the name {somebody}, who joined");
    Ok(Verdict::check(shown, expected, visit.shown()))
}

pub(super) async fn left(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let somebody = c.name("carl");
    visit.link.send(&json!({"USERS_JOINED": [somebody]})).await;
    visit.taken_in().await;
    let stood = visit.actor.screen.stands(&somebody);
    let mark = visit.actor.screen.mark();
    visit.link.send(&json!({"USERS_LEFT": [somebody]})).await;
    let expected = format!("the name {somebody}, who left");
    if let Means::Person(person) = visit.actor.means() {
        let told = person::ask(person, format!("Does the client show that {somebody} left?")).await;
        return Ok(Verdict::check(told, expected, "the person says no"));
    }
    let key = c.text();
    if c.lobby.manners().needs_a_key {
        visit.hears(&key).await;
        let _ = visit.shows(&key).await;
    }
    // A list of users on the screen tells it by what is not in it any more.
    let told = visit
        .actor
        .screen
        .wait(visit.patience(), |screen| {
            let gone = stood && screen.is_full_screen() && !screen.stands(&somebody);
            gone || screen.written_holds(mark, &somebody)
        })
        .await;
    Ok(Verdict::check(told, expected, visit.shown()))
}

pub(super) async fn error(c: &mut Stage) -> Outcome {
    let mut visit = c.join().await?;
    let text = c.text();
    visit.link.send(&json!({"ERROR": format!("mistake {text}")})).await;
    visit.must_show(&text, "the text of ERROR").await?;
    Ok(Verdict::Pass)
}
