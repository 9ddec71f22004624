//! Serving a terminal: bytes of telnet on one side, frames on the other, a session between them.
//!
//! Back-pressure holds all the way: keys are read only when the session takes keys, frames only when the terminal has taken what
//! was written. A terminal that does not read is left by the server, or here when a write has stalled for too long.
#![allow(clippy::disallowed_methods, reason = "the edge: reads the clock")]

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use chatterbox_app::TimeFormatter;
use chatterbox_proto::frame::Decoder as Frames;
use chatterbox_proto::limits;
use tokio::io::{
    AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream, split,
};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout};

use super::cross_protocol::CrossProtocol;
use super::decoder::{Decoder, Event, command};
use super::negotiation::{Negotiation, OFFER};
use crate::config::Config;
use crate::gateway::line::{Mode, Now, Session, Start};
use crate::ops::clock::unix_now;

/// Who speaks telnet answers an offer in this time. A terminal of another kind waits as long for its first line.
const ANSWER: Duration = Duration::from_millis(300);

/// A terminal that takes nothing for so long is left.
const STALLED: Duration = Duration::from_secs(30);

/// The last words have so long to be taken, and so long is waited for the terminal to close.
const LAST_WRITES: Duration = Duration::from_secs(5);
const LAST_READS: Duration = Duration::from_secs(1);

/// The most bytes of one read of the terminal, and of frames.
const READ: usize = 1024;
const READ_FRAMES: usize = 4 * 1024;

/// What a browser is told, or who reads what it shows.
const NO_TERMINAL: &[u8] =
    b"! This is a port for terminals: no request of HTTP or TLS is served.\r\n";

/// Serves a terminal to its end.
pub(super) async fn serve_terminal(
    stream: TcpStream,
    frames: DuplexStream,
    peer: SocketAddr,
    config: &Config,
    time: TimeFormatter,
) {
    let mut terminal = Terminal::new(stream);
    let talked = async {
        let mode = terminal.begin().await?;
        let start = Start {
            mode,
            is_local: peer.ip().to_canonical().is_loopback(),
            name: config.server_name.as_deref(),
            banner: config.banner.as_deref(),
            idle: config.telnet_idle,
            time,
            now: terminal.now(),
        };
        let session = Session::new(start);
        Box::pin(terminal.run(session, frames)).await
    };
    match talked.await {
        Ok(()) => {
            let closed = timeout(LAST_WRITES, close(&mut terminal.stream));
            let _ = closed.await;
        }
        Err(error) => {
            tracing::debug!(%peer, %error, "terminal");
            if terminal.is_no_terminal {
                let told = async {
                    terminal.stream.write_all(NO_TERMINAL).await?;
                    close(&mut terminal.stream).await
                };
                let _ = timeout(LAST_WRITES, told).await;
            }
        }
    }
}

/// Closes so that the last words arrive: with unread input the kernel would send a reset instead.
pub(super) async fn close(stream: &mut TcpStream) -> io::Result<()> {
    stream.shutdown().await?;
    let mut left = [0; READ];
    let drained = async {
        while stream.read(&mut left).await? > 0 {}
        Ok(())
    };
    timeout(LAST_READS, drained).await.unwrap_or(Ok(()))
}

/// A connection that speaks telnet, or lines.
struct Terminal {
    stream: TcpStream,
    decoder: Decoder,
    negotiation: Negotiation,
    cross_protocol: CrossProtocol,
    /// Whether the first line was a request of another protocol.
    is_no_terminal: bool,
    /// Answers of the negotiation that were not written yet.
    answers: Vec<u8>,
    /// What was typed before the session began.
    early: Vec<u8>,
    width: Option<u16>,
    start: Instant,
}

