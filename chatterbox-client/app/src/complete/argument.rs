//! The arguments of a command: which one is at the cursor, what is known of it and what it can be.

use chatterbox_proto::ALL;
use chatterbox_proto::capability::commands::{Argument, ArgumentType, Command};

use super::completion::{Completion, about, begins};
use super::vocabulary::Vocabulary;
use crate::commands::{Catalogue, is_passed_over};
use crate::model::Attention;
use crate::own::{Own, OwnArgument};

/// Lengths of time to choose from.
const DURATIONS: [&str; 5] = ["10m", "1h", "1d", "7d", "forever"];

impl Vocabulary {
    /// What the word behind a command and so many others can become.
    pub(super) fn arguments(
        &self,
        catalogue: &Catalogue,
        command: &Command,
        words: &[&str],
        word: &str,
        is_asked: bool,
        into: &mut Completion,
    ) {
        into.about.push(about(&catalogue.usage(command)));
        let possible = possible(command, words);
        // Behind a secret nothing is looked for: what is typed may be that secret still.
        let open = possible.iter().take_while(|one| one.kind != ArgumentType::Secret);
        let mut named = None;
        for argument in open {
            let before = into.candidates.len();
            let is_last = command.arguments.last().is_some_and(|last| std::ptr::eq(last, argument));
            self.values(catalogue, argument, is_last, word, is_asked, into);
            if into.candidates.len() > before {
                named = named.or(Some(argument));
            }
        }
        let is_meant = |argument: &&Argument| {
            let is_last =
                command.arguments.last().is_some_and(|last| std::ptr::eq(last, *argument));
            !is_passed_over(argument, is_last, word)
        };
        let at_cursor = match word {
            "" => possible.first(),
            _ => named.or_else(|| possible.iter().find(is_meant)).or(possible.first()),
        };
        match at_cursor {
            Some(argument) => describe(argument, into),
            None => into.about.push(about(&command.help)),
        }
    }

    /// What an argument of a command of the server can be.
    fn values(
        &self,
        catalogue: &Catalogue,
        argument: &Argument,
        is_last: bool,
        word: &str,
        is_asked: bool,
        into: &mut Completion,
    ) {
        let behind = if is_last { "" } else { " " };
        if !argument.values.is_empty() {
            for value in argument.values.iter().filter(|value| begins(value, word)) {
                into.add(value, behind, value, "");
            }
            return;
        }
        let (sign, name) = word.strip_prefix('@').map_or(("", word), |name| ("@", name));
        match argument.kind {
            ArgumentType::User => self.add_users(name, sign, behind, into),
            ArgumentType::Users => self.add_users(name, sign, " ", into),
            ArgumentType::Room => self.rooms_and_all(word, behind, into),
            ArgumentType::Command => self.commands_by_name(catalogue.prefix(), word, into),
            ArgumentType::Duration => {
                let number = word.trim_end_matches(|c: char| !c.is_ascii_digit());
                let is_number =
                    !word.is_empty() && number == word && word.bytes().all(|b| b.is_ascii_digit());
                for unit in ["s", "m", "h", "d"].iter().filter(|_| is_number) {
                    let duration = format!("{word}{unit}");
                    into.add(&duration, behind, &duration, "");
                }
                for duration in DURATIONS.iter().filter(|one| !is_number && begins(one, word)) {
                    into.add(duration, behind, duration, "");
                }
            }
            ArgumentType::Text if argument.rest => {
                self.names_in_text(word, false, is_asked, into);
            }
            ArgumentType::Text | ArgumentType::Integer | ArgumentType::Secret => {}
            _ => {}
        }
    }

    /// What the word behind a command of this program can become.
    pub(super) fn own_arguments(
        &self,
        own: &Own,
        words: &[&str],
        word: &str,
        into: &mut Completion,
    ) {
        into.about.push(about(own.usage));
        into.about.push(about(own.help));
        let (sign, name) = word.strip_prefix('@').map_or(("", word), |name| ("@", name));
        match own.arguments.get(words.len()) {
            Some(OwnArgument::Command) => self.commands_by_name(self.prefix(), word, into),
            Some(OwnArgument::Target) => {
                self.rooms_and_all(word, "", into);
                self.add_users(name, "@", "", into);
            }
            Some(OwnArgument::With) => {
                self.rooms_and_all(word, " ", into);
                self.add_users(name, sign, " ", into);
            }
            Some(OwnArgument::User) => self.add_users(name, "@", "", into),
            Some(OwnArgument::Attention) => {
                for one in Attention::EACH.into_iter().filter(|one| begins(one.name(), word)) {
                    into.add(one.name(), "", one.name(), one.words());
                }
            }
            Some(OwnArgument::Switch) => {
                for one in ["on", "off"].into_iter().filter(|one| begins(one, word)) {
                    into.add(one, " ", one, "what is said is encrypted, or not");
                }
            }
            Some(OwnArgument::Other) | None => {}
        }
    }

    fn rooms_and_all(&self, word: &str, behind: &str, into: &mut Completion) {
        self.add_rooms(word, behind, into);
        if begins(ALL, word) {
            into.add(ALL, behind, ALL, "everybody");
        }
    }

    /// The names of commands as an argument: with their prefix only if it was typed.
    fn commands_by_name(&self, prefix: &str, word: &str, into: &mut Completion) {
        let (sign, typed) = word.strip_prefix(prefix).map_or(("", word), |typed| (prefix, typed));
        self.add_commands(prefix, sign, typed, false, into);
    }
}

/// The arguments that the next word can be: those that may be left out, and the first that may not.
fn possible<'c>(command: &'c Command, words: &[&str]) -> &'c [Argument] {
    let all = &command.arguments;
    let mut place = 0;
    for word in words {
        while let Some(argument) = all.get(place)
            && is_passed_over(argument, place + 1 == all.len(), word)
        {
            place += 1;
        }
        let takes_more = |one: &Argument| one.rest || one.kind == ArgumentType::Users;
        if all.get(place).is_some_and(|argument| !takes_more(argument)) {
            place += 1;
        }
    }
    let rest = all.get(place..).unwrap_or_default();
    let last = rest.iter().position(|argument| !argument.optional);
    last.and_then(|last| rest.get(..=last)).unwrap_or(rest)
}

fn describe(argument: &Argument, into: &mut Completion) {
    let help = match (argument.help.as_str(), argument.kind) {
        ("", ArgumentType::Duration) => "30s, 10m, 2h, 7d or forever",
        (help, _) => help,
    };
    if !help.is_empty() {
        into.about.push(about(&format!("{}: {help}", argument.name.to_uppercase())));
    }
    if !argument.values.is_empty() {
        into.about.push(about(&format!("one of {}", argument.values.join(", "))));
    }
}
