//! The two streams of a cluster: what they have to be, and what is wrong with one that is something else.

use std::time::Duration;

use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};

use crate::order::jetstream::names::ClusterName;
use crate::order::total_order::Place;

/// For how long the log is kept, unless somebody says otherwise to the engine. Whoever begins without a database has messages as
/// far back as the log goes.
const LOG_AGE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How many bytes of log are kept, unless somebody says otherwise to the engine.
const LOG_BYTES: i64 = 4 << 30;

/// How many bytes of snapshots are kept, unless somebody says otherwise to the engine.
pub const STATE_BYTES: i64 = 1 << 30;

/// The stream of the log, which begins behind a place.
pub fn log(name: &ClusterName, replicas: usize, begins_behind: Place) -> Config {
    Config {
        first_sequence: (begins_behind > 0).then_some(begins_behind + 1),
        max_bytes: LOG_BYTES,
        max_age: LOG_AGE,
        deny_delete: true,
        deny_purge: true,
        description: Some(
            "The one order of a chat. Nothing of it may be removed but its oldest end.".to_owned(),
        ),
        ..common(name.log_stream(), name.log_subject(), replicas)
    }
}

/// The stream of snapshots. Whoever keeps one drops others, and keeps the oldest with which the log can be followed; the engine drops
/// none for its age.
pub fn state(name: &ClusterName, replicas: usize) -> Config {
    Config {
        max_bytes: STATE_BYTES,
        // The same piece again takes the place of the one before.
        max_messages_per_subject: 1,
        description: Some(
            "What the nodes of a chat have in common, at places of its log.".to_owned(),
        ),
        ..common(name.state_stream(), name.state_subjects(), replicas)
    }
}

fn common(name: String, subjects: String, replicas: usize) -> Config {
    Config {
        name,
        subjects: vec![subjects],
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        discard: DiscardPolicy::Old,
        num_replicas: replicas,
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        max_message_size: -1,
        ..Config::default()
    }
}

/// What is wrong with a stream that is there, beside one that we would make, with what to do about it.
pub fn faults(wanted: &Config, found: &Config) -> Vec<String> {
    let name = &wanted.name;
    let mut faults = Vec::new();
    let mut hold = |holds: bool, fault: String| {
        if !holds {
            faults.push(fault);
        }
    };
    let subjects = wanted.subjects.join(", ");
    hold(
        found.subjects == wanted.subjects && found.subject_transform.is_none(),
        format!(
            "stream {name} has other subjects than {subjects}: nats stream edit {name} --subjects {subjects}"
        ),
    );
    hold(
        found.num_replicas >= wanted.num_replicas,
        format!(
            "stream {name} is kept by {} servers, and is to be by {replicas} (--cluster-replicas): nats stream edit {name} --replicas {replicas}",
            found.num_replicas,
            replicas = wanted.num_replicas
        ),
    );
    hold(
        found.storage == StorageType::File,
        format!("stream {name} is kept in memory, and is to be in files: it has to be made anew"),
    );
    hold(
        found.retention == RetentionPolicy::Limits && !found.no_ack && !found.sealed,
        format!(
            "stream {name} is no log: it has to have the retention \"limits\", confirm what it takes, and take more"
        ),
    );
    hold(
        found.discard == DiscardPolicy::Old,
        format!(
            "stream {name} refuses what is new when it is full: nats stream edit {name} --discard old"
        ),
    );
    hold(
        found.mirror.is_none() && found.sources.as_ref().is_none_or(Vec::is_empty),
        format!("stream {name} takes what is in other streams: it has to be made anew"),
    );
    hold(
        found.max_message_size <= 0,
        format!(
            "stream {name} has a limit for the size of a record: nats stream edit {name} --max-msg-size -1"
        ),
    );
    if wanted.deny_delete {
        hold(
            found.deny_delete && found.deny_purge && !found.allow_rollup,
            format!(
                "stream {name} allows that records are removed out of its middle (deny_delete, deny_purge, no rollup): it has to be made anew"
            ),
        );
        hold(
            found.max_messages_per_subject <= 0,
            format!(
                "stream {name} has a limit for the records of a subject: nats stream edit {name} --max-msgs-per-subject -1"
            ),
        );
    } else {
        hold(
            found.max_messages_per_subject >= 1,
            format!(
                "stream {name} keeps a piece more than once: nats stream edit {name} --max-msgs-per-subject 1"
            ),
        );
        hold(
            !found.deny_purge,
            format!(
                "stream {name} does not let nodes drop what is not needed any more (deny_purge): it has to be made anew"
            ),
        );
        hold(
            found.max_age.is_zero() && found.max_messages <= 0,
            format!(
                "stream {name} drops snapshots that are needed as long as the log: nats stream edit {name} --max-age 0 --max-msgs -1"
            ),
        );
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> [Config; 2] {
        let name = ClusterName::default();
        [log(&name, 3, 0), state(&name, 3)]
    }

    #[test]
    fn what_we_make_is_right_and_limits_are_for_the_operator() {
        for config in both() {
            assert_eq!(faults(&config, &config), Vec::<String>::new());
            let other = Config {
                max_age: Duration::ZERO,
                max_bytes: -1,
                num_replicas: 5,
                ..config.clone()
            };
            assert_eq!(faults(&config, &other), Vec::<String>::new());
        }
    }

    /// Each of these would let a log lose what it has confirmed, or mix it with something else.
    #[test]
    fn every_fault_is_told_with_what_to_do() {
        type Change = fn(&mut Config);
        let of_both: [(&str, Change); 7] = [
            ("subjects", |config| config.subjects.push("other".into())),
            ("--replicas 3", |config| config.num_replicas = 1),
            ("memory", |config| config.storage = StorageType::Memory),
            ("no log", |config| config.retention = RetentionPolicy::WorkQueue),
            ("no log", |config| config.no_ack = true),
            ("--discard old", |config| config.discard = DiscardPolicy::New),
            ("--max-msg-size -1", |config| config.max_message_size = 1000),
        ];
        let of_log: [(&str, Change); 4] = [
            ("deny_delete", |config| config.deny_delete = false),
            ("deny_purge", |config| config.deny_purge = false),
            ("rollup", |config| config.allow_rollup = true),
            ("--max-msgs-per-subject -1", |config| config.max_messages_per_subject = 100),
        ];
        let of_state: [(&str, Change); 4] = [
            ("--max-msgs-per-subject 1", |config| config.max_messages_per_subject = -1),
            ("deny_purge", |config| config.deny_purge = true),
            ("--max-age 0", |config| config.max_age = Duration::from_secs(90)),
            ("--max-msgs -1", |config| config.max_messages = 100),
        ];
        let [log, state] = both();
        let cases = of_both.iter().flat_map(|change| [(&log, change), (&state, change)]);
        let cases = cases.chain(of_log.iter().map(|change| (&log, change)));
        let cases = cases.chain(of_state.iter().map(|change| (&state, change)));
        for (wanted, (word, change)) in cases {
            let mut found = wanted.clone();
            change(&mut found);
            let told = faults(wanted, &found);
            assert!(told.len() == 1 && told[0].contains(word), "{word}: {told:?}");
        }
    }
}
