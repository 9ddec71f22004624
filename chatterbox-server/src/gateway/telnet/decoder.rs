//! The telnet protocol (RFC 854, 855), byte by byte: what is typed, and what the two programs tell each other.
//!
//! The decoder keeps a state and never a piece of the input, so it does not matter in which pieces bytes come, and what a peer
//! sends takes no memory: a subnegotiation is kept up to 64 bytes, and what is longer is passed over to its end.

/// The byte that begins a command.
pub const IAC: u8 = 255;

/// The commands of RFC 854 that are known here; others are passed over.
pub mod command {
    /// The end of the input.
    pub const EOF: u8 = 236;
    /// The end of a subnegotiation.
    pub const SE: u8 = 240;
    /// Break.
    pub const BRK: u8 = 243;
    /// Interrupt Process.
    pub const IP: u8 = 244;
    /// Are You There.
    pub const AYT: u8 = 246;
    /// Erase Character.
    pub const EC: u8 = 247;
    /// Erase Line.
    pub const EL: u8 = 248;
    /// The beginning of a subnegotiation.
    pub const SB: u8 = 250;
    /// The sender will use an option.
    pub const WILL: u8 = 251;
    /// The sender will not use an option.
    pub const WONT: u8 = 252;
    /// The receiver shall use an option.
    pub const DO: u8 = 253;
    /// The receiver shall not use an option.
    pub const DONT: u8 = 254;
}

/// The most bytes of a subnegotiation. The only one that is asked for has four.
pub const SUBNEGOTIATION: usize = 64;

/// One thing that a peer has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A byte of what is typed.
    Byte(u8),
    /// A command without an option.
    Command(u8),
    /// WILL, WONT, DO or DONT, and the option that it is about.
    Option(u8, u8),
    /// What was said about an option.
    Subnegotiation(u8, Vec<u8>),
}

/// The place in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Text,
    /// Behind IAC.
    Command,
    /// Behind WILL, WONT, DO or DONT.
    Option(u8),
    /// Behind SB.
    Begin,
    /// In a subnegotiation about this option.
    Inside(u8),
    /// Behind IAC in one.
    InsideCommand(u8),
}

/// Tells what is typed from what the protocol says.
#[derive(Debug, Default)]
pub struct Decoder {
    state: State,
    /// What has come of a subnegotiation.
    inside: Vec<u8>,
    /// Whether it was too long.
    is_too_long: bool,
}

impl Decoder {
    /// Takes the next byte.
    pub fn push(&mut self, byte: u8) -> Option<Event> {
        let (state, event) = match (self.state, byte) {
            (State::Text, IAC) => (State::Command, None),
            (State::Text, byte) => (State::Text, Some(Event::Byte(byte))),
            (State::Command, command::SB) => (State::Begin, None),
            (
                State::Command,
                verb @ (command::WILL | command::WONT | command::DO | command::DONT),
            ) => (State::Option(verb), None),
            // Twice, it is the byte itself. No text in UTF-8 has it.
            (State::Command, IAC) => (State::Text, Some(Event::Byte(IAC))),
            (State::Command, command) => (State::Text, Some(Event::Command(command))),
            (State::Option(verb), option) => (State::Text, Some(Event::Option(verb, option))),
            (State::Begin, option) => {
                self.inside = Vec::new();
                self.is_too_long = false;
                (State::Inside(option), None)
            }
            (State::Inside(option), IAC) => (State::InsideCommand(option), None),
            (State::Inside(option), byte) => {
                self.keep(byte);
                (State::Inside(option), None)
            }
            (State::InsideCommand(option), command::SE) => {
                let inside = std::mem::take(&mut self.inside);
                let event = (!self.is_too_long).then_some(Event::Subnegotiation(option, inside));
                (State::Text, event)
            }
            (State::InsideCommand(option), IAC) => {
                self.keep(IAC);
                (State::Inside(option), None)
            }
            // Whoever forgets the end of it has gone on with something else.
            (State::InsideCommand(_), byte) => {
                self.inside = Vec::new();
                self.state = State::Command;
                return self.push(byte);
            }
        };
        self.state = state;
        event
    }

    fn keep(&mut self, byte: u8) {
        if self.inside.len() < SUBNEGOTIATION {
            self.inside.push(byte);
        } else {
            self.is_too_long = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::command::{AYT, DO, SB, SE, WILL, WONT};
    use super::*;

    fn decode(bytes: &[u8]) -> Vec<Event> {
        let mut decoder = Decoder::default();
        bytes.iter().filter_map(|byte| decoder.push(*byte)).collect()
    }

    #[test]
    fn what_is_typed_is_told_from_what_is_negotiated() {
        let table: [(&[u8], Vec<Event>); 9] = [
            (b"hi", vec![Event::Byte(b'h'), Event::Byte(b'i')]),
            (&[IAC, IAC], vec![Event::Byte(255)]),
            (&[IAC, AYT, b'x'], vec![Event::Command(AYT), Event::Byte(b'x')]),
            (&[IAC, DO, 1, IAC, WONT, 255], vec![Event::Option(DO, 1), Event::Option(WONT, 255)]),
            (
                &[IAC, SB, 31, 0, 80, 0, 24, IAC, SE],
                vec![Event::Subnegotiation(31, vec![0, 80, 0, 24])],
            ),
            // A width of 255 is sent as two bytes of 255.
            (
                &[IAC, SB, 31, 0, 255, 255, 0, 24, IAC, SE],
                vec![Event::Subnegotiation(31, vec![0, 255, 0, 24])],
            ),
            // Its end is missing.
            (
                &[IAC, SB, 31, 0, IAC, WILL, 31, b'x'],
                vec![Event::Option(WILL, 31), Event::Byte(b'x')],
            ),
            // SE without a beginning.
            (&[IAC, SE, b'x'], vec![Event::Command(SE), Event::Byte(b'x')]),
            (&[IAC], vec![]),
        ];
        for (bytes, events) in table {
            assert_eq!(decode(bytes), events, "{bytes:?}");
        }
    }

    #[test]
    fn an_endless_subnegotiation_takes_no_memory_and_is_passed_over() {
        let mut decoder = Decoder::default();
        for byte in [IAC, SB, 24] {
            assert_eq!(decoder.push(byte), None);
        }
        for _ in 0..1_000_000 {
            assert_eq!(decoder.push(b'x'), None);
        }
        assert!(decoder.inside.capacity() <= 2 * SUBNEGOTIATION);
        assert_eq!((decoder.push(IAC), decoder.push(SE)), (None, None));
        assert_eq!(decoder.push(b'y'), Some(Event::Byte(b'y')));
    }

    /// Bytes of which many mean something.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            3 => prop::sample::select(vec![IAC, SB, SE, WILL, DO, 1, 31, 0, 13, 10]),
            1 => any::<u8>(),
        ];
        prop::collection::vec(byte, 0..300)
    }

    proptest! {
        #[test]
        fn b8_any_split_of_any_bytes_gives_the_same_events(
            bytes in bytes(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            places.push(bytes.len());
            places.sort_unstable();
            let (mut decoder, mut events, mut from) = (Decoder::default(), Vec::new(), 0);
            for place in places {
                events.extend(bytes[from..place].iter().filter_map(|byte| decoder.push(*byte)));
                from = place;
            }
            prop_assert_eq!(&events, &decode(&bytes));
            prop_assert!(decoder.inside.len() <= SUBNEGOTIATION);
            // Nothing is made of nothing.
            prop_assert!(events.len() <= bytes.len());
        }
    }
}
