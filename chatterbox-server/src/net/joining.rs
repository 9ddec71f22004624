//! Joining: the handshake of capabilities, authentication, and the claim of a name at the roster.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_hub::{
    self, AccountRef, BlockLists, Identity, JoinError, JoinRequest, Keep, Resuming, SessionKey,
};
use chatterbox_proto::capability::accounts::ACCOUNT;
use chatterbox_proto::capability::{
    CAPABILITIES, LIMITS, SERVER_INFO, limits_json, server_info_json,
};
use chatterbox_proto::frame::Decoder;
use chatterbox_proto::json::Object;
use chatterbox_proto::session::{Claim, JoinedSession, JoiningAction, JoiningSession};
use chatterbox_proto::{
    Capabilities, Capability, ClientFrame, Code, Refusal, limits, server_frame,
};
use tokio::io::AsyncWriteExt as _;

use crate::access::{Attachment, Grant, LoginRequest, RenameRequest, Renamer, WAITING_REQUESTS};
use crate::chat::flood_gate::FloodGate;
use crate::chat::handle::{Seat, Welcomed};
use crate::chat::short_queue::{self, short_queue};
use crate::config::Config;
use crate::net::context::Context;
use crate::net::inbound::{Flood, Inbound};
use crate::net::read_buffer::{self, READ};
use crate::net::requests::Requests;
use crate::net::stream::{End, Stream};
use crate::net::transfers::Transfers;
use crate::ops::clock::unix_now;

/// A connection that has no name yet.
pub(super) struct Joining<'a> {
    pub(super) decoder: Decoder,
    session: JoiningSession,
    peer: SocketAddr,
    config: &'a Config,
}

/// A connection that has just joined.
pub(super) struct Joined {
    pub(super) seat: Seat,
    pub(super) session: JoinedSession,
    pub(super) welcome: Vec<Bytes>,
    /// Whether escapes have to be undone in it when it is written (U8-1).
    pub(super) is_escaped: bool,
    pub(super) inbound: Inbound,
    /// The frame with the name, if messages are in it.
    pub(super) first: Option<Bytes>,
    pub(super) attached: Option<Attached>,
}

/// The attachment for the request handler, and the connection's end of its renames.
pub(super) struct Attached {
    pub(super) attachment: Box<Attachment>,
    pub(super) rename_requests: short_queue::Receiver<RenameRequest>,
    /// Where `files` was agreed to.
    pub(super) transfers: Option<Box<Transfers>>,
}

impl<'a> Joining<'a> {
    pub(super) fn new(peer: SocketAddr, spoken: Capabilities, config: &'a Config) -> Self {
        Self {
            decoder: Decoder::new(limits::JOINING_FRAME),
            session: JoiningSession::new(config.max_name, spoken),
            peer,
            config,
        }
    }

    pub(super) async fn run(
        &mut self,
        stream: &mut Stream,
        context: &Context,
    ) -> Result<Joined, End> {
        loop {
            loop {
                let body = match self.decoder.next_body() {
                    Ok(Some(body)) => body,
                    Ok(None) => break,
                    Err(_) => {
                        let faults = Code::FrameTooLong.into();
                        context.chat.traffic().frame_refused(&faults);
                        answer(stream, server_frame::error(&faults)).await?;
                        return Err(End::FrameTooLong);
                    }
                };
                if let Some(joined) = self.frame(&body, stream, context).await? {
                    return Ok(joined);
                }
            }
            if read_buffer::read_frames(stream, &mut self.decoder, READ).await? == 0 {
                return Err(End::Closed);
            }
        }
    }

