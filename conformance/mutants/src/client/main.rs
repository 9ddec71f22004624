//! A small client that does everything right, and one thing wrong when told to.
//!
//! The twin of the mutant server: it proves that every case for clients can fail. It appends the
//! name of each fault that acts to a file, so that a test knows that the faulty path really ran.
#![allow(clippy::disallowed_methods, reason = "a program at the edge")]

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use conformance_suite::fault::{ClientFault, OPPOSITE_CLIENT};

mod faults;
mod inbox;
mod keyboard;
mod outbox;
mod session;
mod show;
mod transport;
mod typing;

use faults::Faults;

/// A small client that does everything right, and one thing wrong when told to.
#[derive(Parser)]
#[command(name = "mutant-client", version)]
struct Arguments {
    /// The server.
    #[arg(default_value = "localhost")]
    host: String,
    /// Its port.
    #[arg(short, long, default_value_t = 5000)]
    port: u16,
    /// The authority to trust (PEM).
    #[arg(long)]
    ca: Option<PathBuf>,
    /// The name to join under; asked for without it.
    #[arg(long)]
    name: Option<String>,
    /// What to do wrong; may be given several times.
    #[arg(long = "fault", value_parser = parse_fault)]
    faults: Vec<ClientFault>,
    /// Give the other answer to every question that the norm leaves open.
    #[arg(long)]
    opposite: bool,
    /// Be operated by JSON lines.
    #[arg(long)]
    adapter: bool,
    /// Append the name of each fault that acts to this file.
    #[arg(long)]
    log: Option<PathBuf>,
    /// List the faults.
    #[arg(long)]
    list: bool,
}

fn parse_fault(name: &str) -> Result<ClientFault, String> {
    ClientFault::parse(name).ok_or_else(|| "no such fault; see --list".to_owned())
}

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    if arguments.list {
        for fault in ClientFault::ALL {
            anstream::println!("{:28} {}", fault.name(), fault.description().trim());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let mut faults = arguments.faults;
    if arguments.opposite {
        faults.extend(OPPOSITE_CLIENT);
    }
    let faults = Faults::new(faults, arguments.log);
    let options = session::Options {
        host: arguments.host,
        port: arguments.port,
        ca: arguments.ca,
        name: arguments.name,
        adapter: arguments.adapter,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let code = runtime.block_on(session::run(options, faults));
    // The thread at the keyboard would keep a plain return waiting.
    std::process::exit(code);
}
