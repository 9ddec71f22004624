//! What the user says: as it goes over the wire, and as it is shown.

use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::{FileTold, NewMeta};
use chatterbox_proto::session::SayError;
use chatterbox_proto::{ALL, ScreenText, WireText};

use super::App;
use super::replying::Beside;
use crate::effect::{Effect, note};
use crate::files::Shelved;
use crate::output::{Lock, Message, MessageKind, Output};

/// A message as it goes over the wire, where that is not what the user has typed.
#[derive(Debug)]
pub(super) struct OnWire<'a> {
    /// CONTENT.
    pub(super) content: &'a str,
    /// What goes with it.
    pub(super) meta: Option<Box<NewMeta>>,
    /// What it answers, and its file; of an encrypted message only the two who talk know the former.
    pub(super) beside: Beside,
    pub(super) lock: Lock,
}

impl App {
    /// Says something to a user, in a room or to everybody, as the answer to a message or not.
    pub(super) fn say(
        &mut self,
        to: Option<&str>,
        text: &str,
        reply: Option<Id>,
        now: i64,
    ) -> Vec<Effect> {
        match to.filter(|to| *to != ALL) {
            Some(to) if self.is_encrypted(to) => self.say_encrypted(to, text, reply, now),
            _ => self.say_open(to, text, Beside { reply, file: None }, now),
        }
    }

    /// Says something with a file that is there. It is in the clear, so whoever asks has looked whether it may be.
    pub(super) fn say_with_file(
        &mut self,
        to: Option<&str>,
        text: &str,
        file: FileTold,
        now: i64,
    ) -> Vec<Effect> {
        self.say_open(to, text, Beside { reply: None, file: Some(file) }, now)
    }

    fn say_open(&mut self, to: Option<&str>, text: &str, beside: Beside, now: i64) -> Vec<Effect> {
        let meta = self.meta_of(to, text, &beside);
        let wire = OnWire { content: text, meta, beside, lock: Lock::Open };
        self.say_as(to, text, wire, now).1
    }

    /// Says a message, and shows it with the text that the user has typed. Gives the tag, if it was sent.
    pub(super) fn say_as(
        &mut self,
        to: Option<&str>,
        text: &str,
        wire: OnWire<'_>,
        now: i64,
    ) -> (Option<String>, Vec<Effect>) {
        let OnWire { content, meta, beside, lock } = wire;
        let said = match self.session.say_with(to, content, now, meta) {
            Ok(said) => said,
            Err(SayError::NotJoined) => return (None, self.not_sent("there is no name yet")),
            Err(error) => return (None, self.not_sent(&error.to_string())),
        };
        self.has_sent = true;
        let tag = said.tag.clone();
        let waits = self.is_put_off(said.tag.as_deref(), now);
        let frame = said.frame.filter(|_| !waits);
        let mut effects: Vec<_> = frame.into_iter().map(Effect::Send).collect();
        self.note_sent(to, text, said.tag.as_deref());
        if let (Some(tag), Some(file)) = (&said.tag, &beside.file) {
            self.shelf.sent(tag, Shelved::new(&self.target_to(to), true, file.clone()));
        }
        let is_shown = self.echo_own || self.model.is_some();
        if let Some(me) = self.session.me().filter(|_| is_shown) {
            let to = to.filter(|to| *to != ALL);
            let own = Output::Message(Message {
                when: self.time.format(now, now),
                time: now,
                from: WireText::new(me.to_owned()),
                own: true,
                in_room: to.is_some_and(|to| self.is_room(to)),
                to: to.map(|to| WireText::new(to.to_owned())),
                text: WireText::new(text.to_owned()),
                id: None,
                taken: None,
                tag: said.tag,
                quote: beside.reply.map(|id| Box::new(self.quotes.quote(&self.target_to(to), id))),
                file: beside.file.map(|file| Box::new(self.attached(file, true, now))),
                mentions: Vec::new(),
                mention: false,
                named: false,
                kind: MessageKind::Own,
                lock,
            });
            if self.echo_own {
                effects.push(Effect::Show(own));
            } else {
                self.shown(&own, now);
            }
        }
        // On a full screen it stands in the conversation that it belongs to, which is not the one that is seen.
        let elsewhere = !self.front.at().wire().eq_ignore_ascii_case(to.unwrap_or(ALL));
        if self.full_screen && elsewhere {
            let to = to.map_or("everybody".into(), |to| ScreenText::shortened(to, 40).to_string());
            let text = ScreenText::shortened(text, 80);
            effects.extend(note(format!("Said to {to}: {text}")));
        }
        (tag, effects)
    }
}
