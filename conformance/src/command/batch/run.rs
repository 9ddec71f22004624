//! All submissions of a folder, and what is written about them.
#![allow(
    clippy::disallowed_methods,
    reason = "one task for each submission that runs; results are files"
)]

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use conformance_kit::{authority::Authority, clock, net::tls::Trust};
use conformance_suite::{
    Options,
    client::{Means, Profile},
    report::{
        batch::{self, Batch, Outcome, Submission},
        format::Format,
        points::Rubric,
        write,
    },
    run::plan,
};
use tokio::task::JoinSet;

use super::{
    arguments::BatchArguments,
    copy::{self, Found},
    judge::{Judged, Setting, Start},
    sandbox::Sandbox,
};
use crate::command::{authorities::authorities, interrupt, shared};

/// The result of a submission, beside its reports: what `--resume` reads.
const RESULT: &str = "result.json";

/// Judges all submissions: 0 when every one was judged, 2 when one could not be.
pub(crate) fn run(arguments: &BatchArguments) -> anyhow::Result<u8> {
    let found = copy::find(&arguments.folder, arguments.results.out.as_deref())?;
    let setting = setting(arguments)?;
    // What can't be done at the end is said before anybody is judged.
    let asked = match &setting.subject {
        Start::Server { .. } => plan::of_server(&setting.options),
        Start::Client { .. } => plan::of_client(&setting.options),
    };
    anyhow::ensure!(!asked.is_empty(), "the selection matches no case; see `conformance list`");
    let results = &arguments.results;
    for file in results.csv.iter().chain(&results.json) {
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let there = folder.is_none_or(Path::is_dir) && !file.is_dir();
        anyhow::ensure!(there, "{} can't be written: there is no such folder", file.display());
    }
    let sandbox = setting.sandbox.describe();
    anstream::eprintln!("Each submission runs in a sandbox:");
    for line in &sandbox {
        anstream::eprintln!("  {line}");
    }
    let started = clock::unix_seconds();
    let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
    let command = setting.command();
    let judging = all(arguments, Arc::new(setting), found);
    let submissions = interrupt::block_on(&runtime, judging)??;
    let batch = Batch {
        suite: env!("CARGO_PKG_VERSION").to_owned(),
        command,
        sandbox,
        started,
        submissions,
    };
    if let Some(file) = &results.csv {
        write(file, &batch::csv(&batch))?;
    }
    if let Some(file) = &results.json {
        write(file, &(serde_json::to_string_pretty(&batch)? + "\n"))?;
    }
    if let Some(folder) = &results.out {
        write(&folder.join("index.html"), &batch::page(&batch))?;
    }
    anstream::print!("{}", batch::render(&batch));
    Ok(batch.exit_code())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    write::atomically(file, text.as_bytes())
        .with_context(|| format!("can't write {}", file.display()))
}

fn setting(arguments: &BatchArguments) -> anyhow::Result<Setting> {
    let subject = subject(arguments)?;
    let kept: Vec<String> = match &subject {
        Start::Client { profile, .. } => profile.env.keys().cloned().collect(),
        Start::Server { .. } => Vec::new(),
    };
    let wants =
        |place: &str| arguments.spawn.as_deref().is_some_and(|command| command.contains(place));
    let authority = (wants("{cert}") || wants("{key}")).then(Authority::make).transpose()?;
    let trust = match &arguments.ca {
        Some(file) => Trust::Authority(authorities(file)?),
        // The servers are those that were handed in: there is nothing to find out by their certificates.
        None => Trust::Anything,
    };
    let rubric =
        arguments.rubric.as_deref().map_or_else(|| Ok(Rubric::default()), shared::rubric_in)?;
    let options = Options {
        trust: trust.clone(),
        tls: arguments.tls.into(),
        only: arguments.only.clone(),
        skip: arguments.skip.clone(),
        claims: arguments.claims.clone(),
        timeout_scale: arguments.timeout_scale,
        strict: arguments.strict,
        seed: arguments.seed,
        deadline: arguments.bounds.deadline,
        ..Options::default()
    };
    let mut setting = Setting {
        sandbox: Sandbox::find(&arguments.bounds, arguments.jobs, &kept)?,
        subject,
        build: arguments.build.clone(),
        trust,
        options,
        rubric,
        authority,
        fingerprint: String::new(),
    };
    let BatchArguments { only, skip, claims, strict, rubric, .. } = arguments;
    setting.fingerprint = format!(
        "{} {} {:?}",
        env!("CARGO_PKG_VERSION"),
        setting.command(),
        (&setting.build, only, skip, claims, strict, rubric)
    );
    Ok(setting)
}

