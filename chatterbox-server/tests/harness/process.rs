//! The server as a process of its own.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::program;

/// What it logs when it takes users.
const READY: &str = "readiness=ready";

/// The running program, which is killed when the test ends early.
pub struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    pub address: SocketAddr,
    pub client_line: String,
    printed: String,
}

impl Running {
    pub fn start(arguments: &[&str]) -> Self {
        Self::run(program::process(), arguments)
    }

    /// The same with variables in the environment.
    pub fn start_in(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut command = program::process();
        command.envs(environment.iter().copied());
        Self::run(command, arguments)
    }

    /// The same with another build of the program.
    pub fn start_program(path: &Path, arguments: &[&str]) -> Self {
        Self::run(program::other(path), arguments)
    }

    fn run(mut command: Command, arguments: &[&str]) -> Self {
        let mut child = command.args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let (mut address, mut client_line, mut printed) = (None, None, String::new());
        while client_line.is_none() {
            let mut line = String::new();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "ended before it was ready");
            printed.push_str(&line);
            if let Some((_, list)) = line.split_once("listening on ") {
                address = Some(list.trim().split(", ").next().unwrap().parse().unwrap());
            }
            if let Some((_, command)) = line.split_once("to chat, run: ") {
                client_line = Some(command.trim().to_owned());
            }
        }
        let (address, client_line) = (address.unwrap(), client_line.unwrap());
        Self { child, stderr, address, client_line, printed }
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it printed until it was ready.
    pub fn printed(&self) -> &str {
        &self.printed
    }

    /// Reads its log until it takes users. It says that once.
    pub fn is_ready(&mut self) {
        if !self.printed.contains(READY) {
            self.log_line(READY);
        }
    }

    /// Reads its log until a line with this text.
    pub fn log_line(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "ended without {text:?}");
            if line.contains(text) {
                return line;
            }
        }
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        self.stderr.read_to_string(&mut log).unwrap();
        (status.code(), log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn read_frame(stream: &mut impl std::io::Read) -> String {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}

/// The next frame, unless the connection ends first.
pub fn try_read(stream: &mut impl std::io::Read) -> Option<String> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

pub fn join(stream: &mut (impl std::io::Read + std::io::Write), name: &str) -> String {
    stream.write_all(&chatterbox_proto::client_frame::join(name).unwrap()).unwrap();
    read_frame(stream)
}

/// The same inside TLS, for who trusts this authority.
pub fn connect_tls(
    address: SocketAddr,
    authority: &Path,
) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(super::trusting(authority), name).unwrap();
    StreamOwned::new(session, connect(address))
}

/// A connection with a read timeout.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(super::PATIENCE)).unwrap();
    stream
}
