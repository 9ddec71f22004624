//! How a connection is protected, for those who show it.

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Security {
    /// TLS, with a certificate that is trusted.
    #[default]
    Tls,
    /// TLS, and anybody could be at the other end.
    Unverified,
    /// Nothing.
    Plaintext,
}
