//! The command line. Each flag is one field: its name, default, conflicts and help are written here and nowhere else.
//!
//! The assignment writes `-ca FILE` with one dash, which clap can't parse. `with_long_ca` rewrites it before.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use chatterbox_address::{AddressError, Contradiction, HostPort};
use chatterbox_manual::{ManualArguments, ManualError};
use chatterbox_proto::ScreenText;
use chatterbox_proto::limits::RECENT;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgGroup, CommandFactory as _, FromArgMatches as _, Parser, ValueEnum};
use serde::Deserialize;

use crate::exit::Exit;
use crate::net::Fingerprint;

/// Talk to a Chatterbox server, or to any server of the base protocol.
#[derive(Debug, Clone, PartialEq, Eq, Parser)]
#[command(name = "chatterbox-client", version, max_term_width = 100, after_help = after_help())]
#[command(group(ArgGroup::new("trust").args(["ca", "pin", "insecure", "plaintext"])))]
pub struct Arguments {
    /// The server: its name in the configuration, a name or an address; HOST:PORT is taken, too.
    #[arg(default_value = "localhost", value_parser = parse_host)]
    pub host: String,

    /// The server's port.
    #[arg(short, long, default_value_t = 9000, value_parser = clap::value_parser!(u16).range(1..))]
    pub port: u16,

    /// Trust the server with this certificate, or certified by this authority (PEM); `-ca FILE` works too. Without it: the
    /// system's authorities.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<PathBuf>,

    /// Trust the one certificate with this fingerprint (SHA-256, hexadecimal), whatever is written in it.
    #[arg(long, value_name = "SHA256")]
    pub pin: Option<Fingerprint>,

    /// Trust any certificate. Whoever is between you and the server can read and change everything.
    #[arg(long)]
    pub insecure: bool,

    /// No TLS at all. Everybody on the way can read and change everything.
    #[arg(long)]
    pub plaintext: bool,

    /// Join under this name instead of asking for one.
    #[arg(short, long, value_name = "NAME")]
    pub username: Option<String>,

    /// Join under the name that this environment variable has, where it has one; otherwise ask. LOGNAME is the user of this
    /// machine.
    #[arg(long, value_name = "VARIABLE", conflicts_with = "username")]
    pub username_from_env: Option<String>,

    /// Be the command of an SSH session (`ForceCommand`): tell the server from where it comes, which the server has to allow by its
    /// `--trust-proxy`, and be `--restricted`.
    #[arg(long, conflicts_with_all = ["remember", "print_config"])]
    pub ssh_session: bool,

    /// Let nobody get out of the chat: no editor, no suspending, no program for links, no files.
    #[arg(long)]
    pub restricted: bool,

    /// Report whatever the server does otherwise than the protocol says.
    #[arg(long)]
    pub strict: bool,

    /// Speak the base protocol only: offer the server nothing beyond it.
    #[arg(long)]
    pub base: bool,

    /// Do not let the server compress long frames, and compress none.
    #[arg(long)]
    pub no_compression: bool,

    /// Write every event as one JSON object a line, for programs.
    #[arg(long)]
    pub json: bool,

    /// Line by line on a terminal, too: for screen readers, and for whoever likes it. `CHATTERBOX_PLAIN=1` says the same.
    #[arg(long, conflicts_with = "json")]
    pub plain: bool,

    /// The colours of the full screen.
    #[arg(long, value_name = "NAME")]
    pub theme: Option<Theme>,

    /// Begin in this room; you join it if you are not in it.
    #[arg(long, value_name = "NAME")]
    pub room: Option<String>,

    /// Read the configuration from this file, not from `client.toml` in your configuration folder.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Write a configuration with every default, and explanations, and end.
    #[arg(long)]
    pub print_config: bool,

    /// Write the page of the keys, and end.
    #[arg(long, hide = true)]
    pub print_keys: bool,

    /// Show what is said in every room at once, not only in the one in front. Through pipes it is so anyway.
    #[arg(long)]
    pub all_rooms: bool,

