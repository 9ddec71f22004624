//! What lists are filled with, what is left of them when something is typed, and what choosing a row means.

use chatterbox_app::model::{Conversation, Found, Key, Mention, Model};
use chatterbox_app::{App, Target, TimeFormatter};
use chatterbox_proto::ScreenText;

use super::ui::{List, ListKind, ListRow};
use crate::keymap::{Action, Keymap, Scope, TABLE};

/// So many rows of what was found are listed at most.
const FOUND: usize = 200;

/// Of a message so many characters are in a row.
const TEXT: usize = 300;

/// What choosing a row means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Choice {
    /// Do this.
    Act(Action),
    /// Bring a conversation to the front.
    Open(Target),
    /// Go to a message.
    Message(Target, Key),
    /// Copy a link.
    Copy(String),
    /// Open a link, which was shown whole.
    Browse(String),
    /// Take a line that was sent before.
    Line(String),
}

/// A row with its meaning.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    row: ListRow,
    /// What is compared with what is typed.
    folded: String,
    choice: Choice,
}

impl Entry {
    fn new(text: ScreenText, note: &str, choice: Choice) -> Self {
        let folded = text.as_str().to_lowercase();
        Self { row: ListRow { text, note: ScreenText::new(note) }, folded, choice }
    }
}

/// What is known to an open list: what fills it, and the meaning of its rows.
#[derive(Debug, Default)]
pub(super) struct Source {
    entries: Vec<Entry>,
    /// The meanings of the rows that are shown.
    shown: Vec<Choice>,
}

impl Source {
    /// Opens a list of these entries.
    pub(super) fn open(kind: ListKind, title: &'static str, entries: Vec<Entry>) -> (Self, List) {
        let mut source = Self { entries, shown: Vec::new() };
        let mut list = List { kind, title, query: String::new(), rows: Vec::new(), chosen: 0 };
        source.narrow(&mut list);
        (source, list)
    }

    /// Takes other entries, which match already.
    pub(super) fn refill(&mut self, list: &mut List, entries: Vec<Entry>) {
        list.rows = entries.iter().map(|entry| entry.row.clone()).collect();
        self.shown = entries.into_iter().map(|entry| entry.choice).collect();
        self.entries.clear();
        list.chosen = 0;
    }

    /// Leaves the rows that have what is typed: those first that begin with it, or have a word that does.
    pub(super) fn narrow(&mut self, list: &mut List) {
        let wanted = list.query.trim().to_lowercase();
        let mut found: Vec<(u8, &Entry)> = self
            .entries
            .iter()
            .filter_map(|entry| Some((rank(&entry.folded, &wanted)?, entry)))
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        list.rows = found.iter().map(|(_, entry)| entry.row.clone()).collect();
        self.shown = found.iter().map(|(_, entry)| entry.choice.clone()).collect();
        list.chosen = 0;
    }

    /// The meaning of the row that is chosen.
    pub(super) fn chosen(&self, list: &List) -> Option<&Choice> {
        self.shown.get(list.chosen)
    }
}

fn rank(text: &str, wanted: &str) -> Option<u8> {
    let is_start = |(at, _): (usize, &str)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric())
    };
    let name = text.trim_start_matches(['#', '@']);
    match text.match_indices(wanted).next() {
        None => None,
        Some(_) if text.starts_with(wanted) || name.starts_with(wanted) => Some(0),
        Some(_) if text.match_indices(wanted).any(is_start) => Some(1),
        Some(_) => Some(2),
    }
}

/// Every action, with its keys, and every command: what one looks for first, then what the keys of any line do.
pub(super) fn actions(app: &App, keymap: &Keymap) -> Vec<Entry> {
    let entry = |row: &crate::keymap::Row| {
        let text = ScreenText::new(&format!("{}: {}", row.name, row.help));
        Entry::new(text, &keymap.keys(row.action).join(", "), Choice::Act(row.action))
    };
    let rows = |scope| {
        let rows = TABLE.iter().filter(move |row| row.scope == scope && keymap.has(row.action));
        rows.filter(|row| row.action != Action::Palette)
    };
    let commands = app.complete("/", 1).candidates.into_iter().map(|command| {
        let text = ScreenText::new(&format!("{}: {}", command.shown, command.note));
        Entry::new(text, "", Choice::Line(command.text))
    });
    let mut entries: Vec<_> = rows(Scope::Screen).map(entry).collect();
    entries.extend(commands);
    entries.extend(rows(Scope::Typing).map(entry));
    entries
}

