//! Families of metrics in the text format of Prometheus, version 0.0.4.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::metrics::family::{Family, Samples};

/// The families as text.
pub(super) fn text(families: Vec<Family>) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Collected(families)));
    let mut text = String::with_capacity(EXPECTED);
    // Writing to a String can't fail.
    let _ = prometheus_text::encode(&mut text, &registry);
    text
}

/// The text has somewhat less than so many bytes.
const EXPECTED: usize = 16 * 1024;

#[derive(Debug)]
struct Collected(Vec<Family>);

impl Collector for Collected {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for Family { name, help, samples } in &self.0 {
            let kind = match samples {
                Samples::Counters(_) => MetricType::Counter,
                Samples::Gauges(_) | Samples::Seconds(_) => MetricType::Gauge,
                Samples::Histogram(_) => MetricType::Histogram,
            };
            let metric = encoder.encode_descriptor(name, help, None, kind)?;
            encode(metric, samples)?;
        }
        Ok(())
    }
}

fn encode(mut metric: MetricEncoder<'_>, samples: &Samples) -> fmt::Result {
    match samples {
        Samples::Counters(all) => {
            for (label, count) in all {
                match label {
                    None => metric.encode_counter::<NoLabelSet, _, u64>(count, None)?,
                    Some(label) => metric
                        .encode_family(label)?
                        .encode_counter::<NoLabelSet, _, u64>(count, None)?,
                }
            }
            Ok(())
        }
        Samples::Gauges(all) => {
            for (label, value) in all {
                match label {
                    None => metric.encode_gauge(value)?,
                    Some(label) => metric.encode_family(label)?.encode_gauge(value)?,
                }
            }
            Ok(())
        }
        Samples::Seconds(seconds) => metric.encode_gauge(seconds),
        Samples::Histogram(told) => {
            metric.encode_histogram::<NoLabelSet>(told.sum, told.count, &told.buckets, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::histogram::Distribution;

    #[test]
    fn each_kind_is_written_as_prometheus_reads_it() {
        let buckets = vec![(0.001, 2), (0.25, 1), (f64::INFINITY, 1)];
        let families = vec![
            Family::counter("a_messages", "Messages.", 7),
            Family::counters("a_refusals", "Refusals.", "code", [("busy", 1), ("taken", 0)]),
            Family::gauge("a_users", "Users.", usize::MAX),
            Family::gauges("a_queue", "Waiting.", "of", [("joins", 0_usize), ("posts", 3)]),
            Family { name: "a_quiet_seconds", help: "Quiet.", samples: Samples::Seconds(1.5) },
            Family {
                name: "a_store_seconds",
                help: "Storing.",
                samples: Samples::Histogram(Distribution { buckets, sum: 3.5, count: 4 }),
            },
        ];
        let expected = "\
# HELP a_messages_total Messages.
# TYPE a_messages_total counter
a_messages_total 7
# HELP a_refusals_total Refusals.
# TYPE a_refusals_total counter
a_refusals_total{code=\"busy\"} 1
a_refusals_total{code=\"taken\"} 0
# HELP a_users Users.
# TYPE a_users gauge
a_users 9223372036854775807
# HELP a_queue Waiting.
# TYPE a_queue gauge
a_queue{of=\"joins\"} 0
a_queue{of=\"posts\"} 3
# HELP a_quiet_seconds Quiet.
# TYPE a_quiet_seconds gauge
a_quiet_seconds 1.5
# HELP a_store_seconds Storing.
# TYPE a_store_seconds histogram
a_store_seconds_bucket{le=\"0.001\"} 2
a_store_seconds_bucket{le=\"0.25\"} 3
a_store_seconds_bucket{le=\"+Inf\"} 4
a_store_seconds_sum 3.5
a_store_seconds_count 4
";
        assert_eq!(text(families), expected);
    }
}
