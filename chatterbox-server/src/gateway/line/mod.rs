//! A chat line by line: the palette and the chat view, over the application that every client of ours is made of.
//!
//! A [`Session`] is a client in this process. It knows no socket: bytes of a terminal and bodies of frames go in, bytes for the
//! terminal and frames come out, and the time is an argument. Whoever brings a terminal (telnet) drives it.
//!
//! | to learn or change | go to |
//! |---|---|
//! | what bytes of a terminal mean | `keys.rs` |
//! | what a typed line means | `palette.rs`, then `typed.rs` |
//! | what is written, and how the typed line is drawn | `screen.rs`, `said.rs`, `banner.rs` |
//! | what of the chat is shown where | `shown.rs`, `news.rs` |
//! | how fast and how much | `limits.rs` |
//! | why no password is taken | `secrets.rs` |

mod asked;
mod banner;
mod editing;
mod keys;
mod limits;
mod news;
mod palette;
mod said;
mod screen;
mod secrets;
mod session;
mod shown;
mod typed;

pub(crate) use limits::Now;
pub(crate) use screen::Mode;
pub(crate) use session::{Session, Start};
