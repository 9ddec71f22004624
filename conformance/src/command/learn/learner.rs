//! Whoever learns: a server or a client, asked some cases at a time.

use anyhow::Context as _;
use conformance_kit::{escape, net::tls::Trust};
use conformance_suite::{
    Options, Report, RunError, Subject,
    learn::{CLIENT, NoStart, Path, SERVER},
    run::{
        Watch,
        client::{self, Client, ClientError},
        server,
    },
};

use super::arguments::{LearnClient, LearnServer, Way};
use crate::command::{grade::Tls, grading::Failure, operation::quoted, shared::authority};

/// The subject, and how it is spoken to.
pub(super) struct Learner {
    side: Side,
    options: Options,
    /// The command line of the grader, with the subject's behind it when that is a client.
    program: Vec<String>,
    behind: Vec<String>,
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
        let mut program = vec![this_program()];
        let subject = match (&arguments.target, &arguments.spawn) {
            (Some(target), _) => {
                program.push(format!("--target {target}"));
                Subject::Running(target.clone())
            }
            (None, Some(command)) => {
                anyhow::ensure!(
                    command.contains("{port}"),
                    "the command holds no {{port}}, so the server would not listen where it is looked for; one that can't be told its port: start it yourself and give --target"
                );
                program.push(format!("--spawn {}", quoted(command)));
                Subject::Spawned { command: command.clone(), fresh: false }
            }
            (None, None) => anyhow::bail!(
                "which server? give --spawn 'COMMAND {{host}} {{port}}', or --target HOST:PORT; for a client: learn client -- COMMAND"
            ),
        };
        let trust = match &arguments.ca {
            None => {
                program.push("--insecure".to_owned());
                Trust::Anything
            }
            Some(file) => {
                program.push(format!("--ca {}", quoted(&file.display().to_string())));
                Trust::Authority(authority(file)?)
            }
        };
        match arguments.tls {
            Tls::Auto => {}
            Tls::On => program.push("--tls on".to_owned()),
            Tls::Off => program.push("--tls off".to_owned()),
        }
        program.extend(arguments.sni.iter().map(|name| format!("--sni {}", quoted(name))));
        let options = Options {
            trust,
            tls: arguments.tls.into(),
            sni: arguments.sni.clone(),
            ..options(arguments.way)
        };
        Ok(Self { side: Side::Server(subject), options, program, behind: Vec::new() })
    }

    pub(super) fn client(arguments: &LearnClient) -> anyhow::Result<Self> {
        let client = Client {
            command: arguments.command.clone(),
            means: arguments.operation.means(),
            profile: arguments.operation.profile()?,
        };
        let mut program = vec![this_program(), "client".to_owned()];
        program.extend(arguments.operation.words());
        let mut behind = vec!["--".to_owned()];
        behind.extend(arguments.command.iter().map(|word| quoted(word)));
        let options = options(arguments.way);
        Ok(Self { side: Side::Client(Box::new(client)), options, program, behind })
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
        let only = only.map(|id| format!("--only {id}"));
        let words = self.program.iter().chain(&only).chain(&self.behind);
        words.map(String::as_str).collect::<Vec<_>>().join(" ")
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
            hint: error.hint(),
            exit_code,
        }),
    }
}

/// This program as it was called, so that commands that are shown work where it was called.
fn this_program() -> String {
    quoted(&std::env::args().next().unwrap_or_else(|| "conformance".to_owned()))
}

/// The folder in which the program was called.
pub(super) fn here() -> anyhow::Result<std::path::PathBuf> {
    std::env::current_dir().context("no current folder")
}
