//! The file that describes a run.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;
use thiserror::Error;

use crate::{
    evidence::Fault,
    processes::{Engine, Node, Plan},
    setting::Setting,
};

/// Why a file describes no run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is not TOML of this form.
    #[error("{0}")]
    Shape(#[from] Box<toml::de::Error>),
    /// No node.
    #[error("there is no [[node]]")]
    NoNode,
    /// A fault of the engine, and no engine.
    #[error("{} needs three [[engine]], leader-isolated also `namespaces = true`", _0.word())]
    NoEngine(Fault),
    /// A number that makes no sense.
    #[error("{0}")]
    Number(&'static str),
}

/// A run and its cluster, as a file has them; what is left out is as the guide says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// How long users talk while faults are put in, in seconds.
    #[serde(default = "sixty")]
    pub seconds: u64,
    /// Everything random follows from it.
    pub seed: Option<u64>,
    /// How many users talk.
    pub users: Option<u16>,
    /// How many names are contested.
    pub contested: Option<u16>,
    /// How many users compete for each of those.
    pub claimants: Option<u16>,
    /// How many messages all users send in a second.
    pub rate: Option<f64>,
    /// Rooms that are there, and open to guests.
    #[serde(default)]
    pub rooms: Vec<String>,
    /// The faults; all that the cluster can have, where they are left out.
    pub faults: Option<Vec<Fault>>,
    /// How long a fault lasts, in seconds.
    pub fault_lasts: Option<f64>,
    /// How long nothing is broken between two faults, in seconds.
    pub pause: Option<f64>,
    /// How long the cluster holds the places of those whose node is gone, in seconds.
    pub hold: Option<f64>,
    /// How long after a fault its consequences may show, in seconds.
    pub grace: Option<f64>,
    /// How long everything has to come to rest, in seconds.
    pub patience: Option<f64>,
    /// The certificates to trust (PEM).
    pub ca: Option<PathBuf>,
    /// Trust every certificate.
    #[serde(default)]
    pub insecure: bool,
    /// The nodes speak without TLS.
    #[serde(default)]
    pub plaintext: bool,
    /// The host that the nodes' certificate is for.
    pub host: Option<String>,
    /// Give each address a host of its own, in a network of namespaces; takes the rights of root.
    #[serde(default)]
    pub namespaces: bool,
    /// The stream of the engine of which the leader is looked for.
    pub stream: Option<String>,
    /// The nodes.
    #[serde(default, rename = "node")]
    pub nodes: Vec<Node>,
    /// The servers of the engine.
    #[serde(default, rename = "engine")]
    pub engine: Vec<Engine>,
}

const fn sixty() -> u64 {
    60
}

impl Config {
    /// Reads a file.
    ///
    /// # Errors
    /// When it describes no run.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(Box::new)?;
        if config.nodes.is_empty() {
            return Err(ConfigError::NoNode);
        }
        let seconds =
            [config.fault_lasts, config.pause, config.hold, config.grace, config.patience];
        if seconds.into_iter().flatten().any(|seconds| !(0.0..=86_400.0).contains(&seconds)) {
            return Err(ConfigError::Number("times are from 0 to 86400 seconds"));
        }
        if !config.rate.is_none_or(|rate| (0.1..=100_000.0).contains(&rate)) {
            return Err(ConfigError::Number("rate is from 0.1 to 100000"));
        }
        if !config.users.is_none_or(|users| (2..=5_000).contains(&users)) {
            return Err(ConfigError::Number("users are from 2 to 5000"));
        }
        let most = |count: Option<u16>| count.is_none_or(|count| count <= 100);
        if !most(config.contested) || !most(config.claimants) {
            return Err(ConfigError::Number("contested and claimants are from 0 to 100"));
        }
        Ok(config)
    }

    /// The faults of the run.
    ///
    /// # Errors
    /// When the cluster can't have one of them.
    pub fn faults(&self) -> Result<Vec<Fault>, ConfigError> {
        let possible = |fault: &Fault| match fault {
            Fault::NodeKilled | Fault::NodePaused | Fault::RollingRestart => true,
            Fault::LeaderIsolated => self.engine.len() > 2 && self.namespaces,
            _ => self.engine.len() > 2,
        };
        match &self.faults {
            None => Ok(Fault::ALL.into_iter().filter(possible).collect()),
            Some(faults) => match faults.iter().find(|fault| !possible(fault)) {
                Some(fault) => Err(ConfigError::NoEngine(*fault)),
                None => Ok(faults.clone()),
            },
        }
    }

    /// What the run is made of; the layers below the frames are the caller's.
    ///
    /// # Errors
    /// When the cluster can't have one of its faults.
    pub fn setting(&self, base: Setting) -> Result<Setting, ConfigError> {
        let time = |seconds: Option<f64>, default: Duration| {
            seconds.map_or(default, Duration::from_secs_f64)
        };
        Ok(Setting {
            seed: self.seed.unwrap_or(base.seed),
            lasting: Duration::from_secs(self.seconds),
            users: self.users.unwrap_or(base.users),
            contested: self.contested.unwrap_or(base.contested),
            claimants: self.claimants.unwrap_or(base.claimants),
            rate: self.rate.unwrap_or(base.rate),
            rooms: self.rooms.clone(),
            faults: self.faults()?,
            fault_lasts: time(self.fault_lasts, base.fault_lasts),
            pause: time(self.pause, base.pause),
            hold: time(self.hold, base.hold),
            grace: time(self.grace, base.grace),
            patience: time(self.patience, base.patience),
            transport: base.transport,
        })
    }

    /// The processes of the cluster.
    ///
    /// # Errors
    /// When the cluster can't have one of its faults.
    pub fn plan(&self, logs: Option<PathBuf>) -> Result<Plan, ConfigError> {
        Ok(Plan {
            nodes: self.nodes.clone(),
            engine: self.engine.clone(),
            stream: self.stream.clone().unwrap_or_else(|| "CHAT".to_owned()),
            logs,
            namespaces: self.namespaces,
            between: self.faults()?.contains(&Fault::NodeIsolated),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: &str = "[[node]]\nname = 'a'\naddress = '127.0.0.1:5001'\nstart = 'serve'\n";

    fn engines() -> String {
        (1..=3)
            .map(|n| {
                format!(
                    "[[engine]]\nname = 'e{n}'\nstart = 'x'\nclient = '127.0.0.1:422{n}'\nmonitor = '127.0.0.1:822{n}'\n"
                )
            })
            .collect()
    }

    #[test]
    fn without_an_engine_only_nodes_break() {
        let config = Config::parse(NODE).unwrap();
        let faults = config.faults().unwrap();
        assert_eq!(faults, [Fault::NodeKilled, Fault::NodePaused, Fault::RollingRestart]);
        let config = Config::parse(&format!("faults = ['leader-hung']\n{NODE}")).unwrap();
        assert!(matches!(config.faults(), Err(ConfigError::NoEngine(Fault::LeaderHung))));
        let config = Config::parse(&format!("{NODE}{}", engines())).unwrap();
        let everywhere = Fault::ALL.into_iter().filter(|fault| *fault != Fault::LeaderIsolated);
        assert_eq!(config.faults().unwrap(), everywhere.collect::<Vec<_>>());
        assert!(config.plan(None).unwrap().between);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let wrong = ["users = 1", "rate = 0", "pause = -1", "faults = ['fire']", "colour = 'red'"];
        for wrong in wrong {
            assert!(Config::parse(&format!("{wrong}\n{NODE}")).is_err(), "{wrong}");
        }
        assert!(matches!(Config::parse("seconds = 5"), Err(ConfigError::NoNode)));
    }
}
