//! The mutant server as a program, to look at a fault by hand.
#![allow(clippy::disallowed_methods, reason = "a program at the edge: it reads two files")]

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use clap::Parser;
use conformance_suite::fault::{Fault, OPPOSITE_CHOICES};

/// A small server that does everything right, and one thing wrong when told to.
#[derive(Parser)]
#[command(name = "mutant", version)]
struct Arguments {
    /// Address to listen on.
    #[arg(default_value = "127.0.0.1:5000")]
    address: SocketAddr,
    /// Certificate chain (PEM); without it there is no TLS.
    #[arg(long, requires = "key")]
    cert: Option<PathBuf>,
    /// Private key (PEM).
    #[arg(long)]
    key: Option<PathBuf>,
    /// What to do wrong; may be given several times.
    #[arg(long = "fault", value_parser = parse_fault)]
    faults: Vec<Fault>,
    /// Give the other answer to every question that the norm leaves open.
    #[arg(long)]
    opposite: bool,
    /// List the faults.
    #[arg(long)]
    list: bool,
}

fn parse_fault(name: &str) -> Result<Fault, String> {
    Fault::parse(name).ok_or_else(|| "no such fault; see --list".to_owned())
}

/// Runs the program with these arguments, the first of which is its name; returns when the mutant died.
///
/// # Errors
/// When the identity can't be read, or the address can't be listened on.
pub fn run<A: Into<OsString> + Clone>(
    arguments: impl IntoIterator<Item = A>,
) -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse_from(arguments);
    if arguments.list {
        for fault in Fault::ALL {
            anstream::println!("{:28} {}", fault.name(), fault.description().trim());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let identity = match (&arguments.cert, &arguments.key) {
        (Some(cert), Some(key)) => {
            let cert = std::fs::read(cert).context("can't read the certificate")?;
            let key = std::fs::read(key).context("can't read the key")?;
            let chain = rustls_pemfile::certs(&mut cert.as_slice()).collect::<Result<_, _>>()?;
            let key =
                rustls_pemfile::private_key(&mut key.as_slice())?.context("no key in there")?;
            Some((chain, key))
        }
        _ => None,
    };
    let mut faults = arguments.faults;
    if arguments.opposite {
        faults.extend(OPPOSITE_CHOICES);
    }
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mutant = crate::start(&[arguments.address], identity, &faults).await?;
        for address in &mutant.addresses {
            anstream::println!("listening on {} {}", address.ip(), address.port());
        }
        mutant.died().await;
        Ok(ExitCode::FAILURE)
    })
}
