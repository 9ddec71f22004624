//! The composer as a user meets it: tables, and any sequence of edits.

use std::time::Duration;

use proptest::prelude::*;
use unicode_segmentation::UnicodeSegmentation as _;

use super::*;

const CODER: &str = "👩\u{200d}💻";

/// A composer with this text; the cursor is where the bar is.
fn at(text: &str) -> Composer {
    let mut composer = Composer::default();
    let (before, behind) = text.split_once('|').unwrap_or((text, ""));
    composer.set(behind);
    let behind = composer.text().len();
    composer.replace(0, 0, before);
    assert_eq!(composer.cursor(), composer.text().len() - behind);
    composer
}

fn seen(composer: &Composer) -> String {
    let (before, behind) = composer.text().split_at(composer.cursor());
    format!("{before}|{behind}")
}

#[test]
fn every_edit_does_what_it_says() {
    use Edit::*;
    for (text, edits, result) in [
        ("hello|", &[Left, Left][..], "hel|lo"),
        ("|hello", &[Left, Right], "h|ello"),
        ("see you|", &[WordLeft], "see |you"),
        ("see you|", &[WordLeft, WordLeft], "|see you"),
        ("|see you", &[WordRight], "see |you"),
        ("one\ntwo| three\nfour", &[Home], "one\n|two three\nfour"),
        ("one\ntwo| three\nfour", &[End], "one\ntwo three|\nfour"),
        ("one\ntwo| three\nfour", &[KillToEnd], "one\ntwo|\nfour"),
        ("one\ntwo| three\nfour", &[KillToEnd, KillToEnd], "one\ntwo|four"),
        ("one\ntwo| three\nfour", &[KillToStart], "one\n| three\nfour"),
        ("one\ntwo| three\nfour", &[KillToStart, KillToStart], "one| three\nfour"),
        ("|", &[KillToStart, KillToEnd, WordBackspace, WordDelete, Backspace, Delete, Yank], "|"),
        // What is cut in one go comes back in one, in its order.
        ("one two three|", &[WordBackspace, WordBackspace, Yank], "one two three|"),
        ("one two three|", &[WordBackspace, WordBackspace, Home, Yank], "two three|one "),
        ("|one two three", &[WordDelete, WordDelete, End, Yank], "threeone two |"),
        ("one two|", &[WordBackspace, Left, Right, WordBackspace, Yank], "one |"),
        ("one |two", &[KillToStart, KillToEnd, Yank, Yank], "one twoone two|"),
        ("one |two", &[KillToEnd, Left, Yank], "onetwo| "),
        // One character to the eye is one to the keys.
        ("a👩\u{200d}💻|", &[Backspace], "a|"),
        ("a👍🏽|b", &[Left, Delete], "a|b"),
        ("e\u{301}|", &[Backspace], "|"),
        ("🇩🇪🇫🇷|", &[Left], "🇩🇪|🇫🇷"),
        ("世|界", &[Right, Backspace], "世|"),
        // A deletion that joins two graphemes leaves no cursor inside of one.
        ("👩\u{200d}x|💻", &[Backspace], "👩\u{200d}💻|"),
    ] {
        let mut composer = at(text);
        for edit in edits {
            composer.edit(*edit);
        }
        assert_eq!(seen(&composer), result, "{text:?} {edits:?}");
    }
}

#[test]
fn the_cursor_keeps_its_cell_from_row_to_row() {
    let mut composer = at("a long row|\n世界\n\nlast row");
    for (rows, text) in [
        (1, "a long row\n世界|\n\nlast row"),
        (1, "a long row\n世界\n|\nlast row"),
        (1, "a long row\n世界\n\nlast row|"),
        (-1, "a long row\n世界\n|\nlast row"),
        (-2, "a long row|\n世界\n\nlast row"),
    ] {
        assert!(composer.move_row(rows, usize::MAX));
        assert_eq!(seen(&composer), text);
    }
    assert!(!composer.move_row(-1, usize::MAX));
    composer.edit(Edit::Home);
    composer.edit(Edit::Right);
    composer.move_row(1, usize::MAX);
    assert_eq!(
        seen(&composer),
        "a long row\n|世界\n\nlast row",
        "a cell inside of a wide character"
    );
    composer.move_row(9, usize::MAX);
    assert!(!composer.move_row(1, usize::MAX));
}

