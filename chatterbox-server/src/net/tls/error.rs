//! Why there is no usable certificate, each reason with its sentence and its hint.

use std::io;
use std::path::{Path, PathBuf};

use chatterbox_pem::{KeyProblem, PemError, shell_word};

/// Why there is no usable certificate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file or folder can't be used.
    #[error("{path}: {}", plain(source))]
    File {
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file is far longer than files of certificates are.
    #[error("{0}: it is longer than 1 MiB, and no file of certificates")]
    TooLong(PathBuf),
    /// A file is no PEM, or not all of it is.
    #[error("{path}: {problem}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: PemError,
    },
    /// A file holds no private key that can be read.
    #[error("{path}: {problem}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: KeyProblem,
    },
    /// The private key is of a kind that is not supported.
    #[error("{path}: the private key is {found}, which can't be used here")]
    KeyKind {
        /// The file.
        path: PathBuf,
        /// The kind of key, in words.
        found: String,
    },
    /// The certificate has an old version.
    #[error("{0}: the certificate is of the old version X.509 v1, which TLS clients refuse")]
    OldVersion(PathBuf),
    /// The certificate is for another key.
    #[error("{certificate}: the certificate is not for the key in {key}")]
    Mismatch {
        /// The file of the certificate.
        certificate: PathBuf,
        /// The file of the key.
        key: PathBuf,
    },
    /// The certificate for the key stands behind others.
    #[error("{path}: the certificate for the key is number {place} in it, and has to be the first")]
    Order {
        /// The file of the certificates.
        path: PathBuf,
        /// Its place, counted from 1.
        place: usize,
    },
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
    /// Certificate and key can't be used for TLS, for a reason that none of the others is.
    #[error("{0}: the certificate can't be used for TLS")]
    Unusable(PathBuf),
    /// A certificate could not be made.
    #[error("can't make a certificate in {0}")]
    Make(PathBuf),
}

impl TlsError {
    /// What helps.
    pub fn hint(&self) -> String {
        match self {
            Self::Pem { path, problem } => problem.hint(&quoted(path)),
            Self::Key { path, problem } => problem.hint(&quoted(path)),
            Self::KeyKind { .. } => "make another key, and have a certificate made for it: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out new.key".to_owned(),
            Self::OldVersion(_) => "have it made anew with a name in it, which makes it v3: openssl x509 -req with -extfile, or openssl req -x509 with -addext subjectAltName=DNS:HOST".to_owned(),
            Self::Mismatch { certificate, key } => format!(
                "certificate and key have to belong together; these two lines print the same where they do: openssl x509 -noout -pubkey -in {}; openssl pkey -pubout -in {}",
                quoted(certificate),
                quoted(key)
            ),
            Self::Order { .. } => "put the server's own certificate first, then each one's issuer".to_owned(),
            Self::Foreign(_) => "use these files with --cert and --key, or give another folder with --certs DIR".to_owned(),
            Self::File { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "is the path right? it begins in the folder where the server was started".to_owned()
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::IsADirectory => {
                "give the file itself with --cert and --key; --certs is for a folder".to_owned()
            }
            Self::File { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => "the user that runs the server has to be able to read certificate and key, and to write the folder of --certs DIR".to_owned(),
            Self::File { .. } | Self::Make(_) => {
                "give a folder that can be written with --certs DIR, or files with --cert and --key".to_owned()
            }
            Self::TooLong(_) => "give the file of the certificate with --cert, and that of the key with --key".to_owned(),
            Self::Malformed { path, .. } | Self::Unusable(path) => {
                format!("look at it: openssl x509 -noout -text -in {}", quoted(path))
            }
        }
    }
}

/// The sentence of the system, without its number.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// The path as a shell takes it.
fn quoted(path: &Path) -> String {
    shell_word(&path.display().to_string())
}
