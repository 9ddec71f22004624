//! What the chat keeps of its messages: settings of a server, and what `cluster check` holds the log against.

use std::time::Duration;

use chatterbox_hub::Keep;
use chatterbox_server::config::{between, days};
use chatterbox_server::store::sqlite::Retention;
use clap::Args;

/// How many messages are kept, and for how long.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct Keeping {
    /// Messages kept; the oldest go
    #[arg(
        long,
        value_name = "N",
        default_value_t = Keep::default().messages,
        help_heading = "Messages"
    )]
    pub keep_messages: u64,

    /// Bytes of messages kept, 80 MiB at most; the oldest go
    #[arg(
        long,
        value_name = "BYTES",
        default_value_t = Keep::default().bytes,
        value_parser = keep_bytes,
        help_heading = "Messages"
    )]
    pub keep_bytes: u64,

    /// Days that messages are kept [default: for ever]
    #[arg(long, value_name = "DAYS", value_parser = days, help_heading = "Messages")]
    pub keep_days: Option<Duration>,
}

/// The most bytes of messages that are kept. Who joins gets them in one frame, of which our client takes 144 MiB, and in it are
/// also the private messages (a quarter more: 20 MiB), the ids and times of all (17 and 12 bytes each, 35 MiB for 1,250,000 of
/// them), and the names of who is here (4 MiB for 10,000 of the longest).
const MOST_KEPT: u64 = 80 * 1024 * 1024;

fn keep_bytes(text: &str) -> Result<u64, String> {
    between(text, 0, MOST_KEPT)
}

impl Keeping {
    /// The bounds of the public messages in number and size.
    pub const fn keep(&self) -> Keep {
        Keep { messages: self.keep_messages, bytes: self.keep_bytes }
    }

    /// The bounds of the messages in the database.
    pub const fn retention(&self) -> Retention {
        Retention { messages: self.keep_messages, bytes: self.keep_bytes, age: self.keep_days }
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::limits;
    use chatterbox_server::config::Config;

    use super::*;

    #[test]
    fn whatever_is_kept_our_client_takes_the_welcome() {
        assert_eq!(keep_bytes(&MOST_KEPT.to_string()), Ok(MOST_KEPT));
        assert!(keep_bytes(&(MOST_KEPT + 1).to_string()).is_err());
        let config = Config::default();
        let public = Keep { bytes: MOST_KEPT, ..Keep::default() };
        let all = public.plus(public.of_private());
        let name = limits::USERNAME_CHARS * r"\ud83d\ude00".len() + r#""", "#.len();
        // Everybody is in USER_LIST, and in PRESENCE with a time.
        let state = name + r#": {"SINCE": 1700000000, "AWAY": null}, "#.len();
        let users = config.max_connections * (name + state);
        let most = all.bytes + all.messages * (17 + 12) + users as u64;
        assert!(most < limits::SERVER_FRAME as u64, "{most}");
    }
}
