//! Certificates and keys from PEM files.

#![allow(clippy::disallowed_methods, reason = "the edge: reads files of certificates")]

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::net::tls::error::TlsError;

/// The largest file that is read, in bytes; a wrong path may lead to anything.
const LARGEST: u64 = 1024 * 1024;

fn open(path: &Path) -> Result<BufReader<std::io::Take<File>>, TlsError> {
    let file =
        File::open(path).map_err(|source| TlsError::File { path: path.to_owned(), source })?;
    Ok(BufReader::new(file.take(LARGEST)))
}

/// The certificates of a file, the server's own first.
///
/// # Errors
/// [`TlsError`] when there is none.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Vec<_> = rustls_pemfile::certs(&mut open(path)?)
        .collect::<Result<_, _>>()
        .map_err(|source| TlsError::File { path: path.to_owned(), source })?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(path.to_owned()));
    }
    Ok(chain)
}

/// The first private key of a file.
///
/// # Errors
/// [`TlsError`] when there is none.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    rustls_pemfile::private_key(&mut open(path)?)
        .map_err(|source| TlsError::File { path: path.to_owned(), source })?
        .ok_or_else(|| TlsError::NoKey(path.to_owned()))
}
