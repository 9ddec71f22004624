//! `framing`: bytes are bytes, however they arrive. The only group that splits, glues and uses
//! trap lengths.

use std::{future::ready, time::Duration};

use conformance_kit::wire::{
    ascii::{ascii, ordered},
    message::Message,
};
use serde_json::json;

use crate::{
    fault::Fault,
    server::{
        Case,
        hands::ServerHands,
        layers::Layer,
        peer::{Mark, Peer},
    },
    verdict::{Outcome, Verdict},
};

const READ_HINT: &str = "recv(n) returns up to n bytes: collect in a buffer until 4 bytes are there, then until as many as the length says are there.";
const GLUE_HINT: &str = "One read can bring several frames: after taking one out of the buffer, look whether another is complete, and keep the rest for later.";

pub const CASES: &[Case] = &[
    Case::open("framing.byte-order", "FR-2", |c| Box::pin(ready(byte_order(c))))
        .asks("Which byte order does the length have?")
        .needs(&["join.accept"])
        .killed_by(&[Fault::LittleEndian]),
    Case::must("framing.bytewise", "FR-3", |c| Box::pin(bytewise(c)))
        .asks("A frame that arrives byte by byte is one frame")
        .hint(READ_HINT)
        .needs(&["join.accept"])
        .excused_by(&["framing.split-header", "framing.split-body"])
        .killed_by(&[Fault::ThreeReadsAtMost]),
    Case::must("framing.split-header", "FR-3", |c| Box::pin(split_header(c)))
        .asks("A length that arrives in two pieces is one length")
        .hint(READ_HINT)
        .needs(&["join.accept"])
        .killed_by(&[Fault::SplitHeaderRaises]),
    Case::must("framing.split-body", "FR-3", |c| Box::pin(split_body(c)))
        .asks("A body that arrives in two pieces is one body")
        .hint(READ_HINT)
        .needs(&["join.accept"])
        .killed_by(&[Fault::OneReadOneBody]),
    Case::must("framing.coalesced", "FR-4", |c| Box::pin(coalesced(c)))
        .revised(2)
        .asks("Two frames in one write both count, once")
        .hint(GLUE_HINT)
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::SecondFrameDropped, Fault::SecondFrameWaits, Fault::DeafAfterGlue])
        .alone(),
    Case::must("framing.three-and-half", "FR-4", |c| Box::pin(three_and_half(c)))
        .revised(2)
        .asks("Two and a half frames, then the rest: all three count, once")
        .hint(GLUE_HINT)
        .needs(&["bcast.all-others"])
        .excused_by(&["framing.coalesced", "framing.split-body"])
        .killed_by(&[Fault::TailDropped])
        .alone(),
    Case::must("framing.len-123", "FR-1", |c| Box::pin(len_123(c)))
        .asks("A body of 123 bytes, whose length byte is 0x7B, the code of {")
        .hint("Take the first 4 bytes as the length; don't search the data for the first {.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::SearchesForBrace]),
    Case::must("framing.tls-record-span", "FR-3", |c| Box::pin(long(c, 20 * 1024)))
        .revised(2)
        .asks("A frame of 20 KiB, more than a TLS record holds, arrives intact")
        .hint(READ_HINT)
        .needs(&["bcast.all-others"])
        .excused_by(&["framing.split-body"])
        .killed_by(&[Fault::CutsAt16KiB]),
    Case::must("framing.over-64k", "LG-1", |c| Box::pin(long(c, 70_000)))
        .revised(2)
        .asks("A message of 70,000 bytes arrives intact")
        .hint("No fixed buffer, no 16-bit length; write everything (sendall, not send).")
        .needs(&["bcast.all-others"])
        .excused_by(&["framing.tls-record-span", "framing.bytewise", "framing.split-body"])
        .killed_by(&[Fault::CutsAt64KiB]),
    Case::must("framing.whitespace", "JS-2", |c| Box::pin(whitespace(c)))
        .asks("JSON with spaces and line breaks between its tokens means the same")
        .hint("Use a JSON parser; don't compare or cut the text yourself.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::RefusesWhitespace]),
    Case::must("framing.blank-in-front", "JS-1", |c| Box::pin(blank_in_front(c)))
        .asks("White space in front of the object is part of no key")
        .hint("Give the whole body to a JSON parser; don't look whether its first byte is {.")
        .needs(&["bcast.all-others"])
        .excused_by(&["framing.whitespace"])
        .killed_by(&[Fault::BlankInFrontRefused]),
    Case::must("framing.escapes", "JS-2", |c| Box::pin(escapes(c)))
        .asks("Escapes in JSON strings mean the characters that they stand for")
        .hint("Use a JSON parser, and json.dumps for what you send: quotes and backslashes need escapes again.")
        .needs(&["bcast.all-others"])
        .killed_by(&[Fault::EscapesKept]),
    Case::should("framing.raw-utf8", "JS-3", |c| Box::pin(raw_utf8(c)))
        .asks("Unescaped UTF-8 in a message arrives")
        .hint("Decode the body as utf-8, not as ascii.")
        .needs(&["framing.escapes"])
        .killed_by(&[Fault::AsciiOnly]),
];

fn byte_order(c: &ServerHands) -> Outcome {
    c.has(Layer::Length)?;
    let quirks = c.shared.quirks();
    let value = if quirks.sends == quirks.reads {
        quirks.sends.describe().to_owned()
    } else {
        format!("sends {}, reads {}", quirks.sends.describe(), quirks.reads.describe())
    };
    Ok(Verdict::observed("the length", value))
}

/// The frame with which somebody asks for a name.
fn asking(peer: &Peer, name: &str) -> Vec<u8> {
    peer.frame(ascii(&json!({"USERNAME": name})).as_bytes())
}

async fn accepted(ann: &mut Peer, how: &str) -> Outcome {
    let answer = ann.find(Mark::START, conformance_kit::wire::frame::Frame::accepted).await;
    let expected = format!("USERNAME_ACCEPTED: true for a USERNAME {how}");
    Ok(Verdict::came(answer == Some(true), expected, ann.heard(Mark::START)))
}

async fn bytewise(c: &mut ServerHands) -> Outcome {
    let mut ann = c.connect("ann").await?;
    ann.name = c.name("ann");
    for byte in asking(&ann, &ann.name) {
        ann.send_bytes(&[byte]).await;
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    accepted(&mut ann, "sent byte by byte").await
}

async fn split_header(c: &mut ServerHands) -> Outcome {
    split_at(c, |_| 2, "whose length comes in two pieces").await
}

async fn split_body(c: &mut ServerHands) -> Outcome {
    split_at(c, |length| length - 12, "whose body comes in two pieces").await
}

async fn split_at(c: &mut ServerHands, at: impl Fn(usize) -> usize, how: &str) -> Outcome {
    let mut ann = c.connect("ann").await?;
    ann.name = c.name("ann");
    let bytes = asking(&ann, &ann.name);
    let (head, tail) = bytes.split_at(at(bytes.len()).min(bytes.len()));
    ann.send_bytes(head).await;
    // Long enough that the first piece is read alone.
    c.settle().await;
    ann.send_bytes(tail).await;
    accepted(&mut ann, how).await
}

/// The frame of a public message.
fn saying(peer: &Peer, content: &str) -> Vec<u8> {
    let message = ServerHands::message(&peer.name, "ALL", content);
    peer.frame(ascii(&json!({"MESSAGES": [message]})).as_bytes())
}

/// Every text must arrive, without help by later traffic, and as often as a single one does; and the
/// connection must be good for more.
async fn all_once(
    c: &mut ServerHands,
    ann: &mut Peer,
    bob: &mut Peer,
    texts: &[String],
) -> Outcome {
    for text in texts {
        bob.expect_content(text).await?;
    }
    let usual = c.counted_fence(ann, bob).await?;
    let times: Vec<_> = texts.iter().map(|text| bob.count(text)).collect();
    let alike = times.iter().all(|times| *times == usual);
    let expected = format!("each message {usual} time(s), as a single one");
    Ok(Verdict::check(alike, expected, format!("{times:?} times")))
}

async fn coalesced(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let texts = [c.text(), c.text()];
    let glued: Vec<u8> = texts.iter().flat_map(|text| saying(&ann, text)).collect();
    ann.send_bytes(&glued).await;
    all_once(c, &mut ann, &mut bob, &texts).await
}

async fn three_and_half(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let texts = [c.text(), c.text(), c.text()];
    let glued: Vec<u8> = texts.iter().flat_map(|text| saying(&ann, text)).collect();
    // The frames are equally long: five sixths are two and a half of them.
    let (head, tail) = glued.split_at(glued.len() / 6 * 5);
    ann.send_bytes(head).await;
    c.settle().await;
    ann.send_bytes(tail).await;
    all_once(c, &mut ann, &mut bob, &texts).await
}

async fn len_123(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let mut text = c.text();
    let body = |text: &str| {
        ascii(&json!({"MESSAGES": [ServerHands::message(&ann.name, "ALL", text)]})).into_bytes()
    };
    let missing = 123_usize.saturating_sub(body(&text).len());
    text.push_str(&"x".repeat(missing));
    let body = body(&text);
    // Not through `Peer::frame`, which avoids exactly this length.
    let bytes = c.shared.quirks().reads.frame(&body);
    ann.send_bytes(&bytes).await;
    bob.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

async fn long(c: &mut ServerHands, length: usize) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let nonce = c.text();
    let text = format!("{nonce} {} end", "0123456789".repeat(length / 10));
    // In private, so that it is not in everybody's history for ever; how private messages go is not
    // the question here.
    let dests = [bob.name.clone(), "ALL".to_owned()];
    for dest in dests {
        ann.tell_in_pieces(&dest, &text).await;
        let came = |m: &Message| m.content.starts_with(&nonce);
        match bob.find_message(Mark::START, came).await {
            Some(message) if message.content == text => return Ok(Verdict::Pass),
            Some(message) => {
                return Ok(Verdict::fail(
                    format!("the message of {} bytes, whole", text.len()),
                    format!("{} bytes of it", message.content.len()),
                ));
            }
            None => {}
        }
    }
    Ok(Verdict::missing(
        format!("bob gets the message of {} bytes", text.len()),
        format!("{}; {}", bob.heard(Mark::START), ann.heard(Mark::START)),
    ))
}

async fn blank_in_front(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    let message = ServerHands::message(&ann.name, "ALL", &text);
    let body = format!(" \n\t{}", ascii(&json!({"MESSAGES": [message]})));
    ann.send_body(body.as_bytes()).await;
    bob.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

async fn whitespace(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let text = c.text();
    let now = conformance_kit::clock::unix_seconds();
    let body = format!(
        "{{\n\t\"MESSAGES\" :\r\n [ [ \"{}\" ,\n \"ALL\", {now} , \"{text}\" ] ] }}\n",
        ann.name
    );
    ann.send_body(body.as_bytes()).await;
    bob.expect_content(&text).await?;
    Ok(Verdict::Pass)
}

async fn escapes(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let nonce = c.text();
    let now = conformance_kit::clock::unix_seconds();
    let spelled = r#"\u00e9 \" \\ \/ \t \ud83d\ude00 \u0041"#;
    let body = format!(r#"{{"MESSAGES": [["{}", "ALL", {now}, "{nonce} {spelled}"]]}}"#, ann.name);
    ann.send_body(body.as_bytes()).await;
    same(&mut bob, &nonce, &format!("{nonce} é \" \\ / \t 😀 A")).await
}

async fn raw_utf8(c: &mut ServerHands) -> Outcome {
    let (mut ann, mut bob) = (c.join("ann").await?, c.join("bob").await?);
    let nonce = c.text();
    let text = format!("{nonce} naïve 漢字 😀");
    let message = ServerHands::message(&ann.name, "ALL", &text);
    let body = ordered(&json!({"MESSAGES": [message]}));
    ann.send_body(body.as_bytes()).await;
    same(&mut bob, &nonce, &text).await
}

/// The message that holds the nonce must be this one.
async fn same(bob: &mut Peer, nonce: &str, text: &str) -> Outcome {
    match bob.find_message(Mark::START, |m| m.content.contains(nonce)).await {
        Some(message) => {
            Ok(Verdict::check(message.content == text, text, message.content.as_str()))
        }
        None => Ok(Verdict::missing(format!("bob gets {text:?}"), bob.heard(Mark::START))),
    }
}
