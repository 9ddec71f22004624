//! The flags, and what is done when one of them is given.
#![allow(clippy::disallowed_methods, reason = "the edge: writes the pages into a folder")]

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;

use crate::{completions, pages};

/// The flags with which a program writes about itself, and ends.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[group(skip)]
pub struct ManualArguments {
    /// Print the completions of this command line for a shell, and end
    #[arg(long, value_name = "SHELL", help_heading = "Installing")]
    pub completions: Option<Shell>,

    /// Write the manual pages into this folder, and end
    #[arg(long, value_name = "DIR", help_heading = "Installing")]
    pub man: Option<PathBuf>,
}

/// The reason why completions or pages could not be written.
#[derive(Debug, thiserror::Error)]
pub enum ManualError {
    /// The output takes no more.
    #[error("can't write the completions: {0}")]
    Output(#[source] io::Error),
    /// The folder can't be made, or a page in it can't be written.
    #[error("can't write {path}: {source}")]
    Page {
        /// The folder or the file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl ManualArguments {
    /// Whether one of the flags is given, so that the program does nothing else.
    pub const fn is_asked(&self) -> bool {
        self.completions.is_some() || self.man.is_some()
    }

    /// Writes what is asked for: completions of `command` to `output`, pages into the folder.
    ///
    /// # Errors
    /// [`ManualError`]; pages that were written before stay.
    pub fn write(&self, command: &Command, output: &mut dyn Write) -> Result<(), ManualError> {
        if let Some(shell) = self.completions {
            let text = completions(command, shell).map_err(ManualError::Output)?;
            output.write_all(&text).and_then(|()| output.flush()).map_err(ManualError::Output)?;
        }
        let Some(folder) = &self.man else { return Ok(()) };
        let failed = |path: PathBuf| move |source| ManualError::Page { path, source };
        std::fs::create_dir_all(folder).map_err(failed(folder.clone()))?;
        for page in pages(command).map_err(failed(folder.clone()))? {
            let path = folder.join(&page.file);
            std::fs::write(&path, &page.text).map_err(failed(path))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    #[command(name = "example", version)]
    struct Example {
        host: Option<String>,
        #[command(flatten)]
        manual: ManualArguments,
    }

    #[test]
    fn a_host_is_a_host_whatever_it_is_called() {
        for name in ["man", "completions", "bash"] {
            let example = Example::parse_from(["example", name]);
            assert!(!example.manual.is_asked(), "{name}");
            assert_eq!(example.host.as_deref(), Some(name));
        }
        assert!(Example::try_parse_from(["example", "--completions", "tcsh"]).is_err());
        assert!(Example::parse_from(["example", "--man", "x"]).manual.is_asked());
    }

    #[test]
    fn pages_are_written_into_a_folder_that_is_made_and_a_failure_names_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("a/b");
        let command = <Example as clap::CommandFactory>::command();
        let asked = |man: PathBuf| ManualArguments { completions: None, man: Some(man) };
        let mut printed = Vec::new();
        asked(below.clone()).write(&command, &mut printed).unwrap();
        assert!(printed.is_empty());
        let page = below.join("example.1");
        assert!(std::fs::read_to_string(&page).unwrap().contains("\\-\\-completions"));
        let failure = asked(page.clone()).write(&command, &mut printed).unwrap_err();
        assert!(failure.to_string().contains(&page.display().to_string()), "{failure}");
    }
}
