//! How a node comes to the engine: the connection, which mends itself for ever, and what is checked before it is used.

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::context::{
    AccountErrorKind, ContextBuilder, CreateStreamErrorKind, GetStreamErrorKind,
};
use async_nats::jetstream::stream::Config;
use async_nats::jetstream::{Context, ErrorCode};
use async_nats::{Client, ConnectErrorKind, ConnectOptions, Event, ServerAddr};
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::order::jetstream::credentials::Credentials;
use crate::order::jetstream::engine_error::EngineError;
use crate::order::jetstream::said::said;
use crate::order::jetstream::settings::{EngineSettings, HANDSHAKE, ServerUrl};
use crate::order::jetstream::{greeting, streams, version};

/// How often we ask whether the server is there. After two that were not answered the connection is made anew, to another one: after
/// 3 to 4 s with a server that hangs.
const PING: Duration = Duration::from_secs(1);

/// How long all of the servers that were named may take together, names that have to be looked up included.
const CONNECTING: Duration = Duration::from_secs(30);

/// The longest time between two attempts to connect again.
const REST: Duration = Duration::from_secs(1);

/// How long the engine may take for an answer while a node starts. An election takes up to ten seconds.
const ANSWER: Duration = Duration::from_secs(15);

/// The records that the engine has to take: what the largest frame of a client becomes, and what comes in one group with it.
pub const PAYLOAD: usize = 8 * 1024 * 1024;

/// A connection to the engine.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The client, which connects again by itself.
    pub client: Client,
    /// The same for streams.
    pub context: Context,
    /// Whether it is there now.
    pub is_up: watch::Receiver<bool>,
}

impl Connection {
    /// Connects to one of the servers, and looks whether it is one that can be used.
    ///
    /// # Errors
    /// [`EngineError::Unreachable`] when none answers, [`EngineError::Refused`] otherwise.
    pub async fn open(settings: &EngineSettings) -> Result<Self, EngineError> {
        let (is_up, heard) = watch::channel(false);
        let options = options(settings, is_up).map_err(EngineError::Refused)?;
        let servers = greeting::believable(&settings.servers).await;
        let servers = servers.map_err(EngineError::Unreachable)?;
        let addresses: Vec<ServerAddr> = servers.into_iter().map(ServerUrl::address).collect();
        let connected = timeout(CONNECTING, options.connect(addresses)).await;
        let connected = connected
            .map_err(|_| EngineError::Unreachable("connecting takes too long".to_owned()))?;
        let client = connected.map_err(|error| match error.kind() {
            ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication => EngineError::Refused(
                "the engine does not let us in: look at --cluster-credentials, and at the users of the engine".to_owned(),
            ),
            _ => EngineError::Unreachable(said(error)),
        })?;
        let connection = Self { context: context(client.clone()), client, is_up: heard };
        connection.check_server().map_err(EngineError::Refused)?;
        Ok(connection)
    }

    /// Whether the server that we are connected to can be used. It may be another one than before.
    ///
    /// # Errors
    /// Says why not.
    pub fn check_server(&self) -> Result<(), String> {
        let info = self.client.server_info();
        let server =
            said(if info.server_name.is_empty() { &info.server_id } else { &info.server_name });
        version::check(&info.version)
            .map_err(|fault| format!("server {server} of the engine: {fault}"))?;
        if info.max_payload < PAYLOAD {
            return Err(format!(
                "server {server} of the engine takes records of {} bytes, and has to take {PAYLOAD}: max_payload: 8MB",
                info.max_payload
            ));
        }
        Ok(())
    }

