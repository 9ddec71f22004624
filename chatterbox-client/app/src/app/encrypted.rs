//! Encrypted private messages: what is said and what comes, through the keys of the program around this package.

use chatterbox_proto::capability::accounts::Account;
use chatterbox_proto::capability::e2ee::SENTENCE;
use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::{Meta, NewMeta};
use chatterbox_proto::{Capabilities, Capability, ScreenText, WireText, session};

use super::App;
use super::replying::Beside;
use super::saying::OnWire;
use crate::effect::{Effect, note};
use crate::encryption::{Encryption, KeysWish, Opened, Opening, SealedMessage, Sealing};
use crate::front::At;
use crate::output::{Lock, MessageKind, Output};
use crate::parse::Sealed;

/// The most messages that wait for the keys of their senders.
const WAITING: usize = 256;

/// A message that waits for the keys of its sender.
#[derive(Debug)]
pub(super) struct Later {
    ticket: u64,
    message: session::Message,
    kind: MessageKind,
}

impl App {
    /// The same with keys for encrypted messages, which it offers to speak.
    #[must_use]
    pub fn with_encryption(mut self, encryption: Box<dyn Encryption>) -> Self {
        self.session.also_offer(Capability::E2ee);
        self.encryption = Some(encryption);
        self
    }

    /// The user is about to join under this name: the keys of it are taken.
    pub(super) fn takes_keys(&mut self, name: &str) -> Vec<Effect> {
        let Some(encryption) = &mut self.encryption else { return Vec::new() };
        match encryption.name_chosen(name) {
            Ok(device) => {
                self.session.set_device(device);
                Vec::new()
            }
            Err(why) => {
                self.session.set_device(None);
                let text = format!(
                    "YOUR KEYS CAN'T BE USED: {why}. Private messages are not sent, since it is not known which are to be encrypted."
                );
                vec![Effect::Show(Output::Warning(text))]
            }
        }
    }

    /// There is a connection.
    pub(super) fn keys_are_here(
        &mut self,
        agreed: Capabilities,
        account: Option<&Account>,
        now: i64,
        effects: &mut Vec<Effect>,
    ) {
        let is_agreed = agreed.has(Capability::E2ee) && account.is_some_and(|one| one.level > 0);
        let me = self.session.me().unwrap_or_default().to_owned();
        let follows = self.encryption.as_mut().map(|keys| keys.joined(&me, is_agreed, now));
        self.follow(follows.unwrap_or_default(), now, effects);
    }

    /// Whether what is said to this destination is encrypted, or not sent at all.
    pub(super) fn is_encrypted(&self, to: &str) -> bool {
        self.encryption.as_ref().is_some_and(|keys| !self.is_room(to) && keys.is_on(to))
    }

    /// Says a text to somebody, encrypted.
    pub(super) fn say_encrypted(
        &mut self,
        to: &str,
        text: &str,
        reply: Option<Id>,
        now: i64,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        let follows = self.encryption.as_mut().map(|keys| keys.say(to, text, reply, now));
        self.follow(follows.unwrap_or_default(), now, &mut effects);
        effects
    }

    /// Does what follows from something, in order.
    pub(super) fn follow(&mut self, follows: Vec<Sealing>, now: i64, effects: &mut Vec<Effect>) {
        for one in follows {
            match one {
                Sealing::Send(frame) if self.is_down() => drop(frame),
                Sealing::Send(frame) => effects.push(Effect::Send(frame)),
                Sealing::Say { ticket, to, text, reply, sealed, verified } => {
                    let meta = NewMeta { e2ee: Some(sealed), ..NewMeta::default() };
                    let lock = if verified { Lock::Verified } else { Lock::Encrypted };
                    let meta = Some(Box::new(meta));
                    let beside = Beside { reply, file: None };
                    let wire = OnWire { content: SENTENCE, meta, beside, lock };
                    let (tag, said) = self.say_as(Some(&to), &text, wire, now);
                    if let Some(keys) = &mut self.encryption {
                        keys.sent(ticket, tag.as_deref());
                    }
                    effects.extend(said);
                }
                Sealing::NotSent { to, text, reply, why } => {
                    self.failures += 1;
                    let (to, text) =
                        (ScreenText::shortened(&to, 40), ScreenText::shortened(&text, 200));
                    // As it is typed once more: without the command it would be no answer.
                    let reply = reply.map(|id| format!("/reply {id} ")).unwrap_or_default();
                    let text = format!("NOT SENT to {to}: {why}. It was: {reply}{text}");
                    effects.push(Effect::Show(Output::Warning(text)));
                }
                Sealing::Opened { ticket, lock } => {
                    let place = self.later.iter().position(|later| later.ticket == ticket);
                    if let Some(Later { message, kind, .. }) =
                        place.and_then(|at| self.later.remove(at))
                    {
                        self.show_opened(message, kind, lock, now, effects);
                    }
                }
                Sealing::Tell { text, loud: true } => {
                    effects.push(Effect::Show(Output::Warning(text)));
                }
                Sealing::Tell { text, loud: false } => effects.extend(note(text)),
            }
        }
    }

