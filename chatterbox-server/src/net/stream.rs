//! The byte stream of a connection, and why it ends.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

/// A stream in both directions: TLS or plain TCP.
pub(super) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// Boxed, so that the task of a joined connection stays small whatever the transport.
pub(super) type Stream = Box<dyn Duplex>;

/// Why a connection ended, for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("closed by the client")]
    Closed,
    #[error("took too long to join")]
    JoinTimeout,
    #[error("handshake failed: {0}")]
    Handshake(io::Error),
    #[error("sent a frame that is too long")]
    FrameTooLong,
    #[error("did not finish a long frame")]
    LongFrame,
    #[error("too many refused names")]
    Refused,
    #[error("stopped reading")]
    TooSlow,
    #[error("too much was waiting for it")]
    OverBudget,
    #[error("another connection goes on with the session")]
    Resumed,
    #[error("logged out")]
    LoggedOut,
    #[error("its account was removed")]
    AccountRemoved,
    #[error("its login was ended elsewhere")]
    LoggedOutElsewhere,
    #[error("the server is closing")]
    Closing,
    #[error("connection broken: {0}")]
    Broken(#[from] io::Error),
}