    /// How many messages to ask for when you come, of what was said before: 200 on a terminal, all through pipes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=i64::from(RECENT)))]
    pub recent: Option<u16>,

    /// The password of a registered name is the first line of this file; others must not be able to read it.
    #[arg(long, value_name = "FILE", conflicts_with = "base")]
    pub password_file: Option<PathBuf>,

    /// The password of a registered name is the first line of the input (not on a terminal, where it is asked for).
    #[arg(long, conflicts_with_all = ["password_file", "base"])]
    pub password_stdin: bool,

    /// Stay logged in: keep what the server gives for that in your state folder, where only you can read it.
    #[arg(long, conflicts_with_all = ["base", "insecure", "plaintext"])]
    pub remember: bool,

    /// How long a lost connection is tried again, where the server can go on with a session [default: 300, and as long as the server has said that it is away, an hour at most]
    #[arg(long, value_name = "SECONDS")]
    pub reconnect_for: Option<u64>,

    /// End when the connection is lost.
    #[arg(long, conflicts_with = "reconnect_for")]
    pub no_reconnect: bool,

    /// Completions and manual pages.
    #[command(flatten)]
    pub manual: ManualArguments,

    /// Whether the port was given, in whatever way.
    #[arg(skip)]
    pub(crate) port_given: bool,
}

/// The colours of the full screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// The sixteen colours of the terminal.
    #[default]
    Default,
    /// For a light background.
    Light,
    /// For a dark background.
    Dark,
    /// Black, white and a few strong colours.
    HighContrast,
    /// No colours, as `NO_COLOR` asks for.
    Mono,
}

impl Arguments {
    /// Parses a command line, the program's name included.
    ///
    /// # Errors
    /// clap's error, which also carries the texts of `--help` and `--version`.
    pub fn parse_line(
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
    ) -> Result<Self, clap::Error> {
        let line: Vec<_> = with_long_ca(arguments.into_iter().map(Into::into)).collect();
        let mut command = Self::command();
        let matches = command
            .try_get_matches_from_mut(&line)
            .map_err(|error| with_port_hint(error, &line))?;
        let mut parsed = Self::from_arg_matches(&matches)?;
        let flag = matches.value_source("port") == Some(ValueSource::CommandLine);
        parsed.split_host(flag).map_err(|error| {
            clap::Error::raw(ErrorKind::ArgumentConflict, format!("{error}; give it once\n"))
                .format(&mut command)
        })?;
        Ok(parsed)
    }

    /// Writes what `--completions` and `--man` ask for.
    ///
    /// # Errors
    /// [`ManualError`].
    pub(crate) fn write_manual(&self, output: &mut dyn io::Write) -> Result<(), ManualError> {
        self.manual.write(&Self::command(), output)
    }

    /// Takes the port off the host, if there is one behind it.
    fn split_host(&mut self, flag: bool) -> Result<(), Contradiction> {
        // The parser has accepted it.
        let Ok(given) = self.host.parse::<HostPort>() else { return Ok(()) };
        self.port_given = flag || given.port.is_some();
        self.port = given.port_with(flag.then_some(self.port))?.unwrap_or(self.port);
        self.host = given.host;
        Ok(())
    }
}

/// Tells whoever writes the port as a second word how it is given.
fn with_port_hint(mut error: clap::Error, line: &[OsString]) -> clap::Error {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg)
        && error.kind() == ErrorKind::UnknownArgument
        && word.parse::<u16>().is_ok_and(|port| port != 0)
    {
        let mut words = vec!["chatterbox-client".to_owned()];
        for argument in line.iter().skip(1) {
            words.extend((argument == word.as_str()).then(|| "-p".to_owned()));
            words.push(ScreenText::new(&argument.to_string_lossy()).to_string());
        }
        let hint = ContextValue::StyledStrs(vec![format!("run: {}", words.join(" ")).into()]);
        error.insert(ContextKind::Suggested, hint);
    }
    error
}

