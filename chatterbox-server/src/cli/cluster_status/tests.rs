use chatterbox_hub::Incarnation;
use chatterbox_server::order::jetstream::ServerSeen;

use super::*;

fn stream(name: &str, last: u64, servers: &[(&str, ServerStanding, Option<u64>)]) -> StreamSeen {
    let server = |(name, standing, lag): &(&str, ServerStanding, Option<u64>)| ServerSeen {
        name: (*name).to_owned(),
        standing: *standing,
        lag: *lag,
    };
    StreamSeen {
        name: name.to_owned(),
        first: 1,
        last,
        bytes: 1_300_000,
        max_bytes: Some(4 << 30),
        max_age: Some(90 * 24 * 60 * 60),
        replicas: 3,
        servers: servers.iter().map(server).collect(),
    }
}

fn node(name: &str, life: u64, heard: Option<u64>, place: u64, users: usize) -> SurveyedNode {
    SurveyedNode { name: name.into(), life: Incarnation(life), speaks: 1, heard, place, users }
}

fn seen() -> Seen {
    use ServerStanding::{Behind, Current, Leads, Offline};
    let log = [("chat1", Leads, None), ("chat2", Current, None), ("chat3", Offline, Some(12))];
    let state = [("chat1", Behind, Some(3)), ("chat2", Leads, None)];
    let survey = Survey {
        place: 20_123,
        at: 1_796_029_923_000,
        format: 1,
        nodes: vec![
            node("n1", 7, Some(1_796_029_922_900), 20_120, 2),
            node("n2", 8, Some(1_796_029_916_000), 20_098, 1),
            node("n3", 9, None, 0, 0),
        ],
        users: 3,
        rooms: 1,
    };
    Seen {
        cluster: "chat".to_owned(),
        engine: EngineSeen {
            log: stream("CHAT", 20_123, &log),
            state: Some(stream("CHAT_STATE", 40, &state)),
            now: Some(1_796_029_923_400),
        },
        snapshots: vec![10_000, 20_000],
        survey: Some(survey),
    }
}

fn shown(seen: &Seen) -> String {
    let mut out = Vec::new();
    seen.show(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_cluster_is_told_for_people() {
    insta::assert_snapshot!(shown(&seen()), @r"
    cluster chat
    log           places 1 to 20123, 1.2 MiB of at most 4.0 GiB, kept for 90 days 0 h
    snapshots     2, the newest of places 10000, 20000; 1.2 MiB of at most 4.0 GiB
    written       0 s ago
    format        1
    chat          3 users, 1 room beside the lobby

    STREAM      SERVER  STANDING  BEHIND
    CHAT        chat1   leads     -
    CHAT        chat2   current   0
    CHAT        chat3   OFFLINE   12
    CHAT_STATE  chat1   BEHIND    3
    CHAT_STATE  chat2   leads     -
    CHAT_STATE  -       MISSING   -

    3 nodes up, as the log at place 20123 knows it
    NODE  LIFE              HEARD              PLACE  BEHIND  USERS  FORMAT
    n1    0000000000000007  0 s ago            20120  3       2      1
    n2    0000000000000008  NOT HEARD for 7 s  20098  25      1      1
    n3    0000000000000009  NOT HEARD          0      20123   0      1
    ");
}

#[test]
fn and_for_programs() {
    let json = seen().json();
    assert_eq!(json["engine"]["log"]["servers"][2]["standing"], "offline");
    assert_eq!(json["nodes"][1]["heard"], 7);
    assert_eq!(json["nodes"][2]["heard"], Value::Null);
    assert_eq!((&json["user_count"], &json["written"]), (&json!(3), &json!(0)));
}

#[test]
fn an_engine_whose_log_can_not_be_read_is_told_without_it() {
    let text = shown(&Seen { survey: None, snapshots: Vec::new(), ..seen() });
    assert!(text.contains("OFFLINE") && !text.contains("nodes up"), "{text}");
    assert!(text.contains("snapshots     0; "), "{text}");
}

#[test]
fn nobody_who_leads_and_servers_that_are_missing_stand_out() {
    let log = stream("CHAT", 7, &[("chat2", ServerStanding::Behind, None)]);
    let standings: Vec<_> = rows(&log).into_iter().map(|[_, _, standing, _]| standing).collect();
    assert_eq!(standings, ["BEHIND", "NOBODY LEADS", "MISSING", "MISSING"]);
}

/// A clock of the engine that is behind its own records is no reason for a large number.
#[test]
fn times_are_never_before_what_was_written() {
    let mut seen = seen();
    seen.engine.now = Some(5);
    assert_eq!(seen.json()["nodes"][0]["heard"], 0);
    seen.engine.now = None;
    assert_eq!(seen.json()["nodes"][1]["heard"], 7);
}
