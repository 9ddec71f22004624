//! `conformance matrix`: the command line around [`conformance_suite::matrix`].

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use conformance_kit::escape;
use conformance_load::report::html;
use conformance_suite::{
    matrix::{self, Peers, render},
    report::write,
};

use super::{
    interrupt,
    say::{self, Stream},
    shared,
};

/// Lets every client meet every server, and says whose fault it is when they don't understand each
/// other.
#[derive(Debug, Args)]
pub(crate) struct MatrixArguments {
    /// The clients and servers (TOML).
    #[arg(value_name = "PEERS.toml")]
    file: PathBuf,
    /// Write the grid as a page.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write the grid for programs.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Multiply all waiting times by this.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = shared::scale)]
    timeout_scale: f64,
    /// Seed of the names and texts.
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
}

/// Runs the matrix: 0 when every cell is green, 1 when one is not.
pub(crate) fn run(arguments: &MatrixArguments) -> anyhow::Result<u8> {
    judge(arguments).inspect_err(|error| {
        // A grid of an earlier run would be taken for this one's.
        let what = escape::visible_lines(&format!("{error:#}"));
        if let Some(file) = &arguments.html {
            let _ = write::atomically(file, html::trouble("No grid", &what).as_bytes());
        }
        if let Some(file) = &arguments.json {
            let text = serde_json::json!({ "trouble": what }).to_string() + "\n";
            let _ = write::atomically(file, text.as_bytes());
        }
    })
}

fn judge(arguments: &MatrixArguments) -> anyhow::Result<u8> {
    let peers = Peers::parse(&shared::read(&arguments.file)?)?;
    let seed = arguments.seed.unwrap_or_else(|| rand::random::<u32>().into());
    let runtime = tokio::runtime::Runtime::new().context("no runtime")?;
    let mut tell = |cell: &matrix::Cell| {
        let word = if cell.is_green() { "works" } else { "fails" };
        say::aside(format_args!("{word}  {} at {}", cell.client, cell.server));
    };
    let running = matrix::run(&peers, seed, arguments.timeout_scale, &mut tell);
    let grid = interrupt::block_on(&runtime, running)??;
    if let Some(file) = &arguments.html {
        write::atomically(file, render::page(&grid).as_bytes())?;
    }
    if let Some(file) = &arguments.json {
        write::atomically(file, serde_json::to_string_pretty(&grid)?.as_bytes())?;
    }
    let taken = [&arguments.html, &arguments.json].into_iter().flatten();
    let taken = taken.filter(|file| write::is_standard_output(file)).count() > 0;
    let stream = if taken { Stream::Error } else { Stream::Output };
    stream.print(render::console(&grid))?;
    Ok(u8::from(!grid.is_green()))
}
