//! One connection, as commands know it: who it is, what it has asked for, what it was asked.

use std::collections::{HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chatterbox_hub::{AccountKey, IgnoreFilter, Level, LoggedIn};
use chatterbox_proto::capability::accounts::Secret as Typed;
use chatterbox_proto::capability::commands::Answer;
use chatterbox_proto::{Capabilities, Code, Username};
use tokio::sync::{Notify, oneshot};

use crate::accounts::{Login, TokenHash};
use crate::commands::client_port::ClientPort;
use crate::commands::permission::Actor;

/// Commands that a connection remembers.
const HISTORY: usize = 100;

/// Who somebody is at the moment.
#[derive(Debug, Clone)]
pub struct Who {
    /// The name.
    pub name: Username,
    /// The account that they are logged in with, which a nick does not change.
    pub account: Option<Username>,
    /// Which one of this name it is.
    pub account_key: AccountKey,
    /// The level of the account; 0 without one.
    pub level: Level,
    /// Whether they have given the admin password.
    pub elevated: bool,
    /// What ends with this login.
    pub token: Option<TokenHash>,
    /// Whom they block, in the order in which they did.
    pub blocked: Vec<Username>,
    /// The same, to look a name up: everybody who comes and goes is held against everybody's list.
    pub(super) blocks: HashSet<Username>,
    /// The accounts that block them, of users who are not here included.
    pub blocked_by: HashSet<Username>,
}

impl Who {
    /// Somebody without an account.
    pub fn guest(name: Username) -> Self {
        Self::with_login(name, Login::default())
    }

    /// Somebody who is let in.
    pub fn with_login(name: Username, login: Login) -> Self {
        Self {
            name,
            account: login.account,
            account_key: login.account_key,
            level: login.level,
            elevated: false,
            token: login.token_hash,
            blocks: login.blocked.iter().cloned().collect(),
            blocked: login.blocked,
            blocked_by: login.blocked_by.into_iter().collect(),
        }
    }

    /// What their session remembers of the login.
    pub fn logged_in(&self) -> Option<LoggedIn> {
        let account = self.account.clone()?;
        Some(LoggedIn { account, account_key: self.account_key })
    }

    /// Changes whom they block.
    pub fn set_blocked(&mut self, blocked: Vec<Username>) {
        self.blocks = blocked.iter().cloned().collect();
        self.blocked = blocked;
    }

    /// What they may do now.
    pub fn actor(&self) -> Actor {
        let level = if self.elevated { Level::ADMIN } else { self.level };
        Actor { level, registered: self.account.is_some() }
    }
}

/// A question that waits for its answer.
#[derive(Debug)]
struct Asked {
    id: String,
    answer: oneshot::Sender<Option<Typed>>,
}

/// One connection that has joined.
#[derive(Debug)]
pub struct Session {
    /// What it came over.
    pub port: Box<dyn ClientPort>,
    /// From where.
    pub peer: IpAddr,
    /// What it speaks.
    pub agreed: Capabilities,
    who: Mutex<Who>,
    history: Mutex<VecDeque<String>>,
    asked: Mutex<Option<Asked>>,
    /// What the port was told last of whom this user does not see.
    filter: Mutex<Option<IgnoreFilter>>,
    /// Rung when the catalogue may have changed for this user.
    pub(super) changed: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// Somebody who has just joined.
    pub fn new(port: Box<dyn ClientPort>, who: Who, peer: IpAddr, agreed: Capabilities) -> Self {
        Self {
            port,
            peer,
            agreed,
            who: Mutex::new(who),
            history: Mutex::default(),
            asked: Mutex::default(),
            filter: Mutex::default(),
            changed: Notify::new(),
        }
    }

    /// Who it is.
    pub fn who(&self) -> Who {
        lock(&self.who).clone()
    }

    /// Whether it speaks the base protocol only.
    pub fn is_base(&self) -> bool {
        self.agreed.is_empty()
    }

    /// Looks at who it is without copying that.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Who) -> T) -> T {
        look(&lock(&self.who))
    }

    /// Changes who it is; the catalogue follows. What the user hears is the desk's to say.
    pub(super) fn change(&self, change: impl FnOnce(&mut Who)) {
        let mut who = lock(&self.who);
        let before = who.actor();
        change(&mut who);
        let after = who.actor();
        drop(who);
        if before != after {
            self.changed.notify_one();
        }
    }

    /// Notes whom this user does not see from now on.
    pub(super) fn set_filter(&self, filter: IgnoreFilter) {
        let mut noted = lock(&self.filter);
        if noted.as_ref() != Some(&filter) {
            self.port.ignore(filter.clone());
            *noted = Some(filter);
        }
    }

    /// Whether this user has to do with a name at the moment, whoever has it.
    pub(super) fn filters(&self, name: &Username) -> bool {
        let noted = lock(&self.filter);
        noted
            .as_ref()
            .is_some_and(|filter| filter.hidden.contains(name) || filter.refused.contains(name))
    }

    /// Remembers a command.
    pub(super) fn remember(&self, port: String) {
        let mut history = lock(&self.history);
        if history.len() == HISTORY {
            history.pop_front();
        }
        history.push_back(port);
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
