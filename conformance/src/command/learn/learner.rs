//! Whoever learns: a server or a client, asked some cases at a time.

use anyhow::Context as _;
use conformance_kit::{escape, net::tls::Trust};
use conformance_suite::{
    Options, Report, RunError, Subject,
    learn::{CLIENT, NoStart, Path, SERVER},
    report::ONLY,
    run::{
        Watch,
        client::{self, Client, ClientError},
        server,
    },
};

use super::arguments::{LearnClient, LearnServer, Way};
use crate::command::{
    again::{Again, quoted},
    authorities::authorities,
    grade::Tls,
    grading::Failure,
    shared,
};

/// The subject, and how it is spoken to.
pub(super) struct Learner {
    side: Side,
    options: Options,
    /// The command that grades the whole subject, with a place for `--only`.
    again: String,
}

enum Side {
    Server(Subject),
    Client(Box<Client>),
}

/// Why there are no results.
pub(super) enum Obstacle {
    /// The program is not there or does not listen, which is where everybody begins.
    NoStart { no_start: NoStart, exit_code: u8 },
    /// Something that no change of the program mends.
    Failure(Failure),
}

impl Learner {
    pub(super) fn server(arguments: &LearnServer) -> anyhow::Result<Self> {
        let subject = match (&arguments.target, &arguments.spawn) {
            (Some(target), _) => Subject::Running(target.clone()),
            (None, Some(command)) => {
                Subject::Spawned { command: shared::startable(command)?, fresh: false }
            }
            (None, None) => anyhow::bail!(
                "which server? give --spawn 'COMMAND {{host}} {{port}}', or --target HOST:PORT; for a client: learn client -- COMMAND"
            ),
        };
        let trust = match &arguments.ca {
            None => Trust::Anything,
            Some(file) => Trust::Authority(authorities(file)?),
        };
        let mut again = Again::new();
        again.values("--target", arguments.target.as_ref().map(ToString::to_string));
        again.values("--spawn", &arguments.spawn);
        again.file("--ca", arguments.ca.as_deref());
        again.flag("--insecure", arguments.ca.is_none());
        match arguments.tls {
            Tls::Auto => {}
            Tls::On => again.word("--tls on"),
            Tls::Off => again.word("--tls off"),
        }
        again.values("--sni", &arguments.sni);
        again.word(ONLY);
        let options = Options {
            trust,
            tls: arguments.tls.with(arguments.target.as_ref())?,
            sni: arguments.sni.clone(),
            // One server serves all cases, and no case may see the others; clients have one each.
            jobs: 1,
            ..options(arguments.way)
        };
        Ok(Self { side: Side::Server(subject), options, again: again.finish() })
    }

    pub(super) fn client(arguments: &LearnClient) -> anyhow::Result<Self> {
        let client = Client {
            command: arguments.command.clone(),
            means: arguments.operation.means(),
            profile: arguments.operation.profile()?,
        };
        let mut again = Again::new();
        again.word("client");
        arguments.operation.repeat(&mut again);
        again.word(ONLY);
        again.word("--");
        for word in &arguments.command {
            again.word(&quoted(word));
        }
        let options = options(arguments.way);
        Ok(Self { side: Side::Client(Box::new(client)), options, again: again.finish() })
    }

    pub(super) const fn path(&self) -> &'static Path {
        match self.side {
            Side::Server(_) => &SERVER,
            Side::Client(_) => &CLIENT,
        }
    }

    /// The subject as its author calls it.
    pub(super) fn name(&self) -> String {
        match &self.side {
            Side::Server(Subject::Spawned { command, .. }) => command.clone(),
            Side::Server(Subject::Running(target)) => target.to_string(),
            Side::Server(_) => String::new(),
            Side::Client(client) => client.command.join(" "),
        }
    }

    /// The words of the command that starts the subject.
    pub(super) fn words(&self) -> Vec<String> {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
        match &self.side {
            Side::Server(Subject::Spawned { command, .. }) => words(command),
            Side::Server(_) => Vec::new(),
            Side::Client(client) => client.command.clone(),
        }
    }

    /// The command that grades the whole subject, or one case.
    pub(super) fn command(&self, only: Option<&str>) -> String {
        match only {
            Some(id) => self.again.replace(ONLY, &format!("--only {id}")),
            None => self.again.replace(&format!(" {ONLY}"), ""),
        }
    }

    /// Asks some cases, and what they need, without those that are skipped.
    pub(super) async fn ask(
        &self,
        only: Vec<String>,
        skip: Vec<String>,
        watch: &mut dyn Watch,
    ) -> Result<Report, Obstacle> {
        let options = Options { only, skip, ..self.options.clone() };
        match &self.side {
            Side::Server(subject) => {
                server::run_watched(subject, &options, watch).await.map_err(no_server)
            }
            Side::Client(client) => {
                client::run_watched(client, &options, watch).await.map_err(no_client)
            }
        }
    }
}

fn options(way: Way) -> Options {
    Options { timeout_scale: way.timeout_scale, strict: way.strict, jobs: 4, ..Options::default() }
}

fn no_server(error: RunError) -> Obstacle {
    let exit_code = error.exit_code();
    match error {
        RunError::Spawn { error, output } => Obstacle::NoStart {
            no_start: NoStart { reason: escape::visible(&error), printed: output },
            exit_code: 1,
        },
        RunError::Unreachable { .. } | RunError::Lookup { .. } => Obstacle::NoStart {
            no_start: NoStart {
                reason: escape::visible(&error.to_string()),
                printed: String::new(),
            },
            exit_code,
        },
        error => Obstacle::Failure(Failure {
            text: escape::visible_lines(&error.to_string()),
            printed: String::new(),
            hint: error.hint(),
            exit_code,
        }),
    }
}

fn no_client(error: ClientError) -> Obstacle {
    let exit_code = error.exit_code();
    match error {
        ClientError::Start(reason) => Obstacle::NoStart {
            no_start: NoStart { reason: escape::visible(&reason), printed: String::new() },
            exit_code,
        },
        error => Obstacle::Failure(Failure {
            text: escape::visible(&error.to_string()),
            printed: String::new(),
            hint: error.hint(),
            exit_code,
        }),
    }
}

/// The folder in which the program was called.
pub(super) fn here() -> anyhow::Result<std::path::PathBuf> {
    std::env::current_dir().context("no current folder")
}
