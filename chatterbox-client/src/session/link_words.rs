//! What a person is told of the link: `/connection`.

use std::time::Duration;

use chatterbox_proto::ScreenText;

use super::link::LinkState;
use super::security::Security;

impl LinkState {
    /// The sentences about it.
    pub(super) fn words(&self) -> Vec<String> {
        let server = ScreenText::shortened(&self.server, 300);
        let security = match self.security {
            Security::Tls => "encrypted (TLS), and the server's certificate is trusted",
            Security::Unverified => "encrypted (TLS), but the server's certificate was NOT CHECKED",
            Security::Plaintext => "PLAINTEXT: anybody in between can read and change everything",
        };
        let state = match &self.lost {
            Some((why, _)) => {
                format!(
                    "The connection is lost ({}); trying again.",
                    ScreenText::shortened(why, 200)
                )
            }
            None => match self.latency {
                Some(latency) => format!("The server answers within {}.", in_words(latency)),
                None => "How fast the server answers was not measured.".to_owned(),
            },
        };
        vec![format!("Connected to {server}: {security}."), state]
    }
}

/// `12 ms`, `1.2 s`.
fn in_words(time: Duration) -> String {
    match time.as_millis() {
        0 => "1 ms".to_owned(),
        millis @ ..1000 => format!("{millis} ms"),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whether_anybody_can_read_along_is_said_in_words() {
        let state = LinkState { server: "chat.example:5000".to_owned(), ..LinkState::default() };
        assert_eq!(
            state.words(),
            [
                "Connected to chat.example:5000: encrypted (TLS), and the server's certificate is trusted.",
                "How fast the server answers was not measured."
            ]
        );
        let latency = Some(Duration::from_micros(12_700));
        let state = LinkState { security: Security::Plaintext, latency, ..state };
        let words = state.words().join(" ");
        assert!(words.contains("PLAINTEXT") && words.ends_with("within 12 ms."), "{words}");
        let lost = Some(("the server \u{1b}closed it".to_owned(), None));
        let words = LinkState { lost, ..state }.words().join(" ");
        assert!(words.ends_with("is lost (the server \\u{1b}closed it); trying again."), "{words}");
    }

    #[test]
    fn times_are_short() {
        let table = [(0, "1 ms"), (999, "999 ms"), (1000, "1.0 s"), (61_260, "61.3 s")];
        for (millis, words) in table {
            assert_eq!(in_words(Duration::from_millis(millis)), words);
        }
    }
}
