//! Which keys do what: the table, changed as the configuration says.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

use super::chord::{self, Chord};
use super::table::{Action, TABLE};

/// Which keys do what.
#[derive(Debug, Clone)]
pub(crate) struct Keymap {
    bindings: Vec<(Vec<Chord>, Action)>,
    /// The keys of a sequence that has begun.
    begun: Vec<Chord>,
    /// Whether actions are left out that leave the chat.
    restricted: bool,
}

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// It does this.
    Does(Action),
    /// It types this.
    Types(char),
    /// It begins a sequence.
    Begins,
    /// Nothing.
    Nothing,
}

/// Why keys can't be bound to an action.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Mistake {
    #[error("there is no action `{name}`")]
    Action {
        name: String,
        /// The one with the most similar name.
        nearest: &'static str,
    },
    #[error("`{0}` is no key")]
    Key(String),
    #[error("`{0}` types a letter")]
    Types(String),
    #[error("`{keys}` is a key of `{other}` too")]
    Taken { keys: String, other: &'static str },
}

impl Default for Keymap {
    fn default() -> Self {
        let of = |row: &super::table::Row| -> Vec<_> {
            row.keys.iter().filter_map(|keys| Some((chord::parse(keys)?, row.action))).collect()
        };
        Self { bindings: TABLE.iter().flat_map(of).collect(), begun: Vec::new(), restricted: false }
    }
}

impl Keymap {
    /// Gives actions other keys, in the place of those of the table. A key that the table has for an action that is not changed goes
    /// over to the one that is.
    ///
    /// # Errors
    /// The first [`Mistake`], and the name of its action.
    pub(crate) fn changed<'c>(
        changes: impl IntoIterator<Item = (&'c str, &'c [String])>,
    ) -> Result<Self, (String, Mistake)> {
        let mut keymap = Self::default();
        let mut new: Vec<(Vec<Chord>, Action)> = Vec::new();
        for (name, keys) in changes {
            let action = named(name).map_err(|mistake| (name.to_owned(), mistake))?;
            keymap.bindings.retain(|(_, bound)| *bound != action);
            for keys in keys {
                let chords = read(keys).map_err(|mistake| (name.to_owned(), mistake))?;
                let taken = new
                    .iter()
                    .find(|(other, _)| other.starts_with(&chords) || chords.starts_with(other));
                if let Some((_, other)) = taken {
                    let mistake = Mistake::Taken { keys: keys.clone(), other: other.name() };
                    return Err((name.to_owned(), mistake));
                }
                new.push((chords, action));
            }
        }
        // A sequence that begins with a key that does something could never be typed.
        let is_hidden = |chords: &Vec<Chord>| {
            new.iter().any(|(other, _)| other.starts_with(chords) || chords.starts_with(other))
        };
        keymap.bindings.retain(|(chords, _)| !is_hidden(chords));
        keymap.bindings.extend(new);
        Ok(keymap)
    }

    /// The same without the actions that leave the chat, whatever keys they have.
    pub(crate) fn restricted(mut self) -> Self {
        self.restricted = true;
        self.bindings.retain(|(_, action)| !action.leaves_the_chat());
        self
    }

    /// Whether there is such an action here.
    pub(crate) fn has(&self, action: Action) -> bool {
        !(self.restricted && action.leaves_the_chat())
    }

    /// The keys of an action, as the configuration writes them.
    pub(crate) fn keys(&self, action: Action) -> Vec<String> {
        let of = self.bindings.iter().filter(|(_, bound)| *bound == action);
        of.map(|(chords, _)| chord::format(chords)).collect()
    }

    /// What a key does that is pressed alone, if it does anything beside typing.
    pub(crate) fn alone(&self, key: KeyEvent) -> Option<Action> {
        let pressed = [chord::of(key)];
        let found = self.bindings.iter().find(|(keys, _)| keys.as_slice() == pressed);
        found.map(|(_, action)| *action)
    }

    /// The meaning of a key, behind those of a sequence that has begun.
    pub(crate) fn meaning(&mut self, key: KeyEvent) -> Meaning {
        if key.kind == KeyEventKind::Release {
            return Meaning::Nothing;
        }
        let pressed = chord::of(key);
        self.begun.push(pressed);
        let found = self.bindings.iter().find(|(keys, _)| *keys == self.begun);
        if let Some((_, action)) = found {
            let action = *action;
            self.begun.clear();
            return Meaning::Does(action);
        }
        if self.bindings.iter().any(|(keys, _)| keys.starts_with(&self.begun)) {
            return Meaning::Begins;
        }
        let alone = self.begun.len() == 1;
        self.begun.clear();
        match pressed {
            (KeyCode::Char(c), held) if alone && held.is_empty() => Meaning::Types(c),
            _ => Meaning::Nothing,
        }
    }
}

