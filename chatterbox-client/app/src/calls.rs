//! Calls of the server's commands: which are open, what they ask, what came of them (CM-2 to CM-4).

use std::collections::VecDeque;

use bytes::Bytes;
use chatterbox_proto::capability::accounts::{LineEnd, Secret, one_line};
use chatterbox_proto::capability::commands::{Answer, Call, Outcome, Prompt};
use chatterbox_proto::frame::TooLong;
use chatterbox_proto::{ScreenText, WireText, first_bytes};

use crate::commands::ParsedCall;
use crate::effect::{Effect, note};
use crate::input_mode::Question;
use crate::output::Output;

/// The most questions that wait for an answer: a command has one, so a server that asks more is hostile.
const QUESTIONS: usize = 16;

/// The most bytes of a question that are kept, for a program.
const KEPT: usize = 64 * 1024;

/// The most bytes of a question that are shown in front of its answer.
const QUESTION: usize = 500;

/// The calls that the server has not answered, and the question that is open.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    open: Vec<OpenCall>,
    /// The server's questions, each with a number that no other question has. The first one is open.
    prompts: VecDeque<(u64, Prompt)>,
    /// Whether the user was told that questions were left out, since the last answer.
    told: bool,
    last_call: u64,
    last_prompt: u64,
    /// Whether the next line waits for what a command may ask.
    awaited: bool,
    /// Whether a call has ended that was to ask for a secret and has not: that secret may have been typed already.
    unasked: bool,
}

#[derive(Debug)]
struct OpenCall {
    id: String,
    name: String,
    /// Whether a secret was left out: through pipes the next line is that secret.
    will_be_asked: bool,
    /// Whether the command is nothing without it.
    needs_secret: bool,
}

impl OpenCall {
    /// Whether the server has yet to ask for a secret without which the command is nothing.
    fn is_owed(&self) -> bool {
        self.will_be_asked && self.needs_secret
    }
}

/// A call that the server has answered.
#[derive(Debug, Default)]
pub(crate) struct ClosedCall {
    /// The command's name, as the catalogue has it.
    pub(crate) name: String,
    /// Whether a secret was left out, and the server has not asked for it.
    pub(crate) never_asked: bool,
}

impl Calls {
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    /// The open question and its number.
    pub(crate) fn question(&self) -> Option<(u64, Question)> {
        let (number, prompt) = self.prompts.front()?;
        let words = prompt.text.as_wire().trim_end();
        // The sign of a question, so that none looks like the prompt of the chat, or like anybody's line.
        let text = ScreenText::new(&format!("? {} ", first_bytes(words, QUESTION)));
        Some((*number, Question { text, secret: prompt.secret }))
    }

    /// Whether the next line waits for what a command may ask.
    pub(crate) fn may_ask(&self) -> bool {
        self.awaited && !self.open.is_empty()
    }

    pub(crate) fn stop_waiting(&mut self) {
        self.awaited = false;
    }

    /// Whether a line of chat may be the secret that an open call was to ask for, and has not. It is asked once: the
    /// user is told then, and knows what the next line is.
    pub(crate) fn secret_is_due(&mut self, line: &str) -> bool {
        let due = self.open.iter_mut().filter(|call| call.will_be_asked);
        !line.trim().is_empty()
            && due.fold(false, |_, call| {
                call.will_be_asked = false;
                true
            })
    }

    /// Whether a message may be the secret that a call was to ask for which has ended without asking. It is asked once, as
    /// above.
    pub(crate) fn secret_was_due(&mut self) -> bool {
        std::mem::take(&mut self.unasked)
    }

    /// The frame of a call, which is open from now on.
    ///
    /// # Errors
    /// [`TooLong`] when it does not fit a frame; nothing is open then.
    pub(crate) fn call(&mut self, parsed: ParsedCall<'_>) -> Result<Bytes, TooLong> {
        self.last_call += 1;
        let call = Call {
            id: self.last_call.to_string(),
            name: parsed.command.name.clone(),
            arguments: parsed.arguments,
        };
        let frame = call.to_object().finish()?;
        let ParsedCall { will_be_asked, needs_secret, .. } = parsed;
        self.open.push(OpenCall { id: call.id, name: call.name, will_be_asked, needs_secret });
        self.awaited = true;
        Ok(frame)
    }

