//! `conformance client`: the command line around [`conformance_suite::client`].

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use anyhow::Context as _;
use clap::Args;
use conformance_kit::escape;
use conformance_suite::{
    Options,
    client::{Means, Profile, operator::person::AtTerminal, profile::Lines},
    report::ONLY,
    run::{
        client::{self, Client},
        plan,
    },
};

use super::{
    again::{Again, quoted},
    grading::{Failure, Grading, selection},
    shared::{self, Reports, read},
};

/// How many cases run at the same time when nobody says how many.
const JOBS: u16 = 4;

/// Grades a client. In its command, {host}, {port} and {ca} are filled in; {name}, too, where the
/// client takes the user's name there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  conformance client -- chatterbox-client {host} -p {port} -ca {ca}
  conformance client --profile mine.toml -- python3 client.py {host} {port} {ca}
  conformance client --pipe --only c.recv -- ./client {host} {port} {ca} {name}
  conformance client --adapter -- ./gui --adapter
  conformance client --assisted")]
pub(crate) struct ClientArguments {
    /// Use pipes instead of a pseudo-terminal.
    #[arg(long)]
    pipe: bool,
    /// The command is an adapter: JSON lines on its standard input and output.
    #[arg(long, conflicts_with = "pipe")]
    adapter: bool,
    /// Ask a person to operate the client and to say what it shows.
    #[arg(long, conflicts_with_all = ["pipe", "adapter"])]
    assisted: bool,
    /// How the client wants to be operated (TOML).
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// What is typed for a message to all, such as '{text}'; `\n` begins a second line.
    #[arg(long, value_name = "TEMPLATE")]
    public: Option<String>,
    /// What is typed for a message to one user, such as '/w {user} {text}'.
    #[arg(long, value_name = "TEMPLATE")]
    private: Option<String>,
    /// What is typed to quit; ^D is the end of the input.
    #[arg(long, value_name = "COMMAND")]
    quit: Vec<String>,
    /// Milliseconds to wait before each line.
    #[arg(long, value_name = "MS")]
    delay: Option<u64>,
    /// Set an environment variable of the client.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Run only these cases: ids, groups, levels or clauses, with globs.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave these cases out.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    skip: Vec<String>,
    /// Multiply all waiting times by this.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = shared::scale)]
    timeout_scale: f64,
    /// SHOULD counts like MUST.
    #[arg(long)]
    strict: bool,
    /// Seed of the names and texts that the cases use.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// How many cases run at the same time, each with a client of its own.
    #[arg(long, value_name = "NUMBER", default_value_t = JOBS, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// End the run after this time, such as 8m or 90s.
    #[arg(long, value_name = "TIME", default_value = "8m", value_parser = shared::duration)]
    deadline: Duration,
    /// Run everything so often, and tell what did not always come out the same.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    repeat: u16,
    /// Run only what did not pass in an earlier JSON report.
    #[arg(long, value_name = "FILE")]
    failed: Option<PathBuf>,
    /// Known failures (TOML); a stale entry fails the run.
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Keep what happened in every case that did not pass in this folder.
    #[arg(long, value_name = "FOLDER")]
    transcripts: Option<PathBuf>,
    #[command(flatten)]
    reports: Reports,
    /// The client's command.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Grades, writes the reports, and gives the exit code.
pub(crate) fn run(arguments: &ClientArguments) -> anyhow::Result<u8> {
    let grading = Grading {
        repeat: arguments.repeat,
        reports: &arguments.reports,
        expect: arguments.expect.as_deref(),
        transcripts: arguments.transcripts.as_deref(),
        failed: arguments.failed.as_deref(),
        target: arguments.name(),
        command: arguments.again(),
        plan: plan::of_client,
    };
    grading.run(
        || Ok((arguments.client()?, arguments.options()?)),
        async |client, options, progress| {
            let judged = client::run_watched(client, options, progress).await;
            judged.map_err(|error| Failure {
                text: escape::visible_lines(&error.to_string()),
                printed: String::new(),
                hint: error.hint(),
                exit_code: error.exit_code(),
            })
        },
    )
}

impl ClientArguments {
    fn client(&self) -> anyhow::Result<Client> {
        Ok(Client { command: self.command.clone(), means: self.means(), profile: self.profile()? })
    }

    /// The subject in a report of a run that never began.
    fn name(&self) -> String {
        if self.command.is_empty() { "a client".to_owned() } else { self.command.join(" ") }
    }

    fn options(&self) -> anyhow::Result<Options> {
        Ok(Options {
            only: selection(&self.only, self.failed.as_deref())?,
            skip: self.skip.clone(),
            timeout_scale: self.timeout_scale,
            strict: self.strict,
            seed: self.seed,
            jobs: self.jobs.into(),
            deadline: self.deadline,
            command: self.again(),
            ..Options::default()
        })
    }

    fn means(&self) -> Means {
        if self.assisted {
            Means::Person(Arc::new(Mutex::new(AtTerminal)))
        } else if self.adapter {
            Means::Adapter
        } else if self.pipe {
            Means::Pipe
        } else {
            Means::Terminal
        }
    }

    fn profile(&self) -> anyhow::Result<Profile> {
        let mut profile = match &self.profile {
            None => Profile::default(),
            Some(file) => Profile::parse(&read(file)?)?,
        };
        let lines = |text: &String| Lines::Many(text.split("\\n").map(str::to_owned).collect());
        if let Some(public) = &self.public {
            profile.public = lines(public);
        }
        if let Some(private) = &self.private {
            profile.private = lines(private);
        }
        if !self.quit.is_empty() {
            profile.quit.clone_from(&self.quit);
        }
        if let Some(delay) = self.delay {
            profile.delay = delay;
        }
        for pair in &self.env {
            let (name, value) = pair.split_once('=').context("--env takes NAME=VALUE")?;
            profile.env.insert(name.to_owned(), value.to_owned());
        }
        Ok(profile)
    }

    /// The command that repeats this run, with a place for `--only`.
    fn again(&self) -> String {
        let mut again = Again::new();
        again.word("client");
        again.flag("--pipe", self.pipe);
        again.flag("--adapter", self.adapter);
        again.flag("--assisted", self.assisted);
        again.flag("--strict", self.strict);
        again.file("--profile", self.profile.as_deref());
        again.values("--public", &self.public);
        again.values("--private", &self.private);
        again.values("--quit", &self.quit);
        again.values("--delay", self.delay.map(|delay| delay.to_string()));
        again.values("--env", &self.env);
        again.number("--timeout-scale", self.timeout_scale, 1.0);
        again.number("--jobs", self.jobs, JOBS);
        again.word(ONLY);
        if !self.command.is_empty() {
            again.word("--");
        }
        for word in &self.command {
            again.word(&quoted(word));
        }
        again.finish()
    }
}
