//! One server that is started for the soak, and what is made for it: a port, a certificate, a folder, a clock.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

use conformance_kit::{
    authority::{Authority, AuthorityError},
    net::{
        dial::Transport,
        tls::{self, TlsSetupError, Trust},
    },
    subject::listening::free_port,
};
use tempfile::TempDir;
use thiserror::Error;

use crate::processes::{Node, Plan, WallClock};

/// How the server is started.
#[derive(Debug, Clone)]
pub struct OneServer {
    /// The command; `{host}`, `{port}`, `{cert}`, `{key}` and `{dir}` are filled in.
    pub command: String,
    /// Whether it speaks without TLS.
    pub plaintext: bool,
    /// The library by which its clock is set, as [`WallClock::library`] finds it.
    pub library: Option<PathBuf>,
    /// The folder for what it prints.
    pub logs: Option<PathBuf>,
}

/// Why the server can't be started.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OneServerError {
    /// No folder for its data.
    #[error("can't make a folder for the server: {0}")]
    Folder(io::Error),
    /// No port.
    #[error("no port is free: {0}")]
    Port(io::Error),
    /// No certificate.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// No TLS.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
}

/// All that is made for the server; it goes with this.
pub struct Prepared {
    /// What is started.
    pub plan: Plan,
    /// How users speak to it.
    pub transport: Transport,
    /// Whether its clock can be set.
    pub has_clock: bool,
    folder: TempDir,
    _authority: Authority,
}

impl OneServer {
    /// Makes what the server needs.
    ///
    /// # Errors
    /// When the system does not give it.
    pub fn prepare(&self) -> Result<Prepared, OneServerError> {
        let authority = Authority::make()?;
        let folder = tempfile::tempdir().map_err(OneServerError::Folder)?;
        let port = free_port().map_err(OneServerError::Port)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let clock = self.library.as_ref().map(|library| WallClock::new(library, folder.path()));
        let clock = clock.transpose().map_err(OneServerError::Folder)?;
        let values = [
            ("{host}", address.ip().to_string()),
            ("{port}", port.to_string()),
            ("{cert}", authority.cert_file().display().to_string()),
            ("{key}", authority.key_file().display().to_string()),
            ("{dir}", folder.path().display().to_string()),
        ];
        let fill = |line: String, (name, value): &(&str, String)| line.replace(name, value);
        let start = values.iter().fold(self.command.clone(), fill);
        let transport = if self.plaintext {
            Transport::PLAIN
        } else {
            // Whoever has started it knows that it is the right one.
            let client = Arc::new(tls::configuration(&Trust::Anything, None)?);
            Transport::tls(client, tls::server_name("localhost"))
        };
        let has_clock = clock.is_some();
        let node =
            Node { name: "server".to_owned(), address, start, health: None, data: None, clock };
        let plan =
            Plan { nodes: vec![node], logs: self.logs.clone(), between: true, ..Plan::default() };
        Ok(Prepared { plan, transport, has_clock, folder, _authority: authority })
    }
}

impl Prepared {
    /// Keeps the folder with what the server has stored, and says where it is.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        self.folder.keep()
    }
}
