//! A server that the suite starts itself, and everything that it starts in turn: all of it ends with the
//! run.
#![allow(clippy::disallowed_methods, reason = "a task drains what the subject prints")]

use std::{
    io,
    os::{fd::OwnedFd, unix::process::ExitStatusExt as _},
    process::{ExitStatus, Stdio},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::AsyncReadExt as _,
    net::unix::pipe,
    process::{Child, Command},
    task::JoinHandle,
};

use super::{
    descendants::{Family, adopt_orphans},
    environment::as_no_service,
    listening::free_port,
    printed::{Mark, Printed},
    process::Process,
};
use crate::net::target::Target;

/// How long is waited for the last words of a process that has ended.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Between two looks at what is still there.
const PAUSE: Duration = Duration::from_millis(5);

/// What servers print when somebody else has their port, in lower case.
const TAKEN: [&str; 6] = [
    "address already in use",
    "address in use",
    "eaddrinuse",
    "errno 98",
    "errno 48",
    "os error 98",
];

/// A server of the suite's own.
pub(super) struct Spawned {
    template: String,
    running: Option<Running>,
    printed: Printed,
}

/// What was started last.
struct Running {
    shell: Child,
    family: Family,
    drain: JoinHandle<()>,
    port: u16,
    ended: Option<ExitStatus>,
    /// The process that was found to be the server.
    server: Mutex<Option<u32>>,
}

impl Spawned {
    /// A server that this line of a shell starts, with `{host}` and `{port}`.
    pub(super) fn new(template: &str) -> Self {
        Self { template: template.to_owned(), running: None, printed: Printed::default() }
    }

    /// Starts the server, in place of the one before, and says where it will listen.
    ///
    /// # Errors
    /// When it can't be started.
    pub(super) async fn start(&mut self) -> io::Result<Target> {
        self.stop().await;
        adopt_orphans();
        let port = free_port()?;
        let target = Target::tcp("localhost", port);
        let line = self
            .template
            .replace("{host}", &target.host)
            .replace("{port}", &target.port.to_string());
        let (variable, mark) = Family::variable();
        // One pipe for both, so that a traceback stands behind what was printed before it.
        let (from, to) = io::pipe()?;
        let mut command = Command::new("sh");
        as_no_service(&mut command)
            .args(["-c", &line])
            .env(variable, &mark)
            // What Python prints into a pipe it keeps, and loses when it is ended.
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::null())
            .stdout(to.try_clone()?)
            .stderr(to)
            .process_group(0)
            .kill_on_drop(true);
        let shell = command.spawn()?;
        // It holds ends of the pipe, which would stay open.
        drop(command);
        let family = Family::of(shell.id().unwrap_or_default(), mark);
        let process = self.printed.next_process();
        let from = pipe::Receiver::from_owned_fd(OwnedFd::from(from))?;
        let drain = tokio::spawn(drain(from, self.printed.clone(), process));
        let server = Mutex::new(None);
        self.running = Some(Running { shell, family, drain, port, ended: None, server });
        Ok(target)
    }

    /// Whether anything that was started is still there.
    pub(super) fn is_running(&mut self) -> bool {
        let Some(running) = &mut self.running else { return false };
        if running.ended.is_none()
            && let Ok(Some(status)) = running.shell.try_wait()
        {
            running.ended = Some(status);
            running.family.leader_is_gone();
        }
        // A server that has put itself into the background goes on without its shell.
        let runs = running.ended.is_none() || running.family.lives();
        if !runs {
            self.printed.died();
        }
        runs
    }

    /// How the process that was started has ended.
    pub(super) fn ending(&self) -> Option<String> {
        let status = self.running.as_ref()?.ended?;
        Some(match (status.code(), status.signal()) {
            (Some(code), _) => format!("it has ended with exit code {code}"),
            (None, Some(signal)) => format!("it was ended by signal {signal}"),
            (None, None) => "it has ended".to_owned(),
        })
    }

    /// Waits a moment for what was printed before the end.
    pub(super) async fn drained(&mut self) {
        if let Some(running) = &mut self.running
            && !running.drain.is_finished()
        {
            // What it has started may hold the pipe open.
            let _ = tokio::time::timeout(LAST_WORDS, &mut running.drain).await;
        }
    }

    /// Whether it ended because somebody else has its port.
    pub(super) fn lost_its_port(&self) -> bool {
        let printed = self.printed.current().to_lowercase();
        TAKEN.iter().any(|words| printed.contains(words))
    }

    /// The server's process, while it runs: the one that listens on the port; before one does, the
    /// process that was started.
    pub(super) fn id(&self) -> Option<u32> {
        let running = self.running.as_ref()?;
        let mut known = running.server.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = *known
            && running.family.holds(pid)
        {
            return Some(pid);
        }
        let listeners = running.family.listeners();
        *known = listeners.iter().find(|(_, port)| *port == running.port).map(|(pid, _)| *pid);
        known.or_else(|| running.shell.id())
    }

    /// Seconds of CPU that processes have used which were started beside the server and its shell.
    pub(super) fn others_cpu(&self) -> f64 {
        let Some(running) = &self.running else { return 0.0 };
        let known = [self.id(), running.shell.id()];
        let used = |pid: u32| {
            let process = Process::find(pid).ok()?;
            let own = if known.contains(&Some(pid)) { 0.0 } else { process.cpu()? };
            // Those that have ended count at whoever has waited for them.
            Some(own + process.waited_cpu()?)
        };
        running.family.members().into_iter().filter_map(used).sum()
    }

    /// The ports on which it listens, although another was asked for.
    pub(super) fn other_ports(&self) -> Vec<u16> {
        let Some(running) = &self.running else { return Vec::new() };
        let ports = running.family.listeners().into_iter().map(|(_, port)| port);
        let mut ports: Vec<u16> = ports.filter(|port| *port != running.port).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    /// This moment in what it prints.
    pub(super) fn mark(&self) -> Mark {
        self.printed.mark()
    }

    /// What it printed since then.
    pub(super) fn output_since(&self, mark: Mark) -> String {
        self.printed.since(mark)
    }

    /// What it printed last, escaped: the process that runs, and an earlier one with more to tell.
    pub(super) fn output(&self) -> String {
        self.printed.last()
    }

    async fn stop(&mut self) {
        // Whoever has ended until now has done so by itself.
        self.is_running();
        let Some(mut running) = self.running.take() else { return };
        for _ in Family::rounds() {
            if !running.family.end() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        let _ = running.shell.kill().await;
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        let Some(running) = &self.running else { return };
        for _ in Family::rounds() {
            if !running.family.end() {
                break;
            }
            std::thread::sleep(PAUSE);
        }
    }
}

/// Reads whatever comes, however much it is.
async fn drain(mut from: pipe::Receiver, into: Printed, process: u64) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        into.add(process, buffer.get(..count).unwrap_or_default());
    }
}
