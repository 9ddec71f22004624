//! Where a report goes. A regular file is replaced in one step, so that a reader never sees a half
//! one; whatever else there is (a pipe, a device, standard output) is written to, and never replaced.
#![allow(clippy::disallowed_methods, reason = "the module that writes files")]

use std::{
    ffi::OsString,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

/// How many links one name may be made of; systems have the same bound.
const MOST_LINKS: usize = 40;

/// How long a reader may let a pipe wait, before it has opened it and in the middle.
const PATIENCE: Duration = Duration::from_secs(20);
const NAP: Duration = Duration::from_millis(20);

/// Where a report goes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
    /// A regular file, or one that is not there yet; the path has no link at its end.
    File(PathBuf),
    /// What can only be written to: a pipe, a device, an open file of this process.
    Stream(PathBuf),
}

impl Destination {
    /// Finds out what a name leads to.
    ///
    /// # Errors
    /// When it is a folder, or its links lead nowhere.
    pub(super) fn of(name: &Path) -> io::Result<Self> {
        if name == Path::new("-") {
            return Ok(Self::Output);
        }
        let mut path = name.to_owned();
        for _ in 0..MOST_LINKS {
            if let Some(own) = Self::of_this_process(&path) {
                return Ok(own);
            }
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => {
                    let target = fs::read_link(&path)?;
                    // A relative link begins in the folder in which it lies; an absolute one replaces it.
                    path = path.parent().unwrap_or(Path::new("")).join(target);
                }
                Ok(found) if found.is_dir() => {
                    return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
                }
                Ok(found) if found.is_file() => return Ok(Self::File(path)),
                Ok(_) => return Ok(Self::Stream(path)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::File(path));
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("too many links"))
    }

    /// The names of files that are open already, such as `/dev/fd/63`, which a shell makes of `>(...)`.
    /// Behind them may be a regular file, and others hold it open: a new one in its place would be
    /// seen by nobody.
    fn of_this_process(path: &Path) -> Option<Self> {
        match path.to_str()? {
            "/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1" => return Some(Self::Output),
            "/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2" => return Some(Self::Error),
            _ => {}
        }
        let in_proc = path.starts_with("/proc") && path.iter().any(|part| part == "fd");
        (path.starts_with("/dev/fd") || in_proc).then(|| Self::Stream(path.to_owned()))
    }

    /// Whether it can be written again and again while a run goes on.
    pub(super) const fn is_replaceable(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// Writes everything. A reader that has gone is none of the writer's business.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let written = match self {
            Self::Output => {
                let mut output = io::stdout().lock();
                output.write_all(bytes).and_then(|()| output.flush())
            }
            Self::Error => io::stderr().lock().write_all(bytes),
            Self::File(path) => replace(path, bytes),
            Self::Stream(path) => open_stream(path).and_then(|stream| feed(stream, bytes)),
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
}

/// Replaces a file in one step by one with the same owner and mode; where that can't be, as in a
/// folder of somebody else, it is overwritten.
fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = match fs::metadata(path) {
        Ok(before) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    match (beside(path, before.as_ref(), bytes), before) {
        (Err(error), Some(_)) if error.kind() == io::ErrorKind::PermissionDenied => {
            OpenOptions::new().write(true).truncate(true).open(path)?.write_all(bytes)
        }
        (written, _) => written,
    }
}

fn beside(path: &Path, before: Option<&Metadata>, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::other("not a file name"))?;
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".");
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(&hidden);
    // As every new file: whatever the umask of the user leaves of it.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    if let Some(before) = before {
        like(file.as_file(), before)?;
    }
    file.write_all(bytes)?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(unix)]
fn like(file: &File, before: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let now = file.metadata()?;
    if (now.uid(), now.gid()) != (before.uid(), before.gid()) {
        fchown(file, Some(before.uid()), Some(before.gid()))?;
    }
    // A new owner takes bits of the mode away, so it comes first.
    file.set_permissions(before.permissions())
}

#[cfg(not(unix))]
fn like(file: &File, before: &Metadata) -> io::Result<()> {
    file.set_permissions(before.permissions())
}

/// Opens what can only be written to. Nobody may be reading from a named pipe yet: without
/// `O_NONBLOCK` opening it would wait for ever, deaf to signals.
fn open_stream(path: &Path) -> io::Result<File> {
    let is_file = fs::metadata(path)?.is_file();
    let mut options = OpenOptions::new();
    options.write(true).truncate(is_file);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let mut waited = Duration::ZERO;
    loop {
        match options.open(path) {
            Err(error) if is_unread(&error) && waited < PATIENCE => {
                thread::sleep(NAP);
                waited += NAP;
            }
            Err(error) if is_unread(&error) => {
                return Err(io::Error::new(error.kind(), "nobody reads from this pipe"));
            }
            other => return other,
        }
    }
}

