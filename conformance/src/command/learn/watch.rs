//! `--watch`: walks again when a file has changed.

use std::{
    collections::BTreeSet,
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};

use conformance_kit::escape;

use super::{
    files::{Files, Snapshot},
    learner::{Learner, here},
    observed::Observed,
    show::show,
    walk::{Memory, walk},
};
use crate::command::{grading::Failure, say};

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_millis(300);
/// Between two looks that have to be the same before a change counts as complete: editors write in
/// several steps, and compilers take their time.
const SETTLE: Duration = Duration::from_millis(150);
/// How many such looks there are at most.
const LOOKS: usize = 40;
/// How many changed files are named.
const NAMED: usize = 3;

/// Walks until it is interrupted from outside. It ends by itself when nothing can be asked.
pub(super) async fn watch(learner: &Learner, strict: bool) -> Result<u8, Failure> {
    let here = here().map_err(|error| Failure {
        text: format!("{error:#}"),
        printed: String::new(),
        hint: None,
        exit_code: 64,
    })?;
    let mut memory = Memory::nothing(learner.path());
    let mut observed = Observed::default();
    let mut why = String::new();
    loop {
        // A file that the command names may not have been there the last time.
        let files = Files::of(&learner.words(), &here);
        let before = look(&files).await;
        let walked = walk(learner, &memory, strict).await?;
        clear();
        print(&why);
        show(learner, &walked, strict);
        memory.done.extend(walked.progress.done(learner.path()));
        // When nothing could be asked, all that was reached is still to be asked.
        if walked.no_start.is_none() {
            memory.reached = walked.progress.current().unwrap_or(usize::MAX);
        }
        let after = look(&files).await;
        let changed = observed.during_run(before.changed(&after), &files);
        for path in observed.new_outputs(&files) {
            let path = shown(path, &here);
            print(&format!(
                "\n{path} changes whenever your program runs, so from now on its changes count between runs only.\n"
            ));
        }
        let changed = if changed.is_empty() {
            let more = if after.cut { ", the first ones of many" } else { "" };
            print(&format!(
                "\nWatching {} files{more}; change one to go on, Ctrl-C ends.\n",
                after.len()
            ));
            wait(&files, after).await
        } else {
            settle(&files, after).await;
            changed
        };
        why = headline(&changed, &here);
    }
}

/// Waits for a change, and for its end.
async fn wait(files: &Files, before: Snapshot) -> BTreeSet<PathBuf> {
    loop {
        tokio::time::sleep(PAUSE).await;
        let now = look(files).await;
        if before.changed(&now).is_empty() {
            continue;
        }
        let settled = settle(files, now).await;
        let changed = before.changed(&settled);
        // Whatever an editor took away and put back is no change.
        if !changed.is_empty() {
            return changed;
        }
    }
}

/// Waits until two looks are the same, or for so long that something is being written all the time.
async fn settle(files: &Files, mut last: Snapshot) -> Snapshot {
    for _ in 0..LOOKS {
        tokio::time::sleep(SETTLE).await;
        let now = look(files).await;
        if now == last {
            break;
        }
        last = now;
    }
    last
}

/// Looks on a thread for that: folders may be on a slow network.
async fn look(files: &Files) -> Snapshot {
    let files = files.clone();
    tokio::task::spawn_blocking(move || files.look()).await.unwrap_or_default()
}

fn headline(changed: &BTreeSet<PathBuf>, here: &Path) -> String {
    let names: Vec<String> = changed.iter().take(NAMED).map(|path| shown(path, here)).collect();
    let more = changed.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("-- changed: {}{more}\n\n", names.join(", "))
}

fn shown(path: &Path, here: &Path) -> String {
    escape::visible(&path.strip_prefix(here).unwrap_or(path).display().to_string())
}

/// Only a terminal has a screen; what goes into a file stays in it.
fn clear() {
    if std::io::stdout().is_terminal() {
        // Not through anstream: NO_COLOR asks for no colours, and this is none.
        let mut stdout = std::io::stdout();
        let _ = stdout.write_all(b"\x1b[2J\x1b[H").and_then(|()| stdout.flush());
    }
}

/// Whoever reads from a pipe waits for these lines.
fn print(text: &str) {
    let _ = say::print(text);
}
