//! The server's frames: what each event changes, and what the user sees of it.

use bytes::Bytes;
use chatterbox_proto::capability::ServerInfo;
use chatterbox_proto::capability::accounts::Secret;
use chatterbox_proto::capability::commands::Outcome;
use chatterbox_proto::capability::ping;
use chatterbox_proto::server_frame::Deviation;
use chatterbox_proto::session::Event;
use chatterbox_proto::{ALL, Code, ScreenText, WireText};
use serde_json::Value;

use super::calling::enters_room;
use super::greeting::Greeting;
use super::{ASTRAY, App};
use crate::commands::Catalogue;
use crate::effect::{Effect, GiveUpReason, note};
use crate::history::Purpose;
use crate::input_mode::InputMode;
use crate::output::{MessageKind, Output, Until};
use crate::table::Table;

/// A welcome names at most this many users; `/users` names all.
const USERS_IN_WELCOME: usize = 100;

/// About how much is made of a frame at a time: so many effects, or so many bytes of text.
const AT_A_TIME: usize = 64;
const BYTES_AT_A_TIME: usize = 64 * 1024;

impl App {
    /// Takes the body of one frame of the server and works off its first part; `now` is in seconds since 1970. The
    /// next frame must wait until [`App::has_more`] says that nothing is left of this one.
    pub fn received(&mut self, body: &Bytes, now: i64) -> Vec<Effect> {
        self.session.take(body);
        self.progress = false;
        (self.refused, self.sealed_again) = (false, false);
        self.more(now)
    }

    /// Whether a part of the last frame is left.
    pub fn has_more(&self) -> bool {
        self.session.has_events()
    }

    /// Whether the part that is left begins with the history of a welcome.
    pub fn is_welcoming(&self) -> bool {
        self.greeting.is_some() && self.has_more()
    }

    /// Works off the next part of the last frame. When all before is shown, no more than a part is ever in memory.
    pub fn more(&mut self, now: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut bytes = 0;
        while effects.len() < AT_A_TIME && bytes < BYTES_AT_A_TIME {
            let Some(event) = self.session.next_event() else { break };
            bytes += size(&event);
            self.progress |= match &event {
                Event::Stored { .. } => true,
                Event::Message(message) => message.id.is_some(),
                Event::Rejoined { missed, .. } => *missed > 0,
                _ => false,
            };
            self.apply(event, now, &mut effects);
        }
        if !self.has_more() && (self.progress || self.session.unanswered() == 0) {
            self.reconnect.proved_useful();
        }
        if !self.has_more() {
            let follows = self.encryption.as_mut().map(|keys| keys.frame_is_over(now));
            self.follow(follows.unwrap_or_default(), now, &mut effects);
            if let Some(line) = self.take_held() {
                effects.extend(self.typed(&line, InputMode::Chat, now));
            }
            effects.extend(self.front.line(now, false).map(Effect::Show));
        }
        effects
    }

