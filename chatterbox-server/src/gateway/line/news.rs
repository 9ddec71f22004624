//! News: how much is unread in which conversation, as one line. In the palette nothing else tells that somebody has spoken.

use std::time::Duration;

use chatterbox_app::Target;
use chatterbox_app::model::Model;

/// The line comes at most once in this time.
const PACE: Duration = Duration::from_secs(10);

/// So many conversations are named.
const NAMED: usize = 5;

/// What the user was told.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Whether something has changed since it was looked at.
    is_dirty: bool,
    told: Vec<(Target, usize)>,
    at: Option<Duration>,
}

impl News {
    /// Something was said.
    pub(crate) fn touch(&mut self) {
        self.is_dirty = true;
    }

    /// When there may be a line.
    pub(crate) fn deadline(&self) -> Option<Duration> {
        self.is_dirty.then(|| self.at.map_or(Duration::ZERO, |at| at + PACE))
    }

    /// The line, if it is time for it and there is something new.
    pub(crate) fn line(&mut self, model: &Model, now: Duration) -> Option<String> {
        if !self.is_dirty || self.deadline().is_some_and(|at| now < at) {
            return None;
        }
        self.is_dirty = false;
        let unread = model.conversations().iter().filter(|one| one.unread > 0);
        let unread: Vec<_> = unread.map(|one| (one.target.clone(), one.unread)).collect();
        if unread == self.told {
            return None;
        }
        let grown = unread.iter().any(|(target, count)| {
            let before = self.told.iter().find(|(told, _)| told == target);
            before.is_none_or(|(_, before)| before < count)
        });
        self.told.clone_from(&unread);
        if !grown {
            return None;
        }
        self.at = Some(now);
        let front = model.front();
        let one = |(target, count): &(Target, usize)| match target {
            target if target.is(front) => format!("{count} new in {} (:chat)", target.in_words()),
            Target::Lobby => format!("{count} new in the lobby (:join lobby)"),
            Target::Room(_) => {
                format!("{count} new in {name} (:join {name})", name = target.in_words())
            }
            Target::User(_) => {
                let name = target.in_words();
                let name = name.as_str().strip_prefix('@').unwrap_or(name.as_str()).to_owned();
                format!("{count} new from {name} (:dm {name})")
            }
        };
        let mut words: Vec<_> = unread.iter().take(NAMED).map(one).collect();
        if unread.len() > NAMED {
            words.push(format!("and {} more", unread.len() - NAMED));
        }
        Some(format!("-- {}", words.join(", ")))
    }
}
