//! What a program that was killed has left of files that it fetched.
//!
//! Nothing of others is removed: what is has a name that nobody gives by chance, since a digest of the name is in it; it is a file of this
//! user, readable by them alone and there under no other name; nobody has it locked, as whoever writes one has; and nothing was
//! written to it for a day.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use ring::digest::{SHA256, digest};
use rustix::fs::OFlags;

const BEGIN: &str = ".chatterbox-";
const END: &str = ".part";

/// A program that goes on after this time writes something, or has given up.
const AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// So many names of a folder are looked at. Where there are more, some are left.
const LOOKED_AT: usize = 10_000;

/// The temporary name of a file that is fetched.
pub(super) fn name_of(process: u32, transfer: u64, number: u32) -> String {
    let own = format!("{process}-{transfer}-{number}");
    format!("{BEGIN}{own}-{}{END}", check_of(&own))
}

/// Tells these names from others that look like them.
fn check_of(own: &str) -> String {
    let check = digest(&SHA256, format!("chatterbox part {own}").as_bytes());
    check.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn is_of_ours(name: &str) -> bool {
    let between = name.strip_prefix(BEGIN).and_then(|name| name.strip_suffix(END));
    let parts = between.and_then(|between| between.rsplit_once('-'));
    parts.is_some_and(|(own, check)| check == check_of(own))
}

/// Removes what is left in a folder. `own` is a file of this user that is there.
pub(super) fn remove_from(folder: &Path, own: &File) {
    let (Ok(entries), Ok(own)) = (fs::read_dir(folder), own.metadata()) else { return };
    for entry in entries.take(LOOKED_AT).flatten() {
        if !entry.file_name().to_str().is_some_and(is_of_ours) {
            continue;
        }
        let path = entry.path();
        // What can't be looked at is left, and what can't be removed.
        if is_left(&path, own.uid()).unwrap_or(false) {
            let _ = fs::remove_file(path);
        }
    }
}

fn is_left(path: &Path, user: u32) -> io::Result<bool> {
    // A link is not followed, and a pipe not waited for.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let found = file.metadata()?;
    let is_ours = found.is_file()
        && found.uid() == user
        && found.mode() & 0o777 == 0o600
        && found.nlink() == 1;
    let age = SystemTime::now().duration_since(found.modified()?).unwrap_or_default();
    Ok(is_ours && age >= AGE && file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::PathBuf;

    use super::*;

    /// A file of the mode that ours have, to which nothing was written for so many hours.
    fn old(path: &Path, hours: u64) -> File {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(hours * 60 * 60)).unwrap();
        file
    }

    #[test]
    fn what_a_killed_program_has_left_goes_after_a_day_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = |number| folder.path().join(name_of(4_000_000, 1, number));
        let named = |name: &str| folder.path().join(name);
        let outside = named("outside");
        drop(old(&outside, 100));
        let left = path(1);
        drop(old(&left, 25));
        // Whoever writes one has it locked, however long nothing comes.
        let written = old(&path(2), 100);
        written.lock().unwrap();
        drop(old(&path(3), 23));
        // Others may have rights that ours never have, another name, or be no file.
        drop(old(&path(4), 100));
        fs::set_permissions(path(4), fs::Permissions::from_mode(0o644)).unwrap();
        drop(old(&path(5), 100));
        fs::hard_link(path(5), named("kept")).unwrap();
        symlink(&outside, path(6)).unwrap();
        fs::create_dir(path(7)).unwrap();
        let made = std::process::Command::new("mkfifo").arg(path(8)).status().unwrap();
        assert!(made.success());
        let mut stays: Vec<PathBuf> = (2..=8).map(path).collect();
        for name in [
            ".chatterbox-1-1-1.part",
            ".chatterbox-1-1-1-00000000.part",
            ".chatterbox-.part",
            "notes.part",
            &path(1).file_name().unwrap().to_str().unwrap().to_uppercase(),
            &path(1).file_name().unwrap().to_str().unwrap()[1..],
        ] {
            drop(old(&named(name), 100));
            stays.push(named(name));
        }
        let own = old(&path(9), 0);
        remove_from(folder.path(), &own);
        assert!(!left.exists(), "it is of nobody any more");
        for path in stays.iter().chain([&outside, &path(9)]) {
            assert!(path.symlink_metadata().is_ok(), "{path:?}");
        }
        drop(written);
        remove_from(folder.path(), &own);
        assert!(!path(2).exists(), "its program was killed");
    }
}
