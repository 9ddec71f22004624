//! User names: what can be one, and when two of them are the same (NM-2, NM-4).
//!
//! A name is an identity that others trust by sight, so it is parsed once, at the edge; a [`Username`] is the proof.

pub(crate) mod record;

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use caseless::Caseless as _;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use unicode_security::MixedScript;

use crate::limits;
use crate::text::{acts_or_hides, is_bidi_control};

/// The destination of a broadcast (DE-1).
pub const ALL: &str = "ALL";

/// The name under which the server itself speaks; no user can have it (NM-2).
pub const SERVER: &str = "SERVER";

/// The reason why a text is not a valid name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("A name needs at least one character.")]
    Empty,
    /// The text has too many characters.
    #[error("A name has at most {limit} characters.")]
    TooLong {
        /// The most characters that a name may have.
        limit: usize,
    },
    /// The text has white space in it.
    #[error("A name has no white space in it.")]
    WhiteSpace,
    /// A control, bidirectional formatting or invisible character.
    #[error("A name has no control, formatting or invisible characters in it.")]
    Unprintable,
    /// The name of a room does not start like one.
    #[error(
        "The name of a room begins with '#' and one more character that is none of '#' and no combining mark."
    )]
    NoRoom,
    /// It starts like a room, a command or a mention.
    #[error("A name does not begin with '#', '@', '/', ':' or a combining mark.")]
    Start,
    /// The name is `ALL` or `SERVER`, or looks like one of them.
    #[error("This name is reserved.")]
    Reserved,
    /// Scripts mixed as no language mixes them.
    #[error("A name does not mix letters of different scripts.")]
    MixedScripts,
}

/// A valid user name, in normalisation form C; equal when the names are the same (NM-4).
#[derive(Clone)]
pub struct Username {
    /// Cloning a name counts one reference.
    shared: Arc<Shared>,
}

/// What all copies of a name share.
struct Shared {
    /// The name, and its key behind it where the two differ.
    both: Box<str>,
    /// Where the name ends.
    end: u32,
    /// What it looks like, worked out when somebody asks first.
    looks: OnceLock<Looks>,
}

/// The three forms of what a name looks like, one behind the other in one allocation: everybody who is here has them.
struct Looks {
    all: Box<str>,
    /// Where the second and the third begin.
    starts: [u32; 2],
}

/// A form is the one before it, as nearly all are.
const SAME: u32 = u32::MAX;

impl Looks {
    fn new([written, key, seen]: [&str; 3]) -> Self {
        let mut all = written.to_owned();
        let mut push = |before: &str, form: &str| {
            if form == before {
                return SAME;
            }
            let start = u32::try_from(all.len()).unwrap_or(SAME);
            all.push_str(form);
            start
        };
        let starts = [push(written, key), push(key, seen)];
        Self { all: all.into(), starts }
    }

    fn forms(&self) -> [&str; 3] {
        let starts_at = |start: u32| if start == SAME { self.all.len() } else { start as usize };
        let [second, third] = self.starts.map(starts_at);
        let form = |range| self.all.get(range).unwrap_or_default();
        let written = form(0..second.min(third));
        let key = if self.starts[0] == SAME { written } else { form(second..third) };
        let seen = if self.starts[1] == SAME { key } else { form(third..self.all.len()) };
        [written, key, seen]
    }
}

impl Username {
    /// Takes a name from the wire, of at most [`limits::USERNAME_CHARS`] characters.
    ///
    /// # Errors
    /// [`NameError`], with the text that the user is told.
    pub fn parse(wire: &str) -> Result<Self, NameError> {
        Self::parse_within(wire, limits::USERNAME_CHARS)
    }

    /// The same with another limit.
    ///
    /// # Errors
    /// [`NameError`], with the text that the user is told.
    pub fn parse_within(wire: &str, limit: usize) -> Result<Self, NameError> {
        let text = normal(wire, limit)?;
        if text
            .starts_with(|first| matches!(first, '#' | '@' | '/' | ':') || is_combining_mark(first))
        {
            return Err(NameError::Start);
        }
        let key = fold(&text);
        if is_reserved(&text, &key) {
            return Err(NameError::Reserved);
        }
        if !text.is_ascii() && !text.as_str().is_single_script() {
            return Err(NameError::MixedScripts);
        }
        let end = u32::try_from(text.len()).map_err(|_| NameError::TooLong { limit })?;
        Ok(Self::with_key(text, &key, end))
    }

