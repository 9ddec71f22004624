//! What one reader of the history takes in memory beside what is shared.

use super::*;
use crate::room::cut::PIECE_BYTES;

#[test]
fn the_memory_of_one_reader_alone_is_known() {
    let mut history = History::new(Keep::default());
    for number in 0..10_000 {
        let source = name(if number % 2 == 0 { "eve" } else { "ann" });
        let json = Bytes::from_static(b"1");
        let filing = Filing::default();
        let record =
            Record { source, destination: Destination::All, json, arrived: 7, filing, meta: None };
        history.push_public(number + 1, &record);
    }
    let own = |after, hidden: &[&str], view| {
        let hidden = hidden.iter().map(|text| name(text)).collect();
        let mut writer = history.cut(&reader("ann"), after).begin(view);
        while writer.step(&hidden) {}
        let pieces = writer.own_bytes();
        let Written { messages, ids, times, .. } = writer.finish();
        let beside = [ids, times].into_iter().flatten().flatten();
        (pieces, messages.concat().len() + beside.map(|piece| piece.len()).sum::<usize>())
    };
    let pieces = 3 * PIECE_BYTES;
    let ids = view("ids/1");
    let with_meta = own(0, &[], view("ids/1 meta/1"));
    assert_eq!(with_meta, own(0, &[], ids), "nothing goes with any of them");
    let (shared, _) = own(0, &[], ids);
    // It is one segment, which those who join before the next message share.
    assert!(shared <= pieces, "{shared}");
    let (part, _) = own(5_000, &[], ids);
    assert!(part > (4 + 3) * 5_000, "numbers and times are written for this reader: {part}");
    let (copied, size) = own(0, &["eve"], ids);
    assert!((size..=size + 2 * pieces).contains(&copied), "{copied} of {size}");
}

/// A history of so many messages; with each goes so much.
fn with_meta(keep: Keep, messages: u64, mentions: usize) -> History {
    let mut history = History::new(keep);
    let names: Vec<_> = (0..mentions).map(|number| format!("{number:0>100}")).collect();
    let meta = crate::RecordMeta::new(Some(1), &names, None, None);
    for number in 0..messages {
        let record = Record {
            source: name(if number % 2 == 0 { "eve" } else { "ann" }),
            destination: Destination::All,
            json: Bytes::from_static(b"1"),
            arrived: 7,
            filing: Filing::default(),
            meta: meta.clone(),
        };
        history.push_public(number + 1, &record);
    }
    history
}

#[test]
fn what_goes_with_messages_is_written_once_for_all_readers_of_a_segment() {
    let history = with_meta(Keep::default(), 1000, 0);
    let own = |after, hidden: &[&str]| {
        let hidden = hidden.iter().map(|text| name(text)).collect();
        let mut writer = history.cut(&reader("zoe"), after).begin(view("ids/1 meta/1"));
        while writer.step(&hidden) {}
        (writer.own_bytes(), writer.finish().meta.unwrap())
    };
    let (bytes, first) = own(0, &[]);
    assert!(bytes <= 8 * PIECE_BYTES, "{bytes}");
    let (_, second) = own(0, &[]);
    let places = |pieces: &[Bytes]| pieces.iter().map(|piece| piece.as_ptr()).collect::<Vec<_>>();
    assert_eq!(places(&first), places(&second));
    for (after, hidden) in [(500, &[][..]), (0, &["eve"])] {
        let (bytes, part) = own(after, hidden);
        assert_eq!(part.len(), 1, "one piece");
        let size = part.concat().len();
        assert_eq!(part.concat(), vec![r#"{"REPLY": 1}"#; 500].join(", ").into_bytes());
        assert!(bytes > size, "{bytes}, of which {size} are META");
    }
}

#[test]
fn what_went_with_dropped_messages_counts_while_a_welcome_holds_it() {
    let keep = Keep { messages: 1000, ..Keep::default() };
    let mut history = with_meta(keep, 1000, 10);
    let cut = history.cut(&reader("zoe"), 0);
    for _ in 0..2000 {
        add(&mut history, None, "x");
    }
    // Each had ten names of 100 letters beside its text.
    let pinned = history.pinned();
    assert!(pinned > 500 * 1000, "{pinned}");
    drop(cut);
    history.forget_unpinned();
    assert_eq!(history.pinned(), 0);
}

#[test]
fn a_short_welcome_holds_as_much_as_is_asked_for_and_not_the_history() {
    let mut history = History::new(Keep::default());
    for number in 0..100_000_u64 {
        let to = (number % 100 == 0).then_some("ann");
        add(&mut history, to, &format!("{number} {}", "x".repeat(60)));
    }
    assert!(history.sealed.len() > 100);
    let of = |newest, hides: &str| {
        let hidden: HashSet<_> =
            [hides].iter().filter(|text| !text.is_empty()).map(|t| name(t)).collect();
        let cut = history.cut_newest(&reader("ann"), newest, !hidden.is_empty());
        let held = cut.own_bytes();
        let mut writer = cut.begin(view("ids/1 utf8/1"));
        while writer.step(&hidden) {}
        let own = writer.own_bytes();
        let Written { messages, more, .. } = writer.finish();
        (held, own, messages.concat().len(), more)
    };
    let (held, own, bytes, more) = of(100, "");
    // One segment, or two, and a private message.
    assert!(held < 2048 && own < 4096, "{held} {own}");
    assert!((100 * 60..100 * 80).contains(&bytes) && more == Some(true), "{bytes}");
    // Who hides somebody looks at more, and holds no more.
    let (_, own, hidden_bytes, _) = of(100, "eve");
    assert!(own < 4096 && hidden_bytes == bytes, "{own}");
    assert_eq!(of(0, ""), (of(0, "").0, of(0, "").1, 0, Some(true)));
    assert_eq!(of(1000, "a"), (of(1000, "a").0, 0, 0, Some(false)), "all are hidden");
}
