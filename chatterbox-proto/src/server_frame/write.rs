//! The writer of small server frames, for the server. Frames that many receivers share (snapshots for new members,
//! broadcast batches) are assembled by the server itself.

use bytes::Bytes;

use crate::capability::notices::{self, ClosedCode};
use crate::capability::{Capabilities, Capability, accounts, ids};
use crate::fault::Faults;
use crate::frame::TooLong;
use crate::json::Object;
use crate::refusal::Refusal;

/// `{"USERNAME_ACCEPTED": false, "INFO": reason}` (TK-1).
///
/// # Errors
/// [`TooLong`] when it does not fit a frame.
pub fn refused(refusal: &Refusal) -> Result<Bytes, TooLong> {
    refusal_object(refusal).finish()
}

/// The same for who agreed to something: with `accounts` the machine word is in `CODE` (AN-3), with `notices` that of who is kept
/// out, and in `UNTIL` for how long (NO-5).
///
/// # Errors
/// [`TooLong`] when it does not fit a frame.
pub fn refused_with(refusal: &Refusal, agreed: Capabilities) -> Result<Bytes, TooLong> {
    let notices = agreed.has(Capability::Notices);
    let is_kept_out = matches!(refusal, Refusal::Banned(_) | Refusal::Kicked(_));
    let mut object = refusal_object(refusal);
    if agreed.has(Capability::Accounts) || (notices && is_kept_out) {
        object = object.string(accounts::CODE, refusal.word());
    }
    if let Some(until) = refusal.until().filter(|_| notices) {
        object = object.integer(ids::UNTIL, until);
    }
    object.finish()
}

fn refusal_object(refusal: &Refusal) -> Object {
    Object::with_capacity(128)
        .boolean("USERNAME_ACCEPTED", false)
        .string("INFO", &refusal.to_string())
}

/// `{"ERROR": text}` for all faults of one frame (IV-1, IV-5).
///
/// # Errors
/// [`TooLong`] when it does not fit a frame.
pub fn error(faults: &Faults) -> Result<Bytes, TooLong> {
    error_object(faults).finish()
}

/// `{"ERROR": text, "CLOSED": {CODE, INFO, UNTIL, RETRY}}`, the last frame of a connection that agreed to `notices` (NO-3).
///
/// # Errors
/// [`TooLong`] when it does not fit a frame.
pub fn closed(
    code: ClosedCode,
    error: &str,
    info: &str,
    until: Option<i64>,
    retry: Option<u32>,
) -> Result<Bytes, TooLong> {
    notices::closed(error, info, code, until, retry).finish()
}

/// ERROR, with REFUSED behind it where a faulty message has an idempotency key (ID-4).
pub fn error_object(faults: &Faults) -> Object {
    let object = Object::with_capacity(128).string("ERROR", &faults.text());
    if faults.refused().is_empty() {
        return object;
    }
    object.members(&ids::refused(faults.refused()).into_members())
}
