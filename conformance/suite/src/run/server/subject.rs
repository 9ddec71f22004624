//! The server to judge, and the errors that prevent a report.

use std::net::SocketAddr;

use conformance_kit::net::{dial::DialError, target::Target, tls::TlsSetupError};
use rustls::CertificateError;
use thiserror::Error;

use crate::{claims::ClaimError, select::SelectError};

/// The server to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A server that is running; its name is looked up.
    Running(Target),
    /// A server that is running on these addresses, under this name in TLS.
    At {
        /// The name for TLS and reports.
        host: String,
        /// Its addresses; the first that answers is used.
        addresses: Vec<SocketAddr>,
    },
    /// A server that the suite starts itself, and again when it died.
    Spawned {
        /// A shell command, with `{host}` and `{port}`.
        command: String,
        /// A fresh server for every case.
        fresh: bool,
    },
}

/// Why there is no report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunError {
    /// The selection is none.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A claim is none.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// TLS can't be set up.
    #[error(transparent)]
    Tls(#[from] TlsSetupError),
    /// The host is no name that TLS knows.
    #[error("{0:?} is no name for a TLS server")]
    Name(String),
    /// The name is not known.
    #[error("can't look up {target}: {error}")]
    Lookup {
        /// The target that was looked up.
        target: String,
        /// The error of the system.
        error: std::io::Error,
    },
    /// The command does not start, or nobody listens.
    #[error("the server that was started does not answer: {error}; it printed: {output}")]
    Spawn {
        /// The error.
        error: String,
        /// The end of its output, escaped.
        output: String,
    },
    /// Nobody is there.
    #[error("can't reach {target}: {error}")]
    Unreachable {
        /// The subject.
        target: String,
        /// The error of the last address.
        error: DialError,
    },
    /// The certificate is not trusted.
    #[error("the certificate of {target} is not trusted: {error}")]
    Untrusted {
        /// The subject.
        target: String,
        /// The error of TLS.
        error: DialError,
    },
}

impl RunError {
    /// The exit code: 64 usage, 69 unreachable.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Select(_) | Self::Claim(_) | Self::Tls(_) | Self::Name(_) => 64,
            Self::Spawn { .. }
            | Self::Lookup { .. }
            | Self::Unreachable { .. }
            | Self::Untrusted { .. } => 69,
        }
    }

    /// A hint for the user.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Untrusted {
                error:
                    DialError::Certificate(rustls::Error::InvalidCertificate(
                        CertificateError::NotValidForNameContext { .. }
                        | CertificateError::NotValidForName,
                    )),
                ..
            } => Some(
                "dial a name that the certificate is for, or give that name with --sni; the names of a new certificate: -addext subjectAltName=DNS:localhost",
            ),
            Self::Untrusted { .. } => Some(
                "give its own certificate, or that of its authority, with --ca FILE; or --insecure to accept every certificate (X.509 v1, too)",
            ),
            Self::Unreachable { error: DialError::Upgrade(_), .. } => Some(
                "is the path right? The request says Origin as a page of this very host and port does: is that one of the server's names?",
            ),
            Self::Unreachable { .. } => Some("is the server running, and on this port?"),
            Self::Spawn { .. } => Some(
                "does the command work when you type it yourself, with a port of your choice for {port}?",
            ),
            _ => None,
        }
    }
}
