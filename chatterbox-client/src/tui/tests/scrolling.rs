//! Scrolling: where one reads is kept, whatever comes or changes its size.

use chatterbox_app::{Intent, Target};

use super::super::timeline::{scrolled, showing};
use super::*;

/// With so many messages in the lobby, some of them long.
fn talkative(count: usize) -> World {
    let mut world = World::joined();
    for n in 0..count {
        let text = format!("m{n} {}", "and some more words ".repeat(n % 7));
        world.says("bob", "ALL", &text);
    }
    world
}

fn scroll(world: &mut World, size: (u16, u16), rows: isize) {
    let (_, drawn, _) = world.draw(size.0, size.1);
    let Drawn { timeline, .. } = drawn;
    world.ui.scroll =
        scrolled(&world.scene(), timeline.width, timeline.height, world.ui.scroll, rows);
}

/// The timeline's rows.
fn timeline(world: &World, (width, height): (u16, u16)) -> Vec<String> {
    let (buffer, drawn, _) = world.draw(width, height);
    let rows = rows(&buffer);
    let part = usize::from(drawn.timeline.y)..usize::from(drawn.timeline.bottom());
    // Without the edge of the screen and what is left of the timeline.
    let left = usize::from(drawn.timeline.x) + 1;
    rows[part].iter().map(|row| row.chars().skip(left).collect()).collect()
}

const SIZE: (u16, u16) = (80, 24);

#[test]
fn row_by_row_up_and_down_shows_the_same() {
    let mut world = talkative(60);
    let mut seen = vec![timeline(&world, SIZE)];
    while !world.draw(SIZE.0, SIZE.1).1.above {
        scroll(&mut world, SIZE, 1);
        let rows = timeline(&world, SIZE);
        let before = seen.last().unwrap();
        assert_eq!(rows[1..], before[..before.len() - 1], "one row further up");
        seen.push(rows);
    }
    let top = world.ui.scroll;
    scroll(&mut world, SIZE, 1);
    assert_eq!(world.ui.scroll, top, "there is nothing above");
    while let Some(rows) = seen.pop() {
        assert_eq!(timeline(&world, SIZE), rows);
        scroll(&mut world, SIZE, -1);
    }
    assert_eq!(world.ui.scroll, Scroll::End);
}

#[test]
fn pages_and_single_rows_lead_to_the_same_place() {
    let mut world = talkative(60);
    scroll(&mut world, SIZE, 37);
    let far = timeline(&world, SIZE);
    scroll(&mut world, SIZE, -37);
    assert_eq!(world.ui.scroll, Scroll::End);
    for _ in 0..37 {
        scroll(&mut world, SIZE, 1);
    }
    assert_eq!(timeline(&world, SIZE), far);
}

#[test]
fn the_oldest_is_at_the_upper_edge() {
    let mut world = talkative(60);
    for rows in [isize::MAX, 5_000] {
        world.ui.scroll = Scroll::End;
        scroll(&mut world, SIZE, rows);
        let (buffer, drawn, _) = world.draw(SIZE.0, SIZE.1);
        assert!(drawn.above && !drawn.end_seen, "{}", super::rows(&buffer).join("\n"));
        assert!(timeline(&world, SIZE)[0].contains("PgUp asks for older ones"));
    }
    scroll(&mut world, SIZE, isize::MIN);
    assert_eq!(world.ui.scroll, Scroll::End);
}

#[test]
fn what_comes_moves_nothing_when_one_reads_above() {
    let mut world = talkative(60);
    scroll(&mut world, SIZE, 20);
    let before = timeline(&world, SIZE);
    let (_, drawn, _) = world.draw(SIZE.0, SIZE.1);
    assert!(!drawn.end_seen);
    for _ in 0..200 {
        world.says("bob", "ALL", "more");
    }
    assert_eq!(timeline(&world, SIZE), before);
    let screen = world.screen(SIZE.0, SIZE.1);
    assert!(screen.contains(" below (Ctrl-End)"), "{screen}");
    insta::assert_snapshot!(screen);
    for (width, height) in [(40, 12), (200, 60)] {
        insta::assert_snapshot!(format!("scrolled_{width}x{height}"), world.screen(width, height));
    }
}

/// How much is below is the number of items behind the one at the lower edge.
#[test]
fn how_much_is_below_is_counted_in_messages() {
    let mut world = talkative(60);
    let key = world.app.model().unwrap().in_front().unwrap().timeline.item(40).unwrap().key;
    world.ui.scroll = Scroll::At { key, hidden: 0 };
    let len = world.app.model().unwrap().in_front().unwrap().timeline.len();
    let words = format!("{} below", len - 41);
    assert!(world.screen(80, 24).contains(&words), "{words}");
    world.ui.scroll = Scroll::End;
    assert!(!world.screen(80, 24).contains("below"));
}

#[test]
fn an_anchor_that_is_gone_or_beyond_is_no_panic() {
    let mut world = talkative(10);
    let key = world.app.model().unwrap().in_front().unwrap().timeline.item(0).unwrap().key;
    for hidden in [0, 1, 50, usize::MAX] {
        world.ui.scroll = Scroll::At { key, hidden };
        let (_, drawn, _) = world.draw(80, 24);
        assert_eq!(drawn.visible.first(), Some(&key));
    }
    // The same key is in no other conversation.
    world.does(Intent::Open(Target::Room("#games".to_owned())));
    let (_, drawn, _) = world.draw(80, 24);
    assert!(drawn.visible.is_empty() && drawn.end_seen && drawn.above);
    assert_eq!(scrolled(&world.scene(), 80, 20, world.ui.scroll, 5), Scroll::End);
}

#[test]
fn what_is_brought_into_view_is_seen() {
    let mut world = talkative(60);
    for place in 0..world.app.model().unwrap().in_front().unwrap().timeline.len() {
        let key = world.app.model().unwrap().in_front().unwrap().timeline.item(place).unwrap().key;
        world.ui.scroll = showing(&world.scene(), 63, 20, key);
        let (_, drawn, _) = world.draw(80, 24);
        assert!(drawn.visible.contains(&key), "{place}");
    }
}

#[test]
fn a_resize_keeps_what_is_read_on_the_screen() {
    let mut world = talkative(200);
    scroll(&mut world, SIZE, 120);
    let before = timeline(&world, SIZE);
    let Scroll::At { key, .. } = world.ui.scroll else { panic!("at the end") };
    for (width, height) in [(40, 12), (200, 60), (24, 6), (3, 3), (119, 50)] {
        let (_, drawn, _) = world.draw(width, height);
        assert!(drawn.visible.contains(&key), "{width}x{height}");
    }
    assert_eq!(timeline(&world, SIZE), before, "and in the old size all is as it was");
}

/// What is told does not stand over the newest message.
#[test]
fn the_end_is_seen_above_a_hint_of_several_rows() {
    for (width, height) in [(80, 24), (40, 12), (24, 6)] {
        let mut world = World::joined();
        for n in 0..60 {
            world.says("bob", "ALL", &format!("n{n}"));
        }
        world.ui.hint = Some("word ".repeat(40));
        let (buffer, drawn, _) = world.draw(width, height);
        assert!(drawn.end_seen);
        let rows = rows(&buffer);
        assert!(rows.iter().any(|row| row.contains("n59")), "{rows:#?}");
    }
}
