//! What somebody says, as lines of the chat view.

use chatterbox_app::model::{Delivery, Speech};
use chatterbox_app::{CONTINUED, Message, Quote, Target};
use chatterbox_proto::ScreenText;

/// So many lines of one message are shown.
const LINES: usize = 50;

/// A name is shown with so many characters at most.
const NAME: usize = 64;

/// Where a message belongs.
pub(crate) fn place(message: &Message) -> Target {
    match &message.to {
        None => Target::Lobby,
        Some(room) if message.in_room => Target::Room(room.as_wire().to_owned()),
        Some(to) if message.own => Target::User(to.as_wire().to_owned()),
        Some(_) => Target::User(message.from.as_wire().to_owned()),
    }
}

/// A message as it comes.
pub(crate) fn message(message: &Message) -> String {
    let from = ScreenText::shortened(message.from.as_wire(), NAME);
    let (lines, more) = message.text.lines(LINES);
    let lines = lines.iter().map(|line| line.screen());
    let quote = quoted(message.quote.as_deref());
    quote + &said(&message.when, from.as_str(), message.mention, lines, more)
}

/// What a reply answers, in a line above it.
fn quoted(quote: Option<&Quote>) -> String {
    quote.map(|quote| format!("        {}\n", quote.words())).unwrap_or_default()
}

/// What this program and the server say of commands, as they are typed here: they know them by their slash.
pub(crate) fn with_colons(text: &str) -> String {
    let line = |line: &str| {
        let line = line.replace("Usage: /", "Usage: :").replace("for example: /", "for example: :");
        match line.strip_prefix("-- /") {
            // How to say a text that begins with a slash.
            Some(rest) if !rest.starts_with('/') => format!("-- :{rest}"),
            _ => line,
        }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// A message that is kept.
pub(crate) fn speech(when: &str, speech: &Speech) -> String {
    let more = speech.lines.len().saturating_sub(LINES);
    let lines = speech.lines.iter().take(LINES).cloned();
    let mut text = quoted(speech.quote.as_deref());
    text.push_str(&said(when, speech.from.as_str(), speech.mention, lines, more));
    if matches!(speech.delivery, Delivery::Refused(_)) {
        text.push_str(" (not sent)");
    }
    text
}

/// `[14:03] ann: text`, with a mark where it is meant for the user. A further line begins with what no name can begin with.
fn said(
    when: &str,
    from: &str,
    mention: bool,
    mut lines: impl Iterator<Item = ScreenText>,
    more: usize,
) -> String {
    let first = lines.next();
    let first = first.as_ref().map(ScreenText::as_str).unwrap_or_default();
    let mark = if mention { " *" } else { "" };
    let mut text = format!("[{when}{mark}] {from}: {first}");
    for line in lines {
        text.push('\n');
        text.push_str(CONTINUED);
        text.push_str(line.as_str());
    }
    if more > 0 {
        text.push_str(&format!("\n{CONTINUED}… {more} more lines"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_have_colons_here() {
        for (text, shown) in [
            (
                "-- Nothing was sent: NAME is missing. Usage: /nick NAME",
                "-- Nothing was sent: NAME is missing. Usage: :nick NAME",
            ),
            (
                "-- /nick NAME\n--   for example: /nick annie",
                "-- :nick NAME\n--   for example: :nick annie",
            ),
            ("-- //text   say /text", "-- //text   say /text"),
        ] {
            assert_eq!(with_colons(text), shown);
        }
    }
}
