//! The threads behind pipes: one reads lines, one writes, both behind bounded channels.
//!
//! Reading a pipe blocks, and so does writing to one. The reading thread reads one line for each prompt:
//! before the server has answered a name, nobody knows what the next line is for.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::thread;

use chatterbox_app::Output;
use rustix::termios::{OptionalActions, Termios, tcsetattr};
use tokio::sync::{mpsc, oneshot};

use super::render::{Chunk, Renderer};
use crate::session::{Prompt, Screen, ScreenEvent, Typed};

/// Back-pressure: with more chunks than this waiting for a slow reader, no frame is read from the server.
const CHUNKS: usize = 16;

/// The reading thread's ends of the channels.
pub(super) struct Reader {
    pub(super) prompts: mpsc::Receiver<Prompt>,
    pub(super) lines: mpsc::Sender<Typed>,
}

/// A screen with two threads.
pub(crate) struct Console {
    /// The settings of a terminal at the input, which change while a password is typed.
    settings: Option<Termios>,
    renderer: Renderer,
    prompts: mpsc::Sender<Prompt>,
    lines: mpsc::Receiver<Typed>,
    /// The writing thread ends when this is dropped.
    output: Option<mpsc::Sender<Chunk>>,
    output_ended: oneshot::Receiver<io::Result<()>>,
}

impl Console {
    /// Starts the two threads.
    pub(super) fn start(
        settings: Option<Termios>,
        renderer: Renderer,
        read: impl FnOnce(Reader) + Send + 'static,
        write: impl FnOnce(mpsc::Receiver<Chunk>) -> io::Result<()> + Send + 'static,
    ) -> Self {
        let (prompts, asked) = mpsc::channel(1);
        let (typed, lines) = mpsc::channel(1);
        let (output, chunks) = mpsc::channel(CHUNKS);
        let (ended, output_ended) = oneshot::channel();
        thread::spawn(move || read(Reader { prompts: asked, lines: typed }));
        thread::spawn(move || {
            // Nobody listens when the session has ended by itself.
            let _ = ended.send(write(chunks));
        });
        Self { settings, renderer, prompts, lines, output: Some(output), output_ended }
    }
}

impl Screen for Console {
    fn is_interactive(&self) -> bool {
        false
    }

    fn ask(&mut self, prompt: Prompt) -> bool {
        // The thread has answered everything it was asked, so there is room; or it has ended, which its last answer
        // told.
        self.prompts.try_send(prompt).is_ok()
    }

    async fn event(&mut self, line: bool, room: bool) -> ScreenEvent {
        tokio::select! {
            typed = self.lines.recv(), if line => ScreenEvent::Typed(typed.unwrap_or(Typed::End)),
            // The permit is not kept: it would borrow the screen.
            () = has_room(self.output.as_ref()), if room => ScreenEvent::Room,
            ended = &mut self.output_ended => ScreenEvent::Closed(ended.unwrap_or(Ok(()))),
        }
    }

    fn show(&mut self, outputs: &mut VecDeque<Output>) {
        if let Some(output) = &self.output
            && let Some(chunk) = self.renderer.chunk(outputs)
        {
            // There is room, since this is the only sender; or the thread has ended, which `event` reports.
            let _ = output.try_send(chunk);
        }
    }

    fn has_rest(&self) -> bool {
        self.renderer.has_rest()
    }

    async fn finish(&mut self, outputs: &mut VecDeque<Output>) -> io::Result<()> {
        if let Some(output) = self.output.take() {
            while let Some(chunk) = self.renderer.chunk(outputs) {
                if output.send(chunk).await.is_err() {
                    break;
                }
            }
        }
        (&mut self.output_ended).await.unwrap_or(Ok(()))
    }

    fn restore(&mut self) {
        if let Some(settings) = &self.settings {
            restore_terminal(settings);
        }
    }
}

async fn has_room(output: Option<&mpsc::Sender<Chunk>>) {
    match output {
        Some(output) => drop(output.reserve().await),
        None => pending().await,
    }
}

/// Gives a terminal its settings back.
pub(super) fn restore_terminal(settings: &Termios) {
    let _ = tcsetattr(io::stdin(), OptionalActions::Now, settings);
}
