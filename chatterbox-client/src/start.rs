//! Starts a session: puts its parts together as the command line says.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use chatterbox_app::{App, Options, ReconnectPolicy, TimeFormatter};
use chatterbox_proto::{Capabilities, Capability, ScreenText};
use jiff::tz::TimeZone;

use crate::cli::Arguments;
use crate::exit::{Exit, Failure};
use crate::net::trust::Trust;
use crate::plain::{pipes, terminal};
use crate::session::credentials::{self, TokenStore};
use crate::session::driver::Session;
use crate::session::server::Server;
use crate::session::signals::Signals;

/// Runs the whole session: connects, chats, leaves.
///
/// # Errors
/// A [`Failure`] that is still to be told to the user; the terminal is in order again.
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
    let console = if interactive {
        let host = ScreenText::new(&arguments.host);
        say(&format!(
            "-- connected to {host}, port {}; /help tells what can be typed",
            arguments.port
        ));
        terminal::open()?
    } else {
        pipes::open(arguments.json)
    };
    let outcome = Session::new(app, connection, server, console, signals, tokens).run().await;
    if interactive && matches!(outcome, Ok(Exit::Ok | Exit::Interrupted)) {
        // Where the line editor is not at work, the terminal itself has written `^C`, which this takes the place of.
        say("\r-- you have left the chat");
    }
    outcome
}

fn options(
    arguments: &Arguments,
    interactive: bool,
    tokens: Option<&TokenStore>,
) -> Result<Options, Failure> {
    let password = match &arguments.password_file {
        Some(path) => Some(credentials::from_file(path)?),
        None if arguments.password_stdin && io::stdin().is_terminal() => {
            return Err(Failure::new(Exit::Usage, "--password-stdin is for pipes")
                .hint("without it, you are asked for the password when it is needed"));
        }
        None => arguments.password_stdin.then(credentials::from_input).transpose()?,
    };
    let everything = Capability::EVERY.iter().copied().collect();
    let reconnect_for = Duration::from_secs(arguments.reconnect_for);
    Ok(Options {
        username: arguments.username.clone(),
        strict: arguments.strict,
        echo_own: !interactive,
        interactive,
        json: arguments.json,
        offer: if arguments.base { Capabilities::NONE } else { everything },
        password,
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

/// Says loudly when there is no protection.
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

/// A line on the error output, before and after the session. Nobody is left to tell when that fails.
fn say(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
