//! Negotiation of options (RFC 855, 1143): who echoes, and how wide the terminal is.
//!
//! The server offers to echo. Whoever agrees has a program that sends each key, so that lines are edited here. Whoever does not
//! answer (netcat, a script) has a terminal of its own, which edits and shows lines before they are sent.

use super::decoder::IAC;
use super::decoder::command::{DO, DONT, WILL, WONT};

/// The options that are wanted.
mod option {
    /// The server shows what is typed (RFC 857).
    pub(super) const ECHO: u8 = 1;
    /// Nobody waits for a turn (RFC 858). Together with the first one it means: each key is sent.
    pub(super) const SUPPRESS_GO_AHEAD: u8 = 3;
    /// A mark in the stream, which is answered each time (RFC 860).
    pub(super) const TIMING_MARK: u8 = 6;
    /// The client tells the size of its window (RFC 1073).
    pub(super) const WINDOW_SIZE: u8 = 31;
    /// The client edits lines (RFC 1184), which is done here.
    pub(super) const LINEMODE: u8 = 34;
}

/// What the server says before anything else: it echoes, each key is sent, the size of the window is of interest.
pub(crate) const OFFER: [u8; 12] = [
    IAC,
    WILL,
    option::ECHO,
    IAC,
    WILL,
    option::SUPPRESS_GO_AHEAD,
    IAC,
    DO,
    option::WINDOW_SIZE,
    IAC,
    DONT,
    option::LINEMODE,
];

/// What the client wants of an option, and whether it was answered.
#[derive(Debug)]
pub(crate) struct Negotiation {
    /// Whether the client lets the server echo; `None` while it has not said so.
    echoes: Option<bool>,
    goes_ahead: bool,
    /// The options that were refused, each once: the client's own, and those of the server.
    refused: [[u64; 4]; 2],
}

impl Default for Negotiation {
    fn default() -> Self {
        Self { echoes: None, goes_ahead: true, refused: [[0; 4]; 2] }
    }
}

impl Negotiation {
    /// Whether the client lets the server echo; `None` while it has not said so.
    pub(crate) fn echoes(&self) -> Option<bool> {
        self.echoes
    }

    /// Takes what the client says about an option; gives the answer, if one is due. What is as it was is not answered, so two
    /// programs can't go on about it for ever.
    pub(crate) fn told(&mut self, verb: u8, option: u8) -> Option<[u8; 3]> {
        match (verb, option) {
            (DO | DONT, option::ECHO) => {
                let before = self.echoes.replace(verb == DO).unwrap_or(true);
                answer(before, verb == DO, option)
            }
            (DO | DONT, option::SUPPRESS_GO_AHEAD) => {
                let before = std::mem::replace(&mut self.goes_ahead, verb == DO);
                answer(before, verb == DO, option)
            }
            (DO, option::TIMING_MARK) => Some([IAC, WONT, option]),
            (DO, _) => self.refuse(1, option).then_some([IAC, WONT, option]),
            (WILL, option::WINDOW_SIZE) => None,
            (WILL, _) => self.refuse(0, option).then_some([IAC, DONT, option]),
            _ => None,
        }
    }

    /// The width that a subnegotiation tells, if it does.
    pub(crate) fn width(option: u8, told: &[u8]) -> Option<u16> {
        match (option, told) {
            (option::WINDOW_SIZE, [high, low, _, _]) => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        }
    }

    /// Notes that an option is refused; says whether it is for the first time.
    fn refuse(&mut self, side: usize, option: u8) -> bool {
        let bit = 1_u64 << (option % 64);
        let word =
            self.refused.get_mut(side).and_then(|side| side.get_mut(usize::from(option / 64)));
        word.is_some_and(|word| {
            let is_first = *word & bit == 0;
            *word |= bit;
            is_first
        })
    }
}

/// The server agrees to what is wanted of an option that it has offered, unless it is so already.
fn answer(before: bool, wanted: bool, option: u8) -> Option<[u8; 3]> {
    (before != wanted).then_some([IAC, if wanted { WILL } else { WONT }, option])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_lets_the_server_echo_is_not_answered_and_who_changes_it_is() {
        let mut negotiation = Negotiation::default();
        assert_eq!(negotiation.echoes(), None);
        assert_eq!(negotiation.told(DO, option::ECHO), None);
        assert_eq!(negotiation.told(DO, option::SUPPRESS_GO_AHEAD), None);
        assert_eq!(negotiation.told(WILL, option::WINDOW_SIZE), None);
        assert_eq!(negotiation.told(WONT, option::LINEMODE), None);
        assert_eq!(negotiation.echoes(), Some(true));
        assert_eq!(negotiation.told(DONT, option::ECHO), Some([IAC, WONT, option::ECHO]));
        assert_eq!(negotiation.told(DONT, option::ECHO), None);
        assert_eq!(negotiation.echoes(), Some(false));
        assert_eq!(negotiation.told(DO, option::ECHO), Some([IAC, WILL, option::ECHO]));
    }

    #[test]
    fn what_is_not_known_is_refused_once() {
        let mut negotiation = Negotiation::default();
        let mut answers = 0;
        for _ in 0..3 {
            for option in 0..=255 {
                for verb in [WILL, DO, WONT, DONT] {
                    let known = [option::ECHO, option::SUPPRESS_GO_AHEAD, option::TIMING_MARK];
                    if known.contains(&option) {
                        continue;
                    }
                    answers += usize::from(negotiation.told(verb, option).is_some());
                }
            }
        }
        // All but the known ones on the server's side, and all but the window's size among them on the client's.
        assert_eq!(answers, 253 + 252);
        assert_eq!(
            negotiation.told(DO, option::TIMING_MARK),
            negotiation.told(DO, option::TIMING_MARK)
        );
    }

    #[test]
    fn a_size_has_four_bytes() {
        assert_eq!(Negotiation::width(31, &[0, 80, 0, 24]), Some(80));
        assert_eq!(Negotiation::width(31, &[1, 0, 0, 24]), Some(256));
        for told in [&[][..], &[0, 80], &[0, 80, 0, 24, 0]] {
            assert_eq!(Negotiation::width(31, told), None);
        }
        assert_eq!(Negotiation::width(24, &[0, 80, 0, 24]), None);
    }
}
