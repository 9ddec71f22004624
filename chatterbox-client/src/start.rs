//! Starts a session: puts its parts together as the command line says.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use chatterbox_app::model::Limits;
use chatterbox_app::{App, Options, ReconnectPolicy, TimeFormatter};
use chatterbox_proto::{Capabilities, Capability, ScreenText};
use jiff::tz::TimeZone;

use crate::cli::Arguments;
use crate::exit::{Exit, Failure};
use crate::keymap::Keymap;
use crate::net::Trust;
use crate::plain::{pipes, terminal};
use crate::session::{
    Server, Session, Signals, TokenStore, password_from_file, password_from_input,
};

/// A person sees so many messages of what was said before.
const NEWEST: u16 = 200;

/// Runs the whole session: connects, chats, leaves.
///
/// # Errors
/// A [`Failure`] that the user has not been told yet; the terminal is restored.
pub async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let interactive = terminal::is_usable() && !arguments.json;
    let server =
        Server { host: arguments.host.clone(), port: arguments.port, trust: trust(&arguments) };
    let tokens = arguments
        .remember
        .then(|| TokenStore::for_server(&server.host, server.port))
        .transpose()?;
    let options = options(&arguments, interactive, tokens.as_ref())?;
    let mut signals = Signals::listen()?;
    warn(&server.trust);
    let connection = tokio::select! {
        connection = server.connect() => connection?,
        exit = signals.next() => return Ok(exit),
    };
    let app = App::new(options, TimeFormatter::new(TimeZone::system()));
    let link = (server, connection);
    if !interactive {
        let screen = pipes::open(arguments.json);
        let session = Session::new(app, link, screen, signals, tokens);
        return session.behind_lines(usize::from(arguments.password_stdin)).run().await;
    }
    let host = ScreenText::new(&arguments.host);
    say(&format!("-- connected to {host}, port {}; /help tells what can be typed", arguments.port));
    let screen = terminal::open(Keymap::default())?;
    signals.suspend_by_session();
    let outcome = Session::new(app, link, screen, signals, tokens).run().await;
    if matches!(outcome, Ok(Exit::Ok | Exit::Interrupted)) {
        say("-- you have left the chat");
    }
    outcome
}

fn options(
    arguments: &Arguments,
    interactive: bool,
    tokens: Option<&TokenStore>,
) -> Result<Options, Failure> {
    let password = match &arguments.password_file {
        Some(path) => Some(password_from_file(path)?),
        None if arguments.password_stdin && io::stdin().is_terminal() => {
            return Err(Failure::new(Exit::Usage, "--password-stdin is for pipes")
                .hint("without it, you are asked for the password when it is needed"));
        }
        None => arguments.password_stdin.then(password_from_input).transpose()?,
    };
    let everything = Capability::EVERY.iter().copied().collect();
    let reconnect_for = Duration::from_secs(arguments.reconnect_for);
    Ok(Options {
        username: arguments.username.clone(),
        strict: arguments.strict,
        echo_own: true,
        interactive,
        json: arguments.json,
        offer: if arguments.base { Capabilities::NONE } else { everything },
        password,
        recent: arguments.recent.or(interactive.then_some(NEWEST)),
        all_rooms: arguments.all_rooms,
        model: interactive.then_some(Limits::USUAL),
        tokens: tokens.map(TokenStore::load).unwrap_or_default(),
        reconnect: (!arguments.no_reconnect).then(|| ReconnectPolicy::for_at_most(reconnect_for)),
    })
}

fn trust(arguments: &Arguments) -> Trust {
    match arguments {
        Arguments { plaintext: true, .. } => Trust::Plaintext,
        Arguments { insecure: true, .. } => Trust::AnyCertificate,
        Arguments { pin: Some(pin), .. } => Trust::Pinned(*pin),
        Arguments { ca: Some(path), .. } => Trust::Authority(path.clone()),
        _ => Trust::System,
    }
}

/// Warns where nothing protects the connection.
fn warn(trust: &Trust) {
    let what = match trust {
        Trust::Plaintext => "--plaintext: nothing is encrypted",
        Trust::AnyCertificate => "--insecure: the server's certificate is not checked",
        Trust::Authority(_) | Trust::System | Trust::Pinned(_) => return,
    };
    say(&format!(
        "WARNING: {what}. Anybody between here and the server can read and change everything."
    ));
}

/// Writes a line to standard error, before or after the session; a failure to do so is ignored.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
