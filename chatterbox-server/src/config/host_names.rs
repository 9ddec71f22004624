//! Names of hosts.

use chatterbox_address::HostPort;

/// Names of hosts, without ports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostNames(Vec<String>);

impl HostNames {
    /// The names in lower case, in the order in which they were given.
    pub fn as_slice(&self) -> &[String] {
        &self.0
    }
}

/// So many names are a mistake.
const MOST: usize = 64;

/// Names with commas between them.
pub(crate) fn host_names(text: &str) -> Result<HostNames, String> {
    let names: Vec<&str> = text.split(',').map(str::trim).collect();
    if names.len() > MOST {
        return Err(format!("has at most {MOST} names"));
    }
    let names = names.into_iter().map(|name| {
        let host: HostPort = name.parse().map_err(|error| format!("{name:?}: {error}"))?;
        if host.port.is_some() {
            return Err(format!("{name:?}: a name without a port is needed"));
        }
        Ok(host.host.to_lowercase())
    });
    Ok(HostNames(names.collect::<Result<_, _>>()?))
}
