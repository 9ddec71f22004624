//! The settings of a node that shares its chat with others.

use std::path::PathBuf;

use chatterbox_proto::limits;
use chatterbox_server::order::jetstream::{
    ClusterName, EngineSettings, MonitorUrl, ServerUrl, USUAL_NAME, USUAL_REPLICAS,
};
use clap::Args;

/// Where the engine is, and who we are.
#[derive(Debug, Clone, Args)]
#[group(skip)]
pub struct ClusterSettings {
    /// Be one of several nodes of one chat, with these servers of NATS JetStream between them: nats://HOST:4222 or tls://HOST:4222, several with commas [default: none]
    // Text, and read later: the parser of the command line repeats what it refuses, and that may be a password.
    #[arg(long, value_name = "URL[,URL...]", help_heading = "Several nodes")]
    pub cluster: Option<String>,

    /// What this node is called [default: the name of this machine]
    #[arg(long, value_name = "NAME", value_parser = node, help_heading = "Several nodes")]
    pub node: Option<String>,

    /// Name of the cluster in the engine, which may have several: 1 to 32 of a to z, 0 to 9 and -
    #[arg(long, value_name = "NAME", default_value = USUAL_NAME, value_parser = name, help_heading = "Several nodes")]
    pub cluster_name: ClusterName,

    /// File that says who we are in the engine: NAME:PASSWORD, a token, a key, or what nsc writes (.creds) [default: none]
    #[arg(long, value_name = "FILE", help_heading = "Several nodes")]
    pub cluster_credentials: Option<PathBuf>,

    /// Certificates of who vouches for the engine, in PEM [default: those that the system trusts]
    #[arg(long, value_name = "FILE", help_heading = "Several nodes")]
    pub cluster_ca: Option<PathBuf>,

    /// How many servers of the engine have to keep each record
    #[arg(
        long,
        value_name = "N",
        default_value_t = USUAL_REPLICAS,
        value_parser = replicas,
        help_heading = "Several nodes"
    )]
    pub cluster_replicas: usize,

    /// Monitoring ports of the engine, http://HOST:8222, several with commas; asked at the start whether it waits for its disks [default: none]
    #[arg(long, value_name = "URL[,URL...]", help_heading = "Several nodes")]
    pub engine_monitor: Option<String>,
}

/// The characters of the longest name of a node.
const LONGEST_NODE: usize = 64;

fn node(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.is_empty() || text.len() > LONGEST_NODE || !text.bytes().all(is_plain) {
        return Err(format!("is to be 1 to {LONGEST_NODE} letters, digits, dots, - and _"));
    }
    Ok(text.to_owned())
}

fn name(text: &str) -> Result<ClusterName, String> {
    text.parse()
}

fn replicas(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ (1 | 3 | 5)) => Ok(count),
        Ok(2 | 4) => Err("an even number tolerates no more than one less: 1, 3 or 5".to_owned()),
        _ => Err("is to be 1, 3 or 5".to_owned()),
    }
}

/// A setting that can't be understood, and what it might look like.
#[derive(Debug)]
pub struct Misunderstood {
    pub message: String,
    pub hint: &'static str,
}

fn misunderstood(setting: &str, fault: &str, hint: &'static str) -> Misunderstood {
    Misunderstood { message: format!("--{setting} {fault}"), hint }
}

impl ClusterSettings {
    /// The longest frame that clients may be allowed to send: what it becomes has to fit into a record of the engine.
    pub fn largest_frame(&self) -> usize {
        self.cluster.as_ref().map_or(usize::MAX, |_| limits::CLIENT_FRAME)
    }

