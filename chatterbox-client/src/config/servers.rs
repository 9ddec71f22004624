//! Servers by name: what the configuration says about one, where the command line says nothing.

use super::file::Config;
use crate::cli::Arguments;

/// The arguments with what is known of the server that they name. What was given goes before.
pub(crate) fn with_server(mut arguments: Arguments, config: &Config) -> Arguments {
    let Some(server) = config.servers.get(&arguments.host) else { return arguments };
    arguments.host.clone_from(&server.host.host);
    if !arguments.port_given {
        arguments.port = server.port.or(server.host.port).unwrap_or(arguments.port);
    }
    let trusts = arguments.ca.is_some()
        || arguments.pin.is_some()
        || arguments.insecure
        || arguments.plaintext;
    if !trusts {
        arguments.ca.clone_from(&server.ca);
        arguments.pin = server.pin;
    }
    arguments.username = arguments.username.or_else(|| server.username.clone());
    arguments.room = arguments.room.or_else(|| server.room.clone());
    arguments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_goes_before_the_file() {
        let config: Config = toml::from_str(
            "[servers.work]\nhost = \"chat.example.org\"\nport = 5000\nca = \"w.crt\"\nusername = \"ann\"\nroom = \"#lab\"",
        )
        .unwrap();
        let with = |line: &str| {
            let line = format!("chatterbox-client {line}");
            let arguments = Arguments::parse_line(line.split_whitespace()).unwrap();
            let with = with_server(arguments, &config);
            let ca = with.ca.map(|ca| ca.display().to_string());
            (with.host, with.port, ca, with.username, with.room)
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            with("work"),
            ("chat.example.org".into(), 5000, some("w.crt"), some("ann"), some("#lab"))
        );
        assert_eq!(
            with("work:6000 --insecure -u bob --room #x"),
            ("chat.example.org".into(), 6000, None, some("bob"), some("#x"))
        );
        assert_eq!(with("work -p 9000").1, 9000, "given, though it is the default");
        assert_eq!(with("other"), ("other".into(), 9000, None, None, None));
    }
}
