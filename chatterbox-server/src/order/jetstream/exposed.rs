//! What somebody else could read of how a node and its engine speak: told by `cluster check`, and warned of at the start of a node.

#![allow(clippy::disallowed_methods, reason = "the edge: looks at the file of credentials")]

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::order::jetstream::said::said;
use crate::order::jetstream::settings::{EngineSettings, ServerUrl};

/// The rights of all but the owner of a file.
const OTHERS: u32 = 0o077;

/// Something that others could read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// What it is about.
    pub about: String,
    /// What is wrong, and what to do.
    pub told: String,
}

/// Looks at what is set. Whether the file of credentials is there is another question.
pub fn exposed(settings: &EngineSettings) -> Vec<Exposed> {
    let file = settings.credentials.as_deref().and_then(file);
    let open = |server: &&_| !is_hidden(server);
    let servers = settings.servers.iter().filter(open).map(|server| {
        let told = "nothing is encrypted on the way there, neither private messages nor who we are: tls:// unless the network is yours alone";
        Exposed { about: server.to_string(), told: told.to_owned() }
    });
    servers.chain(file).collect()
}

/// Whether nobody else is on the way to a server.
fn is_hidden(server: &ServerUrl) -> bool {
    server.is_encrypted() || server.is_of_this_machine()
}

fn file(path: &Path) -> Option<Exposed> {
    let mode = std::fs::metadata(path).ok()?.mode() & 0o777;
    (mode & OTHERS != 0).then(|| Exposed {
        about: said(path.display()),
        told: format!("others on this machine may read or change it (mode {mode:04o}): chmod 600"),
    })
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn settings(servers: &str) -> EngineSettings {
        EngineSettings::new(ServerUrl::parse_list(servers).unwrap(), "a".to_owned())
    }

    #[test]
    fn the_way_to_another_machine_is_encrypted() {
        let hidden = "tls://one,nats://localhost,nats://127.0.0.9:1,nats://[::1],nats://LOCALHOST";
        assert_eq!(exposed(&settings(hidden)), []);
        let open =
            exposed(&settings("nats://one,tls://two,nats://192.0.2.7:1,nats://[2001:db8::1]"));
        let about: Vec<_> = open.iter().map(|exposed| &*exposed.about).collect();
        assert_eq!(about, ["nats://one:4222", "nats://192.0.2.7:1", "nats://[2001:db8::1]:4222"]);
        assert!(open[0].told.contains("tls://"));
    }

    #[test]
    fn credentials_are_of_their_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("engine.user");
        std::fs::write(&path, "me:hunter2").unwrap();
        let of = |mode: u32| {
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            let credentials = Some(path.clone());
            exposed(&EngineSettings { credentials, ..settings("tls://one") })
        };
        for mode in [0o600, 0o400, 0o700] {
            assert_eq!(of(mode), [], "{mode:o}");
        }
        for mode in [0o640, 0o604, 0o620, 0o602, 0o644] {
            let told = of(mode);
            assert!(told.len() == 1 && told[0].told.contains(&format!("{mode:04o}")), "{told:?}");
            assert!(!format!("{told:?}").contains("hunter2"));
        }
        std::fs::remove_file(&path).unwrap();
        let credentials = Some(path);
        assert_eq!(exposed(&EngineSettings { credentials, ..settings("tls://one") }), []);
    }
}
