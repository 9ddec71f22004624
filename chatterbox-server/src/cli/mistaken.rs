//! Words that were meant as something else: a port without `-p`, a command that there is none of, a client's flag.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args as _, Subcommand as _};

use crate::cli::settings::Serve;
use crate::cli::subcommand::Command;

fn commands() -> Vec<String> {
    let program = Command::augment_subcommands(clap::Command::new("chatterbox-server"));
    program.get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// The command that a word is nearly the name of. Hosts have dots, ports have colons, and `localhost` is what most type.
fn nearest(word: &str) -> Option<String> {
    if word.contains(['.', ':']) || word == "localhost" {
        return None;
    }
    // A letter more, less, other or swapped, or two of them in a long word.
    let most = if word.chars().count() > 4 { 2 } else { 1 };
    let distance = |command: &String| strsim::damerau_levenshtein(word, command);
    let near = commands().into_iter().map(|command| (distance(&command), command));
    near.filter(|(distance, _)| *distance <= most).min().map(|(_, command)| command)
}

/// What is said to a word that is no host and nearly a command: a message and a hint.
pub fn mistyped(word: &str) -> Option<(String, String)> {
    let command = nearest(word)?;
    let message = format!("there is no command {word:?}; did you mean {command}?");
    let hint = format!("`chatterbox-server {command} --help` says what it does");
    Some((message, hint))
}

/// What the parser says is wrong, with the values that are possible, in one line. What comes behind is about the usage of the command
/// line.
pub fn problem(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let lines: Vec<_> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    let line = lines.join(" ");
    line.strip_prefix("error: ").unwrap_or(&line).to_owned()
}

/// What helps when a word was taken for the host to listen on, and is none.
pub fn meant(host: &str) -> Option<String> {
    if host.contains(['.', ':']) {
        return None;
    }
    Some(format!(
        "the first word is the host to listen on, such as localhost or 0.0.0.0, or one of the commands {}",
        commands().join(", ")
    ))
}

/// What the parser has no good words for: a message and a hint in place of its own.
pub fn misunderstood(arguments: &[OsString], error: &clap::Error) -> Option<(String, String)> {
    if is_of_words(error)
        && let Some(told) = words(arguments).first().and_then(|word| mistyped(word))
        && !commands().iter().any(|command| words(arguments).first() == Some(&command.as_str()))
    {
        return Some(told);
    }
    if error.kind() == ErrorKind::UnknownArgument {
        let options = Serve::augment_args(clap::Command::new("chatterbox-server"));
        let long =
            |name: &str| options.get_arguments().any(|option| option.get_long() == Some(name));
        let short =
            |letter| options.get_arguments().any(|option| option.get_short() == Some(letter));
        let flags = arguments.iter().skip(1).filter_map(|argument| argument.to_str());
        for flag in flags.take_while(|flag| *flag != "--").filter(|flag| flag.starts_with('-')) {
            let flag = flag.split('=').next().unwrap_or(flag);
            if flag == "-ca" || flag == "--ca" {
                let message = format!("{flag} tells a client whom to trust; this is the server");
                let hint = "its own certificate is given with --cert FILE and --key FILE; without them it makes one";
                return Some((message, hint.to_owned()));
            }
            match (flag.strip_prefix("--"), flag.strip_prefix('-')) {
                (Some(name), _) if long(name) => {}
                (None, Some(name)) if name.chars().nth(1).is_some() && long(name) => {
                    return Some((format!("{flag} needs two dashes"), format!("write --{name}")));
                }
                (None, Some(name)) if name.chars().next().is_some_and(short) => {}
                // The parser knows what resembles it.
                _ => return None,
            }
        }
    }
    one_too_many(arguments, error)
}

/// Whether the parser may have taken one word for another: the second one for a command, and says so in words that help nobody.
fn is_of_words(error: &clap::Error) -> bool {
    let kinds =
        [ErrorKind::UnknownArgument, ErrorKind::ArgumentConflict, ErrorKind::InvalidSubcommand];
    kinds.contains(&error.kind())
}

/// One word too many on the command line.
fn one_too_many(arguments: &[OsString], error: &clap::Error) -> Option<(String, String)> {
    if !is_of_words(error) {
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
        misunderstood(&line, &parser().try_get_matches_from(&line).unwrap_err())
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
    fn a_flag_of_the_client_or_with_one_dash_is_told() {
        for flag in ["-ca", "--ca", "-ca=x.crt"] {
            let (message, hint) = told(&["localhost", flag, "x.crt"]).unwrap();
            assert!(
                message.contains("this is the server") && hint.contains("--cert FILE"),
                "{message}"
            );
        }
        let (message, hint) = told(&["localhost", "-cert", "x.crt"]).unwrap();
        assert_eq!((message.as_str(), hint.as_str()), ("-cert needs two dashes", "write --cert"));
        assert_eq!(told(&["localhost", "--certt", "x.crt"]), None);
        assert_eq!(told(&["localhost", "-x", "5000"]), None);
        assert!(told(&["localhost", "-p5001", "5000"]).unwrap().1.contains("-p 5000"));
    }

    #[test]
    fn a_word_that_is_no_command_is_answered_with_those_that_there_are() {
        assert!(told(&["dance", "now"]).unwrap().1.contains("backup, export, user"));
        assert!(told(&["localhost", "now"]).unwrap().1.contains("one host is enough"));
        assert_eq!(told(&["backup", "a", "b"]), None);
        assert_eq!(told(&["localhost", "--nonsense"]), None);
        assert!(meant("dance").unwrap().contains("commands backup, export"));
        assert_eq!(meant("chat.example"), None);
    }

    #[test]
    fn a_word_that_is_nearly_a_command_is_told_which() {
        for (word, command) in [
            ("statsu", "status"),
            ("bakcup", "backup"),
            ("kik", "kick"),
            ("anounce", "announce"),
            ("reloda", "reload"),
        ] {
            let (message, _) = mistyped(word).unwrap();
            assert_eq!(message, format!("there is no command {word:?}; did you mean {command}?"));
        }
        for word in ["localhost", "stage", "chat", "10.0.0.1", "::1", "a", "backup.example"] {
            assert_eq!(mistyped(word), None, "{word}");
        }
        for line in
            [&["statsu", "--json"][..], &["kik", "bob", "spam"], &["anounce", "we", "close"]]
        {
            assert!(told(line).unwrap().0.starts_with("there is no command"), "{line:?}");
        }
        assert_eq!(told(&["kick"]), None, "the parser says what is missing");
        assert_eq!(told(&["status", "--nonsense"]), None);
    }
}
