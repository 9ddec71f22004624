//! A server at a moment, in numbers.

use std::time::Duration;

use crate::chat::gauges::Gauges;
use crate::chat::traffic::Totals;
use crate::net::connection_kind::ConnectionKind;
use crate::net::limits::KindCount;
use crate::ops::readiness::Readiness;

/// A server at a moment.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    /// The version of the program.
    pub(super) version: &'static str,
    /// When it started, in seconds since 1970 UTC.
    pub(super) started: i64,
    /// The bytes of its memory; `None` where the system does not say.
    pub(super) resident: Option<u64>,
    pub(super) readiness: Readiness,
    /// The connections of the chat, by what they speak.
    pub(super) connections: Vec<(ConnectionKind, KindCount)>,
    /// How many connections may be open.
    pub(super) max_connections: usize,
    pub(super) totals: Totals,
    pub(super) gauges: Gauges,
    /// The calls that wait for the store, and how many may.
    pub(super) backlog: (usize, usize),
    /// When the certificate ends, in seconds since 1970 UTC; `None` without one.
    pub(super) certificate_ends: Option<i64>,
    /// `None` of a server that is alone.
    pub(super) cluster: Option<Cluster>,
}

/// A node of a cluster that is up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cluster {
    /// The last place of the order that it has applied.
    pub(super) place: u64,
    /// How many places it is behind the node that is furthest, as far as it has heard of that.
    pub(super) behind: u64,
    /// How many places are applied, and not stored yet.
    pub(super) unstored: u64,
    /// The nodes that are up.
    pub(super) nodes: usize,
    /// How long ago something of its own came round in the order.
    pub(super) quiet: Duration,
}

impl Snapshot {
    /// How many connections of this kind are open.
    fn open(&self, kind: ConnectionKind) -> usize {
        let found = self.connections.iter().find(|(one, _)| *one == kind);
        found.map_or(0, |(_, count)| count.open)
    }

    /// Writes it into the log as one line.
    pub(super) fn log(&self) {
        let Self { totals, gauges, .. } = self;
        let sum = |counts: &[(&str, u64)]| counts.iter().map(|(_, count)| count).sum::<u64>();
        tracing::info!(
            readiness = %self.readiness,
            users = gauges.users,
            rooms = gauges.rooms,
            protocol = self.open(ConnectionKind::Protocol),
            web = self.open(ConnectionKind::Web),
            telnet = self.open(ConnectionKind::Telnet),
            joins = totals.joins,
            messages = totals.messages,
            deliveries = totals.deliveries,
            refused_joins = sum(&totals.refused_joins),
            refused_frames = sum(&totals.refused_frames),
            unread_bytes = gauges.unread.0,
            waiting_posts = gauges.proposals.posts.0,
            place = self.cluster.map(|cluster| cluster.place),
            "status"
        );
    }
}
