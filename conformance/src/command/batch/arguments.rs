//! The command line of `conformance batch`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use crate::command::{grade::Tls, shared};

/// Grades every submission of a folder, each in a copy of its sub-folder and in bounds of its own.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  conformance batch submissions --spawn 'python3 server.py {host} -p {port}' --csv grades.csv
  conformance batch submissions --spawn './server {host} {port}' --build make --out reports
  conformance batch submissions --spawn './run {port} {cert} {key}' --user nobody --memory 512M
  conformance batch submissions --client 'python3 client.py {host} -p {port} -ca {ca}'
  conformance compare before.json after.json

Every sub-folder is a submission, and its name that of the row. The command runs in a copy of it.
{host} and {port} are filled in; {cert} and {key}, too, for servers that bring no certificate.
What the sandbox of this machine can do is printed first, and stands in the results.

Exit codes: 0 every submission was judged, whatever its grade; 2 some could not be; 64 usage.")]
pub(crate) struct BatchArguments {
    /// The folder with one sub-folder for each submission.
    pub(super) folder: PathBuf,
    /// Start each server with this command; {host} and {port} are filled in.
    #[arg(long, value_name = "COMMAND", required_unless_present = "client")]
    pub(super) spawn: Option<String>,
    /// Judge clients instead, started with this command; {host}, {port} and {ca} are filled in.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["spawn", "user"])]
    pub(super) client: Option<String>,
    /// How the clients want to be operated (TOML).
    #[arg(long, value_name = "FILE", requires = "client")]
    pub(super) profile: Option<PathBuf>,
    /// Use pipes instead of a pseudo-terminal for the clients.
    #[arg(long, requires = "client")]
    pub(super) pipe: bool,
    /// Run this command in each copy first, such as 'make'.
    #[arg(long, value_name = "COMMAND")]
    pub(super) build: Option<String>,
    /// A fresh server for every case.
    #[arg(long, requires = "spawn")]
    pub(super) fresh: bool,
    /// Certificate of the authority to trust (PEM); every certificate is accepted otherwise.
    #[arg(long, value_name = "FILE", requires = "spawn")]
    pub(super) ca: Option<PathBuf>,
    /// Whether to speak TLS; auto falls back to none and charges tls.handshake.
    #[arg(long, value_enum, default_value_t = Tls::Auto)]
    pub(super) tls: Tls,
    /// Run only these cases: ids, groups, levels or clauses, with globs.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Leave these cases out.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(super) skip: Vec<String>,
    /// Extensions that the servers declare: their cases run, and count as their levels say.
    #[arg(long, value_name = "EXTENSION", value_delimiter = ',', requires = "spawn")]
    pub(super) claims: Vec<String>,
    /// Multiply all waiting times by this.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = shared::scale)]
    pub(super) timeout_scale: f64,
    /// SHOULD counts like MUST.
    #[arg(long)]
    pub(super) strict: bool,
    /// Seed of the names and texts that the cases use; the same for all submissions.
    #[arg(long, value_name = "NUMBER")]
    pub(super) seed: Option<u64>,
    /// Points by group (TOML).
    #[arg(long, value_name = "FILE")]
    pub(super) rubric: Option<PathBuf>,
    /// How many submissions run at the same time; more than one makes slow ones slower.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) jobs: u16,
    #[command(flatten)]
    pub(super) bounds: Bounds,
    #[command(flatten)]
    pub(super) results: Results,
}

/// What one submission may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sandbox")]
pub(crate) struct Bounds {
    /// End the run of a submission after this time, such as 8m or 90s.
    #[arg(long, value_name = "TIME", default_value = "8m", value_parser = shared::duration)]
    pub(super) deadline: Duration,
    /// Memory that its processes may use together, such as 512M or 2G.
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size)]
    pub(super) memory: u64,
    /// How many processes it may have.
    #[arg(long, value_name = "NUMBER", default_value_t = 128, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub(super) processes: u32,
    /// How long each file may get that it writes.
    #[arg(long, value_name = "SIZE", default_value = "64M", value_parser = size)]
    pub(super) file_size: u64,
    /// Run it as this user; takes the right to do so.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Environment variable that it gets, too: NAME, as it is here, or NAME=VALUE.
    #[arg(long, value_name = "NAME")]
    pub(super) env: Vec<String>,
}

/// Where the results go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Results")]
pub(crate) struct Results {
    /// Write the table for a spreadsheet.
    #[arg(long, value_name = "FILE")]
    pub(super) csv: Option<PathBuf>,
    /// Write the table with what each case came to, for programs and for compare.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Write a page with the table, and a folder with the report of each submission.
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
    /// Take the results that are in --out already, as far as they were judged with the same command.
    #[arg(long, requires = "out")]
    pub(super) resume: bool,
}

/// Sizes such as 512M or 2G.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "a size, such as 64M or 2G".to_owned();
    let (number, unit) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (text.get(..at), 1 << 10),
        Some((at, 'm' | 'M')) => (text.get(..at), 1 << 20),
        Some((at, 'g' | 'G')) => (text.get(..at), 1 << 30),
        _ => return Err(wrong()),
    };
    let number: u64 = number.unwrap_or_default().parse().map_err(|_| wrong())?;
    number.checked_mul(unit).filter(|size| *size > 0).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        assert_eq!(size("512M"), Ok(512 << 20));
        assert_eq!(size("2g"), Ok(2 << 30));
        for wrong in ["", "M", "12", "0M", "-1M", "99999999999999999999G", "1.5G", "\u{e9}"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