    fn apply(&mut self, event: Event, now: i64, effects: &mut Vec<Effect>) {
        match event {
            Event::Accepted { info, history, agreed, account, server, more } => {
                self.resumed = false;
                self.has_account = account.as_ref().is_some_and(|account| account.level > 0);
                self.welcomed(agreed);
                self.level = account.as_ref().map_or(0, |account| account.level);
                self.begin_in_default();
                self.keys_are_here(agreed, account.as_ref(), now, effects);
                self.show_newest(history, more, effects);
                self.greeting = Some(Greeting { info, agreed, account, server, more });
            }
            Event::History(message) => {
                self.earlier += 1;
                if message.recipient.is_none() {
                    self.front.said_before(message.id.unwrap_or(0));
                }
                self.show(message, MessageKind::History, now, effects);
            }
            Event::Welcomed => self.greet(effects),
            Event::Rejoined { missed, complete, agreed, account } => {
                self.resumed = true;
                self.has_account = account.as_ref().is_some_and(|account| account.level > 0);
                self.reconnect.resumed();
                self.closed = None;
                self.welcomed(agreed);
                self.level = account.as_ref().map_or(0, |account| account.level);
                if !complete {
                    self.quotes.forget();
                    self.shelf.forget();
                }
                self.note_rooms();
                self.keys_are_here(agreed, account.as_ref(), now, effects);
                effects.push(Effect::Show(Output::Resumed { missed, complete }));
                self.show_newest(missed, false, effects);
                self.fill_gaps_again(complete, now, effects);
                let level = account.as_ref().map(|account| account.level);
                effects.extend(self.login.guest_notice(level));
                self.login.account_received(&self.session, account, effects);
                self.again_at = None;
                effects.extend(self.session.resend().into_iter().map(Effect::Send));
                self.resume_transfers(now, effects);
                if let Some(model) = &mut self.model {
                    model.settle(|tag| self.session.awaits(tag));
                }
            }
            Event::Missed(message) => self.show(message, MessageKind::Missed, now, effects),
            Event::Refused { info, code, until } => {
                let down = self.is_down();
                let until = self.until(until, now);
                self.login.refused(&mut self.session, down, info, code, until, effects);
            }
            // Who comes and goes in the lobby is of interest where the lobby is.
            Event::Joined(_) | Event::Left(_) if self.front.hides(ALL) => {}
            Event::Joined(name) => effects.push(Effect::Show(Output::Joined(name))),
            Event::Left(name) => effects.push(Effect::Show(Output::Left(name))),
            Event::RoomJoined(room) => self.room_joined(&room, now, effects),
            Event::RoomChanged(told) => self.room_changed(&told, effects),
            Event::RoomLeft(left) => self.room_left(left, now, effects),
            Event::RoomUsersJoined { room, users } => self.room_users(room, users, true, effects),
            Event::RoomUsersLeft { room, users } => self.room_users(room, users, false, effects),
            Event::Gap { room, after } => self.gap_found(&room, after, effects),
            // A person is told who goes away and who is back, where that is of interest; a program gets all.
            Event::Presence { user, was_away } => {
                let is_news = user.away.is_some() != was_away && !self.front.hides(ALL);
                if self.json || is_news && self.me() != Some(user.name.as_wire()) {
                    effects.push(Effect::Show(Output::Presence(user)));
                }
            }
            Event::Notice(notice) => {
                let until = self.until(notice.until, now);
                effects.push(Effect::Show(Output::Notice(notice, until)));
            }
            Event::Marks { read, unread } => self.marks_told(read, &unread, effects),
            Event::Closed(closed) => {
                if self.json || !self.session.complains() {
                    effects.push(Effect::Show(Output::Closed(closed.clone())));
                }
                self.closed = Some(closed);
            }
            Event::Renamed { old, new } => {
                self.front.renamed(old.as_wire(), new.as_wire());
                self.quotes.renamed(old.as_wire(), new.as_wire());
                self.shelf.renamed(old.as_wire(), new.as_wire());
                if let Some(keys) = &mut self.encryption {
                    keys.is_called(old.as_wire(), new.as_wire());
                }
                effects.push(Effect::Show(Output::Renamed { old, new }));
            }
            Event::SelfRenamed(name) => {
                self.login.renamed(name.as_wire());
                self.names.note(name.as_wire());
                if let Some(keys) = &mut self.encryption {
                    keys.renamed(name.as_wire());
                }
                effects.push(Effect::Show(Output::YouAre(name)));
            }
            Event::Message(message) => self.show(message, MessageKind::Live, now, effects),
            Event::Keys(answer) => {
                let follows = self.encryption.as_mut().map(|keys| keys.answered(&answer, now));
                self.follow(follows.unwrap_or_default(), now, effects);
            }
            Event::KeysLow(low) => {
                let follows = self.encryption.as_mut().map(|keys| keys.low(&low, now));
                self.follow(follows.unwrap_or_default(), now, effects);
            }
            Event::Stored { tag, id } => {
                self.quotes.stored(&tag, id);
                self.shelf.stored(&tag, id);
                if let Some(keys) = &mut self.encryption {
                    keys.stored(&tag, id);
                }
                effects.push(Effect::Show(Output::Stored { tag, id }));
            }
            Event::Rejected(rejected) => {
                let (tag, code) = (rejected.tag.as_wire(), rejected.code.as_wire());
                let keys = self.encryption.as_mut();
                let follows = keys.and_then(|keys| keys.rejected(tag, code, now));
                let is_first = !std::mem::replace(&mut self.refused, true);
                // It is encrypted again, for the devices that there are now, or the user is told so.
                self.sealed_again = follows.is_some() && (is_first || self.sealed_again);
                if let Some(follows) = follows {
                    effects.push(Effect::Show(Output::Rejected { refused: rejected, told: true }));
                    return self.follow(follows, now, effects);
                }
                self.failures += 1;
                // Beside REFUSED stands an ERROR that says the same; people are told once.
                let wait = rejected.wait;
                let told = self.session.complains();
                effects.push(Effect::Show(Output::Rejected { refused: rejected, told }));
                if let Some(wait) = wait.filter(|_| !self.json) {
                    effects.extend(note(format!("It may be said in {wait} s.")));
                }
            }
            Event::PutOff { wait } => {
                self.refused = true;
                if let Some(at) = self.put_off(wait, now) {
                    effects.extend(note(format!(
                        "The server takes no more now; going on in {} s.",
                        at.saturating_sub(now)
                    )));
                }
            }
            Event::Page(page) => {
                let purpose = self.pages.answered(&page);
                if purpose == Purpose::Gap {
                    return self.gap_page(page, now, effects);
                }
                if purpose == Purpose::Scrolled && !self.page_comes(&page.with) {
                    return;
                }
                self.failures += usize::from(purpose == Purpose::Shown && page.code.is_some());
                self.paging = Some(self.target_to(Some(page.with.as_wire())));
                let (messages, end) = self.pages.shown(page, purpose);
                for message in messages {
                    self.show(message, MessageKind::History, now, effects);
                }
                self.paging = None;
                effects.push(Effect::Show(end));
            }
            Event::Catalogue { commands, prefix } => {
                let prefix = prefix.as_ref().map(WireText::as_wire);
                Catalogue::update(&mut self.catalogue, commands, prefix);
                self.awaits_catalogue = false;
            }
            Event::Result(outcome) => self.result(outcome, now, effects),
            // A part of a frame may be left when its connection is lost; a transfer begins anew on the next one.
            Event::File(_) | Event::FileChunk(_) | Event::FileCredit(_) | Event::FileStop(_)
                if self.is_down() => {}
            Event::File(answer) => self.file_answered(&answer, now, effects),
            Event::FileChunk(chunk) => self.file_chunk(chunk, now, effects),
            Event::FileCredit(credit) => self.file_credited(&credit),
            Event::FileStop(token) => self.file_stopped(&token, now, effects),
            // A part of a frame may be left when its connection is lost: nobody waits for an answer any more.
            Event::Prompt(_) | Event::Ping(_) if self.is_down() => {}
            Event::Prompt(prompt) => effects.extend(self.calls.prompt_received(prompt)),
            Event::Ping(number) => {
                effects.extend(ping::pong(number).finish().ok().map(Effect::Send));
            }
            Event::Pong(number) => effects.push(Effect::Pong(number)),
            Event::Info(text) => effects.push(Effect::Show(Output::Info(text))),
            // It says the same as what was put off, or is encrypted again.
            Event::Error(_) if self.refused && (self.again_at.is_some() || self.sealed_again) => {}
            Event::Error(text) => {
                self.failures += usize::from(self.has_sent && !self.refused);
                let turned_away = self.me().is_none() && turns_away(text.as_wire());
                effects.push(Effect::Show(Output::Error(text)));
                self.pages.error_received();
                if turned_away {
                    effects.push(Effect::GiveUp(GiveUpReason::TurnedAway));
                } else {
                    self.login.error_received(self.is_down(), effects);
                }
            }
            Event::Deviation(deviation) if self.strict || loses_something(&deviation) => {
                effects.push(Effect::Show(Output::Deviation(
                    ScreenText::shortened(&deviation.to_string(), 200).to_string(),
                )));
            }
            Event::Deviation(_) => {}
        }
    }

