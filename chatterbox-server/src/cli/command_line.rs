//! The command line as a whole: serving with its settings, or a subcommand.

use chatterbox_manual::ManualArguments;
use clap::{CommandFactory as _, Parser};

use crate::cli::settings::Serve;
use crate::cli::subcommand::Command;
use crate::cli::{exit, schema};

const EXAMPLES: &str = "\
Examples:
  chatterbox-server localhost -p 5000
      Chat on this machine; certificates are made on first use.
  chatterbox-server 0.0.0.0 -p 5000 --cert chat.crt --key chat.key
      Chat for everybody who can reach this machine, with a certificate of yours.
  chatterbox-server localhost -p 0 --plaintext --memory
      Any free port, without TLS, and nothing is kept: for experiments only.
  chatterbox-server backup monday.db
      Copies the messages, also of a server that is running, into a new file.
  chatterbox-server user add ann --level moderator
      Makes an account; the password is asked for.
  chatterbox-server status
      Who is here, and how the server is doing that runs on this machine; `kick`, `ban`,
      `announce`, `reload` and `stop` control it.

Settings:
  Every option is also an environment variable (CHATTERBOX_MAX_FRAME) and a key of the
  configuration file (max-frame = 65536); the command line comes first, then the environment,
  then the file. `chatterbox-server config` shows what is in force and where it comes from,
  `chatterbox-server config --sample` prints a file to begin with.

Signals:
  SIGINT or SIGTERM says good bye to everybody and stops after --grace seconds, a second one at
  once; SIGHUP reads the configuration file and the certificates again. `stop` and `reload` do the
  same, and say what came of it. SIGUSR1 and SIGUSR2 write a line of status into the log.";

/// Hosts a chat: a 4-byte length, then JSON, inside TLS.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{}", exit::HELP)
)]
pub struct Cli {
    /// The task, where it is not serving.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// The settings for serving.
    #[command(flatten)]
    pub serve: Serve,

    /// Completions and manual pages, which are no settings.
    #[command(flatten)]
    pub manual: ManualArguments,
}

/// The parser of the command line and the environment. `Cli::parse` would know no environment.
pub fn parser() -> clap::Command {
    schema::with_environment(Cli::command())
}

#[cfg(test)]
mod tests {
    use chatterbox_server::net::CertificateSource;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        parser().debug_assert();
    }

    #[test]
    fn the_line_of_the_readme_is_understood() {
        let cli = Cli::parse_from(["chatterbox-server", "localhost", "-p", "5000"]);
        assert_eq!((cli.serve.host.as_str(), cli.serve.port), ("localhost", 5000));
        assert!(matches!(cli.serve.certificate(), Some(CertificateSource::Local { .. })));
        assert!(cli.serve.store().is_some(), "messages are kept unless somebody says no");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            &["-p", "70000"][..],
            &["--key", "k"],
            &["--plaintext", "--cert", "c"],
            &["--memory", "--data", "d"],
            &["--join-timeout", "0"],
            &["--grace", "-1"],
            &["--hold-name", "-1"],
            &["--max-frame", "10"],
            &["--keep-bytes", "x"],
            &["--keep-bytes", "83886081"],
            &["--keep-days", "0"],
            &["--no-limits", "--max-connections", "5"],
            &["--log", "wran"],
            &["--log", "info,rustls"],
            &["backup"],
            &["--guests", "perhaps"],
            &["user"],
            &["user", "add"],
            &["user", "add", "ann", "secret"],
            &["user", "add", "ann", "--level", "0"],
            &["user", "level", "ann", "6"],
        ] {
            let line = std::iter::once(&"chatterbox-server").chain(line);
            assert!(Cli::try_parse_from(line.clone()).is_err(), "{:?}", line.collect::<Vec<_>>());
        }
    }
}
