//! Certificates and keys from PEM files.

#![allow(clippy::disallowed_methods, reason = "the edge: reads files of certificates")]

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::net::tls::error::TlsError;

/// The largest file that is read, in bytes; a wrong path may lead to anything.
const LARGEST: u64 = 1024 * 1024;

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let failed = |source| TlsError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mut pem = Vec::new();
    BufReader::new(file.take(LARGEST)).read_to_end(&mut pem).map_err(failed)?;
    Ok(separated(&pem))
}

/// The same PEM, with a line end between two blocks where it is missing: files that were put together often lack it,
/// and a reader of lines would not see the second block, such as the certificate of the issuer.
fn separated(pem: &[u8]) -> Vec<u8> {
    const NEXT: &[u8] = b"-----BEGIN ";
    let mut lines = Vec::with_capacity(pem.len());
    for (place, byte) in pem.iter().enumerate() {
        let begins = pem.get(place..).is_some_and(|rest| rest.starts_with(NEXT));
        if begins && lines.ends_with(b"-----") {
            lines.push(b'\n');
        }
        lines.push(*byte);
    }
    lines
}

/// The certificates of a file, the server's own first.
///
/// # Errors
/// [`TlsError`] when there is none.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain: Vec<_> = rustls_pemfile::certs(&mut read(path)?.as_slice())
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
    rustls_pemfile::private_key(&mut read(path)?.as_slice())
        .map_err(|source| TlsError::File { path: path.to_owned(), source })?
        .ok_or_else(|| TlsError::NoKey(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_without_a_line_end_between_them_are_all_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("glued.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let made = |name: &str| {
            let params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.self_signed(&key).unwrap().pem().trim_end().to_owned()
        };
        let glued = [made("own.example"), made("issuer.example"), key.serialize_pem()].concat();
        std::fs::write(&path, glued).unwrap();
        assert_eq!(certificates(&path).unwrap().len(), 2);
        private_key(&path).unwrap();
    }
}
