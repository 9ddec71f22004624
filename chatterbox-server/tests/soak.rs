//! Half a minute of soaking: the real server over TLS with its database, users over the real protocol, every kind of disturbance, and the
//! judge of `conformance load soak`.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

use std::time::Duration;

use conformance_chaos::{
    Setting,
    evidence::Fault,
    processes::{Processes, WallClock},
    soak::{DISTURBANCES, OneServer, Prepared, Soak, Told, soak},
};
use tokio::sync::watch;

/// Two laps with each disturbance once.
fn plan(prepared: &Prepared) -> Soak {
    let usual = Soak::usual(prepared.transport.clone());
    let setting = Setting {
        seed: 20,
        rounds: Some(1),
        users: 12,
        contested: 1,
        rate: 80.0,
        wandering: 100,
        rooms: vec!["#soak".to_owned()],
        fault_lasts: vec![Duration::from_secs(1)],
        pause: Duration::from_millis(500),
        ..usual.setting
    };
    // As long as it takes.
    let (lasting, lap) = (Duration::from_secs(3_600), Duration::from_secs(600));
    Soak { setting, lasting, lap, laps: Some(2), ..usual }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_leaked_whatever_is_done_to_server_and_users() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("server.toml");
    std::fs::write(&config, "[rooms.\"#soak\"]\n").unwrap();
    let command = format!(
        "{} {{host}} -p {{port}} --cert {{cert}} --key {{key}} --data {{dir}}/data --config {} --no-limits --grace 1",
        env!("CARGO_BIN_EXE_chatterbox-server"),
        config.display()
    );
    let library = WallClock::library();
    let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    assert!(
        library.is_some() || !required,
        "libfaketime is not installed, and CHATTERBOX_REQUIRE_SERVICES is 1 (.ci/run installs it)"
    );
    let logs = Some(folder.path().to_owned());
    let server = OneServer { command, plaintext: false, library, logs };
    let prepared = server.prepare().unwrap();
    let mut plan = plan(&prepared);
    if !prepared.has_clock {
        eprintln!("SKIPPED: the clock is not stepped (libfaketime is not installed)");
        plan.skip(Fault::ClockStepped, "libfaketime is not installed");
    }
    let mut stage = Processes::start(prepared.plan.clone()).await.unwrap();
    let (_never, over) = watch::channel(false);
    let mut say = |told: Told<'_>| {
        if let Told::Line(text) = told {
            eprintln!("{text}");
        }
    };
    let report = soak(&plan, &mut stage, &mut say, over).await;
    stage.stop().await.unwrap();
    let text = report.text();
    let kept = if report.is_broken() {
        format!("{}, {}", folder.keep().display(), prepared.keep().display())
    } else {
        String::new()
    };
    assert_eq!(report.exit_code(), 0, "{text}\n{kept}");
    // Half a minute in which nothing happened would be green as well.
    for one in DISTURBANCES {
        let times = if plan.setting.faults.contains(&one.fault) { 2 } else { 0 };
        assert_eq!(report.disturbed(one.fault), times, "{}: {text}", one.word);
    }
    assert!(report.acknowledged > 300 && report.resumed > 3 && report.anew > 3, "{text}");
    // A new process each time it was killed or stopped.
    assert!(!cfg!(target_os = "linux") || report.lives == 5, "{text}");
    assert!(!plan.skipped.is_empty() || report.off_clock() > 0, "{text}");
}
