//! What is done when somebody asks for it on the command line.

#![allow(clippy::disallowed_methods, reason = "the edge: looks at files in a thread for that")]

use std::net::SocketAddr;
use std::sync::Arc;

use chatterbox_hub::Identity;
use chatterbox_proto::{SERVER, Username, limits};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::access::House;
use crate::account_watch::{self, AccountWatch};
use crate::accounts::{AccountWish, DirectoryError, WishDone};
use crate::chat::census::{Census, CountedRoom};
use crate::chat::cluster::report::Report;
use crate::chat::shared::Chat;
use crate::chat::traffic::LastMinute;
use crate::config::Live;
use crate::control::answer::{
    ChangedKey, Failure, FailureCode, Followed, Reloaded, Reply, Stopping, Told,
};
use crate::control::message::Act;
use crate::control::status::{Cluster, Log, Memory, Minute, Node, Room, Status, Stored, User};
use crate::control::stopping::StopClock;
use crate::moderation::{self as audit, About, AuditEntry};
use crate::moderation::{Done, Moderator, NotDone};
use crate::ops::clock::unix_now;
use crate::ops::memory;
use crate::ops::operator::{ChangedSetting, Facts, Operator, Reloaded as Read};
use crate::ops::readiness::Health;

/// The most users, and the most rooms, that are listed.
const LISTED: usize = 1000;

/// So many of them are in one line. The longest names have a kilobyte, and there are two of them for each.
const PER_LINE: usize = 25;

/// A running server, as the command line controls it.
pub(crate) struct Controlled {
    chat: Arc<Chat>,
    watch: AccountWatch,
    config: Live,
    operator: Arc<dyn Operator>,
    moderator: Option<Arc<dyn Moderator>>,
    /// How many connections are open.
    connections: Box<dyn Fn() -> usize + Send + Sync>,
    stop: StopClock,
    health: Health,
    /// What this node of a cluster knows of all.
    reports: Option<watch::Receiver<Option<Report>>>,
}

impl Controlled {
    pub(crate) fn new(
        watch: AccountWatch,
        config: Live,
        operator: Arc<dyn Operator>,
        moderator: Option<Arc<dyn Moderator>>,
        connections: Box<dyn Fn() -> usize + Send + Sync>,
        (health, reports): (Health, Option<watch::Receiver<Option<Report>>>),
    ) -> Self {
        let chat = Arc::clone(&watch.chat);
        let stop = StopClock::new(Arc::clone(&chat), config.clone(), Arc::clone(&operator));
        Self { chat, watch, config, operator, moderator, connections, stop, health, reports }
    }

    /// Does what is asked, and answers. Of stopping, it says what [`Controlled::stop`] is going to do.
    pub(super) async fn answer(&self, act: Act) -> Vec<Reply> {
        let reply = match act {
            Act::Status => return self.status().await,
            Act::Announce { text } => self.announce(&text).await,
            Act::Reload => self.reload().await,
            Act::Stop { seconds, .. } => self.stopping(seconds).await,
            Act::Kick(kick) => match &self.moderator {
                Some(moderator) => done(moderator.kick(kick).await),
                None => done(Err(NotDone::Unknown)),
            },
            Act::Ban(ban) => match &self.moderator {
                Some(moderator) => done(moderator.ban(ban).await),
                None => done(Err(NotDone::Unknown)),
            },
            Act::Unban(unban) => match &self.moderator {
                Some(moderator) => done(moderator.unban(unban).await),
                None => done(Err(NotDone::Unknown)),
            },
            Act::Accounts { wish } => self.grant(wish).await,
            Act::AccountsChanged { name } => self.follow(&name).await.map(Reply::Followed),
        };
        vec![reply.unwrap_or_else(Reply::Failed)]
    }

    /// Begins the shutdown.
    pub(super) fn stop(&self, seconds: Option<u64>, back: Option<u64>) {
        self.stop.begin(seconds, back);
    }

    /// Writes down what somebody does who has the machine, before it is done (MO-10).
    async fn note(&self, act: audit::Act, detail: &str) -> Result<(), Failure> {
        self.write(AuditEntry { detail: detail.into(), ..AuditEntry::new(unix_now(), SERVER, act) })
            .await
    }

    async fn write(&self, entry: AuditEntry) -> Result<(), Failure> {
        let Some(moderation) = &self.watch.access.moderation else { return Ok(()) };
        moderation.note(entry).await.map_err(|error| {
            tracing::error!(%error, "the audit log can't be written: nothing is done");
            Failure::new(FailureCode::NotStored, error.to_string())
        })
    }

