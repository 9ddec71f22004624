//! `cap`: how capabilities are offered and agreed, and that they are nobody else's business.

use std::collections::BTreeMap;

use conformance_kit::wire::frame::Frame;
use serde_json::{Value, json};

use super::offers;
use crate::{
    claims::{NEGOTIATION, offer_of},
    fault::Fault,
    invariants::BASE_KEYS,
    server::{
        Case,
        hands::ServerHands,
        peer::{Closing, Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const MALFORMED: &str = "Read the offer before you look at the name: check that it is a string, at most 1,024 bytes, of words name/version, no name twice; otherwise answer ERROR.";

pub const CASES: &[Case] = &[
    Case::must("cap.answer", "CP-2", |c| Box::pin(offers::answered(c)))
        .asks("An offer is answered with the words that are agreed, and none that were not offered")
        .hint("Go through the offer and keep the words that you speak; the answer is a string, as the offer is.")
        .needs(&["join.accept"])
        .extension(NEGOTIATION)
        .killed_by(&[
            Fault::OfferUnanswered,
            Fault::OfferAnsweredByList,
            Fault::AgreesAboveOffer,
            Fault::AgreesToUnoffered,
        ]),
    Case::must("cap.words", "CP-1", |c| Box::pin(offers::every_word(c)))
        .asks("Every word that is well formed may stand in an offer")
        .hint("A name is 1 to 32 of a-z, 0-9 and -, a version 1 to 999; nothing says that it begins with a letter.")
        .needs(&["cap.answer"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::OfferWordsNarrow]),
    Case::must("cap.unknown", "CP-2", |c| Box::pin(offers::unknown_ignored(c)))
        .asks("Names that the server does not know are ignored in an offer")
        .hint("An unknown word is no error: clients of tomorrow offer more than you know.")
        .needs(&["cap.answer"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::UnknownOfferRefused]),
    Case::must("cap.spaces", "CP-2", |c| Box::pin(offers::spaces_ignored(c)))
        .asks("Extra spaces in an offer are ignored")
        .hint("Split at spaces and leave out what is empty.")
        .needs(&["cap.answer"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::SpacesInOfferRefused]),
    Case::must("cap.empty", "CP-2", |c| Box::pin(offers::nothing_agreed(c)))
        .asks("An offer of which nothing is agreed is answered with an empty string")
        .hint("The client has to learn that the offer was read: send CAPABILITIES: \"\".")
        .needs(&["cap.answer"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::EmptyAnswerLeftOut]),
    Case::must("cap.version", "CP-2", |c| Box::pin(offers::versions(c)))
        .asks("A version above the server's own is agreed to in the server's")
        .hint("The version of an offer is the highest that the client speaks: answer with the lower one of the two.")
        .needs(&["cap.answer"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::HigherOfferIgnored]),
    Case::must("cap.wrong-type", "CP-3", |c| Box::pin(offers::wrong_types(c)))
        .asks("An offer that is no string is answered with ERROR")
        .hint(MALFORMED)
        .needs(&["join.accept"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::OfferOfWrongTypeIgnored]),
    Case::must("cap.wrong-word", "CP-3", |c| Box::pin(offers::wrong_words(c)))
        .asks("A word of an offer that is none is answered with ERROR")
        .hint(MALFORMED)
        .needs(&["join.accept"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::OfferWordsUnchecked]),
    Case::must("cap.twice", "CP-3", |c| Box::pin(offers::twice(c)))
        .asks("A name that stands twice in an offer is answered with ERROR")
        .hint(MALFORMED)
        .needs(&["join.accept"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::OfferTwiceTaken]),
    Case::must("cap.long", "CP-3", |c| Box::pin(offers::too_long(c)))
        .asks("An offer of more than 1,024 bytes is answered with ERROR, one of 1,024 is taken")
        .hint(MALFORMED)
        .needs(&["cap.spaces"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::OfferLengthUnchecked]),
    Case::must("cap.malformed-frees", "CP-3", |c| Box::pin(offers::name_stays_free(c)))
        .asks("A malformed offer does not take the name")
        .hint(MALFORMED)
        .needs(&["join.accept"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::MalformedOfferTakesName]),
    Case::must("cap.first-frame", "CP-4", |c| Box::pin(offers::first_frame(c)))
        .asks("In the frame with the offer, keys of capabilities don't count yet")
        .hint("What is agreed is in force from the welcome on: take the rest of that frame by the base protocol.")
        .needs(&["cap.answer"])
        .extension(NEGOTIATION)
        .also(&["ping"])
        .killed_by(&[Fault::FirstFrameExtended]),
    Case::must("cap.late", "CP-4", |c| Box::pin(offers::late(c)))
        .asks("An offer of who has joined is answered with ERROR and changes nothing")
        .hint("What was agreed with the name holds for the whole connection.")
        .needs(&["bcast.all-others"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::LateOfferIgnored, Fault::LateOfferTaken]),
    Case::must("cap.without-name", "CP-4", |c| Box::pin(offers::without_name(c)))
        .asks("An offer without USERNAME is answered with ERROR and is not kept")
        .hint("An offer stands beside the name that it is for.")
        .needs(&["join.accept"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::NamelessOfferIgnored, Fault::NamelessOfferKept]),
    Case::must("cap.retry", "CP-2", |c| Box::pin(offers::retry(c)))
        .asks("After a refused name the offer beside the accepted one counts")
        .hint("Keep what was offered only when the name was accepted.")
        .needs(&["cap.answer", "join.taken"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::RefusedOfferKept]),
    Case::must("cap.unasked", "CP-5", |c| Box::pin(unasked(c)))
        .asks("Who offered nothing gets no key of a capability, whatever others do")
        .hint("Look, for every receiver, at what that connection agreed on.")
        .needs(&["bcast.all-others"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::IdsToEverybody]),
    Case::must("cap.only-agreed", "CP-5", |c| Box::pin(only_agreed(c)))
        .asks("Who agreed on one capability gets no key of another one")
        .hint("Keep a set for each connection, not a single flag.")
        .needs(&["cap.answer", "bcast.all-others"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::AllOrNothing]),
    Case::must("cap.same-stream", "CP-5", |c| Box::pin(same_stream(c)))
        .asks("A base client gets the same frames whether the others speak capabilities or not")
        .hint("A capability changes what its own connection sees, and nothing else.")
        .needs(&["bcast.all-others", "private.delivered", "leave.fin"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::ExtendedUsersHidden, Fault::TagsShown])
        .alone(),
    Case::must("cap.unknown-keys", "CP-6", |c| Box::pin(unknown_keys(c)))
        .asks("Keys of capabilities that were not agreed are treated as any unknown key")
        .hint("Look at what was agreed before you look at the key.")
        .needs(&["bcast.all-others"])
        .extension(NEGOTIATION)
        .killed_by(&[
            Fault::PingWithoutOffer,
            Fault::TagsWithoutOffer,
            Fault::ResumeWithoutOfferRefused,
        ]),
    Case::should("cap.limits", "CP-7", |c| Box::pin(offers::limits(c)))
        .asks("The welcome of who offered says how long bodies and names may be")
        .hint("LIMITS: {\"FRAME\": bytes, \"USERNAME\": characters}, both numbers.")
        .needs(&["cap.answer"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::NoLimits, Fault::LimitsAsText]),
    Case::should("cap.limits-hold", "CP-7", |c| Box::pin(offers::limits_hold(c)))
        .asks("A body and a name as long as LIMITS says are taken")
        .hint("The limits are inclusive; FRAME counts the body, without the four bytes of the length.")
        .needs(&["cap.limits", "private.delivered"])
        .extension(NEGOTIATION)
        .killed_by(&[Fault::LimitsTooLarge])
        .heavy(),
];

/// The keys that a server sends where a capability was agreed.
const KEYS: [(&str, &[&str]); 15] = [
    ("accounts", &["ACCOUNT"]),
    ("commands", &["COMMANDS", "PREFIX", "RESULT", "PROMPT"]),
    ("devices", &[]),
    ("e2ee", &["KEYS", "KEYS_LOW"]),
    ("files", &["FILE", "FILE_CHUNK", "FILE_CREDIT", "FILE_STOP"]),
    ("ids", &["IDS", "TIMES", "ACKS", "REFUSED", "HISTORY", "RESUME", "RESUMED"]),
    ("marks", &["READ", "UNREAD"]),
    ("meta", &["META"]),
    ("notices", &["NOTICES", "CLOSED"]),
    ("ping", &["PING", "PONG"]),
    ("presence", &["PRESENCE"]),
    ("recent", &["MORE"]),
    ("rename", &["USERS_RENAMED"]),
    ("rooms", &["ROOMS", "DEFAULT", "ROOM_USERS_JOINED", "ROOM_USERS_LEFT", "ROOMS_LEFT"]),
    ("utf8", &[]),
];

/// A lively peer: speaks in every way that its capabilities allow.
async fn lively(c: &mut ServerHands, peer: &mut Peer, to: &str) {
    let (public, private) = (c.text(), c.text());
    let messages = [
        ServerHands::message(&peer.name, "ALL", &public),
        ServerHands::message(&peer.name, to, &private),
    ];
    let (first, second) = (c.nonces.letters(8), c.nonces.letters(8));
    peer.send(&json!({"MESSAGES": messages, "TAGS": [first, second]})).await;
    peer.send(&json!({"MESSAGES": [], "PING": 5, "HISTORY": {"WITH": "ALL", "LIMIT": 1}})).await;
}

async fn unasked(c: &mut ServerHands) -> Outcome {
    let (mut bob, mut carl) = (c.join("bob").await?, c.join("carl").await?);
    let offer = c.whole_offer();
    let mut ann = c.join_with("ann", &offer).await?;
    let name = bob.name.clone();
    lively(c, &mut ann, &name).await;
    c.fence(&mut ann, &mut bob).await?;
    let gone = ann.name.clone();
    ann.close(Closing::Polite).await;
    bob.find_left(Mark::START, &gone).await;
    let mut dora = c.join("dora").await?;
    c.fence(&mut carl, &mut dora).await?;
    c.fence(&mut dora, &mut bob).await?;
    for peer in [&mut bob, &mut dora] {
        if let Some(found) = foreign(peer, &BASE_KEYS) {
            let expected = format!("{} gets the keys of the base protocol alone", peer.role);
            return Ok(Verdict::fail(expected, found));
        }
    }
    Ok(Verdict::Pass)
}

/// A frame with a key of a capability that is not among these.
fn foreign(peer: &mut Peer, allowed: &[&str]) -> Option<String> {
    let known = |key: &String| KEYS.iter().any(|(_, keys)| keys.contains(&key.as_str()));
    let more = |frame: &&Frame| {
        frame.object().is_some_and(|object| {
            let keys = object.keys().filter(|key| known(key) || *key == "CAPABILITIES");
            keys.into_iter().any(|key| !allowed.contains(&key.as_str()))
        })
    };
    peer.frames(Mark::START)
        .iter()
        .find(more)
        .map(|frame| conformance_kit::escape::bytes(&frame.body, 200))
}

async fn only_agreed(c: &mut ServerHands) -> Outcome {
    let claimed: Vec<_> = c.shared.claims().capabilities().collect();
    let offer = c.whole_offer();
    let mut ann = c.join_with("ann", &offer).await?;
    for one in claimed {
        let alone = offer_of(one);
        let mut bob = c.join_with("bob", &alone).await?;
        let (to_bob, to_ann) = (bob.name.clone(), ann.name.clone());
        lively(c, &mut ann, &to_bob).await;
        lively(c, &mut bob, &to_ann).await;
        c.fence(&mut ann, &mut bob).await?;
        let agreed =
            |name: &str| alone.split(' ').any(|word| word.strip_suffix("/1") == Some(name));
        let own = KEYS.iter().filter(|(name, _)| agreed(name)).flat_map(|(_, keys)| keys.iter());
        let allowed: Vec<&str> = own.copied().chain(["CAPABILITIES"]).collect();
        if let Some(found) = foreign(&mut bob, &allowed) {
            let expected =
                format!("bob, who agreed on {alone} alone, gets no keys but {allowed:?}");
            return Ok(Verdict::fail(expected, found));
        }
    }
    Ok(Verdict::Pass)
}

/// The same traffic twice, around one base client: what it got of it, names and texts replaced by their roles.
async fn same_stream(c: &mut ServerHands) -> Outcome {
    let offer = c.whole_offer();
    let plain = traffic(c, None).await?;
    let extended = traffic(c, Some(&offer)).await?;
    let expected = format!("among users with capabilities: {plain}");
    Ok(Verdict::check(plain == extended, expected, extended))
}

async fn traffic(c: &mut ServerHands, offer: Option<&str>) -> Result<String, Verdict> {
    let mut base = c.join("base").await?;
    // Whoever sends the welcome in pieces is done with it now.
    let mut carl = c.join("carl").await?;
    c.fence(&mut carl, &mut base).await?;
    let since = base.mark();
    let mut roles = BTreeMap::from([(base.name.clone(), "base".to_owned())]);
    let mut others = Vec::new();
    for role in ["ann", "bob"] {
        let peer = match offer {
            Some(offer) => c.join_with(role, offer).await?,
            None => c.join(role).await?,
        };
        base.find_joined(since, &peer.name).await;
        roles.insert(peer.name.clone(), role.to_owned());
        others.push(peer);
    }
    let mut number = 0;
    for (from, to) in [(0, "ALL"), (1, "ALL"), (0, "base"), (1, "bob"), (0, "bob"), (1, "ALL")] {
        let names: Vec<_> = others.iter().map(|peer| peer.name.clone()).collect();
        let dest = match to {
            "base" => base.name.as_str(),
            "bob" => names.get(1).map_or("", String::as_str),
            other => other,
        };
        let Some(peer) = others.get_mut(from) else { continue };
        let text = c.nonces.text("\u{e9}t\u{e9} \u{1f642}");
        number += 1;
        roles.insert(text.clone(), format!("text {number}"));
        let mut object = json!({"MESSAGES": [ServerHands::message(&peer.name, dest, &text)]});
        if let (Some(object), true) = (object.as_object_mut(), offer.is_some()) {
            object.insert("TAGS".to_owned(), json!([format!("tag{number}")]));
            object.insert("PING".to_owned(), json!(number));
        }
        peer.send(&object).await;
        // Each arrives before the next is sent, so that nothing can be put together in one frame or in another order.
        if dest == "ALL" || to == "base" {
            base.find_message(since, |m| m.content == text).await;
        }
    }
    let text = c.text();
    roles.insert(text.clone(), "its own text".to_owned());
    base.say(&text).await;
    if let Some(bob) = others.get_mut(1) {
        bob.find_message(Mark::START, |m| m.content == text).await;
    }
    for peer in others {
        let name = peer.name.clone();
        peer.close(Closing::Polite).await;
        base.find_left(since, &name).await;
    }
    let frames = base.frames(since);
    let events: Vec<_> = frames.iter().flat_map(|frame| events(frame, &roles)).collect();
    Ok(events.join(" "))
}

/// What a frame tells of these users and texts: how much is put together in one frame is the server's choice, the order
/// is not.
fn events(frame: &Frame, roles: &BTreeMap<String, String>) -> Vec<String> {
    let Some(object) = frame.object() else { return vec!["no object".to_owned()] };
    let known = |name: &Value| name.as_str().is_some_and(|name| roles.contains_key(name));
    let mut told = Vec::new();
    for (key, value) in object {
        match (key.as_str(), value) {
            ("MESSAGES", Value::Array(list)) => {
                let ours = list.iter().filter(|message| message.get(0).is_some_and(known));
                told.extend(ours.map(|message| replaced(message, roles).to_string()));
            }
            ("USERS_JOINED" | "USERS_LEFT", Value::Array(list)) => {
                let ours = list.iter().filter(|name| known(name));
                told.extend(ours.map(|name| format!("{key} {}", replaced(name, roles))));
            }
            _ => told.push(format!("{key} {}", replaced(value, roles))),
        }
    }
    told
}

/// Names and texts by their roles, times by a word.
fn replaced(value: &Value, roles: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => json!(roles.get(text).unwrap_or(text)),
        Value::Number(_) => json!("number"),
        Value::Array(list) => list.iter().map(|value| replaced(value, roles)).collect(),
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.clone(), replaced(value, roles))).collect()
        }
        other => other.clone(),
    }
}

