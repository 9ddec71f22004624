//! The state of a connection before it has joined: it negotiates capabilities and claims a name.

use super::joined::{Beside, InFrame, JoinedAction, JoinedSession};
use crate::capability::accounts::Proof;
use crate::capability::ids::Resume;
use crate::capability::meta::DeviceId;
use crate::capability::{Capabilities, Capability};
use crate::client_frame::{ClientFrame, ClientKeys};
use crate::code::Code;
use crate::fault::{Fault, Faults};
use crate::limits;
use crate::name::Username;
use crate::refusal::Refusal;

/// A request to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The name that is claimed.
    pub name: Username,
    /// The capabilities in force after joining; `None` without an offer, which gets the base protocol.
    pub agreed: Option<Capabilities>,
    /// The credential to authenticate with; only with `accounts`.
    pub proof: Option<Proof>,
    /// The session to resume; only with `ids`.
    pub resume: Option<Resume>,
    /// How many messages the welcome shall have at most; only with `recent`.
    pub recent: Option<u16>,
    /// The device of the account that this connection is; only with `e2ee`.
    pub device: Option<DeviceId>,
    /// The messages of the same frame, to be passed to [`JoiningSession::accepted`] or [`JoiningSession::refused`].
    pub messages: InFrame<'a>,
}

/// An action of the server in response to a frame of a client that has not joined; they are carried out in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoiningAction<'a> {
    /// Authenticate, reserve the name, then call [`JoiningSession::accepted`] or
    /// [`JoiningSession::refused`].
    Claim(Box<Claim<'a>>),
    /// Answer that the name is refused.
    Refuse(Refusal),
    /// Answer with one ERROR.
    Error(Faults),
    /// Close the connection once everything is said.
    Close,
}

/// The session of a connection that has not joined.
#[derive(Debug)]
pub struct JoiningSession {
    name_limit: usize,
    /// The capabilities that this server speaks.
    spoken: Capabilities,
    /// The part of the last offer that is spoken.
    agreed: Capabilities,
    /// The number of refused claims, which is limited (TK-4).
    refused: u32,
}

impl JoiningSession {
    /// A new connection to a server with these capabilities; names may have `name_limit` characters (NM-2).
    pub fn new(name_limit: usize, spoken: Capabilities) -> Self {
        Self { name_limit, spoken, agreed: Capabilities::NONE, refused: 0 }
    }

    /// The capabilities that are in force once the name of the last claim is accepted.
    pub fn agreed(&self) -> Capabilities {
        self.agreed
    }

    /// Processes one frame, as [`ClientFrame::parse`] reads it.
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

    /// The offer beside a name; a fault in it prevents the claim (CP-3).
    fn offered(&self, keys: Option<Box<ClientKeys<'_>>>) -> Result<Offered, Fault> {
        let Some(keys) = keys else { return Ok(Offered::default()) };
        let Some(offer) = keys.offer.transpose()? else { return Ok(Offered::default()) };
        let agreed = offer.and(self.spoken).complete();
        let proof = keys.proof.filter(|_| agreed.has(Capability::Accounts)).transpose()?;
        let resume = keys.resume.filter(|_| agreed.has(Capability::Ids)).transpose()?;
        let recent = keys.recent.filter(|_| agreed.has(Capability::Recent)).transpose()?;
        let device = keys.device.filter(|_| agreed.has(Capability::E2ee)).transpose()?;
        Ok(Offered { agreed: Some(agreed), proof, resume, recent, device })
    }

    fn ask<'a>(
        &mut self,
        text: &str,
        offered: Offered,
        messages: InFrame<'a>,
    ) -> Vec<JoiningAction<'a>> {
        let Offered { agreed, proof, resume, recent, device } = offered;
        self.agreed = agreed.unwrap_or_default();
        match Username::parse_within(text, self.name_limit) {
            Ok(name) => {
                vec![JoiningAction::Claim(Box::new(Claim {
                    name,
                    agreed,
                    proof,
                    resume,
                    recent,
                    device,
                    messages,
                }))]
            }
            Err(error) => self.refused(error.into(), messages),
        }
    }

    /// Accepts the name: the connection goes on as a joined one. The messages of the frame with the name are its first.
    pub fn accepted<'a>(
        &self,
        name: Username,
        messages: InFrame<'a>,
    ) -> (JoinedSession, Vec<JoinedAction<'a>>) {
        let session = JoinedSession::new(name, self.name_limit, self.agreed);
        let mut actions = Vec::new();
        session.messages(messages, Beside::default(), &mut actions);
        (session, actions)
    }

    /// Refuses the name. After too many refusals the connection is closed.
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

/// The fault of messages before joining (SR-3).
fn too_early(messages: InFrame<'_>) -> Option<Fault> {
    messages.map(|messages| messages.err().unwrap_or(Code::NotJoined.into()))
}

/// An offer, after it was judged.
#[derive(Default)]
struct Offered {
    agreed: Option<Capabilities>,
    proof: Option<Proof>,
    resume: Option<Resume>,
    recent: Option<u16>,
    device: Option<DeviceId>,
}