impl Terminal {
    fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            decoder: Decoder::default(),
            negotiation: Negotiation::default(),
            cross_protocol: CrossProtocol::default(),
            is_no_terminal: false,
            answers: OFFER.to_vec(),
            early: Vec::new(),
            width: None,
            start: Instant::now(),
        }
    }

    fn now(&self) -> Now {
        Now { unix: unix_now(), elapsed: self.start.elapsed() }
    }

    /// Makes the offer, and waits for what the other side makes of it.
    async fn begin(&mut self) -> io::Result<Mode> {
        let until = self.start + ANSWER;
        while self.negotiation.echoes().is_none() {
            let mut piece = [0; READ];
            let (mut reader, mut writer) = self.stream.split();
            let writes = !self.answers.is_empty();
            // Options can be answered with as many bytes as they have, and who sends them need not read.
            let wants_bytes = self.early.len() < READ && self.answers.len() < READ;
            tokio::select! {
                got = reader.read(&mut piece), if wants_bytes => match got? {
                    0 => break,
                    got => self.take(piece.get(..got).unwrap_or_default(), None)?,
                },
                written = writer.write(&self.answers), if writes => drop(self.answers.drain(..written?)),
                () = sleep_until(until) => break,
            }
        }
        Ok(self.mode())
    }

    fn mode(&self) -> Mode {
        if self.negotiation.echoes() == Some(true) { Mode::Character } else { Mode::Line }
    }

    /// Takes bytes of the terminal.
    fn take(&mut self, bytes: &[u8], mut session: Option<&mut Session>) -> io::Result<()> {
        for byte in bytes {
            match self.decoder.push(*byte) {
                None => {}
                Some(Event::Byte(byte)) => {
                    if self.cross_protocol.is_found(byte) {
                        self.is_no_terminal = true;
                        return Err(io::Error::new(
                            io::ErrorKind::InvalidData,
                            "no terminal speaks so",
                        ));
                    }
                    match &mut session {
                        Some(session) => session.typed([byte]),
                        None => self.early.push(byte),
                    }
                }
                Some(Event::Option(verb, option)) => {
                    self.answers.extend(self.negotiation.told(verb, option).into_iter().flatten());
                    if let Some(session) = &mut session {
                        session.set_mode(self.mode());
                    }
                }
                Some(Event::Subnegotiation(option, told)) => {
                    self.width = Negotiation::width(option, &told).or(self.width);
                    if let (Some(session), Some(width)) = (&mut session, self.width) {
                        session.set_width(width);
                    }
                }
                Some(Event::Command(command)) => {
                    let now = self.now();
                    if let Some(session) = &mut session {
                        obey(session, command, now);
                    }
                }
            }
        }
        Ok(())
    }

    /// Drives the session to its end.
    async fn run(&mut self, mut session: Session, frames: DuplexStream) -> io::Result<()> {
        let (mut from_server, mut to_server) = split(frames);
        let mut decoder = Frames::new(limits::SERVER_FRAME);
        let mut incoming = BytesMut::new();
        let mut server_open = true;
        let mut piece = [0; READ];
        session.typed(std::mem::take(&mut self.early));
        session.set_width(self.width.unwrap_or_default());
        // When a write has made progress last.
        let mut progress = Instant::now();
        loop {
            let now = self.now();
            session.work(now);
            let out = std::mem::take(&mut self.answers);
            session.out().extend(out);
            let is_written = session.out().is_empty();
            if session.is_over() {
                let last = std::mem::take(session.out());
                let (_, mut writer) = self.stream.split();
                return timeout(LAST_WRITES, writer.write_all(&last)).await.unwrap_or(Ok(()));
            }
            if is_written {
                progress = Instant::now();
                // The frame before is worked off first, and shown.
                if session.has_more() {
                    session.more(now);
                    tokio::task::consume_budget().await;
                    continue;
                }
                match decoder.next_body() {
                    Ok(Some(body)) => {
                        session.received(&body, now);
                        continue;
                    }
                    Ok(None) => {}
                    Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
                }
                if !server_open {
                    session.server_closed();
                    continue;
                }
            }
            let wants_bytes = is_written && session.wants_bytes();
            let sends = !session.frames().is_empty();
            let deadline = self.start + session.deadline(now);
            let deadline = if is_written { deadline } else { progress + STALLED };
            let mut out = std::mem::take(session.out());
            let (mut reader, mut writer) = self.stream.split();
            tokio::select! {
                got = reader.read(&mut piece), if wants_bytes => {
                    let got = got?;
                    if got == 0 {
                        session.input_ended();
                    } else {
                        session.heard(now);
                        self.take(piece.get(..got).unwrap_or_default(), Some(&mut session))?;
                        // The runtime counts reads; what was typed makes more work than that.
                        tokio::task::yield_now().await;
                    }
                }
                got = read_frames(&mut from_server, &mut incoming), if is_written && server_open => {
                    server_open = got? > 0;
                    decoder.push(&incoming);
                    incoming.clear();
                }
                written = writer.write(&out), if !is_written => {
                    drop(out.drain(..written?));
                    progress = Instant::now();
                }
                written = write_frames(&mut to_server, session.frames()), if sends => {
                    // The server has left; what it has said last is still to be read.
                    if written.is_err() {
                        session.frames().clear();
                    }
                }
                () = sleep_until(deadline) => {
                    if !is_written {
                        return Err(io::Error::new(io::ErrorKind::TimedOut, "takes nothing any more"));
                    }
                }
            }
            out.append(session.out());
            *session.out() = out;
        }
    }
}

/// Does what a command of telnet means.
fn obey(session: &mut Session, command: u8, now: Now) {
    match command {
        command::IP | command::BRK => session.cancel(now),
        command::AYT => session.are_you_there(),
        // As the keys that they stand for.
        command::EC => session.typed([0x7f]),
        command::EL => session.typed([0x15]),
        command::EOF => session.typed([0x04]),
        _ => {}
    }
}

async fn read_frames(
    reader: &mut (impl AsyncRead + Unpin),
    into: &mut BytesMut,
) -> io::Result<usize> {
    into.reserve(READ_FRAMES);
    reader.take(READ_FRAMES as u64).read_buf(into).await
}

async fn write_frames(
    writer: &mut (impl AsyncWrite + Unpin),
    frames: &mut BytesMut,
) -> io::Result<()> {
    let written = writer.write(frames).await?;
    frames.advance(written);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use tokio::net::TcpListener;

    use super::*;

    /// Red when the session's beginning reads on while nobody takes its answers.
    #[tokio::test]
    async fn answers_that_are_not_read_are_bounded() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut flooder = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        // Little is on the way, so that what waits is here.
        socket2::SockRef::from(&stream).set_send_buffer_size(4096).unwrap();
        socket2::SockRef::from(&flooder).set_recv_buffer_size(4096).unwrap();
        let flooding = std::thread::spawn(move || {
            let marks = [255, 253, 6].repeat(4096);
            while flooder.write_all(&marks).is_ok() {}
        });
        let mut terminal = Terminal::new(stream);
        let begun = terminal.begin().await;
        assert!(begun.is_ok(), "{begun:?}");
        assert!(terminal.answers.len() <= 2 * READ, "{}", terminal.answers.len());
        drop(terminal);
        flooding.join().unwrap();
    }
}
