//! Themes: the appearance of each role. No role is told by colour alone: what has to be noticed also has a sign, or is bold or
//! reversed.

use ratatui::style::{Color, Modifier, Style};

use crate::cli::Theme;
use crate::name_colour::{COLOURS, colour_of};

/// The meaning of some cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The text of a message.
    Text,
    /// Times, notices, what is good to know.
    Quiet,
    /// Errors, refusals, a connection that protects nothing.
    Alarm,
    /// A message that names this user.
    Mention,
    /// The name of this user.
    Own,
    /// The name of another user; one of six appearances.
    Name(u8),
    /// Lines between the parts of the screen.
    Border,
    /// The row that is chosen.
    Selection,
    /// What was not read.
    Unread,
    /// The status row.
    Bar,
}

impl Role {
    /// The role of a name.
    pub(crate) fn of_name(name: &str) -> Self {
        Self::Name(colour_of(name))
    }
}

impl Theme {
    /// The appearance of a role.
    pub(crate) fn style(self, role: Role) -> Style {
        match self {
            Self::Default => sixteen(role),
            Self::Light => indexed(role, &LIGHT),
            Self::Dark => indexed(role, &DARK),
            Self::HighContrast => high_contrast(role),
            Self::Mono => mono(role),
        }
    }

    /// The appearance of everything that has no other, where the theme has its own background.
    pub(crate) fn ground(self) -> Option<Style> {
        (self == Self::HighContrast).then(|| high_contrast(Role::Text))
    }
}

/// Without colours.
fn mono(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Text | Role::Name(_) => style,
        Role::Quiet | Role::Border => style.add_modifier(Modifier::DIM),
        Role::Alarm | Role::Mention | Role::Own | Role::Unread => {
            style.add_modifier(Modifier::BOLD)
        }
        Role::Selection | Role::Bar => style.add_modifier(Modifier::REVERSED),
    }
}

fn one_of(colours: &[Color; COLOURS as usize], place: u8) -> Color {
    colours.get(usize::from(place % COLOURS)).copied().unwrap_or(Color::Reset)
}

/// The sixteen colours that every terminal has.
fn sixteen(role: Role) -> Style {
    const NAMES_OF_SIXTEEN: [Color; COLOURS as usize] = [
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Cyan,
        Color::LightGreen,
        Color::LightCyan,
    ];
    match role {
        Role::Name(place) => Style::new().fg(one_of(&NAMES_OF_SIXTEEN, place)),
        Role::Alarm => mono(role).fg(Color::Red),
        Role::Mention => mono(role).fg(Color::Magenta),
        Role::Unread => mono(role).fg(Color::Cyan),
        other => mono(other),
    }
}

/// The colours of a theme, of the 256.
struct Colours {
    quiet: u8,
    alarm: u8,
    mention: u8,
    own: u8,
    names: [u8; COLOURS as usize],
    border: u8,
    /// Ground and text.
    selection: (u8, u8),
    unread: u8,
    bar: (u8, u8),
}

const LIGHT: Colours = Colours {
    quiet: 242,
    alarm: 124,
    mention: 90,
    own: 16,
    names: [22, 94, 25, 23, 58, 61],
    border: 249,
    selection: (153, 16),
    unread: 25,
    bar: (252, 16),
};

const DARK: Colours = Colours {
    quiet: 246,
    alarm: 203,
    mention: 219,
    own: 231,
    names: [114, 179, 75, 80, 150, 147],
    border: 240,
    selection: (24, 231),
    unread: 117,
    bar: (236, 252),
};

fn indexed(role: Role, colours: &Colours) -> Style {
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let on = |(ground, text)| Style::new().bg(Color::Indexed(ground)).fg(Color::Indexed(text));
    match role {
        Role::Text => Style::new(),
        Role::Quiet => Style::new().fg(Color::Indexed(colours.quiet)),
        Role::Alarm => bold.fg(Color::Indexed(colours.alarm)),
        Role::Mention => bold.fg(Color::Indexed(colours.mention)),
        Role::Own => bold.fg(Color::Indexed(colours.own)),
        Role::Name(place) => {
            let colour = colours.names.get(usize::from(place % COLOURS)).copied();
            Style::new().fg(Color::Indexed(colour.unwrap_or(colours.own)))
        }
        Role::Border => Style::new().fg(Color::Indexed(colours.border)),
        Role::Selection => on(colours.selection),
        Role::Unread => bold.fg(Color::Indexed(colours.unread)),
        Role::Bar => on(colours.bar),
    }
}

/// Of the 256 colours 16 and 231 are black and white in every terminal; the first sixteen are what its user likes.
fn high_contrast(role: Role) -> Style {
    const BLACK: Color = Color::Indexed(16);
    const WHITE: Color = Color::Indexed(231);
    const YELLOW: Color = Color::Indexed(226);
    const NAMES_IN_CONTRAST: [Color; COLOURS as usize] = [
        Color::Indexed(51),
        Color::Indexed(228),
        Color::Indexed(120),
        Color::Indexed(159),
        Color::Indexed(215),
        Color::Indexed(157),
    ];
    let style = Style::new().bg(BLACK).fg(WHITE);
    let bold = style.add_modifier(Modifier::BOLD);
    match role {
        Role::Text | Role::Quiet | Role::Border => style,
        Role::Alarm => bold.fg(Color::Indexed(210)),
        Role::Mention => bold.fg(YELLOW),
        Role::Own => bold,
        Role::Name(place) => style.fg(one_of(&NAMES_IN_CONTRAST, place)),
        Role::Selection => style.bg(YELLOW).fg(BLACK),
        Role::Unread => bold.fg(Color::Indexed(51)),
        Role::Bar => style.bg(WHITE).fg(BLACK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 10] = [
        Role::Text,
        Role::Quiet,
        Role::Alarm,
        Role::Mention,
        Role::Own,
        Role::Name(0),
        Role::Border,
        Role::Selection,
        Role::Unread,
        Role::Bar,
    ];

    #[test]
    fn without_colour_there_is_none_and_what_matters_is_still_seen() {
        for role in ROLES {
            let style = Theme::Mono.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        let plain = Theme::Mono.style(Role::Text);
        for role in [Role::Alarm, Role::Mention, Role::Own, Role::Selection, Role::Unread] {
            assert_ne!(Theme::Mono.style(role), plain, "{role:?}");
        }
    }

    #[test]
    fn only_the_theme_that_has_a_ground_of_its_own_sets_one_everywhere() {
        for role in ROLES {
            assert!(Theme::HighContrast.style(role).bg.is_some(), "{role:?}");
        }
        assert!(Theme::Default.ground().is_none() && Theme::HighContrast.ground().is_some());
    }
}
