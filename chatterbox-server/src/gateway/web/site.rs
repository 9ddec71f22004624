//! What a request is answered with.

#![allow(clippy::disallowed_methods, reason = "the edge: when a request came")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use chatterbox_address::HostPort;
use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use rustls::ServerConfig;
use tokio::time::Instant;

use crate::config::Config;
use crate::gateway::web::assets::Assets;
use crate::gateway::web::encoding::accepts_gzip;
use crate::gateway::web::forwarded;
use crate::gateway::web::handshake::{self, NoWebSocket};
use crate::gateway::web::headers::secure;
use crate::gateway::web::origin::{self, Names};
use crate::gateway::web::requesting::Requesting;
use crate::net::context::Context;

/// Where WebSockets are opened.
const SOCKET: &str = "/ws";

/// An answer.
pub(super) type Answer = Response<Full<Bytes>>;

/// What all connections share.
#[derive(Debug)]
pub(super) struct SiteState {
    pub(super) context: Arc<Context>,
    pub(super) requesting: Requesting,
    assets: Assets,
    /// The host of the listeners.
    host: String,
    tls: bool,
}

impl SiteState {
    pub(super) fn new(context: Arc<Context>, host: String, tls: bool) -> Self {
        Self { context, requesting: Requesting::default(), assets: Assets::new(), host, tls }
    }

    /// For the handshake of the next connection; `None` is plain HTTP.
    pub(super) fn tls_config(&self) -> Option<Arc<ServerConfig>> {
        if self.tls { self.context.transport.web_config() } else { None }
    }
}

/// The site, as one connection sees it.
pub(super) struct Site {
    state: Arc<SiteState>,
    pub(super) config: Arc<Config>,
    /// The address that the connection comes from.
    peer: SocketAddr,
    /// And the one that it has come to.
    local: SocketAddr,
    /// The client speaks HTTP where it has to speak HTTPS.
    needs_https: bool,
    /// For whom a WebSocket was opened.
    upgraded: Mutex<Option<SocketAddr>>,
    /// When the last request was answered.
    answered: Mutex<Option<Instant>>,
}

impl Site {
    pub(super) fn new(
        state: Arc<SiteState>,
        config: Arc<Config>,
        (peer, local): (SocketAddr, SocketAddr),
        needs_https: bool,
    ) -> Self {
        Self {
            state,
            config,
            peer,
            local,
            needs_https,
            upgraded: Mutex::default(),
            answered: Mutex::default(),
        }
    }

    /// For whom a WebSocket was opened, if one was.
    pub(super) fn upgraded(&self) -> Option<SocketAddr> {
        *self.upgraded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the last request was answered, if one was.
    pub(super) fn answered(&self) -> Option<Instant> {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request.
    pub(super) fn answer<B>(&self, request: &Request<B>) -> Answer {
        *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        let host = self.host(request);
        let mut answer = match &host {
            Err(status) if *status == StatusCode::FORBIDDEN => text(*status, FOREIGN_HOST),
            Err(status) => text(*status, "a request needs one header Host\n"),
            Ok(host) if self.needs_https => redirect_to_https(host, request),
            Ok(host) if request.uri().path() == SOCKET => self.open(host, request),
            Ok(_) => self.file(request),
        };
        secure(answer.headers_mut(), host.as_ref().ok(), self.state.tls);
        answer
    }

    /// The host that the request is for.
    fn host<B>(&self, request: &Request<B>) -> Result<HostPort, StatusCode> {
        let mut values = request.headers().get_all(header::HOST).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(StatusCode::BAD_REQUEST);
        };
        let names = Names {
            local: self.local,
            listening: &self.state.host,
            allowed: self.config.web_host.as_ref(),
            transport: &self.state.context.transport,
        };
        let host = value.to_str().ok().and_then(|value| origin::host(value, &names));
        host.ok_or(StatusCode::FORBIDDEN)
    }

    /// A file of the page.
    fn file<B>(&self, request: &Request<B>) -> Answer {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return answer;
        }
        let Some(asset) = self.state.assets.get(request.uri().path()) else {
            return text(StatusCode::NOT_FOUND, "there is nothing\n");
        };
        let gzip = asset.gzip();
        let accepted = gzip.filter(|_| accepts_gzip(request.headers()));
        let sent = accepted.unwrap_or(&asset.identity);
        let known = request.headers().get_all(header::IF_NONE_MATCH);
        let is_known = known.iter().any(|known| names_etag(known, &sent.etag));
        let mut answer = Response::new(Full::new(match is_known {
            true => Bytes::new(),
            false => sent.bytes.clone(),
        }));
        if is_known {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = answer.headers_mut();
        if !is_known {
            headers.insert(header::CONTENT_TYPE, asset.content_type.clone());
            if accepted.is_some() {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        if gzip.is_some() {
            headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        }
        headers.insert(header::ETAG, sent.etag.clone());
        // A browser asks each time whether its copy is still right.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        answer
    }

    /// Opens a WebSocket for a page of ours.
    fn open<B>(&self, host: &HostPort, request: &Request<B>) -> Answer {
        let key = match handshake::accept(request) {
            Ok(key) => key,
            Err(NoWebSocket::Broken) => {
                return text(StatusCode::BAD_REQUEST, "this opens no WebSocket\n");
            }
            Err(NoWebSocket::NotAsked | NoWebSocket::Version) => {
                let mut answer = text(StatusCode::UPGRADE_REQUIRED, "a WebSocket is here\n");
                let headers = answer.headers_mut();
                let version = HeaderValue::from_static(handshake::VERSION);
                headers.insert(header::SEC_WEBSOCKET_VERSION, version);
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
                return answer;
            }
        };
        let mut origins = request.headers().get_all(header::ORIGIN).iter();
        let is_own = match (origins.next().map(HeaderValue::to_str), origins.next()) {
            (Some(Ok(one)), None) => origin::is_own(one, host, self.state.tls),
            _ => false,
        };
        if !is_own {
            return text(StatusCode::FORBIDDEN, "only the page of this very server talks to it\n");
        }
        let peer = forwarded::real_peer(request.headers(), self.peer, &self.config);
        *self.upgraded.lock().unwrap_or_else(PoisonError::into_inner) = Some(peer);
        let mut answer = Response::new(Full::default());
        *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = answer.headers_mut();
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, key);
        answer
    }
}

/// What is said to a request for another host.
const FOREIGN_HOST: &str = "this server is not known by that name: start it with --web-host and the name if it should be\n";

/// A short text.
fn text(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// Sends a browser from HTTP to HTTPS.
fn redirect_to_https<B>(host: &HostPort, request: &Request<B>) -> Answer {
    let mut answer = text(StatusCode::PERMANENT_REDIRECT, "this port speaks HTTPS\n");
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if let Ok(location) = HeaderValue::try_from(format!("https://{host}{path}")) {
        answer.headers_mut().insert(header::LOCATION, location);
    }
    answer
}

/// Whether a value of `If-None-Match` names this entity.
fn names_etag(value: &HeaderValue, etag: &HeaderValue) -> bool {
    let (Ok(value), Ok(etag)) = (value.to_str(), etag.to_str()) else { return false };
    let is_it = |one: &str| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag;
    value.split(',').map(str::trim).any(is_it)
}
