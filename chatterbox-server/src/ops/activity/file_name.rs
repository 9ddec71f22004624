//! The file of a user: a name that is safe whatever the user is called.
//!
//! Names are chosen by strangers. Only small letters, digits and `-` of the folded name stand in a file's name, everything
//! else is `=` and two hexadecimal digits for each byte. So none leads out of the folder, hides, is a device of some system, or
//! is the same as another one where case or the form of characters does not count.

use std::fmt::Write as _;

use chatterbox_proto::Username;
use ring::digest;

/// Longer names end with a digest; file systems take 255 bytes.
const LONGEST: usize = 120;

/// So much of a longer name is left.
const KEPT: usize = 60;

/// The name of a user's file, without the folder.
pub fn of_user(name: &Username) -> String {
    let mut safe = String::with_capacity(name.key().len());
    for byte in name.key().bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' => safe.push(char::from(byte)),
            _ => {
                let _ = write!(safe, "={byte:02x}");
            }
        }
    }
    if safe.len() > LONGEST {
        safe.truncate(KEPT);
        safe.push('~');
        let digest = digest::digest(&digest::SHA256, name.key().as_bytes());
        for byte in digest.as_ref().iter().take(16) {
            let _ = write!(safe, "{byte:02x}");
        }
    }
    // What stands before the name keeps it from being a reserved one, such as `con` or `..`.
    format!("user-{safe}.log")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::{Component, Path};

    use proptest::prelude::*;

    use super::*;

    /// B12: a user called `../x` must not write outside of the folder, nor into the file of another one.
    #[test]
    fn b12_no_name_leads_out_of_the_folder_or_is_that_of_another() {
        let names = [
            "../x",
            "..",
            ".",
            "../../etc/passwd",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "con",
            "CON",
            "nul.txt",
            "com1",
            "x.",
            ".x",
            "x",
            "X",
            "activity",
            "user-x",
            "=2f",
            "%2f",
            "~",
            "a~b",
            "a:b",
            "a*?<>|\"",
            "\u{ff0e}\u{ff0e}\u{ff0f}x",
            "stra\u{df}e",
            "strasse",
            "\u{e9}",
            "e\u{301}",
            "\u{131}",
            "i",
        ];
        let mut files: HashMap<String, Username> = HashMap::new();
        for text in names {
            // Not all of these can be names of users; a file is safe all the same.
            let name = Username::stored(text);
            let file = of_user(&name);
            let parts: Vec<_> = Path::new(&file).components().collect();
            assert!(matches!(parts[..], [Component::Normal(_)]), "{text}: {file}");
            let is_plain =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-=~.".contains(c);
            assert!(file.chars().all(is_plain) && file.starts_with("user-"), "{text}: {file}");
            assert_eq!(file.matches('.').count(), 1, "{text}: {file}");
            if let Some(other) = files.insert(file.clone(), name.clone()) {
                assert_eq!(other, name, "{file} is of both");
            }
        }
        let same = |one: &str, other: &str| {
            of_user(&Username::stored(one)) == of_user(&Username::stored(other))
        };
        assert!(same("Ann", "ANN"), "who is the same has one file");
        let long = |last: char| "\u{1f634}".repeat(31) + &last.to_string();
        assert!(!same(&long('a'), &long('b')));
        assert!(of_user(&Username::stored(&long('a'))).len() < 128);
    }

    proptest! {
        #[test]
        fn two_users_have_two_files(one in "\\PC{1,40}", other in "\\PC{1,40}") {
            let (one, other) = (Username::stored(&one), Username::stored(&other));
            let (a, b) = (of_user(&one), of_user(&other));
            prop_assert_eq!(a.to_lowercase() == b.to_lowercase(), one.key() == other.key());
            prop_assert!(!a.contains('/') && a.len() < 200 && a.is_ascii());
        }
    }
}
