//! `conformance client`: the command line around [`conformance_suite::client`].

use std::{path::PathBuf, time::Duration};

use clap::Args;
use conformance_kit::escape;
use conformance_suite::{
    Options,
    report::ONLY,
    run::{
        client::{self, Client},
        plan,
    },
};

use super::{
    again::{Again, quoted},
    grading::{Failure, Grading, selection},
    operation::Operation,
    shared::{self, Reports},
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
    #[command(flatten)]
    operation: Operation,
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
        Ok(Client {
            command: self.command.clone(),
            means: self.operation.means(),
            profile: self.operation.profile()?,
        })
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

    /// The command that repeats this run, with a place for `--only`.
    fn again(&self) -> String {
        let mut again = Again::new();
        again.word("client");
        self.operation.repeat(&mut again);
        again.flag("--strict", self.strict);
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
