//! Gateways: clients that speak something else than frames.
//!
//! A gateway makes a stream of frames of what its clients speak, and hands it to the very code that serves the protocol
//! (`net::connection::serve_frames`). So every rule, limit and capability holds there too, and nothing of the
//! chat is known here.
//!
//! | gateway | speaks | makes |
//! |---|---|---|
//! | [`web`] | HTTP and WebSocket | one frame of each text message |
//! | `telnet` over `line` | lines, or keys | a client in this process, which speaks frames |

mod address;
pub(crate) mod line;
pub(crate) mod telnet;
pub mod web;

pub use address::GatewayAddress;