    /// A name from a store, which was accepted when it was stored.
    ///
    /// It is normalised and folded like any other, but not judged again: rules and the tables of Unicode change, and
    /// old messages have to stay readable. So it may be a text that [`Self::parse`] refuses. Such a name is equal to
    /// that of no user, and is only for comparing: what is shown or sent to anybody is parsed.
    pub fn stored(text: &str) -> Self {
        let text: String = text.nfc().collect();
        let key = fold(&text);
        let end = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self::with_key(text, &key, end)
    }

    fn with_key(text: String, key: &str, end: u32) -> Self {
        let mut both = text;
        if both != key {
            both.push_str(key);
        }
        Self { shared: Arc::new(Shared { both: both.into(), end, looks: OnceLock::new() }) }
    }

    /// The name as it is shown and sent.
    pub fn as_str(&self) -> &str {
        self.shared.both.get(..self.shared.end as usize).unwrap_or_default()
    }

    /// What names that are the same have in common (NM-4), for looking them up elsewhere.
    pub fn key(&self) -> &str {
        match self.shared.both.get(self.shared.end as usize..) {
            None | Some("") => &self.shared.both,
            Some(key) => key,
        }
    }

    /// Whether a text from the wire means this user. An exact match is cheap.
    pub fn is(&self, wire: &str) -> bool {
        self.as_str() == wire
            || (wire.len() <= longest(self.as_str().chars().count()) && self.key() == fold(wire))
    }

    /// What names that look the same have in common (UTS 39 skeletons): as it is written, without regard to case, and
    /// as somebody sees it who does not mind case (`0` looks like `O`, which is `o`).
    ///
    /// This costs hundreds of times what reading a name does, but once for all copies of it. So whoever is about to lock
    /// something asks before that.
    pub fn looks(&self) -> [&str; 3] {
        let looks = self.shared.looks.get_or_init(|| {
            let skeleton = |text: &str| unicode_security::skeleton(text).collect::<String>();
            let written = skeleton(self.as_str());
            let seen = fold(&written);
            Looks::new([&written, &skeleton(self.key()), &seen])
        });
        looks.forms()
    }

    /// Whether look-alikes of this name are a danger: ASCII names are never refused for how they look.
    pub fn is_ascii(&self) -> bool {
        self.as_str().is_ascii()
    }
}

/// A text in normalisation form C, if it has 1 to `limit` characters and none that is white space, acts or hides: what holds
/// for the names of users and of rooms.
pub(crate) fn normal(wire: &str, limit: usize) -> Result<String, NameError> {
    // Normalising may shorten, and is not to be asked of megabytes.
    if wire.len() > longest(limit) {
        return Err(NameError::TooLong { limit });
    }
    let text: String = wire.nfc().collect();
    if text.chars().count() > limit {
        return Err(NameError::TooLong { limit });
    }
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    if text.chars().any(char::is_whitespace) {
        return Err(NameError::WhiteSpace);
    }
    if text.chars().any(|c| acts_or_hides(c) || is_bidi_control(c)) {
        return Err(NameError::Unprintable);
    }
    Ok(text)
}

/// The most bytes that can become a name of so many characters: one character is at most four in canonical decomposition
/// (Unicode, UAX 15), of at most four bytes, and folding case may triple them.
pub(crate) const fn longest(characters: usize) -> usize {
    characters.saturating_mul(4 * 4 * 3)
}

/// [`ALL`] and [`SERVER`], folded.
const RESERVED: [&str; 2] = ["all", "server"];

/// Whether a name is one of those that mean something else, or could be taken for it.
fn is_reserved(text: &str, key: &str) -> bool {
    RESERVED.contains(&key)
        || (!text.is_ascii()
            && (folds_to_reserved(text.nfkc())
                || folds_to_reserved(unicode_security::skeleton(text))
                || folds_to_reserved(unicode_security::skeleton(key))))
}

