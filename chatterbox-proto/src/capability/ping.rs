//! `ping`: a liveness check, which also measures the round trip (PI-1).

use crate::json::Object;

/// A probe, with a number of the sender's choice.
pub const PING: &str = "PING";
/// The answer, with the number of the PING.
pub const PONG: &str = "PONG";

/// The frame `{"PING": number}`.
pub fn ping(number: i64) -> Object {
    Object::with_capacity(32).integer(PING, number)
}

/// The frame `{"PONG": number}`.
pub fn pong(number: i64) -> Object {
    Object::with_capacity(32).integer(PONG, number)
}
