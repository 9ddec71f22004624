//! Names as nodes of a cluster tell them to each other, and as they are kept in a snapshot.
//!
//! What a name is looked up by and what it looks like come from tables of Unicode, which differ between versions. Nodes have to
//! come to the same, so these forms are made once, by the node that has parsed the name, and stand beside it; whoever reads it
//! works nothing out. For names of ASCII alone they are not written: folding ASCII never changes, and what it looks like is held
//! fast by a test.
//!
//! A name that is read was parsed by another node. It is not parsed again, because a node with newer tables may know letters
//! that this one does not. Checked is what does not depend on tables: its length, and that it has no control characters.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Looks, Shared, Username, longest};
use crate::limits;

/// A name without what it looks like, which costs much to work out: for messages and lists, in which nobody asks for that.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PlainName(pub Username);

/// The same of a name that is somebody else's.
#[derive(Debug, Clone, Copy)]
pub struct PlainNameRef<'a>(pub &'a Username);

impl Username {
    /// The key as it is written: nothing where it is the text itself.
    fn written_key(&self) -> &str {
        if self.shared.both.len() == self.shared.end as usize { "" } else { self.key() }
    }

    fn read<E: serde::de::Error>(
        text: &str,
        key: Option<&str>,
        looks: Option<[String; 3]>,
    ) -> Result<Self, E> {
        let most = longest(limits::USERNAME_CHARS_MOST);
        let is_bad = |form: &str| form.len() > most || form.chars().any(char::is_control);
        if is_bad(text) || key.is_some_and(is_bad) {
            return Err(E::custom("a name that is none"));
        }
        if text.is_ascii() == key.is_some() {
            return Err(E::custom("a name with the wrong forms"));
        }
        let end = u32::try_from(text.len()).map_err(E::custom)?;
        let mut both = text.to_owned();
        match key {
            Some(key) => both.push_str(key),
            None if text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                both.push_str(&text.to_ascii_lowercase());
            }
            None => {}
        }
        let looks = looks.map(|looks| Looks::new(looks.each_ref().map(String::as_str)));
        let looks = looks.map(OnceLock::from).unwrap_or_default();
        Ok(Self { shared: Arc::new(Shared { both: both.into(), end, looks }) })
    }
}

impl Serialize for Username {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let forms = (!self.is_ascii()).then(|| (self.written_key(), self.looks()));
        (self.as_str(), forms).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Username {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type Forms = (String, [String; 3]);
        let (text, forms) = <(String, Option<Forms>)>::deserialize(deserializer)?;
        let (key, looks) = forms.unzip();
        Self::read(&text, key.as_deref(), looks)
    }
}

impl Serialize for PlainNameRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(name) = self;
        let key = (!name.is_ascii()).then(|| name.written_key());
        (name.as_str(), key).serialize(serializer)
    }
}

impl Serialize for PlainName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        PlainNameRef(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PlainName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (text, key) = <(String, Option<String>)>::deserialize(deserializer)?;
        Username::read(&text, key.as_deref(), None).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(name: &Username) -> String {
        serde_json::to_string(name).unwrap()
    }

    fn read(json: &str) -> Result<Username, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn forms_stand_beside_a_name_unless_it_is_ascii() {
        assert_eq!(written(&Username::stored("Ann")), r#"["Ann",null]"#);
        let name = written(&Username::stored("\u{416}"));
        assert!(name.starts_with(r#"["Ж",["ж",["#), "{name}");
        assert!(written(&Username::stored("\u{436}")).starts_with(r#"["ж",["",["#));
        let plain = serde_json::to_string(&PlainName(Username::stored("\u{416}"))).unwrap();
        assert_eq!(plain, r#"["Ж","ж"]"#);
    }

    #[test]
    fn forms_are_taken_as_they_are_written() {
        let name = read(r#"["Ж",["x",["a","b","c"]]]"#).unwrap();
        assert_eq!((name.as_str(), name.key()), ("Ж", "x"));
        assert_eq!(name.looks(), ["a", "b", "c"]);
    }

    #[test]
    fn what_no_node_writes_is_refused() {
        let long = format!(r#"["{}",null]"#, "x".repeat(longest(limits::USERNAME_CHARS_MOST) + 1));
        for json in [
            r#"["a\u0000",null]"#,
            r#"["a\u001b[2J",null]"#,
            r#"["Ann",["ann",["a","b","c"]]]"#,
            r#"["Ж",null]"#,
            r#"["Ж",["\t7",["a","b","c"]]]"#,
            &long,
        ] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn what_ascii_looks_like_is_what_it_has_always_been() {
        // Nodes of different versions work it out for themselves. Should a new table change it, what a name of ASCII looks
        // like has to be written as well, under a new format.
        let looks = (' '..='~').map(|c| unicode_security::skeleton(&c.to_string()).collect());
        let looks: Vec<String> = looks.collect();
        assert_eq!(looks.concat(), EXPECTED);
    }

    const EXPECTED: &str = concat!(
        " !''#$°/₀&'()*+,-./Ol23456789:;<=>?@ABCDEFGHlJKLMNOPQRSTUVWXYZ[",
        r"\]^_'abcdefghijklrnnopqrstuvwxyz{l}~",
    );

    proptest! {
        #[test]
        fn a_name_is_what_was_written(text in "[^\\p{Cc}]{0,40}|\\PC{0,12}") {
            let name = Username::stored(&text);
            let again = read(&written(&name)).unwrap();
            prop_assert_eq!((again.as_str(), again.key()), (name.as_str(), name.key()));
            prop_assert_eq!(again.looks(), name.looks());
            let plain = serde_json::to_string(&PlainName(name.clone())).unwrap();
            let PlainName(again) = serde_json::from_str(&plain).unwrap();
            prop_assert_eq!((again.as_str(), again.key()), (name.as_str(), name.key()));
        }

        #[test]
        fn what_a_text_of_ascii_looks_like_is_that_of_its_characters(text in "[ -~]{0,12}") {
            let whole: String = unicode_security::skeleton(&text).collect();
            let each = |c: char| unicode_security::skeleton(&c.to_string()).collect::<String>();
            prop_assert_eq!(whole, text.chars().map(each).collect::<String>());
        }
    }
}
