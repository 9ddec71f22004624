//! The server's end of control: its connections, one request each.

#![allow(clippy::disallowed_methods, reason = "the edge: sockets, tasks and deadlines")]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::control::answer::{Failure, FailureCode, Reply};
use crate::control::controlled::Controlled;
use crate::control::message::{Act, LINE, Request, RequestError};
use crate::control::place::ControlSocket;

/// Connections at the same time; further ones are told so and closed.
const CONNECTIONS: usize = 8;

/// A request has to have come in this time.
const ASKED_WITHIN: Duration = Duration::from_secs(5);

/// It is answered in this time, or refused.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// The answer has to be taken in this time.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// The pause after a connection could not be accepted: no file descriptors may be left.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

/// Serves the socket for ever.
pub(crate) async fn serve(socket: ControlSocket, controlled: Arc<Controlled>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut strangers = 0_u64;
    loop {
        let (stream, may_ask) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "can't accept connections for control");
                tokio::time::sleep(EXHAUSTED_PAUSE).await;
                continue;
            }
        };
        if !may_ask {
            // Logged at 1, 2, 4, 8 ...: they must not flood the log.
            strangers += 1;
            if strangers.is_power_of_two() {
                tracing::warn!(turned_away = strangers, "another user asks for control");
            }
            continue;
        }
        match Arc::clone(&places).try_acquire_owned() {
            Ok(place) => {
                tokio::spawn(serve_one(stream, Arc::clone(&controlled), place));
            }
            Err(_) => refuse(&stream),
        }
    }
}

/// Tells a peer that there is no place, if its buffer takes the line, as that of a new connection does.
fn refuse(stream: &UnixStream) {
    let text = "too many ask at the same time";
    let line = Reply::Failed(Failure::new(FailureCode::Busy, text)).to_line();
    // Whether it is read is up to the peer.
    let _ = stream.try_write(line.as_bytes());
}

async fn serve_one(
    mut stream: UnixStream,
    controlled: Arc<Controlled>,
    place: OwnedSemaphorePermit,
) {
    let Ok(Ok(line)) = timeout(ASKED_WITHIN, read_line(&mut stream)).await else {
        return tracing::debug!("a connection for control has asked nothing");
    };
    let act = match line.as_deref().map_or(Err(RequestError::Unreadable), Request::parse) {
        Ok(Request(act)) => act,
        Err(error) => {
            let code = match error {
                RequestError::Version(_) => FailureCode::Version,
                RequestError::Unreadable => FailureCode::BadRequest,
            };
            write(&mut stream, &[Reply::Failed(Failure::new(code, error.to_string()))]).await;
            return;
        }
    };
    match &act {
        Act::Status => tracing::debug!(act = act.word(), "asked on the command line"),
        _ => tracing::info!(act = act.word(), "asked on the command line"),
    }
    let stop = if let Act::Stop { seconds, back } = act { Some((seconds, back)) } else { None };
    let replies = match timeout(ANSWERED_WITHIN, controlled.answer(act)).await {
        Ok(replies) => replies,
        Err(_) => {
            let text = "it takes too long; it may be done all the same";
            vec![Reply::Failed(Failure::new(FailureCode::Busy, text))]
        }
    };
    write(&mut stream, &replies).await;
    let Some((seconds, back)) = stop else { return };
    // Whoever has asked waits until the process has gone: the system closes this connection then, and nobody does before. Its
    // place is for others meanwhile, such as who asks for an earlier end.
    std::mem::forget(stream);
    drop(place);
    controlled.stop(seconds, back);
}

/// The first line, without its end; `None` where it is too long.
async fn read_line(stream: &mut UnixStream) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    let mut taken = stream.take(LINE as u64);
    loop {
        if taken.read_buf(&mut line).await? == 0 {
            if line.len() >= LINE {
                return Ok(None);
            }
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            line.truncate(end);
            return Ok(Some(line));
        }
    }
}

async fn write(stream: &mut UnixStream, replies: &[Reply]) {
    let all = async {
        for reply in replies {
            stream.write_all(reply.to_line().as_bytes()).await?;
        }
        stream.flush().await
    };
    if !matches!(timeout(WRITTEN_WITHIN, all).await, Ok(Ok(()))) {
        tracing::debug!("an answer of control was not taken");
    }
}
