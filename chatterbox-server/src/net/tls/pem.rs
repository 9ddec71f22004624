//! Certificates and keys from files in PEM.

#![allow(clippy::disallowed_methods, reason = "the edge: reads files of certificates")]

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use chatterbox_pem::Bundle;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::net::tls::error::TlsError;

/// The largest file that is read, in bytes; a wrong path may lead to anything.
const LARGEST: u64 = 1024 * 1024;

fn read(path: &Path) -> Result<Bundle, TlsError> {
    let failed = |source| TlsError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mut pem = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut pem).map_err(failed)?;
    if pem.len() as u64 > LARGEST {
        return Err(TlsError::TooLong(path.to_owned()));
    }
    chatterbox_pem::read(&pem).map_err(|problem| TlsError::Pem { path: path.to_owned(), problem })
}

/// The certificates of a file, the server's own first.
///
/// # Errors
/// [`TlsError`] when there is none, or something in the file is not understood.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bundle = read(path)?;
    let found = bundle.certificates();
    found.map(<[_]>::to_vec).map_err(|problem| TlsError::Pem { path: path.to_owned(), problem })
}

/// The one private key of a file.
///
/// # Errors
/// [`TlsError`] when there is none that can be read, or something in the file is not understood.
pub(super) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    read(path)?.private_key().map_err(|problem| TlsError::Key { path: path.to_owned(), problem })
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

    #[test]
    fn a_file_of_which_only_a_part_would_be_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["own.example".to_owned()]).unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        std::fs::write(&path, format!("{pem}{}{pem}", "text\n".repeat(300_000))).unwrap();
        assert!(matches!(certificates(&path), Err(TlsError::TooLong(_))));
    }
}
