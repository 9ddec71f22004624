//! Links: copied by the terminal, opened by a program of the user's choice.
#![allow(clippy::disallowed_methods, reason = "this module runs a program")]

use std::io;
use std::process::{Command, Stdio};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chatterbox_app::model::links;

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
