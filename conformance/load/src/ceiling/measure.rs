//! Measures the ceiling of this machine: the same members and messages, or the same joins and history,
//! at a server that only writes.

use std::{io, path::Path, process::Stdio};

use conformance_kit::{
    net::{target::Target, tls::Trust},
    subject::{environment::as_no_service, place::Place},
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::{batcher::Batches, history::PIECE, server::LimitOptions};
use crate::{
    dialect::Dialect,
    options::{LoadError, LoadOptions},
    phases::Watch,
    plan::{Pace, Plan, Workload},
    report::{Joining, Limit, LoadReport, Traffic, Verdict, float},
    subject::Subject,
    workload::PreparedRun,
};

/// A server that only writes, in a process of its own; it ends with this.
struct LimitServer {
    target: Target,
    child: Child,
}

impl LimitServer {
    async fn start(program: &Path, serving: LimitOptions) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(["load", "limit-server"]);
        match serving.batches {
            Batches::Sized(mean) => command.args(["--batch", &mean.to_string()]),
            Batches::Free(most) => command.args(["--free", &most.to_string()]),
        };
        if serving.keeps_history {
            command.arg("--history");
        }
        if serving.plaintext {
            command.arg("--plaintext");
        }
        let mut child = as_no_service(&mut command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await?;
        let port = line.trim().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.ok_or_else(|| io::Error::other("the limit's server does not start"))?;
        Ok(Self { target: Target::tcp("127.0.0.1", port), child })
    }
}

/// Whether there is a limit of what a plan does.
///
/// # Errors
/// Says why there is none.
pub(crate) fn check(plan: &Plan) -> Result<(), LoadError> {
    let problem = match plan.workload {
        Workload::Private => "there is no limit of private messages",
        Workload::JoinStorm if plan.history == 0 => {
            "the limit of a join storm is that of copying a history: give --history, in our own dialect"
        }
        _ => return Ok(()),
    };
    Err(LoadError::Plan(problem.to_owned()))
}

/// Measures the limits for the run of a report, and puts them into it.
///
/// # Errors
/// When the server can't be started.
pub(crate) async fn measure(
    options: &LoadOptions,
    program: &Path,
    report: &mut LoadReport,
    watch: Watch<'_>,
) -> Result<(), LoadError> {
    if options.plan.workload == Workload::JoinStorm {
        let plan = storm(&options.plan, &report.joining);
        let run = at_limit(options, program, Batches::Sized(1.0), plan, watch).await?;
        report.limits.push(copying(&report.joining, &run)?);
        return Ok(());
    }
    let batch = report.traffic.as_ref().map_or(1.0, |traffic| traffic.batch.max(1.0));
    let measured = report.traffic.as_ref().and_then(Traffic::deliveries_per_cpu);
    for (mode, batches) in modes(&options.plan, batch) {
        let mut limit = one(options, program, mode, batches, watch).await?;
        let most = limit.traffic.as_ref().and_then(Traffic::deliveries_per_cpu);
        limit.fraction = most.zip(measured).map(|(most, measured)| measured / most);
        report.limits.push(limit);
    }
    Ok(())
}

/// The join storm for the limit of a measured one: a server may have kept only the end of what was said
/// (HI-6), and no more than that is copied.
fn storm(plan: &Plan, measured: &Joining) -> Plan {
    Plan { history: measured.history.unwrap_or(plan.history), ..plan.clone() }
}

/// What copying a history took in a run at the limit's server, and how much of that the measured server
/// reaches.
fn copying(measured: &Joining, run: &LoadReport) -> Result<Limit, LoadError> {
    let joining = run.joining;
    let Some(history) = joining.history else { return Err(not_measured(&run.reasons)) };
    let most = joining.bytes_per_cpu();
    let fraction = most.zip(measured.bytes_per_cpu()).map(|(most, measured)| measured / most);
    // Every history goes out in pieces of one size.
    let messages = float(u64::from(history)) * float(joining.joined);
    let batch = messages * float(PIECE as u64) / float(joining.bytes.max(1));
    let right = run.verdict == Verdict::Right;
    let (mode, traffic, joining) = ("copying".to_owned(), None, Some(joining));
    Ok(Limit { mode, batch, traffic, fraction, right, joining })
}

fn not_measured(reasons: &[String]) -> LoadError {
    let why = reasons.join(", ");
    LoadError::System(io::Error::other(format!("no limit was measured: {why}")))
}

/// The limits that tell something: what the machine can do at its best, with batches of the measured
/// size, and with none. Two that are the same are measured once.
fn modes(plan: &Plan, batch: f64) -> Vec<(&'static str, Batches)> {
    let mut modes = Vec::new();
    if plan.pace != Pace::Window(1) || plan.senders > 1 {
        modes.push(("free-running", Batches::Free(plan.on_their_way())));
    }
    if batch >= 1.05 {
        modes.push(("coalesced", Batches::Sized(batch)));
    }
    modes.push(("single", Batches::Sized(1.0)));
    modes
}

/// Measures one limit.
///
/// # Errors
/// When the server can't be started.
pub async fn one(
    options: &LoadOptions,
    program: &Path,
    mode: &str,
    batches: Batches,
    watch: Watch<'_>,
) -> Result<Limit, LoadError> {
    let plan = &options.plan;
    // Nobody comes, goes or dawdles there, and nobody is judged for anything but messages.
    let pace = match (plan.pace, batches) {
        (Pace::Window(window), Batches::Sized(mean)) => {
            Pace::Window(window.max(room_for(mean, plan.senders)))
        }
        (pace, _) => pace,
    };
    let plan = Plan {
        workload: Workload::FanOut,
        dialect: Dialect::Chatterbox,
        pace,
        flooders: 0,
        slow: 0,
        history: 0,
        ..plan.clone()
    };
    let run = at_limit(options, program, batches, plan, watch).await?;
    let Some(traffic) = run.traffic else { return Err(not_measured(&run.reasons)) };
    let batch = match batches {
        Batches::Sized(mean) => mean,
        Batches::Free(_) => traffic.batch,
    };
    let (mode, traffic) = (mode.to_owned(), Some(traffic));
    let right = run.verdict == Verdict::Right;
    Ok(Limit { mode, batch, traffic, fraction: None, right, joining: None })
}

/// Runs a plan at a server that only writes, and keeps a history where the plan has one.
async fn at_limit(
    options: &LoadOptions,
    program: &Path,
    batches: Batches,
    plan: Plan,
    watch: Watch<'_>,
) -> Result<LoadReport, LoadError> {
    if let Some(pinning) = options.pinning {
        pinning.for_servers()?;
    }
    let (keeps_history, plaintext) = (plan.history > 0, options.plaintext);
    let serving = LimitOptions { batches, keeps_history, plaintext };
    let server = LimitServer::start(program, serving).await?;
    if let Some(pinning) = options.pinning {
        pinning.for_tool()?;
    }
    let duration = if options.busy.is_zero() { options.duration } else { options.busy };
    let options = LoadOptions {
        plan,
        place: Place::Running(server.target.clone()),
        trust: Trust::Anything,
        pid: server.child.id(),
        duration,
        limit: None,
        ..options.clone()
    };
    let subject =
        Subject::open(&options.place, &options.trust, options.plaintext, options.pid).await?;
    // It has no lists that could be judged.
    PreparedRun::set(&options, &subject, false)?.run(&options, &subject, watch).await
}

/// A window that lets a batch come together while another is on its way.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a batch is small")]
fn room_for(batch: f64, senders: u32) -> u32 {
    if batch <= 1.0 { 1 } else { (2.0 * batch / f64::from(senders.max(1))).ceil() as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan::tests::plan, report::tests::report};

    #[test]
    fn what_can_not_differ_is_measured_once() {
        let names = |plan: &Plan, batch| {
            modes(plan, batch).into_iter().map(|(mode, _)| mode).collect::<Vec<_>>()
        };
        assert_eq!(names(&plan(), 7.5), ["free-running", "coalesced", "single"]);
        assert_eq!(names(&plan(), 1.0), ["free-running", "single"]);
        let alone = Plan { senders: 1, pace: Pace::Window(1), ..plan() };
        assert_eq!(names(&alone, 1.0), ["single"]);
    }

    #[test]
    fn what_has_no_limit_is_told_before_anything_is_run() {
        let storm = Plan { workload: Workload::JoinStorm, ..plan() };
        for plan in [plan(), storm.clone(), Plan { workload: Workload::Churn, ..plan() }] {
            assert!(check(&plan).is_ok(), "{plan:?}");
        }
        for (plan, word) in [
            (Plan { history: 0, ..storm }, "--history"),
            (Plan { workload: Workload::Private, ..plan() }, "private"),
        ] {
            let error = check(&plan).unwrap_err();
            assert!(error.to_string().contains(word) && error.exit_code() == 64, "{error}");
        }
    }

    /// How four joined, who got as many bytes as so many pieces have.
    fn joining(pieces: u64, cpu: f64) -> Joining {
        let (history, bytes) = (Some(100_000), pieces * PIECE as u64);
        Joining { joined: 4, bytes, cpu: Some(cpu), history, ..Joining::default() }
    }

    #[test]
    fn no_more_is_copied_than_the_measured_server_had_kept() {
        let plan = Plan { workload: Workload::JoinStorm, history: 5_000, ..plan() };
        for (kept, copied) in [(Some(3_000), 3_000), (None, 5_000)] {
            let measured = Joining { history: kept, ..Joining::default() };
            assert_eq!(storm(&plan, &measured), Plan { history: copied, ..plan.clone() });
        }
    }

    #[test]
    fn copying_is_told_in_bytes_for_each_cpu_second() {
        let run = LoadReport { joining: joining(400, 0.1), ..report(1) };
        let limit = copying(&joining(800, 0.25), &run).unwrap();
        assert_eq!((limit.mode.as_str(), limit.batch, limit.right), ("copying", 1_000.0, true));
        assert_eq!((limit.joining, limit.traffic), (Some(run.joining), None));
        assert!((limit.fraction.unwrap() - 0.8).abs() < 1e-9, "{:?}", limit.fraction);
    }

    #[test]
    fn copying_that_was_not_measured_or_not_right_is_told_as_that() {
        let run = LoadReport { joining: joining(400, 0.1), ..report(2) };
        // A hundredth of a second of CPU can't be told from two.
        let limit = copying(&joining(800, 0.01), &run).unwrap();
        assert_eq!((limit.fraction, limit.right), (None, false));
        let run = LoadReport { joining: Joining::default(), ..report(2) };
        let error = copying(&joining(800, 0.25), &run).unwrap_err();
        assert!(error.to_string().contains("deliveries are missing"), "{error}");
    }
}
