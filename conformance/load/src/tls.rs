//! TLS without buffers of its own: records are read from, and written to, buffers that thousands of
//! connections share. Both ends of the tool use it: the members, and the server that shows the limit.

use rustls::{
    client::UnbufferedClientConnection,
    server::UnbufferedServerConnection,
    unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus},
};
use thiserror::Error;

/// Why a TLS connection can't go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// The peer broke TLS, or its certificate was refused.
    #[error("{0}")]
    Tls(#[from] rustls::Error),
    /// A record could not be encoded.
    #[error("can't encode a TLS record: {0}")]
    Encode(#[from] EncodeError),
    /// A record could not be encrypted.
    #[error("can't encrypt a TLS record: {0}")]
    Encrypt(#[from] EncryptError),
}

/// One end of TLS.
pub trait Records {
    /// The end's own data.
    type Data;
    fn records<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data>;
}

impl Records for UnbufferedClientConnection {
    type Data = rustls::client::ClientConnectionData;
    fn records<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }
}

impl Records for UnbufferedServerConnection {
    type Data = rustls::server::ServerConnectionData;
    fn records<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data> {
        self.process_tls_records(incoming)
    }
}

/// The outcome of decrypting some bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opened {
    /// How many bytes were used; the rest is the beginning of a record.
    pub used: usize,
    /// How many records held data.
    pub records: u32,
    /// Whether the peer has said that it will send nothing more.
    pub ended: bool,
}

pub struct TlsSession<R> {
    end: R,
    ready: bool,
}

impl<R: Records> TlsSession<R> {
    /// A connection whose handshake has not begun.
    pub const fn new(end: R) -> Self {
        Self { end, ready: false }
    }

    /// Whether the handshake is over.
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// The end itself.
    pub const fn end(&self) -> &R {
        &self.end
    }

    /// Goes through the records in `incoming`, gives their data to `sink`, and puts what has to be
    /// said behind `out`.
    ///
    /// # Errors
    /// When the connection can't go on.
    pub fn open(
        &mut self,
        incoming: &mut [u8],
        out: &mut Vec<u8>,
        mut sink: impl FnMut(&[u8]),
    ) -> Result<Opened, TlsError> {
        let mut opened = Opened::default();
        loop {
            let rest = incoming.get_mut(opened.used..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state } = self.end.records(rest);
            let mut waits = false;
            match state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        opened.records += 1;
                        sink(record.payload);
                    }
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    append(out, 0, |room| match data.encode(room) {
                        Err(EncodeError::InsufficientSize(need)) => Ok(Err(need.required_size)),
                        Err(error) => Err(TlsError::from(error)),
                        Ok(count) => Ok(Ok(count)),
                    })?;
                }
                // It lies in `out`, behind everything before it.
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::PeerClosed => opened.ended = true,
                ConnectionState::WriteTraffic(_) => {
                    self.ready = true;
                    waits = true;
                }
                _ => waits = true,
            }
            opened.used += discard;
            if waits {
                return Ok(opened);
            }
        }
    }

    /// Puts the records of some data behind `out`.
    ///
    /// # Errors
    /// When the connection can't go on, or the handshake is not over.
    pub fn seal(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), TlsError> {
        let mut none = [];
        match self.end.records(&mut none).state? {
            ConnectionState::WriteTraffic(mut traffic) => {
                let guess = data.len() + 64 * (data.len() / 16_384 + 1);
                append(out, guess, |room| match traffic.encrypt(data, room) {
                    Err(EncryptError::InsufficientSize(need)) => Ok(Err(need.required_size)),
                    Err(error) => Err(TlsError::from(error)),
                    Ok(count) => Ok(Ok(count)),
                })
            }
            _ => Err(TlsError::Tls(rustls::Error::HandshakeNotComplete)),
        }
    }

    /// Puts the records of some data into the front of `out`, and gives their length. `out` grows where
    /// it is too short and is never shortened, so that nothing is cleared only to be written over.
    ///
    /// # Errors
    /// When the connection can't go on, or the handshake is not over.
    pub fn seal_over(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<usize, TlsError> {
        let mut none = [];
        loop {
            let ConnectionState::WriteTraffic(mut traffic) = self.end.records(&mut none).state?
            else {
                return Err(TlsError::Tls(rustls::Error::HandshakeNotComplete));
            };
            match traffic.encrypt(data, out) {
                Ok(length) => return Ok(length),
                Err(EncryptError::InsufficientSize(need)) if need.required_size > out.len() => {
                    out.resize(need.required_size, 0);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Puts the end of the conversation behind `out`.
    pub fn farewell(&mut self, out: &mut Vec<u8>) {
        let mut none = [];
        if let Ok(ConnectionState::WriteTraffic(mut traffic)) = self.end.records(&mut none).state {
            // A connection that can't say goodbye is closed all the same.
            let _ = append(out, 64, |room| match traffic.queue_close_notify(room) {
                Err(EncryptError::InsufficientSize(need)) => Ok(Err(need.required_size)),
                Err(error) => Err(TlsError::from(error)),
                Ok(count) => Ok(Ok(count)),
            });
        }
    }
}

/// Makes room behind `out` until what `write` writes fits in; it gives the count, or what it needs.
fn append(
    out: &mut Vec<u8>,
    guess: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<Result<usize, usize>, TlsError>,
) -> Result<(), TlsError> {
    let before = out.len();
    let mut room = guess;
    loop {
        out.resize(before + room, 0);
        match write(out.get_mut(before..).unwrap_or_default()) {
            Ok(Ok(count)) => {
                out.truncate(before + count);
                return Ok(());
            }
            Ok(Err(need)) if need > room => room = need,
            Ok(Err(_)) => {
                out.truncate(before);
                return Err(EncryptError::EncryptExhausted.into());
            }
            Err(error) => {
                out.truncate(before);
                return Err(error);
            }
        }
    }
}
