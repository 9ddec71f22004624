//! The names of commands: those of this program, then those of the server.

use super::completion::{CANDIDATES, Completion, begins};
use super::vocabulary::Vocabulary;
use crate::commands::SLASH;
use crate::own::Own;

/// How well a name fits to what was typed; the smaller, the better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Exact,
    Begins,
    AliasBegins,
    Contains,
}

/// A command that fits.
struct Fit<'v> {
    rank: Rank,
    name: &'v str,
    takes_arguments: bool,
    usage: String,
    help: &'v str,
}

impl Vocabulary {
    /// The commands that can follow this prefix; `sign` is what stands before the inserted name, `behind` whether a blank follows
    /// where the command has arguments.
    pub(super) fn add_commands(
        &self,
        prefix: &str,
        sign: &str,
        typed: &str,
        behind: bool,
        into: &mut Completion,
    ) {
        let mut fits = Vec::new();
        if prefix == SLASH {
            fits.extend(self.own().filter_map(|own| {
                let rank = rank(own.name, &[], typed)?;
                let usage = own.usage.to_owned();
                let takes_arguments = !own.arguments.is_empty();
                Some(Fit { rank, name: own.name, takes_arguments, usage, help: own.help })
            }));
        }
        if let Some(catalogue) = self.catalogue.as_deref().filter(|c| c.prefix() == prefix) {
            let is_own = |name: &str| prefix == SLASH && self.own().any(|own| own.name == name);
            let mut theirs: Vec<_> = catalogue
                .commands()
                .iter()
                .filter(|command| !is_own(&command.name) && (!command.demo || !typed.is_empty()))
                .filter_map(|command| {
                    Some((rank(&command.name, &command.aliases, typed)?, command))
                })
                .collect();
            theirs.sort_by(|(rank, one), (other, two)| (rank, &one.name).cmp(&(other, &two.name)));
            fits.extend(theirs.into_iter().take(CANDIDATES).map(|(rank, command)| Fit {
                rank,
                name: &command.name,
                takes_arguments: !command.arguments.is_empty(),
                usage: catalogue.usage(command),
                help: &command.help,
            }));
        }
        fits.sort_by(|one, other| (one.rank, one.name).cmp(&(other.rank, other.name)));
        for fit in fits {
            let blank = if behind && fit.takes_arguments { " " } else { "" };
            into.add(&format!("{sign}{}", fit.name), blank, &fit.usage, fit.help);
        }
    }

    /// The commands of this program that there are now.
    pub(super) fn own(&self) -> impl Iterator<Item = &'static Own> {
        Own::there_are(self.has)
    }
}

fn rank(name: &str, aliases: &[String], typed: &str) -> Option<Rank> {
    if name.is_empty() {
        return None;
    }
    let is = |name: &str| name.eq_ignore_ascii_case(typed);
    let alias = |fits: &dyn Fn(&str) -> bool| aliases.iter().any(|alias| fits(alias));
    if is(name) || alias(&is) {
        Some(Rank::Exact)
    } else if begins(name, typed) {
        Some(Rank::Begins)
    } else if alias(&|alias| begins(alias, typed)) {
        Some(Rank::AliasBegins)
    } else {
        // One letter or two are in nearly all of them.
        let is_in = typed.len() > 2 && name.to_lowercase().contains(&typed.to_lowercase());
        is_in.then_some(Rank::Contains)
    }
}
