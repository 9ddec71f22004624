//! The table of everything that a key can do: what a key does, the help, the palette, the configuration and
//! `docs/reference/keys.md` come from it.

/// Where an action makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Wherever something is typed, line by line too.
    Typing,
    /// On the full screen.
    Screen,
}

/// Something that a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    Send,
    NewLine,
    Complete,
    CompleteBack,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Backspace,
    Delete,
    WordBackspace,
    WordDelete,
    KillToStart,
    KillToEnd,
    Yank,
    Earlier,
    Later,
    SearchEarlier,
    Editor,
    Clear,
    EndInput,
    Suspend,
    Redraw,
    PageUp,
    PageDown,
    Oldest,
    Newest,
    PreviousConversation,
    NextConversation,
    NextUnread,
    Conversation(u8),
    GoTo,
    Search,
    ToMarker,
    Mentions,
    Links,
    People,
    Conversations,
    Times,
    Mouse,
    Close,
    Notify,
    Palette,
    Help,
}

impl Action {
    /// Its name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        row_of(self).map_or("", |row| row.name)
    }

    /// Whether it gives the terminal to another program.
    pub(crate) const fn leaves_the_chat(self) -> bool {
        matches!(self, Self::Editor | Self::Suspend)
    }
}

/// The row of an action.
pub(crate) fn row_of(action: Action) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.action == action)
}

/// One row of the table.
pub(crate) struct Row {
    pub(crate) action: Action,
    /// The name in the configuration.
    pub(crate) name: &'static str,
    /// The keys, unless the configuration has others; a blank is between the keys of a sequence.
    pub(crate) keys: &'static [&'static str],
    pub(crate) scope: Scope,
    /// One sentence for the help.
    pub(crate) help: &'static str,
}

const fn row(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    scope: Scope,
    help: &'static str,
) -> Row {
    Row { action, name, keys, scope, help }
}

use Scope::{Screen, Typing};

/// The sentence for the nine actions that go to a conversation by its number, where they are one row.
pub(crate) const BY_NUMBER: &str = "Go to a conversation by its number.";

