//! Crowds: when many users come and go at about the same time, a person who reads line by line is told in one line.
//!
//! The first few are told at once, one line each. The others of the same frame, and of the next moment, wait until something
//! else is shown or the moment is over. Nothing changes its order with anything else.

use std::collections::VecDeque;

use crate::output::{Output, Wire};

/// So many users in a moment are told at once, in a line each.
const FEW: usize = 3;

/// How long a moment is, in seconds.
const MOMENT: i64 = 2;

/// So many names are held back at most.
const MOST: usize = 1000;

/// The comings and goings of one place that are held back.
#[derive(Debug, Default)]
pub struct Crowd {
    /// The outputs that are held back; all are about one place.
    held: Vec<Output>,
    /// How many users they name.
    names: usize,
    /// When the moment began, in seconds since 1970.
    since: i64,
    /// How many users were told of in it.
    told: usize,
}

impl Crowd {
    /// Takes an output, and appends to `shown` what is to be shown now.
    pub fn take(&mut self, output: Output, now: i64, shown: &mut VecDeque<Output>) {
        let Some((place, names)) = place(&output) else {
            self.flush(now, shown);
            shown.push_back(output);
            return;
        };
        let elsewhere = self.held.first().and_then(self::place).is_some_and(|(at, _)| at != place);
        if elsewhere || self.names >= MOST {
            self.flush(now, shown);
        }
        self.begin(now);
        self.names += names;
        self.held.push(output);
    }

    /// Everything that came at once was taken: shows what is held back if it is no crowd, or if the moment is over.
    pub fn settle(&mut self, now: i64, shown: &mut VecDeque<Output>) {
        if self.held.is_empty() {
            return;
        }
        if self.told + self.names <= FEW || !self.is_moment(now) {
            self.flush(now, shown);
        }
    }

    /// When [`Crowd::settle`] is to be called again, in seconds since 1970.
    pub fn held_until(&self) -> Option<i64> {
        (!self.held.is_empty()).then(|| self.since.saturating_add(MOMENT))
    }

    /// Shows what is held back.
    pub fn flush(&mut self, now: i64, shown: &mut VecDeque<Output>) {
        let names = std::mem::take(&mut self.names);
        let held = std::mem::take(&mut self.held);
        if names == 0 {
            return;
        }
        if self.told + names <= FEW || names == 1 {
            shown.extend(held);
        } else {
            shown.extend(merged(held));
            // Those who come next are a part of the same crowd.
            self.since = now;
        }
        self.told += names;
    }

    fn begin(&mut self, now: i64) {
        if self.held.is_empty() && !self.is_moment(now) {
            self.since = now;
            self.told = 0;
        }
    }

    /// Whether the moment is not over. A clock that was set back ends it, too.
    fn is_moment(&self, now: i64) -> bool {
        (self.since..self.since.saturating_add(MOMENT)).contains(&now)
    }
}

/// The room in which somebody comes or goes, and how many; `None` where it is about something else.
fn place(output: &Output) -> Option<(Option<&Wire>, usize)> {
    match output {
        Output::Joined(_) | Output::Left(_) => Some((None, 1)),
        Output::RoomUsers { room, users, .. } => Some((Some(room), users.len())),
        _ => None,
    }
}

/// One output for all: who came and went is left out. Nothing, if that was everybody.
fn merged(held: Vec<Output>) -> Option<Output> {
    let (mut place, mut joined, mut left) = (None, Vec::new(), Vec::new());
    for output in held {
        match output {
            Output::Joined(name) => step(name, &mut joined, &mut left),
            Output::Left(name) => step(name, &mut left, &mut joined),
            Output::RoomUsers { room, users, joined: came } => {
                place = Some(room);
                for name in users {
                    let (to, other) =
                        if came { (&mut joined, &mut left) } else { (&mut left, &mut joined) };
                    step(name, to, other);
                }
            }
            _ => {}
        }
    }
    let somebody = !joined.is_empty() || !left.is_empty();
    somebody.then_some(Output::Moves { room: place, joined, left })
}

