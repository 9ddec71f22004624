//! `/help`, and the hint where a command is unknown: the commands of this program come before the server's.

use chatterbox_proto::ScreenText;

use crate::commands::{Catalogue, SLASH};
use crate::near::nearest;
use crate::own::{Has, Own};
use crate::wrap::wrap;

/// The commands of a server that those of this program come before.
const HIDDEN: &[&str] = &["help", "name", "quit"];

/// What a line can begin with.
const SAY: &[(&str, &str)] = &[
    ("text", "say it to everybody"),
    ("@NAME text", "say it to NAME only"),
    ("//text", "say /text; in the same way @@text"),
];
const SAY_ROOMS: &[(&str, &str)] = &[
    ("text", "say it in the room in front, or to everybody"),
    ("@NAME text", "say it to NAME only"),
    ("#NAME text", "say it in that room"),
    ("//text", "say /text; in the same way @@text and ##text"),
];

/// In an overview, so many commands of a server are named, in rows of so many cells: with what is before a line they fit a
/// screen of 80.
const NAMES: usize = 200;
const ROW: usize = 74;

/// The same of those of this program that are rarely used, which stand behind a column.
const ALSO: usize = 54;

/// So many are listed with a line each.
const LISTED: usize = 500;

/// The word behind `/help` that lists all commands.
const ALL: &str = "all";

/// Help for what can be typed at this server.
pub(crate) struct Help<'c> {
    /// The server's commands, if it has any.
    pub(crate) catalogue: Option<&'c Catalogue>,
    pub(crate) has: Has,
}

impl<'c> Help<'c> {
    /// What can be typed, on one screen: the commands of this program with a line each, those of the server by their names.
    pub(crate) fn overview(&self) -> Vec<String> {
        let mut lines = self.own_lines(false);
        if let Some(catalogue) = self.catalogue {
            let is_own = |name: &str| self.own().any(|own| own.name == name);
            let names: Vec<_> =
                catalogue.listed(HIDDEN).filter(|command| !is_own(&command.name)).collect();
            if names.is_empty() {
                return lines;
            }
            let prefix = catalogue.prefix();
            let shown = names.iter().take(NAMES).map(|command| {
                ScreenText::shortened(&format!("{prefix}{}", command.name), 40).to_string()
            });
            let shown: Vec<_> = shown.collect();
            lines.push("of the server (/help NAME explains one, /help all lists them):".to_owned());
            let rows = shown.join("  ");
            lines.extend(wrap(&rows, ROW).iter().map(|row| format!("  {}", row.trim())));
            lines.extend(more(names.len(), NAMES));
        }
        lines
    }

    /// Every command with a line of its own.
    fn all(&self) -> Vec<String> {
        let mut lines = self.own_lines(true);
        if let Some(catalogue) = self.catalogue {
            lines.push("of the server (/help NAME explains one):".to_owned());
            lines.extend(catalogue.list(HIDDEN, LISTED));
            lines.extend(more(catalogue.listed(HIDDEN).count(), LISTED));
        }
        lines
    }

    /// One command, with its prefix or without; or all of them.
    pub(crate) fn about(&self, word: &str) -> Vec<String> {
        if word == ALL {
            return self.all();
        }
        let own = word.strip_prefix(SLASH).unwrap_or(word);
        let theirs = self.catalogue.map_or(word, |c| word.strip_prefix(c.prefix()).unwrap_or(own));
        let own = self.own().find(|known| known.name == own);
        let mut lines: Vec<_> =
            own.iter().map(|own| format!("{}  {}", own.usage, own.help)).collect();
        if let Some(catalogue) = self.catalogue
            && let Some(command) = catalogue.find(theirs)
        {
            if own.is_some() {
                lines.push("of the server:".to_owned());
            }
            lines.extend(catalogue.help(command));
        }
        if lines.is_empty() {
            let prefix = self.catalogue.map_or(SLASH, Catalogue::prefix);
            lines.push(self.unknown(prefix, theirs));
        }
        lines
    }

    /// The command that is near to a mistyped one, with its prefix.
    pub(crate) fn near(&self, name: &str) -> Option<(&'c str, &'c str)> {
        let own = self.own().map(|own| (SLASH, own.name));
        let theirs = self.catalogue.into_iter().flat_map(|catalogue| {
            let names = catalogue.commands().iter().flat_map(|command| {
                std::iter::once(&command.name).chain(&command.aliases).map(String::as_str)
            });
            names.map(|name| (catalogue.prefix(), name))
        });
        let all: Vec<_> = own.chain(theirs).collect();
        let near = nearest(name, all.iter().map(|(_, name)| *name));
        near.and_then(|near| all.iter().copied().find(|(_, name)| *name == near))
    }