fn subject(arguments: &BatchArguments) -> anyhow::Result<Start> {
    if let Some(command) = &arguments.client {
        let profile = match &arguments.profile {
            Some(file) => Profile::parse(&shared::read(file)?)?,
            None => Profile::default(),
        };
        let means = if arguments.pipe { Means::Pipe } else { Means::Terminal };
        return Ok(Start::Client { command: command.clone(), means, profile: Box::new(profile) });
    }
    let command =
        arguments.spawn.clone().context("which program? give --spawn 'COMMAND {port}'")?;
    anyhow::ensure!(
        command.contains("{port}"),
        "--spawn has no {{port}}: where would the server listen?"
    );
    Ok(Start::Server { command, fresh: arguments.fresh })
}

/// Judges so many at a time, and tells of each when it is done.
async fn all(
    arguments: &BatchArguments,
    setting: Arc<Setting>,
    found: Vec<Found>,
) -> anyhow::Result<Vec<Submission>> {
    let count = found.len();
    let out = arguments.results.out.as_deref();
    let (mut done, mut running) = (Vec::with_capacity(count), JoinSet::new());
    let mut waiting = found.into_iter();
    loop {
        while running.len() < usize::from(arguments.jobs) {
            let Some(next) = waiting.next() else { break };
            let earlier = out
                .filter(|_| arguments.results.resume)
                .and_then(|out| earlier(out, &next, &setting));
            if let Some(submission) = earlier {
                anstream::eprintln!(
                    "{} (from an earlier run)",
                    batch::progress(done.len() + 1, count, &submission)
                );
                done.push(submission);
                continue;
            }
            let (setting, name) = (Arc::clone(&setting), next.name.clone());
            // In a task of its own: a bug of the suite in one submission must not end the others.
            running.spawn(async move {
                let judging = tokio::spawn(async move { setting.judge(&next).await });
                (name, judging.await)
            });
        }
        let Some(judged) = running.join_next().await else { break };
        let (name, judged) = judged.context("a submission was lost")?;
        let judged = judged.unwrap_or_else(|error| {
            let why = format!("a bug in the suite: {error}");
            let submission = Submission::not_judged(&name, &setting.fingerprint, vec![why]);
            Judged { submission, report: None }
        });
        if let Some(out) = out {
            keep(out, &judged, &setting.rubric)?;
        }
        anstream::eprintln!("{}", batch::progress(done.len() + 1, count, &judged.submission));
        done.push(judged.submission);
    }
    done.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(done)
}

/// What an earlier run with the same setting found.
fn earlier(out: &Path, found: &Found, setting: &Setting) -> Option<Submission> {
    let text = std::fs::read_to_string(folder(out, &found.name).join(RESULT)).ok()?;
    let submission: Submission = serde_json::from_str(&text).ok()?;
    let fits = submission.setting == setting.fingerprint && submission.name == found.name;
    (fits && submission.outcome == Outcome::Judged).then_some(submission)
}

fn folder(out: &Path, name: &str) -> PathBuf {
    // The name of an entry of a folder is one component of a path.
    out.join(name)
}

/// Writes the reports of one submission.
fn keep(out: &Path, judged: &Judged, rubric: &Rubric) -> anyhow::Result<()> {
    let folder = folder(out, &judged.submission.name);
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let formats = [(Format::Json, "report.json"), (Format::Html, "report.html")];
    for (format, name) in formats {
        let file = folder.join(name);
        match &judged.report {
            Some(report) => write(&file, &format.render(report, rubric)?)?,
            // One of an earlier run would tell of another submission.
            None => drop(std::fs::remove_file(&file)),
        }
    }
    write(&folder.join(RESULT), &(serde_json::to_string_pretty(&judged.submission)? + "\n"))
}

impl Setting {
    /// The command of the submissions.
    fn command(&self) -> String {
        match &self.subject {
            Start::Server { command, .. } | Start::Client { command, .. } => command.clone(),
        }
    }
}