    /// A person is shown the newest of so many messages, and told how to see the others; a program gets all. `more` says
    /// that the server has others still.
    fn show_newest(&mut self, messages: usize, more: bool, effects: &mut Vec<Effect>) {
        let older = messages.saturating_sub(self.newest);
        if !self.interactive || self.full_screen {
            return;
        }
        if more && self.has_history() {
            self.session.skip(older);
            effects.extend(note("There are older messages: /history shows them, page by page."));
            return;
        }
        if older == 0 {
            return;
        }
        self.session.skip(older);
        let how = if self.has_history() {
            "/history shows them, page by page"
        } else {
            "all come where the output is a pipe or a file"
        };
        effects.extend(note(format!(
            "{} not shown here; {how}.",
            if older == 1 {
                "1 older message is".to_owned()
            } else {
                format!("{older} older messages are")
            }
        )));
    }

    /// Says at the end of a welcome who the user is, what the server says and who is here.
    fn greet(&mut self, effects: &mut Vec<Effect>) {
        let Some(Greeting { info, agreed, account, server, more }) = self.greeting.take() else {
            return;
        };
        let level = account.as_ref().map(|account| account.level);
        let name = self.login.requested();
        let earlier = std::mem::take(&mut self.earlier);
        if self.interactive && !self.json && earlier > 0 {
            effects.push(Effect::Show(Output::Earlier(earlier)));
        }
        effects.push(Effect::Show(Output::Welcome { name, agreed, level, more }));
        effects.extend(info.map(|info| Effect::Show(Output::Info(info))));
        if let Some(ServerInfo { name, banner }) = server
            && (name.is_some() || banner.is_some())
        {
            effects.push(Effect::Show(Output::Server { name, banner }));
        }
        effects.push(Effect::Show(self.users_here(USERS_IN_WELCOME)));
        self.show_rooms(effects);
        effects.extend(self.login.guest_notice(level));
        self.login.account_received(&self.session, account, effects);
    }

