//! Notifications: the bell, those of terminals that show them on the desktop, and the title of the window.
//!
//! Terminals act on what is in these sequences, so only printable characters get there, none of those that end or divide
//! one. No command is run.

use chatterbox_app::Target;
use chatterbox_app::model::{Alert, Model};
use chatterbox_proto::ScreenText;
use tokio::time::Instant;

use crate::config::{Config, NotifyBy};
use crate::terminal::Pace;

/// So many characters of a name or a message are in a notification.
const NAME: usize = 40;
const TEXT: usize = 120;

/// Notifies a user who looks elsewhere.
#[derive(Debug)]
pub(super) struct Notifier {
    by: NotifyBy,
    with_text: bool,
    in_tmux: bool,
    pace: Pace,
}

impl Notifier {
    /// A notifier as the configuration wants it, on the terminal that the environment tells of.
    pub(super) fn new(config: &Config, variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let by = match config.screen.notify {
            NotifyBy::Auto => understood(variable),
            by => by,
        };
        Self {
            by,
            with_text: config.screen.notify_text,
            in_tmux: variable("TMUX").is_some_and(|tmux| !tmux.is_empty()),
            pace: Pace::default(),
        }
    }

    /// The bytes of a notification of an alert; `looks` says whether the terminal has the focus.
    pub(super) fn alert(&mut self, alert: &Alert, looks: bool, now: Instant) -> Vec<u8> {
        let from = clean(alert.from.as_str(), NAME);
        let mut text = match &alert.target {
            Target::User(_) => format!("{from} writes to you"),
            target if alert.concerns => {
                format!("{from} mentions you in {}", place_of(target))
            }
            target => format!("{from} writes in {}", place_of(target)),
        };
        if self.with_text {
            text.push_str(": ");
            text.push_str(&clean(alert.text.as_str(), TEXT));
        }
        self.notify(&text, looks, now)
    }

    fn notify(&mut self, text: &str, looks: bool, now: Instant) -> Vec<u8> {
        if self.by == NotifyBy::None || !self.pace.allows(now) {
            return Vec::new();
        }
        // Whoever looks at the chat, at another conversation, sees the list: the bell is enough.
        let sequence = match self.by {
            _ if looks => String::new(),
            NotifyBy::Osc9 => format!("\x1b]9;{text}\x07"),
            NotifyBy::Osc777 => format!("\x1b]777;notify;chatterbox;{text}\x07"),
            NotifyBy::Auto | NotifyBy::Bell | NotifyBy::None => String::new(),
        };
        let mut bytes = b"\x07".to_vec();
        if self.in_tmux && !sequence.is_empty() {
            let doubled = sequence.replace('\x1b', "\x1b\x1b");
            bytes.extend(format!("\x1bPtmux;{doubled}\x1b\\").bytes());
        } else {
            bytes.extend(sequence.bytes());
        }
        bytes
    }
}

/// The bytes that set the title of the window: what waits, and the conversation in front.
pub(super) fn title(model: &Model) -> String {
    let totals = model.totals();
    let waits = match (totals.unread, totals.mentions) {
        (0, 0) => String::new(),
        (_, mentions @ 1..) => format!("({mentions}!) "),
        (unread, _) => format!("({unread}) "),
    };
    format!("{waits}{} - chatterbox", place_of(model.front()))
}

/// The sequence that the terminal is known to understand.
fn understood(variable: &dyn Fn(&str) -> Option<String>) -> NotifyBy {
    let has = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let is = |name: &str, known: &[&str]| {
        variable(name).is_some_and(|value| known.iter().any(|known| value.contains(known)))
    };
    // Over SSH only TERM comes along; in tmux TERM is that of tmux, and the others are of where it was started.
    if is("TERM_PROGRAM", &["iTerm"]) || is("LC_TERMINAL", &["iTerm"]) {
        return NotifyBy::Osc9;
    }
    let named = is("TERM", &["kitty", "foot", "ghostty", "wezterm", "rxvt"])
        || is("TERM_PROGRAM", &["ghostty", "WezTerm", "kitty"]);
    let marked = ["KITTY_WINDOW_ID", "GHOSTTY_RESOURCES_DIR", "WEZTERM_PANE", "KONSOLE_VERSION"];
    if named || marked.into_iter().any(has) { NotifyBy::Osc777 } else { NotifyBy::Bell }
}

/// A conversation in words.
fn place_of(target: &Target) -> String {
    clean(target.in_words().as_str(), NAME + 2)
}

/// The beginning of a text, without what could end or divide a sequence.
fn clean(text: &str, most: usize) -> String {
    let shown = ScreenText::shortened(text, most);
    shown.as_str().chars().filter(|c| !c.is_control() && *c != ';').collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::disallowed_methods, reason = "the test owns the clock")]

    use super::*;

    fn notifier(config: &str, variables: &[(&str, &str)]) -> Notifier {
        let config: Config = toml::from_str(config).unwrap();
        Notifier::new(&config, &|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn alert(target: Target) -> Alert {
        Alert {
            target,
            from: ScreenText::new("a;nn\u{1b}]0;x\u{7}"),
            text: ScreenText::new("hi; \u{9c}you"),
            concerns: true,
        }
    }

    fn told(notifier: &mut Notifier, alert: &Alert, looks: bool) -> String {
        String::from_utf8(notifier.alert(alert, looks, Instant::now())).unwrap()
    }

    #[test]
    fn each_terminal_gets_what_it_understands() {
        for (variables, begins) in [
            (&[("TERM", "xterm-256color")][..], "\u{7}"),
            (&[("TERM_PROGRAM", "iTerm.app")], "\u{7}\u{1b}]9;ann"),
            (&[("TERM", "xterm-kitty")], "\u{7}\u{1b}]777;notify;chatterbox;ann"),
            (
                &[("TMUX", "/tmp/x"), ("KITTY_WINDOW_ID", "1")],
                "\u{7}\u{1b}Ptmux;\u{1b}\u{1b}]777;notify;chatterbox;ann",
            ),
        ] {
            let mut notifier = notifier("", variables);
            let told = told(&mut notifier, &alert(Target::Room("#lab".into())), false);
            assert!(told.starts_with(begins), "{told:?}");
        }
    }

    #[test]
    fn nothing_of_others_ends_or_divides_a_sequence() {
        let config = "[screen]\nnotify = \"osc777\"\nnotify-text = true";
        let mut notifier = notifier(config, &[]);
        let told = told(&mut notifier, &alert(Target::User("b\u{1b}ob;".into())), false);
        let text = told.strip_prefix("\u{7}\u{1b}]777;notify;chatterbox;").unwrap();
        let text = text.strip_suffix('\u{7}').unwrap();
        assert!(text.chars().all(|c| !c.is_control() && c != ';'), "{text:?}");
        assert!(text.contains("writes to you: hi"), "{text:?}");
    }

    #[test]
    fn whoever_looks_hears_the_bell_only() {
        let lab = alert(Target::Room("#lab".into()));
        let mut osc9 = notifier("[screen]\nnotify = \"osc9\"", &[]);
        assert_eq!(told(&mut osc9, &lab, true), "\u{7}");
        let mut none = notifier("[screen]\nnotify = \"none\"", &[]);
        assert_eq!(told(&mut none, &lab, false), "");
    }

    #[test]
    fn a_flood_rings_five_times() {
        let mut notifier = notifier("", &[]);
        let (lab, now) = (alert(Target::Lobby), Instant::now());
        assert_eq!((0..9).filter(|_| !notifier.alert(&lab, false, now).is_empty()).count(), 5);
    }
}
