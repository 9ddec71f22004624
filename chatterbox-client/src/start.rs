//! Starts a session: puts its parts together as the command line says.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use chatterbox_app::model::Limits;
use chatterbox_app::{App, Options, ReconnectPolicy, Target, TimeFormatter, spoken};
use chatterbox_manual::ManualError;
use chatterbox_proto::{Capabilities, Capability, ScreenText};

use crate::cli::Arguments;
use crate::config::{self, Config, Mode};
use crate::encryption::Vault;
use crate::exit::{Exit, Failure};
use crate::keymap;
use crate::net::{SshSession, Trust};
use crate::plain::{pipes, terminal};
use crate::session::{
    Server, Session, Signals, TokenStore, folder, password_from_file, password_from_input,
};
use crate::time_zone;
use crate::tui;

/// A person sees so many messages of what was said before.
const NEWEST: u16 = 200;

/// The smallest full screen.
const SMALLEST: (u16, u16) = (24, 6);

/// What shows the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pipes,
    Lines,
    Full,
}

/// Runs the whole session: connects, chats, leaves.
///
/// # Errors
/// A [`Failure`] that the user has not been told yet; the terminal is restored.
pub async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    if arguments.print_config || arguments.print_keys {
        let text = if arguments.print_keys { keymap::page() } else { config::sample() };
        return print(&text);
    }
    if arguments.manual.is_asked() {
        return manual(&arguments);
    }
    let (mut config, mut keys) = config::load(arguments.config.as_deref())?;
    let variable = |name: &str| std::env::var(name).ok();
    let mut arguments = config::with_server(arguments, &config);
    if let Some(name) = &arguments.username_from_env {
        arguments.username = variable(name).filter(|value| !value.is_empty());
    }
    let ssh = arguments.ssh_session.then(|| SshSession::of(variable)).transpose()?;
    if arguments.restricted || ssh.is_some() {
        keys = keys.restricted();
        config.screen.open.clear();
    }
    let kind = kind(&arguments, &config);
    let trust = trust(&arguments);
    let server = Server { host: arguments.host.clone(), port: arguments.port, trust, ssh };
    let tokens = arguments
        .remember
        .then(|| TokenStore::for_server(&server.host, server.port))
        .transpose()?;
    let options = options(&arguments, &config, kind, tokens.as_ref())?;
    let mut signals = Signals::listen()?;
    warn(&server.trust);
    let connection = tokio::select! {
        connection = server.connect() => connection?,
        exit = signals.next() => return Ok(exit),
    };
    let (zone, unclear) = time_zone::local();
    // Nobody sees what was written before the full screen.
    let unclear_here = unclear.clone().filter(|_| kind == Kind::Full);
    if let Some(unclear) = unclear.filter(|_| kind != Kind::Full) {
        say(&format!("-- {unclear}"));
    }
    let time = TimeFormatter::new(zone);
    let app = App::new(options, time.clone());
    let app = match vault(&arguments, &server) {
        Some(vault) => app.with_encryption(Box::new(vault)),
        None => app,
    };
    let link = (server, connection);
    let room = arguments.room.clone();
    let outcome = match kind {
        Kind::Pipes => {
            let screen = pipes::open(arguments.json);
            let session = Session::new(app, link, screen, signals, tokens).in_room(room);
            return session.behind_lines(usize::from(arguments.password_stdin)).run().await;
        }
        Kind::Lines => {
            let host = ScreenText::new(&arguments.host);
            let port = arguments.port;
            say(&format!("-- connected to {host}, port {port}; /help tells what can be typed"));
            let screen = terminal::open(keys)?;
            signals.suspend_by_session();
            Session::new(app, link, screen, signals, tokens).in_room(room).run().await
        }
        Kind::Full => {
            let screen = tui::open(&config, keys, arguments.theme, time)?;
            signals.suspend_by_session();
            let session = Session::new(app, link, screen, signals, tokens).in_room(room);
            session.telling(unclear_here).run().await
        }
    };
    if matches!(outcome, Ok(Exit::Ok | Exit::Interrupted)) {
        say("-- you have left the chat");
    }
    outcome
}

/// What shows the chat: the full screen, unless it is not wanted or there is no place for it.
fn kind(arguments: &Arguments, config: &Config) -> Kind {
    if arguments.json || !terminal::is_usable() {
        return Kind::Pipes;
    }
    let asked =
        std::env::var_os("CHATTERBOX_PLAIN").is_some_and(|value| !value.is_empty() && value != "0");
    let plain = arguments.plain || asked || config.screen.mode == Mode::Plain;
    let (columns, rows) = crate::terminal::size();
    let fits = columns >= SMALLEST.0 && rows >= SMALLEST.1;
    if fits && !plain { Kind::Full } else { Kind::Lines }
}

fn print(text: &str) -> Result<Exit, Failure> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::InputOutput, format!("the output can't be written: {error}")))
        }
        _ => Ok(Exit::Ok),
    }
}

/// Writes completions or manual pages.
fn manual(arguments: &Arguments) -> Result<Exit, Failure> {
    match arguments.write_manual(&mut io::stdout().lock()) {
        Ok(()) => Ok(Exit::Ok),
        Err(ManualError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Exit::Ok)
        }
        Err(error) => Err(Failure::new(Exit::InputOutput, error.to_string())),
    }
}

fn options(
    arguments: &Arguments,
    config: &Config,
    kind: Kind,
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
    let (interactive, full) = (kind != Kind::Pipes, kind == Kind::Full);
    let mut everything = spoken();
    if arguments.no_compression {
        everything = everything.without(Capability::Zstd);
    }
    let attention = config.conversations.iter();
    let attention = attention.map(|(name, one)| (Target::parse(name, true), one.notify.into()));
    let reconnect = arguments.reconnect_for.map(Duration::from_secs);
    let reconnect = reconnect.map_or_else(ReconnectPolicy::default, ReconnectPolicy::for_at_most);
    Ok(Options {
        username: arguments.username.clone(),
        strict: arguments.strict,
        echo_own: true,
        interactive,
        json: arguments.json,
        restricted: arguments.restricted || arguments.ssh_session,
        offer: if arguments.base { Capabilities::NONE } else { everything },
        password,
        recent: arguments.recent.or(interactive.then_some(NEWEST)),
        all_rooms: full || arguments.all_rooms,
        model: interactive.then_some(Limits::USUAL),
        full_screen: full,
        attention: attention.collect(),
        tokens: tokens.map(TokenStore::load).unwrap_or_default(),
        reconnect: (!arguments.no_reconnect).then_some(reconnect),
    })
}

/// The keys for encrypted messages. Whoever shares the account of this machine with others has none here.
fn vault(arguments: &Arguments, server: &Server) -> Option<Vault> {
    let alone = !(arguments.base || arguments.restricted || server.ssh.is_some());
    let folder = folder().filter(|_| alone)?;
    Some(Vault::for_server(&folder, &server.host, server.port))
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