/// Whether a text is reserved without regard to case. Only as much of it is worked out as the longest reserved name has
/// characters: compatibility forms and skeletons of one character may have eighteen.
fn folds_to_reserved(text: impl Iterator<Item = char>) -> bool {
    let longest = RESERVED.iter().map(|word| word.len()).max().unwrap_or(0);
    let start: String = text.nfd().default_case_fold().take(longest + 1).collect();
    RESERVED.contains(&start.as_str())
}

/// Canonical caseless form: two texts are the same name when theirs are equal.
pub(crate) fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfd().default_case_fold().nfc().collect()
}

impl PartialEq for Username {
    fn eq(&self, other: &Self) -> bool {
        // Copies of one name share their text.
        Arc::ptr_eq(&self.shared, &other.shared) || self.key() == other.key()
    }
}

impl Eq for Username {}

impl Hash for Username {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// Names are looked up by their key.
impl Borrow<str> for Username {
    fn borrow(&self) -> &str {
        self.key()
    }
}

/// Nothing in a valid name acts on a screen, so it may be shown as it is.
impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Username({})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Username {
        Username::parse(text).unwrap()
    }

    fn refused(text: &str) -> NameError {
        Username::parse(text).unwrap_err()
    }

    #[test]
    fn students_names_are_allowed() {
        for text in [
            "user1",
            "userl",
            "userI",
            "Bob_2",
            "x",
            "jörg",
            "世界",
            "Ольга",
            "a.b-c!",
            "O'Neil",
            "名前くん",
            "😀",
        ] {
            assert_eq!(name(text).as_str(), text);
        }
    }

    #[test]
    fn names_that_deceive_or_break_are_refused() {
        assert_eq!(refused(""), NameError::Empty);
        assert_eq!(refused("a b"), NameError::WhiteSpace);
        assert_eq!(refused("a\u{a0}b"), NameError::WhiteSpace);
        assert_eq!(refused("a\u{1b}b"), NameError::Unprintable);
        assert_eq!(refused("a\u{202e}b"), NameError::Unprintable);
        assert_eq!(refused("a\u{200b}b"), NameError::Unprintable);
        for start in ["#a", "@a", "/a", ":a", "\u{301}a"] {
            assert_eq!(refused(start), NameError::Start);
        }
        for reserved in [
            "ALL",
            "all",
            "aLL",
            "SERVER",
            "Server",
            "ＳＥＲＶＥＲ",
            "𝐒𝐄𝐑𝐕𝐄𝐑",
            "ＡＬＬ",
            "𝐀𝐋𝐋",
            "ѕеrvеr",
        ] {
            assert_eq!(refused(reserved), NameError::Reserved);
        }
        assert_eq!(refused("p\u{430}ypal"), NameError::MixedScripts);
        assert_eq!(refused(&"x".repeat(33)), NameError::TooLong { limit: 32 });
        assert_eq!(refused(&"e\u{301}".repeat(1000)), NameError::TooLong { limit: 32 });
    }

    #[test]
    fn length_is_counted_in_characters_after_normalising() {
        assert_eq!(name(&"e\u{301}".repeat(32)).as_str(), "é".repeat(32));
        assert_eq!(Username::parse_within("abc", 2), Err(NameError::TooLong { limit: 2 }));
    }

    #[test]
    fn b2_names_are_the_same_only_as_a_whole() {
        assert_ne!(name("bob"), name("bobby"));
        assert_eq!(name("bob"), name("BOB"));
        assert_eq!(name("jo\u{308}rg"), name("JÖRG"));
        assert_eq!(name("straße"), name("STRASSE"));
        assert!(name("bob").is("Bob") && !name("bob").is("bobby") && !name("bob").is("bo"));
    }

    #[test]
    fn stored_names_are_not_judged() {
        for text in ["", "\u{ff21}\u{ff2c}\u{ff2c}", "p\u{430}ypal", "a b", "#a", "\u{202e}"] {
            assert!(Username::parse(text).is_err());
            assert_eq!(Username::stored(text).as_str(), text);
        }
        assert_eq!(Username::stored(""), Username::stored(""));
        assert_ne!(Username::stored("\u{ff21}\u{ff2c}\u{ff2c}"), Username::stored(ALL));
        assert_eq!(Username::stored("P\u{430}YPAL"), Username::stored("p\u{430}ypal"));
    }

