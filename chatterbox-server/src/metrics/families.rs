//! All families of metrics: their names, what they mean, and where their numbers come from.
//!
//! A name that was told once keeps its meaning: dashboards and alerts of others go by it. `docs/deploy/monitoring.md` lists them.

use crate::metrics::family::{Family, Samples};
use crate::metrics::snapshot::{Cluster, Snapshot};
use crate::net::limits::KindCount;

impl Snapshot {
    /// What is told of it.
    pub(super) fn families(&self) -> Vec<Family> {
        let mut families = self.of_process();
        families.append(&mut self.of_users());
        families.append(&mut self.of_messages());
        families.append(&mut self.of_queues());
        families.extend(self.cluster.iter().flat_map(Cluster::families));
        families
    }

    fn of_process(&self) -> Vec<Family> {
        let mut families = vec![
            Family::gauges(
                "chatterbox_build_info",
                "Always 1; the label has the version of the program.",
                "version",
                [(self.version, 1)],
            ),
            Family::gauge(
                "chatterbox_start_time_seconds",
                "When the server started, in seconds since 1970 UTC.",
                self.started,
            ),
            Family::gauge(
                "chatterbox_ready",
                "Whether users are taken: 1, or 0 while it starts, drains or has no engine.",
                i64::from(self.readiness.is_ready()),
            ),
        ];
        families.extend(self.resident.map(|bytes| {
            Family::gauge(
                "process_resident_memory_bytes",
                "The memory of the process, as the system counts it.",
                bytes,
            )
        }));
        families.extend(self.certificate_ends.map(|ends| {
            Family::gauge(
                "chatterbox_certificate_end_time_seconds",
                "When the certificate in use ends, in seconds since 1970 UTC; issuers do not count.",
                ends,
            )
        }));
        families
    }

    fn of_users(&self) -> Vec<Family> {
        let by_kind = |of: fn(&KindCount) -> u64| {
            self.connections.iter().map(move |(kind, count)| (kind.word(), of(count)))
        };
        vec![
            Family::gauges(
                "chatterbox_connections",
                "Open connections of the chat, by what they speak; also those that have not joined.",
                "kind",
                by_kind(|count| count.open as u64),
            ),
            Family::counters(
                "chatterbox_connections_opened",
                "Connections of the chat that were let in, by what they speak.",
                "kind",
                by_kind(|count| count.opened),
            ),
            Family::gauge(
                "chatterbox_connections_limit",
                "How many connections may be open.",
                self.max_connections,
            ),
            Family::gauge(
                "chatterbox_users",
                "Users who are here, in a cluster on all nodes.",
                self.gauges.users,
            ),
            Family::gauge(
                "chatterbox_members",
                "Joined connections of this server or node.",
                self.gauges.members,
            ),
            Family::gauge("chatterbox_rooms", "Rooms beside the lobby.", self.gauges.rooms),
            Family::gauge(
                "chatterbox_sanctions",
                "Bans and mutes that are known; those that have ended count until they are forgotten.",
                self.gauges.sanctions,
            ),
            Family::counter("chatterbox_joins", "Users who have come in.", self.totals.joins),
            Family::counters(
                "chatterbox_refused_joins",
                "Connections that were turned away and names that were refused, by the word for why.",
                "code",
                self.totals.refused_joins.iter().copied(),
            ),
            Family::counters(
                "chatterbox_refused_frames",
                "Frames that were answered with an ERROR, by the word for the first thing in it.",
                "code",
                self.totals.refused_frames.iter().copied(),
            ),
            Family::counters(
                "chatterbox_ended_connections",
                "Connections of members that the server has ended, by the word for why.",
                "code",
                self.totals.ends.iter().copied(),
            ),
        ]
    }