    async fn stopping(&self, seconds: Option<u64>) -> Result<Reply, Failure> {
        let seconds = self.stop.seconds(seconds);
        // A full disk keeps nobody from stopping the server; that it could not be written down is in the log.
        let _ = self.note(audit::Act::Shutdown, &format!("in {seconds} s")).await;
        Ok(Reply::Stopping(Stopping { seconds, users: self.chat.user_count() }))
    }

    async fn announce(&self, text: &str) -> Result<Reply, Failure> {
        let characters = text.chars().count();
        if text.trim().is_empty() || characters > limits::ROOM_CONTENT_CHARS {
            let text = format!(
                "an announcement has 1 to {} characters, and this one {characters}",
                limits::ROOM_CONTENT_CHARS
            );
            return Err(Failure::new(FailureCode::BadRequest, text));
        }
        self.note(audit::Act::Broadcast, "").await?;
        self.chat.announce_in(None, text);
        Ok(Reply::Told(Told { users: self.chat.user_count() }))
    }

    async fn reload(&self) -> Result<Reply, Failure> {
        self.note(audit::Act::Reload, "").await?;
        let operator = Arc::clone(&self.operator);
        let read = tokio::task::spawn_blocking(move || operator.reload()).await;
        let Read { changed, waiting, problems, certificate } = read.map_err(|_| failed())?;
        let keys = |all: Vec<ChangedSetting>| {
            all.into_iter()
                .map(|ChangedSetting { key, old, new }| ChangedKey { setting: key, old, new })
                .collect()
        };
        let (changed, waiting) = (keys(changed), keys(waiting));
        Ok(Reply::Reloaded(Reloaded { changed, waiting, problems, certificate }))
    }

    /// Changes accounts, and makes it true for those who are here.
    async fn grant(&self, wish: AccountWish) -> Result<Reply, Failure> {
        let (act, detail) = match &wish {
            AccountWish::Add { level, .. } => (audit::Act::AddAccount, level.to_string()),
            AccountWish::SetPassword { .. } => (audit::Act::SetPassword, String::new()),
            AccountWish::SetLevel { level, .. } => (audit::Act::SetLevel, level.to_string()),
            AccountWish::Remove { .. } => (audit::Act::RemoveAccount, String::new()),
            AccountWish::SetAdminPassword { password } => {
                let detail = if password.is_some() { "set" } else { "removed" };
                (audit::Act::SetAdminPassword, detail.to_owned())
            }
        };
        let name = wish.name().map(str::to_owned);
        let about = name.as_deref().and_then(|name| Username::parse(name).ok());
        self.write(AuditEntry {
            about: about.as_ref().map(About::user),
            detail: (&*detail).into(),
            ..AuditEntry::new(unix_now(), SERVER, act)
        })
        .await
        .map_err(|Failure { code, text }| {
            Failure::new(
                code,
                format!("no account was changed, since that can't be written down: {text}"),
            )
        })?;
        // Changes are told while they are made, so who was logged in is looked at before.
        let logins = about.map(|name| (self.watch.logins(&name), name));
        let granted = match self.watch.access.requests.grant(wish).await {
            Some(granted) => granted,
            None => return Err(Failure::new(FailureCode::Unknown, "this server has no accounts")),
        };
        let granted = granted.map_err(|error| {
            tracing::warn!(%error, "an account could not be changed");
            Failure::new(FailureCode::NotStored, error.to_string())
        })?;
        let followed = match logins {
            Some((logins, name)) if granted == WishDone::Yes => {
                followed(self.watch.follow_since(&name, logins).await)?
            }
            _ => Followed::default(),
        };
        Ok(Reply::Granted(granted, followed))
    }

    async fn follow(&self, name: &str) -> Result<Followed, Failure> {
        let name = Username::parse(name)
            .map_err(|error| Failure::new(FailureCode::BadRequest, error.to_string()))?;
        followed(self.watch.follow(&name).await)
    }

