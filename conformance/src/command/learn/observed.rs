//! Tells changes that the author made from those that the program makes whenever it runs.
//!
//! A server that writes a file below the watched folder would start the next run by running: for ever.
//! So a file that changes *during* several runs one after the other counts only between runs from then
//! on. Files that the command names are sources, and always count.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::files::Files;

/// In how many runs one after the other a file may change until it is taken for an output.
const OFTEN: usize = 3;

/// How often each file changed during runs, one after the other.
#[derive(Debug, Default)]
pub(super) struct Observed {
    times: BTreeMap<PathBuf, usize>,
}

impl Observed {
    /// Takes what has changed during a run, and gives what of it counts.
    pub(super) fn during_run(
        &mut self,
        changed: BTreeSet<PathBuf>,
        files: &Files,
    ) -> BTreeSet<PathBuf> {
        self.times.retain(|path, _| changed.contains(path));
        for path in &changed {
            *self.times.entry(path.clone()).or_default() += 1;
        }
        let counts = |path: &PathBuf| files.names(path) || !self.is_output(path);
        changed.into_iter().filter(counts).collect()
    }

    /// Those that have just been taken for outputs.
    pub(super) fn new_outputs<'s>(&'s self, files: &'s Files) -> impl Iterator<Item = &'s PathBuf> {
        let new = |(path, times): &(&PathBuf, &usize)| **times == OFTEN && !files.names(path);
        self.times.iter().filter(new).map(|(path, _)| path)
    }

    fn is_output(&self, path: &PathBuf) -> bool {
        self.times.get(path).is_some_and(|times| *times >= OFTEN)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a file that the command names has to be there")]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_every_run_writes_starts_no_more_runs() {
        let folder = tempfile::tempdir().unwrap();
        let (source, output) = (folder.path().join("server.py"), folder.path().join("chat.db"));
        std::fs::write(&source, "").unwrap();
        let files = Files::of(&["server.py".to_owned()], folder.path());
        let both = BTreeSet::from([source.clone(), output]);
        let mut observed = Observed::default();
        for _ in 0..2 {
            assert_eq!(observed.during_run(both.clone(), &files), both);
            assert_eq!(observed.new_outputs(&files).count(), 0);
        }
        // The source still counts: somebody who saves all the time is no program.
        for told in [1, 0] {
            assert_eq!(observed.during_run(both.clone(), &files), [source.clone()].into());
            assert_eq!(observed.new_outputs(&files).count(), told);
        }
        // A run that leaves it alone begins the count anew.
        observed.during_run(BTreeSet::new(), &files);
        assert_eq!(observed.during_run(both.clone(), &files), both);
    }
}
