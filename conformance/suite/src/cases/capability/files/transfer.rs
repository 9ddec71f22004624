//! Uploads and downloads: what the cases about files have in common.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use conformance_kit::wire::frame::Frame;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::{
    cases::capability::{calling::Owner, membership::account_with},
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::Verdict,
};

/// What a user of files speaks, whatever else is claimed.
pub(super) const OFFER: &str = "accounts/1 files/1 ids/1 meta/1";
/// The same for who makes an account.
pub(super) const SENDER: &str = "accounts/1 commands/1 files/1 ids/1 meta/1";
/// The same for members of rooms.
pub(super) const MEMBER: &str = "accounts/1 commands/1 files/1 ids/1 meta/1 rename/1 rooms/1";

/// The longest piece of a file.
pub(super) const CHUNK: usize = 16 * 1024;

/// A file that a case sends.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

/// Bytes that no other case sends.
pub(super) fn sent(c: &mut ServerHands, size: usize) -> Sent {
    let seed = c.nonces.letters(61).into_bytes();
    let bytes = (0_usize..)
        .zip(seed.iter().cycle())
        .map(|(n, letter)| letter.wrapping_add(u8::try_from(n / 61 % 251).unwrap_or_default()))
        .take(size)
        .collect();
    Sent { name: format!("{}.bin", c.nonces.letters(8)), bytes }
}

/// SHA-256 in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Somebody with an account, and so of level 1.
pub(super) async fn sender(c: &mut ServerHands, role: &str) -> Result<(Peer, Owner), Verdict> {
    account_with(c, role, SENDER).await
}

/// The same among members of rooms.
pub(super) async fn owner_of_rooms(
    c: &mut ServerHands,
    role: &str,
) -> Result<(Peer, Owner), Verdict> {
    account_with(c, role, MEMBER).await
}

/// What a frame says about files.
pub(super) fn file(frame: &Frame) -> Option<&Value> {
    frame.key("FILE").filter(|value| value.is_object())
}

/// What is said of the file with this token.
fn of_token<'f>(frame: &'f Frame, token: &str) -> Option<&'f Value> {
    file(frame).filter(|file| file.get("FILE").and_then(Value::as_str) == Some(token))
}

/// The word of a refusal, or of the end of a transfer.
pub(super) fn code(file: &Value) -> Option<&str> {
    file.get("CODE").and_then(Value::as_str)
}

pub(super) fn number(value: &Value, key: &str) -> Option<usize> {
    usize::try_from(value.get(key)?.as_u64()?).ok()
}

/// An upload or a download that has begun.
#[derive(Debug, Clone)]
pub(super) struct Begun {
    pub(super) token: String,
    pub(super) at: usize,
    /// Of an upload: how far it may go.
    pub(super) credit: usize,
    /// Where the answer was.
    pub(super) since: Mark,
}

/// The object of FILE_PUT.
pub(super) fn wish(id: &str, to: &str, sent: &Sent) -> Value {
    json!({"ID": id, "TO": to, "NAME": sent.name, "SIZE": sent.bytes.len(),
        "SHA256": sha256(&sent.bytes)})
}

/// Sends a request with an ID; what FILE says to it.
pub(super) async fn ask(
    peer: &mut Peer,
    key: &str,
    request: Value,
) -> Result<(Value, Mark), Verdict> {
    let since = peer.mark();
    let id = request.get("ID").cloned().unwrap_or_default();
    peer.send(&json!({key: request})).await;
    let answer = |frame: &Frame| file(frame).filter(|file| file.get("ID") == Some(&id)).cloned();
    match peer.find(since, answer).await {
        Some(file) => Ok((file, since)),
        None => {
            let expected = format!("FILE with the ID of {key}");
            Err(Verdict::missing(expected, peer.heard(since)))
        }
    }
}

/// What is said to FILE_PUT.
pub(super) async fn put(
    c: &mut ServerHands,
    peer: &mut Peer,
    to: &str,
    sent: &Sent,
) -> Result<(Value, Mark), Verdict> {
    let id = c.nonces.letters(10);
    ask(peer, "FILE_PUT", wish(&id, to, sent)).await
}

/// Begins an upload.
pub(super) async fn begin(
    c: &mut ServerHands,
    peer: &mut Peer,
    to: &str,
    sent: &Sent,
) -> Result<Begun, Verdict> {
    let (file, since) = put(c, peer, to, sent).await?;
    let token = file.get("FILE").and_then(Value::as_str).map(str::to_owned);
    let found = (token, number(&file, "AT"), number(&file, "CREDIT"));
    let (Some(token), Some(at), Some(credit)) = found else {
        let expected = "FILE {\"ID\", \"FILE\": token, \"AT\", \"CREDIT\"}";
        return Err(Verdict::fail(expected, file.to_string()));
    };
    if token.len() < 22 {
        let expected = "a token of 128 random bits, which are 22 characters at least";
        return Err(Verdict::fail(expected, token));
    }
    if at > sent.bytes.len() || credit > sent.bytes.len().max(at) && credit < at {
        let expected = "AT is a place in the file, and CREDIT is not before it";
        return Err(Verdict::fail(expected, file.to_string()));
    }
    Ok(Begun { token, at, credit, since })
}

