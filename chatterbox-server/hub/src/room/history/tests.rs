//! The history against a plain list.

use std::collections::HashSet;

use chatterbox_proto::capability::utf8;
use chatterbox_proto::session::Destination;
use proptest::prelude::*;

use super::*;
use crate::encode::view::View;
use crate::filing::{Filing, Sender};
use crate::room::cut::Written;

mod memory;
mod unread;

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn guest(text: &str) -> Party {
    Party::Guest(name(text))
}

/// How somebody is told who agreed to these.
fn view(agreed: &str) -> View {
    View::of(chatterbox_proto::Capabilities::parse_offer(agreed).unwrap())
}

fn reader(text: &str) -> Reader {
    vec![guest(text)].into()
}

fn read(history: &History, user: &str) -> Vec<String> {
    let json = [b"[".to_vec(), for_user(history, &[guest(user)]).concat(), b"]".to_vec()].concat();
    serde_json::from_slice(&json).unwrap()
}

fn for_user(history: &History, parties: &[Party]) -> Vec<Bytes> {
    history.cut(&parties.to_vec().into(), 0).write(&HashSet::new(), View::BASE).messages
}

fn add(history: &mut History, to: Option<&str>, text: &str) {
    add_arrived(history, to, text, 7);
}

fn add_arrived(history: &mut History, to: Option<&str>, text: &str, arrived: i64) {
    let json = serde_json::to_vec(text).unwrap().into();
    let record = Record {
        source: name("a"),
        destination: Destination::All,
        json,
        arrived,
        filing: Filing::default(),
        meta: None,
    };
    match to {
        None => history.push_public(history.newest() + 1, &record),
        Some(user) => history.push_private(history.newest() + 1, &guest(user), &record),
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
fn nothing_is_missing_in_front_of_the_first_number() {
    let reaches = |history: &History, after| history.reaches(&reader("ann"), after);
    let said = |history: &mut History, id| {
        let record = Record {
            source: name("a"),
            destination: Destination::All,
            json: "[]".into(),
            arrived: 7,
            filing: Filing::default(),
            meta: None,
        };
        history.push_public(id, &record);
        history.push_private(id + 1024, &guest("ann"), &record);
    };
    let mut history = History::new(Keep::default());
    said(&mut history, 4096);
    assert!(reaches(&history, 0) && history.newest() == 5120);
    // A gap belongs to what is in front of it.
    let after = |id| {
        let cut = history.cut(&reader("ann"), id).write(&HashSet::new(), View::BASE);
        String::from_utf8(cut.messages.concat()).unwrap().matches("[]").count()
    };
    assert_eq!([4095, 4096, 4097, 5119, 5120].map(after), [2, 1, 1, 1, 0]);
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
        (read(&history, "a").len(), history.public.messages + history.mailboxes.held().messages),
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
    assert!(kept.len() <= 1 + 1000 / 16 && history.mailboxes.held().messages < 300);
}

#[test]
fn a_long_message_is_shared_and_not_copied() {
    let mut history = History::new(Keep::default());
    add(&mut history, None, &"x".repeat(1 << 20));
    let places: Vec<_> = (0..2).map(|_| for_user(&history, &[guest("a")])[0].as_ptr()).collect();
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
            filing: Filing::default(),
            meta: None,
        };
        history.push_public(history.newest() + 1, &record);
    };
    for _ in 0..10_000 {
        say(&mut history, "eve");
        say(&mut history, "ann");
    }
    let cut = history.cut(&reader("ann"), 0);
    let Written { messages, ids, .. } = cut.write(&HashSet::from([name("eve")]), view("ids/1"));
    let segments = history.sealed.len() + 1;
    // A piece for each message would be 10,000 of 3 bytes.
    assert!(messages.len() <= segments && ids.unwrap().len() <= segments, "{}", messages.len());
    assert_eq!(messages.concat().len(), 10_000 * 3 - 2);
    for _ in 0..10 {
        say(&mut history, "ann");
    }
    let cut = history.cut(&reader("ann"), 20_000);
    let whole = cut.write(&HashSet::from([name("eve")]), View::BASE).messages;
    assert_eq!(whole.len(), 1, "messages in a row are one piece");
}

