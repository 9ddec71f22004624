//! What is told by an appearance is also told by a sign.

use ratatui::style::Modifier;

use super::super::theme::Role;
use super::*;

const THEMES: [Theme; 5] =
    [Theme::Default, Theme::Light, Theme::Dark, Theme::HighContrast, Theme::Mono];

/// The appearance of the first cell of a text on the screen.
fn style_of(buffer: &Buffer, text: &str) -> ratatui::style::Style {
    for (y, row) in (0..).zip(rows(buffer)) {
        if let Some(at) = row.find(text) {
            let x = u16::try_from(row[1..at].chars().count()).unwrap();
            return buffer[(x, y)].style();
        }
    }
    panic!("{text} is not on the screen:\n{}", rows(buffer).join("\n"))
}

#[test]
fn a_mention_has_its_sign_and_its_appearance_in_every_theme() {
    let mut world = World::joined();
    world.says("bob", "ALL", "hello");
    world.says("bob", "ALL", "hello ann");
    for theme in THEMES {
        world.theme = theme;
        let (buffer, _, _) = world.draw(80, 24);
        let text = rows(&buffer).join("\n");
        assert!(text.contains("bob>hello ann") && text.contains("bob│hello "), "{text}");
        let mention = style_of(&buffer, "hello ann");
        assert_ne!(mention, style_of(&buffer, "hello "), "{theme:?}");
    }
}

#[test]
fn the_conversation_in_front_stands_out_in_every_theme() {
    let mut world = World::busy();
    for theme in THEMES {
        world.theme = theme;
        let (buffer, _, _) = world.draw(80, 24);
        assert_ne!(style_of(&buffer, "1 lobby"), style_of(&buffer, "2 #games"), "{theme:?}");
    }
}

#[test]
fn an_alarm_in_the_status_is_unlike_the_rest_of_it() {
    let mut world = World::busy();
    world.link.security = Security::Plaintext;
    for theme in THEMES {
        world.theme = theme;
        let (buffer, _, _) = world.draw(80, 24);
        assert_ne!(style_of(&buffer, "PLAINTEXT"), style_of(&buffer, "12 ms"), "{theme:?}");
    }
}

#[test]
fn without_colours_no_cell_has_one() {
    use ratatui::style::Color;
    let mut world = World::busy();
    world.link.security = Security::Plaintext;
    world.ui.overlay = Some(Overlay::Help { scroll: 0 });
    let (buffer, _, _) = world.draw(200, 60);
    for cell in &buffer.content {
        assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
    }
}

#[test]
fn a_theme_with_its_own_ground_leaves_no_cell_without_it() {
    let mut world = World::busy();
    world.theme = Theme::HighContrast;
    world.ui.overlay = Some(Overlay::Help { scroll: 0 });
    for (width, height) in [(40, 12), (80, 24), (200, 60)] {
        let (buffer, _, _) = world.draw(width, height);
        for cell in &buffer.content {
            assert_ne!(cell.bg, ratatui::style::Color::Reset);
        }
    }
}

#[test]
fn own_names_are_bold_and_others_have_their_colour() {
    let mut world = World::joined();
    world.theme = Theme::Default;
    world.says("ann", "ALL", "mine");
    world.says("bob", "ALL", "his");
    let (buffer, _, _) = world.draw(80, 24);
    assert!(style_of(&buffer, "ann│mine").add_modifier.contains(Modifier::BOLD));
    let bob = Theme::Default.style(Role::of_name("bob"));
    assert_eq!(style_of(&buffer, "bob│his").fg, bob.fg);
}
