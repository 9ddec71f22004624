//! Attention: what of which conversation a user is told who looks elsewhere.

use crate::target::Target;

/// So many conversations have an attention of their own at most.
const KEPT: usize = 1000;

/// What of a conversation the user is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Attention {
    /// Every message.
    All,
    /// What names the user, or is said to them alone.
    #[default]
    Mentions,
    /// Nothing.
    None,
}

impl Attention {
    /// All of them, each with what is told.
    pub const EACH: [Self; 3] = [Self::All, Self::Mentions, Self::None];

    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Mentions => "mentions",
            Self::None => "none",
        }
    }

    /// What is told, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::All => "every message",
            Self::Mentions => "what names you",
            Self::None => "nothing",
        }
    }

    /// The one of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::EACH.into_iter().find(|one| one.name() == name)
    }

    /// The next one, from all to nothing and back.
    pub fn next(self) -> Self {
        match self {
            Self::All => Self::Mentions,
            Self::Mentions => Self::None,
            Self::None => Self::All,
        }
    }
}

/// The conversations with another attention than the usual one.
#[derive(Debug, Default)]
pub(super) struct Attentions(Vec<(Target, Attention)>);

impl Attentions {
    pub(super) fn of(&self, target: &Target) -> Attention {
        let known = self.0.iter().find(|(known, _)| known.is(target));
        known.map_or(Attention::default(), |(_, attention)| *attention)
    }

    pub(super) fn set(&mut self, target: &Target, attention: Attention) {
        self.0.retain(|(known, _)| !known.is(target));
        if attention != Attention::default() && self.0.len() < KEPT {
            self.0.push((target.clone(), attention));
        }
    }

    /// A room or a user has another name.
    pub(super) fn renamed(&mut self, old: &Target, new: &Target) {
        let attention = self.of(old);
        if attention != Attention::default() {
            self.set(old, Attention::default());
            self.set(new, attention);
        }
    }
}
