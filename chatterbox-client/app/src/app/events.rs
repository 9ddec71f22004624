//! The server's frames: what each event changes, and what the user sees of it.

use chatterbox_proto::capability::accounts::Secret;
use chatterbox_proto::capability::commands::Outcome;
use chatterbox_proto::capability::ping;
use chatterbox_proto::server_frame::Deviation;
use chatterbox_proto::session::{self, Event};
use chatterbox_proto::{ScreenText, WireText};
use serde_json::Value;

use super::App;
use crate::commands::Catalogue;
use crate::effect::{Effect, GiveUpReason};
use crate::output::{Message, MessageKind, Output};
use crate::table::Table;

/// A welcome names at most this many users; `/users` names all.
const USERS_IN_WELCOME: usize = 100;

impl App {
    /// Takes the body of one frame of the server; `now` is in seconds since 1970.
    pub fn received(&mut self, body: &[u8], now: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        let events = self.session.receive(body);
        // Beside REFUSED stands an ERROR that says the same; people are told once.
        let told = events.iter().any(|event| matches!(event, Event::Error(_)));
        let progress = events.iter().any(|event| match event {
            Event::Stored { .. } => true,
            Event::Message(message) => message.id.is_some(),
            Event::Rejoined { missed, .. } => !missed.is_empty(),
            _ => false,
        });
        for event in events {
            match event {
                Event::Rejected(rejected) => {
                    if self.json || !told {
                        effects.push(Effect::Show(Output::Rejected(rejected)));
                    }
                }
                event => self.apply(event, now, &mut effects),
            }
        }
        if progress || self.session.unanswered() == 0 {
            self.reconnect.proved_useful();
        }
        effects
    }

    fn apply(&mut self, event: Event, now: i64, effects: &mut Vec<Effect>) {
        match event {
            Event::Accepted { info, users, history, agreed, account } => {
                self.welcomed(agreed);
                self.show(history, MessageKind::History, now, effects);
                let level = account.as_ref().map(|account| account.level);
                let name = self.login.requested();
                effects.push(Effect::Show(Output::Welcome { name, agreed, level }));
                effects.extend(info.map(|info| Effect::Show(Output::Info(info))));
                let more = users.len().saturating_sub(USERS_IN_WELCOME);
                let users = users.into_iter().take(USERS_IN_WELCOME).collect();
                effects.push(Effect::Show(Output::Users { users, more }));
                effects.extend(self.login.guest_notice(level));
                self.login.account_received(&self.session, account, effects);
            }
            Event::Rejoined { missed, complete, agreed, account } => {
                self.reconnect.resumed();
                self.welcomed(agreed);
                let count = missed.len();
                effects.push(Effect::Show(Output::Resumed { missed: count, complete }));
                self.show(missed, MessageKind::Missed, now, effects);
                self.login.account_received(&self.session, account, effects);
                effects.extend(self.session.resend().into_iter().map(Effect::Send));
            }
            Event::Refused { info, code } => {
                let down = self.is_down();
                self.login.refused(&mut self.session, down, info, code, effects);
            }
            Event::Joined(name) => effects.push(Effect::Show(Output::Joined(name))),
            Event::Left(name) => effects.push(Effect::Show(Output::Left(name))),
            Event::Renamed { old, new } => effects.push(Effect::Show(Output::Renamed { old, new })),
            Event::SelfRenamed(name) => {
                self.login.renamed(name.as_wire());
                effects.push(Effect::Show(Output::YouAre(name)));
            }
            Event::Message(message) => self.show([message], MessageKind::Live, now, effects),
            Event::Stored { tag, id } => {
                if self.json {
                    effects.push(Effect::Show(Output::Stored { tag, id }));
                }
            }
            Event::Rejected(_) => {}
            Event::Page(page) => {
                let (messages, end) = self.pages.received(page);
                self.show(messages, MessageKind::History, now, effects);
                effects.push(Effect::Show(end));
            }
            Event::Catalogue { commands, prefix } => {
                let prefix = prefix.as_ref().map(WireText::as_wire);
                Catalogue::update(&mut self.catalogue, commands, prefix);
                self.awaits_catalogue = false;
            }
            Event::Result(outcome) => self.result(outcome, effects),
            Event::Prompt(prompt) => effects.push(self.calls.prompt_received(prompt)),
            Event::Ping(number) => {
                effects.extend(ping::pong(number).finish().ok().map(Effect::Send));
            }
            Event::Info(text) => effects.push(Effect::Show(Output::Info(text))),
            Event::Error(text) => {
                effects.push(Effect::Show(Output::Error(text)));
                self.pages.error_received();
                self.login.error_received(effects);
            }
            Event::Deviation(deviation) if self.strict || loses_something(&deviation) => {
                effects.push(Effect::Show(Output::Deviation(
                    ScreenText::shortened(&deviation.to_string(), 200).to_string(),
                )));
            }
            Event::Deviation(_) => {}
        }
    }

    fn show(
        &self,
        messages: impl IntoIterator<Item = session::Message>,
        kind: MessageKind,
        now: i64,
        effects: &mut Vec<Effect>,
    ) {
        effects.extend(messages.into_iter().map(|message| {
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
        }));
    }

    fn result(&mut self, mut outcome: Outcome, effects: &mut Vec<Effect>) {
        let call = self.calls.result_received(&outcome);
        let table = match &mut outcome.data {
            Some(data) => {
                if let Some(token) = take_token(data) {
                    self.login.token_received(&self.session, token, effects);
                }
                Table::read(data).filter(|_| self.interactive)
            }
            None => None,
        };
        if outcome.ok && call.name == "logout" {
            self.logged_out = true;
            effects.extend(self.login.logged_out(&self.session));
        }
        let failed = !outcome.ok;
        effects.push(Effect::Show(Output::Result { command: call.name, outcome, table }));
        // The next line through a pipe may be the secret that was not asked for: it must not be sent as a message.
        if failed && !self.interactive && call.never_asked {
            effects.push(Effect::GiveUp(GiveUpReason::NotAsked));
        }
    }
}

/// Takes the login token out of a result, so that it reaches neither the screen nor programs that log what they read.
fn take_token(data: &mut Value) -> Option<Secret> {
    match data.as_object_mut()?.remove("TOKEN")? {
        Value::String(token) => Some(Secret::new(token)),
        _ => None,
    }
}

/// Whether the user misses something without being told of the deviation (ER-1).
fn loses_something(deviation: &Deviation) -> bool {
    matches!(
        deviation,
        Deviation::Unreadable(_)
            | Deviation::NotAMessage(_)
            | Deviation::WrongType(..)
            | Deviation::WrongValue(..)
    )
}
