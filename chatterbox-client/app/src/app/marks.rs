//! How far the user has read: told to the server, and heard from it of other devices (MK-1, MK-2).

use chatterbox_proto::ALL;
use chatterbox_proto::capability::ids::Id;

use super::App;
use crate::effect::Effect;
use crate::output::{Output, ReadTo, Wire};

/// The server is told at most once in so many seconds: of each conversation the newest message that was shown.
const EVERY: i64 = 1;

impl App {
    /// When the server is to be told how far the user has read, in seconds since 1970, if there is something to tell.
    pub fn marks_at(&self) -> Option<i64> {
        let model = self.model.as_ref().filter(|_| self.may_mark())?;
        model.has_marks().then_some(self.marks_from)
    }

    /// Tells the server how far the user has read, if it is time.
    pub fn tell_marks(&mut self, now: i64) -> Vec<Effect> {
        // A clock that is set back keeps nobody from being told.
        let early = (self.marks_from.saturating_sub(EVERY)..self.marks_from).contains(&now);
        if early || !self.may_mark() {
            return Vec::new();
        }
        let Some(model) = &mut self.model else { return Vec::new() };
        let marks = model.take_marks();
        if marks.is_empty() {
            return Vec::new();
        }
        self.marks_from = now.saturating_add(EVERY);
        let frames = marks.iter().filter_map(|(with, upto)| self.session.read_up_to(with, *upto));
        frames.map(Effect::Send).collect()
    }

    /// Of a guest nothing is kept.
    fn may_mark(&self) -> bool {
        self.has_account && self.session.has_marks()
    }

    /// The server says how far the user has read, on other devices or before. What is unread of a session that goes on is known
    /// here.
    pub(super) fn marks_told(
        &mut self,
        mut read: Vec<(Wire, Id)>,
        unread: &[(Wire, u64)],
        effects: &mut Vec<Effect>,
    ) {
        // What was never marked has the mark 0, whether the server says so or not.
        let marked = |with: &Wire| read.iter().any(|(one, _)| one == with);
        let others = unread.iter().filter(|(with, _)| !self.resumed && !marked(with));
        let others: Vec<_> = others.map(|(with, _)| (with.clone(), 0)).collect();
        read.extend(others);
        if read.is_empty() {
            return;
        }
        let count = |with: &Wire| {
            let found = unread.iter().find(|(one, _)| one == with).filter(|_| !self.resumed);
            found.map(|(_, count)| usize::try_from(*count).unwrap_or(usize::MAX))
        };
        let read: Vec<_> = read
            .into_iter()
            .map(|(with, upto)| ReadTo {
                unread: count(&with),
                newest: self.newest_of(with.as_wire()),
                with,
                upto,
            })
            .collect();
        for ReadTo { with, upto, unread, newest } in &read {
            self.front.marked(with.as_wire(), *upto, *unread, *newest);
        }
        effects.push(Effect::Show(Output::Marks(read)));
    }

    /// The newest message of a room when the server told it last; 0 where it does not say it.
    fn newest_of(&self, with: &str) -> Id {
        let room = if with == ALL { Some(self.session.lobby()) } else { self.session.room(with) };
        room.map_or(0, |room| room.last)
    }
}
