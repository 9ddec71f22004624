//! Times and reasons, as they are shown.

use chatterbox_proto::capability::commands::OutcomeCode;

use crate::commands::reply::Rejection;
use crate::config::room_text;

/// ` until 2026-11-29 18:05:00 UTC`, or nothing where it does not end: a part of a sentence.
pub(in crate::commands::family) fn until(until: Option<i64>) -> String {
    let until = until.and_then(|until| jiff::Timestamp::from_second(until).ok());
    until.map_or_else(String::new, |until| {
        format!(" until {} UTC", until.strftime("%Y-%m-%d %H:%M:%S"))
    })
}

/// A moment, for a list.
pub(super) fn at(at: i64) -> String {
    let at = jiff::Timestamp::from_second(at);
    at.map_or_else(|_| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

/// A reason, or another text that goes to others in one line.
///
/// # Errors
/// [`Rejection`] with `bad-arguments`: it is too long, or not one line of text.
pub(super) fn line(text: Option<String>, what: &str) -> Result<String, Rejection> {
    let text = room_text(&text.unwrap_or_default()).map_err(|error| {
        Rejection::new(OutcomeCode::BadArguments, format!("The {what}: {error}."))
    })?;
    Ok(text.as_ref().to_owned())
}
