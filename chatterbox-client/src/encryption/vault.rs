//! The keys of whoever is logged in: opened when a name is chosen, stored before anything that follows from them is sent.

use std::fmt;
use std::path::{Path, PathBuf};

use chatterbox_app::{Encryption, KeysWish, Opened, Opening, SealedMessage, Sealing};
use chatterbox_e2ee::{Action, Incoming, Machine, Mode};
use chatterbox_proto::capability::e2ee::{KeysAnswer, KeysLow};
use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::DeviceId;
use chatterbox_proto::limits::USERNAME_CHARS_MOST;
use chatterbox_proto::{LookupKey, NameKey as _};

use super::store::{Found, Store};
use super::words::{devices, opened, sealing};

const ANOTHER: &str = "another program on this machine uses the keys of this account";

/// The keys of one user at one server.
pub(crate) struct Vault {
    /// The folder of the server.
    folder: PathBuf,
    /// The folder of the account that joins.
    account: Option<PathBuf>,
    machine: Machine,
    store: Option<Store>,
    /// Why the keys can't be used; nothing private is sent then.
    problem: Option<String>,
    /// Whether the keys are in use by another program: they are read, and that is all.
    is_elsewhere: bool,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Vault {
    /// The keys of users of one server, in a folder of this user's.
    pub(crate) fn for_server(state: &Path, host: &str, port: u16) -> Self {
        let folder = state.join("e2ee").join(file_name(&format!("{host}:{port}")));
        Self {
            folder,
            account: None,
            machine: Machine::new(),
            store: None,
            problem: None,
            is_elsewhere: false,
        }
    }

    /// Stores what has changed; what follows is done after it, or not at all.
    fn then(&mut self, actions: Vec<Action>) -> Vec<Sealing> {
        match self.save() {
            Ok(()) => actions.into_iter().map(sealing).collect(),
            Err(why) => {
                let mut follows = vec![Sealing::Tell {
                    text: format!("YOUR KEYS CAN'T BE STORED: {why}. Nothing encrypted is sent."),
                    loud: true,
                }];
                for action in actions {
                    match action {
                        // What was encrypted with keys that are not stored would be encrypted with them again.
                        Action::Ask(_) => {}
                        Action::Say { ticket, to, text, reply, .. } => {
                            self.machine.sent(ticket, None);
                            follows.push(Sealing::NotSent { to, text, reply, why: why.clone() });
                        }
                        other => follows.push(sealing(other)),
                    }
                }
                self.problem = Some(why);
                follows
            }
        }
    }

    fn save(&mut self) -> Result<(), String> {
        let (is_dirty, texts) = (self.machine.take_dirty(), self.machine.take_texts());
        if !is_dirty && texts.is_empty() {
            return Ok(());
        }
        if self.store.is_none() {
            let Some(folder) = &self.account else { return Err("there is no account".into()) };
            let made = Store::create(folder).map_err(|error| error.to_string())?;
            self.store = Some(made.ok_or(ANOTHER)?);
        }
        let Some(store) = &mut self.store else { return Ok(()) };
        if !texts.is_empty() {
            store.add_texts(&texts).map_err(|error| error.to_string())?;
        }
        if is_dirty {
            let state = self.machine.state().map_err(|error| error.to_string())?;
            store.write_state(&state).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn is_usable(&self) -> bool {
        self.problem.is_none() && !self.is_elsewhere
    }
}

impl Encryption for Vault {
    fn name_chosen(&mut self, name: &str) -> Result<Option<DeviceId>, String> {
        let folded = LookupKey::of(name, USERNAME_CHARS_MOST);
        let account = folded.map(|name| self.folder.join(file_name(name.name_key())));
        if account == self.account && self.problem.is_none() && self.store.is_some() {
            return Ok(self.machine.device().cloned());
        }
        (self.store, self.machine) = (None, Machine::new());
        (self.problem, self.is_elsewhere) = (None, false);
        self.account = account;
        let Some(folder) = &self.account else { return Ok(None) };
        match Store::open(folder) {
            Ok(None) => Ok(None),
            Ok(Some(Found { machine, store })) => {
                (self.machine, self.store) = (machine, store);
                self.is_elsewhere = self.store.is_none();
                let device = self.machine.device().cloned();
                Ok(device.filter(|_| !self.is_elsewhere))
            }
            Err(error) => {
                self.problem = Some(error.to_string());
                Err(error.to_string())
            }
        }
    }

    fn joined(&mut self, me: &str, is_agreed: bool, now: i64) -> Vec<Sealing> {
        if self.is_elsewhere {
            return vec![Sealing::Tell {
                text: format!("Nothing is encrypted here: {ANOTHER}."),
                loud: false,
            }];
        }
        if !is_agreed || !self.is_usable() {
            self.machine.lost();
            return Vec::new();
        }
        let actions = self.machine.joined(me, now);
        self.then(actions)
    }

    fn lost(&mut self) {
        self.machine.lost();
    }

    fn renamed(&mut self, me: &str) {
        self.machine.renamed(me);
    }

    fn is_called(&mut self, old: &str, new: &str) {
        self.machine.is_called(old, new);
    }

    fn is_on(&self, name: &str) -> bool {
        self.problem.is_some() || self.machine.mode(name) == Mode::On
    }

    fn waiting(&self) -> usize {
        self.machine.waiting()
    }

    fn say(&mut self, to: &str, text: &str, reply: Option<Id>, now: i64) -> Vec<Sealing> {
        let why = self.problem.clone().or_else(|| self.is_elsewhere.then(|| ANOTHER.to_owned()));
        if let Some(why) = why {
            let (to, text) = (to.to_owned(), text.to_owned());
            return vec![Sealing::NotSent { to, text, reply, why }];
        }
        let actions = self.machine.say(to, text, reply, now);
        self.then(actions)
    }

    fn sent(&mut self, ticket: u64, tag: Option<&str>) {
        self.machine.sent(ticket, tag.map(str::to_owned));
    }

    fn stored(&mut self, tag: &str, id: Id) {
        self.machine.stored(tag, id);
    }

    fn rejected(&mut self, tag: &str, code: &str, now: i64) -> Option<Vec<Sealing>> {
        let actions = self.machine.rejected(tag, code, now)?;
        Some(self.then(actions))
    }

    fn answered(&mut self, answer: &KeysAnswer, now: i64) -> Vec<Sealing> {
        let actions = self.machine.answered(answer, now);
        self.then(actions)
    }

    fn low(&mut self, low: &KeysLow, now: i64) -> Vec<Sealing> {
        let actions = self.machine.low(low, now);
        self.then(actions)
    }

    fn open(&mut self, message: SealedMessage<'_>, now: i64) -> (Opened, Vec<Sealing>) {
        if self.is_elsewhere && message.sealed.is_some() {
            return (Opened::Now(Opening::Unreadable(ANOTHER.to_owned())), Vec::new());
        }
        let SealedMessage { source, recipient, id, sealed } = message;
        let (what, actions) = self.machine.open(Incoming { source, recipient, id, sealed }, now);
        // It is stored at the end of the frame, before the server is told to drop it; until then it can be read again.
        (opened(what), actions.into_iter().map(sealing).collect())
    }

    fn frame_is_over(&mut self, now: i64) -> Vec<Sealing> {
        if !self.is_usable() {
            return Vec::new();
        }
        let actions = self.machine.tick(now);
        let mut follows = self.then(actions);
        if self.problem.is_none() {
            follows.extend(self.machine.done().map(Sealing::Send));
        }
        follows
    }

    fn wish(&mut self, wish: KeysWish<'_>, now: i64) -> Vec<Sealing> {
        let tell = |text: String| Sealing::Tell { text, loud: false };
        if !self.is_usable() {
            let why = self.problem.clone().unwrap_or_else(|| ANOTHER.to_owned());
            return vec![tell(format!("Nothing was done: {why}."))];
        }
        let actions = match wish {
            KeysWish::Encrypt { name, on } => self.machine.turn(name, on, now),
            KeysWish::Verify { name, confirmed } => self.machine.verify(name, confirmed, now),
            KeysWish::Devices => {
                return devices(&self.machine.devices()).into_iter().map(tell).collect();
            }
            KeysWish::Recovery("") => {
                let actions = self.machine.recovery_code();
                if actions.is_empty() {
                    return vec![tell("The recovery code is not kept here any more.".into())];
                }
                actions
            }
            KeysWish::Recovery("written") => {
                let forgotten = self.machine.code_is_written();
                let mut follows = self.then(Vec::new());
                let words = if forgotten {
                    "The recovery code is forgotten here."
                } else {
                    "There was no recovery code here."
                };
                follows.push(tell(words.into()));
                return follows;
            }
            KeysWish::Recovery("new") => self.machine.begin_again(),
            KeysWish::Recovery(code) => self.machine.recover(code),
        };
        self.then(actions)
    }
}

/// A text as the name of one file: letters and digits of ASCII, `.` inside, `-`; the rest is `%` and two digits for each byte.
fn file_name(text: &str) -> String {
    let mut name = String::new();
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => name.push(char::from(byte)),
            b'.' if place > 0 => name.push('.'),
            byte => name.push_str(&format!("%{byte:02x}")),
        }
    }
    // Longer names than file systems have are told apart by what they begin with and a sum over all of it.
    if name.len() > LONGEST_NAME {
        let sum = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        let sum: String = sum.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        name.truncate(LONGEST_NAME - sum.len());
        name.push_str(&sum);
    }
    name
}

const LONGEST_NAME: usize = 200;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vault(root: &tempfile::TempDir) -> Vault {
        Vault::for_server(root.path(), "chat.example", 7777)
    }

