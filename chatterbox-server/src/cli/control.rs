//! The command line's end of control: asks the server of a data folder, and says what it has answered.

#![allow(clippy::disallowed_methods, reason = "the edge: a socket, with deadlines")]

use std::io::{self, BufRead as _, BufReader, Read as _, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use chatterbox_proto::{ScreenText, Username};
use chatterbox_server::accounts::{AccountWish, WishDone};
use chatterbox_server::control::{
    self, Act, AnswerError, ChangedKey, Done, Failure as Answered, FailureCode, Followed, LINE,
    Reloaded, Reply, Request, Stopping,
};
use serde_json::{Value, json};

use crate::cli::control_command::ControlCommand;
use crate::cli::exit::{self, Failure};
use crate::cli::status;
use crate::cli::words::moment;

/// The server reads requests and takes answers in seconds, and does nothing for longer than half a minute.
const ANSWERED_WITHIN: Duration = Duration::from_secs(45);

/// What the end of a shutdown may take beside the grace: last writes, and closing the database.
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// Does what the command asks for. The inner result is that of writing to `out`, where a closed pipe is no failure.
///
/// # Errors
/// That no server runs there, that it does not answer, and that it does not do it.
pub fn control(command: &ControlCommand, out: &mut impl Write) -> Result<io::Result<()>, Failure> {
    let target = command.target();
    let folder = target.messages.folder();
    let mut asked = Asked::connect(&folder)?;
    let replies = asked.ask(command.act())?;
    if let (ControlCommand::Status { .. }, Some((status, users, rooms))) =
        (command, status::collect(&replies))
    {
        return Ok(if target.json {
            writeln!(out, "{}", status::json(status, &users, &rooms))
        } else {
            status::show(status, &users, &rooms, out)
        });
    }
    let Some(reply) = replies.last() else { return Err(unreadable(&AnswerError::Unreadable)) };
    if let Reply::Stopping(stopping) = reply {
        return stopped(asked, *stopping, target.json, out);
    }
    let is_ban = matches!(command, ControlCommand::Ban { .. });
    let written = match reply {
        _ if target.json => writeln!(out, "{}", members(reply)),
        Reply::Done(done) => say_done(done, is_ban, out),
        _ => say(reply, out),
    };
    match reply {
        Reply::Reloaded(reloaded) if !reloaded.problems.is_empty() => {
            let _ = out.flush();
            Err(Failure {
                message: "not all could be read again: what could not stays as it was".to_owned(),
                hint: Some("correct it, and reload once more".into()),
                code: exit::CONFIGURATION,
            })
        }
        _ => Ok(written),
    }
}

/// Tells the server of a folder, if one runs there, that an account has changed. `None` is that none was told.
pub fn account_changed(folder: &Path, name: &Username) -> Option<Followed> {
    let act = Act::AccountsChanged { name: name.as_str().to_owned() };
    let replies = Asked::connect(folder).and_then(|mut asked| asked.ask(act)).ok()?;
    match replies.last() {
        Some(Reply::Followed(followed)) => Some(*followed),
        _ => None,
    }
}

/// Has the server of a folder change accounts: the one that may, on a node of a cluster.
///
/// # Errors
/// That no server runs there, that it does not answer, and that it does not do it.
pub fn change_accounts(folder: &Path, wish: AccountWish) -> Result<(WishDone, Followed), Failure> {
    let replies = Asked::connect(folder)?.ask(Act::Accounts { wish })?;
    match replies.last() {
        Some(Reply::Granted(done, followed)) => Ok((*done, *followed)),
        _ => Err(unreadable(&AnswerError::Unreadable)),
    }
}

/// A connection with a server.
struct Asked {
    stream: BufReader<UnixStream>,
}

impl Asked {
    fn connect(folder: &Path) -> Result<Self, Failure> {
        let missing = |path: &Path| {
            Failure {
            message: format!("no server runs with the data folder {}", path.display()),
            hint: Some(
                "with --state DIR, --data DIR or --config FILE, as the server has it; of the service: \
                 --config /etc/chatterbox/server.toml; one with --memory can't be controlled"
                    .into(),
            ),
            code: exit::NO_SERVER,
        }
        };
        let forbidden = || Failure {
            message: format!("no permission to control the server of {}", folder.display()),
            hint: Some("run this as the user whose server it is, or as root".into()),
            code: exit::FORBIDDEN,
        };
        match std::fs::metadata(folder) {
            Ok(found) if found.is_dir() => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(forbidden());
            }
            _ => return Err(missing(folder)),
        }
        let path = control::check(folder).map_err(|error| Failure {
            message: format!("the server can't be controlled: {error}"),
            hint: Some(error.hint().into()),
            code: exit::NO_SERVER,
        })?;
        let stream = UnixStream::connect(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => missing(folder),
            io::ErrorKind::PermissionDenied => forbidden(),
            _ => Failure::system(&format!("can't reach the server at {}", path.display()), &error),
        })?;
        let stream = BufReader::new(stream);
        let asked = Self { stream };
        asked.wait_for(ANSWERED_WITHIN)?;
        Ok(asked)
    }

    fn wait_for(&self, time: Duration) -> Result<(), Failure> {
        let stream = self.stream.get_ref();
        let set = stream.set_read_timeout(Some(time));
        let set = set.and_then(|()| stream.set_write_timeout(Some(ANSWERED_WITHIN)));
        set.map_err(|error| Failure::system("can't wait for the server", &error))
    }

    /// Asks, and reads up to the last line of the answer.
    fn ask(&mut self, act: Act) -> Result<Vec<Reply>, Failure> {
        // One that has too much to do answers before it has read anything, and what is written then fails.
        let written = self.stream.get_mut().write_all(Request(act).to_line().as_bytes());
        let mut replies = Vec::new();
        loop {
            let reply = match self.line() {
                Ok(line) if line.is_empty() => return Err(silent(written.err())),
                Ok(line) => Reply::parse(&line).map_err(|error| unreadable(&error))?,
                Err(error) => return Err(silent(Some(error))),
            };
            if let Reply::Failed(failure) = reply {
                return Err(refused(failure));
            }
            let is_last = reply.is_last();
            replies.push(reply);
            if is_last {
                return Ok(replies);
            }
        }
    }

    /// The next line; an empty one is the end.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.stream.by_ref().take(LINE as u64).read_until(b'\n', &mut line)?;
        Ok(line)
    }
}

