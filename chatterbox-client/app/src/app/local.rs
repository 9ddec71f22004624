//! The commands about what this program has kept: they say line by line what a full screen shows in lists.

use chatterbox_proto::ScreenText;

use super::App;
use crate::effect::{Effect, note};
use crate::model::{Attention, Conversation};
use crate::parse::Local;
use crate::target::Target;
use crate::words::plural;

/// So many lines are said at most.
const LINES: usize = 20;

/// So many characters of a line are said.
const SHOWN: usize = 200;

impl App {
    pub(super) fn local(&mut self, local: Local, rest: &str, now: i64) -> Vec<Effect> {
        match local {
            Local::Mentions => self.list_mentions(now),
            Local::Search => self.search(rest, now),
            Local::Links => self.list_links(),
            Local::Unread => self.list_conversations(),
            Local::Notify => self.notify(rest),
            Local::Close if rest.is_empty() => match self.front.at().target() {
                Target::User(name) => self.close_named(&format!("@{name}"), now),
                _ => note("/close @NAME: which conversation?"),
            },
            Local::Close => self.close_named(rest, now),
        }
    }

    /// Whether a line is meant for this program although the server has a command of this name: only this program closes
    /// conversations with users.
    pub(super) fn is_client_s(&self, local: Local, rest: &str) -> bool {
        let with_user = match rest {
            "" => matches!(self.front.at().target(), Target::User(_)),
            rest => rest.starts_with('@'),
        };
        local == Local::Close && with_user
    }

    fn list_mentions(&self, now: i64) -> Vec<Effect> {
        let Some(model) = &self.model else { return Vec::new() };
        let mut mentions: Vec<_> = model.mentions().take(LINES).collect();
        if mentions.is_empty() {
            return note("Nobody has named you in what is loaded.");
        }
        // As everything is read, the newest one is at the end.
        mentions.reverse();
        let line = |(target, mention): (&Target, &crate::model::Mention)| {
            let when = self.time.format(mention.time, now);
            format!("[{when}] {}: {}: {}", target.in_words(), mention.from, mention.line)
        };
        mentions.into_iter().flat_map(|mention| note(line(mention))).collect()
    }

    fn search(&self, text: &str, now: i64) -> Vec<Effect> {
        let Some(model) = &self.model else { return Vec::new() };
        if text.is_empty() {
            return note("/search TEXT: what is looked for?");
        }
        let mut found = model.search(model.front(), text, LINES + 1);
        let more = found.len() > LINES;
        found.truncate(LINES);
        let place = model.front().in_words();
        let text = ScreenText::shortened(text, 40);
        let count = match (found.len(), more) {
            (0, _) => format!("There is no \"{text}\" in what is loaded of {place}."),
            (_, true) => format!("the last {LINES} messages with \"{text}\" in {place}:"),
            (count, false) => {
                format!(
                    "{} with \"{text}\" in what is loaded of {place}:",
                    plural(count, "message")
                )
            }
        };
        let mut effects = note(count);
        for found in found.into_iter().rev() {
            let when = self.time.format(found.time, now);
            let line = ScreenText::shortened(found.line.as_str(), SHOWN);
            effects.extend(note(format!("[{when}] {}: {line}", found.from)));
        }
        effects
    }

    fn list_links(&self) -> Vec<Effect> {
        let Some(model) = &self.model else { return Vec::new() };
        let links = model.links(model.front(), LINES);
        if links.is_empty() {
            return note(format!(
                "There is no link in what is loaded of {}.",
                model.front().in_words()
            ));
        }
        links.into_iter().rev().flat_map(note).collect()
    }

    fn list_conversations(&self) -> Vec<Effect> {
        let Some(model) = &self.model else { return Vec::new() };
        let all = model.conversations();
        let mut effects = Vec::new();
        for (conversation, number) in all.iter().zip(1..).take(LINES) {
            let here = if conversation.is_at(model.front()) { ", in front" } else { "" };
            let line = format!(
                "{number} {}{here}{}",
                conversation.target.in_words(),
                unread(conversation)
            );
            effects.extend(note(line));
        }
        let others = all.iter().skip(LINES);
        let (hidden, unread) =
            others.fold((0, 0), |(hidden, unread), one| (hidden + 1, unread + one.unread));
        if hidden > 0 {
            effects.extend(note(format!("and {hidden} more, {unread} unread")));
        }
        effects.extend(note("/room NUMBER goes there."));
        effects
    }

    /// Carries out `/notify [WHAT]`.
    fn notify(&mut self, what: &str) -> Vec<Effect> {
        let Some(model) = &mut self.model else { return Vec::new() };
        let front = model.front().clone();
        if !what.is_empty() {
            let Some(attention) = Attention::named(&what.to_lowercase()) else {
                return self.not_done("/notify all, /notify mentions or /notify none.");
            };
            model.attend(&front, attention);
        }
        let told = model.attention(&front).words();
        note(format!("Of {} you are told {told}.", front.in_words()))
    }

    fn close_named(&mut self, name: &str, now: i64) -> Vec<Effect> {
        let target = self.numbered(name).unwrap_or_else(|| Target::parse(name, self.has_rooms()));
        if self.model.as_ref().is_some_and(|model| model.conversation(&target).is_none()) {
            return note(format!("There is no conversation {}.", ScreenText::shortened(name, 40)));
        }
        let effects = self.close(&target, now);
        if matches!(target, Target::User(_)) && effects.is_empty() {
            return note(format!("{} is closed.", target.in_words()));
        }
        effects
    }
}

fn unread(conversation: &Conversation) -> String {
    match (conversation.unread, conversation.mentions) {
        (0, _) => String::new(),
        (unread, 0) => format!(": {unread} unread"),
        (unread, mentions) => format!(": {unread} unread, {mentions} for you"),
    }
}
