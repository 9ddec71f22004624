//! `/history`: what was said before, page by page (ID-6).

use std::collections::VecDeque;

use chatterbox_proto::capability::ids::{Id, Page, Query, Side};
use chatterbox_proto::session;
use chatterbox_proto::{ALL, Capability, WireText, limits};

use super::output::{MessageKind, Output};
use super::{App, Effect, note};

/// A screenful.
const SCREENFUL: u16 = 20;

/// The pages that were asked for.
#[derive(Debug, Default)]
pub(super) struct Pages {
    open: VecDeque<String>,
    /// Whether the next line waits for a page: it may ask for the one before.
    waiting: bool,
    /// Where the next page goes on, if it is asked for before anything else is typed.
    next: Option<(String, Next)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Before(Id),
    Nothing,
}

impl Pages {
    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    pub(super) fn is_waited_for(&self) -> bool {
        self.waiting && !self.open.is_empty()
    }

    pub(super) fn stop_waiting(&mut self) {
        self.waiting = false;
    }

    /// Says how many pages will not come.
    pub(super) fn forget(&mut self) -> usize {
        self.next = None;
        std::mem::take(&mut self.open).len()
    }

    /// Something else was typed.
    pub(super) fn begin_anew(&mut self) {
        self.next = None;
    }
}

impl App {
    pub(super) fn has_history(&self) -> bool {
        self.session.agreed().has(Capability::Ids)
    }

    /// `/history [NAME] [N]`; a NAME of digits is typed `@123`.
    pub(super) fn history(&mut self, arguments: &str) -> Vec<Effect> {
        let mut words = arguments.split_whitespace().peekable();
        let number =
            |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        let with = words.next_if(|word| !number(word)).unwrap_or(ALL);
        let with = with.strip_prefix('@').unwrap_or(with);
        let limit = match words.next() {
            None => Some(SCREENFUL),
            Some(word) => word.parse().ok().filter(|limit| (1..=limits::PAGE).contains(limit)),
        };
        let (Some(limit), None) = (limit, words.next()) else {
            return note(format!("/history [NAME] [N], and N is at most {}.", limits::PAGE));
        };
        if !self.session.is_joined() {
            return note("Nothing was asked: the connection is lost.");
        }
        let side = match &self.pages.next {
            Some((same, Next::Before(id))) if same == with => Side::Before(*id),
            Some((same, Next::Nothing)) if same == with => {
                return note("There is nothing before that.");
            }
            _ => Side::Newest,
        };
        let query = Query { with: WireText::new(with.to_owned()), side, limit };
        match query.to_object().finish() {
            Ok(frame) => {
                self.pages.open.push_back(with.to_owned());
                self.pages.waiting = true;
                vec![Effect::Send(frame)]
            }
            Err(error) => note(format!("Nothing was asked: {error}.")),
        }
    }

    /// A page came.
    pub(super) fn paged(&mut self, page: Page, now: i64, effects: &mut Vec<Effect>) {
        let Page { with, messages, more } = page;
        let place = self.pages.open.iter().position(|asked| asked == with.as_wire());
        if let Some(place) = place {
            self.pages.open.remove(place);
        }
        let oldest = messages.first().map(|(id, _)| *id).filter(|_| more);
        self.pages.next =
            Some((with.as_wire().to_owned(), oldest.map_or(Next::Nothing, Next::Before)));
        let count = messages.len();
        for (id, entry) in messages {
            let message = session::Message::numbered(entry, Some(id));
            effects.push(self.speech(message, MessageKind::History, now));
        }
        effects.push(Effect::Show(Output::Page { with, count, more }));
    }

    /// An ERROR may be what came of a page: it is not waited for then.
    pub(super) fn page_failed(&mut self) {
        self.pages.open.pop_front();
    }
}
