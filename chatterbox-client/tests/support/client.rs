//! The program, with pipes.

use std::path::Path;
use std::process::{Output, Stdio};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use super::soon;

/// The program's path.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_chatterbox-client");

/// The program with these arguments, in an environment that changes nothing.
pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(BINARY);
    command
        .args(arguments)
        .env("TZ", "UTC")
        .env_remove("NO_COLOR")
        .env_remove("SSL_CERT_FILE")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs it to its end with this input.
pub(crate) async fn run(arguments: &[&str], input: &str) -> Finished {
    let mut child = command(arguments).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // It may end without reading.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    Finished::new(soon("the program's end", child.wait_with_output()).await.unwrap())
}

/// How it ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Finished {
    fn new(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// The program while it runs.
pub(crate) struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Lines<BufReader<ChildStdout>>,
    /// The error output, once a line of it was asked for.
    stderr: Option<Lines<BufReader<ChildStderr>>>,
}

impl Client {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        Self::spawned(command(arguments))
    }

    /// The same with what it keeps of its user in this folder.
    pub(crate) fn keeping(arguments: &[&str], state: &Path) -> Self {
        let mut command = command(arguments);
        command.env("XDG_STATE_HOME", state);
        Self::spawned(command)
    }

    fn spawned(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, stdin, stdout, stderr: None }
    }

    pub(crate) fn id(&self) -> String {
        self.child.id().unwrap().to_string()
    }

    pub(crate) async fn types(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().unwrap();
        stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
        stdin.flush().await.unwrap();
    }

    /// The next line of the output, which has to come by itself (AI-1), without the time.
    pub(crate) async fn line(&mut self) -> String {
        let line =
            soon("a line", self.stdout.next_line()).await.unwrap().expect("a line, not the end");
        match line.split_once("] ") {
            Some((time, rest)) if time.starts_with('[') => rest.to_owned(),
            _ => line,
        }
    }

    /// Whether it gets to the list of who is here, with `--json`.
    pub(crate) async fn joins(&mut self) -> bool {
        while let Some(line) = soon("a line", self.stdout.next_line()).await.unwrap() {
            if line.contains("\"event\": \"users\"") {
                return true;
            }
        }
        false
    }

    /// The next line of the output, as it is.
    pub(crate) async fn raw_line(&mut self) -> String {
        soon("a line", self.stdout.next_line()).await.unwrap().expect("a line, not the end")
    }

    /// The next line of the error output, where everything stands but what was said.
    pub(crate) async fn error_line(&mut self) -> String {
        let stderr = self
            .stderr
            .get_or_insert_with(|| BufReader::new(self.child.stderr.take().unwrap()).lines());
        soon("an error line", stderr.next_line()).await.unwrap().expect("a line, not the end")
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    /// Closes the pipe that it writes to, as `head` does.
    pub(crate) async fn finish_deaf(self) -> Finished {
        let Self { child, stdin, stdout, stderr: _ } = self;
        drop(stdout);
        let finished = soon("the program's end", child.wait_with_output()).await.unwrap();
        drop(stdin);
        Finished::new(finished)
    }

    /// Waits for its end, with the input left open.
    pub(crate) async fn finish(mut self) -> Finished {
        let mut out = String::new();
        soon("the rest of the output", async {
            while let Some(line) = self.stdout.next_line().await.unwrap() {
                out.push_str(&line);
                out.push('\n');
            }
        })
        .await;
        let mut err = String::new();
        let read = match self.stderr.take() {
            Some(lines) => {
                let mut rest = lines.into_inner();
                soon("the rest", rest.read_to_string(&mut err)).await
            }
            None => {
                let mut all = self.child.stderr.take().unwrap();
                soon("the rest", all.read_to_string(&mut err)).await
            }
        };
        read.unwrap();
        let code = soon("the program's end", self.child.wait()).await.unwrap().code();
        Finished { code, out, err }
    }
}
