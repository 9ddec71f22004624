//! A configuration with every default, for `--print-config`.

use std::fmt::Write as _;

use crate::keymap::TABLE;

const SAMPLE: &str = r##"# The configuration of chatterbox-client: `client.toml` in your configuration folder, or the file of --config.
# What is given on the command line goes before. Passwords are not kept here: see --password-file and --remember.

# A server by a name: `chatterbox-client work`. The path of `ca` is relative to this file; `pin` is the fingerprint of
# the server's certificate, in the place of `ca`.
#
# [servers.work]
# host = "chat.example.org"
# port = 9000
# ca = "work.crt"
# username = "ann"
# room = "#lab"

[screen]
# What a terminal shows: "full", where it has 24 columns and 6 rows at least, or "plain", line by line.
mode = "full"
# The colours: "default" (the sixteen of the terminal), "light", "dark", "high-contrast" or "mono".
theme = "default"
# Whether times, the list of conversations and that of people are shown: "auto" (where there is room), "always", "never".
times = "auto"
conversations = "auto"
people = "auto"
# Whether the mouse is taken: the wheel scrolls, and a conversation is chosen by a click. Text is then selected with Shift.
mouse = false
# How you are told that somebody names you while you look elsewhere: "auto", "bell", "osc9", "osc777" or "none".
notify = "auto"
# Whether a notification has the beginning of the message.
notify-text = false
# The program that opens a link, and its arguments: open = ["xdg-open"]. The link comes last; no shell is run.
open = []

# What of one conversation you are told: "all", "mentions" or "none". Conversations are "ALL", "#room" and "@user".
#
# [conversations."#lab"]
# notify = "mentions"

# The keys of an action, in the place of its usual ones. Two keys that are pressed one after the other have a blank
# between them; no key at all is [].
#
# [keys]
"##;

/// A configuration with every default; what is optional is a comment.
pub(crate) fn sample() -> String {
    let mut text = SAMPLE.to_owned();
    for row in TABLE {
        let keys: Vec<_> = row.keys.iter().map(|keys| format!("\"{keys}\"")).collect();
        // Writing to a String can't fail.
        let _ = writeln!(text, "# {} = [{}]", row.name, keys.join(", "));
    }
    text
}