    /// The number of files below a folder.
    fn files(root: &tempfile::TempDir) -> usize {
        #[allow(clippy::disallowed_methods, reason = "looks at what was written")]
        fn count(path: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(path).unwrap();
            entries
                .map(|entry| entry.unwrap().path())
                .map(|path| if path.is_dir() { count(&path) } else { 1 })
                .sum()
        }
        count(root.path())
    }

    #[test]
    fn nothing_is_written_for_who_does_not_encrypt() {
        let root = tempfile::tempdir().unwrap();
        let mut vault = vault(&root);
        assert_eq!(vault.name_chosen("ann"), Ok(None));
        assert!(vault.joined("ann", true, 0).is_empty());
        assert!(!vault.is_on("bob") && vault.frame_is_over(0).is_empty());
        let (opened, _) =
            vault.open(SealedMessage { source: "bob", recipient: "ann", id: 7, sealed: None }, 0);
        assert!(matches!(opened, Opened::Now(Opening::Unreadable(_))));
        assert_eq!(files(&root), 0);
    }

    #[test]
    fn what_was_turned_on_stays_on_whatever_the_next_connection_has() {
        let root = tempfile::tempdir().unwrap();
        let mut vault = vault(&root);
        vault.name_chosen("Ann").unwrap();
        vault.joined("Ann", true, 0);
        let follows = vault.wish(KeysWish::Encrypt { name: "bob", on: true }, 0);
        assert!(matches!(follows[0], Sealing::Send(_)), "{follows:?}");
        drop(vault);
        let mut again = super::tests::vault(&root);
        again.name_chosen("ANN").unwrap();
        // A guest, or a server without it.
        again.joined("ANN", false, 0);
        assert!(again.is_on("bob") && again.is_on("BOB") && !again.is_on("cyd"));
        let follows = again.say("bob", "psst", Some(7), 0);
        let [Sealing::NotSent { text, reply, .. }] = &follows[..] else { panic!("{follows:?}") };
        assert_eq!((text.as_str(), *reply), ("psst", Some(7)));
        // Another account has other keys.
        again.name_chosen("cyd").unwrap();
        assert!(!again.is_on("bob"));
    }

