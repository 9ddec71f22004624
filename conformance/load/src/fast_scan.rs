//! The fast reader: one pass over the bytes of a frame in the usual spelling, without building
//! values.
//!
//! It gives up, and never guesses, at anything it does not know: escapes, other types, unknown keys,
//! keys that occur twice. What it reads it reads as the slow reader does; a property test compares
//! them.

use conformance_kit::escape;

use super::frame_summary::{FrameSummary, Reading};

/// Reads any frame: quickly when it is spelled as usual.
pub(super) fn read(reading: &Reading, body: &[u8]) -> FrameSummary {
    scan(reading, body).unwrap_or_else(|| reading.slowly(body))
}

/// Reads a frame; `None` when it needs the slow reader.
fn scan(reading: &Reading, body: &[u8]) -> Option<FrameSummary> {
    let mut at = Cursor { rest: body };
    let mut summary = FrameSummary::default();
    let mut seen = 0_u8;
    at.take(b'{')?;
    if at.accept(b'}') {
        return at.is_over().then_some(summary);
    }
    loop {
        let key = at.string()?;
        at.take(b':')?;
        let bit = match key {
            b"MESSAGES" => {
                at.messages(reading, &mut summary)?;
                1
            }
            b"USERS_JOINED" => {
                at.names(reading, &mut summary.joined)?;
                2
            }
            b"USERS_LEFT" => {
                at.names(reading, &mut summary.left)?;
                4
            }
            b"USER_LIST" => {
                let mut listed = Vec::new();
                at.names(reading, &mut listed)?;
                summary.listed = Some(listed);
                8
            }
            b"USERNAME_ACCEPTED" => {
                summary.accepted = Some(at.boolean()?);
                16
            }
            b"INFO" => {
                summary.info = Some(text(at.string()?)?);
                32
            }
            b"ERROR" => {
                summary.error = Some(text(at.string()?)?);
                64
            }
            _ => return None,
        };
        if seen & bit != 0 {
            return None;
        }
        seen |= bit;
        if at.accept(b'}') {
            return at.is_over().then_some(summary);
        }
        at.take(b',')?;
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(escape::shorten(&escape::visible(text), 200))
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn skip_white(&mut self) {
        while let [b' ' | b'\n' | b'\r' | b'\t', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn is_over(&mut self) -> bool {
        self.skip_white();
        self.rest.is_empty()
    }

    fn accept(&mut self, wanted: u8) -> bool {
        self.skip_white();
        match self.rest {
            [first, rest @ ..] if *first == wanted => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        self.accept(wanted).then_some(())
    }

    /// A string without escapes, in printable ASCII.
    fn string(&mut self) -> Option<&'a [u8]> {
        self.take(b'"')?;
        let end = self.rest.iter().position(|byte| *byte == b'"')?;
        let (text, rest) = self.rest.split_at_checked(end)?;
        // Checked apart from the search: both loops are simple enough to be vectorised.
        if text.iter().any(|byte| *byte == b'\\' || !(0x20..0x7F).contains(byte)) {
            return None;
        }
        self.rest = rest.get(1..)?;
        Some(text)
    }

    /// An integer, whatever it is.
    fn integer(&mut self) -> Option<()> {
        self.skip_white();
        let rest = self.rest.strip_prefix(b"-").unwrap_or(self.rest);
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        // Longer ones, and those that JSON does not know, are for the slow reader.
        if digits == 0 || digits > 15 || (digits > 1 && rest.first() == Some(&b'0')) {
            return None;
        }
        let rest = rest.get(digits..)?;
        if matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
            return None;
        }
        self.rest = rest;
        Some(())
    }

    fn boolean(&mut self) -> Option<bool> {
        self.skip_white();
        for (word, value) in [(&b"true"[..], true), (&b"false"[..], false)] {
            if let Some(rest) = self.rest.strip_prefix(word) {
                self.rest = rest;
                return Some(value);
            }
        }
        None
    }

    fn names(&mut self, reading: &Reading, into: &mut Vec<u32>) -> Option<()> {
        self.take(b'[')?;
        if self.accept(b']') {
            return Some(());
        }
        loop {
            into.extend(reading.names.user(self.string()?));
            if self.accept(b']') {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    fn messages(&mut self, reading: &Reading, summary: &mut FrameSummary) -> Option<()> {
        self.take(b'[')?;
        if self.accept(b']') {
            return Some(());
        }
        loop {
            self.take(b'[')?;
            let src = self.string()?;
            self.take(b',')?;
            let dest = self.string()?;
            self.take(b',')?;
            self.integer()?;
            self.take(b',')?;
            let text = self.string()?;
            self.take(b']')?;
            reading.message(summary, src, dest, text);
            if self.accept(b']') {
                return Some(());
            }
            self.take(b',')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        content::{Facts, Purpose, Texts},
        user_names::UserNames,
    };

    fn reading() -> Reading {
        let names = UserNames::new("ab3de");
        Reading { texts: Texts::new(&names, 40), names }
    }

    fn text(sender: u32, sequence: u32, purpose: Purpose) -> String {
        let mut text = Vec::new();
        let facts = Facts { purpose, sender, sequence, micros: u64::from(sequence / 3) };
        reading().texts.write(facts, &mut text);
        String::from_utf8(text).unwrap()
    }

    fn message() -> impl Strategy<Value = String> {
        let ours = (0..4_u32, 0..6_u32, 0..3_u32).prop_map(|(sender, sequence, odd)| {
            let name = reading().names.name(sender);
            let (dest, purpose) = match odd {
                0 => (reading().names.name(9), Purpose::Private),
                _ => ("ALL".to_owned(), Purpose::Public),
            };
            format!(r#"["{name}", "{dest}", {}, "{}"]"#, -1, text(sender, sequence, purpose))
        });
        let odd = prop::sample::select(vec![
            r#"["ann","ALL",5,"hello"]"#,
            r#"["ann","ALL",5.5,"hello"]"#,
            r#"["ann","ALL",05,"hello"]"#,
            r#"["ann","ALL",12345678901234567890,"hello"]"#,
            r#"["ann", "ALL", 5, "a \"quote\""]"#,
            r#"["ann", "ALL", 5, "é"]"#,
            r#"["ann", "ALL"]"#,
            r#"["uab3de0000001", "ALL", 5, "not ours"]"#,
            "7",
        ]);
        prop_oneof![6 => ours, 1 => odd.prop_map(str::to_owned)]
    }

    fn key() -> impl Strategy<Value = String> {
        let names = prop::collection::vec(
            prop_oneof![
                Just(r#""ann""#.to_owned()),
                (0..9_u32).prop_map(|n| format!("\"{}\"", reading().names.name(n)))
            ],
            0..4,
        );
        prop_oneof![
            4 => prop::collection::vec(message(), 0..8)
                .prop_map(|list| format!(r#""MESSAGES" : [{}]"#, list.join(" ,\t"))),
            2 => (prop::sample::select(vec!["USERS_JOINED", "USERS_LEFT", "USER_LIST"]), names)
                .prop_map(|(key, list)| format!(r#""{key}":[{}]"#, list.join(","))),
            1 => prop::sample::select(vec![
                r#""USERNAME_ACCEPTED": true"#, r#""USERNAME_ACCEPTED":false"#, r#""USERNAME_ACCEPTED":"true""#,
                r#""INFO":"welcome""#, r#""ERROR" :"no""#, r#""X_OTHER": {"a": []}"#, r#""USER_LIST": "ann""#,
            ]).prop_map(str::to_owned),
        ]
    }

    proptest! {
        #[test]
        fn the_fast_reader_reads_as_the_slow_one_or_not_at_all(
            keys in prop::collection::vec(key(), 0..4),
            tail in prop::sample::select(vec!["", " ", "  \n", "}", "x"]),
        ) {
            let body = format!("{{{}}}{tail}", keys.join(", "));
            if let Some(summary) = scan(&reading(), body.as_bytes()) {
                prop_assert_eq!(summary, reading().slowly(body.as_bytes()), "{}", body);
            }
        }

        #[test]
        fn cut_or_changed_bytes_are_never_read_otherwise(
            keys in prop::collection::vec(key(), 1..3),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut body = format!("{{{}}}", keys.join(", ")).into_bytes();
            let at = at.index(body.len());
            if let Some(place) = body.get_mut(at) {
                *place = byte;
            }
            if let Some(summary) = scan(&reading(), &body) {
                prop_assert_eq!(summary, reading().slowly(&body), "{}", String::from_utf8_lossy(&body));
            }
        }
    }

    #[test]
    fn the_usual_spelling_is_read_fast() {
        let name = reading().names.name(2);
        let list: Vec<_> = (0..5)
            .map(|n| format!(r#"["{name}", "ALL", 1700000000, "{}"]"#, text(2, n, Purpose::Public)))
            .collect();
        let body =
            format!(r#"{{"USERS_JOINED": ["{name}"], "MESSAGES": [{}]}}  "#, list.join(", "));
        let summary = scan(&reading(), body.as_bytes()).unwrap();
        assert_eq!((summary.messages, summary.runs.len(), summary.joined), (5, 1, vec![2]));
        assert_eq!(summary.runs[0].count, 5);
        assert_eq!(summary.stamps.len(), 2);
    }
}
