//! The byte stream of a connection, and why it ends.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use chatterbox_proto::capability::notices::ClosedCode;
use chatterbox_proto::json::Object;
use chatterbox_proto::{Code, Exclusion, Faults, Refusal, server_frame};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

use crate::net::ahead::Ahead;

/// A stream in both directions: TLS, plain TCP, or what a gateway makes of what its clients speak.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {
    /// Keeps what the system takes ahead of what it can send as small as a piece of a file, where there is a system below: whatever is
    /// written has to wait for it.
    fn keep_unsent_small(&mut self) {}

    /// Lets the system take more of the welcome, which is written next, than it usually does, where there is a system below.
    fn run_ahead(&mut self, _ahead: Ahead) {}

    /// Whether it may take more now.
    fn is_ahead(&self) -> bool {
        false
    }
}

/// A pipe in this process, which holds what it was made for.
impl Duplex for DuplexStream {}

/// Boxed, so that the task of a joined connection stays small whatever the transport.
pub(crate) type Stream = Box<dyn Duplex>;

/// Why a connection ended, for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum End {
    #[error("closed by the client")]
    Closed,
    #[error("took too long to join")]
    JoinTimeout,
    #[error("handshake failed: {0}")]
    Handshake(io::Error),
    #[error("sent a frame that is too long")]
    FrameTooLong,
    #[error("did not finish a long frame")]
    LongFrame,
    #[error("too many refused names")]
    Refused,
    #[error("stopped reading")]
    TooSlow,
    #[error("too much was waiting for it")]
    OverBudget,
    #[error("another connection goes on with the session")]
    Resumed,
    #[error("logged out")]
    LoggedOut,
    #[error("its account was removed")]
    AccountRemoved,
    #[error("its login was ended elsewhere")]
    LoggedOutElsewhere,
    #[error("this node was declared to have ended")]
    Fenced,
    #[error("was put out")]
    Kicked(Box<Exclusion>),
    #[error("was banned")]
    Banned(Box<Exclusion>),
    #[error("the server is closing")]
    Closing,
    #[error("another node goes on for it")]
    Moving,
    #[error("nothing comes round in the order")]
    NoEngine,
    #[error("connection broken: {0}")]
    Broken(#[from] io::Error),
}

/// What the last frame to a member says.
struct Reason {
    code: ClosedCode,
    error: String,
    info: Cow<'static, str>,
    until: Option<i64>,
    /// After how many seconds a client may come back by itself, where that is not what the code says.
    retry: Option<u32>,
}

impl End {
    /// The reason for a member whose connection the server ends (NO-3).
    fn reason(&self) -> Option<Reason> {
        let (code, fault) = match self {
            Self::TooSlow => (ClosedCode::Slow, Code::TooSlow),
            Self::OverBudget => (ClosedCode::Slow, Code::TooMuchWaiting),
            // Whoever has a slow line may come back.
            Self::LongFrame => (ClosedCode::Slow, Code::FrameTimeout),
            Self::FrameTooLong => (ClosedCode::Protocol, Code::FrameTooLong),
            Self::Resumed => (ClosedCode::Replaced, Code::Resumed),
            Self::AccountRemoved => (ClosedCode::Logout, Code::AccountRemoved),
            Self::LoggedOutElsewhere => (ClosedCode::Logout, Code::LoggedOut),
            Self::Kicked(exclusion) => {
                return Some(Reason::kept_out(ClosedCode::Kicked, exclusion));
            }
            Self::Banned(exclusion) => {
                return Some(Reason::kept_out(ClosedCode::Banned, exclusion));
            }
            Self::LoggedOut => return Some(Reason::said(ClosedCode::Logout, LOGGED_OUT)),
            Self::Fenced => return Some(Reason::said(ClosedCode::Shutdown, OUT_OF_TOUCH)),
            Self::Closing => return Some(Reason::said(ClosedCode::Shutdown, SHUTTING_DOWN)),
            Self::Moving => return Some(Reason::said(ClosedCode::Shutdown, MOVING).at_once()),
            Self::NoEngine => return Some(Reason::said(ClosedCode::Shutdown, NO_ENGINE).at_once()),
            // The client has gone by itself, or is no member.
            Self::Closed
            | Self::Broken(_)
            | Self::JoinTimeout
            | Self::Handshake(_)
            | Self::Refused => return None,
        };
        Some(Reason {
            code,
            error: Faults::from(fault).text(),
            info: fault.text().into(),
            until: None,
            retry: None,
        })
    }

    /// Why the server ends the connection of a member, if it is the server that does.
    pub(super) fn closed_code(&self) -> Option<ClosedCode> {
        self.reason().map(|reason| reason.code)
    }

