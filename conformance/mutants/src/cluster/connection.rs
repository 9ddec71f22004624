//! One connection of a faulty cluster.

use std::sync::{Arc, Mutex, PoisonError};

use conformance_kit::wire::{
    decoder::{Decoder, Step},
    prefix::Prefix,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, tcp::OwnedWriteHalf},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use super::chat::{Chat, Joining, Outbox};

/// Serves one connection to its end.
pub(super) async fn serve(chat: Arc<Mutex<Chat>>, connection: u64, node: usize, stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let (mut reading, writing) = stream.into_split();
    let (outbox, inbox) = unbounded_channel();
    let lock = || chat.lock().unwrap_or_else(PoisonError::into_inner);
    let listening = async {
        let mut decoder = Decoder::new(Prefix::NETWORK);
        let mut piece = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = reading.read(&mut piece).await {
            decoder.push(piece.get(..count).unwrap_or_default());
            while let Step::Body(body) = decoder.step() {
                let value = serde_json::from_slice(&body.bytes).unwrap_or_default();
                handle(&mut lock(), connection, node, &value, &outbox);
            }
        }
    };
    tokio::select! {
        () = listening => {}
        () = write(writing, inbox) => {}
    }
    lock().leave(connection);
}

async fn write(mut stream: OwnedWriteHalf, mut values: UnboundedReceiver<Option<Value>>) {
    while let Some(Some(value)) = values.recv().await {
        if stream.write_all(&Prefix::NETWORK.frame(value.to_string().as_bytes())).await.is_err() {
            return;
        }
    }
}

fn handle(chat: &mut Chat, connection: u64, node: usize, object: &Value, outbox: &Outbox) {
    if let Some(name) = object.get("USERNAME").and_then(Value::as_str) {
        let resume = object.get("RESUME").and_then(|resume| {
            Some((resume.get("TOKEN")?.as_str()?, resume.get("AFTER")?.as_u64()?))
        });
        let recent = object.get("RECENT").and_then(Value::as_u64);
        let recent = recent.and_then(|recent| usize::try_from(recent).ok());
        let base = object.get("CAPABILITIES").is_none();
        chat.join(&Joining { connection, node, name, base, resume, recent, outbox });
    }
    let list = |key: &str| object.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let messages = list("MESSAGES");
    if !messages.is_empty() {
        chat.take(connection, &messages, &list("TAGS"));
    }
    if let Some(asked) = object.get("HISTORY") {
        chat.page(connection, asked);
    }
    if let Some(command) = object.get("COMMAND") {
        let room = command.get("ARGS").and_then(|arguments| arguments.get(0));
        if let (Some(room), Some(id)) = (room.and_then(Value::as_str), command.get("ID")) {
            chat.enter(connection, id, room);
        }
    }
    if let Some(number) = object.get("PING") {
        chat.answer(connection, json!({"PONG": number}));
    }
}
