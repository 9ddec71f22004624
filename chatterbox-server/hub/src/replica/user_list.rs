//! The user list as welcomes have it: names as JSON, in pieces that all welcomes share (UL-1).
//!
//! A welcome is taken under the hub's lock. With pieces that costs a reference for each of them, and one piece that changed
//! since is written again; whoever comes does not go through all who are here, and no welcome has a list of its own.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bytes::Bytes;
use chatterbox_proto::json::LIST_SEPARATOR;

use crate::digest::{Digest, Digester};
use crate::ids::MemberId;

/// The most names of a piece.
const PIECE: usize = 128;

/// The names of those who are here, in the order in which they joined.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserList {
    /// The pieces, each by a number that is not above that of its first member.
    pieces: BTreeMap<MemberId, Piece>,
}

#[derive(Debug, Clone, Default)]
struct Piece {
    /// In order.
    names: Vec<(MemberId, Bytes)>,
    /// All of them, each with a separator before it; written when a welcome needs it.
    json: OnceLock<Bytes>,
    /// What is told of them beside, in the same form; written when a welcome needs it.
    states: OnceLock<Bytes>,
}

impl UserList {
    /// Adds a name behind all others; members have rising numbers.
    pub(crate) fn push(&mut self, id: MemberId, name: Bytes) {
        let last = self.pieces.last_entry().filter(|last| last.get().names.len() < PIECE);
        match last {
            Some(mut last) => last.get_mut().change(|names| names.push((id, name))),
            None => {
                let piece = Piece {
                    names: vec![(id, name)],
                    json: OnceLock::new(),
                    states: OnceLock::new(),
                };
                self.pieces.insert(id, piece);
            }
        }
    }

    /// Takes a name out.
    pub(crate) fn remove(&mut self, id: MemberId) {
        let Some((&key, piece)) = self.pieces.range_mut(..=id).next_back() else { return };
        piece.change(|names| names.retain(|(member, _)| *member != id));
        if piece.names.is_empty() {
            self.pieces.remove(&key);
            return;
        }
        // Where most have left, pieces are put together, so that there are few for those who are here.
        let small = |(_, piece): &(&MemberId, &Piece)| piece.names.len() <= PIECE / 4;
        if small(&(&key, piece)) {
            let before = self.pieces.range(..key).next_back().filter(small);
            let after = self.pieces.range(key..).nth(1).filter(small);
            let (before, after) = (before.map(|(key, _)| *key), after.map(|(key, _)| *key));
            match (before, after) {
                (Some(before), _) => self.merge(before, key),
                (None, Some(after)) => self.merge(key, after),
                (None, None) => {}
            }
        }
    }

    /// Puts a piece and the next one together.
    fn merge(&mut self, first: MemberId, second: MemberId) {
        if let Some(second) = self.pieces.remove(&second)
            && let Some(first) = self.pieces.get_mut(&first)
        {
            first.change(|names| names.extend(second.names));
        }
    }

    /// Replaces a name; its place stays.
    pub(crate) fn rename(&mut self, id: MemberId, new: Bytes) {
        if let Some((_, piece)) = self.pieces.range_mut(..=id).next_back() {
            piece.change(|names| {
                if let Some((_, name)) = names.iter_mut().find(|(member, _)| *member == id) {
                    *name = new;
                }
            });
        }
    }

    /// All names, each with a separator before it.
    pub(crate) fn pieces(&self) -> Vec<Bytes> {
        let written = |piece: &Piece| piece.json.get_or_init(|| piece.written()).clone();
        self.pieces.values().map(written).collect()
    }

    /// Notes that something else is to be told of a member.
    pub(crate) fn changed(&mut self, id: MemberId) {
        if let Some((_, piece)) = self.pieces.range_mut(..=id).next_back() {
            piece.states.take();
        }
    }

    /// What is told of everybody beside the name, each with a separator before it; `push` writes it of one.
    pub(crate) fn states(&self, push: impl Fn(MemberId, &mut Vec<u8>)) -> Vec<Bytes> {
        let written = |piece: &Piece| {
            let states = piece.states.get_or_init(|| {
                let mut out = Vec::new();
                for (id, _) in &piece.names {
                    out.extend_from_slice(LIST_SEPARATOR);
                    push(*id, &mut out);
                }
                out.into()
            });
            states.clone()
        };
        self.pieces.values().map(written).collect()
    }

