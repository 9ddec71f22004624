//! All of it at once, and what is given back.

use super::*;

/// The figure that docs/security.md states: one address, everything that is expensive at once, over TLS.
#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_connections_that_ask_for_everything() {
    let mut subject = Subject::with_tls();
    subject.remember_long_ones().await;
    subject.begin();
    let page = frame::encode(br#"{"HISTORY": {"WITH": "ALL", "LIMIT": 500}}"#).unwrap();
    let arguments = vec![r#""""#; 5_000].join(",");
    let command =
        format!(r#"{{"COMMAND": {{"ID": "1", "NAME": "users", "ARGS": [{arguments}]}}}}"#);
    let command = frame::encode(command.as_bytes()).unwrap();
    let unfinished = [&60_000_u32.to_be_bytes()[..], &vec![b' '; 15_000]].concat();
    let tls = subject.tls.clone().unwrap();
    let address = subject.running.address;
    let attack = Arc::new([page.repeat(2), command.repeat(3), unfinished]);
    let mut stalled = Vec::new();
    for some in (0..2_000).collect::<Vec<_>>().chunks(50) {
        let peers = some.iter().map(|n| {
            let (tls, attack, name) = (tls.clone(), Arc::clone(&attack), format!("s{n}"));
            tokio::spawn(async move {
                let mut stream = handshake(TcpStream::connect(address).await.unwrap(), &tls).await;
                for bytes in [&offer(&name)].into_iter().chain(&*attack) {
                    let write = async {
                        stream.write_all(bytes).await?;
                        stream.flush().await
                    };
                    // Some are cut off already.
                    let _ = tokio::time::timeout(Duration::from_millis(300), write).await;
                }
                stream
            })
        });
        stalled.extend(join_all(peers).await.into_iter().map(Result::unwrap));
    }
    assert_eq!(stalled.len(), 2_000);
    subject.is_done().await;
    let before = subject.before / MIB;
    let peak = subject.status("VmHWM") / MIB;
    println!("| 2,000 connections of one address | all of it, over TLS | {before} -> {peak} MiB |");
    assert!(peak <= 512, "{peak} MiB");
    drop(stalled);
    subject.is_done().await;
    subject.others_are_served().await;
}

#[tokio::test]
async fn memory_goes_back_after_a_peak() {
    let mut subject = Subject::start();
    let mut last = 0;
    // The first rounds fill the timeline.
    for round in 0..6 {
        subject.remember_long_ones().await;
        let mut peers = Vec::new();
        for number in 0..8 {
            let mut peer = subject.stalled(&format!("p{round}-{number}")).await;
            let page = frame::encode(br#"{"HISTORY": {"WITH": "ALL", "LIMIT": 1}}"#).unwrap();
            push(&mut peer, &page.repeat(1 + round)).await;
            peers.push(peer);
        }
        subject.is_done().await;
        drop(peers);
        subject.is_done().await;
        last = subject.status("VmRSS");
        if round == 2 {
            subject.before = last;
        }
    }
    let (first, peak) = (subject.before / MIB, subject.status("VmHWM") / MIB);
    println!(
        "| what is free again | three times more pages that nobody reads | {first} -> {peak} -> {} MiB |",
        last / MIB
    );
    assert!(last <= subject.before * 3 / 2, "{first} -> {peak} -> {} MiB", last / MIB);
}

#[tokio::test]
async fn the_allocator_is_told_to_give_memory_back() {
    let subject = Subject::start();
    let environment = format!("/proc/{}/environ", subject.running.id());
    let environment = std::fs::read_to_string(environment).unwrap();
    let settings: Vec<_> =
        environment.split('\0').filter(|set| set.starts_with("MALLOC_")).collect();
    if cfg!(target_env = "gnu") {
        assert!(settings.contains(&"MALLOC_TRIM_THRESHOLD_=131072"), "{settings:?}");
        assert!(settings.contains(&"MALLOC_MMAP_THRESHOLD_=131072"), "{settings:?}");
    }
    let command = std::fs::read_to_string(format!("/proc/{}/cmdline", subject.running.id()));
    assert!(command.unwrap().contains("--plaintext"), "it is the same command");
}
