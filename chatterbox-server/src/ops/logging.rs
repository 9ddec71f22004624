//! Logs to stderr, as text or JSON: who joined and left, never the content of messages.
//!
//! A thread of its own writes them. When the reader of stderr has stopped (a terminal on Ctrl-S, a full pipe), lines are
//! dropped and the chat goes on.

use std::io::IsTerminal as _;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The library that speaks with the engine of several nodes.
const ENGINE: &str = "async_nats";

/// Starts logging; `filter` is a level (`info`) or directives (`info,chatterbox_server=debug`).
///
/// Dropping the guard writes the lines that are still queued.
///
/// # Errors
/// When the filter can't be parsed.
pub fn start(
    format: LogFormat,
    filter: &str,
) -> Result<WorkerGuard, tracing_subscriber::filter::ParseError> {
    // What we say of the engine ourselves is enough, unless somebody asks for the library's words.
    let filter = if filter.contains(ENGINE) {
        filter.to_owned()
    } else {
        format!("{ENGINE}=error,{filter}")
    };
    let filter = EnvFilter::builder().parse(filter)?;
    let (writer, guard) = tracing_appender::non_blocking(std::io::stderr());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match format {
        LogFormat::Text => {
            let colour = std::io::stderr().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            builder.with_ansi(colour).with_target(false).init();
        }
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(guard)
}
