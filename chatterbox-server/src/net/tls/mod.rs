//! TLS for the server: connections without buffers of their own, and certificates from files or from a local authority, reloaded
//! while running (TL-1, TL-2).

mod certificate;
mod error;
mod leftover;
mod local_authority;
mod pem;
mod private_key;
mod records;
mod scratch;
mod stream;
mod transport;

pub use error::TlsError;
pub(crate) use stream::TlsStream;
pub use transport::{CertificateSource, Transport, authority_file, can_be_certified, client_host};