fn named(name: &str) -> Result<Action, Mistake> {
    if let Some(row) = TABLE.iter().find(|row| row.name == name) {
        return Ok(row.action);
    }
    let similar = |known: &str| strsim::jaro_winkler(known, name);
    let nearest = TABLE
        .iter()
        .map(|row| row.name)
        .max_by(|one, other| similar(one).total_cmp(&similar(other)))
        .unwrap_or_default();
    Err(Mistake::Action { name: name.to_owned(), nearest })
}

fn read(keys: &str) -> Result<Vec<Chord>, Mistake> {
    let chords = chord::parse(keys).ok_or_else(|| Mistake::Key(keys.to_owned()))?;
    match chords.first() {
        // Letters always type.
        Some((KeyCode::Char(_), held)) if held.is_empty() => Err(Mistake::Types(keys.to_owned())),
        _ => Ok(chords),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crossterm::event::KeyModifiers;

    use super::*;

    fn press(keymap: &mut Keymap, keys: &str) -> Meaning {
        let chords = chord::parse(keys).unwrap();
        let mut last = Meaning::Nothing;
        for (code, held) in chords {
            last = keymap.meaning(KeyEvent::new(code, held));
        }
        last
    }

    #[test]
    fn every_key_of_the_table_does_what_its_row_says() {
        let mut keymap = Keymap::default();
        let mut seen = BTreeSet::new();
        for row in TABLE {
            for keys in row.keys {
                assert!(seen.insert(*keys), "{keys} is in two rows");
                assert_eq!(press(&mut keymap, keys), Meaning::Does(row.action), "{keys}");
                assert_eq!(read(keys).map(|chords| chord::format(&chords)).as_deref(), Ok(*keys));
            }
        }
        // Multiplexers and flow control have these.
        for keys in ["ctrl-b", "ctrl-s", "ctrl-q"] {
            assert_eq!(press(&mut keymap, keys), Meaning::Nothing, "{keys}");
        }
    }

    #[test]
    fn letters_type_and_a_broken_sequence_types_nothing() {
        let mut keymap = Keymap::default();
        let shifted = KeyEvent::new(KeyCode::Char('N'), KeyModifiers::SHIFT);
        assert_eq!(keymap.meaning(shifted), Meaning::Types('N'));
        assert_eq!(press(&mut keymap, "ctrl-x"), Meaning::Begins);
        assert_eq!(press(&mut keymap, "n"), Meaning::Nothing);
        assert_eq!(press(&mut keymap, "n"), Meaning::Types('n'));
    }

    #[test]
    fn the_configuration_goes_before_the_table() {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>();
        let (go_to, palette, mouse) = (keys(&["alt-k", "ctrl-x"]), keys(&["ctrl-g"]), keys(&[]));
        let changes = [
            ("go-to", go_to.as_slice()),
            ("palette", palette.as_slice()),
            ("mouse", mouse.as_slice()),
        ];
        let mut keymap = Keymap::changed(changes).unwrap();
        for (keys, meaning) in [
            ("alt-k", Meaning::Does(Action::GoTo)),
            ("ctrl-g", Meaning::Does(Action::Palette)),
            ("alt-/", Meaning::Nothing),
            ("alt-o", Meaning::Nothing),
            ("ctrl-x", Meaning::Does(Action::GoTo)),
        ] {
            assert_eq!(press(&mut keymap, keys), meaning, "{keys}");
        }
        assert_eq!(keymap.keys(Action::GoTo), ["alt-k", "ctrl-x"]);
    }

    #[test]
    fn mistakes_are_told_with_what_was_meant() {
        let mistake = |name: &str, keys: &[&str]| {
            let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
            Keymap::changed([(name, keys.as_slice())]).unwrap_err().1
        };
        assert!(matches!(mistake("goto", &[]), Mistake::Action { nearest: "go-to", .. }));
        assert_eq!(mistake("go-to", &["hyper-k"]), Mistake::Key("hyper-k".into()));
        assert_eq!(mistake("go-to", &["k"]), Mistake::Types("k".into()));
        assert!(matches!(mistake("go-to", &["alt-k", "alt-k"]), Mistake::Taken { .. }));
    }
}
