//! The page of the keys, `docs/reference/keys.md`.

use std::fmt::Write as _;

use super::table::{Action, BY_NUMBER, Scope, TABLE};

/// The page as it has to be in the repository.
pub(crate) fn page() -> String {
    let mut text = String::from(
        "<!-- Written by `chatterbox-client --print-keys`; a test compares. -->\n\
         # Keys of the client\n\n\
         Letters always type. Every action can be given other keys, in the section `[keys]` of the configuration\n\
         ([guide/screen.md](../guide/screen.md)), and is reached by its name with Alt-/ on the full screen.\n",
    );
    for (scope, title) in [
        (Scope::Typing, "Wherever something is typed, with `--plain` too"),
        (Scope::Screen, "On the full screen"),
    ] {
        // Writing to a String can't fail.
        let _ = write!(text, "\n## {title}\n\n| action | keys | |\n|---|---|---|\n");
        for row in TABLE.iter().filter(|row| row.scope == scope) {
            match row.action {
                Action::Conversation(1) => {
                    let _ = writeln!(
                        text,
                        "| `conversation-1` to `conversation-9` | `alt-1` to `alt-9` | {BY_NUMBER} |"
                    );
                    continue;
                }
                Action::Conversation(_) => continue,
                _ => {}
            }
            let keys: Vec<_> = row.keys.iter().map(|keys| format!("`{keys}`")).collect();
            let _ = writeln!(text, "| `{}` | {} | {} |", row.name, keys.join(", "), row.help);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_the_repository_is_the_table() {
        assert_eq!(
            super::page(),
            include_str!("../../../docs/reference/keys.md"),
            "run: chatterbox-client --print-keys > docs/reference/keys.md"
        );
    }
}