    async fn status(&self) -> Vec<Reply> {
        let operator = Arc::clone(&self.operator);
        let facts = tokio::task::spawn_blocking(move || operator.facts()).await;
        let census = self.chat.census(LISTED);
        let mut replies = Vec::new();
        for users in census.users.chunks(PER_LINE) {
            replies.push(Reply::Users(users.iter().map(user).collect()));
        }
        for rooms in census.rooms.chunks(PER_LINE) {
            replies.push(Reply::Rooms(rooms.iter().map(room).collect()));
        }
        let status = self.summary(&census, facts.unwrap_or_default());
        replies.push(Reply::Status(Box::new(status)));
        replies
    }

    fn summary(&self, census: &Census, facts: Facts) -> Status {
        let uptime = self.chat.traffic().open_for().as_secs();
        let LastMinute { counted, messages, joins, refused_joins, refused_frames } =
            self.chat.traffic().last_minute();
        Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            process: std::process::id(),
            started: self.chat.traffic().started(),
            uptime,
            addresses: texts(&facts.addresses),
            web: texts(&facts.web),
            telnet: texts(&facts.telnet),
            health: texts(&facts.health),
            readiness: self.health.readiness().word().to_owned(),
            tls: facts.tls,
            certificate_days: facts.certificate_days,
            certificate_early: facts.certificate_early,
            certificate_warnings: facts.certificate_warnings,
            connections: (self.connections)(),
            max_connections: self.config.current().max_connections,
            user_count: census.user_count,
            room_count: census.room_count,
            minute: Minute {
                seconds: counted.as_secs(),
                messages,
                joins,
                refused_joins,
                refused_frames,
            },
            memory: Memory {
                resident: memory::resident(),
                waiting: census.waiting as u64,
                waiting_limit: census.waiting_limit as u64,
            },
            stored: Stored {
                folder: facts.folder.map(|folder| folder.display().to_string()),
                messages: facts.messages,
                bytes: facts.database_bytes,
            },
            log: Log {
                what: facts.log,
                activity: facts.activity_log.map(|file| file.display().to_string()),
            },
            stops: self.stop.stops(),
            cluster: self
                .reports
                .as_ref()
                .and_then(|reports| reports.borrow().as_ref().map(|report| self.cluster(report))),
        }
    }
}

impl Controlled {
    fn cluster(&self, report: &Report) -> Cluster {
        let nodes = report.nodes.iter().map(|node| Node {
            name: node.name.as_ref().to_owned(),
            life: node.node.to_string(),
            speaks: node.speaks,
            heard: node.heard.map(|heard| heard.elapsed().as_secs()),
            place: node.applied,
            users: self.chat.members_at(node.node),
        });
        let node = report.name.as_ref().to_owned();
        Cluster { node, place: report.place, nodes: nodes.collect() }
    }
}

impl House for Controlled {
    fn reload(&self) -> BoxFuture<'_, Option<Read>> {
        let operator = Arc::clone(&self.operator);
        async { tokio::task::spawn_blocking(move || operator.reload()).await.ok() }.boxed()
    }

    fn stop(&self, seconds: Option<u64>) -> u64 {
        self.stop.begin(seconds, None);
        self.stop.seconds(seconds)
    }
}

impl std::fmt::Debug for Controlled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Controlled").finish_non_exhaustive()
    }
}

fn failed() -> Failure {
    Failure::new(FailureCode::Unknown, "the server has failed at this")
}

/// What has become of those who are here, as it is answered.
fn followed(outcome: Result<account_watch::Followed, DirectoryError>) -> Result<Followed, Failure> {
    let followed = outcome.map_err(|error| {
        tracing::warn!(%error, "a changed account could not be read");
        Failure::new(FailureCode::NotStored, error.to_string())
    })?;
    let account_watch::Followed { connections, ended, amended } = followed;
    Ok(Followed { connections, ended, amended })
}

fn done(outcome: Result<Done, NotDone>) -> Result<Reply, Failure> {
    Ok(Reply::Done(outcome?))
}

fn user(identity: &Identity) -> User {
    User {
        name: identity.name.as_str().to_owned(),
        account: identity.account().map(|account| account.as_str().to_owned()),
        level: identity.actor().level.number(),
        address: identity.address.map(|address| address.to_canonical().to_string()),
        since: identity.since,
    }
}

fn room(room: &CountedRoom) -> Room {
    Room {
        name: room.name.as_str().to_owned(),
        owner: room.owner.as_ref().map(|owner| owner.as_str().to_owned()),
        members: room.members,
        here: room.here,
        hidden: room.hidden,
    }
}

fn texts(addresses: &[SocketAddr]) -> Vec<String> {
    addresses.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests;