/// How a server reacts to a key alone, beside MESSAGES, and beside USERNAME.
async fn reactions(c: &mut ServerHands, key: &str, value: &Value) -> Result<[String; 3], Verdict> {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let since = ann.mark();
    let mut alone = json!({});
    let mut beside = json!({});
    let text = c.text();
    if let (Some(alone), Some(beside)) = (alone.as_object_mut(), beside.as_object_mut()) {
        alone.insert(key.to_owned(), value.clone());
        beside.insert(key.to_owned(), value.clone());
        beside
            .insert("MESSAGES".to_owned(), json!([ServerHands::message(&ann.name, "ALL", &text)]));
    }
    ann.send(&alone).await;
    c.fence(&mut ann, &mut bob).await.map_err(|_| {
        Verdict::fail("a session that goes on", format!("{key} alone: {}", ann.heard(since)))
    })?;
    c.fence(&mut bob, &mut ann).await?;
    let first = told(&mut ann, since, None);
    let since = ann.mark();
    ann.send(&beside).await;
    bob.find_message(Mark::START, |m| m.content == text).await;
    c.fence(&mut bob, &mut ann).await?;
    let second = told(&mut ann, since, Some(bob.count(&text)));
    let mut dora = c.connect("dora").await?;
    dora.name = c.name("dora");
    let name = dora.name.clone();
    let joining = json!({"USERNAME": name, key: value});
    dora.send(&joining).await;
    let answer = dora.find(Mark::START, |f| {
        f.accepted().map(|yes| yes.to_string()).or_else(|| f.error().map(|_| "ERROR".to_owned()))
    });
    let third = answer.await.unwrap_or_else(|| "nothing".to_owned());
    dora.close(Closing::Polite).await;
    Ok([first, second, third])
}

