//! Looks at the engine as a node would, and says of each thing whether it is as it should be: for `cluster check`.

use std::time::Duration;

use async_nats::jetstream::stream::Info;
use tokio::time::timeout;

use crate::order::jetstream::connecting::Connection;
use crate::order::jetstream::engine_error::EngineError;
use crate::order::jetstream::exposed::{Exposed, exposed};
use crate::order::jetstream::finding::{Finding, Verdict};
use crate::order::jetstream::jet_stream::reach_of;
use crate::order::jetstream::monitor::{self, MonitorUrl, Vitals};
use crate::order::jetstream::said::said;
use crate::order::jetstream::settings::EngineSettings;
use crate::order::jetstream::streams;

/// How long the engine may take for one answer.
const PATIENCE: Duration = Duration::from_secs(15);

fn finding(about: &(impl ToString + ?Sized), verdict: Verdict, told: impl Into<String>) -> Finding {
    Finding { about: about.to_string(), verdict, told: told.into() }
}

fn failed(about: &(impl ToString + ?Sized), error: &EngineError) -> Finding {
    match error {
        EngineError::Unreachable(why) => finding(about, Verdict::Unreachable, why),
        EngineError::Refused(why) => finding(about, Verdict::Fault, why),
    }
}

/// Looks at everything. Nothing is changed, and no stream is made.
pub async fn check(settings: &EngineSettings, monitors: &[MonitorUrl]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut reached = None;
    for server in &settings.servers {
        let alone = EngineSettings { servers: vec![server.clone()], ..settings.clone() };
        match Connection::open(&alone).await {
            Ok(connection) => {
                findings.push(of_server(server, &connection));
                reached = reached.or(Some(connection));
            }
            Err(error) => findings.push(failed(server, &error)),
        }
    }
    let advice = |Exposed { about, told }| finding(&about, Verdict::Advice, told);
    findings.extend(exposed(settings).into_iter().map(advice));
    let mut rooms = Vec::new();
    for monitor in monitors {
        let vitals = of_monitor(monitor, &mut findings).await;
        rooms.extend(vitals.and_then(|vitals| Some((monitor, vitals.server(), vitals.room()?))));
    }
    if monitors.is_empty() {
        let told = "nobody looks whether the engine waits for its disks: --engine-monitor http://HOST:8222";
        findings.push(finding("sync_interval", Verdict::Advice, told));
    }
    if let Some(connection) = reached {
        let missing = of_streams(settings, &connection, &mut findings).await;
        for (monitor, server, room) in rooms {
            let (verdict, told) = room.judged(missing);
            findings.push(finding(monitor, verdict, format!("server {server} {told}")));
        }
    }
    findings
}

fn of_server(server: &impl ToString, connection: &Connection) -> Finding {
    let info = connection.client.server_info();
    let told = format!(
        "nats-server {} {}, records up to {} bytes",
        said(info.version),
        said(info.server_name),
        info.max_payload
    );
    finding(server, Verdict::Good, told)
}

async fn of_monitor(monitor: &MonitorUrl, findings: &mut Vec<Finding>) -> Option<Vitals> {
    match monitor::ask(monitor).await {
        Err(why) => {
            findings.push(finding(monitor, Verdict::Unreachable, why));
            None
        }
        Ok(vitals) => {
            findings.push(match vitals.fault() {
                Some(fault) => finding(monitor, Verdict::Fault, fault),
                None => finding(
                    monitor,
                    Verdict::Good,
                    format!(
                        "server {} waits for its disk (sync_interval: always)",
                        vitals.server()
                    ),
                ),
            });
            findings.extend(
                vitals.advice().into_iter().map(|advice| finding(monitor, Verdict::Advice, advice)),
            );
            Some(vitals)
        }
    }
}

/// Looks at the streams, and says how many bytes those come to that are still to be made.
async fn of_streams(
    settings: &EngineSettings,
    connection: &Connection,
    findings: &mut Vec<Finding>,
) -> u64 {
    if let Err(error) = connection.check_account().await {
        findings.push(failed("JetStream", &error));
        return 0;
    }
    let mut missing = 0;
    let name = &settings.cluster;
    let wanted =
        [streams::log(name, settings.replicas, 0), streams::state(name, settings.replicas)];
    for wanted in wanted {
        let about = format!("stream {}", wanted.name);
        match connection.find_stream(&wanted.name).await {
            Err(error) => findings.push(failed(&about, &error)),
            Ok(None) => {
                missing += u64::try_from(wanted.max_bytes).unwrap_or_default();
                let told = "is not there yet: the first node makes it";
                findings.push(finding(&about, Verdict::Good, told));
            }
            Ok(Some(found)) => {
                let faults = streams::faults(&wanted, &found);
                findings.extend(faults.iter().map(|fault| finding(&about, Verdict::Fault, fault)));
                if faults.is_empty() {
                    findings.push(of_stream(connection, &wanted.name, &about).await);
                }
            }
        }
    }
    missing
}

/// Whether all servers of a stream have all of it.
async fn of_stream(connection: &Connection, name: &str, about: &str) -> Finding {
    let asking = async {
        connection.context.get_stream(name).await.map(|stream| stream.cached_info().clone())
    };
    match timeout(PATIENCE, asking).await {
        Err(_) => finding(about, Verdict::Unreachable, "it takes too long"),
        Ok(Err(error)) => finding(about, Verdict::Unreachable, said(error)),
        Ok(Ok(info)) => of_replicas(&info, about),
    }
}

fn of_replicas(info: &Info, about: &str) -> Finding {
    let reach = reach_of(info);
    let told = format!(
        "places {} to {}, {} bytes, kept by {} servers",
        reach.first, reach.last, info.state.bytes, info.config.num_replicas
    );
    let Some(cluster) = &info.cluster else { return finding(about, Verdict::Good, told) };
    let behind: Vec<_> = cluster
        .replicas
        .iter()
        .filter(|replica| !replica.current || replica.offline)
        .map(|replica| said(&replica.name))
        .collect();
    if cluster.leader.as_ref().is_none_or(String::is_empty) {
        return finding(
            about,
            Verdict::Unreachable,
            format!("{told}: nobody leads it, so nothing is taken now"),
        );
    }
    if behind.is_empty() {
        finding(about, Verdict::Good, told)
    } else {
        finding(
            about,
            Verdict::Advice,
            format!(
                "{told}: {} is away or behind, so one more that goes may be one too many",
                behind.join(", ")
            ),
        )
    }
}
