//! One connection, as commands know it: what it has called, what it was asked, and the token that ends with it.
//!
//! Who the user is stands in the hub's presence alone; [`Caller::who`] asks for it.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chatterbox_hub::Identity;
use chatterbox_proto::capability::accounts::Secret as Typed;
use chatterbox_proto::capability::commands::Answer;
use chatterbox_proto::{Capabilities, Code};
use tokio::sync::{Notify, oneshot};

use crate::accounts::TokenHash;
use crate::commands::client_port::ClientPort;

/// Commands that a connection remembers, and their bytes.
const HISTORY: usize = 100;
const HISTORY_BYTES: usize = 8 * 1024;

/// A question that waits for its answer.
#[derive(Debug)]
struct Asked {
    id: String,
    answer: oneshot::Sender<Option<Typed>>,
}

/// One connection that has joined.
#[derive(Debug)]
pub struct Caller {
    pub port: Box<dyn ClientPort>,
    /// The capabilities in force.
    pub agreed: Capabilities,
    /// Who it was when it joined: what is left of a user whom the hub has removed.
    joined_as: Identity,
    /// The token that logging out makes worthless.
    token: Mutex<Option<TokenHash>>,
    history: Mutex<VecDeque<String>>,
    asked: Mutex<Option<Asked>>,
    /// Notified when the catalogue may have changed for this user.
    pub(super) changed: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Caller {
    /// A connection that has just joined as somebody, with the token of its login.
    pub fn new(port: Box<dyn ClientPort>, joined_as: Identity, token: Option<TokenHash>) -> Self {
        Self {
            port,
            agreed: joined_as.agreed.unwrap_or_default(),
            joined_as,
            token: Mutex::new(token),
            history: Mutex::default(),
            asked: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Who the user is now. One who has been removed may do nothing any more.
    pub fn who(&self) -> Identity {
        self.port.identity().unwrap_or_else(|| Identity {
            address: self.joined_as.address,
            ..Identity::guest(self.joined_as.name.clone())
        })
    }

    /// The token that ends with this login.
    pub(super) fn token(&self) -> Option<TokenHash> {
        *lock(&self.token)
    }

    /// Replaces the token that ends with this login.
    pub(super) fn set_token(&self, token: TokenHash) {
        *lock(&self.token) = Some(token);
    }

    pub(super) fn remember(&self, line: String) {
        let mut history = lock(&self.history);
        let mut bytes: usize = line.len() + history.iter().map(String::len).sum::<usize>();
        history.push_back(line);
        while history.len() > HISTORY || bytes > HISTORY_BYTES {
            bytes -= history.pop_front().map_or(bytes, |oldest| oldest.len());
        }
    }

    /// The last commands, the oldest first.
    pub(super) fn remembered(&self, count: usize) -> Vec<String> {
        let history = lock(&self.history);
        history.iter().skip(history.len().saturating_sub(count)).cloned().collect()
    }

    /// Notes that a question is put; what is answered comes out of the other end.
    pub(super) fn asking(&self, id: &str) -> oneshot::Receiver<Option<Typed>> {
        let (answer, answered) = oneshot::channel();
        *lock(&self.asked) = Some(Asked { id: id.to_owned(), answer });
        answered
    }

    /// Notes that nobody waits for an answer any more.
    pub(super) fn asked_in_vain(&self) {
        *lock(&self.asked) = None;
    }

    /// Takes an answer (CM-4). Only this connection has the question, so no other can answer it.
    ///
    /// # Errors
    /// [`Code::AnswerToNothing`].
    pub fn answer(&self, answer: Answer) -> Result<(), Code> {
        let asked = lock(&self.asked).take_if(|asked| asked.id == answer.id);
        let asked = asked.ok_or(Code::AnswerToNothing)?;
        asked.answer.send(answer.text).map_err(|_| Code::AnswerToNothing)
    }
}