    /// How the names lie in pieces, which is what a list has beside the names: of each its number, and how many it has.
    pub(crate) fn layout(&self) -> Vec<(MemberId, usize)> {
        self.pieces.iter().map(|(key, piece)| (*key, piece.names.len())).collect()
    }

    /// The list of these names in these pieces, if they fit together.
    pub(crate) fn laid_out(
        layout: Vec<(MemberId, usize)>,
        names: impl IntoIterator<Item = (MemberId, Bytes)>,
    ) -> Option<Self> {
        let mut rest = names.into_iter().peekable();
        let (mut pieces, mut last) = (BTreeMap::new(), None);
        for (key, count) in layout {
            let names: Vec<_> = rest.by_ref().take(count).collect();
            let (first, end) = (names.first()?.0, names.last()?.0);
            if names.len() < count || key > first || last.is_some_and(|last| key <= last) {
                return None;
            }
            last = Some(end);
            pieces.insert(key, Piece { names, json: OnceLock::new(), states: OnceLock::new() });
        }
        rest.peek().is_none().then_some(Self { pieces })
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

impl Piece {
    fn change(&mut self, change: impl FnOnce(&mut Vec<(MemberId, Bytes)>)) {
        self.json.take();
        self.states.take();
        change(&mut self.names);
    }

    fn written(&self) -> Bytes {
        let size = self.names.iter().map(|(_, name)| LIST_SEPARATOR.len() + name.len()).sum();
        let mut out = Vec::with_capacity(size);
        for (_, name) in &self.names {
            out.extend_from_slice(LIST_SEPARATOR);
            out.extend_from_slice(name);
        }
        out.into()
    }
}

impl Digest for Piece {
    fn digest(&self, to: &mut Digester) {
        // What was written for a welcome of this node says nothing that the names do not.
        let Self { names, json: _, states: _ } = self;
        to.add(names);
    }
}

impl Digest for UserList {
    fn digest(&self, to: &mut Digester) {
        let Self { pieces } = self;
        to.add(pieces);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(pieces: &[Bytes]) -> String {
        String::from_utf8(pieces.concat()).unwrap()
    }

    fn plain<'a>(names: impl Iterator<Item = &'a String>) -> String {
        names.map(|name| format!(", {name}")).collect()
    }

    #[test]
    fn a_welcome_takes_pieces_and_not_names() {
        let mut list = UserList::default();
        for number in 0..10_000 {
            list.push(MemberId(number), format!("{number}").into());
        }
        let first = list.pieces();
        assert_eq!(first.len(), 10_000_usize.div_ceil(PIECE));
        list.push(MemberId(10_000), "new".into());
        list.remove(MemberId(7));
        let second = list.pieces();
        let same = |(one, other): (&Bytes, &Bytes)| one.as_ptr() == other.as_ptr();
        let shared = first.iter().zip(&second).filter(|pair| same(*pair)).count();
        assert_eq!(shared, first.len() - 2, "only those with a change are written again");
        // Those who stay of many are in few pieces.
        for number in (0..10_000).filter(|number| number % 100 != 0) {
            list.remove(MemberId(number));
        }
        assert!(list.pieces().len() <= 10, "{}", list.pieces().len());
    }

    proptest! {
        #[test]
        fn equals_a_plain_list(steps in prop::collection::vec((0_u8..8, any::<prop::sample::Index>()), 0..400)) {
            let (mut list, mut model) = (UserList::default(), BTreeMap::new());
            for (number, (step, which)) in steps.into_iter().enumerate() {
                let one = (!model.is_empty())
                    .then(|| model.keys().nth(which.index(model.len())).copied()).flatten();
                match (step, one) {
                    (0..=4, _) | (_, None) => {
                        let id = MemberId(number as u64);
                        list.push(id, format!("u{number}").into());
                        model.insert(id, format!("u{number}"));
                    }
                    (5, Some(id)) => {
                        list.rename(id, format!("r{number}").into());
                        model.insert(id, format!("r{number}"));
                    }
                    (_, Some(id)) => {
                        list.remove(id);
                        model.remove(&id);
                    }
                }
                prop_assert_eq!(text(&list.pieces()), plain(model.values()));
            }
        }
    }
}
