//! One submission: copied, built, judged, and ended with all its processes.

use std::{process::Stdio, time::Duration};

use conformance_kit::{authority::Authority, clock::Clock, escape, net::tls::Trust};
use conformance_suite::{
    Options, Report, Subject,
    client::{Means, Profile},
    report::{
        ONLY,
        batch::{Outcome, Submission},
        exception,
        points::Rubric,
    },
    run::{
        client::{self, Client},
        server::{RunError, run_watched},
    },
};
use tokio::{process::Command, time::timeout};

use super::{
    copy::Found,
    sandbox::{Place, Sandbox, quoted},
    so_far::SoFar,
    watchdog::Watchdog,
};

/// How long a run may take beyond its deadline, for starting and ending.
const GRACE: Duration = Duration::from_secs(60);
/// The most characters of a reason.
const LONGEST_REASON: usize = 600;
/// The most bytes of a build's output that are kept.
const LONGEST_OUTPUT: usize = 16 * 1024;

/// What all submissions have in common.
pub(super) struct Setting {
    pub(super) sandbox: Sandbox,
    pub(super) subject: Start,
    pub(super) build: Option<String>,
    pub(super) trust: Trust,
    pub(super) options: Options,
    pub(super) rubric: Rubric,
    /// For servers that are given a certificate.
    pub(super) authority: Option<Authority>,
    /// What the results depend on.
    pub(super) fingerprint: String,
}

/// How the program of a submission is started.
pub(super) enum Start {
    Server { command: String, fresh: bool },
    Client { command: String, means: Means, profile: Box<Profile> },
}

/// What became of a submission, with its report where there is one.
pub(super) struct Judged {
    pub(super) submission: Submission,
    pub(super) report: Option<Report>,
}

impl Setting {
    /// Judges one submission. Whatever goes wrong is its result.
    pub(super) async fn judge(&self, found: &Found) -> Judged {
        let clock = Clock::start();
        let mut judged = match self.prepare(found) {
            Ok(place) => self.judge_in(&place, found).await,
            Err(why) => self.not_judged(&found.name, &why),
        };
        judged.submission.took_ms = u64::try_from(clock.elapsed().as_millis()).unwrap_or(u64::MAX);
        judged
    }

    fn prepare(&self, found: &Found) -> Result<Place, String> {
        if let Some(trouble) = &found.trouble {
            return Err(trouble.clone());
        }
        let failed = |error: std::io::Error| format!("its folder can't be copied: {error}");
        let place =
            tokio::task::block_in_place(|| self.sandbox.place(&found.path)).map_err(failed)?;
        if let Some(authority) = &self.authority {
            let files = [authority.cert_file(), authority.key_file()];
            let files = [files[0].as_path(), files[1].as_path()];
            self.sandbox.certificate(&place, files).map_err(failed)?;
        }
        Ok(place)
    }

    async fn judge_in(&self, place: &Place, found: &Found) -> Judged {
        let watchdog = Watchdog::start(place, self.sandbox.limits());
        let so_far = SoFar::default();
        let mut options = self.options.clone();
        options.command = self.again();
        let deadline = options.deadline;
        let running = async {
            if let Some(build) = &self.build {
                run_build(place, build).await?;
            }
            self.run(place, &options, so_far.clone()).await
        };
        let ended = tokio::select! {
            ended = timeout(deadline + GRACE, running) => {
                ended.unwrap_or_else(|_| Err("it did not end in time".to_owned()))
            }
            () = watchdog.gives_up() => Err("its run was ended".to_owned()),
        };
        let remarks = watchdog.finish().await;
        let (report, cut) = match ended {
            Ok(report) => {
                let late = Duration::from_millis(report.took_ms) >= deadline;
                (Some(report), late.then(|| format!("{} s were over", deadline.as_secs())))
            }
            Err(why) => (so_far.take(), Some(why)),
        };
        let Some(mut report) = report else {
            let mut judged = self.not_judged(&found.name, &cut.unwrap_or_default());
            // What the sandbox did is the reason, and the rest what followed from it.
            judged.submission.remarks.splice(0..0, remarks);
            return judged;
        };
        report.header.target.clone_from(&found.name);
        let mut submission = Submission::of(&found.name, &self.fingerprint, &report, &self.rubric);
        if let Some(why) = cut {
            submission.outcome = Outcome::CutShort;
            submission.remarks.push(why);
        }
        submission.remarks.extend(remarks);
        for remark in &submission.remarks {
            // The report of the submission alone has to say it, too.
            report.output.push_str(&format!("\n[sandbox] {}", escape::visible(remark)));
        }
        Judged { submission, report: Some(report) }
    }

