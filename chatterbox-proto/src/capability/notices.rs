//! `notices`: what a user should know and did not ask for, and why a connection ends, for programs (NO-1 to NO-5).

/// What this user should know and did not ask for, a list of objects (NO-1).
pub const NOTICES: &str = "NOTICES";
/// Why the server ends the connection, in its last frame (NO-3).
pub const CLOSED: &str = "CLOSED";
