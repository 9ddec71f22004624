//! What is known of a server that runs.

use super::*;

/// Opens a server of the suite's own and waits until something listens on its port.
async fn open(line: &str) -> Server {
    let server = Server::open(&Place::Command(line.to_owned()), None).await.unwrap();
    listening(server).await
}

async fn listening(mut server: Server) -> Server {
    let waiting = Waiting::for_at_most(Duration::from_secs(30));
    while tokio::net::TcpStream::connect(("127.0.0.1", server.target.port)).await.is_err() {
        waiting.again(&mut server).await.unwrap();
    }
    server
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn the_process_that_is_measured_is_the_one_that_listens() {
    let mutant = mutant::command("127.0.0.1:{port}");
    for line in [
        mutant.clone(),
        format!("cd /; {mutant} | cat"),
        format!("(sleep 7000 & {mutant}); true"),
        format!("setsid {mutant} & exit 0"),
    ] {
        let mut server = open(&line).await;
        let pid = server.process().unwrap();
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        let command = String::from_utf8_lossy(&command).into_owned();
        assert!(command.ends_with("mutant::is_a_program\0--nocapture\0"), "{line}: {command}");
        assert_eq!(server.process(), Some(pid));
        assert!(server.is_running() && server.ending().is_none() || line.contains("exit 0"));
        drop(server);
        assert!(!Path::new(&format!("/proc/{pid}")).exists() || is_over(pid), "{line}");
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn what_is_started_beside_the_server_is_seen_by_the_time_that_it_uses() {
    let mutant = mutant::command("127.0.0.1:{port}");
    let busy = "while :; do :; done";
    for (line, others) in [
        (format!("sleep 7000 & {mutant}"), false),
        (format!("({busy}) & {mutant}"), true),
        // It has children that end, and waits for them.
        (format!("sh -c 'while :; do sh -c \"true\"; done' & {mutant}"), true),
    ] {
        let server = open(&line).await;
        let before = server.others_cpu();
        if others {
            while server.others_cpu() - before < 0.1 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        } else {
            assert!(before < 0.05, "{line}: {before}");
        }
    }
}

/// Whether a process has ended and only its parent has not noticed.
fn is_over(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_none_or(|(_, rest)| rest.starts_with(" Z") || rest.starts_with(" X"))
}

#[tokio::test]
async fn what_is_printed_is_told_from_a_moment_on_and_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let died = folder.path().join("died");
    // It dies the first time it is told to, with its reason on the other stream.
    let line = format!(
        "echo begins; while [ ! -e {0} ]; do sleep 0.05; done; echo 'KeyError: x' >&2; rm {0}; exit 3; # {{port}}",
        died.display()
    );
    let mut server = Server::open(&Place::Command(line), None).await.unwrap();
    let start = Mark::default();
    while server.output_since(start).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mark = server.mark();
    assert_eq!(server.output_since(mark), "");
    std::fs::write(&died, "").unwrap();
    while server.is_running() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.drained().await;
    assert_eq!(server.output_since(mark), "KeyError: x\n");
    assert_eq!(server.ending().unwrap(), "it has ended with exit code 3");
    server.restart().await.unwrap().unwrap();
    while !server.output_since(mark).ends_with("begins\n") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.output_since(mark), "KeyError: x\nbegins\n");
    // The one that died, and the one that runs.
    assert_eq!(server.output(), "begins\nKeyError: x\nbegins\n");
}

#[tokio::test]
async fn who_answers_on_a_port_that_was_lost_is_somebody_else() {
    for (line, lost) in [
        ("echo 'OSError: [Errno 98] Address already in use' >&2; exit 1; # {port}", true),
        ("echo 'Error: listen EADDRINUSE: address already in use :::5000'; exit 1; # {port}", true),
        ("echo 'KeyError'; exit 1; # {port}", false),
        ("echo 'Address already in use'; exec sleep 7000; # {port}", false),
    ] {
        let mut server = Server::open(&Place::Command(line.to_owned()), None).await.unwrap();
        while server.output().is_empty() || (server.is_running() && !line.contains("sleep")) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(server.has_lost_its_port().await, lost, "{line}");
    }
}