/// What came since a mark beyond messages and notices.
fn told(peer: &mut Peer, since: Mark, delivered: Option<usize>) -> String {
    let ordinary = ["MESSAGES", "USERS_JOINED", "USERS_LEFT"];
    let mut keys: Vec<String> = Vec::new();
    for object in peer.frames(since).iter().filter_map(Frame::object) {
        keys.extend(object.keys().filter(|key| !ordinary.contains(&key.as_str())).cloned());
    }
    match delivered {
        Some(times) => format!("delivered {times} time(s) and {keys:?}"),
        None => format!("{keys:?}"),
    }
}

async fn unknown_keys(c: &mut ServerHands) -> Outcome {
    let expected = reactions(c, "X_NOTE", &json!({"a": 1})).await?;
    let odd = [
        ("PING", json!(5)),
        ("PING", json!("x")),
        ("TAGS", json!(5)),
        ("TAGS", json!(["a"])),
        ("HISTORY", json!({"WITH": "ALL"})),
        ("RESUME", json!({"TOKEN": "none", "AFTER": 1})),
        ("RECENT", json!(1)),
        ("RECENT", json!("x")),
        ("PASSWORD", json!("secret")),
        ("TOKEN", json!("none")),
        ("COMMAND", json!({"ID": "1", "NAME": "help", "ARGS": []})),
        ("ANSWER", json!({"ID": "1", "TEXT": "x"})),
    ];
    for (key, value) in odd {
        let found = reactions(c, key, &value).await?;
        if found != expected {
            let expected = format!(
                "the reaction to {key} is that to any unknown key (alone, beside MESSAGES, beside USERNAME): {expected:?}"
            );
            return Ok(Verdict::fail(expected, format!("{found:?}")));
        }
    }
    Ok(Verdict::Pass)
}
