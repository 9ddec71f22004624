//! `cluster status`: what a cluster is like, from any machine that reaches its engine. Nothing is changed, and nobody is a node.

#![allow(clippy::disallowed_methods, reason = "the edge: waits no longer than a time")]

use std::io::{self, Write};
use std::time::Duration;

use chatterbox_server::control::Node;
use chatterbox_server::order::Snapshots as _;
use chatterbox_server::order::jetstream::{
    EngineError, EngineSeen, JetStream, ServerStanding, StreamSeen,
};
use chatterbox_server::{Survey, SurveyedNode, survey};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::cli::cluster_command::Status;
use crate::cli::ended::ended;
use crate::cli::exit::{self, Failure};
use crate::cli::nodes;
use crate::cli::words::{count, size, table, time_text};

/// How long the log may take. A snapshot comes each 10,000 places, so there is no more than that to read.
const LONGEST: Duration = Duration::from_secs(120);

/// The newest snapshots that are told of.
const SNAPSHOTS: usize = 5;

/// What there is to see.
struct Seen {
    cluster: String,
    engine: EngineSeen,
    /// The places of whole snapshots, rising.
    snapshots: Vec<u64>,
    /// What the log tells, if it could be read.
    survey: Option<Survey>,
}

/// Looks at a cluster, and prints what there is to see.
///
/// # Errors
/// That it can't be seen. The inner error is one of stdout.
pub fn status(command: &Status, out: &mut dyn Write) -> Result<io::Result<()>, Failure> {
    let settings = command.settings.engine_that_is_needed()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::system("can't start threads", &error))?;
    runtime.block_on(async {
        let looked = JetStream::look(&settings).await.map_err(|error| unseen(&error))?;
        let Some((stream, engine)) = looked else {
            return Err(Failure {
                message: format!("the engine has no cluster {}", settings.cluster),
                hint: Some(
                    "the first node makes it; --cluster-name says which one is meant".into(),
                ),
                code: exit::NO_SERVER,
            });
        };
        let cluster = settings.cluster.to_string();
        let mut seen = Seen { cluster, engine, snapshots: Vec::new(), survey: None };
        let reading = async {
            seen.snapshots = stream.places().await?;
            seen.survey = Some(survey(&stream, &stream).await?);
            Ok(())
        };
        let read = match timeout(LONGEST, reading).await {
            Ok(read) => read.map_err(|error| ended(&error)),
            Err(_) => Err(Failure {
                message: format!("the log could not be read within {} s", LONGEST.as_secs()),
                hint: None,
                code: exit::UNAVAILABLE,
            }),
        };
        let written = if command.json { writeln!(out, "{}", seen.json()) } else { seen.show(out) };
        // What is there of the engine is printed before it is said that the log can't be read.
        let written = written.and_then(|()| out.flush());
        if written.is_ok() { read.map(|()| written) } else { Ok(written) }
    })
}

fn unseen(error: &EngineError) -> Failure {
    let code = match error {
        EngineError::Refused(_) => exit::CONFIGURATION,
        _ => exit::UNAVAILABLE,
    };
    let hint = Some("`chatterbox-server cluster check` looks at all of the engine".into());
    Failure { message: error.to_string(), hint, code }
}

impl Seen {
    /// What time it is: for the engine, where it says so, and no earlier than the last place.
    fn now(&self, survey: &Survey) -> u64 {
        self.engine.now.unwrap_or_default().max(survey.at)
    }

    /// The nodes as they are told of elsewhere.
    fn nodes(&self, survey: &Survey) -> Vec<Node> {
        let now = self.now(survey);
        let node = |node: &SurveyedNode| Node {
            name: node.name.as_ref().to_owned(),
            life: node.life.to_string(),
            speaks: node.speaks,
            heard: node.heard.map(|at| now.saturating_sub(at) / 1000),
            place: node.place,
            users: node.users,
        };
        survey.nodes.iter().map(node).collect()
    }

