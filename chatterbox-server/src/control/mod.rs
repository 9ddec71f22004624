//! The control of a running server from the command line of its machine: a socket in the data folder, and what it can be asked.
//!
//! One connection is one request and its answer: a line of JSON there, one or several back. Who can open the socket may do
//! everything, as who can write the database may: it is for the user whose server it is, and for root.

mod answer;
mod controlled;
mod message;
mod place;
mod serving;
mod status;
mod stopping;

use std::sync::Arc;

pub use answer::{
    AnswerError, ChangedKey, Failure, FailureCode, Followed, Reloaded, Reply, Stopping, Told,
};
pub(crate) use controlled::Controlled;
pub use message::{Act, LINE, Request, RequestError, VERSION};
pub use place::{ControlSocket, NoSocket, SOCKET_FILE, SocketFile, check};
pub(crate) use serving::serve;
pub use status::{Cluster, Log, Memory, Minute, Node, Room, Status, Stored, User};

pub use crate::moderation::{Ban, Done, Kick, Moderator, NotDone, Unban};
use crate::ops::operator::Operator;

/// What the control of a server needs beside the chat: the socket, and the process.
#[derive(Debug)]
pub struct Control {
    /// The socket, open; a server without a data folder has none.
    pub socket: Option<ControlSocket>,
    /// The process.
    pub operator: Arc<dyn Operator>,
}
