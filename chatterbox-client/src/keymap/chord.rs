//! Keys as the configuration and the help write them: `ctrl-x ctrl-e`.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// One key with those that are held beside it.
pub(crate) type Chord = (KeyCode, KeyModifiers);

const NAMES: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("esc", KeyCode::Esc),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("space", KeyCode::Char(' ')),
];

/// Reads keys that are pressed one after the other; `None` where one of them is none.
pub(crate) fn parse(keys: &str) -> Option<Vec<Chord>> {
    let chords: Option<Vec<_>> = keys.split_whitespace().map(parse_one).collect();
    chords.filter(|chords| !chords.is_empty())
}

fn parse_one(key: &str) -> Option<Chord> {
    let lower = key.to_ascii_lowercase();
    let mut modifiers = KeyModifiers::NONE;
    let mut name = lower.as_str();
    loop {
        if let Some(rest) = name.strip_prefix("ctrl-") {
            (name, modifiers) = (rest, modifiers | KeyModifiers::CONTROL);
        } else if let Some(rest) = name.strip_prefix("alt-") {
            (name, modifiers) = (rest, modifiers | KeyModifiers::ALT);
        } else {
            break;
        }
    }
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some((*code, modifiers));
    }
    if let Some(number @ 1..=24) = name.strip_prefix('f').and_then(|number| number.parse().ok()) {
        return Some((KeyCode::F(number), modifiers));
    }
    let mut characters = name.chars();
    match (characters.next(), characters.next()) {
        (Some(c), None) => Some((KeyCode::Char(c), modifiers)),
        _ => None,
    }
}

/// Writes keys so that [`parse`] reads them.
pub(crate) fn format(chords: &[Chord]) -> String {
    chords.iter().map(format_one).collect::<Vec<_>>().join(" ")
}

fn format_one((code, modifiers): &Chord) -> String {
    let held = [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-")];
    let held: String =
        held.iter().filter(|(one, _)| modifiers.contains(*one)).map(|(_, name)| *name).collect();
    let name = match (NAMES.iter().find(|(_, known)| known == code), code) {
        (Some((name, _)), _) => (*name).to_owned(),
        (None, KeyCode::F(number)) => format!("f{number}"),
        (None, KeyCode::Char(c)) => c.to_string(),
        (None, _) => "?".to_owned(),
    };
    format!("{held}{name}")
}

/// The chord of an event: the shift key is in the character already.
pub(super) fn of(key: KeyEvent) -> Chord {
    let held = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
    match key.code {
        KeyCode::Char(c) if !held.is_empty() => (KeyCode::Char(c.to_ascii_lowercase()), held),
        KeyCode::BackTab => (KeyCode::BackTab, KeyModifiers::NONE),
        code => (code, held),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_they_are_written() {
        for keys in [
            "enter",
            "ctrl-x ctrl-e",
            "alt-/",
            "ctrl-alt-f12",
            "pageup",
            "f1",
            "f",
            "space",
            "alt--",
            "ctrl-home",
        ] {
            assert_eq!(format(&parse(keys).unwrap()), keys);
        }
        assert_eq!(parse("Alt-Ctrl-X").map(|keys| format(&keys)).as_deref(), Some("ctrl-alt-x"));
        for keys in ["", " ", "ctrl-", "return", "f25", "shift-a", "ctrl-x nothing"] {
            assert_eq!(parse(keys), None, "{keys}");
        }
    }
}