#[test]
fn one_line_end_at_the_end_of_a_paste_sends_nothing_and_is_dropped() {
    let mut composer = Composer::default();
    assert!(composer.paste("ls -l\r\n"));
    assert_eq!(composer.text(), "ls -l");
    assert_eq!(composer.enter(None), Entered::Line("ls -l".to_owned()));
    composer.paste("\u{1b}[31mred\u{7}\ta\rb\u{9b}\n\n");
    assert_eq!(composer.text(), "[31mred\ta\nb\n");
}

/// In rows of ten cells.
#[test]
fn the_cursor_goes_through_rows_as_they_are_drawn() {
    for (text, cursor, rows, expected) in [
        // "one two " / "three four" / "five"
        ("one two three four five", 23, -1, Some(12)),
        ("one two three four five", 12, -1, Some(4)),
        ("one two three four five", 4, 1, Some(12)),
        ("one two three four five", 4, -1, None),
        ("one two three four five", 21, 1, None),
        // A row without a blank: the cursor behind its last character is in the next one.
        ("0123456789abc", 10, -1, Some(0)),
        ("0123456789abc", 13, -1, Some(3)),
        ("0123456789abcdefghijk", 21, -1, Some(11)),
        // Lines and wrapped rows.
        ("one two three\nx", 15, -1, Some(9)),
        ("one two three\nx", 15, -2, Some(1)),
        ("x\none two three", 1, 1, Some(3)),
        ("x\none two three", 1, 9, Some(11)),
    ] {
        let mut composer = Composer::default();
        composer.set(text);
        while composer.cursor() > cursor {
            composer.edit(Edit::Left);
        }
        let moved = composer.move_row(rows, 10);
        let place = moved.then(|| composer.cursor());
        assert_eq!(place, expected, "{text:?} from {cursor} by {rows}");
    }
}

#[test]
fn pasted_rows_are_asked_about_once() {
    let mut composer = Composer::default();
    composer.paste("one\r\ntwo\r\n");
    assert_eq!(composer.enter(None), Entered::Ask { lines: 2, characters: 7 });
    assert!(composer.is_asked());
    assert_eq!(composer.enter(None), Entered::Text("one\ntwo".to_owned()));
    assert_eq!((composer.text(), composer.is_asked()), ("", false));

    // Any editing takes the question back.
    for take_back in [
        |composer: &mut Composer| composer.edit(Edit::Left),
        |composer: &mut Composer| assert!(composer.insert("x")),
        |composer: &mut Composer| assert!(composer.move_row(-1, usize::MAX)),
    ] {
        composer.set("");
        composer.paste("one\ntwo");
        assert!(matches!(composer.enter(None), Entered::Ask { .. }));
        take_back(&mut composer);
        assert!(!composer.is_asked());
        assert!(matches!(composer.enter(None), Entered::Ask { .. }));
    }

    // What is dropped can be put back.
    composer.clear();
    assert_eq!((composer.text(), composer.is_asked()), ("", false));
    composer.edit(Edit::Yank);
    assert_eq!(composer.text(), "one\ntwo");
}

#[test]
fn rows_go_where_their_first_row_goes() {
    // Typed rows are no paste.
    let mut composer = Composer::default();
    composer.insert("@bob one");
    composer.insert("\n");
    composer.insert("two");
    assert_eq!(composer.enter(None), Entered::Line("@bob one\ntwo".to_owned()));
    // A recipient that was typed, or pasted by itself, holds for what is pasted behind it.
    for typed in [true, false] {
        if typed {
            composer.insert("@bob ");
        } else {
            composer.paste("@bob ");
        }
        composer.paste("one\ntwo");
        assert!(matches!(composer.enter(None), Entered::Ask { lines: 2, .. }));
        assert_eq!(composer.enter(None), Entered::Line("@bob one\ntwo".to_owned()));
    }
    // A pasted program is no command, but with a command before it, it is.
    composer.paste("#include <a>\n/* b */");
    composer.enter(None);
    assert_eq!(composer.enter(None), Entered::Text("#include <a>\n/* b */".to_owned()));
    composer.paste("one\ntwo");
    composer.replace(0, 0, "@bob ");
    composer.enter(None);
    assert_eq!(composer.enter(None), Entered::Line("@bob one\ntwo".to_owned()));
    // Nothing of it is left for the next text.
    composer.paste("one\ntwo");
    composer.edit(Edit::KillToStart);
    composer.edit(Edit::KillToStart);
    composer.edit(Edit::KillToStart);
    composer.insert("a\nb");
    assert_eq!(composer.enter(None), Entered::Line("a\nb".to_owned()));
}