/// Sends one piece of a file.
pub(super) async fn send_piece(peer: &mut Peer, token: &str, at: usize, piece: &[u8]) {
    let data = STANDARD.encode(piece);
    peer.send(&json!({"FILE_CHUNK": {"FILE": token, "AT": at, "DATA": data}})).await;
}

/// Sends what is left of an upload up to a place, as far as the credit goes each time.
pub(super) async fn send_up_to(
    peer: &mut Peer,
    begun: &mut Begun,
    sent: &Sent,
    end: usize,
) -> Result<(), Verdict> {
    while begun.at < end {
        let to = end.min(begun.at + CHUNK).min(begun.credit);
        if to == begun.at {
            let (token, credit) = (begun.token.clone(), begun.credit);
            let further = |frame: &Frame| {
                let credit_of = frame.key("FILE_CREDIT")?;
                let is = credit_of.get("FILE").and_then(Value::as_str) == Some(&token);
                number(credit_of, "UPTO").filter(|upto| is && *upto > credit)
            };
            let Some(upto) = peer.find(begun.since, further).await else {
                let expected = format!("FILE_CREDIT beyond {credit} of an upload");
                return Err(Verdict::missing(expected, peer.heard(begun.since)));
            };
            begun.credit = upto;
            continue;
        }
        let piece = sent.bytes.get(begun.at..to).unwrap_or_default();
        send_piece(peer, &begun.token, begun.at, piece).await;
        begun.at = to;
    }
    Ok(())
}

/// Waits for the end of a transfer: what FILE says of it then.
pub(super) async fn end_of(peer: &mut Peer, token: &str, since: Mark) -> Result<Value, Verdict> {
    let ends = |frame: &Frame| {
        let file = of_token(frame, token)?;
        let is_end = file.get("DONE") == Some(&json!(true)) || code(file).is_some();
        is_end.then(|| file.clone())
    };
    match peer.find(since, ends).await {
        Some(file) => Ok(file),
        None => {
            let expected = "FILE with the token, and DONE or CODE, at the end of a transfer";
            Err(Verdict::missing(expected, peer.heard(since)))
        }
    }
}

/// Uploads a file wholly; its token.
pub(super) async fn upload(
    c: &mut ServerHands,
    peer: &mut Peer,
    to: &str,
    sent: &Sent,
) -> Result<String, Verdict> {
    let mut begun = begin(c, peer, to, sent).await?;
    send_up_to(peer, &mut begun, sent, sent.bytes.len()).await?;
    let end = end_of(peer, &begun.token, begun.since).await?;
    if end.get("DONE") == Some(&json!(true)) && end.get("UNTIL").is_some_and(Value::is_i64) {
        return Ok(begun.token);
    }
    let expected = "FILE {\"FILE\": token, \"DONE\": true, \"UNTIL\": seconds since 1970}";
    Err(Verdict::fail(expected, end.to_string()))
}

/// Sends a message with META; the tag.
pub(super) async fn with_meta(
    c: &mut ServerHands,
    peer: &mut Peer,
    dest: &str,
    text: &str,
    meta: &Value,
) -> (String, Mark) {
    let (since, tag) = (peer.mark(), c.nonces.letters(12));
    let message = ServerHands::message(&peer.name, dest, text);
    peer.send(&json!({"MESSAGES": [message], "TAGS": [tag], "META": [meta]})).await;
    (tag, since)
}

/// Announces a file; the text of the message.
pub(super) async fn announce(
    c: &mut ServerHands,
    peer: &mut Peer,
    dest: &str,
    token: &str,
) -> Result<String, Verdict> {
    let text = c.text();
    let (tag, since) = with_meta(c, peer, dest, &text, &json!({"FILE": token})).await;
    peer.acked(since, &tag).await?;
    Ok(text)
}

/// Uploads a file, and announces it.
pub(super) async fn share(
    c: &mut ServerHands,
    peer: &mut Peer,
    to: &str,
    sent: &Sent,
) -> Result<String, Verdict> {
    let token = upload(c, peer, to, sent).await?;
    announce(c, peer, to, &token).await?;
    Ok(token)
}

/// What META says of the file that a message with this text announces.
pub(super) fn announced(frame: &Frame, text: &str) -> Option<Value> {
    let messages = frame.key("MESSAGES")?.as_array()?;
    let place = messages.iter().position(|message| message.get(3) == Some(&json!(text)))?;
    let meta = frame.key("META").and_then(|meta| meta.get(place)).cloned();
    Some(meta.and_then(|meta| meta.get("FILE").cloned()).unwrap_or_default())
}

/// What is said to FILE_GET.
pub(super) async fn get(
    c: &mut ServerHands,
    peer: &mut Peer,
    token: &str,
    at: usize,
    credit: usize,
) -> Result<(Value, Mark), Verdict> {
    let id = c.nonces.letters(10);
    let request = json!({"ID": id, "FILE": token, "AT": at, "CREDIT": credit});
    ask(peer, "FILE_GET", request).await
}

