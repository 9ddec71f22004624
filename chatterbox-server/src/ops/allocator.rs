//! Makes the allocator of the system give memory back after a peak.
//!
//! By default glibc raises the size from which a block is mapped on its own to that of the largest block that was freed.
//! One attack with long frames is enough for that, and from then on long blocks lie among short ones, where they can't be
//! given back. A threshold that is set does not move.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Read by glibc when a process starts, so they have to be in the environment by then.
const SETTINGS: [(&str, &str); 3] = [
    // Blocks from this size on are mapped on their own, and unmapped when they are freed. A batch is smaller.
    ("MALLOC_MMAP_THRESHOLD_", "131072"),
    // So much free memory at the end of the heap is kept.
    ("MALLOC_TRIM_THRESHOLD_", "131072"),
    // Each heap keeps free memory of its own; the default is eight for each processor.
    ("MALLOC_ARENA_MAX", "2"),
];

/// Remains in the environment also where the system drops the settings, as it does for a program with file capabilities.
const DONE: &str = "CHATTERBOX_ALLOCATOR_IS_SET";

/// Executes the program once more, as the same process, with the settings in its environment; settings of the operator
/// stay as they are. Has to be called before anything was read or opened.
pub fn give_back_freed_memory(arguments: &[OsString]) {
    if !cfg!(all(target_os = "linux", target_env = "gnu")) {
        return;
    }
    let is_set = |name: &OsStr| {
        let name = name.as_encoded_bytes();
        name == DONE.as_bytes() || name.starts_with(b"MALLOC_") || name == b"GLIBC_TUNABLES"
    };
    if std::env::vars_os().any(|(name, _)| is_set(&name)) {
        return;
    }
    let (Ok(program), Some((name, arguments))) = (std::env::current_exe(), arguments.split_first())
    else {
        return;
    };
    let mut again = Command::new(program);
    again.arg0(name).args(arguments).envs(SETTINGS).env(DONE, "1");
    // It returns only when it has failed. The program works without the settings.
    let _ = again.exec();
}