/// Waits until the server has gone: the system closes the connection with the process.
fn stopped(
    mut asked: Asked,
    stopping: Stopping,
    is_json: bool,
    out: &mut impl Write,
) -> Result<io::Result<()>, Failure> {
    let Stopping { seconds, users } = stopping;
    if !is_json {
        let here = if users == 1 { "1 user is".to_owned() } else { format!("{users} users are") };
        eprintln!("chatterbox-server: the server stops within {seconds} s, {here} told");
    }
    asked.wait_for(Duration::from_secs(seconds) + GONE_WITHIN)?;
    match asked.line() {
        Ok(_) => {}
        Err(error)
            if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) =>
        {
            return Err(Failure {
                message: "the server has not gone in time".to_owned(),
                hint: Some("its log says what it waits for".into()),
                code: exit::REFUSED,
            });
        }
        // A connection that is cut has ended, too.
        Err(_) => {}
    }
    Ok(if is_json {
        writeln!(out, "{}", json!({"stopped": true, "users": users}))
    } else {
        writeln!(out, "stopped")
    })
}

fn silent(error: Option<io::Error>) -> Failure {
    Failure {
        message: match error {
            Some(error) => format!("the server does not answer: {error}"),
            None => "the server does not answer: it has closed the connection".to_owned(),
        },
        hint: Some("its log may say why; if it has hung, end its process".into()),
        code: exit::REFUSED,
    }
}

fn unreadable(error: &AnswerError) -> Failure {
    Failure {
        message: error.to_string(),
        hint: Some("use the program that the server was started with".into()),
        code: exit::REFUSED,
    }
}

/// What the server says when it does not do it.
fn refused(Answered { code, text }: Answered) -> Failure {
    let (hint, exit) = match code {
        FailureCode::HitsOthers => (Some("give --yes if that is meant"), exit::REFUSED),
        FailureCode::WouldLockOut | FailureCode::Forbidden => (None, exit::REFUSED),
        FailureCode::Busy => (Some("try again in a few seconds"), exit::REFUSED),
        FailureCode::Version => {
            (Some("use the program that the server was started with"), exit::REFUSED)
        }
        FailureCode::NoSuchUser => {
            (Some("`chatterbox-server status` shows who is here"), exit::NO_USER)
        }
        FailureCode::NoSuchBan => (None, exit::NO_USER),
        FailureCode::BadRequest => (None, exit::DATA),
        FailureCode::NotStored => (None, exit::MESSAGES),
        FailureCode::Unknown | FailureCode::Failed => (None, exit::REFUSED),
    };
    Failure {
        message: ScreenText::shortened(&text, 500).to_string(),
        hint: hint.map(Into::into),
        code: exit,
    }
}

/// The members of an answer, without its kind: whoever has asked knows it.
fn members(reply: &Reply) -> Value {
    match serde_json::to_value(reply) {
        Ok(Value::Object(kinds)) => kinds.into_values().next().unwrap_or_default(),
        _ => Value::Null,
    }
}