/// The same, when it has to be granted.
pub(super) async fn granted(
    c: &mut ServerHands,
    peer: &mut Peer,
    token: &str,
    at: usize,
    credit: usize,
) -> Result<Mark, Verdict> {
    let (file, since) = get(c, peer, token, at, credit).await?;
    if code(&file).is_none() && number(&file, "AT") == Some(at) {
        return Ok(since);
    }
    let expected = format!("FILE with AT {at} for {}, who can read the message", peer.role);
    Err(Verdict::fail(expected, file.to_string()))
}

/// A piece of a file as it came.
pub(super) fn piece(frame: &Frame, token: &str) -> Option<(usize, Vec<u8>)> {
    let chunk = frame.key("FILE_CHUNK")?;
    let is = chunk.get("FILE").and_then(Value::as_str) == Some(token);
    let data = STANDARD.decode(chunk.get("DATA")?.as_str()?).ok()?;
    is.then_some((number(chunk, "AT")?, data))
}

/// What has come of a file since a mark, from a place on: without gap and overlap, in pieces that are not too long.
pub(super) fn received(
    peer: &mut Peer,
    token: &str,
    since: Mark,
    from: usize,
) -> Result<Vec<u8>, Verdict> {
    let mut all = Vec::new();
    for (at, data) in peer.frames(since).iter().filter_map(|frame| piece(frame, token)) {
        if data.len() > CHUNK || data.is_empty() {
            let expected = format!("chunks of 1 to {CHUNK} bytes");
            return Err(Verdict::fail(expected, format!("one of {}", data.len())));
        }
        if at != from + all.len() {
            let expected = format!("the next chunk at {}", from + all.len());
            return Err(Verdict::fail(expected, format!("one at {at}")));
        }
        all.extend(data);
    }
    Ok(all)
}

/// Fetches a file wholly, with more credit whenever half of it is used up.
pub(super) async fn fetch(
    c: &mut ServerHands,
    peer: &mut Peer,
    token: &str,
    size: usize,
) -> Result<Vec<u8>, Verdict> {
    let since = granted(c, peer, token, 0, 8 * CHUNK).await?;
    let mut credit = 8 * CHUNK;
    while credit < size {
        come_to(peer, token, since, credit - 4 * CHUNK).await?;
        credit += 4 * CHUNK;
        extend(peer, token, credit).await;
    }
    is_done(peer, token, since).await?;
    received(peer, token, since, 0)
}

pub(super) async fn extend(peer: &mut Peer, token: &str, upto: usize) {
    peer.send(&json!({"FILE_CREDIT": {"FILE": token, "UPTO": upto}})).await;
}

/// Waits until a fetch has come to a place.
pub(super) async fn come_to(
    peer: &mut Peer,
    token: &str,
    since: Mark,
    place: usize,
) -> Result<(), Verdict> {
    let is_there = |frame: &Frame| {
        let (at, data) = piece(frame, token)?;
        (at + data.len() >= place).then_some(())
    };
    match peer.find(since, is_there).await {
        Some(()) => Ok(()),
        None => {
            let expected = format!("FILE_CHUNKs up to {place}, for which there was credit");
            Err(Verdict::missing(expected, peer.heard(since)))
        }
    }
}

/// Waits for the end of a fetch, which is that all was sent.
pub(super) async fn is_done(peer: &mut Peer, token: &str, since: Mark) -> Result<(), Verdict> {
    let end = end_of(peer, token, since).await?;
    if end.get("DONE") == Some(&json!(true)) {
        return Ok(());
    }
    Err(Verdict::fail("FILE with DONE behind the last chunk", end.to_string()))
}

/// Checks that a file can't be fetched: it is `expired` for who asks.
pub(super) async fn is_expired(
    c: &mut ServerHands,
    peer: &mut Peer,
    token: &str,
    why: &str,
) -> Result<Value, Verdict> {
    let (file, _) = get(c, peer, token, 0, CHUNK).await?;
    if code(&file) == Some("expired") {
        return Ok(file);
    }
    Err(Verdict::fail(format!("expired for {}: {why}", peer.role), file.to_string()))
}

/// Checks that a message was refused, and reached nobody.
pub(super) async fn is_refused(
    peer: &mut Peer,
    reader: &mut Peer,
    c: &mut ServerHands,
    (tag, since): (String, Mark),
    text: &str,
    why: &str,
) -> Result<(), Verdict> {
    let answer = |frame: &Frame| match (frame.ack(&tag), frame.refusal(&tag), frame.error()) {
        (Some(_), ..) => Some(false),
        (None, Some(_), _) | (None, None, Some(_)) => Some(true),
        _ => None,
    };
    match peer.find(since, answer).await {
        Some(true) => {}
        Some(false) => return Err(Verdict::fail(format!("REFUSED: {why}"), peer.heard(since))),
        None => {
            let expected = format!("REFUSED or ERROR: {why}");
            return Err(Verdict::missing(expected, peer.heard(since)));
        }
    }
    c.fence(peer, reader).await?;
    if reader.count(text) > 0 {
        let expected = format!("nobody gets the message: {why}");
        return Err(Verdict::fail(expected, reader.heard(Mark::START)));
    }
    Ok(())
}
