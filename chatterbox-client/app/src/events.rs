//! What the server's frames mean for the screen.

use chatterbox_proto::capability::ping;
use chatterbox_proto::server_frame::Deviation;
use chatterbox_proto::session::{self, Event};
use chatterbox_proto::{Capabilities, Capability, ScreenText, WireText};

use super::output::{Message, MessageKind, Output};
use super::{App, Effect, Phase, note};

/// A welcome names at most this many users; `/users` names all.
const USERS_IN_WELCOME: usize = 100;

impl App {
    /// Takes the events of one frame.
    pub(super) fn happen(&mut self, events: Vec<Event>, now: i64, effects: &mut Vec<Effect>) {
        // Beside REFUSED stands an ERROR that says the same; people are told once.
        let told = events.iter().any(|event| matches!(event, Event::Error(_)));
        let progress = events.iter().any(|event| match event {
            Event::Stored { .. } => true,
            Event::Message(message) => message.id.is_some(),
            Event::Back { missed, .. } => !missed.is_empty(),
            _ => false,
        });
        for event in events {
            match event {
                Event::NotTaken(refused) => {
                    if self.options.json || !told {
                        effects.push(Effect::Show(Output::Rejected(refused)));
                    }
                }
                event => self.happened(event, now, effects),
            }
        }
        if progress || self.session.unanswered() == 0 {
            self.reconnect.proved_useful();
        }
    }

    fn happened(&mut self, event: Event, now: i64, effects: &mut Vec<Effect>) {
        match event {
            Event::Accepted { info, users, history, agreed, account } => {
                self.phase = stage(agreed);
                self.refused = false;
                let history = history.into_iter();
                effects
                    .extend(history.map(|message| self.speech(message, MessageKind::History, now)));
                let level = account.as_ref().map(|account| account.level);
                let name = WireText::new(self.asked.clone());
                effects.push(Effect::Show(Output::Welcome { name, agreed, level }));
                effects.extend(info.map(|info| Effect::Show(Output::Info(info))));
                let more = users.len().saturating_sub(USERS_IN_WELCOME);
                let users = users.into_iter().take(USERS_IN_WELCOME).collect();
                effects.push(Effect::Show(Output::Users { users, more }));
                // A server that has forgotten the session knows a changed name as anybody's.
                if let (Some(account), Some(0)) = (&self.account, level) {
                    effects.extend(note(format!(
                        "You are a guest now. Join as {} to be logged in again.",
                        ScreenText::shortened(account, 40)
                    )));
                }
                self.take_account(account, effects);
            }
            Event::Back { missed, complete, agreed, account } => {
                self.reconnect.resumed();
                self.refused = false;
                self.phase = stage(agreed);
                effects.push(Effect::Show(Output::Resumed { missed: missed.len(), complete }));
                let missed = missed.into_iter();
                effects
                    .extend(missed.map(|message| self.speech(message, MessageKind::Missed, now)));
                self.take_account(account, effects);
                effects.extend(self.session.send_again().into_iter().map(Effect::Send));
            }
            Event::Refused { info, code } => self.refused(info, code, effects),
            Event::Joined(name) => effects.push(Effect::Show(Output::Joined(name))),
            Event::Left(name) => effects.push(Effect::Show(Output::Left(name))),
            Event::Renamed { old, new } => effects.push(Effect::Show(Output::Renamed { old, new })),
            Event::YouAre(name) => {
                name.as_wire().clone_into(&mut self.asked);
                effects.push(Effect::Show(Output::YouAre(name)));
            }
            Event::Message(message) => effects.push(self.speech(message, MessageKind::Live, now)),
            Event::Stored { tag, id } => {
                if self.options.json {
                    effects.push(Effect::Show(Output::Stored { tag, id }));
                }
            }
            Event::NotTaken(_) => {}
            Event::Page(page) => self.paged(page, now, effects),
            Event::Catalogue { commands, prefix } => {
                self.take_catalogue(commands, prefix.as_ref().map(WireText::as_wire));
                if self.phase == Phase::Catalogue {
                    self.phase = Phase::Chat;
                }
            }
            Event::Result(outcome) => self.resulted(outcome, effects),
            Event::Prompt(prompt) => self.asked(prompt, effects),
            Event::Ping(number) => {
                effects.extend(ping::pong(number).finish().ok().map(Effect::Send));
            }
            Event::Info(text) => effects.push(Effect::Show(Output::Info(text))),
            Event::Error(text) => {
                effects.push(Effect::Show(Output::Error(text)));
                self.page_failed();
                // Some servers answer a name with nothing else. A late acceptance still counts.
                if self.phase == Phase::Pending {
                    self.next_name(effects);
                }
            }
            Event::Deviation(deviation) if self.options.strict || loses_something(&deviation) => {
                effects.push(Effect::Show(Output::Deviation(
                    ScreenText::shortened(&deviation.to_string(), 200).to_string(),
                )));
            }
            Event::Deviation(_) => {}
        }
    }

    pub(super) fn speech(&self, message: session::Message, kind: MessageKind, now: i64) -> Effect {
        let session::Message { source, recipient, timestamp, content, id } = message;
        Effect::Show(Output::Message(Message {
            when: self.time.format(timestamp, now),
            time: timestamp,
            from: source,
            to: recipient,
            text: content,
            id,
            tag: None,
            kind,
        }))
    }
}

/// After the welcome comes the catalogue, without which no line that begins with a slash can be read.
fn stage(agreed: Capabilities) -> Phase {
    if agreed.has(Capability::Commands) { Phase::Catalogue } else { Phase::Chat }
}

/// What the user would miss without being told (ER-1).
fn loses_something(deviation: &Deviation) -> bool {
    matches!(
        deviation,
        Deviation::Unreadable(_)
            | Deviation::NotAMessage(_)
            | Deviation::WrongType(..)
            | Deviation::WrongValue(..)
    )
}