    /// Shows a message if it is an encrypted one; gives it back otherwise.
    pub(super) fn opened(
        &mut self,
        message: session::Message,
        kind: MessageKind,
        now: i64,
        effects: &mut Vec<Effect>,
    ) -> Option<session::Message> {
        let sealed = message.meta.as_ref().and_then(|meta| meta.e2ee.as_ref());
        let recipient = message.recipient.as_ref().map(WireText::as_wire);
        let recipient = recipient.filter(|to| !self.is_room(to));
        let is_one = message.content.as_wire() == SENTENCE;
        let (Some(keys), Some(recipient), Some(id), true) =
            (&mut self.encryption, recipient, message.id, is_one)
        else {
            return Some(message);
        };
        let source = message.source.as_wire();
        let (opened, follows) = keys.open(SealedMessage { source, recipient, id, sealed }, now);
        match opened {
            Opened::Now(opening) => {
                // What is told of it stands before it.
                self.follow(follows, now, effects);
                self.show_opened(message, kind, opening, now, effects);
            }
            Opened::Later(ticket) => {
                self.later.push_back(Later { ticket, message, kind });
                if self.later.len() > WAITING {
                    self.later.pop_front();
                }
                self.follow(follows, now, effects);
            }
        }
        None
    }

    fn show_opened(
        &mut self,
        mut message: session::Message,
        kind: MessageKind,
        opening: Opening,
        now: i64,
        effects: &mut Vec<Effect>,
    ) {
        // What the server says of an encrypted message is not what its sender has said.
        let mut meta = Meta::default();
        let mut own = self.is_own(&message);
        let lock = match opening {
            Opening::Text { text, reply, verified, own: is_own } => {
                message.content = WireText::new(text);
                meta.reply = reply;
                own |= is_own;
                if verified { Lock::Verified } else { Lock::Encrypted }
            }
            Opening::Unreadable(why) => {
                message.content = WireText::new(format!("[can't be read: {why}]"));
                Lock::Unreadable
            }
        };
        message.meta = Some(Box::new(meta));
        self.note_said(&message, own);
        let shown = self.as_output(message, own, kind, now);
        effects.push(Effect::Show(Output::Message(crate::output::Message { lock, ..shown })));
    }

    /// Carries out `/encrypt`, `/verify`, `/devices` and `/recovery`.
    pub(super) fn sealed(&mut self, what: Sealed, rest: &str, now: i64) -> Vec<Effect> {
        let words: Vec<_> = rest.split_whitespace().collect();
        let front = match self.front.at() {
            At::User(name) => Some(name.clone()),
            At::Lobby | At::Room(_) => None,
        };
        let name = |word: &str| word.strip_prefix('@').unwrap_or(word).to_owned();
        let (whom, word) = match (what, words.as_slice()) {
            (Sealed::Devices | Sealed::Recovery, _) => (None, None),
            (Sealed::Encrypt, [word @ ("on" | "off")]) => (front, Some(*word)),
            (Sealed::Encrypt, [word @ ("on" | "off"), whom]) => (Some(name(whom)), Some(*word)),
            (Sealed::Verify, []) => (front, None),
            (Sealed::Verify, ["yes"]) if front.is_some() => (front, Some("yes")),
            (Sealed::Verify, [whom]) => (Some(name(whom)), None),
            (Sealed::Verify, [whom, "yes"]) => (Some(name(whom)), Some("yes")),
            _ => return self.not_done(what.usage()),
        };
        let wish = match (what, &whom) {
            (Sealed::Devices, _) => KeysWish::Devices,
            (Sealed::Recovery, _) => KeysWish::Recovery(rest),
            (_, None) => {
                return self.not_done(format!("Whom? {}", what.usage()));
            }
            (Sealed::Encrypt, Some(name)) => KeysWish::Encrypt { name, on: word == Some("on") },
            (Sealed::Verify, Some(name)) => {
                KeysWish::Verify { name, confirmed: word == Some("yes") }
            }
        };
        let mut effects = Vec::new();
        let follows = self.encryption.as_mut().map(|keys| keys.wish(wish, now));
        self.follow(follows.unwrap_or_default(), now, &mut effects);
        effects
    }
}
