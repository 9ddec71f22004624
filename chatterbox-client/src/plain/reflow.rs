//! Whether a terminal breaks rows anew when it gets another width. It matters to what has to be cleared: most do, some cut rows off,
//! and no question that a program can ask tells them apart.

use std::env;

/// Whether the terminal is known to do so.
pub(super) fn reflows() -> bool {
    is_known(|name| env::var(name).ok().filter(|value| !value.is_empty()))
}

fn is_known(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = |name: &str| variable(name).is_some();
    // A multiplexer stands between the program and the terminal that has set the others.
    if set("TMUX") {
        return true;
    }
    if set("STY") {
        return false;
    }
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let term = variable("TERM").unwrap_or_default();
    ["VTE_VERSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "WT_SESSION", "ALACRITTY_WINDOW_ID"]
        .into_iter()
        .any(set)
        || ["iTerm.app", "Apple_Terminal", "WezTerm", "ghostty", "vscode"]
            .contains(&program.as_str())
        || ["xterm-kitty", "alacritty", "foot", "tmux", "tmux-256color", "xterm-ghostty"]
            .contains(&term.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_that_is_not_known_is_taken_for_one_that_cuts_rows_off() {
        for (variables, known) in [
            (&[("TERM", "xterm-256color")][..], false),
            (&[("TERM", "xterm-256color"), ("VTE_VERSION", "7000")], true),
            (&[("TERM", "screen"), ("TMUX", "/tmp/tmux,1,0")], true),
            (&[("TERM", "screen"), ("STY", "1.pts"), ("VTE_VERSION", "7000")], false),
            (&[("TERM", "foot")], true),
            (&[], false),
        ] {
            let variable = |name: &str| {
                variables
                    .iter()
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(is_known(variable), known, "{variables:?}");
        }
    }
}
