//! The words about several users who come and go at about the same time.

use crate::output::Wire;
use crate::words::{Role, Span, Words};

/// So many users are all named.
const ALL_NAMED: usize = 4;

/// Of more users so many are named.
const NAMED: usize = 2;

/// `* #lab: bob, cyd and 5 others joined; eve left`.
pub(crate) fn moves(room: Option<Wire>, joined: Vec<Wire>, left: Vec<Wire>) -> Vec<Span> {
    let mut words: Vec<Words> = vec!["* ".into()];
    if let Some(room) = room {
        words.extend([room.into(), ": ".into()]);
    }
    let both = !joined.is_empty() && !left.is_empty();
    let words_of = |names: Vec<Wire>| names.into_iter().map(Words::from).collect::<Vec<_>>();
    let (came, went) = (joined.len(), left.len());
    push(&mut words, words_of(joined), came, " joined");
    if both {
        words.push("; ".into());
    }
    push(&mut words, words_of(left), went, " left");
    words.into_iter().map(|words| Span { role: Role::Quiet, words }).collect()
}

/// The words about `count` users, of whom at least the first are there by name.
pub(crate) fn push<W>(words: &mut Vec<W>, names: Vec<W>, count: usize, what: &'static str)
where
    W: From<&'static str> + From<String>,
{
    if names.is_empty() {
        return;
    }
    let named = if count > ALL_NAMED { NAMED.min(names.len()) } else { names.len() };
    for (place, name) in names.into_iter().take(named).enumerate() {
        if place > 0 {
            words.push(W::from(if place + 1 == count { " and " } else { ", " }));
        }
        words.push(name);
    }
    if count > named {
        words.push(W::from(format!(" and {} others", count - named)));
    }
    words.push(W::from(what));
}
