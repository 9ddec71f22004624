//! Why a node of several can't begin or go on, as the program ends with it.
//!
//! A unit of the system starts a program again that has failed, and that is right for whatever may pass. A node that was told
//! another story than the others, or that can't read what they write, would only fail again, or make it worse: its exit code says that
//! somebody has to look first.

use std::error::Error as _;

use chatterbox_server::ClusterError;
use chatterbox_server::order::OrderError;
use chatterbox_server::store::StoreError;

use crate::cli::exit::{self, Failure};

/// The failure of a node.
pub fn ended(error: &ClusterError) -> Failure {
    let (hint, code) = match error {
        ClusterError::Store(error) => return stored(error),
        ClusterError::Order(OrderError::Engine(_) | OrderError::Ended) => {
            ("`chatterbox-server cluster check` looks at the engine", exit::UNAVAILABLE)
        }
        ClusterError::TooOldFor(_)
        | ClusterError::NotUnderstood(_)
        | ClusterError::Order(OrderError::Unreadable { .. }) => {
            ("use the version of the other nodes", exit::DISAGREES)
        }
        ClusterError::NameTaken { .. } => {
            ("give each node a name of its own: --node NAME", exit::CONFIGURATION)
        }
        ClusterError::TooOld { .. } => ("begin with an empty folder: --data DIR", exit::DISAGREES),
        ClusterError::NoSnapshot(_) => (
            "if an old database is being moved in, that is not finished: run it again",
            exit::DISAGREES,
        ),
        _ => (
            "don't start it again before somebody has looked: the guide to several nodes says at what",
            exit::DISAGREES,
        ),
    };
    Failure { message: whole(error), hint: Some(hint.into()), code }
}

/// What is stored can't be read, or not go on.
pub fn stored(error: &StoreError) -> Failure {
    if let StoreError::Node(node) = error
        && let Some(error) = node.downcast_ref()
    {
        return ended(error);
    }
    let (hint, code) = match error {
        StoreError::OtherCluster { .. } => {
            ("give another folder with --data DIR", exit::CONFIGURATION)
        }
        StoreError::NotUnderstood => ("use the version of the other nodes", exit::DISAGREES),
        _ => ("put a backup in its place, or give another folder with --data DIR", exit::MESSAGES),
    };
    Failure { message: error.to_string(), hint: Some(hint.into()), code }
}

/// An error with what is behind it.
fn whole(error: &ClusterError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use chatterbox_hub::Incarnation;

    use super::*;

    fn code(error: ClusterError) -> u8 {
        // As it comes out of a server.
        stored(&StoreError::Node(Box::new(error))).code
    }

    #[test]
    fn who_must_not_go_on_has_an_exit_code_of_their_own() {
        let another = StoreError::OtherCluster { cluster: "chat".into(), found: "x".into() };
        for (error, expected) in [
            (ClusterError::AnotherOrder(7), exit::DISAGREES),
            (ClusterError::EndsEarly { followed: 9, last: 7 }, exit::DISAGREES),
            (ClusterError::TooOldFor(2), exit::DISAGREES),
            (ClusterError::NotUnderstood(7), exit::DISAGREES),
            (
                ClusterError::NameTaken { name: "one".into(), life: Incarnation(7) },
                exit::CONFIGURATION,
            ),
            (ClusterError::TooOld { followed: 1, from: 9 }, exit::DISAGREES),
            (ClusterError::NoSnapshot(7), exit::DISAGREES),
            (ClusterError::Snapshot { place: 7, why: "x".into() }, exit::DISAGREES),
            (OrderError::Unreadable { place: 7, why: "x".into() }.into(), exit::DISAGREES),
            (OrderError::OutOfReach { after: 1, first: 7 }.into(), exit::DISAGREES),
            (StoreError::NotUnderstood.into(), exit::DISAGREES),
            (another.into(), exit::CONFIGURATION),
            (StoreError::Full.into(), exit::MESSAGES),
            (OrderError::Engine("x".into()).into(), exit::UNAVAILABLE),
            (OrderError::Ended.into(), exit::UNAVAILABLE),
        ] {
            let told = format!("{error:?}");
            assert_eq!(code(error), expected, "{told}");
        }
    }

    #[test]
    fn what_has_happened_is_told() {
        let failure = stored(&StoreError::Node(Box::new(ClusterError::AnotherOrder(7))));
        assert!(failure.message.contains("up to place 7"), "{}", failure.message);
    }
}
