//! The history against a plain list.

use std::collections::HashSet;

use chatterbox_proto::session::Destination;
use proptest::prelude::*;

use super::*;
use crate::room::cut::{PIECE_BYTES, Written};

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn read(history: &History, user: &str) -> Vec<String> {
    let json = [b"[".to_vec(), for_user(history, user).concat(), b"]".to_vec()].concat();
    serde_json::from_slice(&json).unwrap()
}

fn for_user(history: &History, user: &str) -> Vec<Bytes> {
    history.cut(&name(user), 0).write(&HashSet::new(), false).messages
}

fn add(history: &mut History, to: Option<&str>, text: &str) {
    add_arrived(history, to, text, 7);
}

fn add_arrived(history: &mut History, to: Option<&str>, text: &str, arrived: i64) {
    let json = serde_json::to_vec(text).unwrap().into();
    let record = Record { source: name("a"), destination: Destination::All, json, arrived };
    match to {
        None => history.push_public(history.newest() + 1, &record),
        Some(user) => history.push_private(history.newest() + 1, &name(user), &record),
    }
}

#[test]
fn private_messages_stand_where_they_were_said() {
    let mut history = History::new(Keep::default());
    for (to, text) in [
        (Some("a"), "1"),
        (None, "2"),
        (Some("a"), "3"),
        (Some("b"), "4"),
        (Some("a"), "5"),
        (None, "6"),
        (Some("b"), "7"),
    ] {
        add(&mut history, to, text);
    }
    assert_eq!(read(&history, "a"), ["1", "2", "3", "5", "6"]);
    assert_eq!(read(&history, "B"), ["2", "4", "6", "7"]);
    assert_eq!(read(&history, "c"), ["2", "6"]);
    assert_eq!(read(&History::new(Keep::default()), "c"), [""; 0]);
}

#[test]
fn what_is_too_old_is_forgotten() {
    let mut history = History::new(Keep::default());
    for arrived in 1..=6 {
        add_arrived(&mut history, None, &format!("all {arrived}"), arrived);
        add_arrived(&mut history, Some("a"), &format!("a {arrived}"), arrived);
        if arrived == 3 {
            history.seal();
        }
    }
    history.expire(3);
    let all = read(&history, "a");
    assert_eq!(all.len(), 10, "the segment is not old as a whole: {all:?}");
    assert!(!all.contains(&"a 2".to_owned()) && all.contains(&"a 3".to_owned()));
    history.expire(5);
    assert_eq!(read(&history, "a"), ["all 4", "all 5", "a 5", "all 6", "a 6"]);
    history.expire(7);
    assert_eq!(
        (read(&history, "a").len(), history.public.messages + history.private.messages),
        (0, 0)
    );
}

#[test]
fn talking_to_oneself_pushes_out_nothing_of_others() {
    let mut history = History::new(Keep { messages: 1000, bytes: 100_000 });
    add(&mut history, None, "for all");
    add(&mut history, Some("b"), "for b");
    for number in 0..10_000 {
        add(&mut history, Some("a"), &format!("{number}"));
    }
    assert_eq!(read(&history, "b"), ["for all", "for b"]);
    let kept = read(&history, "a");
    assert_eq!(kept.last().map(String::as_str), Some("9999"));
    assert!(kept.len() <= 1 + 1000 / 16 && history.private_order.len() < 300);
}

#[test]
fn a_long_message_is_shared_and_not_copied() {
    let mut history = History::new(Keep::default());
    add(&mut history, None, &"x".repeat(1 << 20));
    let places: Vec<_> = (0..2).map(|_| for_user(&history, "a")[0].as_ptr()).collect();
    assert_eq!(places[0], places[1]);
}

#[test]
fn what_is_left_takes_no_more_memory_than_it_is_long() {
    let mut history = History::new(Keep::default());
    let say = |history: &mut History, source: &str| {
        let record = Record {
            source: name(source),
            destination: Destination::All,
            json: Bytes::from_static(b"1"),
            arrived: 7,
        };
        history.push_public(history.newest() + 1, &record);
    };
    for _ in 0..10_000 {
        say(&mut history, "eve");
        say(&mut history, "ann");
    }
    let cut = history.cut(&name("ann"), 0);
    let Written { messages, ids, .. } = cut.write(&HashSet::from([name("eve")]), true);
    let segments = history.sealed.len() + 1;
    // A piece for each message would be 10,000 of 3 bytes.
    assert!(messages.len() <= segments && ids.unwrap().len() <= segments, "{}", messages.len());
    assert_eq!(messages.concat().len(), 10_000 * 3 - 2);
    for _ in 0..10 {
        say(&mut history, "ann");
    }
    let cut = history.cut(&name("ann"), 20_000);
    let whole = cut.write(&HashSet::from([name("eve")]), false).messages;
    assert_eq!(whole.len(), 1, "messages in a row are one piece");
}

