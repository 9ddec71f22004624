//! Links: copied by the terminal, opened by a program of the user's choice.
#![allow(clippy::disallowed_methods, reason = "this module runs a program")]

use std::io;
use std::process::{Command, Stdio};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The links of a text that is safe to show: http and https only.
pub(super) fn links(text: &str) -> Vec<&str> {
    let mut links = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("http") {
        let found = rest.get(at..).unwrap_or_default();
        let end = found.find(ends).unwrap_or(found.len());
        let link = found.get(..end).unwrap_or_default();
        let link = link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '\'']);
        let host = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
        if host.is_some_and(|host| host.starts_with(|c: char| c.is_alphanumeric() || c == '[')) {
            links.push(link);
        }
        rest = found.get(end.max(4)..).unwrap_or_default();
    }
    links
}

fn ends(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | '"' | '\\' | '`' | '{' | '}')
}

/// The sequence by which a terminal copies a text (OSC 52).
pub(super) fn copying(text: &str, in_tmux: bool) -> Vec<u8> {
    let sequence = format!("\x1b]52;c;{}\x07", STANDARD.encode(text));
    if in_tmux {
        format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")).into_bytes()
    } else {
        sequence.into_bytes()
    }
}

/// Opens a link with a program, whose last argument it is. No shell is run.
///
/// # Errors
/// It is no link of the web, or there is no such program.
pub(super) fn browse(program: &[String], link: &str) -> io::Result<()> {
    let is_link = links(link) == [link];
    let (program, arguments) =
        program.split_first().filter(|_| is_link).ok_or(io::ErrorKind::InvalidInput)?;
    let mut child = Command::new(program)
        .args(arguments)
        .arg(link)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    // Nobody else waits for it.
    thread::spawn(move || child.wait());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_those_of_the_web() {
        for (text, expected) in [
            ("see https://a.example/x?y=1#z, and", &["https://a.example/x?y=1#z"][..]),
            ("(http://b.example)", &["http://b.example"]),
            ("http://[::1]:80/ https://c", &["http://[::1]:80/", "https://c"]),
            ("javascript:alert(1) file:///etc/passwd ftp://a http:// https://-x", &[]),
            ("httphttps://d.example", &[]),
        ] {
            assert_eq!(links(text), expected, "{text}");
        }
    }

    #[test]
    fn a_copied_text_is_letters_and_digits() {
        let bytes = copying("https://a\u{1b}]0;x\u{7}", false);
        let text = String::from_utf8(bytes).unwrap();
        let inner = text.strip_prefix("\u{1b}]52;c;").unwrap().strip_suffix('\u{7}').unwrap();
        assert!(inner.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c)));
        assert!(copying("a", true).starts_with(b"\x1bPtmux;\x1b\x1b]52"));
    }

    #[test]
    fn only_links_are_opened() {
        assert!(browse(&["true".to_owned()], "https://a.example").is_ok());
        for link in ["-rf", "file:///etc/passwd", "https://a b", ""] {
            assert!(browse(&["true".to_owned()], link).is_err(), "{link}");
        }
        assert!(browse(&[], "https://a.example").is_err());
    }
}
