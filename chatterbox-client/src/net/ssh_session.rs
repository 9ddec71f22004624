//! Being the command of an SSH session: from where its user comes, told to the server by the PROXY protocol, version 2.
//!
//! For the server the connection comes from this machine. Without the real address it could count, hold up and ban only all users of
//! the SSH server together.

use std::net::{IpAddr, SocketAddr};

use proxy_header::{ProxiedAddress, ProxyHeader};

use crate::exit::{Exit, Failure};

/// The two ends of the connection of an SSH session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SshSession {
    client: SocketAddr,
    server: SocketAddr,
}

impl SshSession {
    /// Reads what sshd tells its commands; `variable` is the environment.
    ///
    /// # Errors
    /// There is no such session, or its user has asked for a command.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>) -> Result<Self, Failure> {
        if variable("SSH_ORIGINAL_COMMAND").is_some_and(|command| !command.is_empty()) {
            return Err(Failure::new(Exit::Usage, "there is only the chat here, and no commands")
                .hint("call ssh without one; lines are sent with `ssh HOST < FILE`"));
        }
        let ends = variable("SSH_CONNECTION").ok_or_else(|| {
            Failure::new(Exit::Usage, "--ssh-session: SSH_CONNECTION is not set").hint(
                "this option is for the command of an SSH session: ForceCommand in sshd_config",
            )
        })?;
        parse(&ends).ok_or_else(|| {
            Failure::new(Exit::Usage, "--ssh-session: SSH_CONNECTION names no two addresses")
        })
    }

    /// What is sent to the server before anything else.
    pub(crate) fn header(self) -> Vec<u8> {
        let mut header = Vec::new();
        // Writing to a Vec can't fail, and both addresses are of one family.
        let _ = ProxyHeader::with_address(ProxiedAddress::stream(self.client, self.server))
            .encode_v2(&mut header);
        header
    }
}

/// Address and port of the client, then those of the server.
fn parse(ends: &str) -> Option<SshSession> {
    let mut words = ends.split(' ');
    let mut end = || {
        // A scope (`fe80::1%eth0`) means something to this machine only.
        let address: IpAddr = words.next()?.split('%').next()?.parse().ok()?;
        Some(SocketAddr::new(address.to_canonical(), words.next()?.parse().ok()?))
    };
    let (client, server) = (end()?, end()?);
    let same = client.is_ipv4() == server.is_ipv4() && words.next().is_none();
    same.then_some(SshSession { client, server })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_connection_become_a_header() {
        for (ends, client, length) in [
            ("192.0.2.7 50000 192.0.2.1 22", "192.0.2.7:50000", 28),
            ("2001:db8::7 50000 2001:db8::1 22", "[2001:db8::7]:50000", 52),
            ("fe80::7%eth0 50000 fe80::1%eth0 22", "[fe80::7]:50000", 52),
            ("::ffff:192.0.2.7 1 ::ffff:192.0.2.1 22", "192.0.2.7:1", 28),
        ] {
            let session = parse(ends).unwrap();
            let header = session.header();
            let (read, all) = ProxyHeader::parse(&header, Default::default()).unwrap();
            let source = read.proxied_address().unwrap().source.to_string();
            assert_eq!((source.as_str(), all, header.len()), (client, length, length), "{ends}");
        }
        for bad in [
            "",
            "UNKNOWN 65535 UNKNOWN 65535",
            "192.0.2.7 50000",
            "192.0.2.7 50000 192.0.2.1",
            "192.0.2.7 50000 192.0.2.1 22 x",
            "192.0.2.7 50000 ::1 22",
            "192.0.2.7 65536 192.0.2.1 22",
            "host 1 192.0.2.1 22",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn only_the_chat_is_there_and_only_in_a_session() {
        let of = |command: Option<&str>, ends: Option<&str>| {
            SshSession::of(|name| {
                let value = if name == "SSH_CONNECTION" { ends } else { command };
                value.map(str::to_owned)
            })
        };
        let ends = Some("192.0.2.7 50000 192.0.2.1 22");
        assert!(of(None, ends).is_ok() && of(Some(""), ends).is_ok());
        for (command, ends, told) in [
            (Some("sh -i"), ends, "only the chat"),
            (Some("internal-sftp"), ends, "only the chat"),
            (None, None, "is not set"),
            (None, Some("x"), "no two addresses"),
        ] {
            let failure = of(command, ends).unwrap_err();
            assert!(failure.to_string().contains(told), "{failure}");
        }
    }
}
