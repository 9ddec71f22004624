//! The foundation of the suite and the load tool: wire code, transport, subjects, clock, traces.
//!
//! Nothing here is shared with `chatterbox-proto`: a mistake common to judge and judged would hide.

pub mod authority;
pub mod clock;
pub mod ed25519;
pub mod escape;
pub mod identity;
pub mod net;
pub mod nonce;
pub mod page;
pub mod subject;
pub mod timing;
pub mod trace;
pub mod wire;