    /// How to reach the engine; `None` where this is the only node.
    ///
    /// # Errors
    /// Something can't be understood.
    pub fn engine(&self) -> Result<Option<EngineSettings>, Misunderstood> {
        let Some(servers) = &self.cluster else { return Ok(None) };
        let hint = "for example --cluster nats://one:4222,nats://two:4222,nats://three:4222";
        let servers = ServerUrl::parse_list(servers)
            .map_err(|fault| misunderstood("cluster", &fault, hint))?;
        let machine = || node(&rustix::system::uname().nodename().to_string_lossy()).ok();
        let node = self.node.clone().or_else(machine);
        let node = node.ok_or_else(|| {
            misunderstood(
                "node",
                "is needed: the name of this machine can't be used",
                "for example --node one",
            )
        })?;
        Ok(Some(EngineSettings {
            credentials: self.cluster_credentials.clone(),
            authority: self.cluster_ca.clone(),
            cluster: self.cluster_name.clone(),
            replicas: self.cluster_replicas,
            ..EngineSettings::new(servers, node)
        }))
    }

    /// The same for who can't do without one.
    ///
    /// # Errors
    /// Something can't be understood, or no engine is named.
    pub fn engine_that_is_needed(&self) -> Result<EngineSettings, Misunderstood> {
        self.engine()?.ok_or_else(|| Misunderstood {
            message: "where is the engine?".to_owned(),
            hint: "--cluster nats://HOST:4222, or a configuration file that says it",
        })
    }

    /// The monitoring ports that were named.
    ///
    /// # Errors
    /// One can't be understood.
    pub fn monitors(&self) -> Result<Vec<MonitorUrl>, Misunderstood> {
        let Some(monitors) = &self.engine_monitor else { return Ok(Vec::new()) };
        let hint = "for example --engine-monitor http://one:8222,http://two:8222,http://three:8222";
        MonitorUrl::parse_list(monitors)
            .map_err(|fault| misunderstood("engine-monitor", &fault, hint))
    }

    /// Those that were given although this is the only node.
    pub fn without_effect(&self) -> Vec<&'static str> {
        let all = [
            (self.node.is_some(), "node"),
            (self.cluster_credentials.is_some(), "cluster-credentials"),
            (self.cluster_ca.is_some(), "cluster-ca"),
            (self.engine_monitor.is_some(), "engine-monitor"),
        ];
        let of_no_effect =
            all.into_iter().filter(|(is_given, _)| *is_given && self.cluster.is_none());
        of_no_effect.map(|(_, setting)| setting).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    fn read(line: &[&str]) -> ClusterSettings {
        let line = [&["chatterbox-server"], line].concat();
        crate::cli::command_line::Cli::try_parse_from(line).unwrap().serve.cluster
    }

    #[test]
    fn a_node_says_where_the_engine_is_and_who_it_is() {
        assert!(read(&[]).engine().unwrap().is_none());
        let all =
            "--cluster nats://a,tls://b:5 --node one --cluster-name test --cluster-replicas 1";
        let engine = read(&all.split(' ').collect::<Vec<_>>()).engine().unwrap().unwrap();
        let servers: Vec<_> = engine.servers.iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["nats://a:4222", "tls://b:5"]);
        assert_eq!((engine.node.as_str(), engine.replicas), ("one", 1));
        assert_eq!(engine.cluster.to_string(), "test");
        let usual = read(&["--cluster", "nats://a"]).engine().unwrap().unwrap();
        assert_eq!((usual.cluster.to_string().as_str(), usual.replicas), ("chat", 3));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in [
            &["--node", "a b"][..],
            &["--cluster-name", "Chat"],
            &["--cluster-replicas", "2"],
            &["--cluster-replicas", "0"],
        ] {
            let line = [&["chatterbox-server"], line].concat();
            assert!(crate::cli::command_line::Cli::try_parse_from(&line).is_err(), "{line:?}");
        }
        let refused = read(&["--cluster", "nats://me:hunter2@a"]).engine().unwrap_err();
        assert!(refused.message.contains("--cluster-credentials"), "{refused:?}");
        assert!(!format!("{refused:?}").contains("hunter2"));
        assert!(read(&["--engine-monitor", "https://a"]).monitors().is_err());
    }

    #[test]
    fn settings_of_a_cluster_that_there_is_none_of_are_told() {
        assert_eq!(
            read(&["--node", "one", "--cluster-ca", "ca.crt"]).without_effect(),
            ["node", "cluster-ca"]
        );
        assert!(read(&["--node", "one", "--cluster", "nats://a"]).without_effect().is_empty());
    }
}
