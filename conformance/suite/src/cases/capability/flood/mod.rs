//! `flood`: how much one user may say, and all together in a room. It is no capability: who claims it counts what is said, as
//! FL-1 to FL-3 say, whatever was agreed on.
//!
//! Tokens come back while a case runs, on a slow machine some before it has sent what it wanted to. So each case sends much more
//! than there is room for, or goes on until it is refused. What it says it says in private or in a room of its own, since what
//! all say in the lobby is counted together; there it says a few messages, to know what has arrived.

mod base;
mod meanwhile;
mod muting;
mod pasting;
mod refusing;
mod registry;
mod rooms;
mod volley;

pub(in crate::cases) use registry::CASES;
