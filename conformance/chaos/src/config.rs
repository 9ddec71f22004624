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
    /// A fault of disks, and a node that does not say where its data is.
    #[error(
        "{} needs `data` of each [[node]], disk-full also `small-disks = true`", _0.word()
    )]
    NoData(Fault),
    /// A fault that only one server that is alone has.
    #[error("{} is for one server: conformance load soak", _0.word())]
    Alone(Fault),
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
    /// One in so many of them speaks the base protocol alone; 0: none.
    pub base: Option<u16>,
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
    /// How long a fault lasts, in seconds; several lengths take turns.
    pub fault_lasts: Option<Lengths>,
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
    /// The data of each node is on a small file system of its own, which may be filled.
    #[serde(default)]
    pub small_disks: bool,
    /// The stream of the engine of which the leader is looked for.
    pub stream: Option<String>,
    /// The nodes.
    #[serde(default, rename = "node")]
    pub nodes: Vec<Node>,
    /// The servers of the engine.
    #[serde(default, rename = "engine")]
    pub engine: Vec<Engine>,
}

/// One number, or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Lengths {
    /// One.
    One(f64),
    /// Several.
    Several(Vec<f64>),
}

impl Lengths {
    fn all(&self) -> &[f64] {
        match self {
            Self::One(length) => std::slice::from_ref(length),
            Self::Several(lengths) => lengths,
        }
    }
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
        let lengths = config.fault_lasts.as_ref().map(Lengths::all);
        if lengths.is_some_and(<[f64]>::is_empty) {
            return Err(ConfigError::Number("fault-lasts has no number"));
        }
        let seconds = [config.pause, config.hold, config.grace, config.patience];
        let mut seconds =
            seconds.into_iter().flatten().chain(lengths.into_iter().flatten().copied());
        if seconds.any(|seconds| !(0.0..=86_400.0).contains(&seconds)) {
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
        let has_data = self.nodes.iter().all(|node| node.data.is_some());
        let possible = |fault: &Fault| match fault {
            Fault::NodeKilled | Fault::NodePaused | Fault::NodeStopped | Fault::RollingRestart => {
                true
            }
            fault if fault.is_of_one_server() => false,
            Fault::NodeNew => has_data,
            Fault::DiskFull => has_data && self.small_disks,
            Fault::LeaderIsolated => self.engine.len() > 2 && self.namespaces,
            _ => self.engine.len() > 2,
        };
        match &self.faults {
            None => Ok(Fault::ALL.into_iter().filter(possible).collect()),
            Some(faults) => match faults.iter().find(|fault| !possible(fault)) {
                Some(fault @ (Fault::NodeNew | Fault::DiskFull)) => {
                    Err(ConfigError::NoData(*fault))
                }
                Some(fault) if fault.is_of_one_server() => Err(ConfigError::Alone(*fault)),
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
            rounds: None,
            users: self.users.unwrap_or(base.users),
            base: self.base.unwrap_or(base.base),
            contested: self.contested.unwrap_or(base.contested),
            claimants: self.claimants.unwrap_or(base.claimants),
            rate: self.rate.unwrap_or(base.rate),
            wandering: base.wandering,
            rooms: self.rooms.clone(),
            faults: self.faults()?,
            fault_lasts: self.fault_lasts.as_ref().map_or(base.fault_lasts, |lengths| {
                lengths.all().iter().map(|seconds| Duration::from_secs_f64(*seconds)).collect()
            }),
            pause: time(self.pause, base.pause),
            hold: time(self.hold, base.hold),
            grace: time(self.grace, base.grace),
            patience: time(self.patience, base.patience),
            from: base.from,
            before: base.before,
            transport: base.transport,
            // Where each node is decides which addresses reach it.
            homes: None,
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
    use conformance_kit::net::dial::Transport;

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
        let of_nodes =
            [Fault::NodeKilled, Fault::NodePaused, Fault::NodeStopped, Fault::RollingRestart];
        assert_eq!(faults, of_nodes);
        let config = Config::parse(&format!("faults = ['leader-hung']\n{NODE}")).unwrap();
        assert!(matches!(config.faults(), Err(ConfigError::NoEngine(Fault::LeaderHung))));
        let config = Config::parse(&format!("faults = ['flood']\n{NODE}")).unwrap();
        assert!(matches!(config.faults(), Err(ConfigError::Alone(Fault::Flood))));
        let config = Config::parse(&format!("{NODE}{}", engines())).unwrap();
        let special = [Fault::LeaderIsolated, Fault::NodeNew, Fault::DiskFull];
        let is_usual = |fault: &Fault| !special.contains(fault) && !fault.is_of_one_server();
        let everywhere = Fault::ALL.into_iter().filter(is_usual);
        assert_eq!(config.faults().unwrap(), everywhere.collect::<Vec<_>>());
        assert!(config.plan(None).unwrap().between);
    }

    #[test]
    fn disks_break_where_the_file_says_which_they_are() {
        let config = Config::parse(&format!("{NODE}data = 'x'\n")).unwrap();
        assert!(config.faults().unwrap().contains(&Fault::NodeNew));
        assert!(!config.faults().unwrap().contains(&Fault::DiskFull));
        let config = Config::parse(&format!("small-disks = true\n{NODE}data = 'x'\n")).unwrap();
        assert!(config.faults().unwrap().contains(&Fault::DiskFull));
        let config = Config::parse(&format!("faults = ['node-new']\n{NODE}")).unwrap();
        assert!(matches!(config.faults(), Err(ConfigError::NoData(Fault::NodeNew))));
    }

    #[test]
    fn faults_last_for_one_time_or_for_several_in_turns() {
        let lasting = |text: &str| {
            let config = Config::parse(&format!("{text}\n{NODE}")).unwrap();
            config.setting(Setting::quiet(Transport::PLAIN)).unwrap().fault_lasts
        };
        assert_eq!(lasting("fault-lasts = 7"), [Duration::from_secs(7)]);
        assert_eq!(lasting("fault-lasts = [5, 1.5]"), [5.0, 1.5].map(Duration::from_secs_f64));
        assert_eq!(lasting(""), [Duration::from_secs(5)]);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let wrong = [
            "users = 1",
            "fault-lasts = []",
            "fault-lasts = [5, -1]",
            "rate = 0",
            "pause = -1",
            "faults = ['fire']",
            "colour = 'red'",
        ];
        for wrong in wrong {
            assert!(Config::parse(&format!("{wrong}\n{NODE}")).is_err(), "{wrong}");
        }
        assert!(matches!(Config::parse("seconds = 5"), Err(ConfigError::NoNode)));
    }
}
