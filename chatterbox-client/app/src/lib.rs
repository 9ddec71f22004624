//! The Chatterbox client as a pure state machine: typed lines and the server's frames go in, outputs to show and frames
//! to send come out.
//!
//! [`App`] is driven by a session that owns the connection, the screen and the clock; `now` is an argument. No socket,
//! file, task or terminal is known here, so every situation is a test without a server, and every interface (lines on a
//! terminal, pipes, a full screen, a gateway) shares one behaviour.
//!
//! ```text
//! typed line -> App::typed    -> parse -> login | calls | history | session -> Vec<Effect>
//! frame      -> App::received -> session -> events -> login | calls | history -> Vec<Effect>
//! ```
//!
//! | to learn or change | go to |
//! |---|---|
//! | what a typed line means | `parse.rs`, then `app/input.rs` |
//! | what a frame of the server means | `app/events.rs` |
//! | names, passwords, tokens | `login.rs` |
//! | commands of the server: the catalogue; calls, questions and results; help | `commands.rs`, `calls.rs`, `help.rs` |
//! | commands of this program; completion; what is typed and not sent yet | `own.rs`, `complete/`, `input/` |
//! | pages of history; what was missed in rooms | `history.rs`, `gaps.rs` |
//! | the room in front, what is unread in the others | `front.rs`, `app/rooms.rs` |
//! | replies, and whom a message mentions | `quotes.rs`, `mentioning.rs`, `app/replying.rs` |
//! | files that are sent and fetched; their names | `files/`, `app/filing.rs`, `app/moving.rs` |
//! | encrypted private messages | `encryption.rs`, `app/encrypted.rs` |
//! | when a lost connection is tried again | `reconnect.rs` |
//! | what can be shown; in which words; for programs; piece by piece | `output.rs`, `wording.rs`, `room_words.rs`, `moves_words.rs` and `plain_words.rs`, `json.rs`, `words.rs` |
//! | a crowd that comes and goes, as one line | `crowd.rs` |

mod app;
mod calls;
mod capability_words;
mod commands;
pub mod complete;
mod crowd;
mod effect;
mod encryption;
mod files;
mod front;
mod gaps;
mod help;
mod history;
pub mod input;
mod input_mode;
mod intent;
mod json;
mod login;
mod mentioning;
pub mod model;
mod moves_words;
mod near;
mod options;
mod output;
mod own;
mod own_names;
mod parse;
mod plain_words;
mod quotes;
mod reconnect;
mod room_words;
mod table;
mod target;
mod time;
mod wording;
mod words;
mod wrap;

#[cfg(test)]
mod tests;

pub use app::App;
pub use crowd::Crowd;
pub use effect::{Closing, Effect, GiveUpReason};
pub use encryption::{Encryption, KeysWish, Opened, Opening, SealedMessage, Sealing};
pub use files::{Attached, FileFault, FileNews, FileWork, SafeName, TransferState, TransferTold};
pub use input_mode::{InputMode, Question};
pub use intent::Intent;
pub use options::{Options, spoken};
pub use output::{
    GapState, Lock, Message, MessageKind, Output, ReadTo, RoomChange, RoomView, RoomWhy, Stream,
    UnreadRoom, Until, Wire,
};
pub use quotes::Quote;
pub use reconnect::ReconnectPolicy;
pub use table::Table;
pub use target::Target;
pub use time::TimeFormatter;
pub use wording::CONTINUED;
pub use words::{Role, Span, Words};
pub use wrap::{cells, wrap};
