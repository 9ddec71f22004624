//! What of the chat is shown: in the palette the results of commands and what concerns the user, in the chat view what is said and
//! done in the conversation in front as well. Everything else is counted.

use std::collections::VecDeque;

use chatterbox_app::{Effect, Intent, Message, MessageKind, Output, Target};
use chatterbox_proto::SERVER;

use super::limits::Now;
use super::said;
use super::screen::Mode;
use super::session::{Session, View};

impl Session {
    /// Does what the application wants.
    pub(super) fn perform(&mut self, effects: Vec<Effect>, now: Now) {
        let mut queue = VecDeque::new();
        for effect in effects {
            match effect {
                Effect::Show(output) => self.show(output, now, &mut queue),
                Effect::Send(frame) => self.frames.extend_from_slice(&frame),
                Effect::Remember(line) => {
                    let line =
                        if self.view == View::Palette { line.replacen('/', ":", 1) } else { line };
                    self.composer.remember(&line);
                }
                Effect::DescribeLink => {
                    self.note("You are connected by telnet; nothing of it is encrypted.");
                }
                // There is no other connection, and nothing is kept here.
                Effect::StoreToken { .. } | Effect::Redial(_) | Effect::Pong(_) => {}
                Effect::Leave => self.leave(now),
                Effect::Disconnect(_) | Effect::ConnectionLost | Effect::GiveUp(_) => {
                    self.print_all(&mut queue);
                    return self.end("-- good bye");
                }
            }
        }
        self.crowd.settle(now.unix, &mut queue);
        self.print_all(&mut queue);
        if std::mem::take(&mut self.has_lost_front) {
            self.palette(now);
            let effects = self.app.intend(Intent::Open(Target::Lobby), now.unix);
            self.perform(effects, now);
        }
    }

    fn show(&mut self, output: Output, now: Now, queue: &mut VecDeque<Output>) {
        self.app.shown(&output, now.unix);
        while self.app.take_alert().is_some() {}
        if std::mem::take(&mut self.skips_note) && matches!(output, Output::Note(_)) {
            return;
        }
        let is_shown = self.is_shown(&output);
        match &output {
            Output::Welcome { .. } => self.is_welcomed = true,
            Output::RoomLeft(left) => {
                let room = Target::Room(left.room.as_wire().to_owned());
                if room.is(&self.front()) {
                    self.has_lost_front = true;
                    self.skips_note = true;
                }
            }
            Output::Message(_) | Output::Behind(_) => self.news.touch(),
            Output::Page { .. } if self.is_paging => {
                self.crowd.flush(now.unix, queue);
                self.print_all(queue);
                return self.show_newest(now);
            }
            _ => {}
        }
        if is_shown {
            self.crowd.take(output, now.unix, queue);
        }
    }

    fn is_shown(&self, output: &Output) -> bool {
        let is_chat = self.view == View::Chat && !self.is_paging;
        let in_front = |target: &Target| is_chat && target.is(&self.front());
        match output {
            Output::Message(message) => self.is_said_here(message, is_chat),
            Output::Joined(_) | Output::Left(_) => in_front(&Target::Lobby),
            Output::RoomUsers { room, .. } => in_front(&Target::Room(room.as_wire().to_owned())),
            Output::Presence(user) => in_front(&Target::User(user.name.as_wire().to_owned())),
            // The question becomes the prompt, the banner was shown, and what is unread is told by the news.
            Output::Prompt { .. }
            | Output::Server { .. }
            | Output::Unread(_)
            | Output::Earlier(_)
            | Output::Behind(_) => false,
            Output::Page { .. } => self.is_welcomed && !self.is_paging,
            output => output.is_line(),
        }
    }

    fn is_said_here(&self, message: &Message, is_chat: bool) -> bool {
        match message.kind {
            // A page that was asked for by a command.
            MessageKind::History => self.is_welcomed && !self.is_paging,
            // The terminal shows it already.
            MessageKind::Own if self.screen.mode() == Mode::Line => false,
            _ if message.from.as_wire() == SERVER => true,
            MessageKind::Own if !is_chat => true,
            _ => is_chat && said::place(message).is(&self.front()),
        }
    }

    /// Writes an output.
    pub(super) fn print(&mut self, output: Output) {
        let text = match output {
            Output::Message(message)
                if message.kind != MessageKind::History && message.from.as_wire() != SERVER =>
            {
                said::message(&message)
            }
            output => {
                let mut text = String::new();
                for mut span in output.into_terminal_spans() {
                    while span.words.left() > 0 {
                        span.words.push_next(&mut text, usize::MAX);
                    }
                }
                said::with_colons(&text)
            }
        };
        self.screen.print(&text);
    }
}