/// ENXIO: a pipe without a reader.
#[cfg(unix)]
fn is_unread(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error())
}

#[cfg(not(unix))]
const fn is_unread(_: &io::Error) -> bool {
    false
}

/// Writes everything to what may be slow.
fn feed(mut stream: File, mut bytes: &[u8]) -> io::Result<()> {
    let mut waited = Duration::ZERO;
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                bytes = bytes.get(count..).unwrap_or_default();
                waited = Duration::ZERO;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && waited < PATIENCE => {
                thread::sleep(NAP);
                waited += NAP;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{
        io::Read as _,
        os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink},
    };

    use super::*;

    fn write(name: &Path, text: &str) -> io::Result<()> {
        Destination::of(name)?.write(text.as_bytes())
    }

    fn pipe(folder: &Path) -> PathBuf {
        let path = folder.join("pipe");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        path
    }

    #[test]
    fn a_link_stays_and_its_target_is_written() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("real")).unwrap();
        let real = folder.path().join("real/r.json");
        let links = ["link", "link of link", "nowhere yet"].map(|name| folder.path().join(name));
        symlink("real/r.json", &links[0]).unwrap();
        symlink("link", &links[1]).unwrap();
        symlink(folder.path().join("real/new.json"), &links[2]).unwrap();
        for (link, target) in [
            (&links[0], real.clone()),
            (&links[1], real),
            (&links[2], folder.path().join("real/new.json")),
        ] {
            write(link, &link.display().to_string()).unwrap();
            assert!(fs::symlink_metadata(link).unwrap().is_symlink());
            assert_eq!(fs::read_to_string(target).unwrap(), link.display().to_string());
        }
        let circle = folder.path().join("circle");
        symlink("circle", &circle).unwrap();
        assert!(write(&circle, "").is_err());
    }

    #[test]
    fn mode_and_owner_stay() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("r.json");
        write(&file, "one").unwrap();
        for mode in [0o664, 0o600, 0o444] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            // Only root can give a file away.
            let _ = std::os::unix::fs::chown(&file, Some(65_534), Some(65_534));
            let before = fs::metadata(&file).unwrap();
            write(&file, "two").unwrap();
            let after = fs::metadata(&file).unwrap();
            assert_eq!(after.mode() & 0o7777, mode);
            assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_new_file_is_as_every_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let (ours, plain) = (folder.path().join("a"), folder.path().join("b"));
        write(&ours, "").unwrap();
        fs::write(&plain, "").unwrap();
        let mode = |file: &Path| fs::metadata(file).unwrap().mode();
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn a_pipe_gets_everything_and_stays_a_pipe() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path());
        let link = folder.path().join("link to a pipe");
        symlink(&path, &link).unwrap();
        // More than a pipe holds.
        let text = "x".repeat(1 << 20);
        for name in [&path, &link] {
            let from = path.clone();
            let reader = thread::spawn(move || {
                let mut all = String::new();
                File::open(from).unwrap().read_to_string(&mut all).unwrap();
                all
            });
            assert!(!Destination::of(name).unwrap().is_replaceable());
            write(name, &text).unwrap();
            assert_eq!(reader.join().unwrap(), text);
            assert!(!fs::metadata(name).unwrap().is_file());
        }
    }

    #[test]
    fn a_reader_that_goes_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(folder.path());
        let from = path.clone();
        let reader = thread::spawn(move || File::open(from).unwrap().read_exact(&mut [0; 10]));
        write(&path, &"x".repeat(1 << 20)).unwrap();
        reader.join().unwrap().unwrap();
    }

    #[test]
    fn devices_and_open_files_are_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("null");
        symlink("/dev/null", &link).unwrap();
        write(&link, "gone").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        for (name, destination) in [
            ("-", Destination::Output),
            ("/dev/stdout", Destination::Output),
            ("/dev/fd/1", Destination::Output),
            ("/proc/self/fd/1", Destination::Output),
            ("/dev/stderr", Destination::Error),
            ("/dev/fd/63", Destination::Stream("/dev/fd/63".into())),
            ("./-", Destination::File("./-".into())),
        ] {
            assert_eq!(Destination::of(Path::new(name)).unwrap(), destination);
        }
        let out = folder.path().join("out");
        symlink("/dev/stdout", &out).unwrap();
        assert_eq!(Destination::of(&out).unwrap(), Destination::Output);
        assert!(Destination::of(folder.path()).is_err());
    }
}