fn say(reply: &Reply, out: &mut impl Write) -> io::Result<()> {
    match reply {
        Reply::Told(told) if told.users == 1 => writeln!(out, "told 1 user"),
        Reply::Told(told) => writeln!(out, "told {} users", told.users),
        Reply::Reloaded(reloaded) => say_reloaded(reloaded, out),
        Reply::Followed(followed) => writeln!(out, "{}", describe(followed)),
        // They are answers to nothing that comes here.
        Reply::Done(_)
        | Reply::Granted(..)
        | Reply::Users(_)
        | Reply::Rooms(_)
        | Reply::Status(_)
        | Reply::Stopping(_)
        | Reply::Failed(_) => Ok(()),
    }
}

/// The sentence, and what there is to know beside it.
fn say_done(done: &Done, is_ban: bool, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", ScreenText::new(&done.info))?;
    let ended = (done.ended > 0).then(|| format!("{} ended", connections(done.ended)));
    let until = done.until.map(|until| format!("until {}", moment(until)));
    let number = done.number.filter(|_| is_ban).map(|number| format!("number {number} for unban"));
    let beside: Vec<_> = [ended, until, number].into_iter().flatten().collect();
    if beside.is_empty() { Ok(()) } else { writeln!(out, "{}", beside.join("; ")) }
}

fn connections(count: usize) -> String {
    match count {
        1 => "1 connection".to_owned(),
        count => format!("{count} connections"),
    }
}

fn say_reloaded(reloaded: &Reloaded, out: &mut impl Write) -> io::Result<()> {
    let value = |value: &Option<String>| match value {
        Some(value) => ScreenText::shortened(value, 60).to_string(),
        None => "(not set)".to_owned(),
    };
    let mut lines = |title: &str, all: &[ChangedKey]| -> io::Result<()> {
        for ChangedKey { setting, old, new } in all {
            writeln!(out, "{title}: {setting} = {} (was {})", value(new), value(old))?;
        }
        Ok(())
    };
    lines("changed", &reloaded.changed)?;
    lines("waits for a restart", &reloaded.waiting)?;
    for line in reloaded.problems.iter().flat_map(|problem| problem.lines()) {
        writeln!(out, "not read: {}", ScreenText::shortened(line, 500))?;
    }
    for warning in &reloaded.certificate {
        writeln!(out, "the certificate in use: {}", ScreenText::shortened(warning, 500))?;
    }
    if reloaded.changed.is_empty() && reloaded.waiting.is_empty() && reloaded.problems.is_empty() {
        writeln!(out, "read again; no setting has changed")?;
    }
    Ok(())
}

/// What a change of an account means for those who are here.
pub fn describe(followed: &Followed) -> String {
    match (followed.ended, followed.amended) {
        (0, 0) if followed.connections == 0 => "nobody is logged in with it now".to_owned(),
        (0, 0) => format!("nothing changes for {}", connections(followed.connections)),
        (ended, 0) => format!("{} ended", connections(ended)),
        (0, amended) => format!("it counts for {} at once", connections(amended)),
        (ended, amended) => format!("{} ended, {amended} have the level", connections(ended)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reply: &Reply) -> String {
        let mut out = Vec::new();
        say(reply, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_has_changed_is_told_apart_from_what_waits() {
        let key = |setting: &str, old: Option<&str>, new: Option<&str>| ChangedKey {
            setting: setting.into(),
            old: old.map(Into::into),
            new: new.map(Into::into),
        };
        let reloaded = Reloaded {
            changed: vec![key("banner", None, Some("hello\n\u{1b}[2J"))],
            waiting: vec![key("port", Some("5000"), Some("5001"))],
            ..Reloaded::default()
        };
        let text = said(&Reply::Reloaded(reloaded));
        assert!(
            text.contains("changed: banner = hello") && text.contains("(was (not set))"),
            "{text}"
        );
        assert!(text.contains("waits for a restart: port = 5001 (was 5000)"), "{text}");
        assert!(!text.contains('\u{1b}') && text.lines().count() == 2, "{text}");
        assert!(said(&Reply::Reloaded(Reloaded::default())).contains("no setting has changed"));
        let certificate = vec!["it has expired on\u{9b}2J".to_owned()];
        let text = said(&Reply::Reloaded(Reloaded { certificate, ..Reloaded::default() }));
        assert!(text.starts_with("the certificate in use: it has expired on"), "{text}");
        assert!(text.contains("no setting has changed") && !text.contains('\u{9b}'), "{text}");
    }

    #[test]
    fn every_refusal_has_a_documented_code() {
        use FailureCode as F;
        for (code, exit) in [
            (F::HitsOthers, exit::REFUSED),
            (F::NoSuchUser, exit::NO_USER),
            (F::NotStored, exit::MESSAGES),
            (F::BadRequest, exit::DATA),
        ] {
            let failure = refused(Answered { code, text: "\u{1b}[31mno".into() });
            assert_eq!(failure.code, exit);
            assert!(exit::HELP.contains(&format!("\n  {exit}  ")), "{exit}");
            assert!(!failure.message.contains('\u{1b}'), "{}", failure.message);
        }
    }
}
