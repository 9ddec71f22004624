//! Frames to bytes.

use std::time::Duration;

use conformance_suite::fault::ClientFault;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _, WriteHalf},
    sync::mpsc::UnboundedReceiver,
    time::sleep,
};

use crate::{faults::Faults, inbox::prefix, transport::Stream};

/// An object behind its length.
pub(crate) fn frame(object: &Value, faults: &Faults) -> Vec<u8> {
    let text = object.to_string();
    behind_length(&text, faults)
}

/// A text behind its length.
fn behind_length(text: &str, faults: &Faults) -> Vec<u8> {
    let characters = text.chars().count();
    let mut length = text.len();
    if characters != length && faults.acts(ClientFault::LengthInCharacters) {
        length = characters;
    }
    let mut bytes = prefix(faults).announce(length).to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

/// A message as a frame.
pub(crate) fn message(me: &str, dest: &str, text: &str, now: i64, faults: &Faults) -> Vec<u8> {
    let mut dest = dest;
    if dest == "ALL" && faults.acts(ClientFault::SaysToEverybody) {
        dest = "everybody";
    }
    let me = if faults.acts(ClientFault::OwnNameWrong) { "me" } else { me };
    let mut time = json!(now);
    if faults.acts(ClientFault::Milliseconds) {
        time = json!(now.saturating_mul(1_000));
    } else if faults.acts(ClientFault::LocalTime) {
        time = json!(now.saturating_add(14 * 3_600));
    } else if faults.acts(ClientFault::TimestampFloat) {
        #[expect(clippy::cast_precision_loss, reason = "that is the fault")]
        let seconds = now as f64 + 0.25;
        time = json!(seconds);
    }
    let mut text = text.to_owned();
    if let (Some((at, _)), true) =
        (text.char_indices().nth(1_024), faults.has(ClientFault::LineCut))
    {
        let _ = faults.acts(ClientFault::LineCut);
        text.truncate(at);
    }
    if text.contains(['"', '\\']) && faults.acts(ClientFault::QuotesUnescaped) {
        let by_hand = format!("{{\"MESSAGES\": [[\"{me}\", \"{dest}\", {time}, \"{text}\"]]}}");
        return behind_length(&by_hand, faults);
    }
    let mut parts = vec![json!(me), json!(dest), time, json!(text)];
    if faults.acts(ClientFault::FiveElements) {
        parts.push(json!("sent with love"));
    }
    frame(&json!({"MESSAGES": [parts]}), faults)
}

/// Writes what waits, until nobody sends any more.
pub(crate) async fn write(
    mut stream: WriteHalf<Box<dyn Stream>>,
    mut frames: UnboundedReceiver<Vec<u8>>,
    faults: Faults,
) {
    while let Some(bytes) = frames.recv().await {
        if put(&mut stream, &bytes).await.is_err() {
            return;
        }
        if faults.acts(ClientFault::SlowSender) {
            sleep(Duration::from_secs(1)).await;
        }
    }
    let _ = stream.shutdown().await;
}

async fn put(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}
