//! The banner: what everybody sees who connects, before they have a name.

use chatterbox_app::{cells, wrap};
use chatterbox_proto::ScreenText;

/// So many cells are inside of the box.
const WIDTH: usize = 72;

/// A banner is shown up to this line.
const LINES: usize = 20;

/// The lines of the banner, each safe to show.
pub(crate) fn banner(name: Option<&str>, text: Option<&str>) -> Vec<String> {
    let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or("Chatterbox");
    let mut inside = vec![ScreenText::shortened(name, WIDTH).to_string()];
    for line in text.unwrap_or_default().trim_end().lines() {
        let line = ScreenText::new(line).to_string();
        inside.extend(wrap(&line, WIDTH).into_iter().map(|row| row.trim_end().to_owned()));
    }
    inside.truncate(LINES + 1);
    let width = inside.iter().map(|line| cells(line)).max().unwrap_or_default();
    let edge = format!("+{}+", "-".repeat(width + 2));
    let mut lines = vec![edge.clone()];
    for line in inside {
        let space = " ".repeat(width.saturating_sub(cells(&line)));
        lines.push(format!("| {line}{space} |"));
    }
    lines.push(edge);
    lines.push("Nothing of this is encrypted: everybody on the way can read it.".to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_box_is_as_wide_as_what_is_in_it() {
        let lines = banner(Some("The Pub"), Some("Be kind.\n\n你好\u{1b}[2J"));
        assert_eq!(
            lines.get(..6).unwrap(),
            [
                "+---------------+",
                "| The Pub       |",
                "| Be kind.      |",
                "|               |",
                "| 你好\\u{1b}[2J |",
                "+---------------+",
            ]
        );
        let long = banner(Some(&"x".repeat(500)), Some(&"word ".repeat(1000)));
        assert!(
            long.len() <= LINES + 4 && long.iter().all(|line| cells(line) <= WIDTH + 5),
            "{long:?}"
        );
        assert_eq!(banner(None, None).get(1).unwrap(), "| Chatterbox |");
    }
}