    /// One object for programs.
    fn json(&self) -> Value {
        let survey = self.survey.as_ref();
        json!({
            "cluster": self.cluster,
            "engine": self.engine,
            "snapshots": self.snapshots,
            "place": survey.map(|survey| survey.place),
            "written": survey.map(|survey| self.now(survey).saturating_sub(survey.at) / 1000),
            "format": survey.map(|survey| survey.format),
            "nodes": survey.map(|survey| self.nodes(survey)),
            "user_count": survey.map(|survey| survey.users),
            "room_count": survey.map(|survey| survey.rooms),
        })
    }

    /// Lines for people.
    fn show(&self, mut out: &mut dyn Write) -> io::Result<()> {
        let Self { cluster, engine, snapshots, survey } = self;
        writeln!(out, "cluster {cluster}")?;
        let StreamSeen { first, last, .. } = &engine.log;
        let age = engine
            .log
            .max_age
            .map_or_else(|| "for ever".to_owned(), |age| format!("for {}", time_text(age)));
        writeln!(out, "log           places {first} to {last}, {}, kept {age}", room(&engine.log))?;
        if let Some(state) = &engine.state {
            let newest = snapshots.iter().rev().take(SNAPSHOTS).map(u64::to_string);
            let mut newest: Vec<_> = newest.collect();
            newest.reverse();
            let places = if newest.is_empty() {
                String::new()
            } else {
                format!(", the newest of places {}", newest.join(", "))
            };
            writeln!(out, "snapshots     {}{places}; {}", snapshots.len(), room(state))?;
        }
        if let Some(survey) = survey {
            let ago = self.now(survey).saturating_sub(survey.at) / 1000;
            writeln!(out, "written       {} ago", time_text(ago))?;
            writeln!(out, "format        {}", survey.format)?;
            writeln!(
                out,
                "chat          {}, {} beside the lobby",
                count(survey.users as u64, "user"),
                count(survey.rooms as u64, "room")
            )?;
        }
        writeln!(out)?;
        let rows = std::iter::once(&engine.log).chain(&engine.state).flat_map(rows);
        table(["STREAM", "SERVER", "STANDING", "BEHIND"], &rows.collect::<Vec<_>>(), &mut out)?;
        let Some(survey) = survey else { return Ok(()) };
        writeln!(out)?;
        nodes::show(&self.nodes(survey), "the log", survey.place, &mut out)
    }
}

/// How large a stream is, and may be.
fn room(stream: &StreamSeen) -> String {
    let most =
        stream.max_bytes.map_or_else(String::new, |most| format!(" of at most {}", size(most)));
    format!("{}{most}", size(stream.bytes))
}

/// The servers of a stream.
fn rows(stream: &StreamSeen) -> Vec<[String; 4]> {
    let row = |server: &str, standing: &str, behind: String| {
        [stream.name.clone(), server.to_owned(), standing.to_owned(), behind]
    };
    let known = stream.servers.iter().map(|server| {
        let (standing, behind) = match (server.standing, server.lag) {
            (ServerStanding::Leads, _) => ("leads", "-".to_owned()),
            (ServerStanding::Current, lag) => ("current", lag.unwrap_or_default().to_string()),
            (ServerStanding::Behind, lag) => {
                ("BEHIND", lag.map_or("?".to_owned(), |lag| lag.to_string()))
            }
            (ServerStanding::Offline, lag) => {
                ("OFFLINE", lag.map_or("?".to_owned(), |lag| lag.to_string()))
            }
        };
        row(&server.name, standing, behind)
    });
    let mut rows: Vec<_> = known.collect();
    if !stream.servers.iter().any(|server| server.standing == ServerStanding::Leads) {
        rows.push(row("-", "NOBODY LEADS", "-".to_owned()));
    }
    let missing = stream.replicas.saturating_sub(stream.servers.len());
    rows.extend((0..missing).map(|_| row("-", "MISSING", "-".to_owned())));
    rows
}

#[cfg(test)]
mod tests;
