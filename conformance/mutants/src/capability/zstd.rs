//! `zstd`: compressed frames, in both directions.

use conformance_kit::wire::zstd::{WINDOW, compress, frame_length, header, unlabelled, unpack};
use conformance_suite::fault::Fault;
use serde_json::{Value, json};

use crate::faults::Faults;

/// A shorter body is not compressed.
const WORTH: usize = 1024;

/// The most that is inflated where nothing is bounded.
const UNBOUNDED: u64 = 256 << 20;

/// The compressed form of a body, where it has one.
pub(crate) fn packed(object: &Value, text: &str, f: &Faults) -> Option<Vec<u8>> {
    let resumed = object.get("RESUMED") == Some(&json!(true));
    if resumed && !f.acts(Fault::ZstdResumed) {
        return None;
    }
    if is_private(object) && !(resumed || f.acts(Fault::ZstdPrivate)) {
        return None;
    }
    if text.len() < WORTH {
        return f.acts(Fault::ZstdAlways).then(|| compress(text.as_bytes()));
    }
    let mut body = compress(text.as_bytes());
    if object.get("MESSAGES").is_some() && f.acts(Fault::ZstdOtherValues) {
        let mut other = object.clone();
        _ = other.get_mut("MESSAGES").and_then(Value::as_array_mut).and_then(Vec::pop);
        body = compress(other.to_string().as_bytes());
    }
    if f.acts(Fault::ZstdWithoutSize) {
        body = unlabelled(&body)?;
    }
    (body.len() <= text.len() - text.len() / 10).then_some(body)
}

/// Whether a message between two is in an object, or a page of them.
fn is_private(object: &Value) -> bool {
    let page = object.get("HISTORY");
    let of_two = |page: &Value| page.get("WITH").is_some_and(|with| *with != "ALL");
    let to_one = |message: &Value| message.get(1).is_some_and(|to| *to != "ALL");
    let messages = object.get("MESSAGES").and_then(Value::as_array);
    page.is_some_and(of_two) || messages.is_some_and(|all| all.iter().any(to_one))
}

/// What is inside a compressed body of a client, at most so many bytes.
pub(crate) fn inflated(body: &[u8], most: usize, f: &Faults) -> Result<Vec<u8>, &'static str> {
    const DAMAGED: &str = "that can't be inflated";
    let says = header(body).ok_or(DAMAGED)?;
    if says.size.is_none() && !f.acts(Fault::ZstdSizeOptional) {
        return Err("how long is it?");
    }
    if says.dictionary != 0 && !f.acts(Fault::ZstdDictionaryTaken) {
        return Err("no dictionaries, please");
    }
    if says.window.is_some_and(|window| window > WINDOW) && !f.acts(Fault::ZstdWindowUnchecked) {
        return Err("that window is too large");
    }
    let most = most as u64;
    let long = says.size.is_some_and(|size| size > most) && !f.acts(Fault::ZstdUnbounded);
    if long {
        return Err("that would be too long");
    }
    // What has been looked at need not be looked at by libzstd.
    let plain = unlabelled(body).ok_or(DAMAGED)?;
    let end = frame_length(&plain).ok_or(DAMAGED)?;
    if end != plain.len() && !f.acts(Fault::ZstdTrailingTaken) {
        return Err("something stands behind it");
    }
    let bound = if f.has(Fault::ZstdUnbounded) { UNBOUNDED } else { most + 1 };
    let inflated = unpack(plain.get(..end).unwrap_or_default(), bound).map_err(|_| DAMAGED)?;
    let right = says.size.is_none_or(|size| size == inflated.len() as u64);
    if !right && !f.acts(Fault::ZstdSizeUnchecked) {
        return Err("it is not as long as it says");
    }
    Ok(inflated)
}
