//! A family of metrics: its name, its help and its samples.

use crate::ops::histogram::Distribution;

/// A label with its value. All values are words of this program or of the protocol.
pub(super) type Label = [(&'static str, &'static str); 1];

/// What a family is told as.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Samples {
    /// Counts that only rise.
    Counters(Vec<(Option<Label>, u64)>),
    /// Numbers as they are now.
    Gauges(Vec<(Option<Label>, i64)>),
    /// A time as it is now, in seconds.
    Seconds(f64),
    /// How long something took.
    Histogram(Distribution),
}

/// A family of metrics.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Family {
    /// Its name, without the `_total` that a counter has when it is told.
    pub(super) name: &'static str,
    /// What it means, in one sentence.
    pub(super) help: &'static str,
    /// Its samples.
    pub(super) samples: Samples,
}

impl Family {
    pub(super) fn counter(name: &'static str, help: &'static str, count: u64) -> Self {
        Self { name, help, samples: Samples::Counters(vec![(None, count)]) }
    }

    pub(super) fn counters(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        counts: impl IntoIterator<Item = (&'static str, u64)>,
    ) -> Self {
        let counts = counts.into_iter().map(|(value, count)| (Some([(label, value)]), count));
        Self { name, help, samples: Samples::Counters(counts.collect()) }
    }

    pub(super) fn gauge(name: &'static str, help: &'static str, value: impl TryInto<i64>) -> Self {
        Self { name, help, samples: Samples::Gauges(vec![(None, number(value))]) }
    }

    pub(super) fn gauges<V: TryInto<i64>>(
        name: &'static str,
        help: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Self {
        let values = values.into_iter().map(|(word, value)| (Some([(label, word)]), number(value)));
        Self { name, help, samples: Samples::Gauges(values.collect()) }
    }
}

/// What is too large for a number is told as the largest.
fn number(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}
