//! Failures of the program: one line on stderr, a hint, and an exit code of the sysexits family.

use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use chatterbox_server::commands::ConfiguredRoomError;
use chatterbox_server::files::SpoolError;
use chatterbox_server::net::{ListenError, TlsError};
use chatterbox_server::store::sqlite::{CopyError, OpenError};

#[cfg(feature = "cluster")]
use crate::cli::cluster_settings::Misunderstood;
use crate::cli::mistaken::{meant, mistyped};

/// An error that ends the program.
#[derive(Debug)]
pub struct Failure {
    pub message: String,
    /// Advice for the operator, on a line of its own.
    pub hint: Option<Cow<'static, str>>,
    pub code: u8,
}

pub const USAGE: u8 = 64;
/// The name or the password is unusable.
pub const DATA: u8 = 65;
/// There is no such account, user or ban.
pub const NO_USER: u8 = 67;
/// No server runs with this data folder, or it can't be controlled.
pub const NO_SERVER: u8 = 68;
/// The host is unknown, or its address can't be bound.
pub const UNAVAILABLE: u8 = 69;
/// Any other error of the operating system.
pub const SYSTEM: u8 = 71;
/// The database can't be opened, read or copied.
pub const MESSAGES: u8 = 74;
/// The running server does not do it, or does not answer.
pub const REFUSED: u8 = 75;
/// A node of several must not go on before somebody has looked.
pub const DISAGREES: u8 = 76;
/// No permission to bind the port, to control the server, or to look into its data folder.
pub const FORBIDDEN: u8 = 77;
/// Certificate, key or configuration file are unusable.
pub const CONFIGURATION: u8 = 78;

/// What helps where the database, or its folder, is somebody else's.
const FOREIGN: &str =
    "it has to belong to the user that runs the server; or give another folder with --data DIR";

/// The exit codes, for `--help`.
pub const HELP: &str = "\
Exit codes:
  0   done; a server: stopped by SIGINT, SIGTERM or `stop`
  64  wrong arguments
  65  this name or password can't be used, or there is such an account already
  67  there is no such account, user or ban
  68  no server runs with this data folder, or it has no control socket; no such cluster
  69  unknown host, or the address is in use or not to be had; the engine of several nodes is away
  71  the system refuses something else
  74  messages, accounts or files can't be kept, read or copied: in use, damaged, of a newer version,
      no room; or what is printed can't be written
  75  the running server does not do it: it asks for --yes, would lock somebody out, is busy,
      of another version, or does not answer
  76  a node of several must not go on: it has read something else than the others, can't read what
      they write, or was away for too long
  77  no permission to listen there (ports below 1024 need rights), to control the server, or to
      read its data folder
  78  the certificate, the key or the configuration file can't be used";

impl Failure {
    /// Prints it on stderr, and gives its exit code.
    pub fn report(&self) -> ExitCode {
        eprintln!("chatterbox-server: {}", self.message);
        if let Some(hint) = &self.hint {
            eprintln!("hint: {hint}");
        }
        ExitCode::from(self.code)
    }

    /// An error of the operating system, in the middle of `what`.
    pub fn system(what: &str, error: &dyn std::error::Error) -> Self {
        Self { message: format!("{what}: {error}"), hint: None, code: SYSTEM }
    }

    /// Files of users can't be kept in this folder.
    pub fn files(folder: &Path, error: &SpoolError) -> Self {
        match error {
            SpoolError::Taken(_) => Self {
                message: error.to_string(),
                hint: Some("give another folder with --files DIR: one server has it alone".into()),
                code: MESSAGES,
            },
            error => Self::folder("can't keep files in", folder, error),
        }
    }

    /// A folder beside the database can't be used. It is the same at the next start, so a service manager need not try again.
    pub fn folder(what: &str, folder: &Path, error: &dyn std::error::Error) -> Self {
        let hint = "the user that runs the server has to be able to write there; in the unit: \
                    ReadWritePaths=";
        Self {
            message: format!("{what} {}: {error}", folder.display()),
            hint: Some(hint.into()),
            code: MESSAGES,
        }
    }

    /// The same with a hint that names one folder for all, where that was given and not the folder of the database.
    pub fn naming_state(mut self) -> Self {
        if let Some(hint) = &self.hint
            && !hint.contains("--state")
        {
            self.hint = Some(hint.replace("--data DIR", "--state DIR").into());
        }
        self
    }

