//! A connection that has no name yet.

use super::joined::{InFrame, JoinedAction, JoinedSession};
use crate::capability::accounts::Proof;
use crate::capability::ids::Resume;
use crate::capability::{Capabilities, Capability};
use crate::client_frame::{ClientFrame, ClientKeys};
use crate::code::{Code, Fault, Faults, Refusal};
use crate::limits;
use crate::name::Username;

/// What a name is asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The name.
    pub name: Username,
    /// What is in force if it is accepted; `None` when nothing was offered, which is answered by the base protocol.
    pub agreed: Option<Capabilities>,
    /// What proves that the name is the user's; only with `accounts`.
    pub proof: Option<Proof>,
    /// Which session to go on with; only with `ids`.
    pub resume: Option<Resume>,
    /// MESSAGES of the same frame, to be handed back with the answer.
    pub messages: InFrame<'a>,
}

/// What the server has to do because of a frame of a client that has not joined, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoiningAction<'a> {
    /// Ask the roster for this name, then tell the session with [`JoiningSession::accepted`] or
    /// [`JoiningSession::refused`].
    Claim(Box<Claim<'a>>),
    /// Answer that the name is refused.
    Refuse(Refusal),
    /// Answer with one ERROR.
    Error(Faults),
    /// Close the connection once everything is said.
    Close,
}

/// A connection that has no name yet, as the server sees it.
#[derive(Debug)]
pub struct JoiningSession {
    name_limit: usize,
    /// What this server speaks.
    spoken: Capabilities,
    /// What was offered last and is spoken.
    agreed: Capabilities,
    /// How many names were refused.
    refused: u32,
}

impl JoiningSession {
    /// A new connection to a server that speaks `spoken`; names may have `name_limit` characters (NM-2).
    pub fn new(name_limit: usize, spoken: Capabilities) -> Self {
        Self { name_limit, spoken, agreed: Capabilities::NONE, refused: 0 }
    }

    /// What is in force if the name that was asked for last is accepted.
    pub fn agreed(&self) -> Capabilities {
        self.agreed
    }

    /// Takes one frame, as [`ClientFrame::parse`] reads it.
    pub fn receive<'a>(&mut self, frame: Result<ClientFrame<'a>, Fault>) -> Vec<JoiningAction<'a>> {
        let frame = match frame {
            Ok(frame) => frame,
            Err(fault) => return vec![JoiningAction::Error(fault.into())],
        };
        let fault = match frame.username {
            Some(Ok(text)) => match self.offered(frame.keys) {
                Ok(offered) => return self.ask(&text, offered, frame.messages),
                Err(fault) => Some(fault),
            },
            Some(Err(fault)) => Some(fault),
            None if frame.keys.is_some_and(|keys| keys.offer.is_some()) => {
                Some(Code::OfferNotNow.into())
            }
            None => None,
        };
        let faults = fault.into_iter().chain(too_early(frame.messages));
        faults.map(|fault| JoiningAction::Error(fault.into())).collect()
    }

    /// What stands beside a name, as far as it counts; what is wrong with it keeps the name from being taken (CP-3).
    fn offered(&self, keys: Option<Box<ClientKeys<'_>>>) -> Result<Offered, Fault> {
        let Some(keys) = keys else { return Ok(Offered::default()) };
        let Some(offer) = keys.offer.transpose()? else { return Ok(Offered::default()) };
        let agreed = offer.and(self.spoken);
        let proof = keys.proof.filter(|_| agreed.has(Capability::Accounts)).transpose()?;
        let resume = keys.resume.filter(|_| agreed.has(Capability::Ids)).transpose()?;
        Ok(Offered { agreed: Some(agreed), proof, resume })
    }

    fn ask<'a>(
        &mut self,
        text: &str,
        offered: Offered,
        messages: InFrame<'a>,
    ) -> Vec<JoiningAction<'a>> {
        let Offered { agreed, proof, resume } = offered;
        self.agreed = agreed.unwrap_or_default();
        match Username::parse_within(text, self.name_limit) {
            Ok(name) => {
                vec![JoiningAction::Claim(Box::new(Claim {
                    name,
                    agreed,
                    proof,
                    resume,
                    messages,
                }))]
            }
            Err(error) => self.refused(error.into(), messages),
        }
    }

    /// The roster has accepted the name: the connection goes on as a joined one, and the messages of the frame with the
    /// name are its first.
    pub fn accepted<'a>(
        &self,
        name: Username,
        messages: InFrame<'a>,
    ) -> (JoinedSession, Vec<JoinedAction<'a>>) {
        let session = JoinedSession::new(name, self.name_limit, self.agreed);
        let mut actions = Vec::new();
        session.messages(messages, None, &mut actions);
        (session, actions)
    }

    /// The name is refused, by the rules of names or by the roster.
    pub fn refused<'a>(
        &mut self,
        refusal: Refusal,
        messages: InFrame<'a>,
    ) -> Vec<JoiningAction<'a>> {
        let mut actions = vec![JoiningAction::Refuse(refusal)];
        actions.extend(too_early(messages).map(|fault| JoiningAction::Error(fault.into())));
        self.refused += 1;
        if self.refused >= limits::NAME_TRIES {
            actions.push(JoiningAction::Close);
        }
        actions
    }
}

/// The fault of messages that nobody can have sent yet (SR-3).
fn too_early(messages: InFrame<'_>) -> Option<Fault> {
    messages.map(|messages| messages.err().unwrap_or(Code::NotJoined.into()))
}

/// What stood beside a name.
#[derive(Default)]
struct Offered {
    agreed: Option<Capabilities>,
    proof: Option<Proof>,
    resume: Option<Resume>,
}
