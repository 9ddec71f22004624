//! Typed lines: what each does, in the palette and in the chat view.

use chatterbox_app::model::{Body, Older};
use chatterbox_app::{InputMode, Intent, Target};
use chatterbox_proto::ScreenText;

use super::limits::{LAST_ANSWERS, Now};
use super::palette::{self, Meaning};
use super::said;
use super::secrets;
use super::session::{Asked, NEWEST, Session, View};

impl Session {
    /// Takes a complete line.
    pub(super) fn line(&mut self, line: &str, asked: Asked, now: Now) {
        match asked.mode {
            InputMode::Chat if self.leads_back(line) => self.palette(now),
            // Whoever has forgotten where they are would tell it to everybody. It is not remembered either.
            InputMode::Chat if self.view == View::Chat && self.is_command_with_secret(line) => {
                self.note("Nothing was sent: this is a command with a secret; :q goes back.");
            }
            InputMode::Chat if self.view == View::Chat => {
                if !line.trim().is_empty() {
                    let effects = self.app.typed_text(line, asked.mode, now.unix);
                    self.perform(effects, now);
                }
            }
            InputMode::Chat => self.command(line, now),
            InputMode::Name if palette::read(line) == Meaning::Quit => self.leave(now),
            mode => {
                let effects = self.app.typed(line, mode, now.unix);
                self.perform(effects, now);
            }
        }
    }

    /// Takes a line of the palette.
    fn command(&mut self, line: &str, now: Now) {
        let meaning = palette::read(line);
        if !matches!(meaning, Meaning::Line(_) | Meaning::Empty) {
            self.composer.remember(line);
        }
        match meaning {
            Meaning::Empty => {}
            Meaning::Help => palette::help().iter().for_each(|line| self.screen.print(line)),
            Meaning::HelpAbout(name) => {
                let own = palette::help_about(&name);
                if let Some(own) = &own {
                    self.screen.print(own);
                }
                if own.is_none() {
                    self.type_for(&format!("/help {name}"), now);
                }
            }
            Meaning::Members => match self.front() {
                Target::User(_) => {
                    let with = self.front().in_words();
                    self.note(&format!("you and {with}"));
                }
                _ => self.type_for("/list", now),
            },
            Meaning::Open(target) => {
                self.look_for(&target);
                let effects = self.app.intend(Intent::Open(target), now.unix);
                self.perform(effects, now);
            }
            Meaning::Chat => self.chat(now),
            Meaning::Close => match self.front() {
                Target::Lobby => self.note("The lobby can't be left; :quit leaves the chat."),
                Target::Room(room) => self.type_for(&format!("/leave {room}"), now),
                target @ Target::User(_) => {
                    let effects = self.app.intend(Intent::Close(target), now.unix);
                    self.perform(effects, now);
                }
            },
            Meaning::Quit => self.leave(now),
            Meaning::Missing(usage) => self.note(&format!("{usage}: which one?")),
            Meaning::Unclear => {
                self.note("Nothing was sent: :help lists the commands, :chat is for talking.");
            }
            Meaning::Line(line) if !self.is_command(&line) => {
                let name = line.trim_start_matches('/').split_whitespace().next();
                let name = name.unwrap_or_default();
                let near = self.app.near_command(name, &palette::names());
                let near = near.map(|near| format!(" Did you mean :{near}?")).unwrap_or_default();
                let name = ScreenText::shortened(name, 40);
                self.note(&format!("There is no command :{name}.{near} :help lists them."));
            }
            Meaning::Line(line) => {
                let has_secret = self.mask().secret_from(&line).is_some();
                let refusal = secrets::refusal(self.screen.mode(), self.is_local);
                if let Some(why) = refusal.filter(|_| has_secret) {
                    self.note(&format!("Nothing was sent: no secret is taken here: {why}."));
                } else {
                    self.type_for(&line, now);
                }
            }
        }
    }

    /// Gives the application a line as its user would type it.
    fn type_for(&mut self, line: &str, now: Now) {
        let effects = self.app.typed(line, InputMode::Chat, now.unix);
        self.perform(effects, now);
    }

    fn is_command(&self, line: &str) -> bool {
        let name = line.trim_start_matches('/').split_whitespace().next().unwrap_or_default();
        self.app.has_command(name)
    }

    /// Whether a line would be a command with a secret in the palette, or is near to one.
    fn is_command_with_secret(&self, line: &str) -> bool {
        let command = line.trim_start().strip_prefix([':', '/']);
        command.is_some_and(|command| self.app.has_secret(&format!("/{command}")))
    }

    pub(super) fn front(&self) -> Target {
        self.app.model().map_or(Target::Lobby, |model| model.front().clone())
    }

    /// Says so where somebody is not here.
    fn look_for(&mut self, target: &Target) {
        let Target::User(name) = target else { return };
        let folded = name.to_lowercase();
        let people = self.app.people(&Target::Lobby).unwrap_or_default();
        if !people.iter().any(|(user, _)| user.as_wire().to_lowercase() == folded) {
            let name = ScreenText::shortened(name, 40);
            self.note(&format!("{name} is not here now; :close goes back."));
        }
    }

    /// Begins to show what is said in the conversation in front.
    fn chat(&mut self, now: Now) {
        let front = self.front();
        self.view = View::Chat;
        let effects = self.app.intend(Intent::Seeing(true), now.unix);
        self.perform(effects, now);
        let model = self.app.model();
        let conversation = model.and_then(|model| model.conversation(&front));
        let lacks = conversation.is_some_and(|one| {
            let said = one.timeline.iter().filter(|item| matches!(item.body, Body::Speech(_)));
            one.older != Older::Beginning && said.count() < usize::from(NEWEST)
        });
        if lacks {
            let effects = self.app.intend(Intent::Older(front), now.unix);
            self.is_paging = !effects.is_empty();
            self.perform(effects, now);
        }
        if !self.is_paging {
            self.show_newest(now);
        }
    }

    /// Shows the newest messages of the conversation in front.
    pub(super) fn show_newest(&mut self, now: Now) {
        self.is_paging = false;
        let place = self.front().in_words();
        self.note(&format!("{place}: what you type is said there; :q goes back"));
        let Some(conversation) = self.app.model().and_then(|model| model.in_front()) else {
            return;
        };
        let spoken = conversation.timeline.iter().rev().filter_map(|item| match &item.body {
            Body::Speech(speech) => Some((item.time, speech)),
            _ => None,
        });
        let mut lines: Vec<_> = spoken
            .take(usize::from(NEWEST))
            .map(|(time, speech)| said::speech(&self.time.format(time, now.unix), speech))
            .collect();
        lines.reverse();
        lines.iter().for_each(|line| self.screen.print(line));
    }

    /// Goes back to the palette.
    pub(super) fn palette(&mut self, now: Now) {
        self.view = View::Palette;
        let effects = self.app.intend(Intent::Seeing(false), now.unix);
        self.perform(effects, now);
    }

    /// The user leaves. What was just said or called is waited for, for a moment: it may not have left yet.
    pub(super) fn leave(&mut self, now: Now) {
        self.typed.clear();
        if self.app.pending_replies() == 0 {
            return self.end("-- good bye");
        }
        self.leaving.get_or_insert(now.elapsed + LAST_ANSWERS);
    }
}
