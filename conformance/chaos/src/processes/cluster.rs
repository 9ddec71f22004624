//! The processes of a cluster together, and what is done to them.

use std::{net::SocketAddr, time::Duration};

use conformance_kit::clock::Clock;
use rustix::process::Signal;
use tokio::{net::TcpStream, sync::watch, time::sleep};

use super::{
    disk, http,
    network::Network,
    plan::Plan,
    process::{Process, ProcessError},
    wall_clock,
};
use crate::{
    evidence::{Fault, Micros, Struck},
    setting::micros,
    stage::{Losses, Stage, StageError},
};

/// A process that was told to end has so long.
const ENDING: Duration = Duration::from_secs(40);
/// One that was started is ready after so long.
const READY: Duration = Duration::from_secs(60);
/// So many seconds a clock is set forward or back.
const HOUR: i64 = 3_600;
/// Between two looks whether something is there.
const LOOK: Duration = Duration::from_millis(50);

/// A cluster of processes; all of them end with it.
pub struct Processes {
    plan: Plan,
    nodes: Vec<Process>,
    engine: Vec<Process>,
    network: Network,
}

impl Processes {
    /// Starts everything, and waits until it is ready.
    ///
    /// # Errors
    /// When something does not start.
    pub async fn start(plan: Plan) -> Result<Self, ProcessError> {
        let logs = plan.logs.as_deref();
        let network = Network::of(&plan).await?;
        let (mut nodes, mut engine) = (Vec::new(), Vec::new());
        for (n, node) in plan.nodes.iter().enumerate() {
            let mut line = node.start.replace("{engine}", &network.engine(&plan, n));
            if let Some(clock) = &node.clock {
                line = format!("{} {line}", clock.words());
            }
            let line = network.line(node.address, &line)?;
            nodes.push(Process::new(&node.name, &line, logs).with_clock(node.clock.clone()));
        }
        for server in &plan.engine {
            let line = network.line(server.client, &server.start)?;
            engine.push(Process::new(&server.name, &line, logs));
        }
        let mut cluster = Self { plan, nodes, engine, network };
        cluster.start_engine().await?;
        for node in 0..cluster.nodes.len() {
            cluster.start_node(node)?;
        }
        for node in 0..cluster.nodes.len() {
            cluster.node_is_ready(node).await?;
        }
        Ok(cluster)
    }

    /// Ends everything in order, nodes first.
    ///
    /// # Errors
    /// When a node can't be told to end, does not end, or ends as one that has failed. The others are ended all the same.
    pub async fn stop(mut self) -> Result<(), ProcessError> {
        let mut outcome = Ok(());
        for process in &self.nodes {
            outcome = outcome.and(process.signal(Signal::TERM));
        }
        for process in &mut self.nodes {
            let gone = process.gone(ENDING).await.and_then(|ended| match ended {
                Some(ended) if !ended.is_in_order() => {
                    Err(ProcessError::Badly(process.name.clone(), ended))
                }
                _ => Ok(()),
            });
            outcome = outcome.and(gone);
        }
        // How the servers of the engine end says nothing of the nodes.
        for process in &self.engine {
            let _ = process.signal(Signal::TERM);
        }
        for process in &mut self.engine {
            let _ = process.gone(ENDING).await;
        }
        outcome
    }

    async fn start_engine(&mut self) -> Result<(), ProcessError> {
        for server in &mut self.engine {
            server.start()?;
        }
        for server in 0..self.engine.len() {
            self.server_is_ready(server).await?;
        }
        Ok(())
    }

    fn start_node(&mut self, node: usize) -> Result<(), ProcessError> {
        self.nodes.get_mut(node).map_or(Err(ProcessError::Nothing), Process::start)
    }

    async fn server_is_ready(&mut self, server: usize) -> Result<(), ProcessError> {
        let (Some(process), Some(plan)) =
            (self.engine.get_mut(server), self.plan.engine.get(server))
        else {
            return Err(ProcessError::Nothing);
        };
        until_ready(process, plan.client, None).await
    }

