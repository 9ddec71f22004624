//! Whether completions and pages name every flag.

use std::collections::HashSet;
use std::io;

use clap::{Command, ValueEnum as _};
use clap_complete::Shell;

use crate::{completions, pages};

/// The visible flags that a completion or the page of their command does not name, each with what lacks it.
///
/// # Errors
/// Those of [`completions()`] and [`pages()`].
pub fn unnamed(command: &Command) -> io::Result<Vec<String>> {
    let mut built = command.clone().disable_help_subcommand(true);
    built.build();
    let flags = flags(&built);
    let mut missing = Vec::new();
    for shell in Shell::value_variants() {
        let script = String::from_utf8_lossy(&completions(command, *shell)?).into_owned();
        let words = words(&script);
        for (_, flag) in &flags {
            let named = match shell {
                // It has the dashes in a word of its own.
                Shell::Fish => script.lines().any(|line| has_pair(line, "-l", flag)),
                _ => words.contains(format!("--{flag}").as_str()),
            };
            if !named {
                missing.push(format!("{shell}: --{flag}"));
            }
        }
    }
    let pages = pages(command)?;
    for (file, flag) in &flags {
        let page = pages.iter().find(|page| page.file == *file);
        let text = page.map(|page| String::from_utf8_lossy(&page.text).into_owned());
        let plain = text.unwrap_or_default().replace("\\-", "-").replace("\\fB", " ");
        if !words(&plain.replace("\\fR", " ")).contains(format!("--{flag}").as_str()) {
            missing.push(format!("{file}: --{flag}"));
        }
    }
    Ok(missing)
}

/// The visible flags of a command and of those below it, without their dashes, each with the file of its page.
fn flags(command: &Command) -> Vec<(String, String)> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let visible = command.get_arguments().filter(|arg| !arg.is_hide_set());
    let flags = visible.filter_map(|arg| arg.get_long());
    let mut all: Vec<_> = flags.map(|flag| (format!("{name}.1"), flag.to_owned())).collect();
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    all.extend(below.flat_map(self::flags));
    all
}

/// The words of a text that may be flags.
fn words(text: &str) -> HashSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').collect()
}

/// Whether a line has these two words, one behind the other.
fn has_pair(line: &str, first: &str, second: &str) -> bool {
    let words = line.split_whitespace();
    words.clone().zip(words.skip(1)).any(|pair| pair == (first, second))
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    #[test]
    fn what_is_hidden_is_not_asked_for_and_what_is_there_is_found() {
        let arg = |name: &'static str| Arg::new(name).long(name);
        let below = Command::new("below").arg(arg("deep").help("It's deep: [really]"));
        let command = Command::new("example")
            .arg(arg("web"))
            .arg(arg("web-host").hide(true))
            .subcommand(below);
        assert_eq!(unnamed(&command).unwrap(), [""; 0]);
        let mut built = command.disable_help_subcommand(true);
        built.build();
        let flags: Vec<_> =
            flags(&built).into_iter().map(|(file, flag)| file + " " + &flag).collect();
        let expected =
            ["example.1 web", "example.1 help", "example-below.1 deep", "example-below.1 help"];
        assert_eq!(flags, expected);
    }

    #[test]
    fn a_flag_that_begins_another_one_is_not_taken_for_it() {
        assert!(!words("--web-host").contains("--web"));
        assert!(has_pair("complete -l web -d x", "-l", "web"));
        assert!(!has_pair("complete -l web-host", "-l", "web"));
    }
}