#[test]
fn a_bound_of_zero_keeps_nothing() {
    let mut history = History::new(Keep { messages: 0, bytes: 0 });
    add(&mut history, None, "x");
    add(&mut history, Some("a"), "y");
    assert_eq!(
        (read(&history, "a").len(), history.public.messages + history.mailboxes.held().messages),
        (0, 0)
    );
    assert!(history.mailboxes.is_empty() && history.public.bytes == 0);
}

/// A sender, and the network that it comes from.
fn sender(number: i64, origin: i64) -> Sender {
    Sender { number, origin: Some(origin) }
}

fn add_by(history: &mut History, by: Sender, to: Option<&Party>, text: &str) {
    let json = serde_json::to_vec(text).unwrap().into();
    let filing = Filing { sender: by, ..Filing::default() };
    let (source, destination) = (name("a"), Destination::All);
    let record = Record { source, destination, json, arrived: 7, filing, meta: None };
    match to {
        None => history.push_public(history.newest() + 1, &record),
        Some(to) => history.push_private(history.newest() + 1, to, &record),
    }
}

const KEEP: Keep = Keep { messages: 20_000, bytes: 4 << 20 };

fn is_honest(text: &str) -> bool {
    text.starts_with("honest")
}

#[test]
fn f3_one_sender_takes_a_tenth_of_what_is_public() {
    for text in ["f".repeat(20_000), "f".to_owned()] {
        let mut history = History::new(KEEP);
        for number in 0..50_000_i64 {
            if number % 500 == 0 {
                add_by(&mut history, sender(1 + number % 5, 1), None, &format!("honest {number}"));
            }
            if text.len() == 1 || number % 20 == 0 {
                add_by(&mut history, sender(9, 9), None, &text);
            }
            assert!(!KEEP.part(10).is_exceeded_by(history.shares.held_by(9)));
        }
        let all = read(&history, "x");
        assert_eq!(all.iter().filter(|text| is_honest(text)).count(), 100);
        let flood = history.shares.held_by(9);
        let part = KEEP.part(10);
        // Not much less either: a segment goes at once.
        assert!(flood.messages * 2 > part.messages || flood.bytes * 2 > part.bytes, "{flood:?}");
        assert_eq!(all.len() as u64, history.public.messages);
        assert_eq!(all.len() as u64, 100 + flood.messages);
        // What is left of a segment joins the one before it: a welcome is few pieces.
        assert!(history.sealed.len() < 40, "{}", history.sealed.len());
    }
}

#[test]
fn f3_one_network_takes_a_half_under_whatever_names() {
    let mut history = History::new(KEEP);
    for number in 0..50 {
        // One who is in the network of the flood, and one who is not.
        add_by(
            &mut history,
            sender(-2 - number % 2, number % 2),
            None,
            &format!("honest {number}"),
        );
    }
    for name in 0..60 {
        for _ in 0..500 {
            add_by(&mut history, sender(-10 - name, 1), None, "flood");
        }
    }
    let all = read(&history, "x");
    assert!(all.iter().filter(|text| is_honest(text)).count() == 50);
    assert!(all.len() as u64 <= KEEP.messages / 2 + 50, "{}", all.len());
    assert!(all.len() as u64 >= KEEP.messages / 4, "{}", all.len());
}

#[test]
fn many_names_of_a_network_are_cut_together() {
    let mut history = History::new(KEEP);
    let mut cuts = 0;
    for round in 0..200 {
        if round % 20 == 0 {
            add_by(&mut history, sender(-1, 1), None, &format!("honest {round}"));
        }
        for name in 0..150 {
            let before = history.public_forgotten;
            add_by(&mut history, sender(-10 - name, 1), None, "flood");
            cuts += usize::from(history.public_forgotten != before);
        }
    }
    // With the names in turn, each message of a full network would have a segment written anew.
    assert!((10..100).contains(&cuts), "{cuts}");
    assert!(history.public.messages <= KEEP.messages / 2 + 10, "{}", history.public.messages);
    assert_eq!(read(&history, "x").iter().filter(|text| is_honest(text)).count(), 10);
}

