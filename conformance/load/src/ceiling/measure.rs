//! Measures the ceiling of this machine: the same members and messages at a server that only writes.

use std::{io, path::Path, process::Stdio};

use conformance_kit::{
    net::{target::Target, tls::Trust},
    subject::place::Place,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};

use super::batcher::Batches;
use crate::{
    dialect::Dialect,
    options::{LoadError, LoadOptions},
    phases::Watch,
    plan::{Pace, Plan, Workload},
    report::{Limit, LoadReport, Verdict},
    subject::Subject,
    workload::PreparedRun,
};

/// A server that only writes, in a process of its own; it ends with this.
struct LimitServer {
    target: Target,
    child: Child,
}

impl LimitServer {
    async fn start(program: &Path, batches: Batches, plaintext: bool) -> io::Result<Self> {
        let mut command = Command::new(program);
        command.args(["load", "limit-server"]);
        match batches {
            Batches::Sized(mean) => command.args(["--batch", &mean.to_string()]),
            Batches::Free(most) => command.args(["--free", &most.to_string()]),
        };
        if plaintext {
            command.arg("--plaintext");
        }
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).await?;
        let port = line.trim().rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.ok_or_else(|| io::Error::other("the limit's server does not start"))?;
        Ok(Self { target: Target::tcp("127.0.0.1", port), child })
    }
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
    if options.plan.workload == Workload::Private {
        return Err(LoadError::Plan("there is no limit of private messages".to_owned()));
    }
    let batch = report.traffic.as_ref().map_or(1.0, |traffic| traffic.batch.max(1.0));
    let measured = report.traffic.as_ref().and_then(crate::report::Traffic::deliveries_per_cpu);
    for (mode, batches) in modes(&options.plan, batch) {
        let mut limit = one(options, program, mode, batches, watch).await?;
        limit.fraction = limit.traffic.deliveries_per_cpu().zip(measured).map(|(l, m)| m / l);
        report.limits.push(limit);
    }
    Ok(())
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
    if let Some(pinning) = options.pinning {
        pinning.for_servers()?;
    }
    let server = LimitServer::start(program, batches, options.plaintext).await?;
    if let Some(pinning) = options.pinning {
        pinning.for_tool()?;
    }
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
    let run = PreparedRun::set(&options, &subject, false)?.run(&options, &subject, watch).await?;
    let Some(traffic) = run.traffic else {
        let why = run.reasons.join(", ");
        return Err(LoadError::System(io::Error::other(format!("no limit was measured: {why}"))));
    };
    let batch = match batches {
        Batches::Sized(mean) => mean,
        Batches::Free(_) => traffic.batch,
    };
    let right = run.verdict == Verdict::Right;
    Ok(Limit { mode: mode.to_owned(), batch, traffic, fraction: None, right })
}

/// A window that lets a batch come together while another is on its way.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a batch is small")]
fn room_for(batch: f64, senders: u32) -> u32 {
    if batch <= 1.0 { 1 } else { (2.0 * batch / f64::from(senders.max(1))).ceil() as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::plan;

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
}