    /// The server asks something; the next line answers it, or the one after the answers to earlier questions.
    pub(crate) fn prompt_received(&mut self, prompt: Prompt) -> Vec<Effect> {
        if let Some(call) = self.open.iter_mut().find(|call| call.id == prompt.id.as_wire()) {
            call.will_be_asked = false;
        }
        let prompt = shortened(prompt);
        self.last_prompt += 1;
        let asked = (self.last_prompt, prompt);
        // A command asks one thing at a time.
        if let Some(open) = self.prompts.iter_mut().find(|(_, open)| open.id == asked.1.id) {
            *open = asked;
        } else if self.prompts.len() < QUESTIONS {
            self.prompts.push_back(asked);
        } else if !std::mem::replace(&mut self.told, true) {
            return note(
                "The server asks too much at a time; further questions are left out. /quit leaves.",
            );
        }
        let is_open = self.prompts.front().is_some_and(|(number, _)| *number == self.last_prompt);
        if is_open { self.ask() } else { Vec::new() }
    }

    /// Shows the question that is open now.
    fn ask(&self) -> Vec<Effect> {
        let prompt = self.prompts.front().map(|(_, prompt)| prompt);
        let output = prompt
            .map(|prompt| Output::Prompt { text: prompt.text.clone(), secret: prompt.secret });
        output.map(Effect::Show).into_iter().collect()
    }

    /// Answers the question of this number; no text, or an empty one, cancels the command.
    pub(crate) fn reply(&mut self, number: u64, text: Option<&str>) -> Vec<Effect> {
        let Some((_, prompt)) = self.prompts.front().filter(|(open, _)| *open == number) else {
            return note("Nothing was sent: the question is over.");
        };
        // An answer is one line. A line end at its end was pasted with it; one inside of it is a mistake.
        let text = match text.map(one_line).transpose() {
            Ok(text) => text.filter(|text| !text.is_empty()).map(Secret::new),
            Err(LineEnd) => return note(format!("Nothing was sent: {LineEnd}.")),
        };
        let answer = Answer { id: prompt.id.as_wire().to_owned(), text };
        self.prompts.pop_front();
        self.told = false;
        self.awaited = true;
        let mut effects = match answer.to_object().finish() {
            Ok(frame) => vec![Effect::Send(frame)],
            Err(error) => note(format!("Nothing was sent: {error}.")),
        };
        effects.extend(self.ask());
        effects
    }

    /// The server answered a call; its question, if there is one, is over. The effects show the next one.
    pub(crate) fn result_received(&mut self, outcome: &Outcome) -> (ClosedCall, Vec<Effect>) {
        let id = outcome.id.as_wire();
        let before = self.prompts.front().map(|(number, _)| *number);
        self.prompts.retain(|(_, prompt)| prompt.id.as_wire() != id);
        let changed = self.prompts.front().map(|(number, _)| *number) != before;
        let effects = if changed { self.ask() } else { Vec::new() };
        let call = match self.open.iter().position(|call| call.id == id) {
            Some(place) => {
                let call = self.open.remove(place);
                // A room without a password is joined without asking.
                self.unasked |= call.is_owed() && !outcome.ok;
                ClosedCall { name: call.name, never_asked: call.will_be_asked }
            }
            None => ClosedCall::default(),
        };
        (call, effects)
    }

    /// The connection is lost, and the answers to its calls with it.
    pub(crate) fn forget(&mut self) -> Vec<Effect> {
        self.unasked |= self.open.iter().any(OpenCall::is_owed);
        let names: Vec<_> = self.open.drain(..).map(|call| call.name).collect();
        self.prompts.clear();
        if names.is_empty() {
            return Vec::new();
        }
        note(format!(
            "The connection was lost before the server said what came of {}.",
            ScreenText::shortened(&names.join(", "), 120)
        ))
    }
}

/// A question with the beginning of its text only: sixteen of them are kept, and each could fill a frame.
fn shortened(prompt: Prompt) -> Prompt {
    let text = prompt.text.as_wire();
    match first_bytes(text, KEPT) {
        kept if kept.len() < text.len() => {
            Prompt { text: WireText::new(kept.to_owned()), ..prompt }
        }
        _ => prompt,
    }
}
