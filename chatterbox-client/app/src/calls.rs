//! Calls of the server's commands: which are open, what they ask, what came of them (CM-2 to CM-4).

use bytes::Bytes;
use chatterbox_proto::ScreenText;
use chatterbox_proto::capability::accounts::Secret;
use chatterbox_proto::capability::commands::{Answer, Call, Outcome, Prompt};
use chatterbox_proto::frame::TooLong;

use crate::commands::ParsedCall;
use crate::effect::{Effect, note};
use crate::input_mode::Question;
use crate::output::Output;

/// The calls that the server has not answered, and the question that is open.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    open: Vec<OpenCall>,
    /// The server's question, with a number that no other question has.
    prompt: Option<(u64, Prompt)>,
    last_call: u64,
    last_prompt: u64,
    /// Whether the next line waits for what a command may ask.
    awaited: bool,
}

#[derive(Debug)]
struct OpenCall {
    id: String,
    name: String,
    /// Whether a secret was left out: through pipes the next line is that secret.
    will_be_asked: bool,
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
        let (number, prompt) = self.prompt.as_ref()?;
        let text = ScreenText::new(&format!("{} ", prompt.text.as_wire().trim_end()));
        Some((*number, Question { text, secret: prompt.secret }))
    }

    /// Whether the next line waits for what a command may ask.
    pub(crate) fn may_ask(&self) -> bool {
        self.awaited && !self.open.is_empty()
    }

    pub(crate) fn stop_waiting(&mut self) {
        self.awaited = false;
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
        let will_be_asked = parsed.will_be_asked;
        self.open.push(OpenCall { id: call.id, name: call.name, will_be_asked });
        self.awaited = true;
        Ok(frame)
    }

    /// The server asks something; the next line answers it.
    pub(crate) fn prompt_received(&mut self, prompt: Prompt) -> Effect {
        let output = Output::Prompt { text: prompt.text.clone(), secret: prompt.secret };
        if let Some(call) = self.open.iter_mut().find(|call| call.id == prompt.id.as_wire()) {
            call.will_be_asked = false;
        }
        self.last_prompt += 1;
        self.prompt = Some((self.last_prompt, prompt));
        Effect::Show(output)
    }

    /// Answers the question of this number; no text, or an empty one, cancels the command.
    pub(crate) fn reply(&mut self, number: u64, text: Option<&str>) -> Vec<Effect> {
        let Some((_, prompt)) = self.prompt.take_if(|(open, _)| *open == number) else {
            return note("Nothing was sent: the question is over.");
        };
        let text = text.filter(|text| !text.is_empty()).map(Secret::new);
        let answer = Answer { id: prompt.id.as_wire().to_owned(), text };
        self.awaited = true;
        match answer.to_object().finish() {
            Ok(frame) => vec![Effect::Send(frame)],
            Err(error) => note(format!("Nothing was sent: {error}.")),
        }
    }

    /// The server answered a call; its question, if one is open, is over.
    pub(crate) fn result_received(&mut self, outcome: &Outcome) -> ClosedCall {
        let id = outcome.id.as_wire();
        self.prompt.take_if(|(_, prompt)| prompt.id.as_wire() == id);
        match self.open.iter().position(|call| call.id == id) {
            Some(place) => {
                let call = self.open.remove(place);
                ClosedCall { name: call.name, never_asked: call.will_be_asked }
            }
            None => ClosedCall::default(),
        }
    }

    /// The connection is lost, and the answers to its calls with it.
    pub(crate) fn forget(&mut self) -> Vec<Effect> {
        let names: Vec<_> = self.open.drain(..).map(|call| call.name).collect();
        self.prompt = None;
        if names.is_empty() {
            return Vec::new();
        }
        note(format!(
            "The connection was lost before the server said what came of {}.",
            ScreenText::shortened(&names.join(", "), 120)
        ))
    }
}
