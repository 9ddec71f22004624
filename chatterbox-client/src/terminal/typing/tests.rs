use chatterbox_app::Question;
use chatterbox_proto::ScreenText;
use crossterm::event::{KeyCode, KeyModifiers};

use super::*;

const LAB: u64 = 2;
const BOB: u64 = 3;

/// Chat in a conversation, which is drawn.
fn chat_in(front: u64) -> Typing {
    let mut typing = Typing::new(Keymap::default()).with_drafts();
    typing.arrive(front, false);
    typing.drawn();
    asks(&mut typing, PromptKind::Chat(ScreenText::new("front")));
    typing
}

fn asks(typing: &mut Typing, kind: PromptKind) {
    typing.ask(Prompt { kind, remember: None, secret_arguments: Vec::new() });
}

fn press(typing: &mut Typing, text: &str) {
    for c in text.chars() {
        let code = if c == '\r' { KeyCode::Enter } else { KeyCode::Char(c) };
        typing.push(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
    }
}

/// Works off what was pressed. Gives the last step.
fn work(typing: &mut Typing) -> Step {
    let mut last = Step::Nothing;
    while let Some(event) = typing.next() {
        last = typing.take(event, None);
    }
    typing.settle();
    last
}

#[test]
fn what_is_typed_stays_with_its_conversation() {
    let mut typing = chat_in(LAB);
    press(&mut typing, "for the lab");
    work(&mut typing);
    assert!(typing.arrive(BOB, true) && typing.settle());
    assert_eq!(typing.composer().text(), "");
    assert!(typing.has_draft(LAB));
    press(&mut typing, "for bob");
    work(&mut typing);
    typing.arrive(LAB, true);
    typing.settle();
    assert_eq!(typing.composer().text(), "for the lab");
    assert!(!typing.has_draft(LAB) && typing.has_draft(BOB));
}

#[test]
fn an_enter_that_was_pressed_before_another_came_to_the_front_sends_nothing() {
    let mut typing = chat_in(LAB);
    press(&mut typing, "for the l");
    work(&mut typing);
    press(&mut typing, "ab\r");
    // The server has taken the user away; that is not drawn yet.
    typing.arrive(BOB, false);
    typing.settle();
    assert!(matches!(work(&mut typing), Step::Elsewhere));
    assert_eq!(typing.composer().text(), "");
    // The next one is pressed before it is drawn, too.
    press(&mut typing, "x\r");
    assert!(matches!(work(&mut typing), Step::Elsewhere));
    typing.drawn();
    press(&mut typing, "for bob\r");
    match work(&mut typing) {
        Step::Wish(Wish::Typed(Typed::Line(line))) => assert_eq!(line, "for bob"),
        other => panic!("{other:?}"),
    }
    typing.arrive(LAB, true);
    typing.settle();
    assert_eq!(typing.composer().text(), "for the labx");
}

#[test]
fn keys_behind_the_one_that_brings_another_to_the_front_are_for_that() {
    let mut typing = chat_in(LAB);
    press(&mut typing, "hi\r");
    typing.arrive(BOB, true);
    assert!(matches!(work(&mut typing), Step::Wish(Wish::Typed(Typed::Line(_)))));
}

#[test]
fn with_one_text_for_all_an_enter_of_before_sends_nothing_either() {
    let mut typing = chat_in(LAB);
    typing.drafts = None;
    press(&mut typing, "for the lab\r");
    typing.arrive(BOB, false);
    assert!(matches!(work(&mut typing), Step::Elsewhere));
    assert_eq!(typing.composer().text(), "for the lab");
}

#[test]
fn an_answer_is_no_draft_and_a_secret_is_in_none() {
    let mut typing = chat_in(LAB);
    press(&mut typing, "hush");
    work(&mut typing);
    let question = Question { text: ScreenText::new("Password:"), secret: true };
    asks(&mut typing, PromptKind::Reply(question));
    typing.arrive(BOB, false);
    typing.settle();
    typing.drawn();
    press(&mut typing, "hush\r");
    assert!(matches!(work(&mut typing), Step::Wish(Wish::Typed(Typed::Line(_)))));
    asks(&mut typing, PromptKind::Chat(ScreenText::new("front")));
    assert!(!typing.has_draft(LAB) && typing.composer().text().is_empty());
}

#[test]
fn what_was_typed_where_nothing_is_any_more_is_found_among_the_earlier_lines() {
    let mut typing = chat_in(LAB);
    press(&mut typing, "for the lab");
    work(&mut typing);
    typing.arrive(BOB, true);
    typing.settle();
    assert!(typing.prune(|conversation| conversation != LAB, |_| true));
    assert!(!typing.has_draft(LAB));
    assert_eq!(typing.composer().remembered().next(), Some("for the lab"));
}

fn secret(text: &str) -> PromptKind {
    PromptKind::Reply(Question { text: ScreenText::new(text), secret: true })
}

fn key(typing: &mut Typing, code: KeyCode, held: KeyModifiers) {
    typing.push(Event::Key(KeyEvent::new(code, held)));
}

/// The prompt is used up: what is typed behind it waits, as behind one row.
#[test]
fn a_text_of_several_rows_is_the_answer_to_the_prompt() {
    for (pasted, verbatim) in [("/sudo a\nb", true), ("a\nb", false)] {
        let mut typing = chat_in(LAB);
        if verbatim {
            typing.push(Event::Paste(pasted.to_owned()));
            press(&mut typing, "\r");
        } else {
            press(&mut typing, "a");
            work(&mut typing);
            typing.act(Action::NewLine, None);
            press(&mut typing, "b");
        }
        press(&mut typing, "\rhush\r");
        let mut typed = None;
        while let Some(event) = typing.next() {
            if let Step::Wish(wish) = typing.take(event, None) {
                assert!(typed.is_none(), "{wish:?}");
                typed = Some(wish);
            }
        }
        match typed {
            Some(Wish::Typed(Typed::Text(text))) => assert!(verbatim && text == pasted),
            Some(Wish::Typed(Typed::Line(text))) => assert!(!verbatim && text == pasted),
            other => panic!("{other:?}"),
        }
        assert!(typing.prompt().is_none() && typing.composer().text().is_empty());
    }
}

#[test]
fn what_was_typed_before_a_list_was_opened_is_not_for_it() {
    let mut typing = chat_in(LAB);
    press(&mut typing, "/register\r");
    work(&mut typing);
    press(&mut typing, "hunter2\r");
    key(&mut typing, KeyCode::Char('f'), KeyModifiers::CONTROL);
    press(&mut typing, "q");
    assert!(matches!(typing.next(), Some(Event::Key(key)) if key.code == KeyCode::Char('f')));
    typing.set_for_list(true);
    assert!(matches!(typing.next(), Some(Event::Key(key)) if key.code == KeyCode::Char('q')));
    assert!(typing.next().is_none());
    // A question does not change that.
    asks(&mut typing, secret("Password:"));
    assert!(typing.next().is_none());
    typing.set_for_list(false);
    match work(&mut typing) {
        Step::Wish(Wish::Typed(Typed::Line(line))) => assert_eq!(line, "hunter2"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_question_waits_for_the_line_that_is_half_typed() {
    let mut typing = chat_in(LAB);
    press(&mut typing, "hun");
    work(&mut typing);
    assert!(!typing.gives_way(&secret("Password:"), false));
    assert!(typing.waiting().is_some_and(|told| told.contains("Password:")));
    press(&mut typing, "ter2\rrest");
    let mut steps = Vec::new();
    while let Some(event) = typing.next() {
        steps.push(typing.take(event, None));
    }
    let last = steps.last();
    assert!(
        matches!(last, Some(Step::Wish(Wish::Typed(Typed::GaveWay { dropped: true })))),
        "{last:?}"
    );
    assert!(typing.composer().text().is_empty() && typing.gives_way(&secret("Password:"), false));
    asks(&mut typing, secret("Password:"));
    work(&mut typing);
    assert_eq!(typing.composer().text(), "rest");
}

#[test]
fn a_line_that_was_not_changed_while_a_question_waited_is_kept() {
    let public = PromptKind::Reply(Question { text: ScreenText::new("Why?"), secret: false });
    for (kind, more, kept) in
        [(secret("Password:"), "", "half"), (public, " and more", "half and more")]
    {
        let mut typing = chat_in(LAB);
        press(&mut typing, "half");
        work(&mut typing);
        assert!(!typing.gives_way(&kind, false));
        press(&mut typing, more);
        press(&mut typing, "\r");
        let last = work(&mut typing);
        assert!(
            matches!(last, Step::Wish(Wish::Typed(Typed::GaveWay { dropped: false }))),
            "{last:?}"
        );
        assert_eq!(typing.composer().text(), kept);
    }
}

#[test]
fn a_question_for_a_secret_that_is_over_leaves_what_may_be_it_unsent() {
    for (more, is_sent) in [("", true), ("er2", false)] {
        let mut typing = chat_in(LAB);
        press(&mut typing, "hunt");
        work(&mut typing);
        assert!(!typing.gives_way(&secret("Password:"), false));
        assert!(typing.gives_way(&PromptKind::Chat(ScreenText::new("front")), false));
        assert!(typing.waiting().is_none());
        press(&mut typing, more);
        press(&mut typing, "\r");
        let last = work(&mut typing);
        let sent = matches!(&last, Step::Wish(Wish::Typed(Typed::Line(line))) if line == "hunt");
        assert_eq!(sent, is_sent, "{last:?}");
    }
}

#[test]
fn a_question_waits_while_a_list_is_open_and_not_for_an_emptied_line() {
    let mut typing = chat_in(LAB);
    assert!(!typing.gives_way(&secret("Password:"), true));
    assert!(typing.gives_way(&secret("Password:"), false));
    press(&mut typing, "half");
    work(&mut typing);
    assert!(!typing.gives_way(&secret("Password:"), false));
    key(&mut typing, KeyCode::Char('c'), KeyModifiers::CONTROL);
    press(&mut typing, "hush");
    let mut seen = String::new();
    while let Some(event) = typing.next() {
        typing.take(event, None);
        seen.push_str(typing.composer().text());
    }
    assert_eq!(seen, "", "what is behind Ctrl-C is for the question");
    assert!(typing.gives_way(&secret("Password:"), false));
}

#[test]
fn what_an_editor_leaves_is_no_answer_and_goes_where_it_was_begun_for() {
    let mut typing = chat_in(LAB);
    press(&mut typing, "draft");
    work(&mut typing);
    typing.put_down();
    asks(&mut typing, secret("Password:"));
    typing.arrive(BOB, false);
    assert!(typing.edited(LAB, "edited"));
    assert_eq!((typing.composer().text(), typing.chat()), ("", "edited"));
    assert!(!typing.edited(LAB, &"x".repeat(300 * 1024)), "it is not cut");
    assert_eq!(typing.chat(), "edited");
    // In a conversation that is not in front any more.
    let mut typing = chat_in(LAB);
    typing.arrive(BOB, true);
    typing.settle();
    assert!(typing.edited(LAB, "edited") && !typing.edited(LAB, &"x".repeat(300 * 1024)));
    assert_eq!(typing.chat(), "");
    typing.arrive(LAB, true);
    typing.settle();
    assert_eq!(typing.chat(), "edited");
}

#[test]
fn what_was_written_in_an_editor_is_no_secret_that_was_asked_for_meanwhile() {
    let mut typing = chat_in(LAB);
    press(&mut typing, "draft");
    work(&mut typing);
    assert!(!typing.gives_way(&secret("Password:"), false));
    assert!(typing.edited(LAB, "edited"));
    press(&mut typing, "\r");
    let last = work(&mut typing);
    assert!(matches!(last, Step::Wish(Wish::Typed(Typed::GaveWay { dropped: false }))), "{last:?}");
    assert_eq!(typing.chat(), "edited");
}

#[test]
fn what_has_no_room_is_told() {
    let mut typing = chat_in(LAB);
    typing.push(Event::Paste("x".repeat(256 * 1024)));
    assert!(matches!(work(&mut typing), Step::Edited));
    press(&mut typing, "y");
    assert!(matches!(work(&mut typing), Step::NoRoom));
    typing.push(Event::Paste("y".to_owned()));
    assert!(matches!(work(&mut typing), Step::NoRoom));
    assert!(matches!(typing.act(Action::NewLine, None), Step::NoRoom));
}

#[test]
fn where_pastes_are_not_marked_the_time_tells() {
    for (apart, marks, rows) in [(1, false, "one\ntwo\n"), (1, true, ""), (100, false, "")] {
        let mut typing = chat_in(LAB).guarding_pastes(marks);
        for (c, number) in "one\rtwo\r".chars().zip(0..) {
            let code = if c == '\r' { KeyCode::Enter } else { KeyCode::Char(c) };
            let event = Event::Key(KeyEvent::new(code, KeyModifiers::NONE));
            typing.push_at(event, Duration::from_millis(number * apart));
        }
        let mut sent = 0;
        while let Some(event) = typing.next() {
            if let Step::Wish(_) = typing.take(event, None) {
                sent += 1;
                asks(&mut typing, PromptKind::Chat(ScreenText::new("front")));
            }
        }
        assert_eq!((typing.chat(), sent), (rows, if rows.is_empty() { 2 } else { 0 }));
    }
}

#[test]
fn a_text_that_might_have_been_a_secret_does_not_go_to_another_conversation() {
    let mut typing = chat_in(LAB);
    press(&mut typing, "for the lab");
    work(&mut typing);
    assert!(!typing.gives_way(&secret("Password:"), false));
    typing.arrive(BOB, true);
    typing.settle();
    typing.drawn();
    typing.gives_way(&PromptKind::Chat(ScreenText::new("front")), false);
    press(&mut typing, "\r");
    assert!(matches!(work(&mut typing), Step::Elsewhere));
    assert!(typing.chat().is_empty() && typing.has_draft(LAB));
}