    async fn node_is_ready(&mut self, node: usize) -> Result<(), ProcessError> {
        let (Some(process), Some(plan)) = (self.nodes.get_mut(node), self.plan.nodes.get(node))
        else {
            return Err(ProcessError::Nothing);
        };
        until_ready(process, plan.address, plan.health).await
    }

    async fn leader(&self) -> Result<usize, ProcessError> {
        // Between two leaders nobody is one.
        for _ in 0..200 {
            for server in &self.plan.engine {
                let Some(leader) = http::leader(server.monitor, &self.plan.stream).await else {
                    continue;
                };
                let known = self.plan.engine.iter().position(|server| server.name == leader);
                if let Some(known) = known {
                    return Ok(known);
                }
            }
            sleep(LOOK * 2).await;
        }
        Err(ProcessError::NoLeader(self.plan.stream.clone()))
    }

    async fn strike_node(
        &mut self,
        struck: &mut Struck,
        node: usize,
        lasts: Duration,
        choice: u64,
    ) -> Result<(), ProcessError> {
        let Some(process) = self.nodes.get_mut(node) else { return Err(ProcessError::Nothing) };
        let data = self.plan.nodes.get(node).and_then(|node| node.data.as_deref());
        match struck.fault {
            Fault::NodeKilled => {
                process.kill().await?;
                sleep(lasts).await;
                process.start()?;
            }
            Fault::NodeNew => {
                let data = data.ok_or(ProcessError::Nothing)?;
                process.kill().await?;
                disk::empty(data)?;
                sleep(lasts).await;
                process.start()?;
            }
            Fault::NodeStopped => {
                process.signal(Signal::TERM)?;
                let gone = process.ended(ENDING).await;
                sleep(lasts).await;
                process.start()?;
                struck.ended = gone?;
            }
            Fault::DiskFull => {
                let full = disk::Full::of(data.ok_or(ProcessError::Nothing)?)?;
                sleep(lasts).await;
                drop(full);
            }
            Fault::NodePaused => {
                process.signal(Signal::STOP)?;
                sleep(lasts).await;
                process.signal(Signal::CONT)?;
            }
            Fault::RollingRestart => {
                process.signal(Signal::TERM)?;
                let gone = process.ended(ENDING).await;
                process.start()?;
                struck.ended = gone?;
            }
            Fault::NodeCutOff => {
                self.network.cut_off(&self.plan, node, true).await?;
                sleep(lasts).await;
                self.network.cut_off(&self.plan, node, false).await?;
            }
            Fault::NodeIsolated => {
                self.network.isolate(&self.plan, node, true).await?;
                sleep(lasts).await;
                self.network.isolate(&self.plan, node, false).await?;
            }
            Fault::ConnectionsCut => self.network.sever(node)?,
            Fault::ClockStepped => {
                let clock = process.clock.as_ref().ok_or(ProcessError::Nothing)?;
                let set = |seconds: i64| {
                    let failed = |error| ProcessError::Clock(process.name.clone(), error);
                    clock.set(seconds).map_err(failed)
                };
                set(if choice.is_multiple_of(2) { HOUR } else { -HOUR })?;
                sleep(lasts.max(wall_clock::READ)).await;
                set(0)?;
            }
            _ => return Err(ProcessError::Nothing),
        }
        self.node_is_ready(node).await
    }