#[test]
fn f8_private_talk_of_others_takes_no_message_that_waits() {
    let mut history = History::new(KEEP);
    for number in 0..20 {
        add_by(&mut history, sender(1, 1), Some(&guest("bob")), &format!("honest {number}"));
    }
    // With oneself and one's friends, from one place and from a hundred, and into the mailbox itself.
    for (number, text) in (0..10_000).map(|number| (number, "f".repeat(number % 300))) {
        let by = number as i64;
        add_by(&mut history, sender(9, 9), Some(&guest("eve")), &text);
        let friend = format!("f{}", number % 60);
        add_by(&mut history, sender(10 + by % 60, by % 100), Some(&guest(&friend)), &text);
        add_by(&mut history, sender(9, 9), Some(&guest("bob")), &text);
    }
    let kept = read(&history, "bob");
    assert_eq!(kept.iter().filter(|text| is_honest(text)).count(), 20);
    assert!(!KEEP.of_private().is_exceeded_by(history.mailboxes.held()));
}

#[test]
fn f11_what_was_said_to_an_account_is_for_no_other() {
    let mut history = History::new(Keep::default());
    let (old, new) = (Party::Account(7), Party::Account(8));
    add_by(&mut history, sender(1, 1), Some(&old), "for 7");
    add_by(&mut history, sender(1, 1), Some(&guest("ann")), "for whoever is ann");
    let read = |history: &History, account: &Party| {
        let parties = [guest("ann"), account.clone()];
        let json = [b"[".to_vec(), for_user(history, &parties).concat(), b"]".to_vec()].concat();
        serde_json::from_slice::<Vec<String>>(&json).unwrap()
    };
    assert_eq!(read(&history, &old), ["for 7", "for whoever is ann"]);
    assert_eq!(read(&history, &new), ["for whoever is ann"]);
    history.forget_account(7);
    assert_eq!(read(&history, &old), ["for whoever is ann"]);
    assert!(
        !history.reaches(&vec![guest("ann"), old].into(), 0)
            && history.mailboxes.held().messages == 1
    );
}

/// When a message was taken. The clock jumps now and then, by more than a distance in a segment can be.
fn time_of(id: Sequence) -> i64 {
    let time = 1_700_000_000 + i64::try_from(id).unwrap();
    match id {
        17 => i64::MIN,
        29 => i64::MAX,
        _ if id.is_multiple_of(11) => -time,
        _ => time,
    }
}