    /// The last frame to a member. Only who agreed to `notices` gets one where the ERROR was sent before, or where there is none.
    /// `back_in` is after which time the server is expected back that shuts down, if that is known.
    pub(super) fn last_frame(&self, notices: bool, back_in: Option<Duration>) -> Option<Bytes> {
        let Reason { code, error, info, until, retry } = self.reason()?;
        // Its parts are bounded, so it fits a frame.
        if notices {
            let back_in = back_in.filter(|_| matches!(self, Self::Closing));
            let back_in = back_in.and_then(|time| u32::try_from(time.as_secs()).ok());
            let retry = retry.or(back_in).or(code.retry());
            return server_frame::closed(code, &error, &info, until, retry).ok();
        }
        match self {
            Self::TooSlow
            | Self::OverBudget
            | Self::Resumed
            | Self::NoEngine
            | Self::AccountRemoved
            | Self::LoggedOutElsewhere
            | Self::Fenced
            | Self::Kicked(_)
            | Self::Banned(_) => Object::with_capacity(128).string("ERROR", &error).finish().ok(),
            _ => None,
        }
    }
}

const LOGGED_OUT: &str = "you are logged out, good bye";
const MOVING: &str = "this node of the chat is shutting down: connect again, another one goes on";
const NO_ENGINE: &str =
    "this node of the chat can't store messages: connect again, another one may be able to";
const OUT_OF_TOUCH: &str =
    "this server has lost touch with the others of this chat; please come back";
const SHUTTING_DOWN: &str = "the server is shutting down, good bye";

impl Reason {
    fn said(code: ClosedCode, info: &'static str) -> Self {
        Self { code, error: info.to_owned(), info: info.into(), until: None, retry: None }
    }

    /// Another node takes whoever comes back by itself.
    fn at_once(self) -> Self {
        Self { retry: Some(0), ..self }
    }

    /// The same as whoever comes back too early is told (NO-5).
    fn kept_out(code: ClosedCode, exclusion: &Exclusion) -> Self {
        let refusal = match code {
            ClosedCode::Banned => Refusal::Banned(exclusion.clone()),
            _ => Refusal::Kicked(exclusion.clone()),
        };
        let info = exclusion.reason.to_string().into();
        Self { code, error: refusal.to_string(), info, until: exclusion.until, retry: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(end: &End, notices: bool) -> Option<String> {
        let frame = end.last_frame(notices, None);
        frame.map(|frame| String::from_utf8(frame[4..].to_vec()).unwrap())
    }

    #[test]
    fn who_shuts_down_says_when_to_come_back_and_who_moves_says_now() {
        let told = |end: &End| {
            let frame = end.last_frame(true, Some(Duration::from_secs(600))).unwrap();
            String::from_utf8(frame[4..].to_vec()).unwrap()
        };
        assert!(told(&End::Closing).contains(r#""RETRY": 600}"#));
        assert!(told(&End::Moving).contains(r#""RETRY": 0}"#));
        assert!(told(&End::TooSlow).contains(r#""RETRY": 1}"#));
        assert_eq!(End::Closing.last_frame(false, Some(Duration::from_secs(600))), None);
    }

    #[test]
    fn every_end_by_the_server_has_a_reason_for_programs() {
        use ClosedCode::{Logout, Protocol, Replaced, Shutdown, Slow};
        for (end, code, base) in [
            (End::TooSlow, Slow, Some("too far behind")),
            (End::OverBudget, Slow, Some("too much is waiting")),
            (End::LongFrame, Slow, None),
            (End::FrameTooLong, Protocol, None),
            (End::Resumed, Replaced, Some("goes on with this session")),
            (End::AccountRemoved, Logout, Some("has been removed")),
            (End::LoggedOutElsewhere, Logout, Some("log in again")),
            (End::LoggedOut, Logout, None),
            (End::Fenced, Shutdown, Some("please come back")),
            (End::Closing, Shutdown, None),
            (End::Moving, Shutdown, None),
            (End::NoEngine, Shutdown, Some("connect again")),
        ] {
            assert_eq!(end.closed_code(), Some(code));
            let told = last(&end, true).unwrap();
            let retry = match end {
                End::Moving | End::NoEngine => Some(0),
                _ => code.retry(),
            };
            let retry = retry.map_or("null".to_owned(), |seconds| seconds.to_string());
            assert!(told.starts_with(r#"{"ERROR": ""#), "{told}");
            assert!(told.contains(&format!(r#""CLOSED": {{"CODE": "{}""#, code.word())), "{told}");
            assert!(told.trim_end().ends_with(&format!(r#""RETRY": {retry}}}}}"#)), "{told}");
            let others = last(&end, false);
            assert_eq!(others.is_some(), base.is_some(), "{end}");
            if let (Some(others), Some(base)) = (others, base) {
                assert!(others.contains(base) && !others.contains("CLOSED"), "{others}");
            }
        }
        assert_eq!((last(&End::Closed, true), last(&End::Refused, true)), (None, None));
        assert_eq!(End::Closed.closed_code(), None, "the client has gone by itself");
    }
}