    /// Output that can't be written to its end.
    pub fn output(error: &io::Error) -> Self {
        let is_full = error.kind() == io::ErrorKind::StorageFull;
        Self {
            message: format!("can't write all of it: {error}"),
            hint: is_full.then(|| "make room, or write it to another disk".into()),
            code: MESSAGES,
        }
    }
}

impl Failure {
    /// The server can't listen on this host, which may have been meant as something else.
    pub fn listening(host: &str, error: &ListenError) -> Self {
        // Some networks have an address for every name, so a word that is none may be found, and can't be bound.
        let nowhere = matches!(error, ListenError::UnknownHost { .. } | ListenError::Bind { .. });
        if let (true, Some((message, hint))) = (nowhere, mistyped(host)) {
            return Self { message, hint: Some(hint.into()), code: USAGE };
        }
        let mut failure = Self::listening_by("-p", error);
        if let ListenError::UnknownHost { host, .. } = error
            && let Some(hint) = meant(host)
        {
            failure.hint = Some(hint.into());
        }
        failure
    }

    /// The same for a host and a port that are given with this flag.
    pub fn listening_by(flag: &str, error: &ListenError) -> Self {
        let here = "give a name or address of this machine";
        let (code, hint) = match error {
            ListenError::UnknownHost { .. } => {
                (UNAVAILABLE, format!("{here}, for example localhost or 0.0.0.0").into())
            }
            ListenError::InUse(_) => {
                let other = format!("choose another port with {flag}, or {flag} 0 for any");
                (UNAVAILABLE, format!("another server runs there; {other}").into())
            }
            ListenError::Forbidden(_) => {
                let higher =
                    format!("ports below 1024 need rights; choose a higher one with {flag}");
                (FORBIDDEN, higher.into())
            }
            _ => (UNAVAILABLE, here.into()),
        };
        Self { message: error.to_string(), hint: Some(hint), code }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        let hint = match &error {
            OpenError::InUse(_) => {
                "give another folder with --data DIR, or keep nothing with --memory"
            }
            OpenError::TooNew { .. } => {
                "use the newer program, or give another folder with --data DIR"
            }
            OpenError::MadeAlone(_) => {
                "`chatterbox-server cluster move-in` makes a cluster of it; a node of one that is there begins with another folder: --data DIR"
            }
            OpenError::OfCluster { .. } => {
                "give --cluster, or make it one that starts alone: `chatterbox-server cluster move-out --data DIR`"
            }
            OpenError::HardLink(_) => {
                "start it with the folder of the other name, or make it a file of its own: cp, then mv"
            }
            OpenError::Full(_) => "make room, or give a folder on another disk with --data DIR",
            OpenError::Disk(_) => {
                "look at `ulimit -f` and at the disk, or give a folder elsewhere with --data DIR"
            }
            OpenError::Forbidden(_) => FOREIGN,
            OpenError::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                FOREIGN
            }
            OpenError::Corrupt { .. } => {
                "put a backup in its place, or give another folder with --data DIR"
            }
            _ => "give a folder that can be written with --data DIR, or keep nothing with --memory",
        };
        let code = match error {
            OpenError::MadeAlone(_) | OpenError::OfCluster { .. } => CONFIGURATION,
            _ => MESSAGES,
        };
        Self { message: error.to_string(), hint: Some(hint.into()), code }
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        let hint = match error {
            CopyError::Open(error) => return error.into(),
            CopyError::Exists(_) => Some("give the name of a file that is not there yet"),
            CopyError::Full(_) => Some("make room, or give a file on another disk"),
            CopyError::Disk(_) => Some("look at `ulimit -f` and at the disk"),
            _ => None,
        };
        Self { message: error.to_string(), hint: hint.map(Into::into), code: MESSAGES }
    }
}

impl From<ConfiguredRoomError> for Failure {
    fn from(error: ConfiguredRoomError) -> Self {
        let (hint, code) = match &error {
            ConfiguredRoomError::Read { .. } | ConfiguredRoomError::Password { .. } => {
                let hint =
                    "password-file names a file with one line, beside the configuration file";
                (Some(hint.into()), CONFIGURATION)
            }
            ConfiguredRoomError::Accounts(_) => (None, MESSAGES),
            ConfiguredRoomError::Hash { .. } => (None, SYSTEM),
        };
        Self { message: error.to_string(), hint, code }
    }
}

#[cfg(feature = "cluster")]
impl From<Misunderstood> for Failure {
    fn from(error: Misunderstood) -> Self {
        Self { message: error.message, hint: Some(error.hint.into()), code: USAGE }
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self { message: error.to_string(), hint: Some(error.hint().into()), code: CONFIGURATION }
    }
}