#[test]
fn what_is_too_long_stays() {
    let mut composer = Composer::default();
    composer.insert("hello 世");
    assert_eq!(composer.enter(Some(5)), Entered::TooLong(2));
    assert_eq!(composer.text(), "hello 世");
    assert_eq!(composer.enter(Some(7)), Entered::Line("hello 世".to_owned()));
    composer.insert("  \n ");
    assert_eq!(composer.enter(Some(1)), Entered::Nothing);
    assert_eq!(composer.text(), "");
    // And what is longer than anything is not taken in part.
    assert!(composer.insert(&"x".repeat(TEXT)) && !composer.insert("x") && !composer.paste("x"));
    assert_eq!(composer.text().len(), TEXT);
}

#[test]
fn earlier_lines_come_back_and_so_does_what_was_typed() {
    let mut composer = Composer::default();
    for line in ["one", "two", "two", "", "three"] {
        composer.remember(line);
    }
    assert_eq!(composer.remembered().collect::<Vec<_>>(), ["three", "two", "one"]);
    composer.insert("typed");
    assert!(!composer.later());
    for line in ["three", "two", "one"] {
        assert!(composer.earlier());
        assert_eq!(composer.text(), line);
    }
    assert!(!composer.earlier());
    assert_eq!(composer.text(), "one");
    // A line that is added meanwhile moves nothing.
    composer.remember("four");
    for line in ["two", "three", "four", "typed"] {
        assert!(composer.later());
        assert_eq!(composer.text(), line);
    }
    assert!(!composer.later());

    assert!(composer.recall(2) && !composer.recall(4));
    assert_eq!(composer.text(), "two");
    for _ in 0..3 {
        composer.later();
    }
    assert_eq!(composer.text(), "typed");
}

#[test]
fn earlier_lines_are_bounded() {
    let mut composer = Composer::default();
    for number in 0..600 {
        composer.remember(&number.to_string());
    }
    assert_eq!((composer.remembered().count(), composer.remembered().next()), (500, Some("599")));
    composer.remember(&"x".repeat(200 * 1024));
    composer.remember(&"y".repeat(200 * 1024));
    assert_eq!(composer.remembered().count(), 1);
    composer.remember(&"z".repeat(300 * 1024));
    assert_eq!(composer.remembered().count(), 0);
}

/// The rows that a guard makes of keys: each with its time in milliseconds, whether it is Enter, and whether another one is there.
fn line_ends(keys: &[(u64, bool, bool)]) -> Vec<bool> {
    let mut guard = PasteGuard::default();
    keys.iter()
        .map(|(at, enter, more)| guard.key(Duration::from_millis(*at), *enter, *more))
        .collect()
}

#[test]
fn an_enter_among_keys_that_come_together_is_a_line_end_of_a_paste() {
    let (key, enter) = (false, true);
    // Typed by hand, however fast; and by a program that types one line.
    assert_eq!(line_ends(&[(0, key, false), (80, enter, false), (160, key, false)]), [false; 3]);
    assert_eq!(line_ends(&[(0, key, true), (0, enter, false)]), [false; 2]);
    assert_eq!(line_ends(&[(0, enter, true), (0, key, false)]), [false; 2]);
    // A paste of three rows, one of them empty; its last line end sends nothing.
    let paste =
        [(0, key, true), (1, enter, true), (1, enter, true), (2, key, true), (3, enter, false)];
    assert_eq!(line_ends(&paste), [false, true, true, false, true]);
    // What is typed behind it sends it.
    let behind = [(0, key, true), (1, enter, true), (2, key, false), (500, enter, false)];
    assert_eq!(line_ends(&behind), [false, true, false, false]);
    // A clock that stands still, or goes back, is no reason to send.
    assert_eq!(line_ends(&[(9, key, true), (3, enter, true)]), [false, true]);
}

