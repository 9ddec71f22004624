//! `ids`: messages have numbers.

use conformance_kit::wire::{extended::Numbered, frame::Frame};
use serde_json::{Map, Value};

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

/// The extension, and the offer.
const IDS: &str = "ids";
const OFFER: &str = "ids/1";

pub const CASES: &[Case] = &[
    Case::must("ids.agreed", "CP-2", |c| Box::pin(agreed(c, IDS)))
        .asks("ids/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(IDS)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("ids.live", "ID-1", |c| Box::pin(live(c)))
        .asks("Messages arrive with IDS, one id for each message")
        .hint("IDS stands beside MESSAGES in the same object, as long as it; an id is a number.")
        .needs(&["ids.agreed", "bcast.all-others"])
        .extension(IDS)
        .killed_by(&[Fault::NoIdsLive, Fault::IdsAsStrings]),
    Case::must("ids.welcome", "ID-1", |c| Box::pin(in_welcome(c)))
        .asks("The history in the welcome comes with IDS, an empty one too")
        .hint("The welcome is no exception: IDS beside MESSAGES, of the same length.")
        .needs(&["ids.agreed", "history.public"])
        .extension(IDS)
        .killed_by(&[Fault::NoIdsInWelcome, Fault::IdsTooFew]),
    Case::must("ids.rising", "ID-2", |c| Box::pin(rising(c)))
        .asks("Ids of later messages are greater, within one frame and between users")
        .hint("One counter for the whole server, taken where messages get their order.")
        .needs(&["ids.live"])
        .extension(IDS)
        .killed_by(&[Fault::IdsFalling]),
    Case::must("ids.same-for-all", "ID-2", |c| Box::pin(same_for_all(c)))
        .asks("Everybody gets a message with the same id")
        .hint("The id belongs to the message: give it once, before the message is passed on.")
        .needs(&["ids.live"])
        .extension(IDS)
        .killed_by(&[Fault::IdsPerReceiver]),
    Case::must("ids.stable", "ID-2", |c| Box::pin(stable(c)))
        .asks("Whoever joins later gets a message with the id that it had")
        .hint("Keep the id with the message; don't count anew when the history is sent.")
        .needs(&["ids.live", "ids.welcome"])
        .extension(IDS)
        .killed_by(&[Fault::IdsRenumbered]),
    Case::must("ids.private", "ID-2", |c| Box::pin(private(c)))
        .asks("Private messages have ids, in the same row as public ones")
        .hint("Count private messages, too: a receiver sees gaps, and that is all right.")
        .needs(&["ids.live", "private.delivered"])
        .extension(IDS)
        .killed_by(&[Fault::PrivateWithoutId]),
    Case::must("ids.times", "ID-9", |c| Box::pin(times(c)))
        .asks("Where TIMES stands beside IDS, it has a time for every id")
        .hint("TIMES is a list as long as IDS, of integers, and of nulls where the id is null.")
        .needs(&["ids.live", "ids.welcome"])
        .extension(IDS)
        .killed_by(&[Fault::TimesTooFew, Fault::TimesAsText]),
];

async fn live(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let since = bob.mark();
    let texts = [c.text(), c.text(), c.text()];
    let messages: Vec<_> =
        texts.iter().map(|text| ServerHands::message(&ann.name, "ALL", text)).collect();
    ann.send(&serde_json::json!({"MESSAGES": messages})).await;
    for text in &texts {
        bob.expect_content(text).await?;
    }
    c.fence(&mut ann, &mut bob).await?;
    let expected =
        "IDS beside every MESSAGES, a list of the same length of integers from 1 to 2^53 - 1";
    for frame in bob.frames(since) {
        let all = frame.numbered().map_err(|why| Verdict::fail(expected, why))?;
        let lacks = |one: &&Numbered| one.id.is_none() && texts.contains(&one.message.content);
        if all.iter().any(|one| lacks(&one)) {
            return Ok(Verdict::fail(expected, "null for a message of a user"));
        }
    }
    Ok(Verdict::Pass)
}

async fn in_welcome(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    c.fence(&mut ann, &mut bob).await?;
    let mut carl = c.join_with("carl", OFFER).await?;
    let expected = "IDS in the welcome, a list as long as MESSAGES of integers from 1 to 2^53 - 1";
    let Some(welcome) = carl.welcome() else { return Ok(Verdict::inconclusive("no welcome")) };
    let all = welcome.numbered().map_err(|why| Verdict::fail(expected, why))?;
    let listed = welcome.key("MESSAGES").and_then(Value::as_array).map(Vec::len);
    if welcome.key("IDS").is_none() || listed == Some(0) {
        return Ok(Verdict::fail(expected, carl.heard(Mark::START)));
    }
    let missing = all.iter().find(|one| one.id.is_none());
    Ok(match missing {
        Some(one) => {
            Verdict::fail("an id for every message of the history", format!("null for {one:?}"))
        }
        None => Verdict::Pass,
    })
}

/// Says something that the other one gets; its id there.
async fn said(
    c: &mut ServerHands,
    from: &mut Peer,
    to: &mut Peer,
) -> Result<(String, u64), Verdict> {
    let text = c.text();
    from.say(&text).await;
    let id = to.id_of(&text).await?;
    Ok((text, id))
}

async fn rising(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let mut carl = c.join_with("carl", OFFER).await?;
    let mut ids = vec![said(c, &mut ann, &mut carl).await?.1];
    let texts = [c.text(), c.text(), c.text()];
    let messages: Vec<_> =
        texts.iter().map(|text| ServerHands::message(&bob.name, "ALL", text)).collect();
    bob.send(&serde_json::json!({"MESSAGES": messages})).await;
    for text in &texts {
        ids.push(carl.id_of(text).await?);
    }
    ids.push(said(c, &mut ann, &mut carl).await?.1);
    let rising = ids.is_sorted_by(|a, b| a < b);
    // And over everything that came, other cases' messages included: live frames follow the welcome.
    let all: Vec<u64> = carl.numbered(Mark::START).iter().filter_map(|one| one.id).collect();
    let everywhere = all.is_sorted_by(|a, b| a < b);
    let expected = "the id of each message is greater than that of the message before";
    Ok(Verdict::check(rising && everywhere, expected, format!("{ids:?}")))
}

async fn same_for_all(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let mut carl = c.join_with("carl", OFFER).await?;
    let (text, id) = said(c, &mut ann, &mut bob).await?;
    let other = carl.id_of(&text).await?;
    let expected = "bob and carl get the message with the same id";
    Ok(Verdict::check(id == other, expected, format!("{id} and {other}")))
}

async fn stable(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let (first, id) = said(c, &mut ann, &mut bob).await?;
    let (second, next) = said(c, &mut ann, &mut bob).await?;
    let mut carl = c.join_with("carl", OFFER).await?;
    let later = (carl.id_of(&first).await?, carl.id_of(&second).await?);
    let expected = format!("the ids {id} and {next} in the history of who joins later");
    Ok(Verdict::check(later == (id, next), expected, format!("{later:?}")))
}

async fn private(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let mut ids = Vec::new();
    for round in 0..4 {
        let text = c.text();
        let dest = if round % 2 == 0 { "ALL".to_owned() } else { bob.name.clone() };
        ann.tell(&dest, &text).await;
        ids.push(bob.id_of(&text).await?);
    }
    let rising = ids.is_sorted_by(|a, b| a < b);
    Ok(Verdict::check(rising, "rising ids over public and private messages", format!("{ids:?}")))
}

/// Whether the times of an object fit its ids; `None` when it has none, which is allowed.
fn timed(object: &Map<String, Value>) -> Option<bool> {
    let times = object.get("TIMES")?.as_array();
    let ids = object.get("IDS").and_then(Value::as_array);
    let (Some(times), Some(ids)) = (times, ids) else { return Some(false) };
    let fits = |(time, id): (&Value, &Value)| {
        (id.is_null() && time.is_null()) || (!id.is_null() && (time.is_u64() || time.is_i64()))
    };
    Some(times.len() == ids.len() && times.iter().zip(ids).all(fits))
}

async fn times(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    said(c, &mut ann, &mut bob).await?;
    let mut carl = c.join_with("carl", OFFER).await?;
    said(c, &mut ann, &mut carl).await?;
    carl.send(&serde_json::json!({"HISTORY": {"WITH": "ALL", "LIMIT": 5}})).await;
    carl.find(Mark::START, |frame| frame.key("HISTORY").cloned()).await;
    let mut seen = 0;
    for frame in carl.frames(Mark::START) {
        let Some(object) = frame.object() else { continue };
        let page = object.get("HISTORY").and_then(Value::as_object);
        for object in [Some(object), page].into_iter().flatten() {
            match timed(object) {
                Some(false) => {
                    let expected = "TIMES, a list as long as IDS, of integers, and of nulls where the id is null";
                    let shown = conformance_kit::escape::bytes(&frame.body, 300);
                    return Ok(Verdict::fail(expected, shown));
                }
                fits => seen += usize::from(fits.is_some()),
            }
        }
    }
    if seen == 0 {
        return Ok(Verdict::not_applicable("no TIMES beside IDS, which a server may leave out"));
    }
    Ok(Verdict::Pass)
}

/// What a frame is for the cases about tags: whether it tells of this tag at all.
pub(super) fn tells_of(frame: &Frame, tag: &str) -> bool {
    frame.ack(tag).is_some() || frame.refusal(tag).is_some()
}
