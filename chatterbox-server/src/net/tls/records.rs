//! The records of one TLS connection, without I/O: records in, data and records out.
//!
//! rustls keeps no buffers of its own here: it works in those that it is given. What has come of a record and is not whole is left
//! to the caller, who shows it again in front of what comes next. A message of the handshake may be in several records; rustls
//! decrypts these where they lie and notes their places, so they have to be shown again wholly, and at each call until it is whole.

use std::sync::Arc;

use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic,
};
use rustls::{Error, ServerConfig};

/// So many bytes that are no data are opened at a time. A record costs as much work without data as with a little, and its
/// frame is 22 bytes or more; a new key costs several times as much, in 27 bytes.
pub(super) const MOST_OVERHEAD: usize = 4 * 1024;

/// The records of one connection, at the server.
pub(super) struct Records(UnbufferedServerConnection);

/// How far some records were opened.
pub(super) struct Opened {
    /// So many bytes are done with. What is behind them has to be shown again.
    pub(super) used: usize,
    pub(super) next: Next,
}

/// What has to come next.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// More input: what is left is not whole.
    Input,
    /// Room for more data: what is left may hold further records. None of it has been looked at.
    Room,
    /// The turn of others, since much was done. What is left is as with [`Self::Room`].
    Turn,
    /// Nothing: the peer has said that it sends no more.
    Nothing,
}

impl Records {
    /// Those of a connection before its handshake.
    pub(super) fn new(config: Arc<ServerConfig>) -> Result<Self, Error> {
        UnbufferedServerConnection::new(config).map(Self)
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.0.is_handshaking()
    }

    /// Opens the records of `input` in place and hands their data to `take`, which says whether it wants more. What has to be said
    /// to the peer is put behind `said`.
    ///
    /// # Errors
    /// The peer breaks TLS. What was handed out before holds. The connection is good for nothing but [`Self::alerts`] then.
    pub(super) fn open(
        &mut self,
        input: &mut [u8],
        said: &mut Vec<u8>,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<Opened, Error> {
        let (mut used, mut overhead) = (0, 0);
        loop {
            let rest = input.get_mut(used..).unwrap_or_default();
            let UnbufferedStatus { discard, state } = self.0.process_tls_records(rest);
            used += discard;
            let next = match state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    let (mut data, mut wants_more) = (0, true);
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        used += record.discard;
                        data += record.payload.len();
                        wants_more = take(record.payload);
                    }
                    overhead += discard.saturating_sub(data);
                    // Behind a record with data no message of the handshake is open, so here it is safe to stop.
                    if overhead >= MOST_OVERHEAD {
                        Next::Turn
                    } else if wants_more {
                        continue;
                    } else {
                        Next::Room
                    }
                }
                ConnectionState::EncodeTlsData(data) => {
                    let end = said.len();
                    encode(data, said, end)?;
                    continue;
                }
                // It lies in `said`, behind everything before it.
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    continue;
                }
                ConnectionState::WriteTraffic(_) | ConnectionState::BlockedHandshake => Next::Input,
                ConnectionState::PeerClosed | ConnectionState::Closed => Next::Nothing,
                // Data before the handshake is not offered, and there are no further states.
                _ => return Err(Error::General("a state of TLS that is not known".to_owned())),
            };
            return Ok(Opened { used, next });
        }
    }

    /// Encrypts data into `out`, which grows if it is too short, and gives the length of the records.
    ///
    /// `rest` is what [`Self::open`] has left with [`Next::Input`], otherwise nothing: rustls looks at it at each call.
    ///
    /// # Errors
    /// The handshake is not done, or the keys are worn out and can't be renewed (TLS 1.2).
    pub(super) fn seal(
        &mut self,
        rest: &mut [u8],
        data: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<usize, Error> {
        self.write(rest, out, |traffic, room| traffic.encrypt(data, room))
    }

    /// Writes the end of what this side says into `out`, and gives its length. `rest` as in [`Self::seal`].
    ///
    /// # Errors
    /// As in [`Self::seal`].
    pub(super) fn close(&mut self, rest: &mut [u8], out: &mut Vec<u8>) -> Result<usize, Error> {
        self.write(rest, out, |traffic, room| traffic.queue_close_notify(room))
    }

    fn write(
        &mut self,
        rest: &mut [u8],
        out: &mut Vec<u8>,
        mut write: impl FnMut(
            &mut WriteTraffic<'_, ServerConnectionData>,
            &mut [u8],
        ) -> Result<usize, EncryptError>,
    ) -> Result<usize, Error> {
        let mut written = 0;
        loop {
            match self.0.process_tls_records(rest).state? {
                ConnectionState::WriteTraffic(mut traffic) => {
                    match write(&mut traffic, out.get_mut(written..).unwrap_or_default()) {
                        Ok(count) => return Ok(written + count),
                        Err(EncryptError::InsufficientSize(need)) => {
                            out.resize(written + need.required_size, 0);
                        }
                        Err(EncryptError::EncryptExhausted) => return Err(Error::EncryptError),
                    }
                }
                ConnectionState::EncodeTlsData(data) => written += encode(data, out, written)?,
                ConnectionState::TransmitTlsData(data) => data.done(),
                // Both sides have said that they send no more, this one just now.
                ConnectionState::Closed => return Ok(written),
                _ => return Err(Error::HandshakeNotComplete),
            }
        }
    }

    /// Puts the alerts that follow from an error behind `said`.
    pub(super) fn alerts(&mut self, said: &mut Vec<u8>) {
        // As long as there is something to say, rustls looks at no input. After an error it must not look at any.
        while self.0.wants_write() {
            let state = self.0.process_tls_records(&mut []).state;
            let Ok(ConnectionState::EncodeTlsData(data)) = state else { return };
            let end = said.len();
            if encode(data, said, end).is_err() {
                return;
            }
        }
    }
}

/// Writes what rustls has to say into `out` from `at` on, and gives its length. The vector grows if it is too short.
fn encode(
    mut data: EncodeTlsData<'_, ServerConnectionData>,
    out: &mut Vec<u8>,
    at: usize,
) -> Result<usize, Error> {
    loop {
        match data.encode(out.get_mut(at..).unwrap_or_default()) {
            Ok(count) => return Ok(count),
            Err(EncodeError::InsufficientSize(need)) => out.resize(at + need.required_size, 0),
            Err(error @ EncodeError::AlreadyEncoded) => {
                return Err(Error::General(error.to_string()));
            }
        }
    }
}