#[test]
fn a_paste_that_comes_as_keys_is_asked_about() {
    let mut composer = Composer::default();
    composer.insert("a");
    composer.paste_line_end();
    composer.insert("b");
    composer.paste_line_end();
    assert_eq!(composer.enter(None), Entered::Ask { lines: 2, characters: 3 });
    assert_eq!(composer.enter(None), Entered::Line("a\nb".to_owned()));
    composer.insert("ls");
    composer.paste_line_end();
    assert_eq!(composer.enter(None), Entered::Line("ls".to_owned()));
}

#[derive(Debug, Clone)]
enum Step {
    Edit(Edit),
    Insert(String),
    Paste(String),
    Row(isize),
    Earlier,
    Later,
    Replace(usize, usize, String),
    Enter,
    Clear,
}

fn texts() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", " ", "\n", "\r\n", "\t", "\u{1b}", CODER, "\u{200d}", "👍", "🏽", "🇩", "🇪", "e",
        "\u{301}", "世", "한", "\u{600}", "ｶ", "ﾞ", "क्", "षि", "\u{fe0f}", "word ",
    ]);
    prop_oneof![
        4 => prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    use Edit::*;
    let edits = vec![
        Left,
        Right,
        WordLeft,
        WordRight,
        Home,
        End,
        Backspace,
        Delete,
        WordBackspace,
        WordDelete,
        KillToStart,
        KillToEnd,
        Yank,
    ];
    prop_oneof![
        6 => prop::sample::select(edits).prop_map(Step::Edit),
        3 => texts().prop_map(Step::Insert),
        2 => texts().prop_map(Step::Paste),
        1 => (-2..3_isize).prop_map(Step::Row),
        1 => Just(Step::Earlier),
        1 => Just(Step::Later),
        1 => (0..20_usize, 0..20_usize, texts()).prop_map(|(from, to, with)| Step::Replace(from, to, with)),
        1 => Just(Step::Enter),
        1 => Just(Step::Clear),
    ]
}

proptest! {
    #[test]
    fn whatever_is_done_the_cursor_is_between_graphemes(steps in prop::collection::vec(steps(), 0..40)) {
        let mut composer = Composer::default();
        for step in steps {
            match step.clone() {
                Step::Edit(edit) => composer.edit(edit),
                Step::Insert(text) => drop(composer.insert(&text)),
                Step::Paste(text) => drop(composer.paste(&text)),
                Step::Row(rows) => drop(composer.move_row(rows, usize::MAX)),
                Step::Earlier => drop(composer.earlier()),
                Step::Later => drop(composer.later()),
                Step::Replace(from, to, with) => drop(composer.replace(from, to, &with)),
                Step::Enter => match composer.enter(Some(200)) {
                    Entered::Line(text) | Entered::Text(text) => composer.remember(&text),
                    _ => {}
                },
                Step::Clear => composer.clear(),
            }
            let (text, cursor) = (composer.text(), composer.cursor());
            let boundaries = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]);
            prop_assert!(boundaries.into_iter().any(|at| at == cursor), "{:?}: {:?} at {}", step, text, cursor);
            prop_assert!(text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')), "{:?}", text);
            prop_assert!(text.len() <= TEXT);
            prop_assert!(!composer.is_asked() || text.contains('\n'));
        }
    }

    /// No key is swallowed: left and right reach the ends.
    #[test]
    fn moving_goes_through_the_whole_text(text in texts()) {
        let mut composer = Composer::default();
        composer.set(&text);
        for (there, back) in [(Edit::Left, Edit::Right), (Edit::WordLeft, Edit::WordRight)] {
            for _ in 0..composer.text().len() {
                composer.edit(there);
            }
            prop_assert_eq!(composer.cursor(), 0);
            for _ in 0..composer.text().len() {
                composer.edit(back);
            }
            prop_assert_eq!(composer.cursor(), composer.text().len());
        }
    }
}