/// The conversations, those first that wait, then the users who are here. `is_typed` says where something is typed.
pub(super) fn conversations(
    app: &App,
    model: &Model,
    is_typed: impl Fn(&Conversation) -> bool,
) -> Vec<Entry> {
    let mut open: Vec<&Conversation> =
        model.conversations().iter().filter(|one| !one.is_at(model.front())).collect();
    open.sort_by_key(|one| match (one.mentions, one.unread) {
        (1.., _) => 0,
        (_, 1..) => 1,
        _ => 2,
    });
    let waits = |one: &Conversation| match (one.unread, one.mentions) {
        (0, _) => String::new(),
        (unread, 0) => format!("{unread}"),
        (unread, mentions) => format!("{unread}!{mentions}"),
    };
    let mut entries: Vec<_> = open
        .iter()
        .map(|one| {
            let name = one.target.in_words();
            let typed = if is_typed(one) { "typed, not sent  " } else { "" };
            let note = format!("{typed}{}", waits(one));
            Entry::new(name, note.trim_end(), Choice::Open(one.target.clone()))
        })
        .collect();
    let is_open = |target: &Target| model.conversation(target).is_some();
    entries.extend(users(app, &Target::Lobby).into_iter().filter_map(|(target, away)| {
        let entry = Entry::new(target.in_words(), away, Choice::Open(target));
        match &entry.choice {
            Choice::Open(target) if is_open(target) => None,
            _ => Some(entry),
        }
    }));
    entries
}

/// The users who are at a target, this one too; beside a private conversation those who are in the lobby.
pub(super) fn people(app: &App, target: &Target) -> Vec<Entry> {
    let target = if matches!(target, Target::User(_)) { &Target::Lobby } else { target };
    let me = Target::User(app.me().unwrap_or_default().to_owned());
    let entry = |target: Target, note| Entry::new(target.in_words(), note, Choice::Open(target));
    let users = users(app, target).into_iter().map(|(target, away)| entry(target, away));
    let mut entries: Vec<_> = users.collect();
    entries.push(entry(me, "you"));
    entries
}

fn users(app: &App, target: &Target) -> Vec<(Target, &'static str)> {
    let me = app.me().unwrap_or_default();
    let users = app.people(target).unwrap_or_default().into_iter();
    users
        .filter(|(user, _)| user.as_wire() != me)
        .map(|(user, away)| {
            (Target::User(user.as_wire().to_owned()), if away { "away" } else { "" })
        })
        .collect()
}

/// Where messages are told from each other: the time is that of the reader.
pub(super) struct Times<'t> {
    pub(super) format: &'t TimeFormatter,
    pub(super) now: i64,
}

/// The messages that name the user, from the newest on.
pub(super) fn mentions(model: &Model, times: &Times<'_>) -> Vec<Entry> {
    let found = model.mentions().take(FOUND);
    let entry = |(target, mention): (&Target, &Mention)| {
        let said = (&mention.from, &mention.line);
        message(target, mention.key, mention.time, said, times)
    };
    found.map(entry).collect()
}

/// What was said in a conversation and has a text in it, from the newest on.
pub(super) fn search(
    model: &Model,
    target: &Target,
    wanted: &str,
    times: &Times<'_>,
) -> Vec<Entry> {
    let found = model.search(target, wanted.trim(), FOUND).into_iter();
    let entry =
        |found: Found<'_>| message(target, found.key, found.time, (found.from, found.line), times);
    found.map(entry).collect()
}

fn message(
    target: &Target,
    key: Key,
    time: i64,
    (from, line): (&ScreenText, &ScreenText),
    times: &Times<'_>,
) -> Entry {
    let text = ScreenText::shortened(&format!("{from}: {line}"), TEXT);
    let note = format!("{} {}", target.in_words(), times.format.format(time, times.now));
    Entry::new(text, &note, Choice::Message(target.clone(), key))
}

/// The links of a conversation, from the newest message on.
pub(super) fn links_of(model: &Model, target: &Target) -> Vec<Entry> {
    let links = model.links(target, FOUND).into_iter();
    links.map(|link| Entry::new(ScreenText::new(link), "", Choice::Copy(link.to_owned()))).collect()
}

/// A whole link, row by row, before it is opened.
pub(super) fn whole_link(link: &str, width: usize) -> Vec<Entry> {
    let rows = chatterbox_app::wrap(link, width.max(10)).into_iter();
    let row = |row: &str| Entry::new(ScreenText::new(row), "", Choice::Browse(link.to_owned()));
    rows.map(row).collect()
}

/// The lines that were sent before, from the newest on.
pub(super) fn earlier<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<Entry> {
    lines
        .map(|line| {
            Entry::new(ScreenText::shortened(line, TEXT), "", Choice::Line(line.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(words: &[&str]) -> Vec<Entry> {
        words
            .iter()
            .map(|word| Entry::new(ScreenText::new(word), "", Choice::Line((*word).to_owned())))
            .collect()
    }

    #[test]
    fn what_begins_with_what_is_typed_comes_first() {
        let words = entries(&["abcd", "the lab", "#lab", "@slab", "lab"]);
        let (mut source, mut list) = Source::open(ListKind::GoTo, "", words);
        assert_eq!(list.rows.len(), 5);
        list.query = "LAB".to_owned();
        list.chosen = 3;
        source.narrow(&mut list);
        let shown: Vec<_> = list.rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(shown, ["#lab", "lab", "the lab", "@slab"]);
        assert_eq!(source.chosen(&list), Some(&Choice::Line("#lab".to_owned())));
        list.query = "x".to_owned();
        source.narrow(&mut list);
        assert_eq!(source.chosen(&list), None);
    }
}
