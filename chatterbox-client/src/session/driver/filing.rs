//! Files in a session: the application says what is to be done, and a thread does it.

use std::time::Duration;

use chatterbox_app::{FileNews, Output};
use tokio::time::Instant;

use super::Session;
use crate::session::screen::Screen;

/// How far files are is looked at so often.
const LOOK: Duration = Duration::from_millis(500);

impl<S: Screen> Session<S> {
    /// Starts the next thing that is to be done, if nothing is under way. A piece for the server is read only when all before it has
    /// left: a message waits for one piece at most.
    pub(super) fn work_on_files(&mut self) {
        if !self.files.is_idle() {
            return;
        }
        if let Some(work) = self.app.file_work(self.link.is_idle()) {
            self.files.start(work);
        }
    }

    pub(super) fn file_news(&mut self, news: Option<FileNews>) {
        if let Some(news) = news {
            let effects = self.app.file_news(news, self.clock.unix_now());
            self.perform(effects);
        }
    }

    /// The user leaves: what is on its way is given up, and they are told.
    pub(super) fn give_up_files(&mut self) {
        for told in self.app.transfers() {
            let what = if told.sends { "sent" } else { "fetched" };
            let words = format!("{} was not {what} to its end.", told.name);
            // Behind a full screen, too.
            self.queue.push_back(Output::note(words));
        }
    }

    /// When it is looked at next how far files are.
    pub(super) fn progress_deadline(&self) -> Option<Instant> {
        self.app.has_transfers().then_some(self.progress_at)
    }

    /// Looks at how far files are, if it is time.
    pub(super) fn look_at_progress(&mut self) {
        let now = self.clock.now();
        if !self.app.has_transfers() || now < self.progress_at {
            return;
        }
        self.progress_at = now + LOOK;
        let effects = self.app.progress(self.clock.elapsed(), self.clock.unix_now());
        self.perform(effects);
    }
}
