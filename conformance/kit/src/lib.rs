//! What every judge of the suite stands on: bytes to frames and back, the way to a subject, time and names.
//!
//! Nothing here is shared with `chatterbox-proto`: a mistake common to judge and judged would hide.

pub mod authority;
pub mod clock;
pub mod escape;
pub mod identity;
pub mod net;
pub mod nonce;
pub mod page;
pub mod subject;
pub mod timing;
pub mod trace;
pub mod wire;
