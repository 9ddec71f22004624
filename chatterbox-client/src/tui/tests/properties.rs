//! Whatever the size, the timeline and what stands over it: nothing panics, every cell is safe, and the end is seen when one is
//! there.

use chatterbox_app::complete::{Candidate, Completion};
use proptest::prelude::*;

use super::super::timeline::scrolled;
use super::super::ui::{List, ListKind, ListRow};
use super::*;

#[derive(Debug, Clone)]
enum Step {
    Says(String, String),
    Types(String),
    Moves(Vec<String>, bool),
    Fails(String),
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z ]{0,60}",
        1 => any::<String>(),
        1 => proptest::collection::vec(prop_oneof![Just("世"), Just("\n"), Just("👩\u{200d}💻"), Just("\u{301}"), Just("ann"), Just(" "), Just("ﾞ")], 0..40)
            .prop_map(|parts| parts.concat()),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (text(), text()).prop_map(|(from, text)| Step::Says(from, text)),
        1 => "[a-z]{1,9}".prop_map(Step::Types),
        1 => (proptest::collection::vec("[a-z]{1,9}", 1..9), any::<bool>()).prop_map(|(names, came)| Step::Moves(names, came)),
        1 => text().prop_map(Step::Fails),
    ];
    proptest::collection::vec(step, 0..30)
}

fn overlay() -> impl Strategy<Value = Option<Overlay>> {
    let list = (text(), proptest::collection::vec((text(), text()), 0..70), 0..80_usize).prop_map(
        |(query, rows, chosen)| {
            let rows: Vec<_> = rows
                .iter()
                .map(|(text, note)| ListRow {
                    text: ScreenText::new(text),
                    note: ScreenText::new(note),
                })
                .collect();
            Overlay::List(List { kind: ListKind::GoTo, title: "Go to", query, rows, chosen })
        },
    );
    let candidates = proptest::collection::vec((text(), text()), 0..30);
    let popup =
        (candidates, proptest::collection::vec(text(), 0..12), proptest::option::of(0..40_usize))
            .prop_map(|(candidates, about, chosen)| {
                let candidates = candidates
                    .iter()
                    .map(|(shown, note)| Candidate {
                        text: shown.clone(),
                        shown: ScreenText::new(shown),
                        note: ScreenText::new(note),
                    })
                    .collect();
                let about = about.iter().map(|line| ScreenText::new(line)).collect();
                Overlay::Completion {
                    completion: Completion { from: 0, to: 0, candidates, about },
                    chosen,
                }
            });
    prop_oneof![
        3 => Just(None),
        1 => list.prop_map(Some),
        1 => popup.prop_map(Some),
        1 => (0..200_usize).prop_map(|scroll| Some(Overlay::Help { scroll })),
    ]
}

/// How the screen itself is.
#[derive(Debug, Clone)]
struct Looks {
    overlay: Option<Overlay>,
    hint: Option<String>,
    panes: (Option<bool>, Option<bool>, Option<bool>),
    typed: String,
    question: Option<(String, bool)>,
    theme: Theme,
}

fn looks() -> impl Strategy<Value = Looks> {
    let theme = prop_oneof![Just(Theme::Mono), Just(Theme::HighContrast), Just(Theme::Default)];
    let question = proptest::option::of((text(), any::<bool>()));
    let panes = any::<(Option<bool>, Option<bool>, Option<bool>)>();
    let hint = proptest::option::of(text());
    (overlay(), hint, panes, text(), question, theme).prop_map(
        |(overlay, hint, panes, typed, question, theme)| Looks {
            overlay,
            hint,
            panes,
            typed,
            question,
            theme,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_screen_is_safe_and_the_end_is_seen(
        steps in steps(),
        looks in looks(),
        sizes in proptest::collection::vec((0..120_u16, 0..50_u16, -80..80_isize), 1..5),
    ) {
        let mut world = World::joined();
        for step in &steps {
            match step {
                Step::Says(from, text) => world.says(from, "ALL", text),
                Step::Types(text) => world.types(text),
                Step::Moves(names, came) => {
                    let key = if *came { "USERS_JOINED" } else { "USERS_LEFT" };
                    world.gets(&serde_json::json!({ key: names }).to_string());
                }
                Step::Fails(why) => world.gets(&serde_json::json!({ "ERROR": why }).to_string()),
            }
        }
        if let Some((text, secret)) = &looks.question {
            world.asks_for(text, *secret);
        }
        world.ui.typing.composer_mut().insert(&looks.typed);
        world.ui.overlay = looks.overlay;
        world.ui.hint = looks.hint;
        (world.ui.conversations, world.ui.people, world.ui.times) = looks.panes;
        world.theme = looks.theme;
        for (width, height, rows) in sizes {
            let (_, drawn, _) = world.draw(width, height);
            let at_end = world.ui.scroll == Scroll::End;
            if at_end && !drawn.timeline.is_empty() {
                prop_assert!(drawn.end_seen);
                let last = world.app.model().unwrap().in_front().unwrap().timeline.last_key();
                prop_assert!(drawn.visible.last().copied() == last);
            }
            world.ui.scroll =
                scrolled(&world.scene(), drawn.timeline.width, drawn.timeline.height, world.ui.scroll, rows);
        }
    }
}