proptest! {
    #[test]
    fn shares_leave_a_subsequence_without_loss_to_who_says_little(
        said in prop::collection::vec((1_i64..5, 1_usize..3000), 0..400),
    ) {
        let keep = Keep { messages: 100_000, bytes: 200_000 };
        let mut history = History::new(keep);
        let mut plain = Vec::new();
        for (number, (by, size)) in said.into_iter().enumerate() {
            // The fourth says little.
            let size = if by == 4 { 1 } else { size };
            let text = format!("{by} {number} {}", "x".repeat(size));
            add_by(&mut history, sender(by, by), None, &text);
            plain.push((by, text));
            let share = history.shares.held_by(by);
            prop_assert!(share.bytes <= 64 * 1024 || share.messages == 1);
        }
        let kept = read(&history, "x");
        let mut rest = plain.iter();
        prop_assert!(kept.iter().all(|text| rest.any(|(_, said)| said == text)), "the order stays");
        for by in 1..5 {
            let of = |text: &str| text.starts_with(&by.to_string());
            let said: Vec<_> = plain.iter().filter(|(by_whom, _)| *by_whom == by).collect();
            let kept: Vec<_> = kept.iter().filter(|text| of(text)).collect();
            let newest = said.iter().rev().zip(kept.iter().rev()).all(|(a, b)| a.1 == **b);
            prop_assert!(newest, "what goes is the oldest");
            let held = history.shares.held_by(by);
            prop_assert_eq!(held.messages, kept.len() as u64);
            prop_assert_eq!(held.bytes, kept.iter().map(|text| text.len() as u64 + 4).sum::<u64>());
        }
        let all: u64 = (1..5).map(|by| history.shares.held_by(by).messages).sum();
        prop_assert_eq!((all, kept.len() as u64), (history.public.messages, history.public.messages));
    }

    #[test]
    fn hidden_sources_are_left_out_and_then_the_oldest(
        said in prop::collection::vec(
            ("[abc]", prop::option::of("[ab]"), prop_oneof![0_usize..9, 0_usize..9_000], prop::option::weighted(0.3, "[aé]{1,5}")),
            0..60,
        ),
        hidden in prop::collection::hash_set("[abc]", 0..3),
        after in 0_u64..60,
        newest in prop::option::of(0_u16..40),
    ) {
        let after = if newest.is_some() { 0 } else { after };
        let mut history = History::new(Keep::default());
        let mut expected = Vec::new();
        let hidden: HashSet<_> = hidden.iter().map(|text| name(text)).collect();
        for (id, (source, to, size, mention)) in (1..).zip(said) {
            let text = format!("{id}ö{}", if id % 2 == 0 { "x" } else { "é" }.repeat(size));
            let json = chatterbox_proto::json::string(&text);
            let (source, destination) = (name(&source), Destination::All);
            let shown = id > after && !hidden.contains(&source);
            let arrived = time_of(id);
            let meta = mention.as_ref().and_then(|name| RecordMeta::new(Some(id), std::slice::from_ref(name), None, None));
            let record = Record { source, destination, json, arrived, filing: Filing::default(), meta };
            match &to {
                None => history.push_public(id, &record),
                Some(to) => history.push_private(id, &guest(to), &record),
            }
            if shown && to.is_none_or(|to| to == "a") {
                expected.push((id, arrived, text, mention));
            }
        }
        let cut = match newest {
            None => history.cut(&reader("a"), after),
            Some(newest) => history.cut_newest(&reader("a"), newest, !hidden.is_empty()),
        };
        let beyond = newest.map_or(0, |newest| expected.len().saturating_sub(newest.into()));
        let expected = expected.split_off(beyond);
        let view = view("ids/1 meta/1 utf8/1");
        let most = cut.size(view);
        // What is said meanwhile is not in it.
        add(&mut history, None, "meanwhile");
        let Written { messages, ids, times, meta, meta_saved, more, unescaped, .. } = cut.write(&hidden, view);
        prop_assert_eq!(more, newest.map(|_| beyond > 0));
        prop_assert_eq!(unescaped, Some(utf8::unescaped_len(&messages.concat())));
        let (ids, times) = (ids.unwrap(), times.unwrap());
        let anything = expected.iter().any(|(.., mention)| mention.is_some());
        prop_assert_eq!(meta.is_some(), anything, "a list of nothing is not written");
        let meta = meta.unwrap_or_default();
        prop_assert_eq!(meta_saved, meta.concat().len() - utf8::unescaped_len(&meta.concat()));
        let lists = [&messages, &ids, &times, &meta].into_iter().flatten();
        prop_assert!(lists.map(Bytes::len).sum::<usize>() <= most);
        let list = |pieces: Vec<Bytes>| [b"[", &pieces.concat()[..], b"]"].concat();
        let messages: Vec<String> = serde_json::from_slice(&list(messages)).unwrap();
        let ids: Vec<Sequence> = serde_json::from_slice(&list(ids)).unwrap();
        let times: Vec<i64> = serde_json::from_slice(&list(times)).unwrap();
        prop_assert!(ids.len() == messages.len() && times.len() == messages.len());
        let mut metas: Vec<serde_json::Value> = serde_json::from_slice(&list(meta)).unwrap();
        prop_assert!(metas.len() == messages.len() || !anything);
        metas.resize(messages.len(), serde_json::Value::Null);
        let mention = |meta: &serde_json::Value| Some(meta["MENTIONS"][0].as_str()?.to_owned());
        prop_assert!(metas.iter().zip(&ids).all(|(meta, id)| meta.is_null() || meta["REPLY"] == *id));
        let all = ids.into_iter().zip(times).zip(messages).zip(metas);
        let all = all.map(|(((id, time), text), meta)| (id, time, text, mention(&meta)));
        prop_assert_eq!(all.collect::<Vec<_>>(), expected);
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
            prop_assert!(!keep.of_private().is_exceeded_by(history.mailboxes.held()));
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