    async fn run(
        &self,
        place: &Place,
        options: &Options,
        mut so_far: SoFar,
    ) -> Result<Report, String> {
        match &self.subject {
            Start::Server { command, fresh } => {
                // The command stays one word of the shell that starts it.
                let [shell, script, command] = place.command(command);
                let command = format!("{shell} {} {}", quoted(&script), quoted(&command));
                let subject = Subject::Spawned { command, fresh: *fresh };
                run_watched(&subject, options, &mut so_far).await.map_err(|error| told(&error))
            }
            Start::Client { command, means, profile } => {
                let command = place.command(command).to_vec();
                let client =
                    Client { command, means: means.clone(), profile: Profile::clone(profile) };
                let running = client::run_watched(&client, options, &mut so_far);
                running.await.map_err(|error| reason(&error.to_string()))
            }
        }
    }

    fn not_judged(&self, name: &str, why: &str) -> Judged {
        let submission = Submission::not_judged(name, &self.fingerprint, vec![reason(why)]);
        Judged { submission, report: None }
    }

    /// The command with which a student judges the submission where it lies.
    fn again(&self) -> String {
        let mut words = vec!["conformance".to_owned()];
        if matches!(self.subject, Start::Client { .. }) {
            words.push("client".to_owned());
        }
        if let Start::Server { command, .. } = &self.subject {
            words.push(format!("--spawn {}", quoted(command)));
            if matches!(self.trust, Trust::Anything) {
                words.push("--insecure".to_owned());
            }
        }
        if !self.options.claims.is_empty() {
            words.push(format!("--claims {}", self.options.claims.join(",")));
        }
        if self.options.strict {
            words.push("--strict".to_owned());
        }
        if let Start::Client { command, .. } = &self.subject {
            words.push(format!("{ONLY} -- {command}"));
        }
        words.join(" ")
    }
}

/// Builds a submission; its processes are watched as those of the program are.
async fn run_build(place: &Place, build: &str) -> Result<(), String> {
    let [shell, script, command] = place.command(build);
    let child = Command::new(shell)
        .args([script, command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn();
    let mut child = child.map_err(|error| format!("the build can't be started: {error}"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (out, errors, status) = tokio::join!(end_of(stdout), end_of(stderr), child.wait());
    if status.is_ok_and(|status| status.success()) {
        return Ok(());
    }
    let errors = if errors.trim().is_empty() { out } else { errors };
    Err(format!("the build failed: {}", last_line(&errors)))
}

/// Reads whatever a program prints, however much it is, and keeps the end.
async fn end_of(from: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    use tokio::io::AsyncReadExt as _;
    let Some(mut from) = from else { return String::new() };
    let mut kept = Vec::new();
    let mut buffer = vec![0; LONGEST_OUTPUT];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        kept.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let surplus = kept.len().saturating_sub(LONGEST_OUTPUT);
        kept.drain(..surplus);
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// Why a server could not be judged, with what it said itself first.
fn told(error: &RunError) -> String {
    match error {
        RunError::Spawn { error, output } => {
            let says =
                exception::find(output).map_or_else(|| last_line(output), |found| found.says);
            let says = if says.is_empty() { "nothing".to_owned() } else { says };
            reason(&format!("the server does not answer ({error}); it printed: {says}"))
        }
        other => reason(&other.to_string()),
    }
}

fn last_line(text: &str) -> String {
    // Three dots stand for what was cut.
    let says = |line: &&str| !matches!(line.trim(), "" | "...");
    let last = text.lines().rev().find(says);
    escape::visible(last.unwrap_or_default().trim())
}

fn reason(text: &str) -> String {
    escape::shorten(&escape::visible(text), LONGEST_REASON)
}
