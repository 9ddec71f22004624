//! Sockets that the service manager has opened before the server (sd_listen_fds(3)): ports below 1024 need no rights here then, and whoever
//! connects while the server is started again waits instead of being refused.
//!
//! A socket is for the gateway whose name it has (`FileDescriptorName=` of systemd); any other name is that of the chat.

use std::net::SocketAddr;

use chatterbox_server::net::adopt;
use listenfd::ListenFd;
use tokio::net::TcpListener;

use crate::cli::exit::{self, Failure};
use crate::cli::settings::{Serve, is_loopback};

/// The process that sockets are meant for. The library takes them without it as well, and then whatever stands open is one.
const PROCESS: &str = "LISTEN_PID";

/// The names of the sockets, with colons between them.
const NAMES: &str = "LISTEN_FDNAMES";

/// The names that are not of the chat.
const GATEWAYS: [&str; 3] = ["web", "telnet", "health"];

/// Sockets that nobody has taken yet, with their names.
#[derive(Debug, Default)]
pub struct Inherited(Vec<(String, std::net::TcpListener)>);

/// Takes them from the environment, which does not name them any more then. Has to be called while there is one thread.
///
/// # Errors
/// One of them is no TCP socket.
pub fn take() -> Result<Inherited, Failure> {
    if std::env::var_os(PROCESS).is_none() {
        return Ok(Inherited::default());
    }
    let names = std::env::var(NAMES).unwrap_or_default();
    let mut names = names.split(':');
    let mut given = ListenFd::from_env();
    let mut sockets = Vec::new();
    for index in 0..given.len() {
        let name = names.next().unwrap_or_default().to_owned();
        let socket = given.take_tcp_listener(index).map_err(|error| unusable(&name, &error))?;
        sockets.extend(socket.map(|socket| (name, socket)));
    }
    Ok(Inherited(sockets))
}

fn unusable(name: &str, error: &std::io::Error) -> Failure {
    Failure {
        message: format!("the service manager has opened the socket {name:?}: {error}"),
        hint: Some("ListenStream=PORT, and no Accept=yes, is what the server takes".into()),
        code: exit::CONFIGURATION,
    }
}

impl Inherited {
    /// Those of the chat itself.
    ///
    /// # Errors
    /// One of them does not listen.
    pub fn of_chat(&mut self) -> Result<Vec<TcpListener>, Failure> {
        self.take(|name| !GATEWAYS.contains(&name))
    }

    /// Those of a gateway, by the name of its setting.
    ///
    /// # Errors
    /// As [`Self::of_chat`].
    pub fn of_gateway(&mut self, gateway: &str) -> Result<Vec<TcpListener>, Failure> {
        self.take(|name| name == gateway)
    }

    fn take(&mut self, is_wanted: impl Fn(&str) -> bool) -> Result<Vec<TcpListener>, Failure> {
        let all = std::mem::take(&mut self.0).into_iter();
        let (wanted, others): (Vec<_>, Vec<_>) = all.partition(|(name, _)| is_wanted(name));
        self.0 = others;
        let adopted = wanted
            .into_iter()
            .map(|(name, socket)| adopt(socket).map_err(|error| unusable(&name, &error)));
        adopted.collect()
    }

    /// Refuses sockets that nobody takes: whoever connects there would wait for ever.
    ///
    /// # Errors
    /// There is one.
    pub fn none_is_left(&self) -> Result<(), Failure> {
        let Some((name, _)) = self.0.first() else { return Ok(()) };
        Err(Failure {
            message: format!(
                "the service manager has opened the socket {name:?}, and --{name} is not set"
            ),
            hint: Some("set it, with the host that others type, or disable the socket".into()),
            code: exit::CONFIGURATION,
        })
    }
}

/// Makes the settings say where the chat's own sockets are. A host that is a name of more than this machine stays: it is what clients
/// type.
pub fn note(options: &mut Serve, listeners: &[TcpListener]) {
    let all: Vec<_> = listeners.iter().filter_map(|one| one.local_addr().ok()).collect();
    note_addresses(options, &all);
}

fn note_addresses(options: &mut Serve, all: &[SocketAddr]) {
    if let Some(first) = all.first() {
        options.port = first.port();
    }
    let open = all.iter().find(|address| !address.ip().is_loopback());
    if let Some(open) = open
        && is_loopback(&options.host)
    {
        options.host = open.ip().to_string();
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::command_line::Cli;

    fn sockets(names: &[&str]) -> Inherited {
        let open =
            |name: &&str| ((*name).to_owned(), std::net::TcpListener::bind("127.0.0.1:0").unwrap());
        Inherited(names.iter().map(open).collect())
    }

    #[tokio::test]
    async fn a_socket_is_for_what_its_name_says() {
        let mut all = sockets(&["chat", "web", "", "chatterbox.socket", "health"]);
        assert_eq!(all.of_chat().unwrap().len(), 3);
        assert_eq!(all.of_gateway("web").unwrap().len(), 1);
        assert_eq!((all.of_gateway("web").unwrap().len(), all.of_chat().unwrap().len()), (0, 0));
        let left = all.none_is_left().unwrap_err();
        assert!(left.message.contains("--health is not set"), "{}", left.message);
        all.of_gateway("health").unwrap();
        all.none_is_left().unwrap();
    }

    #[test]
    fn the_settings_say_where_it_listens() {
        let noted = |line: &[&str], addresses: &[&str]| {
            let line = [&["chatterbox-server"], line].concat();
            let mut options = Cli::try_parse_from(line).unwrap().serve;
            let all: Vec<_> = addresses.iter().map(|text| text.parse().unwrap()).collect();
            note_addresses(&mut options, &all);
            format!("{} {}", options.host, options.port)
        };
        assert_eq!(noted(&[], &["[::]:5000"]), ":: 5000");
        assert_eq!(noted(&[], &["127.0.0.1:5000", "192.0.2.7:5000"]), "192.0.2.7 5000");
        assert_eq!(noted(&[], &["127.0.0.1:5000", "[::1]:5000"]), "localhost 5000");
        assert_eq!(noted(&["chat.example"], &["0.0.0.0:5000"]), "chat.example 5000");
        assert_eq!(noted(&["localhost", "-p", "7"], &[]), "localhost 7");
    }
}
