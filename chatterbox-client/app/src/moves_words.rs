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
    push(&mut words, joined, " joined");
    if both {
        words.push("; ".into());
    }
    push(&mut words, left, " left");
    words.into_iter().map(|words| Span { role: Role::Quiet, words }).collect()
}

fn push(words: &mut Vec<Words>, names: Vec<Wire>, what: &str) {
    let count = names.len();
    if count == 0 {
        return;
    }
    let named = if count > ALL_NAMED { NAMED } else { count };
    for (place, name) in names.into_iter().take(named).enumerate() {
        if place > 0 {
            words.push(if place + 1 == count { " and ".into() } else { ", ".into() });
        }
        words.push(name.into());
    }
    if count > named {
        words.push(format!(" and {} others", count - named).into());
    }
    words.push(what.into());
}
