//! The records of one TLS connection, without I/O: records in, data and records out.
//!
//! rustls keeps no buffers of its own here: it works in those that it is given. What it has not given back is left to the caller,
//! who shows it again in front of what comes next.
//!
//! Some of that may be opened already. A message of the handshake may be in several records; rustls decrypts these where they lie and
//! notes their places until it is whole. Each call, a writer's too, skips what was opened and not given back: rustls panics if it is
//! shown less, and opens what it is shown behind it. How much this is it does not say. So it is shown one record more at a time,
//! which makes it known, and a writer shows exactly as much.

use std::sync::Arc;

use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic,
};
use rustls::{Error, ServerConfig};

/// So many bytes that are no data are opened at a time. A record costs as much work without data as with a little, and its
/// frame is 22 bytes or more; a new key costs several times as much, in 27 bytes.
pub(super) const MOST_OVERHEAD: usize = 4 * 1024;

/// What a record has in front of its content: its kind, a version, and the length of the content in two bytes.
const HEADER: usize = 5;

/// The records of one connection, at the server.
pub(super) struct Records {
    connection: UnbufferedServerConnection,
    /// So many bytes of what [`Self::open`] has left are opened, and not given back by rustls. They are in front.
    opened: usize,
}

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
    /// Room for more data: what is left may hold further records, which are not opened.
    Room,
    /// The turn of others, since much was done. What is left is as with [`Self::Room`].
    Turn,
    /// Nothing: the peer has said that it sends no more.
    Nothing,
}

impl Records {
    /// Those of a connection before its handshake.
    pub(super) fn new(config: Arc<ServerConfig>) -> Result<Self, Error> {
        Ok(Self { connection: UnbufferedServerConnection::new(config)?, opened: 0 })
    }

    pub(super) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Opens the records of `input` in place and hands their data to `take`, which says whether it wants more. What has to be said
    /// to the peer is put behind `said`. `input` begins with what the last call has left, if anything.
    ///
    /// # Errors
    /// The peer breaks TLS. What was handed out before holds. The connection is good for nothing but [`Self::alerts`] then.
    pub(super) fn open(
        &mut self,
        input: &mut [u8],
        said: &mut Vec<u8>,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<Opened, Error> {
        let (mut used, mut opened, mut overhead) = (0, self.opened, 0);
        let mut record = end_of_record(input, opened);
        let next = loop {
            // The beginning of a record is shown as well: what is wrong with its header is told at once.
            let shown = record.unwrap_or(input.len());
            let rest = input.get_mut(used..shown).unwrap_or_default();
            let UnbufferedStatus { discard, state } = self.connection.process_tls_records(rest);
            used += discard;
            let (mut data, mut wants_more) = (0, true);
            match state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(content) = traffic.next_record() {
                        let content = content?;
                        used += content.discard;
                        data += content.payload.len();
                        wants_more = take(content.payload);
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
                ConnectionState::WriteTraffic(_) | ConnectionState::BlockedHandshake => {}
                ConnectionState::PeerClosed | ConnectionState::Closed => break Next::Nothing,
                // Data before the handshake is not offered, and there are no further states.
                _ => return Err(Error::General("a state of TLS that is not known".to_owned())),
            }
            // Everything in the records that were shown is worked off.
            let Some(end) = record else { break Next::Input };
            overhead += (end - opened).saturating_sub(data);
            opened = end;
            if overhead >= MOST_OVERHEAD {
                break Next::Turn;
            }
            if !wants_more {
                break Next::Room;
            }
            record = end_of_record(input, opened);
        };
        self.opened = opened.saturating_sub(used);
        Ok(Opened { used, next })
    }

    /// Encrypts data into `out`, which grows if it is too short, and gives the length of the records.
    ///
    /// `rest` is what [`Self::open`] has left. Nothing of it is opened here.
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
        let opened = rest.get_mut(..self.opened).unwrap_or_default();
        let mut written = 0;
        loop {
            match self.connection.process_tls_records(opened).state? {
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
        while self.connection.wants_write() {
            let state = self.connection.process_tls_records(&mut []).state;
            let Ok(ConnectionState::EncodeTlsData(data)) = state else { return };
            let end = said.len();
            if encode(data, said, end).is_err() {
                return;
            }
        }
    }
}

/// The end of the record that begins at `start`, if it is whole.
fn end_of_record(input: &[u8], start: usize) -> Option<usize> {
    let (header, content) = input.get(start..)?.split_first_chunk::<HEADER>()?;
    let [_, _, _, high, low] = *header;
    let length = usize::from(u16::from_be_bytes([high, low]));
    (length <= content.len()).then_some(start + HEADER + length)
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
