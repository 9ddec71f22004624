//! The command line of `learn`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use conformance_kit::net::target::Target;

use crate::command::{grade::Tls, operation::Operation, shared};

/// Shows the one next step in writing a server or a client.
///
/// The cases stand in stages, in the order in which a server is written: connect, frame, join, lists,
/// messages to all, and so on. What is shown is the first stage that is not done yet: what it asks, the
/// exact frames, the first case that fails, and what your program printed. Begin with an empty file.
/// The stages before it are asked again each time, so you see at once when one breaks.
///
/// Every certificate is accepted unless you give --ca: a self-signed one will do.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  conformance learn --spawn 'python3 server.py {host} -p {port}' --watch
  conformance learn --spawn 'make -s && ./server {host} {port}' --watch
  conformance learn --target localhost:5000
  conformance learn client -- python3 client.py {host} -p {port} -ca {ca}
  conformance learn --list

Exit codes: 0 all stages are done, 1 one is not (a program that does not start is the first
stage), 64 usage, 69 nobody answers at --target or the command of a client can't be started,
70 a bug in the suite, 130 ended by Ctrl-C."
)]
pub(crate) struct LearnArguments {
    #[command(subcommand)]
    pub(super) side: Option<LearnSide>,
    #[command(flatten)]
    pub(super) server: LearnServer,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LearnSide {
    Client(Box<LearnClient>),
}

#[derive(Debug, Args)]
pub(crate) struct LearnServer {
    /// Start this server, again for each stage; {host} and {port} are filled in.
    #[arg(long, value_name = "COMMAND")]
    pub(super) spawn: Option<String>,
    /// A server that you have started yourself: HOST:PORT, IPv6 in brackets; or ws://HOST:PORT/PATH, wss://.
    #[arg(long, value_name = "HOST:PORT|URL", conflicts_with_all = ["spawn", "watch"])]
    pub(super) target: Option<Target>,
    /// Trust this certificate or authority only (PEM); without it every certificate is accepted.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(super) ca: Option<PathBuf>,
    /// Accept every certificate, which is the default here.
    #[arg(long)]
    pub(super) insecure: bool,
    /// Whether to speak TLS; auto finds out, and a server without it has the first stage to do.
    #[arg(long, value_enum, default_value_t = Tls::Auto)]
    pub(super) tls: Tls,
    /// Server name to send in TLS instead of the host.
    #[arg(long, value_name = "NAME")]
    pub(super) sni: Option<String>,
    #[command(flatten)]
    pub(super) way: Way,
}

/// Shows the one next step in writing a client.
///
/// In its command, {host}, {port} and {ca} are filled in; {name}, too, where the client takes the user's
/// name there. The suite is the server: it starts the client, types what its user would type, and reads
/// what it shows.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  conformance learn client --watch -- python3 client.py {host} -p {port} -ca {ca}
  conformance learn client --private '/w {user} {text}' -- ./client {host} {port} {ca} {name}
  conformance learn client --list")]
pub(crate) struct LearnClient {
    #[command(flatten)]
    pub(super) operation: Operation,
    #[command(flatten)]
    pub(super) way: Way,
    /// The client's command.
    #[arg(last = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

/// What learning a server and learning a client have in common.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Way {
    /// Run again whenever a file changes, until Ctrl-C: those that the command names, and those below
    /// this folder (without target, node_modules, venv, __pycache__ and hidden ones).
    #[arg(long)]
    pub(super) watch: bool,
    /// What gives no points (SHOULD, and literal readings) has to hold for a stage, too.
    #[arg(long)]
    pub(super) strict: bool,
    /// Multiply all waiting times by this, for a slow machine.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = shared::scale)]
    pub(super) timeout_scale: f64,
    /// List all stages with their cases, and run nothing.
    #[arg(long)]
    pub(super) list: bool,
}