    async fn frame(
        &mut self,
        body: &Bytes,
        stream: &mut Stream,
        context: &Context,
    ) -> Result<Option<Joined>, End> {
        let mut actions = VecDeque::from(self.session.receive(ClientFrame::parse(body)));
        while let Some(action) = actions.pop_front() {
            match action {
                JoiningAction::Claim(claim) => {
                    // A welcome holds all of the history, so it waits until that is loaded.
                    context.history_loaded.cancelled().await;
                    match self.claim(&claim, context).await {
                        Ok((seat, joined, grant)) => {
                            // Until its first frame it goes by the name that it has asked for.
                            let asked = (joined.name != claim.name).then(|| claim.name.clone());
                            if let Some(asked) = &asked {
                                seat.tell_name(asked, &joined.name);
                            }
                            let name = asked.unwrap_or(joined.name);
                            let (session, _) = self.session.accepted(name, None);
                            let (inbound, attached) = self.attach(&seat, grant, context);
                            let mut is_escaped = session.agreed().has(Capability::Utf8);
                            let mut welcome = joined.welcome;
                            if joined.is_compressible && session.agreed().has(Capability::Zstd) {
                                let compressing = &context.compressing;
                                let compressed = compressing.welcome(&seat, &welcome, is_escaped);
                                if let Some(compressed) = Box::pin(compressed).await {
                                    (welcome, is_escaped) = (compressed, false);
                                }
                            }
                            return Ok(Some(Joined {
                                seat,
                                session,
                                welcome,
                                is_escaped,
                                inbound,
                                first: claim.messages.map(|_| body.clone()),
                                attached,
                            }));
                        }
                        Err(JoinError::Refused(refusal)) => {
                            actions.extend(self.session.refused(refusal, claim.messages));
                        }
                        Err(JoinError::NotResumable) => {
                            // The session ended between authentication and the claim.
                            let refused = self.session.refused(Refusal::Busy, claim.messages);
                            actions.extend(refused);
                        }
                        Err(JoinError::TooLong(error)) => {
                            tracing::error!(%error, "the history does not fit a welcome");
                            return Err(End::Closing);
                        }
                    }
                }
                JoiningAction::Refuse(refusal) => {
                    tracing::debug!(reason = refusal.word(), "name refused");
                    context.chat.traffic().join_refused(refusal.word());
                    let refused = server_frame::refused_with(&refusal, self.session.agreed());
                    answer(stream, refused).await?;
                }
                JoiningAction::Error(faults) => {
                    context.chat.traffic().frame_refused(&faults);
                    answer(stream, server_frame::error(&faults)).await?;
                }
                JoiningAction::Close => return Err(End::Refused),
            }
        }
        Ok(None)
    }

    /// Authenticates the user, then asks the roster for the name.
    async fn claim(
        &self,
        claim: &Claim<'_>,
        context: &Context,
    ) -> Result<(Seat, Welcomed, Grant), JoinError> {
        if !self.config.no_limits {
            context.joins.wait(self.peer.ip(), self.config.max_per_address).await?;
        }
        let resume = claim.resume.as_ref();
        let key = resume.and_then(|resume| SessionKey::parse(resume.token.reveal()));
        let resumable = |key| context.chat.resumable(key, &claim.name);
        // The session may have begun at another node a moment ago, and the account, too.
        Box::pin(context.chat.catch_up()).await;
        let resumes = key.and_then(resumable);
        let request = LoginRequest {
            name: &claim.name,
            agreed: claim.agreed.unwrap_or_default(),
            proof: claim.proof.as_ref(),
            resumes: resumes.as_ref().map(Option::as_ref),
            peer: self.peer.ip(),
        };
        let mut grant = context.access.authenticator.authenticate(request).await?;
        let is_logged = context.access.activity.is_some();
        let mut info = format!("Welcome, {}!", claim.name);
        if is_logged && claim.agreed.is_none() {
            // Who reads no banner is told here.
            info.push_str(" What is said to all is logged here; private messages are not.");
        }
        let extra = claim.agreed.map(|agreed| self.extra(agreed, &grant, is_logged));
        let logged_in = grant.login.logged_in();
        let device = match (&claim.device, &logged_in, context.access.authenticator.keys()) {
            (Some(device), Some(login), Some(keys)) => {
                Box::pin(keys.own_device(login.account_key.id, device.clone())).await
            }
            _ => None,
        };
        // If the session was the only proof, joining may do nothing but resume it.
        let by_session = matches!(&resumes, Some(login @ Some(_)) if *login == logged_in);
        let request = JoinRequest {
            identity: Identity {
                name: claim.name.clone(),
                login: logged_in,
                level: grant.login.level,
                elevated: false,
                address: Some(self.peer.ip()),
                since: unix_now(),
                away: None,
                agreed: claim.agreed,
            },
            lists: BlockLists::new(
                std::mem::take(&mut grant.login.blocked),
                std::mem::take(&mut grant.login.blocked_by),
            ),
            extra: extra.as_deref().unwrap_or_default(),
            resume: resume.map(|resume| Resuming {
                key,
                after: resume.after,
                only: by_session && claim.proof.is_none(),
            }),
            recent: claim.recent,
            marks: &grant.login.marks,
            device: device.as_ref(),
            random: if claim.agreed.is_some() { random() } else { 0 },
            hold: u64::try_from(self.config.hold_name.as_millis()).unwrap_or(u64::MAX),
            ..JoinRequest::base(&claim.name, &info)
        };
        if let Some(login) = &request.identity.login {
            // Before the welcome, so that it has them.
            context.chat.enter_auto_rooms(AccountRef::from(login)).await;
        }
        let (seat, joined) = Seat::join(&context.chat, request).await?;
        if let Some(notice) = context.chat.doors().notice() {
            // It has just come, so there is room.
            seat.handle().tell(notice);
        }
        context.access.authenticator.accepted(&grant).await;
        Ok((seat, joined, grant))
    }

