//! `cluster check`, as an operator runs it.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]

mod harness;

use chatterbox_server::order::jetstream::{EngineSettings, JetStream, ServerUrl};
use harness::engine::Engine;

fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = harness::program::server();
    for variable in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"] {
        command.env(variable, folder.path());
    }
    let output = command.args(["cluster", "check"]).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn an_engine_is_looked_at_and_nothing_of_it_is_changed() {
    let Some(engine) = Engine::start(1) else { return };
    let (url, monitor) = (engine.url(0), engine.monitor(0));
    for _ in 0..2 {
        let arguments =
            ["--cluster", &url, "--cluster-replicas", "1", "--engine-monitor", &monitor];
        let (code, out, err) = check(&arguments);
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(out.contains("nats-server 2.") && out.contains("waits for its disk"), "{out}");
        assert_eq!(out.matches("the first node makes it").count(), 2, "{out}");
    }
}

#[test]
fn what_is_wrong_has_an_exit_code_of_its_own() {
    let (code, _, err) = check(&[]);
    assert_eq!(code, Some(64), "{err}");
    let (code, out, err) = check(&["--cluster", "nats://me:hunter2@127.0.0.1:1"]);
    assert_eq!(code, Some(64), "{err}");
    assert!(
        err.contains("--cluster-credentials") && !format!("{out}{err}").contains("hunter2"),
        "{err}"
    );
    // Port 1 of this machine: nobody is there.
    let (code, out, err) = check(&["--cluster", "nats://127.0.0.1:1"]);
    assert_eq!(code, Some(69), "{out}{err}");
    assert!(out.contains("can't be reached") || out.contains('?'), "{out}");
}

#[test]
fn a_log_that_is_kept_for_less_than_the_messages_is_told_of() {
    let Some(engine) = Engine::start(1) else { return };
    let url = engine.url(0);
    let one = ["--cluster", &url, "--cluster-replicas", "1"];
    let settings = EngineSettings {
        replicas: 1,
        ..EngineSettings::new(ServerUrl::parse_list(&url).unwrap(), "one".to_owned())
    };
    // What a node does at its start: the streams are made, with a log of 90 days.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(JetStream::connect(&settings)).unwrap();
    let told = |days: &str| {
        let (code, out, err) = check(&[&one[..], &["--keep-days", days]].concat());
        assert_eq!(code, Some(0), "{out}{err}");
        out.matches("nats stream edit CHAT --max-age 91d").count()
    };
    assert_eq!((told("90"), told("91")), (0, 1));
}
