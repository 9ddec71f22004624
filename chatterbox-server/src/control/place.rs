//! The control socket in the data folder: who may have it, and whose it is.

#![allow(clippy::disallowed_methods, reason = "the edge: makes and removes a file")]

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::geteuid;
use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{UnixListener, UnixStream};

/// The name of the socket in the data folder.
pub const SOCKET_FILE: &str = "control.sock";

/// Why a data folder has no control socket.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoSocket {
    /// The system takes no path of this length for a socket.
    #[error("{0} is too long for the path of a socket")]
    TooLong(PathBuf),
    /// Others could put a socket of theirs in its place.
    #[error("others may write to {0}")]
    TooOpen(PathBuf),
    /// The owner of the folder could put a socket of theirs in its place.
    #[error("{0} belongs to another user")]
    Foreign(PathBuf),
    /// Something else has its name.
    #[error("{0} is there, and is no socket")]
    NoSocket(PathBuf),
    /// Another server answers there.
    #[error("another server answers at {0}")]
    InUse(PathBuf),
    /// The system says no.
    #[error("{path}: {source}")]
    System {
        /// The socket, or its folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

impl NoSocket {
    /// What helps, for a person.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "give a folder with a shorter path with --data DIR",
            Self::TooOpen(_) => "run chmod go-w on it, and start the server again",
            Self::Foreign(_) => {
                "run the server as that user, or give a folder of your own with --data DIR"
            }
            Self::NoSocket(_) => "move it away, and start the server again",
            Self::InUse(_) => "stop that server, or give another folder with --data DIR",
            Self::System { .. } => "look at the data folder and its disk",
        }
    }
}

/// The socket, open. Only its owner may write to it, and so connect.
#[derive(Debug)]
pub struct ControlSocket {
    listener: UnixListener,
    file: Arc<SocketFile>,
}

/// The file of the socket, which is removed when nobody has this any more.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

/// Where the socket of a folder is, if the folder may have one.
///
/// # Errors
/// [`NoSocket`], without looking at what is there.
pub fn check(folder: &Path) -> Result<PathBuf, NoSocket> {
    let path = folder.join(SOCKET_FILE);
    if SocketAddr::from_pathname(&path).is_err() {
        return Err(NoSocket::TooLong(path));
    }
    let found = fs::metadata(folder).map_err(at(folder))?;
    if found.mode() & 0o022 != 0 {
        return Err(NoSocket::TooOpen(folder.to_owned()));
    }
    Ok(path)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> NoSocket {
    let path = path.to_owned();
    |source| NoSocket::System { path, source }
}

impl ControlSocket {
    /// Makes the socket of a folder. The caller is the one server that uses the folder, so one that nobody answers at was left by
    /// a server that was killed, and is replaced.
    ///
    /// # Errors
    /// [`NoSocket`].
    pub fn open(folder: &Path) -> Result<Self, NoSocket> {
        let path = check(folder)?;
        if !is_trusted(&fs::metadata(folder).map_err(at(folder))?) {
            return Err(NoSocket::Foreign(folder.to_owned()));
        }
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(&path)(error)),
            Ok(found) if !found.file_type().is_socket() => return Err(NoSocket::NoSocket(path)),
            Ok(_) if is_answered(&path) => return Err(NoSocket::InUse(path)),
            Ok(_) => fs::remove_file(&path).map_err(at(&path))?,
        }
        let listener = UnixListener::bind(&path).map_err(at(&path))?;
        // Until here it has the rights of the process's mask. Who connects meanwhile is asked for their user all the same.
        fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(at(&path))?;
        let found = fs::symlink_metadata(&path).map_err(at(&path))?;
        let file = Arc::new(SocketFile { path, device: found.dev(), inode: found.ino() });
        Ok(Self { listener, file })
    }

    /// The file, which is there for as long as somebody has this.
    pub fn file(&self) -> Arc<SocketFile> {
        Arc::clone(&self.file)
    }

    /// The next connection, and whether the peer is root or the user of this process.
    pub(super) async fn accept(&self) -> io::Result<(UnixStream, bool)> {
        let (stream, _) = self.listener.accept().await?;
        let uid = stream.peer_cred()?.uid();
        Ok((stream, uid == 0 || uid == geteuid().as_raw()))
    }
}

/// Whether a folder is ours, or root's.
fn is_trusted(folder: &Metadata) -> bool {
    folder.uid() == 0 || folder.uid() == geteuid().as_raw()
}

/// Whether a server listens at a socket.
fn is_answered(path: &Path) -> bool {
    let connect = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // A server whose queue is full is alive; waiting for it is not for us.
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    };
    // Whatever else is wrong, the socket is not known to be left over.
    connect().map_or_else(|error| error.kind() != io::ErrorKind::ConnectionRefused, |()| true)
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have put another one in its place.
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if is_ours {
            // What can't be removed is found to be left over by the next server.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::DirBuilderExt as _;

    use super::*;

    fn folder(mode: u32) -> (tempfile::TempDir, PathBuf) {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(mode)).unwrap();
        (parent, folder)
    }

    #[tokio::test]
    async fn the_socket_is_for_its_owner_and_goes_with_its_server() {
        let (_parent, folder) = folder(0o700);
        let socket = ControlSocket::open(&folder).unwrap();
        let path = folder.join(SOCKET_FILE);
        let found = fs::symlink_metadata(&path).unwrap();
        assert!(found.file_type().is_socket());
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
        let _client = UnixStream::connect(&path).await.unwrap();
        assert!(socket.accept().await.unwrap().1, "this is our own user");
        let file = socket.file();
        drop(socket);
        assert!(path.exists(), "somebody has it still");
        drop(file);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_socket_that_was_left_is_replaced_and_one_that_is_used_never() {
        let (_parent, folder) = folder(0o755);
        let path = folder.join(SOCKET_FILE);
        // As a killed process leaves it.
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let left = fs::symlink_metadata(&path).unwrap().ino();
        let socket = ControlSocket::open(&folder).unwrap();
        let error = ControlSocket::open(&folder).unwrap_err();
        assert!(matches!(&error, NoSocket::InUse(at) if *at == path), "{error}");
        let connected = UnixStream::connect(&path).await;
        assert!(connected.is_ok(), "the first goes on: {connected:?} {left}");
        // Another one in its place is not ours to remove.
        fs::remove_file(&path).unwrap();
        let other = std::os::unix::net::UnixListener::bind(&path).unwrap();
        drop(socket);
        assert!(path.exists());
        drop(other);
    }

    #[tokio::test]
    async fn a_place_that_is_not_safe_is_refused_with_the_reason() {
        for mode in [0o777, 0o770, 0o702, 0o1777] {
            let (_parent, folder) = folder(mode);
            let error = ControlSocket::open(&folder).unwrap_err();
            assert!(matches!(error, NoSocket::TooOpen(_)), "{mode:o}: {error}");
        }
        let (_parent, folder) = folder(0o700);
        fs::write(folder.join(SOCKET_FILE), "mine").unwrap();
        assert!(matches!(ControlSocket::open(&folder), Err(NoSocket::NoSocket(_))));
        assert_eq!(fs::read_to_string(folder.join(SOCKET_FILE)).unwrap(), "mine");
        let long = folder.join("x".repeat(120));
        assert!(matches!(ControlSocket::open(&long), Err(NoSocket::TooLong(_))));
        let missing = folder.join("missing");
        assert!(matches!(ControlSocket::open(&missing), Err(NoSocket::System { .. })));
    }
}
