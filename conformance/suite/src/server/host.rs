//! A server to talk to, running or started by the suite: what the matrix and the fuzzer share.

use std::{sync::Arc, time::Duration};

use conformance_kit::{
    authority::Authority,
    clock::Clock,
    net::{
        dial::Transport,
        target::Target,
        tls::{self, TlsSetupError, Trust},
    },
    nonce::Nonces,
    subject::{place::Place, spawn::Spawned},
    timing::Timing,
    trace::Trace,
};
use rustls::pki_types::ServerName;
use thiserror::Error;

use crate::{
    invariants::Invariants,
    server::{probe, quirks::TlsMode, shared::Shared},
};

/// How long a server that was started may take to answer.
const START: Duration = Duration::from_secs(20);

/// Why there is no server.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HostError {
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// The command can't be started.
    #[error("can't start the server: {0}")]
    Start(std::io::Error),
    /// Nobody answers.
    #[error("nobody answers at {0}; it printed: {1}")]
    Silent(String, String),
    /// There is an answer, and nobody can join.
    #[error("nobody can join at {0}; it printed: {1}")]
    NoJoin(String, String),
    /// No folder for its files.
    #[error("no folder: {0}")]
    Folder(std::io::Error),
}

/// A server to talk to.
pub struct Host {
    /// How to talk to it.
    pub shared: Arc<Shared>,
    spawned: Option<Spawned>,
    _folder: tempfile::TempDir,
}

impl Host {
    /// Finds the server, or starts it, and learns how it speaks.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn open(
        place: &Place,
        authority: &Authority,
        seed: u64,
        scale: f64,
    ) -> Result<Self, HostError> {
        let folder = tempfile::tempdir().map_err(HostError::Folder)?;
        let mut spawned = None;
        let target = match place {
            Place::Running(target) => target.clone(),
            Place::Command(command) => {
                let files = [
                    ("{cert}", authority.cert_file()),
                    ("{key}", authority.key_file()),
                    ("{dir}", folder.path().to_owned()),
                ];
                let command = files.iter().fold(command.clone(), |command, (name, file)| {
                    command.replace(name, &file.display().to_string())
                });
                let started = spawned.insert(Spawned::new(&command)).start().await;
                started.map_err(HostError::Start)?
            }
        };
        let patience = if spawned.is_some() { START } else { Duration::from_secs(5) };
        let clock = Clock::start();
        loop {
            let shared = answer(&target, seed, scale).await?;
            let ended = spawned.as_mut().is_some_and(|spawned| !spawned.is_running());
            let printed = || spawned.as_ref().map(Spawned::output).unwrap_or_default();
            match shared {
                Some(shared) if shared.greeting().join.is_some() => {
                    return Ok(Self { shared: Arc::new(shared), spawned, _folder: folder });
                }
                Some(_) => return Err(HostError::NoJoin(target.to_string(), printed())),
                None if ended || clock.elapsed() > patience => {
                    return Err(HostError::Silent(target.to_string(), printed()));
                }
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Whether the process that was started still runs; true for those of others.
    pub fn is_running(&mut self) -> bool {
        self.spawned.as_mut().is_none_or(Spawned::is_running)
    }

    /// The process that was started.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.spawned.as_ref().and_then(Spawned::id)
    }

    /// What it printed last, harmless.
    #[must_use]
    pub fn output(&self) -> String {
        self.spawned.as_ref().map(Spawned::output).unwrap_or_default()
    }
}

/// Talks to the first address that answers; `None` when none does.
async fn answer(target: &Target, seed: u64, scale: f64) -> Result<Option<Shared>, HostError> {
    // Whether a certificate is good is the business of tls.cert.
    let config = Arc::new(tls::configuration(&Trust::Anything, None)?);
    let name = ServerName::try_from(target.host.clone())
        .unwrap_or_else(|_| ServerName::from(std::net::IpAddr::from([127, 0, 0, 1])));
    let addresses = target.resolve().await.unwrap_or_default();
    let mut nonces = Nonces::new(seed, "host");
    let mark = format!("malformed-{}", nonces.letters(8));
    for address in &addresses {
        let shared = Shared::new(
            *address,
            addresses.clone(),
            Transport::Tls(Arc::clone(&config), name.clone()),
            Timing::unmeasured(scale),
            Invariants::new(mark.clone(), nonces.number()),
        );
        let trace = Trace::new(shared.clock);
        if probe::greet(&shared, TlsMode::Auto, &mut nonces, &trace, scale).await.is_ok() {
            return Ok(Some(shared));
        }
    }
    Ok(None)
}
