//! `meta`: what goes with a message beside its text, as an object or null for each (MT-1 to MT-4).
//!
//! [`NewMeta`] is what a client puts with a message that it sends, judged strictly; [`Meta`] is what a server tells, read
//! leniently. Both hold the parts of other capabilities as types: [`FileToken`] and [`FileTold`] of `files`, and [`Sealed`]
//! of `e2ee`.

mod file;
mod new;
mod read_new;
mod sealed;
mod told;

pub use file::{Digest, FileToken, FileTold};
pub use new::NewMeta;
pub(crate) use read_new::ElementMeta;
pub use sealed::{DeviceId, Sealed, SealedFor};
pub(crate) use told::read;
pub use told::{Meta, push_told};

/// What goes with the messages, a list parallel to MESSAGES, of objects and null (MT-1, MT-2).
pub const META: &str = "META";

/// The id of the message that is answered (MT-3).
const REPLY: &str = "REPLY";
/// The names of those who are meant (MT-4).
const MENTIONS: &str = "MENTIONS";
/// The file that goes with the message: its token from a client, an object from the server.
const FILE: &str = "FILE";
/// The encrypted text, for each device.
const E2EE: &str = "E2EE";

/// Whether a text is 1 to so many letters of base64url, as the names are that programs make.
fn is_base64url(text: &str, most: usize) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=most).contains(&text.len()) && text.bytes().all(is_letter)
}
