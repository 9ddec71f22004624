//! Engines that a node does not begin with, and ways to one that it does.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};

use async_nats::jetstream::stream::Config;
use chatterbox_hub::{Group, Incarnation, Proposal, Up};

use super::engine::Engine;
use super::kit::{connect, next, of_its_own, settings};
use crate::order::jetstream::{
    EngineError, EngineSettings, JetStream, MonitorUrl, ServerUrl, Verdict, check, check_monitors,
    streams,
};
use crate::order::total_order::Order as _;

async fn refused(settings: &EngineSettings) -> String {
    match JetStream::connect(settings).await {
        Err(EngineError::Refused(why)) => why,
        other => panic!("{other:?}"),
    }
}

/// A server that says this of itself, and lets everybody in.
fn server_that_says(info: &'static str) -> EngineSettings {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = write!(stream, "INFO {info}\r\n");
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while let Some(Ok(line)) = lines.next() {
                if line == "PING" {
                    let _ = stream.write_all(b"PONG\r\n");
                }
            }
        }
    });
    EngineSettings::new(vec![ServerUrl::parse(&url).unwrap()], "a".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_too_old_or_takes_too_little_is_refused() {
    let old = server_that_says(
        r#"{"server_id":"x","server_name":"n0","version":"2.9.10","max_payload":8388608,"headers":true,"proto":1}"#,
    );
    let why = refused(&old).await;
    assert!(why.contains("n0") && why.contains("2.9.10") && why.contains("2.10.27"), "{why}");
    let small = server_that_says(
        r#"{"server_id":"x","server_name":"n1","version":"2.10.27","max_payload":1048576,"headers":true,"proto":1}"#,
    );
    let why = refused(&small).await;
    assert!(
        why.contains("n1") && why.contains("1048576") && why.contains("max_payload: 8MB"),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_may_be_there_in_a_moment() {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let nobody = ServerUrl::parse(&format!("nats://{free}")).unwrap();
    let outcome = JetStream::connect(&EngineSettings::new(vec![nobody], "a".to_owned())).await;
    assert!(matches!(outcome, Err(EngineError::Unreachable(_))), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_may_lose_something_is_refused_and_check_says_so() {
    let Some(engine) = Engine::start(1) else { return };
    let settings = of_its_own(&engine);
    let other = connect(&of_its_own(&engine)).await;
    let right = streams::log(&settings.cluster, 1, 0);
    let wrong = Config { deny_purge: false, ..right };
    other.connection.context.create_stream(wrong).await.unwrap();
    let why = refused(&settings).await;
    assert!(why.contains("deny_purge"), "{why}");
    let monitors = MonitorUrl::parse_list(&engine.monitor(0)).unwrap();
    let findings = check(&settings, &monitors).await;
    let verdicts: Vec<_> = findings.iter().map(|finding| finding.verdict).collect();
    // The server, its disk, the log, snapshots that there are none of yet, and the room for them.
    assert_eq!(
        verdicts,
        [Verdict::Good, Verdict::Good, Verdict::Fault, Verdict::Good, Verdict::Good],
        "{findings:?}"
    );
    check_monitors(&monitors).await.unwrap();
    // Of the other stream as well.
    let settings = of_its_own(&engine);
    let wrong = Config { deny_purge: true, ..streams::state(&settings.cluster, 1) };
    other.connection.context.create_stream(wrong).await.unwrap();
    let why = refused(&settings).await;
    assert!(why.contains("_STATE") && why.contains("deny_purge"), "{why}");
    // Three servers are wanted, and there is one.
    let why = refused(&EngineSettings { replicas: 3, ..of_its_own(&engine) }).await;
    assert!(why.contains("3 replicas"), "{why}");
}

const USERS: &str = r#"accounts {
  CHAT: { jetstream: enabled, users: [{ user: chat, password: "pass:word" }] }
  OTHER: { users: [{ user: other, password: secret }] }
}"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_knows_its_users() {
    let Some(engine) = Engine::with(1, USERS) else { return };
    let folder = tempfile::tempdir().unwrap();
    let with = |line: &str| {
        let path = folder.path().join(line.split(':').next().unwrap());
        std::fs::write(&path, line).unwrap();
        EngineSettings { credentials: Some(path), ..settings(&engine) }
    };
    for refused_at_the_door in [settings(&engine), with("chat:wrong")] {
        let why = refused(&refused_at_the_door).await;
        assert!(why.contains("--cluster-credentials") && !why.contains("wrong"), "{why}");
    }
    let why = refused(&with("other:secret")).await;
    assert!(why.contains("JetStream is off") && !why.contains("secret"), "{why}");
    let order = connect(&with("chat:pass:word")).await;
    assert_eq!(order.reach().await.unwrap().last, 0);
    assert!(!format!("{order:?}").contains("pass:word"));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_tls_the_engine_has_to_be_the_one_that_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names.clone()).unwrap();
    let other = rcgen::generate_simple_self_signed(names).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let (cert, key) =
        (write("cert", made.cert.pem()), write("key", made.signing_key.serialize_pem()));
    let lines = format!("tls {{ cert_file: {cert:?}, key_file: {key:?} }}");
    let Some(engine) = Engine::with(1, &lines) else { return };
    let url = engine.url(0).replace("nats://", "tls://");
    let settings =
        EngineSettings { servers: vec![ServerUrl::parse(&url).unwrap()], ..of_its_own(&engine) };
    connect(&EngineSettings { authority: Some(cert), ..settings.clone() }).await;
    let foreign = write("other", other.cert.pem());
    let outcome =
        JetStream::connect(&EngineSettings { authority: Some(foreign), ..settings }).await;
    assert!(matches!(outcome, Err(EngineError::Unreachable(_))), "{outcome:?}");
}

/// More than the engine takes in one record.
#[tokio::test(flavor = "multi_thread")]
async fn the_largest_group_comes_round() {
    let Some(engine) = Engine::start(1) else { return };
    let order = connect(&of_its_own(&engine)).await;
    let name: Box<str> = "\\u20ac".repeat(2 * 1024 * 1024).into();
    let up = Up { name: name.clone(), ..Up::default() };
    let group = Group { from: Incarnation(7), number: 1, proposals: vec![Proposal::Up(up)] };
    order.offer(group.into()).await.unwrap();
    let decided = next(&mut order.follow(0)).await.unwrap();
    let Some(Proposal::Up(up)) = decided.group.proposals.first() else { panic!() };
    assert!(up.name == name, "it is the same again");
}

/// Another version of us has written there, or nobody of ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_not_understood_ends_the_following() {
    let Some(engine) = Engine::start(1) else { return };
    let settings = of_its_own(&engine);
    let order = connect(&settings).await;
    order
        .connection
        .context
        .publish(settings.cluster.log_subject(), "nonsense".into())
        .await
        .unwrap()
        .await
        .unwrap();
    let mut follow = order.follow(0);
    let error = next(&mut follow).await.unwrap_err();
    assert!(error.to_string().contains("place 1"), "{error}");
    assert!(futures_util::StreamExt::next(&mut follow).await.is_none(), "nothing is skipped");
}
