//! Why there is no usable certificate.

use std::io;
use std::path::PathBuf;

/// Why there is no usable certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file or folder can't be used.
    #[error("{path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file holds no certificate.
    #[error("{0}: no certificate in it (a PEM block CERTIFICATE)")]
    NoCertificate(PathBuf),
    /// A file holds no private key.
    #[error("{0}: no private key in it (a PEM block PRIVATE KEY)")]
    NoKey(PathBuf),
    /// A file holds something else.
    #[error("{path}: {problem}")]
    Malformed {
        /// The file or folder.
        path: PathBuf,
        /// The reason, for people.
        problem: &'static str,
    },
    /// A file in the folder of the local authority was not made by us, so it is not touched.
    #[error("{0} was not made by this server and is left alone")]
    Foreign(PathBuf),
    /// Certificate and key can't be used for TLS.
    #[error("{path}: {source}")]
    Unusable {
        /// The certificate.
        path: PathBuf,
        /// The error of rustls.
        source: rustls::Error,
    },
    /// A certificate could not be made.
    #[error("can't make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}
