//! One connection to a node, as JSON objects.

use std::time::Duration;

use conformance_kit::{
    net::dial::{self, Duplex},
    wire::{
        decoder::{Decoder, Step},
        prefix::Prefix,
    },
};
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use crate::{evidence::Closing, setting::Shared};

/// Each layer below the frames has so long.
const DIALING: Duration = Duration::from_secs(3);
/// A write that does not finish in this time goes to a node that does not read.
const WRITING: Duration = Duration::from_secs(5);

/// An object of the server.
pub(crate) type Object = Map<String, Value>;

/// A connection.
pub(crate) struct Line {
    pub(super) node: u16,
    stream: Box<dyn Duplex>,
    decoder: Decoder,
    piece: Vec<u8>,
}

impl Line {
    /// Connects to a node as the user of a name; nothing when that fails, for whatever reason.
    pub(super) async fn open(shared: &Shared, node: u16, name: u16) -> Option<Self> {
        let address = shared.nodes.get(usize::from(node)).copied()?;
        let (home, transport) = (shared.home(name), &shared.setting.transport);
        let link = dial::dial_from(home, address, transport, DIALING).await.ok()?;
        let decoder = Decoder::new(Prefix::NETWORK);
        Some(Self { node, stream: link.stream, decoder, piece: vec![0; 16 * 1024] })
    }

    /// Writes an object.
    ///
    /// # Errors
    /// Why the connection is of no use any more.
    pub(super) async fn send(&mut self, value: &Value) -> Result<(), Closing> {
        self.write(&frame(value)).await
    }

    /// Writes the beginning of an object: so many thousandths of its frame, and at least its first byte.
    ///
    /// # Errors
    /// Why the connection is of no use any more.
    pub(super) async fn send_part(
        &mut self,
        value: &Value,
        thousandths: usize,
    ) -> Result<(), Closing> {
        let frame = frame(value);
        let count = (frame.len() * thousandths / 1_000).clamp(1, frame.len());
        self.write(frame.get(..count).unwrap_or_default()).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Closing> {
        let writing = async {
            self.stream.write_all(bytes).await?;
            self.stream.flush().await
        };
        match timeout(WRITING, writing).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Closing::Lost),
            Err(_) => Err(Closing::GaveUp),
        }
    }

    /// The next object; nothing at the end of the connection, or where it can't be followed. Nothing is lost when
    /// this is dropped before it is done.
    pub(super) async fn next(&mut self) -> Option<Object> {
        loop {
            match self.decoder.step() {
                Step::Body(body) => match serde_json::from_slice(&body.bytes) {
                    Ok(Value::Object(object)) => return Some(object),
                    _ => return None,
                },
                Step::Absurd(_) => return None,
                Step::More => {}
            }
            let count = self.stream.read(&mut self.piece).await.ok()?;
            if count == 0 {
                return None;
            }
            self.decoder.push(self.piece.get(..count).unwrap_or_default());
        }
    }

    /// Closes the connection as far as that goes at once.
    pub(super) async fn close(mut self) {
        let _ = timeout(Duration::from_millis(200), self.stream.shutdown()).await;
    }
}

fn frame(value: &Value) -> Vec<u8> {
    Prefix::NETWORK.frame_without_brace(value.to_string().as_bytes())
}