    fn of_messages(&self) -> Vec<Family> {
        let totals = &self.totals;
        vec![
            Family::counter(
                "chatterbox_messages",
                "Messages of users of this server or node that were delivered.",
                totals.messages,
            ),
            Family::counter(
                "chatterbox_deliveries",
                "Messages times receivers: each message counts once for each connection that it was written to.",
                totals.deliveries,
            ),
            Family::counter(
                "chatterbox_received_bytes",
                "Bytes that were read from members, as frames: without TLS and what gateways add.",
                totals.received,
            ),
            Family::counter(
                "chatterbox_sent_bytes",
                "Bytes that were written to members, as frames: without TLS and what gateways add.",
                totals.sent,
            ),
            Family {
                name: "chatterbox_store_write_seconds",
                help: "How long the store has taken for a group of messages, until they were as durable as wanted.",
                samples: Samples::Histogram(totals.stores.clone()),
            },
        ]
    }

    fn of_queues(&self) -> Vec<Family> {
        let gauges = &self.gauges;
        let proposals = gauges.proposals;
        let (timeline, limits) = (gauges.timeline, gauges.timeline_limits);
        vec![
            Family::gauges(
                "chatterbox_queue_length",
                "What waits in a queue: posts and joins for the sequencer, calls for the thread of the store.",
                "queue",
                [
                    ("posts", proposals.posts.0),
                    ("joins", proposals.joins.0),
                    ("store", self.backlog.0),
                ],
            ),
            Family::gauges(
                "chatterbox_queue_limit",
                "How much may wait in a queue before others wait for a place; 0 where there is no queue.",
                "queue",
                [
                    ("posts", proposals.posts.1),
                    ("joins", proposals.joins.1),
                    ("store", self.backlog.1),
                ],
            ),
            Family::gauge(
                "chatterbox_post_bytes",
                "Bytes of messages that are posted and not delivered yet.",
                proposals.bytes.0,
            ),
            Family::gauge(
                "chatterbox_post_bytes_limit",
                "How many bytes may be posted and not delivered yet.",
                proposals.bytes.1,
            ),
            Family::gauge(
                "chatterbox_unread_bytes",
                "Memory that waits for members to read, of the budget for all of them.",
                gauges.unread.0,
            ),
            Family::gauge(
                "chatterbox_unread_bytes_limit",
                "The budget of memory that may wait for members; beyond it who holds most is disconnected.",
                gauges.unread.1,
            ),
            Family::gauge(
                "chatterbox_timeline_events",
                "Events that the timeline of the lobby holds.",
                timeline.events,
            ),
            Family::gauge(
                "chatterbox_timeline_events_limit",
                "How many events it may hold; a reader that is further behind is disconnected.",
                limits.events,
            ),
            Family::gauge(
                "chatterbox_timeline_bytes",
                "Bytes of the events that the timeline of the lobby holds.",
                timeline.bytes,
            ),
            Family::gauge(
                "chatterbox_timeline_bytes_limit",
                "How many bytes it may hold.",
                limits.bytes,
            ),
        ]
    }
}

impl Cluster {
    fn families(&self) -> Vec<Family> {
        vec![
            Family::gauge(
                "chatterbox_cluster_nodes",
                "Nodes of the cluster that are up, as this one knows it.",
                self.nodes,
            ),
            Family::gauge(
                "chatterbox_cluster_place",
                "The last place of the order that this node has applied.",
                self.place,
            ),
            Family::gauge(
                "chatterbox_cluster_places_behind",
                "How many places this node is behind the furthest one, as far as it has heard of that.",
                self.behind,
            ),
            Family::gauge(
                "chatterbox_cluster_places_unstored",
                "Places that this node has applied and not stored yet.",
                self.unstored,
            ),
            Family {
                name: "chatterbox_cluster_quiet_seconds",
                help: "How long ago something of this node came round in the order; a tick does each second.",
                samples: Samples::Seconds(self.quiet.as_secs_f64()),
            },
        ]
    }
}

#[cfg(test)]
mod tests;