    /// The members of the welcome for clients that offered capabilities (CP-2, CP-7, CP-13, AN-2).
    fn extra(&self, agreed: Capabilities, grant: &Grant, is_logged: bool) -> Bytes {
        let config = self.config;
        let extra = Object::with_capacity(240).string(CAPABILITIES, &agreed.to_string()).json(
            LIMITS,
            &limits_json(config.max_frame, config.max_name, config.file_size, agreed),
        );
        let banner = banner(config, is_logged);
        let about = server_info_json(config.server_name.as_deref(), Some(&banner));
        let extra = about.iter().fold(extra, |extra, about| extra.json(SERVER_INFO, about));
        if agreed.has(Capability::Accounts) {
            return extra.json(ACCOUNT, &grant.account.to_json()).into_members();
        }
        extra.into_members()
    }

    /// Sets up the requests of a new member, if it can have any.
    fn attach(&self, seat: &Seat, grant: Grant, context: &Context) -> (Inbound, Option<Attached>) {
        let agreed = self.session.agreed();
        // Legacy commands are for base clients: others call commands and get acknowledgements in frames.
        let legacy = agreed.is_empty() && context.access.requests.legacy_prefix().is_some();
        let flood = (!self.config.no_limits).then(|| {
            let gate = FloodGate::new(agreed.has(Capability::Notices));
            Box::new(Flood { gate, config: context.config.clone() })
        });
        let is_base = agreed.is_empty() && !legacy;
        if is_base && !context.chat.is_in_cluster() {
            return (Inbound::new(seat.handle(), None, flood), None);
        }
        let accounts = Arc::clone(&context.access.authenticator);
        let mut requests = Requests::new(seat.session(), Arc::clone(&context.pages), accounts);
        if is_base {
            // It has none, but messages that this node can't judge yet.
            return (Inbound::new(seat.handle(), Some(Box::new(requests)), flood), None);
        }
        requests.legacy = legacy.then(|| Arc::clone(&context.access.requests));
        // A member that agreed to any capability is attached, so that commands of others find it (BL-1).
        let (commands, command_inputs) = short_queue(WAITING_REQUESTS);
        let (renamer, rename_requests) = short_queue(1);
        requests.commands = Some(commands);
        let mut transfers = None;
        if let Some(files) = context.access.files.as_ref().filter(|_| agreed.has(Capability::Files))
        {
            let accounts = Arc::clone(&context.access.authenticator);
            let (member, peer) = (seat.handle(), self.peer.ip());
            let (running, sender) = Transfers::new(Arc::clone(files), accounts, member, peer);
            (transfers, requests.files) = (Some(Box::new(running)), Some(sender));
            requests.announcing.files = Some(Arc::clone(files));
        }
        let attachment = Attachment {
            member: seat.handle(),
            renamer: Renamer(renamer),
            grant,
            agreed,
            pages: Arc::clone(&context.pages),
            requests: command_inputs,
        };
        let attached = Attached { attachment: Box::new(attachment), rename_requests, transfers };
        (Inbound::new(seat.handle(), Some(Box::new(requests)), flood), Some(attached))
    }
}

/// The banner as it was set, and what is kept and logged here: people have to know before they say something.
fn banner(config: &Config, is_logged: bool) -> String {
    let Keep { messages, bytes } = config.keep;
    let age =
        config.keep_age.map_or(String::new(), |age| format!(", {} days", age.as_secs() / 86_400));
    let age =
        if config.forgets_at_end { format!("{age}, as long as the server runs") } else { age };
    let logged = if is_logged { "on, without private messages" } else { "off" };
    let kept = format!(
        "Kept here: up to {messages} messages, {} KiB{age}. Activity log: {logged}.",
        bytes / 1024
    );
    match &config.banner {
        None => kept,
        // Clients show a few lines, and a longer banner is cut.
        Some(banner) if banner.lines().count() >= BANNER_LINES => format!("{kept}\n{banner}"),
        Some(banner) => {
            let room = limits::BANNER_CHARS.saturating_sub(kept.chars().count() + 1);
            let banner: String = banner.trim_end().chars().take(room).collect();
            format!("{banner}\n{kept}")
        }
    }
}

/// A client shows so many lines of a banner, or more.
const BANNER_LINES: usize = 12;

/// 128 random bits for a session key.
fn random() -> u128 {
    let random = ring::rand::generate::<[u8; 16]>(&ring::rand::SystemRandom::new());
    // Without random numbers the TLS handshake has failed before.
    random.map_or_else(|_| 0, |bits| u128::from_ne_bytes(bits.expose()))
}

pub(super) async fn answer(
    stream: &mut Stream,
    frame: Result<Bytes, chatterbox_proto::frame::TooLong>,
) -> io::Result<()> {
    // Answers have bounded parts, so they always fit a frame.
    stream.write_all(&frame.unwrap_or_default()).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_what_is_kept_and_until_when() {
        let config = Config { forgets_at_end: true, ..Config::default() };
        let told = banner(&config, false);
        assert!(told.contains("KiB, as long as the server runs. Activity log: off."), "{told}");
        assert!(!banner(&Config::default(), false).contains("as long"));
    }
}