fn step(name: Wire, to: &mut Vec<Wire>, other: &mut Vec<Wire>) {
    match other.iter().rposition(|known| *known == name) {
        Some(place) => drop(other.remove(place)),
        None => to.push(name),
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::WireText;
    use proptest::prelude::*;

    use super::*;

    fn wire(text: &str) -> Wire {
        WireText::new(text.to_owned())
    }

    fn moved(word: &str) -> Output {
        match (word.strip_prefix('+'), word.strip_prefix('-')) {
            (Some(name), _) => Output::Joined(wire(name)),
            (_, Some(name)) => Output::Left(wire(name)),
            _ => Output::note(word),
        }
    }

    /// What is shown of frames at these times.
    fn shown(frames: &[(i64, &str)]) -> Vec<String> {
        let mut crowd = Crowd::default();
        let mut lines = Vec::new();
        for (now, frame) in frames {
            let mut shown = VecDeque::new();
            for word in frame.split_whitespace() {
                crowd.take(moved(word), *now, &mut shown);
            }
            crowd.settle(*now, &mut shown);
            lines.extend(shown.iter().map(|output| format!("{now} {}", output.text())));
        }
        lines
    }

    #[test]
    fn a_few_are_told_at_once_and_a_crowd_in_one_line() {
        type Frames<'a> = &'a [(i64, &'a str)];
        let table: &[(Frames<'_>, &[&str])] = &[
            (&[(10, "+a -b +c")], &["10 * a joined", "10 * b left", "10 * c joined"]),
            // One frame.
            (&[(10, "+a +b +c +d -e"), (11, ""), (12, "")], &["12 * a, b, c and d joined; e left"]),
            (&[(10, "+a +b +c +d +e +f +g"), (12, "")], &["12 * a, b and 5 others joined"]),
            // Several frames: the first few at once.
            (
                &[(10, "+a"), (10, "+b"), (10, "+c"), (10, "+d"), (11, "+e"), (12, "+f"), (14, "")],
                &["10 * a joined", "10 * b joined", "10 * c joined", "12 * d, e and f joined"],
            ),
            (
                &[(10, "+a +b"), (11, "+c"), (11, "+d"), (12, "")],
                &["10 * a joined", "10 * b joined", "11 * c joined", "12 * d joined"],
            ),
            // One after the other is no crowd.
            (
                &[(10, "+a +b"), (12, "+c +d"), (14, "+e")],
                &[
                    "10 * a joined",
                    "10 * b joined",
                    "12 * c joined",
                    "12 * d joined",
                    "14 * e joined",
                ],
            ),
            // Whoever comes and goes is left out.
            (&[(10, "+a +b -a +c +d"), (12, "")], &["12 * b, c and d joined"]),
            (&[(10, "+a -a +b -b"), (12, "")], &[]),
            (&[(10, "-a +a -a +b"), (12, "")], &["12 * b joined; a left"]),
            // Nothing overtakes anything.
            (
                &[(10, "+a +b +c +d said +e"), (12, "")],
                &["10 * a, b, c and d joined", "10 -- said", "12 * e joined"],
            ),
            // A clock that is set back holds nothing back for long.
            (&[(10, "+a +b +c +d"), (3, "")], &["3 * a, b, c and d joined"]),
        ];
        for (frames, expected) in table {
            assert_eq!(shown(frames), *expected, "{frames:?}");
        }
    }

    #[test]
    fn a_room_has_its_name_in_front_and_places_are_not_mixed() {
        let users = |names: &str| Output::RoomUsers {
            room: wire("#lab"),
            users: names.split(' ').map(wire).collect(),
            joined: true,
        };
        let mut crowd = Crowd::default();
        let mut shown = VecDeque::new();
        crowd.take(users("a b"), 10, &mut shown);
        crowd.settle(10, &mut shown);
        crowd.take(users("c d e"), 10, &mut shown);
        crowd.settle(10, &mut shown);
        crowd.take(Output::Joined(wire("f")), 10, &mut shown);
        let lines: Vec<_> = shown.iter().map(Output::text).collect();
        assert_eq!(lines, ["* #lab: a, b joined", "* #lab: c, d and e joined"]);
    }

    #[test]
    fn what_is_held_back_is_bounded() {
        let mut crowd = Crowd::default();
        let mut shown = VecDeque::new();
        for number in 0..10 * MOST {
            crowd.take(Output::Joined(wire(&number.to_string())), 10, &mut shown);
            assert!(crowd.held.len() <= MOST);
        }
        assert_eq!(shown.len(), 9);
    }

    proptest! {
        /// Whoever reads all lines knows who is here, whatever comes when.
        #[test]
        fn who_is_here_stays_true(moves in prop::collection::vec((0..6_u8, 0..3_i64, any::<bool>()), 0..60)) {
            let (mut crowd, mut shown, mut now) = (Crowd::default(), VecDeque::new(), 0);
            let (mut here, mut known) = ([false; 6], [false; 6]);
            for (who, later, settles) in moves {
                now += later;
                let place = usize::from(who);
                here[place] = !here[place];
                let name = wire(&who.to_string());
                let output = if here[place] { Output::Joined(name) } else { Output::Left(name) };
                crowd.take(output, now, &mut shown);
                if settles {
                    crowd.settle(now, &mut shown);
                    prop_assert!(crowd.held_until().is_none_or(|at| at > now && at <= now + MOMENT));
                }
            }
            crowd.flush(now, &mut shown);
            let mut set = |name: &Wire, is: bool| known[name.as_wire().parse::<usize>().unwrap()] = is;
            for output in &shown {
                match output {
                    Output::Joined(name) => set(name, true),
                    Output::Left(name) => set(name, false),
                    Output::Moves { joined, left, .. } => {
                        joined.iter().for_each(|name| set(name, true));
                        left.iter().for_each(|name| set(name, false));
                    }
                    _ => {}
                }
            }
            prop_assert_eq!(known, here);
        }
    }
}
