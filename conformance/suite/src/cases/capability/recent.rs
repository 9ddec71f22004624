//! `recent`: a welcome with the newest messages alone.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::agreed::{AGREED_HINT, agreed};
use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const RECENT: &str = "recent";
const OFFER: &str = "recent/1";

/// The group. Most of it asks what the newest messages are, so nobody else talks meanwhile.
pub const CASES: &[Case] = &[
    Case::must("recent.agreed", "CP-2", |c| Box::pin(agreed(c, RECENT)))
        .asks("recent/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(RECENT)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("recent.newest", "RC-1", |c| Box::pin(newest(c)))
        .asks("With RECENT n the welcome has the newest n messages, oldest first, and MORE")
        .hint("Take the end of what the welcome would hold; MORE is true when something was left out.")
        .needs(&["recent.agreed", "history.public"])
        .extension(RECENT)
        .alone()
        .killed_by(&[Fault::RecentIgnored, Fault::RecentOldest, Fault::RecentNeverMore]),
    Case::must("recent.zero", "RC-1", |c| Box::pin(zero(c)))
        .asks("With RECENT 0 the welcome has an empty list, and MORE")
        .hint("0 is a number like others: {\"MESSAGES\": [], \"MORE\": true} when something was said.")
        .needs(&["recent.agreed", "history.public"])
        .extension(RECENT)
        .killed_by(&[Fault::RecentZeroIsAll]),
    Case::must("recent.base", "RC-1", |c| Box::pin(base(c)))
        .asks("Without RECENT, or without the capability, the whole history comes and no MORE")
        .hint("Agreeing changes nothing by itself; RECENT of who did not offer the capability is an unknown key.")
        .needs(&["recent.agreed", "history.public"])
        .extension(RECENT)
        .killed_by(&[Fault::RecentByDefault]),
    Case::must("recent.malformed", "RC-1", |c| Box::pin(malformed(c)))
        .asks("A RECENT that is no integer from 0 to 1,000 is answered with ERROR, and the name is not taken")
        .hint("Check it with the offer, before the name is looked at.")
        .needs(&["recent.agreed"])
        .extension(RECENT)
        .killed_by(&[Fault::RecentUnchecked]),
];

/// Joins with these keys beside the name; the welcome.
async fn welcomed(
    c: &mut ServerHands,
    offer: &str,
    recent: Option<Value>,
) -> Result<(Peer, Frame), Verdict> {
    let mut ann = c.connect("ann").await?;
    let name = c.name("ann");
    let more: Vec<_> = recent.iter().map(|value| ("RECENT", value.clone())).collect();
    match ann.offer(&name, offer, &more).await {
        Some(frame) if frame.accepted() == Some(true) => Ok((ann, frame)),
        _ => {
            let expected =
                format!("USERNAME_ACCEPTED: true with the offer {offer:?} and RECENT {recent:?}");
            Err(Verdict::fail(expected, ann.heard(Mark::START)))
        }
    }
}

/// Something is said, so that there is a history; the texts.
async fn talked(c: &mut ServerHands) -> Result<Vec<String>, Verdict> {
    let (mut bob, mut carl) = (c.join("bob").await?, c.join("carl").await?);
    let texts: Vec<String> = (0..5).map(|_| c.text()).collect();
    for text in &texts {
        bob.say(text).await;
        carl.expect_content(text).await?;
    }
    Ok(texts)
}

fn contents(welcome: &Frame) -> Vec<String> {
    welcome.messages().into_iter().map(|message| message.content).collect()
}

fn count(welcome: &Frame) -> Option<usize> {
    Some(welcome.key("MESSAGES")?.as_array()?.len())
}

async fn newest(c: &mut ServerHands) -> Outcome {
    let texts = talked(c).await?;
    let ids = c.shared.claims().has("ids");
    let offer = if ids { "ids/1 recent/1" } else { OFFER };
    let (mut ann, welcome) = welcomed(c, offer, Some(json!(3))).await?;
    let wanted: Vec<_> = texts.iter().skip(2).cloned().collect();
    if contents(&welcome) != wanted || welcome.key("MORE") != Some(&json!(true)) {
        let expected = format!("the newest three, oldest first, and MORE true: {wanted:?}");
        return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
    }
    if ids {
        let numbered = welcome.numbered();
        let expected = "IDS as long as the messages that are there";
        numbered.map_err(|why| Verdict::fail(expected, why))?;
    }
    // As many as there are, and one fewer.
    let (_, whole) = welcomed(c, OFFER, None).await?;
    let all = contents(&whole);
    for (n, more) in [(all.len(), false), (all.len().saturating_sub(1), true)] {
        if n > 1_000 {
            continue;
        }
        let (mut ann, welcome) = welcomed(c, OFFER, Some(json!(n))).await?;
        let same = all.iter().skip(usize::from(more)).eq(contents(&welcome).iter());
        if !same || welcome.key("MORE") != Some(&json!(more)) {
            let expected = format!("with RECENT {n} of {} messages MORE {more}", all.len());
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}

async fn zero(c: &mut ServerHands) -> Outcome {
    talked(c).await?;
    let (mut ann, welcome) = welcomed(c, OFFER, Some(json!(0))).await?;
    let empty = count(&welcome) == Some(0) && welcome.key("MORE") == Some(&json!(true));
    let expected = "MESSAGES: [] and MORE: true with RECENT 0";
    Ok(Verdict::check(empty, expected, ann.heard(Mark::START)))
}

async fn base(c: &mut ServerHands) -> Outcome {
    let texts = talked(c).await?;
    for (offer, recent) in [(OFFER, None), ("x-other/1", Some(json!(1)))] {
        let (mut ann, welcome) = welcomed(c, offer, recent.clone()).await?;
        let got = contents(&welcome);
        let whole = texts.iter().all(|text| got.contains(text));
        if !whole || welcome.key("MORE").is_some() {
            let expected = format!(
                "the whole history and no MORE with the offer {offer:?} and RECENT {recent:?} (None: not there)"
            );
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        }
    }
    // And beside a name without any offer.
    let mut dora = c.connect("dora").await?;
    dora.name = c.name("dora");
    let joining = json!({"USERNAME": dora.name, "RECENT": 1});
    dora.send(&joining).await;
    let past = |frame: &Frame| frame.key("MESSAGES").is_some().then(|| frame.messages());
    let past = dora.find(Mark::START, past).await.unwrap_or_default();
    let whole = texts.iter().all(|text| past.iter().any(|message| message.content == *text));
    let expected = "the whole history for a base client, whatever unknown key it sends";
    Ok(Verdict::check(whole, expected, dora.heard(Mark::START)))
}

async fn malformed(c: &mut ServerHands) -> Outcome {
    let name = c.name("eve");
    let bad = [
        json!(-1),
        json!(1_001),
        json!(1.5),
        json!("5"),
        json!([5]),
        json!({}),
        json!(true),
        json!(18_446_744_073_709_551_615_u64),
    ];
    for recent in bad {
        let mut eve = c.connect("eve").await?;
        let answer = eve.offer(&name, OFFER, &[("RECENT", recent.clone())]).await;
        if answer.is_none_or(|frame| frame.accepted().is_some()) {
            let expected = format!("ERROR for RECENT {recent}");
            return Ok(Verdict::fail(expected, eve.heard(Mark::START)));
        }
        c.dismiss(eve).await;
    }
    let mut eve = c.connect("eve").await?;
    let free = eve.offer(&name, OFFER, &[("RECENT", json!(1_000))]).await;
    let free = free.is_some_and(|frame| frame.accepted() == Some(true));
    let expected = "the name is free, and RECENT 1000 is taken";
    Ok(Verdict::check(free, expected, eve.heard(Mark::START)))
}