    /// Says that there is no such command, and which one is near.
    pub(crate) fn unknown(&self, prefix: &str, name: &str) -> String {
        let typed = ScreenText::shortened(&format!("{prefix}{name}"), 40);
        match self.near(name) {
            Some((prefix, near)) => {
                let near = ScreenText::shortened(&format!("{prefix}{near}"), 40);
                format!("There is no command {typed}. Did you mean {near}? /help lists them.")
            }
            None => format!(
                "There is no command {typed}. /help lists them; //text sends a text that starts with a slash."
            ),
        }
    }

    fn own(&self) -> impl Iterator<Item = &'static Own> {
        Own::there_are(self.has)
    }

    /// What a line can begin with, and the commands of this program; in two columns.
    fn own_lines(&self, with_rare: bool) -> Vec<String> {
        let say = if self.has.rooms { SAY_ROOMS } else { SAY };
        let rare: Vec<_> = self.own().filter(|own| own.is_rare && !with_rare).collect();
        let own =
            self.own().filter(|own| with_rare || !own.is_rare).map(|own| (own.usage, own.help));
        let names: Vec<_> = rare.iter().map(|own| format!("{SLASH}{}", own.name)).collect();
        let names = names.join("  ");
        let also = wrap(&names, ALSO).into_iter().filter(|_| !rare.is_empty()).enumerate();
        let also = also.map(|(row, names)| (if row == 0 { "also" } else { "" }, names.trim()));
        let rows: Vec<_> = say.iter().copied().chain(own).chain(also).collect();
        let width = rows.iter().map(|(usage, _)| usage.len()).max().unwrap_or_default();
        rows.iter().map(|(usage, help)| format!("{usage:width$}  {help}")).collect()
    }
}

/// Says how many were left out.
fn more(count: usize, most: usize) -> Option<String> {
    let more = count.checked_sub(most).filter(|more| *more > 0)?;
    Some(format!("  ... and {more} more"))
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::capability::commands::Command;

    use super::*;
    use crate::wrap::cells;

    fn named(name: &str, demo: bool) -> Command {
        Command {
            name: name.to_owned(),
            aliases: Vec::new(),
            arguments: Vec::new(),
            help: "does something".to_owned(),
            example: String::new(),
            level: 0,
            confirm: false,
            demo,
        }
    }

    fn help(catalogue: &Catalogue) -> Help<'_> {
        Help {
            catalogue: Some(catalogue),
            has: Has {
                history: true,
                rooms: true,
                meta: true,
                files: true,
                model: true,
                encryption: false,
            },
        }
    }

    /// What our server lets a member with an account use, in its order.
    const MEMBER: &str = "help name nick users user-count away back hide-last-seen register passwd logout elevate block unblock \
        blocked msg rooms list join leave default say create-room delete-room topic set-room invite uninvite invitations kick-from \
        clear mute unmute slow ban-from unban banned-users report reports close-report broadcast audit set-perm perm command-history";

    #[test]
    fn help_fits_a_screen_and_names_no_demonstration() {
        let commands = MEMBER.split_whitespace().map(|name| named(name, false));
        let commands = commands.chain([named("test", true)]).collect();
        let catalogue = Catalogue::new(commands, None);
        let lines = help(&catalogue).overview();
        // Of 24 rows of 80 cells, the prompt takes one, and what stands before a note three cells.
        assert!(lines.len() < 23 && lines.iter().all(|line| cells(line) <= 77), "{lines:#?}");
        assert!(!lines.concat().contains("/test"));
        let all = help(&catalogue).about("all");
        assert!(all.iter().any(|line| line.starts_with("/nick  ")), "{all:#?}");
        assert!(!all.iter().any(|line| line.contains("/test") || line.starts_with("/help  ")));
        assert_eq!(help(&catalogue).about("test"), ["/test", "  does something"]);
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn a_catalogue_without_end_is_cut() {
        let commands = (0..9_000).map(|number| named(&format!("c{number}\u{1b}"), false)).collect();
        let catalogue = Catalogue::new(commands, Some("!"));
        let lines = help(&catalogue).overview();
        assert!(lines.len() < 80 && !lines.concat().contains('\u{1b}'));
        assert_eq!(lines.last().map(String::as_str), Some("  ... and 8800 more"));
        let lines = help(&catalogue).about("all");
        assert_eq!(lines.last().map(String::as_str), Some("  ... and 8500 more"));
    }
}