/// Turns `-ca FILE` and `-ca=FILE` into `--ca`, up to a `--`.
fn with_long_ca(arguments: impl Iterator<Item = OsString>) -> impl Iterator<Item = OsString> {
    let mut options = true;
    arguments.map(move |argument| {
        let Some(text) = argument.to_str() else {
            return argument;
        };
        options &= text != "--";
        if options && (text == "-ca" || text.starts_with("-ca=")) {
            return format!("-{text}").into();
        }
        argument
    })
}

/// A host, and the port if it is behind it, as it is printed again.
fn parse_host(text: &str) -> Result<String, String> {
    let given: HostPort = text.parse().map_err(|error: AddressError| error.to_string())?;
    if given.port == Some(0) {
        return Err("no server has the port 0".to_owned());
    }
    Ok(given.to_string())
}

fn after_help() -> String {
    let mut text = String::from(
        "\
Examples:
  chatterbox-client localhost -p 5000 -ca certs/ca.crt
      Chat with the server on this machine; it made certs/ca.crt when it was started first.
  chatterbox-client chat.example.org --username ann
      A server whose certificate the system trusts anyway.
  chatterbox-client work
      A server by its name in the configuration; `--print-config` shows what can be in it.
  printf 'ann\\nhello\\n@bob psst\\n' | chatterbox-client localhost -p 5000 -ca ca.crt
      Through pipes: the first line is the name, each further line is sent. What is said goes to
      the output, everything about the program to the error output. After the last line it waits
      until that line has come back, or for a second, and leaves.
  chatterbox-client old.example.org --pin 5C:0D:9F:...
      A server with an old or home-made certificate, known by its fingerprint.
  printf 'nightly build is done\\n' | chatterbox-client chat.example.org -u bot \\
      --password-file ~/.config/bot.password
      A name that is registered. --json makes what comes back easy to read for a script.

In the chat:
  text            say it to everybody        @NAME text      say it to NAME only
  /users          who is here                /name           under which name you are here
  /help           this list                  /quit           leave (so do Ctrl-D, and Ctrl-C twice)
  //text          a message that starts with a slash (@@text: with an @)
  #ROOM text      say it in a room           /room #ROOM     lines go there (/room ALL: to everybody)
  /send PATH      send a file there          /save           fetch the last file that came
  /cancel         give up what is on its way
  Servers may add commands, such as /register; /help lists them and /help NAME explains one. What a
  command asks is answered on the next line; passwords are not shown. /history shows older messages.

A server that can (ours can) confirms every message. When such a connection is lost, the client
comes back by itself, shows what was missed and sends what was not confirmed, nothing twice.

Exit codes:
",
    );
    for exit in Exit::ALL {
        // Writing to a String can't fail.
        let _ = writeln!(text, "  {:>3}  {}", exit.code(), exit.meaning());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, ErrorKind> {
        let line = format!("chatterbox-client {line}");
        Arguments::parse_line(line.split_whitespace()).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_form_of_the_authority_is_understood() {
        let with =
            |host: &str, port, ca: Option<&str>| Ok((host.to_owned(), port, ca.map(PathBuf::from)));
        let table = [
            ("", with("localhost", 9000, None)),
            ("example.org", with("example.org", 9000, None)),
            // This program has no subcommands: whatever stands there is a host.
            ("completions", with("completions", 9000, None)),
            ("man -p 5000", with("man", 5000, None)),
            ("bash -ca ca.crt", with("bash", 9000, Some("ca.crt"))),
            ("host --completions tcsh", Err(ErrorKind::InvalidValue)),
            ("host -p 5000 -ca ca.crt", with("host", 5000, Some("ca.crt"))),
            ("host -p 5000 -ca=ca.crt", with("host", 5000, Some("ca.crt"))),
            ("host -p 5000 --ca ca.crt", with("host", 5000, Some("ca.crt"))),
            ("host -p 5000 --ca=ca.crt", with("host", 5000, Some("ca.crt"))),
            ("-ca ca.crt host -p 5000", with("host", 5000, Some("ca.crt"))),
            ("-ca ca.crt -p5000 host", with("host", 5000, Some("ca.crt"))),
            ("-p=5000 -ca -- host", Err(ErrorKind::InvalidValue)),
            ("--port 5000 -ca a=b.crt host", with("host", 5000, Some("a=b.crt"))),
            ("-ca=a=b.crt", with("localhost", 9000, Some("a=b.crt"))),
            ("-p 5000 -- host", with("host", 5000, None)),
            ("-- -ca", with("-ca", 9000, None)),
            ("-- -ca ca.crt", Err(ErrorKind::UnknownArgument)),
            ("host -ca", Err(ErrorKind::InvalidValue)),
            ("host -cafile", Err(ErrorKind::UnknownArgument)),
            ("host -c", Err(ErrorKind::UnknownArgument)),
            ("[::1]", with("::1", 9000, None)),
            ("::1", with("::1", 9000, None)),
            ("fe80::1%eth0", with("fe80::1%eth0", 9000, None)),
            ("host:5000", with("host", 5000, None)),
            ("host:5000 -p 5000", with("host", 5000, None)),
            ("host:5000 -p 5001", Err(ErrorKind::ArgumentConflict)),
            ("host:9000 -p 5001", Err(ErrorKind::ArgumentConflict)),
            ("[::1]:5000", with("::1", 5000, None)),
            ("bücher.example:5000", with("xn--bcher-kva.example", 5000, None)),
            ("host:0", Err(ErrorKind::ValueValidation)),
            ("https://host", Err(ErrorKind::ValueValidation)),
            ("5000", Err(ErrorKind::ValueValidation)),
            ("host -p 0", Err(ErrorKind::ValueValidation)),
            ("host -p 65536", Err(ErrorKind::ValueValidation)),
            ("host other", Err(ErrorKind::UnknownArgument)),
        ];
        for (line, expected) in table {
            let parsed = parse(line).map(|got| (got.host, got.port, got.ca));
            assert_eq!(parsed, expected, "chatterbox-client {line}");
        }
    }

    #[test]
    fn a_port_as_a_second_word_is_told_how_it_is_given() {
        let told = |line: &str| {
            let line = format!("chatterbox-client {line}");
            Arguments::parse_line(line.split_whitespace()).unwrap_err().to_string()
        };
        for (line, run) in [
            ("localhost 5731", "run: chatterbox-client localhost -p 5731\n"),
            (
                "-ca ca.crt host 5731 -u ann",
                "run: chatterbox-client --ca ca.crt host -p 5731 -u ann\n",
            ),
        ] {
            assert!(told(line).contains(run), "{}", told(line));
        }
        for line in ["host other", "host 0", "host 65536", "host --5731"] {
            assert!(!told(line).contains("run: "), "{}", told(line));
        }
    }

    #[test]
    fn there_is_one_way_to_trust() {
        let pin = "5c".repeat(32);
        for (line, works) in [
            ("--plaintext".to_owned(), true),
            ("--insecure".to_owned(), true),
            (format!("--pin {pin}"), true),
            ("--pin 5c".to_owned(), false),
            ("--plaintext --insecure".to_owned(), false),
            (format!("--pin {pin} -ca ca.crt"), false),
            ("--insecure -ca ca.crt".to_owned(), false),
        ] {
            assert_eq!(parse(&line).is_ok(), works, "chatterbox-client {line}");
        }
    }

    #[test]
    fn a_short_welcome_is_within_the_bounds_of_the_norm() {
        assert_eq!(parse("").map(|got| got.recent), Ok(None));
        assert_eq!(parse("--recent 0").map(|got| got.recent), Ok(Some(0)));
        assert_eq!(parse("--recent 1000").map(|got| got.recent), Ok(Some(1000)));
        assert_eq!(parse("--recent 1001"), Err(ErrorKind::ValueValidation));
    }

    #[test]
    fn completions_and_the_page_name_every_flag() {
        assert_eq!(chatterbox_manual::check::unnamed(&Arguments::command()).unwrap(), [""; 0]);
    }

    #[test]
    fn the_help_teaches() {
        let help = Arguments::command().render_help().to_string();
        for part in ["-ca certs/ca.crt", "Exit codes:", "  69  ", "@NAME text", "--pin <SHA256>"] {
            assert!(help.contains(part), "{part} in {help}");
        }
    }
}