#[test]
fn the_memory_of_one_reader_alone_is_known() {
    let mut history = History::new(Keep::default());
    for number in 0..10_000 {
        let source = name(if number % 2 == 0 { "eve" } else { "ann" });
        let json = Bytes::from_static(b"1");
        let record = Record { source, destination: Destination::All, json, arrived: 7 };
        history.push_public(number + 1, &record);
    }
    let own = |after, hidden: &[&str], ids| {
        let hidden = hidden.iter().map(|text| name(text)).collect();
        let mut writer = history.cut(&name("ann"), after).begin(ids);
        while writer.step(&hidden) {}
        let pieces = writer.own_bytes();
        let Written { messages, ids, .. } = writer.finish();
        (pieces, messages.concat().len() + ids.map_or(0, |ids| ids.concat().len()))
    };
    let pieces = 2 * PIECE_BYTES;
    let (shared, _) = own(0, &[], true);
    // It is one segment, which is not sealed.
    assert!(shared <= 30_000 + pieces, "{shared}");
    let (part, _) = own(5_000, &[], true);
    assert!(part > 30_000 + 4 * 5_000, "the numbers are written for this reader: {part}");
    let (copied, size) = own(0, &["eve"], true);
    assert!((size..=30_000 + size + 2 * pieces).contains(&copied), "{copied} of {size}");
}

#[test]
fn a_bound_of_zero_keeps_nothing() {
    let mut history = History::new(Keep { messages: 0, bytes: 0 });
    add(&mut history, None, "x");
    add(&mut history, Some("a"), "y");
    assert_eq!(
        (read(&history, "a").len(), history.public.messages + history.private.messages),
        (0, 0)
    );
    assert!(history.mailboxes.is_empty() && history.public.bytes + history.private.bytes == 0);
}

proptest! {
    #[test]
    fn hidden_sources_are_left_out(
        said in prop::collection::vec(("[abc]", prop::option::of("[ab]"), prop_oneof![0_usize..9, 0_usize..9_000]), 0..60),
        hidden in prop::collection::hash_set("[abc]", 0..3),
        after in 0_u64..60,
    ) {
        let mut history = History::new(Keep::default());
        let mut expected = Vec::new();
        let hidden: HashSet<_> = hidden.iter().map(|text| name(text)).collect();
        for (id, (source, to, size)) in (1..).zip(said) {
            let text = format!("{id}{}", "x".repeat(size));
            let json = serde_json::to_vec(&text).unwrap().into();
            let (source, destination) = (name(&source), Destination::All);
            let shown = id > after && !hidden.contains(&source);
            let record = Record { source, destination, json, arrived: 7 };
            match &to {
                None => history.push_public(id, &record),
                Some(to) => history.push_private(id, &name(to), &record),
            }
            if shown && to.is_none_or(|to| to == "a") {
                expected.push((id, text));
            }
        }
        let user = name("a");
        let cut = history.cut(&user, after);
        let most = cut.size(true);
        // What is said meanwhile is not in it.
        add(&mut history, None, "meanwhile");
        let Written { messages, ids, .. } = cut.write(&hidden, true);
        let ids = ids.unwrap();
        prop_assert!([&messages, &ids].into_iter().flatten().map(Bytes::len).sum::<usize>() <= most);
        let list = |pieces: Vec<Bytes>| [b"[", &pieces.concat()[..], b"]"].concat();
        let messages: Vec<String> = serde_json::from_slice(&list(messages)).unwrap();
        let ids: Vec<Sequence> = serde_json::from_slice(&list(ids)).unwrap();
        prop_assert_eq!(ids.into_iter().zip(messages).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn equals_a_plain_list(
        said in prop::collection::vec((prop::option::of("[ab]"), 1_usize..30_000), 0..40),
    ) {
        let mut history = History::new(Keep::default());
        let mut plain = Vec::new();
        for (number, (to, size)) in said.into_iter().enumerate() {
            let text = format!("{number}{}", "x".repeat(size));
            add(&mut history, to.as_deref(), &text);
            plain.push((to, text));
        }
        for user in ["a", "b", "c"] {
            let expected: Vec<_> = plain
                .iter()
                .filter(|(to, _)| to.as_deref().is_none_or(|to| to == user))
                .map(|(_, text)| text.clone())
                .collect();
            prop_assert_eq!(read(&history, user), expected);
        }
    }

    #[test]
    fn a_bounded_history_is_the_newest_part(
        said in prop::collection::vec((prop::option::of("[ab]"), 1_usize..3000), 0..150),
        keep in (0_u64..100, 0_u64..200_000),
    ) {
        let keep = Keep { messages: keep.0, bytes: keep.1 };
        let mut history = History::new(keep);
        let (mut public, mut private) = (Vec::new(), Vec::new());
        for (number, (to, size)) in said.into_iter().enumerate() {
            let text = format!("{number}{}", "x".repeat(size));
            add(&mut history, to.as_deref(), &text);
            match to.as_deref() {
                None => public.push(text),
                Some("a") => private.push(text),
                Some(_) => {}
            }
            prop_assert!(!keep.is_exceeded_by(history.public));
            prop_assert!(!keep.part(PRIVATE_PART).is_exceeded_by(history.private));
        }
        let kept = read(&history, "a");
        let (kept_public, kept_private): (Vec<_>, Vec<_>) =
            kept.into_iter().partition(|text| public.contains(text));
        prop_assert!(public.ends_with(&kept_public) && private.ends_with(&kept_private));
        // Not much less than it could be: a part of the bound, and one message.
        let part = keep.part(SEGMENT_PART);
        let full = history.public.messages + part.messages + 1 >= keep.messages
            || history.public.bytes + part.bytes + 6_100 >= keep.bytes;
        prop_assert!(full || kept_public.len() == public.len(), "{} of {}", kept_public.len(), public.len());
    }
}
