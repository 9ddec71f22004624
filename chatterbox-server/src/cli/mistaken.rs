//! Words that were meant as something else: a port without `-p`, a command that there is none of.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args as _, Subcommand as _};

use crate::cli::settings::Serve;
use crate::cli::subcommand::Command;

fn commands() -> Vec<String> {
    let program = Command::augment_subcommands(clap::Command::new("chatterbox-server"));
    program.get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// What helps when a word was taken for the host to listen on, and is none.
pub fn meant(host: &str) -> Option<String> {
    if host.contains(['.', ':']) {
        return None;
    }
    let commands = commands();
    let likeness = |command: &String| strsim::jaro_winkler(host, command);
    let nearest = commands.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    Some(match nearest.filter(|nearest| likeness(nearest) > 0.8) {
        Some(nearest) => format!("did you mean the command? chatterbox-server {nearest}"),
        None => format!(
            "the first word is the host to listen on, such as localhost or 0.0.0.0, or one of the commands {}",
            commands.join(", ")
        ),
    })
}

/// One word too many on the command line: a message and a hint in place of the parser's.
pub fn one_too_many(arguments: &[OsString], error: &clap::Error) -> Option<(String, String)> {
    // The parser takes the second word for a command, and says so in words that help nobody.
    let kinds =
        [ErrorKind::UnknownArgument, ErrorKind::ArgumentConflict, ErrorKind::InvalidSubcommand];
    if !kinds.contains(&error.kind()) {
        return None;
    }
    let words = words(arguments);
    let (Some(host), Some(word)) = (words.first(), words.get(1)) else { return None };
    if commands().iter().any(|command| command == host || command == word) {
        return None;
    }
    if word.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some((
            format!("the port {word} is given with -p"),
            format!("run: chatterbox-server {host} -p {word}"),
        ));
    }
    let message = format!("{word:?} is one word too many");
    let hint = meant(host).filter(|_| *host != "localhost");
    let one = || "one host is enough: every address that it stands for is used".to_owned();
    Some((message, hint.unwrap_or_else(one)))
}

/// The words that are neither options nor their values.
fn words(arguments: &[OsString]) -> Vec<&str> {
    let options = Serve::augment_args(clap::Command::new("chatterbox-server"));
    let takes_value = |flag: &str| {
        options.get_arguments().any(|option| {
            let long = option.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long));
            let short = option.get_short().is_some_and(|short| flag == format!("-{short}"));
            (long || short) && option.get_action().takes_values()
        })
    };
    let mut words = Vec::new();
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        match argument.to_str() {
            Some(flag) if flag.starts_with('-') && takes_value(flag) => {
                rest.next();
            }
            Some(flag) if flag.starts_with('-') => {}
            Some(word) => words.push(word),
            None => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command_line::parser;

    fn told(line: &[&str]) -> Option<(String, String)> {
        let line: Vec<_> =
            [&["chatterbox-server"], line].concat().iter().map(OsString::from).collect();
        one_too_many(&line, &parser().try_get_matches_from(&line).unwrap_err())
    }

    #[test]
    fn a_port_without_its_flag_is_told_as_a_line_that_works() {
        let (message, hint) = told(&["localhost", "5000"]).unwrap();
        assert_eq!(message, "the port 5000 is given with -p");
        assert_eq!(hint, "run: chatterbox-server localhost -p 5000");
        assert_eq!(
            told(&["--memory", "::1", "5000"]).unwrap().1,
            "run: chatterbox-server ::1 -p 5000"
        );
    }

    #[test]
    fn a_word_that_is_no_command_is_answered_with_those_that_there_are() {
        assert!(told(&["status", "now"]).unwrap().1.contains("backup, export, user"));
        assert!(told(&["localhost", "now"]).unwrap().1.contains("one host is enough"));
        assert_eq!(told(&["backup", "a", "b"]), None);
        assert_eq!(told(&["localhost", "--nonsense"]), None);
        assert!(meant("status").unwrap().contains("commands backup, export"));
        assert_eq!(meant("bakcup").unwrap(), "did you mean the command? chatterbox-server backup");
        assert_eq!(meant("chat.example"), None);
    }
}
