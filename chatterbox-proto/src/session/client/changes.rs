//! Who left and who came while the connection was lost.

use std::sync::Arc;
use std::vec;

use super::event::Event;
use super::roster::Roster;
use crate::text::WireText;

/// Who left and who came while the connection was lost.
#[derive(Debug)]
pub(super) struct Changes {
    left: vec::IntoIter<Arc<str>>,
    came: vec::IntoIter<Arc<str>>,
}

impl Changes {
    pub(super) fn between(before: &Roster, after: &Roster, is_me: impl Fn(&str) -> bool) -> Self {
        let only = |one: &Roster, other: &Roster| {
            let names = one.names().filter(|name| !other.has(name) && !is_me(name));
            names.cloned().collect::<Vec<_>>().into_iter()
        };
        Self { left: only(before, after), came: only(after, before) }
    }

    pub(super) fn next(&mut self) -> Option<Event> {
        let name = |name: Arc<str>| WireText::new(name.to_string());
        match self.left.next() {
            Some(left) => Some(Event::Left(name(left))),
            None => self.came.next().map(name).map(Event::Joined),
        }
    }
}