    /// The users who are here, at most so many of them.
    pub(super) fn users_here(&self, most: usize) -> Output {
        let more = self.session.user_count().saturating_sub(most);
        let users: Vec<_> = self.session.users().take(most).map(WireText::into_owned).collect();
        let is_away = |name: &&WireText<'static>| self.session.is_away(name.as_wire());
        let away = users.iter().filter(is_away).cloned().collect();
        Output::Users { users, away, more }
    }

    /// Until when something holds, as a person reads it as well.
    fn until(&self, until: Option<i64>, now: i64) -> Option<Until> {
        until.map(|time| Until { time, when: self.time.format(time, now) })
    }

    /// The level of this user's account on the server, where the result of a command tells it.
    fn own_level(&self, command: &str, outcome: &Outcome) -> Option<u8> {
        let data = outcome.data.as_ref().filter(|_| outcome.ok)?;
        let is_own = match command {
            "register" | "passwd" | "elevate" => true,
            // They tell the level of somebody, who may be this user, on the server or in a room.
            "perm" | "set-perm" => {
                let in_room = data.get("ROOM").is_some_and(|room| !room.is_null());
                let both = data.get("NAME").and_then(Value::as_str).zip(self.me());
                !in_room && both.is_some_and(|(name, me)| name.to_lowercase() == me.to_lowercase())
            }
            _ => false,
        };
        let level = data.get("LEVEL").filter(|_| is_own)?;
        level.as_u64().and_then(|level| u8::try_from(level).ok())
    }

    fn result(&mut self, mut outcome: Outcome, now: i64, effects: &mut Vec<Effect>) {
        let (call, next_question) = self.calls.result_received(&outcome);
        // What was typed for the room meanwhile is not for the one that is still in front.
        if enters_room(&call.name) && self.front.want_nothing() && !outcome.ok {
            self.astray_until = now.saturating_add(ASTRAY);
        }
        if let Some(level) = self.own_level(&call.name, &outcome) {
            self.level = level;
        }
        let table = match &mut outcome.data {
            Some(data) => {
                if let Some(token) = take_token(data) {
                    self.has_account = true;
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
        self.failures += usize::from(failed);
        effects.push(Effect::Show(Output::Result { command: call.name, outcome, table }));
        effects.extend(next_question);
        // The next line through a pipe may be the secret that was not asked for: it must not be sent as a message.
        if failed && !self.interactive && call.never_asked {
            effects.push(Effect::GiveUp(GiveUpReason::NotAsked));
        }
    }
}

/// Whether an ERROR before the name says that there is no place for the connection: no other name would help. The text
/// may have the clause of the norm behind it.
fn turns_away(error: &str) -> bool {
    [Code::ServerFull, Code::TooManyConnections].iter().any(|code| error.starts_with(code.text()))
}

/// About how many bytes of text an event has.
fn size(event: &Event) -> usize {
    match event {
        Event::History(message) | Event::Missed(message) | Event::Message(message) => {
            message.source.as_wire().len() + message.content.as_wire().len()
        }
        Event::Info(text) | Event::Error(text) | Event::Joined(text) | Event::Left(text) => {
            text.as_wire().len()
        }
        _ => 0,
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
