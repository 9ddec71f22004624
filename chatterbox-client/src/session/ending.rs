//! The ends of a session, and the words for those that are failures.

use std::io;

use chatterbox_app::{App, Closing, GiveUpReason};

use super::stage::Stage;
use crate::exit::{Exit, Failure};
use crate::net::ReadError;

/// The end of a session.
#[derive(Debug)]
pub(super) enum End {
    /// The user wants to leave, or everything is done.
    Left(Exit),
    /// Everything is done, but not all of it went well.
    LeftWith(Failure),
    /// Nothing can be shown any more.
    OutputGone(io::Result<()>),
    /// The server is gone, or something is wrong.
    Failed(Failure),
}

/// The meaning of a connection that the server closed.
#[derive(Debug)]
pub(super) enum Closed {
    /// Everything was done; whether server or client closes first makes no difference.
    Done,
    /// The connection is lost; another one may do.
    Lost(Failure),
    /// Another connection would not do.
    Failed(Failure),
}

impl Closed {
    /// Judges by the failure to read, the failure to write and what the session was waiting for.
    pub(super) fn judge(
        read: Option<ReadError>,
        written: Option<io::Error>,
        stage: Stage,
        app: &App,
    ) -> Self {
        let lost = |what: String| Self::Lost(unavailable(what));
        match (read, written) {
            (Some(error @ ReadError::SpeaksTls), _) => Self::Failed(
                Failure::new(Exit::Protocol, error.to_string()).hint("leave --plaintext away"),
            ),
            (Some(error @ ReadError::TooLong(_)), _) => Self::Failed(
                Failure::new(Exit::Protocol, error.to_string())
                    .hint("perhaps this is no server of this protocol at all"),
            ),
            // Another connection would bring the same.
            (Some(error @ (ReadError::BadZstd(_) | ReadError::NotAgreed)), _) => Self::Failed(
                Failure::new(Exit::Protocol, error.to_string())
                    .hint("--no-compression does without such frames"),
            ),
            (_, Some(error)) => lost(format!("the connection was lost: {error}")),
            (Some(error), None) => lost(error.to_string()),
            // What was said last on a server that confirms nothing may not have arrived.
            (None, None) if stage == Stage::Drain && !app.is_unsettled() => Self::Done,
            (None, None) if app.me().is_none() && app.was_refused() => Self::Failed(
                Failure::new(
                    Exit::NoName,
                    "the server closed the connection without a name accepted",
                )
                .hint("start again with another name"),
            ),
            (None, None) => lost("the server closed the connection".to_owned()),
        }
    }
}

/// The server can't be reached, or does not answer.
pub(super) fn unavailable(what: impl Into<String>) -> Failure {
    Failure::new(Exit::Unavailable, what)
}

/// Everything is done; this many lines were not sent or refused.
pub(super) fn not_sent(lines: usize) -> Option<Failure> {
    let failure = |what: String| Some(Failure::new(Exit::NotSent, what));
    match lines {
        0 => None,
        1 => failure("a line of the input was not sent, or was refused".to_owned()),
        more => failure(format!("{more} lines of the input were not sent, or were refused")),
    }
}

/// A person leaves while this many messages are not confirmed.
pub(super) fn not_confirmed(messages: usize) -> Option<Failure> {
    let failure = |what: String| Some(Failure::new(Exit::NotSent, what));
    match messages {
        0 => None,
        1 => failure("1 message may not have arrived".to_owned()),
        more => failure(format!("{more} messages may not have arrived")),
    }
}

/// The application gave up.
pub(super) fn gave_up(reason: GiveUpReason) -> Failure {
    let no_name = |what| Failure::new(Exit::NoName, what);
    match reason {
        GiveUpReason::TurnedAway => {
            unavailable("the server has turned this connection away").hint("try again later")
        }
        GiveUpReason::NoName => {
            no_name("the server did not accept the name").hint("give another one with --username")
        }
        GiveUpReason::TooManyDevices => no_name("you are here on five devices already")
            .hint("leave on one of them, then start again"),
        GiveUpReason::PasswordNeeded => no_name("the name is registered, and needs its password")
            .hint("give it with --password-file FILE or --password-stdin"),
        GiveUpReason::WrongPassword => no_name("the server did not accept the password")
            .hint("a name that nobody has registered is refused so, too"),
        GiveUpReason::NotAsked => Failure::new(
            Exit::NotAsked,
            "a command failed without asking what the next line was to answer",
        )
        .hint("a text that begins with a slash is said with two of them: //"),
        GiveUpReason::Closed(why) => closed(why),
    }
}

/// The server has ended the connection, and the client does not come back by itself (NO-4).
fn closed(why: Closing) -> Failure {
    match why {
        Closing::Replaced => unavailable("your session goes on over another connection")
            .hint("start again to have it here"),
        Closing::LoggedOut => Failure::new(Exit::NoName, "the server has ended this login")
            .hint("start again to log in, or as a guest"),
        Closing::Kicked => unavailable("you were removed from the chat"),
        Closing::Banned => Failure::new(Exit::NoName, "you are banned from this server"),
        Closing::Protocol => {
            Failure::new(Exit::Protocol, "the server could not make sense of what was sent")
        }
        Closing::Other => unavailable("the server has ended the connection for good"),
    }
}

/// The connection is lost for good, for the reason `last` of its last loss.
pub(super) fn lost_for_good(last: Option<Failure>, app: &App) -> Failure {
    let last = last.unwrap_or_else(|| unavailable("the connection was lost"));
    let failure = match app.reconnect_for().filter(|_| app.is_down()) {
        Some(limit) => {
            let seconds = limit.as_secs();
            unavailable(format!("there was no way back to the server for {seconds} s"))
                .detail(format!("the last time: {}", last.message()))
        }
        None => last,
    };
    with_unanswered(failure, app)
}

/// A failure, and how many messages may not have arrived.
pub(super) fn with_unanswered(failure: Failure, app: &App) -> Failure {
    match app.unanswered() {
        0 => failure,
        1 => failure.detail("1 message may not have arrived"),
        more => failure.detail(format!("{more} messages may not have arrived")),
    }
}

/// The input ended before a name was accepted.
pub(super) fn no_name_left(refused: bool) -> Failure {
    if refused {
        Failure::new(Exit::NoName, "the input ended before a name was accepted").hint(
            "the first line is the name, and each line after a refusal is the next one to try",
        )
    } else {
        Failure::new(Exit::NoName, "the input ended before a name was given")
            .hint("the first line is the name; or give it with --username")
    }
}

/// The output failed, unless its reader merely went away.
pub(super) fn output_failed(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::InputOutput, format!("the output can't be written: {error}")))
        }
        _ => Ok(()),
    }
}
