//! The shutdown of a session, in its order: the connection, the last outputs, the screen.

use std::collections::VecDeque;

use chatterbox_app::Output;

use super::ending::{End, output_failed};
use super::link::Link;
use super::screen::Screen;
use super::signals::Signals;
use crate::exit::{Exit, Failure};

/// The parts of a session that are shut down.
pub(super) struct Shutdown<S> {
    pub(super) link: Link,
    pub(super) screen: S,
    pub(super) signals: Signals,
    /// The outputs that were not shown yet.
    pub(super) queue: VecDeque<Output>,
    /// How many messages were never sent, since the connection is lost.
    pub(super) unsent: usize,
}

impl<S: Screen> Shutdown<S> {
    /// Closes the connection, shows what waits and restores the screen.
    pub(super) async fn run(mut self, end: End) -> Result<Exit, Failure> {
        if !matches!(end, End::Failed(_)) {
            self.link.close().await;
            if self.unsent > 0 && matches!(end, End::Left(_)) {
                self.queue.push_back(Output::note(format!("Not sent: {}.", self.unsent)));
            }
        }
        let outcome = match end {
            End::OutputGone(result) => output_failed(result).map(|()| Exit::Ok),
            End::Left(exit @ (Exit::Interrupted | Exit::Terminated)) => Ok(exit),
            End::Left(exit) => self.show_rest().await.map(|()| exit),
            End::Failed(failure) | End::LeftWith(failure) => {
                // The failure matters more than an output that failed as well.
                let _ = self.show_rest().await;
                Err(failure)
            }
        };
        self.screen.restore();
        outcome
    }

    /// Shows everything that waits. A slow reader of the output gets all of it; a signal still interrupts.
    async fn show_rest(&mut self) -> Result<(), Failure> {
        tokio::select! {
            shown = self.screen.finish(&mut self.queue) => output_failed(shown),
            _ = self.signals.next() => Ok(()),
        }
    }
}
