//! Reports on disk: again after every case, so that a run that is cut short has left what it knew,
//! and at the end wherever else they go.
#![allow(clippy::disallowed_methods, reason = "the module that makes folders")]

use std::{fs, io, path::Path};

use super::{Report, destination::Destination, format::Output, points::Rubric};

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// More cases follow. Only files are written, which can be replaced: a pipe would get one report
    /// after the other.
    Going,
    /// This is the whole report.
    Done,
}

/// Writes every output, also behind one that can't be written.
///
/// # Errors
/// Says which output could not be written; the first, when there are several.
pub fn all(
    outputs: &[Output],
    report: &Report,
    rubric: &Rubric,
    progress: Progress,
) -> io::Result<()> {
    let mut failed = Ok(());
    for output in outputs {
        let written = one(output, report, rubric, progress).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", output.file.display()))
        });
        failed = failed.and(written);
    }
    failed
}

fn one(output: &Output, report: &Report, rubric: &Rubric, progress: Progress) -> io::Result<()> {
    let destination = Destination::of(&output.file)?;
    if progress == Progress::Going && !destination.is_replaceable() {
        return Ok(());
    }
    destination.write(output.format.render(report, rubric)?.as_bytes())
}

/// Writes one file, in one step where that is possible: see [`Output::file`] for what is written to
/// instead.
///
/// # Errors
/// As the system says.
pub fn atomically(file: &Path, bytes: &[u8]) -> io::Result<()> {
    Destination::of(file)?.write(bytes)
}

/// Whether what is written there comes out of this program's standard output.
#[must_use]
pub fn is_standard_output(file: &Path) -> bool {
    Destination::of(file).is_ok_and(|destination| destination == Destination::Output)
}

/// Keeps the timeline of every case that has one, one file of JSON a case; what an earlier run kept of
/// the others is removed.
///
/// # Errors
/// As the system says.
pub fn transcripts(folder: &Path, report: &Report) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for case in &report.cases {
        // Ids are letters, digits, dots and dashes.
        let file = folder.join(format!("{}.json", case.id));
        if case.timeline.is_empty() {
            match fs::remove_file(&file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => continue,
            }
        }
        atomically(&file, serde_json::to_string_pretty(case)?.as_bytes())?;
    }
    Ok(())
}
