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
