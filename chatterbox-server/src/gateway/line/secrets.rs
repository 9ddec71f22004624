//! Secrets: where a terminal would show them, or others could read them on the way, none is taken.

use super::screen::Mode;

/// Why no secret is taken here, if it is so. `is_local` says that the terminal is on this machine.
pub(crate) fn refusal(mode: Mode, is_local: bool) -> Option<&'static str> {
    match (mode, is_local) {
        (_, false) => Some("it would go over the network unencrypted; use a chat client instead"),
        (Mode::Line, true) => {
            Some("your terminal would show it; use telnet, or a chat client, instead")
        }
        (Mode::Character, true) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_of_this_machine_that_lets_the_server_echo_is_asked() {
        assert_eq!(refusal(Mode::Character, true), None);
        for (mode, is_local) in [(Mode::Line, true), (Mode::Line, false), (Mode::Character, false)]
        {
            assert!(refusal(mode, is_local).is_some());
        }
    }
}
