//! The question that waits: one that comes while a line of chat is half typed does not take over in the middle of a word, since the
//! rest of it would become the answer. And what is typed while one for a secret waits may be that secret.

use chatterbox_proto::ScreenText;

use crate::session::PromptKind;

/// Of the question so many characters are shown.
const SHOWN: usize = 60;

/// The question that waits, if one does.
#[derive(Debug, Default)]
pub(super) struct Waiting(Option<Question>);

#[derive(Debug)]
struct Question {
    kind: PromptKind,
    /// Whether it is one for a secret, or one for a secret has waited before it.
    is_secret: bool,
    /// Whether it is over.
    is_over: bool,
    /// The line as it was when it came.
    begun: String,
}

/// What Enter does while a question waits, or a secret has been asked for since the line was begun.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entered {
    /// The line is sent as usual.
    Line,
    /// It leads to the question; the line is kept.
    Kept,
    /// The line may be the secret: it is dropped.
    Dropped,
}

impl Waiting {
    /// A question comes while this line is half typed.
    pub(super) fn comes(&mut self, kind: &PromptKind, line: &str) {
        match &mut self.0 {
            Some(known) if known.is_secret || known.kind == *kind => {
                (known.kind, known.is_over) = (kind.clone(), false);
            }
            _ => {
                self.0 = Some(Question {
                    kind: kind.clone(),
                    is_secret: kind.is_secret(),
                    is_over: false,
                    begun: line.to_owned(),
                });
            }
        }
    }

    /// It is asked now.
    pub(super) fn ends(&mut self) {
        self.0 = None;
    }

    /// It is not asked any more. That it was one for a secret is not forgotten before the line is entered.
    pub(super) fn is_over(&mut self) {
        match &mut self.0 {
            Some(known) if known.is_secret => known.is_over = true,
            _ => self.0 = None,
        }
    }

    /// Whether the line may be a secret.
    pub(super) fn is_secret(&self) -> bool {
        self.0.as_ref().is_some_and(|known| known.is_secret)
    }

    /// The line was made by something that knows nothing of the question.
    pub(super) fn forgets(&mut self, line: &str) {
        if let Some(known) = &mut self.0 {
            line.clone_into(&mut known.begun);
        }
    }

    /// Tells of it.
    pub(super) fn words(&self) -> Option<String> {
        let known = self.0.as_ref().filter(|known| !known.is_over)?;
        let text = known.kind.text();
        // The sign of a question stands in front of these words already.
        let text = text.strip_prefix("? ").unwrap_or(&text).trim_end();
        let text = ScreenText::shortened(text, SHOWN);
        Some(format!("? the server asks: {text} (Enter leads to it)"))
    }

    /// The line is entered, or emptied.
    pub(super) fn entered(&mut self, line: &str) -> Entered {
        match self.0.take() {
            Some(known) if known.is_secret && line != known.begun && !line.trim().is_empty() => {
                Entered::Dropped
            }
            Some(known) if !known.is_over => Entered::Kept,
            _ => Entered::Line,
        }
    }
}
