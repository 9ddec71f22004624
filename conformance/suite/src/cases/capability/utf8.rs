//! `utf8`: text without escapes.

use conformance_kit::wire::frame::Frame;

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

const UTF8: &str = "utf8";
const OFFER: &str = "utf8/1";

/// Letters, ideographs, a character beyond the basic plane.
const ORDINARY: &str = "\u{e9}\u{df}\u{416}\u{6f22}\u{1f642}\u{1d11e}";
/// Control, bidirectional formatting and invisible characters beyond ASCII, none of which any reading counts among the others.
const ESCAPED: [char; 7] =
    ['\u{85}', '\u{200b}', '\u{202e}', '\u{2066}', '\u{2069}', '\u{2060}', '\u{feff}'];

pub const CASES: &[Case] = &[
    Case::must("utf8.agreed", "CP-2", |c| Box::pin(agreed(c, UTF8)))
        .asks("utf8/1 is agreed to")
        .hint(AGREED_HINT)
        .needs(&["cap.answer"])
        .extension(UTF8)
        .killed_by(&[Fault::NothingAgreed]),
    Case::must("utf8.raw", "U8-1", |c| Box::pin(raw(c)))
        .asks("Characters beyond ASCII come as UTF-8")
        .hint("json.dumps(..., ensure_ascii=False).encode('utf-8'), and count the bytes.")
        .needs(&["utf8.agreed", "framing.escapes"])
        .extension(UTF8)
        .killed_by(&[Fault::StillEscaped]),
    Case::must("utf8.controls", "U8-1", |c| Box::pin(controls(c)))
        .asks("Control, bidirectional formatting and invisible characters stay escaped")
        .hint("Escape what could act on a terminal or hide in a text; the rest goes out as it is.")
        .needs(&["utf8.raw"])
        .extension(UTF8)
        .killed_by(&[Fault::ControlsRaw]),
    Case::must("utf8.same-values", "U8-1", |c| Box::pin(same_values(c)))
        .asks("The values are the same with and without utf8")
        .hint("Only the spelling changes; beware of characters beyond the basic plane.")
        .needs(&["utf8.agreed", "framing.escapes"])
        .extension(UTF8)
        .killed_by(&[Fault::AstralLost]),
    Case::must("utf8.others", "CP-5", |c| Box::pin(others(c)))
        .asks("Who did not agree on utf8 gets the same bytes, whether the sender did or not")
        .hint("Write each frame in the way of the connection that it goes to.")
        .needs(&["utf8.raw"])
        .extension(UTF8)
        .killed_by(&[Fault::RawFromWhoAgreed]),
];

/// The frame in which a text arrives.
async fn frame_of(peer: &mut Peer, text: &str) -> Result<Frame, Verdict> {
    let holds = |frame: &Frame| {
        frame.messages().iter().any(|message| message.content == text).then(|| frame.clone())
    };
    match peer.find(Mark::START, holds).await {
        Some(frame) => Ok(frame),
        None => {
            let expected = format!("{} gets the message {text:?}", peer.role);
            Err(Verdict::fail(expected, peer.heard(Mark::START)))
        }
    }
}

fn contains(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len()).any(|window| window == part)
}

async fn raw(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let text = format!("{} {ORDINARY}", c.text());
    ann.say(&text).await;
    let frame = frame_of(&mut bob, &text).await?;
    let expected = format!("the bytes of {ORDINARY:?} in UTF-8");
    let shown = conformance_kit::escape::bytes(&frame.body, 200);
    Ok(Verdict::check(contains(&frame.body, ORDINARY.as_bytes()), expected, shown))
}

async fn controls(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join("ann").await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    for odd in ESCAPED {
        let text = format!("{} \u{e9}{odd}\u{e9}", c.text());
        ann.say(&text).await;
        let frame = frame_of(&mut bob, &text).await?;
        if contains(&frame.body, odd.to_string().as_bytes()) {
            let expected = format!("U+{:04X} escaped", u32::from(odd));
            return Ok(Verdict::fail(expected, conformance_kit::escape::bytes(&frame.body, 200)));
        }
    }
    Ok(Verdict::Pass)
}

async fn same_values(c: &mut ServerHands) -> Outcome {
    let mut ann = c.join_with("ann", OFFER).await?;
    let mut bob = c.join_with("bob", OFFER).await?;
    let mut carl = c.join("carl").await?;
    let odd: String = ESCAPED.iter().collect();
    for text in [ORDINARY.to_owned(), odd, "\"\\/\u{0}\n\u{10ffff}\u{e000}".to_owned()] {
        let text = format!("{} {text}", c.text());
        ann.say(&text).await;
        frame_of(&mut carl, &text).await?;
        frame_of(&mut bob, &text).await?;
    }
    Ok(Verdict::Pass)
}

/// The body of a message's frame without its text, names and time: how it is spelled.
fn spelling(frame: &Frame, mark: &str) -> String {
    let body = String::from_utf8_lossy(&frame.body).into_owned();
    let from = body.find(mark).map_or(0, |at| at + mark.len());
    let text = body.get(from..).unwrap_or_default();
    text.split('"').next().unwrap_or_default().to_owned()
}

async fn others(c: &mut ServerHands) -> Outcome {
    let mut bob = c.join("bob").await?;
    // How the server spells for bob what comes from a base client; then from a user with utf8, who writes raw.
    let mut spellings = Vec::new();
    for offer in [None, Some(OFFER)] {
        let mut ann = match offer {
            Some(offer) => c.join_with("ann", offer).await?,
            None => c.join("ann").await?,
        };
        let mark = c.text();
        let text = format!("{mark} {ORDINARY}");
        let message = ServerHands::message(&ann.name, "ALL", &text);
        let object = serde_json::json!({"MESSAGES": [message]});
        if offer.is_some() {
            ann.send_body(object.to_string().as_bytes()).await;
        } else {
            ann.send(&object).await;
        }
        spellings.push(spelling(&frame_of(&mut bob, &text).await?, &mark));
    }
    let same = spellings.first() == spellings.last();
    // Which spelling that is is open (JS-4).
    let expected = "a base client gets the same spelling, whoever speaks";
    Ok(Verdict::check(same, expected, spellings.join(" and ")))
}