    async fn strike_engine(
        &mut self,
        fault: Fault,
        leader: usize,
        lasts: Duration,
    ) -> Result<(), ProcessError> {
        let count = self.engine.len();
        let hit: Vec<usize> = match fault {
            Fault::QuorumLost => vec![leader, (leader + 1) % count],
            Fault::EngineKilled => (0..count).collect(),
            _ => vec![leader],
        };
        if fault == Fault::LeaderHung {
            let Some(process) = self.engine.get(leader) else { return Err(ProcessError::Nothing) };
            process.signal(Signal::STOP)?;
            sleep(lasts).await;
            return process.signal(Signal::CONT);
        }
        if fault == Fault::LeaderIsolated {
            self.network.isolate_server(&self.plan, leader, true).await?;
            sleep(lasts).await;
            return self.network.isolate_server(&self.plan, leader, false).await;
        }
        for server in &hit {
            let Some(process) = self.engine.get_mut(*server) else { continue };
            process.signal(if fault == Fault::LeaderStopped {
                Signal::TERM
            } else {
                Signal::KILL
            })?;
        }
        for server in &hit {
            if let Some(process) = self.engine.get_mut(*server) {
                process.gone(ENDING).await?;
            }
        }
        sleep(lasts).await;
        for server in &hit {
            if let Some(process) = self.engine.get_mut(*server) {
                process.start()?;
            }
        }
        for server in hit {
            self.server_is_ready(server).await?;
        }
        Ok(())
    }
}

/// What has ended although nobody ended it. It is started again.
fn ended(processes: &mut [Process]) -> Vec<String> {
    let mut sentences = Vec::new();
    for process in processes {
        let Some(ended) = process.ending() else { continue };
        sentences.push(ended.to_string());
        if let Err(error) = process.start() {
            sentences.push(error.to_string());
        }
    }
    sentences
}

async fn until_ready(
    process: &mut Process,
    address: SocketAddr,
    health: Option<SocketAddr>,
) -> Result<(), ProcessError> {
    let clock = Clock::start();
    while clock.elapsed() < READY {
        if let Some(ended) = process.ending() {
            return Err(ended);
        }
        let ready = match health {
            Some(health) => matches!(http::get(health, "/").await, Some((200, _))),
            None => TcpStream::connect(address).await.is_ok(),
        };
        if ready {
            return Ok(());
        }
        sleep(LOOK).await;
    }
    Err(ProcessError::NotReady(process.name.clone(), READY.as_secs()))
}

impl Stage for Processes {
    fn nodes(&self) -> Vec<SocketAddr> {
        self.network.doors(&self.plan)
    }

    fn is_alone(&self) -> bool {
        self.nodes.len() == 1 && self.engine.is_empty()
    }

    async fn strike(
        &mut self,
        fault: Fault,
        choice: u64,
        lasts: Duration,
        clock: &Clock,
        struck: &mut Vec<Struck>,
    ) -> Result<(), StageError> {
        let now = || -> Micros { micros(clock.elapsed()) };
        let failed = |error: ProcessError| StageError(error.to_string());
        let count = self.nodes.len().max(1);
        let chosen = usize::try_from(choice % u64::try_from(count).unwrap_or(1)).unwrap_or(0);
        let hit: Vec<usize> = match fault {
            Fault::RollingRestart => (0..count).collect(),
            fault if fault.is_of_nodes() => vec![chosen],
            _ => Vec::new(),
        };
        if fault.is_of_users() {
            return Err(failed(ProcessError::Nothing));
        }
        let mut outcome = Ok(());
        for node in &hit {
            let (from, number) = (now(), u16::try_from(*node).ok());
            let mut one = Struck { fault, node: number, from, until: from, ended: None };
            outcome = self.strike_node(&mut one, *node, lasts, choice).await;
            one.until = now();
            struck.push(one);
            if outcome.is_err() {
                break;
            }
        }
        if hit.is_empty() {
            let leader = self.leader().await.map_err(failed)?;
            let from = now();
            outcome = self.strike_engine(fault, leader, lasts).await;
            struck.push(Struck { fault, node: None, from, until: now(), ended: None });
        }
        outcome.map_err(failed)
    }

    fn losses(&mut self) -> Losses {
        Losses { nodes: ended(&mut self.nodes), others: ended(&mut self.engine) }
    }

    fn process(&self) -> Option<watch::Receiver<Option<u32>>> {
        self.nodes.first().map(Process::number)
    }
}
