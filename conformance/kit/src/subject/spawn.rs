//! A server that the suite starts itself, in a process group of its own, which ends with the run.
#![allow(clippy::disallowed_methods, reason = "two tasks drain what the subject prints")]

use std::{
    collections::VecDeque,
    io,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
};

use crate::{escape, net::target::Target};

/// How much of what a subject prints is kept: its end.
const KEPT: usize = 16 * 1024;

/// A server of the suite's own.
pub struct Spawned {
    template: String,
    child: Option<Child>,
    output: Arc<Mutex<VecDeque<u8>>>,
}

/// A port that was free a moment ago; nobody promises more on a shared machine.
///
/// It lies below those that systems give to outgoing connections: the suite itself makes hundreds of these, and one of
/// them could get the port before the server does.
fn free_port() -> io::Result<u16> {
    let free = |port| std::net::TcpListener::bind(("127.0.0.1", port));
    for _ in 0..32 {
        if let Ok(listener) = free(rand::random_range(10_240..32_000)) {
            return Ok(listener.local_addr()?.port());
        }
    }
    Ok(free(0)?.local_addr()?.port())
}

impl Spawned {
    /// A server that this shell command starts, with `{host}` and `{port}`.
    #[must_use]
    pub fn new(template: &str) -> Self {
        Self { template: template.to_owned(), child: None, output: Arc::default() }
    }

    /// Starts the server, in place of the one before, and says where it will listen.
    ///
    /// # Errors
    /// When it can't be started.
    pub async fn start(&mut self) -> io::Result<Target> {
        self.stop().await;
        let port = free_port()?;
        let target = Target { host: "localhost".to_owned(), port };
        let command = self
            .template
            .replace("{host}", &target.host)
            .replace("{port}", &target.port.to_string());
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(drain(stdout, Arc::clone(&self.output)));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(drain(stderr, Arc::clone(&self.output)));
        }
        self.child = Some(child);
        Ok(target)
    }

    /// Whether the process that was started is still there.
    pub fn is_running(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// Its process, while it runs.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// The end of the subject's output, escaped.
    #[must_use]
    pub fn output(&self) -> String {
        let kept = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.iter().copied().collect();
        escape::visible_lines(&String::from_utf8_lossy(&bytes))
    }

    async fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            kill_group(&child);
            let _ = child.kill().await;
        }
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        if let Some(child) = &self.child {
            kill_group(child);
        }
    }
}

/// Ends a process and everything that it started.
fn kill_group(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself.
        let _ = kill_process_group(pid, Signal::KILL);
    }
}

/// Reads whatever comes, however much it is, and keeps the end.
async fn drain(mut from: impl AsyncRead + Unpin, into: Arc<Mutex<VecDeque<u8>>>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count) = from.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        let mut kept = into.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(buffer.iter().take(count));
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
}
