//! TLS for the server: certificates from files or from a local authority, reloaded while running (TL-1, TL-2).

mod certificate;
mod error;
mod local_authority;
mod pem;
mod private_key;
mod transport;

pub use error::TlsError;
pub use transport::{CertificateSource, Transport, authority_file, can_be_certified, client_host};