    #[test]
    fn keys_that_can_not_be_read_stop_all_that_is_private() {
        let root = tempfile::tempdir().unwrap();
        let mut first = vault(&root);
        first.name_chosen("ann").unwrap();
        first.joined("ann", true, 0);
        first.wish(KeysWish::Encrypt { name: "bob", on: true }, 0);
        let state = first.account.clone().unwrap().join("state");
        drop(first);
        #[allow(clippy::disallowed_methods, reason = "damages what was written")]
        std::fs::write(state, b"x").unwrap();
        let mut again = vault(&root);
        assert!(again.name_chosen("ann").is_err());
        assert!(again.is_on("anybody"));
        assert!(matches!(&again.say("anybody", "x", None, 0)[..], [Sealing::NotSent { .. }]));
        assert!(again.joined("ann", true, 0).is_empty());
    }

    #[test]
    fn a_second_program_does_not_use_the_keys_and_knows_what_is_on() {
        let root = tempfile::tempdir().unwrap();
        let mut first = vault(&root);
        first.name_chosen("ann").unwrap();
        first.joined("ann", true, 0);
        first.wish(KeysWish::Encrypt { name: "bob", on: true }, 0);
        let mut second = vault(&root);
        assert_eq!(second.name_chosen("ann"), Ok(None));
        assert!(matches!(&second.joined("ann", true, 0)[..], [Sealing::Tell { .. }]));
        assert!(second.is_on("bob") && !second.is_on("cyd"));
        assert!(matches!(&second.say("bob", "x", None, 0)[..], [Sealing::NotSent { .. }]));
    }

    proptest! {
        #[test]
        fn no_name_leaves_its_folder(one in any::<String>(), other in any::<String>()) {
            for text in [&one, &other] {
                let name = file_name(text);
                prop_assert!(name.len() <= LONGEST_NAME && !name.contains('/') && !name.starts_with('.'));
            }
            prop_assert!(one == other || file_name(&one) != file_name(&other));
        }
    }
}