/// Everything that a key can do.
pub(crate) const TABLE: &[Row] = &[
    row(Action::Send, "send", &["enter"], Typing, "Send the line."),
    row(
        Action::NewLine,
        "new-line",
        &["alt-enter"],
        Typing,
        "Begin another line of the same message.",
    ),
    row(
        Action::Complete,
        "complete",
        &["tab"],
        Typing,
        "Complete the word: a name, a room, a command, its argument.",
    ),
    row(
        Action::CompleteBack,
        "complete-back",
        &["backtab"],
        Typing,
        "Go back in the list of completions.",
    ),
    row(Action::Left, "left", &["left"], Typing, "Go back one character."),
    row(Action::Right, "right", &["right"], Typing, "Go on one character."),
    row(Action::WordLeft, "word-left", &["ctrl-left", "alt-b"], Typing, "Go back one word."),
    row(Action::WordRight, "word-right", &["ctrl-right", "alt-f"], Typing, "Go on one word."),
    row(Action::Home, "home", &["home", "ctrl-a"], Typing, "Go to the beginning of the text."),
    row(Action::End, "end", &["end", "ctrl-e"], Typing, "Go to the end of the text."),
    row(
        Action::Backspace,
        "backspace",
        &["backspace", "ctrl-h"],
        Typing,
        "Delete the character before the cursor.",
    ),
    row(Action::Delete, "delete", &["delete"], Typing, "Delete the character behind the cursor."),
    row(
        Action::WordBackspace,
        "word-backspace",
        &["ctrl-w", "alt-backspace"],
        Typing,
        "Cut the word before the cursor.",
    ),
    row(Action::WordDelete, "word-delete", &["alt-d"], Typing, "Cut the word behind the cursor."),
    row(
        Action::KillToStart,
        "cut-to-start",
        &["ctrl-u"],
        Typing,
        "Cut everything before the cursor.",
    ),
    row(Action::KillToEnd, "cut-to-end", &["ctrl-k"], Typing, "Cut everything behind the cursor."),
    row(Action::Yank, "put-back", &["ctrl-y"], Typing, "Put back what was cut last."),
    row(
        Action::Earlier,
        "earlier",
        &["up", "ctrl-p"],
        Typing,
        "Show the line that was sent before.",
    ),
    row(Action::Later, "later", &["down", "ctrl-n"], Typing, "Show the line that was sent after."),
    row(
        Action::SearchEarlier,
        "search-earlier",
        &["ctrl-r"],
        Typing,
        "Search in the lines that were sent.",
    ),
    row(
        Action::Editor,
        "editor",
        &["ctrl-x ctrl-e"],
        Typing,
        "Write the text in $VISUAL or $EDITOR.",
    ),
    row(
        Action::Clear,
        "clear",
        &["ctrl-c"],
        Typing,
        "Clear the line; twice on an empty line: leave.",
    ),
    row(
        Action::EndInput,
        "end-input",
        &["ctrl-d"],
        Typing,
        "Leave, on an empty line; otherwise delete the character behind the cursor.",
    ),
    row(Action::Suspend, "suspend", &["ctrl-z"], Typing, "Stop the program until `fg`."),
    row(Action::Redraw, "redraw", &["ctrl-l"], Typing, "Draw everything anew."),
    row(Action::PageUp, "page-up", &["pageup"], Screen, "Show what is older."),
    row(Action::PageDown, "page-down", &["pagedown"], Screen, "Show what is newer."),
    row(
        Action::Oldest,
        "oldest",
        &["ctrl-home"],
        Screen,
        "Go to the oldest message that is loaded.",
    ),
    row(Action::Newest, "newest", &["ctrl-end"], Screen, "Go to the newest message."),
    row(
        Action::PreviousConversation,
        "previous-conversation",
        &["alt-up"],
        Screen,
        "Go to the conversation above.",
    ),
    row(
        Action::NextConversation,
        "next-conversation",
        &["alt-down"],
        Screen,
        "Go to the conversation below.",
    ),
    row(
        Action::NextUnread,
        "next-unread",
        &["alt-a"],
        Screen,
        "Go to the next mention, else to what is unread.",
    ),
    row(
        Action::Conversation(1),
        "conversation-1",
        &["alt-1"],
        Screen,
        "Go to the first conversation.",
    ),
    row(
        Action::Conversation(2),
        "conversation-2",
        &["alt-2"],
        Screen,
        "Go to the second conversation.",
    ),
    row(
        Action::Conversation(3),
        "conversation-3",
        &["alt-3"],
        Screen,
        "Go to the third conversation.",
    ),
    row(
        Action::Conversation(4),
        "conversation-4",
        &["alt-4"],
        Screen,
        "Go to the fourth conversation.",
    ),
    row(
        Action::Conversation(5),
        "conversation-5",
        &["alt-5"],
        Screen,
        "Go to the fifth conversation.",
    ),
    row(
        Action::Conversation(6),
        "conversation-6",
        &["alt-6"],
        Screen,
        "Go to the sixth conversation.",
    ),
    row(
        Action::Conversation(7),
        "conversation-7",
        &["alt-7"],
        Screen,
        "Go to the seventh conversation.",
    ),
    row(
        Action::Conversation(8),
        "conversation-8",
        &["alt-8"],
        Screen,
        "Go to the eighth conversation.",
    ),
    row(
        Action::Conversation(9),
        "conversation-9",
        &["alt-9"],
        Screen,
        "Go to the ninth conversation.",
    ),
    row(
        Action::GoTo,
        "go-to",
        &["ctrl-g"],
        Screen,
        "Go to a conversation: type a part of its name.",
    ),
    row(
        Action::Search,
        "search",
        &["ctrl-f"],
        Screen,
        "Search in what is loaded of this conversation.",
    ),
    row(Action::ToMarker, "to-marker", &["alt-u"], Screen, "Go to where what is new begins."),
    row(Action::Mentions, "mentions", &["alt-m"], Screen, "List the messages that name you."),
    row(
        Action::Links,
        "links",
        &["alt-l"],
        Screen,
        "List the links in what is loaded of this conversation.",
    ),
    row(Action::People, "people", &["alt-p"], Screen, "Show who is here, or not."),
    row(
        Action::Conversations,
        "conversations",
        &["alt-s"],
        Screen,
        "Show the list of conversations, or not.",
    ),
    row(Action::Times, "times", &["f2"], Screen, "Show times, or not."),
    row(Action::Mouse, "mouse", &["alt-o"], Screen, "Take the mouse, or leave it to the terminal."),
    row(
        Action::Close,
        "close",
        &["alt-w"],
        Screen,
        "Take a conversation with a user off the list.",
    ),
    row(
        Action::Notify,
        "notify",
        &["alt-n"],
        Screen,
        "Change what of this conversation you are told: all, mentions, nothing.",
    ),
    row(Action::Palette, "palette", &["alt-/"], Screen, "Choose an action by its name."),
    row(Action::Help, "help", &["f1"], Screen, "Show the keys."),
];