    /// Whether the engine keeps streams at all.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn check_account(&self) -> Result<(), EngineError> {
        let asked = timeout(ANSWER, self.context.query_account()).await;
        let asked = asked
            .map_err(|_| EngineError::Unreachable("it does not answer: no quorum?".to_owned()))?;
        asked.map(drop).map_err(|error| match error.kind() {
            AccountErrorKind::JetStreamUnavailable | AccountErrorKind::JetStream(_) if is_off(&error) => {
                EngineError::Refused("JetStream is off in the engine, or for this user: its configuration needs jetstream { store_dir: ..., sync_interval: always }".to_owned())
            }
            _ => EngineError::Unreachable(said(error)),
        })
    }

    /// Looks at a stream, and makes it when it is not there.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn stream(&self, wanted: Config) -> Result<(), EngineError> {
        let found = match self.find_stream(&wanted.name).await? {
            Some(found) => found,
            None => self.make_stream(wanted.clone()).await?,
        };
        let faults = streams::faults(&wanted, &found);
        if faults.is_empty() { Ok(()) } else { Err(EngineError::refused(&faults)) }
    }

    /// How a stream is configured; `None` when it is not there.
    ///
    /// # Errors
    /// [`EngineError`].
    pub async fn find_stream(&self, name: &str) -> Result<Option<Config>, EngineError> {
        let asked = timeout(ANSWER, self.context.get_stream(name)).await;
        let asked = asked.map_err(|_| {
            EngineError::Unreachable(format!("it says nothing of stream {name}: no quorum?"))
        })?;
        match asked {
            Ok(stream) => Ok(Some(stream.cached_info().config.clone())),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(ref answer)
                    if answer.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    Ok(None)
                }
                _ => Err(EngineError::Unreachable(said(error))),
            },
        }
    }

    async fn make_stream(&self, wanted: Config) -> Result<Config, EngineError> {
        let name = wanted.name.clone();
        let replicas = wanted.num_replicas;
        let asked = timeout(ANSWER, self.context.create_stream(wanted)).await;
        let asked = asked.map_err(|_| {
            EngineError::Unreachable(format!("it does not make stream {name}: no quorum?"))
        })?;
        match asked {
            Ok(stream) => {
                info!(stream = %name, replicas, "made a stream in the engine");
                Ok(stream.cached_info().config.clone())
            }
            // Another node made it meanwhile: what counts is what is there.
            Err(error) => match self.find_stream(&name).await? {
                Some(found) => Ok(found),
                None => Err(match error.kind() {
                    CreateStreamErrorKind::JetStream(answer) if !passes(answer.error_code()) => {
                        EngineError::Refused(format!(
                            "the engine does not make stream {name} with {replicas} replicas: {}",
                            said(answer)
                        ))
                    }
                    _ => EngineError::Unreachable(said(error)),
                }),
            },
        }
    }

    /// Waits until the connection is there.
    pub async fn up(&self) {
        // It fails when the client has ended, and nothing waits for that.
        let _ = self.is_up.clone().wait_for(|is_up| *is_up).await;
    }
}

/// Whether that may be different in a moment: a server is away, or nobody leads.
fn passes(code: ErrorCode) -> bool {
    let passing = [
        ErrorCode::CLUSTER_NO_PEERS,
        ErrorCode::CLUSTER_NOT_AVAILABLE,
        ErrorCode::CLUSTER_INCOMPLETE,
    ];
    passing.contains(&code)
}

/// Whether the engine says that it has no streams, rather than that it has none at the moment.
fn is_off(error: &async_nats::jetstream::context::AccountError) -> bool {
    match error.kind() {
        AccountErrorKind::JetStream(answer) => {
            answer.error_code() == ErrorCode::JETSTREAM_NOT_ENABLED
                || answer.error_code() == ErrorCode::JETSTREAM_NOT_ENABLED_FOR_ACCOUNT
        }
        // Nobody listens where streams are asked for.
        AccountErrorKind::JetStreamUnavailable => true,
        _ => false,
    }
}

fn context(client: Client) -> Context {
    ContextBuilder::new().timeout(ANSWER).build(client)
}

fn options(
    settings: &EngineSettings,
    is_up: watch::Sender<bool>,
) -> Result<ConnectOptions, String> {
    let is_up = Arc::new(is_up);
    let encrypted = settings.servers.iter().any(|server| server.is_encrypted());
    let mut options = ConnectOptions::new()
        .name(format!("chatterbox {} {}", settings.cluster, settings.node))
        .ping_interval(PING)
        .connection_timeout(HANDSHAKE)
        .request_timeout(Some(ANSWER))
        .reconnect_delay_callback(|attempts| {
            REST.min(Duration::from_millis(50) * u32::try_from(attempts).unwrap_or(u32::MAX))
        })
        // Credentials go to the servers that the operator has named, and to no others that one of them names.
        .ignore_discovered_servers()
        .require_tls(encrypted)
        .event_callback(move |event| {
            let is_up = Arc::clone(&is_up);
            async move { heard(&event, &is_up) }
        });
    if let Some(authority) = &settings.authority {
        options = options.add_root_certificates(authority.clone());
    }
    match &settings.credentials {
        Some(path) => Credentials::read(path)?.apply(options),
        None => Ok(options),
    }
}

/// What becomes of the connection.
fn heard(event: &Event, is_up: &watch::Sender<bool>) {
    match event {
        Event::Connected => {
            is_up.send_replace(true);
            info!("connected to the engine");
        }
        Event::Disconnected | Event::Closed => {
            is_up.send_replace(false);
            warn!("the connection to the engine is lost");
        }
        other => warn!(event = %said(other), "the engine"),
    }
}
