//! `cap`, first part: offers and their answers.

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use crate::{
    server::{
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

/// Reads an agreement strictly.
fn words(frame: &Frame) -> Result<Vec<(String, u16)>, String> {
    let answer = frame.key("CAPABILITIES").ok_or("no CAPABILITIES in the welcome")?;
    let text = answer.as_str().ok_or_else(|| format!("CAPABILITIES is {answer}"))?;
    text.split(' ')
        .filter(|word| !word.is_empty())
        .map(|word| {
            let parts = word.split_once('/');
            let read = parts.and_then(|(name, n)| Some((name.to_owned(), n.parse().ok()?)));
            read.filter(|(_, version)| *version > 0).ok_or_else(|| format!("{word:?} is no word"))
        })
        .collect()
}

/// Joins with an offer; the welcome.
async fn welcomed(c: &mut ServerHands, offer: &str) -> Result<(Peer, Frame), Verdict> {
    let mut ann = c.connect("ann").await?;
    let name = c.name("ann");
    match ann.offer(&name, offer, &[]).await {
        Some(frame) if frame.accepted() == Some(true) => Ok((ann, frame)),
        _ => {
            let expected =
                format!("USERNAME_ACCEPTED: true for a free name with the offer {offer:?}");
            Err(Verdict::fail(expected, ann.heard(Mark::START)))
        }
    }
}

pub(super) async fn answered(c: &mut ServerHands) -> Outcome {
    let whole = c.whole_offer();
    let last = whole.split(' ').next_back().unwrap_or_default().to_owned();
    for offer in [whole, last].iter().filter(|offer| !offer.is_empty()) {
        let (_, welcome) = welcomed(c, offer).await?;
        let expected = format!(
            "in the answer to the offer {offer:?} CAPABILITIES, a string of words of the offer, each once"
        );
        let agreed = match words(&welcome) {
            Ok(agreed) => agreed,
            Err(why) => return Ok(Verdict::fail(expected, why)),
        };
        let fits = |(name, version): &(String, u16)| {
            *version == 1 && offer.split(' ').any(|word| word.strip_suffix("/1") == Some(name))
        };
        let mut names: Vec<_> = agreed.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        if !agreed.iter().all(fits) || names.len() != agreed.len() {
            return Ok(Verdict::fail(expected, format!("{agreed:?}")));
        }
    }
    Ok(Verdict::Pass)
}

pub(super) async fn unknown_ignored(c: &mut ServerHands) -> Outcome {
    let (_, welcome) = welcomed(c, "fancy/3 ping/1 tomorrow/1").await?;
    let agreed = words(&welcome).map_err(|why| Verdict::fail("a sound answer", why))?;
    let foreign = agreed.iter().any(|(name, _)| name != "ping");
    Ok(Verdict::check(
        !foreign,
        "no capability that nobody knows is agreed to",
        format!("{agreed:?}"),
    ))
}

pub(super) async fn every_word(c: &mut ServerHands) -> Outcome {
    let long = "x".repeat(32);
    for word in ["a/1", "7/1", "-/1", "0-9/12", "x-y-z/999", &format!("{long}/1")] {
        welcomed(c, &format!("ping/1 {word}")).await?;
    }
    Ok(Verdict::Pass)
}

pub(super) async fn spaces_ignored(c: &mut ServerHands) -> Outcome {
    let whole = c.whole_offer();
    let offer = format!("  {}  ", whole.replace(' ', "   "));
    let (_, spaced) = welcomed(c, &offer).await?;
    let (_, plain) = welcomed(c, &whole).await?;
    let both = (spaced.capabilities(), plain.capabilities());
    let expected = "the same agreement with extra spaces in the offer as without";
    Ok(Verdict::check(both.0.is_some() && both.0 == both.1, expected, format!("{both:?}")))
}

pub(super) async fn nothing_agreed(c: &mut ServerHands) -> Outcome {
    let (_, welcome) = welcomed(c, "fancy/3").await?;
    let expected = "CAPABILITIES: \"\" for an offer of which the server speaks nothing";
    let answer = welcome.key("CAPABILITIES");
    Ok(Verdict::check(answer == Some(&json!("")), expected, format!("{answer:?}")))
}

pub(super) async fn versions(c: &mut ServerHands) -> Outcome {
    let claimed = c.shared.claims().spoken();
    if claimed.is_empty() {
        return Ok(Verdict::not_applicable(
            "no capability is claimed whose version could be asked",
        ));
    }
    let offer: Vec<_> = claimed.iter().map(|name| format!("{name}/999")).collect();
    let (_, welcome) = welcomed(c, &offer.join(" ")).await?;
    let agreed = words(&welcome).map_err(|why| Verdict::fail("a sound answer", why))?;
    let missing =
        claimed.iter().find(|name| !agreed.iter().any(|(known, n)| known == *name && *n <= 999));
    let expected =
        "who offers version 999 speaks the lower ones, too: each claimed capability is agreed to";
    Ok(Verdict::check(missing.is_none(), expected, format!("{agreed:?}")))
}

/// Offers that are none; each is answered with ERROR, and its name stays free.
async fn refused(c: &mut ServerHands, offers: &[Value]) -> Outcome {
    let name = c.name("ann");
    for offer in offers {
        let mut ann = c.connect("ann").await?;
        let answer = ann.offer_value(&name, offer, &[]).await;
        let joined = ann.frames(Mark::START).iter().any(|frame| frame.accepted() == Some(true));
        let error = answer.is_some_and(|frame| frame.error().is_some());
        if !error || joined {
            let shown = conformance_kit::escape::shorten(&offer.to_string(), 60);
            let expected = format!("ERROR for the offer {shown}, and no joining");
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        }
        c.dismiss(ann).await;
    }
    Ok(Verdict::Pass)
}

pub(super) async fn wrong_types(c: &mut ServerHands) -> Outcome {
    refused(c, &[json!(["ids/1"]), json!({"ids": 1}), json!(1), json!(true), json!(null)]).await
}

pub(super) async fn wrong_words(c: &mut ServerHands) -> Outcome {
    let long = format!("{}/1", "x".repeat(33));
    let words = [
        "ids",
        "ids/",
        "/1",
        "ids/0",
        "ids/1000",
        "ids/one",
        "ids/-1",
        "ids/1.0",
        "ids/1/1",
        "IDS/1",
        "i_d/1",
        "\u{e4}/1",
        "ids/1,ping/1",
        "ids/1\tping/1",
        &long,
    ];
    let offers: Vec<_> = words.iter().map(|word| json!(format!("ping/1 {word}"))).collect();
    refused(c, &offers).await
}

pub(super) async fn twice(c: &mut ServerHands) -> Outcome {
    refused(c, &[json!("ids/1 ping/1 ids/1"), json!("fancy/1 fancy/2")]).await
}

pub(super) async fn too_long(c: &mut ServerHands) -> Outcome {
    let name = |n: usize| format!("x-{n:029}/1");
    let words: Vec<_> = (0..31).map(name).collect();
    // 31 words of 33 bytes with 30 spaces between them are 1,053 bytes; blanks count like everything else.
    let blank = format!("ping/1{}", " ".repeat(1_024 - 5));
    refused(c, &[json!(words.join(" ")), json!(blank)]).await?;
    let fits = format!("ping/1{}", " ".repeat(1_024 - 6));
    welcomed(c, &fits).await?;
    refused(c, &[json!(words.join(" ")), json!(blank)]).await
}

pub(super) async fn name_stays_free(c: &mut ServerHands) -> Outcome {
    let name = c.name("ann");
    let mut ann = c.connect("ann").await?;
    ann.offer(&name, "ids/1 ids/1", &[]).await;
    // While that connection is still there.
    let mut other = c.connect("other").await?;
    let answer = other.ask_for(&name).await;
    let expected = "the name beside a malformed offer is free for somebody else";
    let heard = other.heard(Mark::START);
    c.dismiss(ann).await;
    Ok(Verdict::check(answer == Some(true), expected, heard))
}

pub(super) async fn first_frame(c: &mut ServerHands) -> Outcome {
    let mut ann = c.connect("ann").await?;
    let (name, offer) = (c.name("ann"), c.whole_offer());
    ann.offer(&name, &offer, &[("PING", json!(71))]).await;
    ann.send(&json!({"PING": 72})).await;
    let pong = ann.find(Mark::START, |frame| frame.key("PONG").cloned()).await;
    let expected = "no PONG for the PING beside the offer, one for the PING behind it";
    Ok(Verdict::check(pong == Some(json!(72)), expected, ann.heard(Mark::START)))
}

pub(super) async fn late(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let since = ann.mark();
    let offer = c.whole_offer();
    ann.send(&json!({"CAPABILITIES": offer})).await;
    ann.expect_error(since, "an offer of who has joined").await?;
    // Whatever became of the offer: the session goes on by the base protocol.
    ann.send(&json!({"PING": 7, "MESSAGES": []})).await;
    c.fence(&mut bob, &mut ann).await?;
    let more = |frame: &&Frame| {
        frame.object().is_some_and(|object| {
            object.keys().any(|key| !crate::invariants::BASE_KEYS.contains(&key.as_str()))
        })
    };
    Ok(match ann.frames(since).iter().find(more) {
        Some(frame) => Verdict::fail(
            "a late offer changes nothing",
            conformance_kit::escape::bytes(&frame.body, 200),
        ),
        None => Verdict::Pass,
    })
}

pub(super) async fn without_name(c: &mut ServerHands) -> Outcome {
    let mut ann = c.connect("ann").await?;
    let offer = c.whole_offer();
    ann.send(&json!({"CAPABILITIES": offer})).await;
    ann.expect_error(Mark::START, "an offer without USERNAME").await?;
    let name = c.name("ann");
    if ann.ask_for(&name).await != Some(true) {
        // Whether a connection is good after an ERROR is the business of `errors.keeps-connection`.
        return Ok(Verdict::Pass);
    }
    let welcome = ann.welcome();
    let kept = welcome.is_some_and(|welcome| welcome.key("CAPABILITIES").is_some());
    let expected = "no CAPABILITIES for who came without an offer beside the name";
    Ok(Verdict::check(!kept, expected, ann.heard(Mark::START)))
}

pub(super) async fn retry(c: &mut ServerHands) -> Outcome {
    let holder = c.join("holder").await?;
    let offer = c.whole_offer();
    // First with an offer, then without; then the other way round.
    for first in [true, false] {
        let mut ann = c.connect("ann").await?;
        let name = c.name("ann");
        if first {
            ann.offer(&holder.name, &offer, &[]).await;
        } else {
            ann.ask_for(&holder.name).await;
        }
        let since = ann.mark();
        let welcome = if first {
            ann.ask_for(&name).await;
            ann.welcome()
        } else {
            ann.offer(&name, &offer, &[]).await
        };
        let Some(welcome) = welcome.filter(|frame| frame.accepted() == Some(true)) else {
            if ann.is_closed() || ann.is_stuck() {
                return Ok(Verdict::not_applicable("the server closes after a refusal (TK-3)"));
            }
            let expected = "a second, free name is accepted after a refusal";
            return Ok(Verdict::fail(expected, ann.heard(since)));
        };
        if welcome.key("CAPABILITIES").is_some() == first {
            let expected =
                "the offer beside the accepted name counts, not the one beside the refused name";
            return Ok(Verdict::fail(expected, conformance_kit::escape::bytes(&welcome.body, 200)));
        }
        ann.close(Closing::Polite).await;
    }
    Ok(Verdict::Pass)
}

pub(super) async fn limits(c: &mut ServerHands) -> Outcome {
    let (_, welcome) = welcomed(c, "ping/1").await?;
    let limits = welcome.key("LIMITS").and_then(Value::as_object);
    let whole = limits.is_some_and(|limits| {
        limits.values().all(|value| value.is_u64())
            && ["FRAME", "USERNAME"].iter().all(|key| limits.contains_key(*key))
    });
    let expected = "LIMITS, an object of integers with FRAME and USERNAME";
    Ok(Verdict::check(whole, expected, format!("{:?}", welcome.key("LIMITS"))))
}

pub(super) async fn limits_hold(c: &mut ServerHands) -> Outcome {
    let (mut ann, welcome) = welcomed(c, "ping/1").await?;
    let limit = |key: &str| welcome.key("LIMITS")?.get(key)?.as_u64()?.try_into().ok();
    let (Some(frame), Some(name)): (Option<usize>, Option<usize>) =
        (limit("FRAME"), limit("USERNAME"))
    else {
        return Ok(Verdict::inconclusive("no LIMITS"));
    };
    let mut bob = c.join("bob").await?;
    if frame <= 32 << 20 {
        let text = c.text();
        let message = ServerHands::message(&ann.name, &bob.name, &text);
        let object = json!({"MESSAGES": [message]}).to_string();
        let mut body = object.into_bytes();
        body.resize(frame, b' ');
        let bytes = c.shared.quirks().reads.frame(&body);
        ann.send_bytes(&bytes).await;
        let came = |frame: &Frame| frame.messages().into_iter().find(|m| m.content == text);
        let patience = c.patience() * u32::try_from(2 + (frame >> 20)).unwrap_or(u32::MAX);
        if bob.find_within(patience, Mark::START, came).await.is_none() {
            let expected = format!("a body of {frame} bytes, as LIMITS says, is taken");
            return Ok(Verdict::missing(
                expected,
                format!("{}; {}", bob.heard(Mark::START), ann.heard(Mark::START)),
            ));
        }
    }
    if (1..=1_000).contains(&name) {
        let mut longest = c.connect("longest").await?;
        let text = format!("L{}", c.nonces.letters(name - 1));
        let answer = longest.ask_for(&text).await;
        if answer != Some(true) {
            let expected = format!("a name of {name} letters, as LIMITS says, is accepted");
            return Ok(Verdict::fail(expected, longest.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}