    /// What [`is_reserved`] means, worked out in full.
    fn is_reserved_by_definition(text: &str) -> bool {
        let key = fold(text);
        if text.is_ascii() {
            // Among ASCII names look-alikes are allowed.
            return key == fold(ALL) || key == fold(SERVER);
        }
        let skeleton = |text: &str| unicode_security::skeleton(text).collect::<String>();
        [key.clone(), text.nfkc().collect(), skeleton(text), skeleton(&key)]
            .iter()
            .any(|form| fold(form) == fold(ALL) || fold(form) == fold(SERVER))
    }

    #[test]
    fn of_a_long_form_only_the_beginning_is_worked_out() {
        let mut taken = 0;
        assert!(!folds_to_reserved(std::iter::repeat_n('s', 1000).inspect(|_| taken += 1)));
        // Normalising looks one character ahead.
        assert!(taken <= SERVER.len() + 3, "{taken}");
        assert!(!folds_to_reserved("\u{fdfa}".repeat(32).nfkc()));
        for word in [ALL, SERVER, "aLl"] {
            assert!(folds_to_reserved(word.chars()));
            assert!(!folds_to_reserved(word.chars().chain(['s'])));
        }
    }

    #[test]
    fn no_character_is_ascii_only_after_it_was_composed() {
        // So that the beginning of a folded text tells whether it is a reserved name.
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32).filter(|c| !c.is_ascii()) {
            let folded: String = std::iter::once(c).nfd().default_case_fold().collect();
            assert_eq!(folded.is_ascii(), folded.nfc().all(|c| c.is_ascii()), "{c:?}");
        }
    }

    #[test]
    fn what_a_name_looks_like_is_worked_out_once_for_all_copies() {
        let name = Username::parse(&"\u{fdfa}".repeat(32)).unwrap();
        let copy = name.clone();
        assert!(std::ptr::eq(name.looks()[0], copy.looks()[0]));
        assert!(size_of::<Username>() == size_of::<usize>(), "there are many copies");
    }

    #[test]
    fn look_alikes_share_a_key() {
        let alike = |a: &str, b: &str| {
            let (a, b) = (name(a), name(b));
            b.looks().iter().any(|look| a.looks().contains(look))
        };
        for (a, b) in [
            ("ѕсоре", "scope"),
            ("ΑΝΝΑ", "ANNA"),
            ("ВОВ", "BOB"),
            ("ТОМ", "TOM"),
            ("𝐀𝐍𝐍", "ANN"),
            ("0tto", "otto"),
        ] {
            assert!(alike(a, b), "{a} {b}");
        }
        assert!(!alike("anna", "otto"));
    }

    proptest! {
        #[test]
        fn forms_are_what_they_were_made_of(forms in proptest::array::uniform3("[ab]{0,2}")) {
            let forms = forms.each_ref().map(String::as_str);
            let looks = Looks::new(forms);
            prop_assert_eq!(looks.forms(), forms);
        }

        #[test]
        fn a_name_is_itself_again(text in any::<String>()) {
            if let Ok(first) = Username::parse(&text) {
                prop_assert!(first.is(&text));
                let again = Username::parse(first.as_str()).unwrap();
                prop_assert_eq!(again.as_str(), first.as_str());
                prop_assert!(first.as_str().chars().count() <= limits::USERNAME_CHARS);
                let stored = Username::stored(first.as_str());
                prop_assert_eq!((stored.as_str(), stored.key()), (first.as_str(), first.key()));
                let shown = crate::ScreenText::new(first.as_str());
                prop_assert_eq!(shown.as_str(), first.as_str());
            }
        }

        #[test]
        fn reserved_names_are_found_however_they_are_written(
            text in "([aAлΑАᎪａＡ𝐀ⓐªåɑ][lLｌＬ𝐋ⓛ1IІ|ǀ][lLｌＬ𝐋ⓛ1I\u{301}]?[x\u{323}]?|[sSｓѕЅ𝐒ſ][eEｅеЕ][rRｒгᎡ][vVｖѵᏙ][eEе][rR𝐑Ｒ]?)|\\PC{0,7}"
        ) {
            prop_assert_eq!(is_reserved(&text, &fold(&text)), is_reserved_by_definition(&text));
        }

        #[test]
        fn short_names_of_one_script_are_parsed_or_refused(text in "\\PC{0,40}") {
            let _ = Username::parse(&text);
        }
    }
}
