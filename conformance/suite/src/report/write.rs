//! Reports on disk: written beside their place and moved there, so that a reader never sees a half
//! one, and again after every case, so that a run that is cut short has left what it knew.
#![allow(clippy::disallowed_methods, reason = "the module that writes files")]

use std::{fs, io, path::Path};

use super::{Report, format::Output, points::Rubric};

/// Writes every output.
///
/// # Errors
/// Says which file could not be written.
pub fn all(outputs: &[Output], report: &Report, rubric: &Rubric) -> io::Result<()> {
    for output in outputs {
        let text = output.format.render(report, rubric)?;
        atomically(&output.file, text.as_bytes()).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", output.file.display()))
        })?;
    }
    Ok(())
}

/// Replaces a file in one step.
///
/// # Errors
/// As the system says.
pub fn atomically(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = file.file_name().ok_or_else(|| io::Error::other("not a file name"))?;
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}", std::process::id()));
    let beside = file.with_file_name(hidden);
    fs::write(&beside, bytes)?;
    fs::rename(&beside, file).inspect_err(|_| {
        // Nothing may be left lying about; whether that works changes nothing.
        let _ = fs::remove_file(&beside);
    })
}

/// Keeps the timeline of every case that has one, one file of JSON a case.
///
/// # Errors
/// As the system says.
pub fn transcripts(folder: &Path, report: &Report) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for case in report.cases.iter().filter(|case| !case.timeline.is_empty()) {
        let text = serde_json::to_string_pretty(case)?;
        // Ids are letters, digits, dots and dashes.
        atomically(&folder.join(format!("{}.json", case.id)), text.as_bytes())?;
    }
    Ok(())
}
