//! Finds the subject, or starts it, and learns how it speaks.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use conformance_kit::{
    escape,
    net::{dial::DialError, target::Target, tls},
    nonce::Nonces,
    subject::{
        place::Place,
        server::{NoAnswer, OpenError, Server, Waiting},
    },
};
use rustls::pki_types::ServerName;

use super::subject::{RunError, Subject};
use crate::{
    run::Options,
    server::{first_contact::Contact, probe::GreetingError, shared::Shared},
};

/// How long a server that was started may take until it listens.
const STARTING: Duration = Duration::from_secs(15);

/// Finds the subject, after starting it when that is wanted; the server is there when the suite
/// started it.
pub(super) async fn find(
    subject: &Subject,
    options: &Options,
    seed: u64,
) -> Result<(Shared, Option<Server>), RunError> {
    let name = name_of(subject);
    let command = match subject {
        Subject::Running(target) => {
            let addresses = lookup(target).await?;
            return Ok((meet(name, target, &addresses, options, seed).await?, None));
        }
        Subject::At { host, addresses } => {
            let port = addresses.first().map_or(0, SocketAddr::port);
            let target = Target::tcp(host, port);
            return Ok((meet(name, &target, addresses, options, seed).await?, None));
        }
        Subject::Spawned { command, .. } => command,
    };
    let opened = Server::open(&Place::Command(command.clone()), None).await;
    let mut server = opened.map_err(|error| match error {
        OpenError::Start(error) | OpenError::Folder(error) => failed(error.to_string(), ""),
    })?;
    let waiting = Waiting::for_at_most(STARTING.mul_f64(options.timeout_scale.max(1.0)));
    loop {
        let target = server.target.clone();
        let addresses = lookup(&target).await?;
        let error = match meet(target.to_string(), &target, &addresses, options, seed).await {
            Ok(shared) if !server.has_lost_its_port().await => return Ok((shared, Some(server))),
            // Who answers there is somebody else.
            Ok(_) => DialError::Tcp(std::io::ErrorKind::AddrInUse.into()),
            Err(RunError::Unreachable { error, .. }) => error,
            Err(error) => return Err(error),
        };
        match waiting.again(&mut server).await {
            Ok(()) => {}
            Err(NoAnswer::Ended) => {
                let how = server.ending().unwrap_or_else(|| "it has ended".to_owned());
                return Err(failed(how, &server.output()));
            }
            Err(NoAnswer::Late) => {
                let mut why = error.to_string();
                let ports: Vec<_> = server.other_ports().iter().map(u16::to_string).collect();
                if !ports.is_empty() {
                    let ports = ports.join(" and ");
                    why = format!("{why}; it listens on port {ports} instead of {}", target.port);
                }
                return Err(failed(why, &server.output()));
            }
        }
    }
}

fn failed(error: String, printed: &str) -> RunError {
    RunError::Spawn { error, output: escape::ending(printed.trim(), 4_000) }
}

pub(super) fn name_of(subject: &Subject) -> String {
    match subject {
        Subject::Running(target) => target.to_string(),
        Subject::At { host, .. } => host.clone(),
        Subject::Spawned { command, .. } => command.clone(),
    }
}

async fn lookup(target: &Target) -> Result<Vec<SocketAddr>, RunError> {
    let error = |error| RunError::Lookup { target: target.to_string(), error };
    target.resolve().await.map_err(error)
}

/// Meets the subject at one of these addresses, and learns how it speaks.
async fn meet(
    called: String,
    target: &Target,
    addresses: &[SocketAddr],
    options: &Options,
    seed: u64,
) -> Result<Shared, RunError> {
    let config = tls::configuration(&options.trust, options.keylog.clone())?;
    let name = options.sni.clone().unwrap_or_else(|| target.host.clone());
    let name = ServerName::try_from(name.clone()).map_err(|_| RunError::Name(name))?;
    let contact = Contact {
        transport: target.transport(Arc::new(config), name),
        tls: options.tls.towards(target),
        nonces: Nonces::new(seed, "greeting"),
        scale: options.timeout_scale,
    };
    contact.meet(addresses).await.map_err(|error| match error {
        GreetingError::Untrusted(error) => RunError::Untrusted { target: called, error },
        GreetingError::Unreachable(error) => RunError::Unreachable { target: called, error },
    })
}
