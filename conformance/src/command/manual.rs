//! `--completions` and `--man`: what shells and `man` are told, made of the definition of the command line.
#![allow(clippy::disallowed_methods, reason = "the edge: writes the pages into a folder")]

use std::{io, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Command};
use clap_complete::{Generator as _, Shell};
use clap_mangen::{
    Man,
    roff::{Roff, roman},
};

use super::say;

/// What the program writes about itself.
#[derive(Debug, Args)]
#[group(skip)]
pub(crate) struct Manual {
    /// Print the completions of this command line for a shell, and end.
    #[arg(long, value_name = "SHELL", help_heading = "Installing")]
    completions: Option<Shell>,
    /// Write the manual pages into this folder, and end.
    #[arg(long, value_name = "DIR", help_heading = "Installing")]
    man: Option<PathBuf>,
}

impl Manual {
    /// Whether one of the flags is given, so that nothing else is done.
    pub(crate) const fn is_asked(&self) -> bool {
        self.completions.is_some() || self.man.is_some()
    }

    /// Writes what is asked for.
    pub(crate) fn write(&self, command: &Command) -> anyhow::Result<u8> {
        if let Some(shell) = self.completions {
            say::print(completions(command, shell)?)?;
        }
        if let Some(folder) = &self.man {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("can't make {}", folder.display()))?;
            for (name, page) in pages(command)? {
                let file = folder.join(name);
                std::fs::write(&file, page)
                    .with_context(|| format!("can't write {}", file.display()))?;
            }
        }
        Ok(0)
    }
}

/// The script with which a shell completes a command line.
pub(crate) fn completions(command: &Command, shell: Shell) -> io::Result<String> {
    let mut command = command.clone();
    let name = command.get_name().to_owned();
    command.set_bin_name(name);
    command.build();
    let mut script = Vec::new();
    shell.try_generate(&command, &mut script)?;
    String::from_utf8(script).map_err(io::Error::other)
}

/// The pages of a command and of those below it that are not hidden, each with the name of its file.
/// They hold no date, so the same command gives the same pages.
pub(crate) fn pages(command: &Command) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut command = command.clone().disable_help_subcommand(true);
    command.build();
    let source = [command.get_name(), command.get_version().unwrap_or_default()].join(" ");
    let (mut pages, mut waiting) = (Vec::new(), vec![&command]);
    while let Some(command) = waiting.pop() {
        waiting.extend(command.get_subcommands().filter(|below| !below.is_hide_set()));
        pages.push(page(command, &source)?);
    }
    Ok(pages)
}

fn page(command: &Command, source: &str) -> io::Result<(String, Vec<u8>)> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    // What stands behind the options has its own form.
    let bare = command.clone().after_help(None::<&str>);
    // The library does not quote an empty word, which the date is.
    let man = Man::new(bare).title(name.to_uppercase()).date("\"\"").source(source);
    let mut text = Vec::new();
    man.manual("Chatterbox").render(&mut text)?;
    if let Some(after) = command.get_after_help() {
        notes(&after.to_string()).to_writer(&mut text)?;
    }
    Ok((format!("{name}.1"), text))
}

/// The text behind the options: `Examples:` and `Exit codes: 0 ...` begin sections, and lines that are
/// indented stay as they are.
fn notes(text: &str) -> Roff {
    let mut roff = Roff::new();
    for (at, paragraph) in text.split("\n\n").enumerate() {
        let (title, text) = match paragraph.split_once(':').filter(|(title, _)| is_title(title)) {
            Some(("Exit codes", text)) => (Some("EXIT STATUS".to_owned()), text),
            Some((title, text)) => (Some(title.to_uppercase()), text),
            None => ((at == 0).then(|| "NOTES".to_owned()), paragraph),
        };
        match title {
            Some(title) => roff.control("SH", [title.as_str()]),
            None => roff.control("PP", []),
        };
        let mut filled = true;
        for line in text.lines().filter(|line| !line.is_empty()) {
            if filled == line.starts_with("  ") {
                roff.control(if filled { "nf" } else { "fi" }, []);
                filled = !filled;
            }
            roff.text([roman(if filled { line.trim_start() } else { line })]);
        }
        if !filled {
            roff.control("fi", []);
        }
    }
    roff
}

/// Whether the words before a colon are a title and no sentence.
fn is_title(words: &str) -> bool {
    words.chars().all(|c| c.is_alphabetic() || c == ' ') && words.split(' ').count() <= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_keep_their_lines_and_exit_codes_are_a_section() {
        let text = "Examples:\n  one -a\n  two\n\nThis is a sentence: of two\nlines.\n\nExit codes: 0 good,\n1 not.";
        let expected = ".SH EXAMPLES\n.nf\n  one \\-a\n  two\n.fi\n.PP\nThis is a sentence: of two\nlines.\n\
            .SH \"EXIT STATUS\"\n0 good,\n1 not.\n";
        assert_eq!(notes(text).to_roff(), expected);
        assert_eq!(notes("only words").to_roff(), ".SH NOTES\nonly words\n");
    }
}
