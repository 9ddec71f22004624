//! `ping`: asking whether the other end is there, and how far it has come (PI-1).

use crate::json::Object;

/// Asks.
pub const PING: &str = "PING";
/// Answers, with the number that was asked with.
pub const PONG: &str = "PONG";

/// `PING n`.
pub fn ping(number: i64) -> Object {
    Object::with_capacity(32).integer(PING, number)
}

/// `PONG n`.
pub fn pong(number: i64) -> Object {
    Object::with_capacity(32).integer(PONG, number)
}
