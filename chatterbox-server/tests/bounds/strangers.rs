//! What somebody can do who has not joined, and with frames.

use super::*;

#[tokio::test]
async fn announced_lengths() {
    let subject = Subject::start();
    let mut peers = join_all((0..500).map(|_| subject.narrow())).await;
    for (n, peer) in peers.iter_mut().enumerate() {
        // Above the limit, and just within it.
        let length = if n % 2 == 0 { u32::MAX } else { 64 * 1024 };
        push(peer, &length.to_be_bytes()).await;
    }
    is_closed(&mut peers[0]).await;
    subject.reached("a frame from a stranger", "500 announce 4 GiB or 64 KiB", 32).await;
}

#[tokio::test]
async fn deep_json() {
    let subject = Subject::start();
    let mut ann = subject.join("ann").await;
    ann.send_body(&format!(r#"{{"MESSAGES": {}"#, "[".repeat(4 * MIB - 100))).await;
    let error = ann.error().await;
    assert!(error.contains("JS-"), "{error}");
    subject.reached("JSON nesting", "4 MiB of brackets", 32).await;
}

#[tokio::test]
async fn refused_names() {
    let subject = Subject::start();
    let mut peer = subject.narrow().await;
    let refused = client_frame::join("no\u{7}name").unwrap();
    push(&mut peer, &refused.repeat(11)).await;
    is_closed(&mut peer).await;
    subject.reached("refused names of a connection", "11", 32).await;
}

#[tokio::test]
async fn connections_of_an_address() {
    let subject = Subject::with_limits();
    let mut peers = join_all((0..2_000).map(|_| subject.narrow())).await;
    let mut further = subject.connect().await;
    assert!(further.error().await.contains("too many connections"));
    is_closed(&mut subject.narrow().await).await;
    let peak = subject.status("VmHWM") / MIB;
    // The places are free again.
    peers.truncate(1_000);
    while subject.connect().await.ask("early").await.accepted != Some(true) {}
    subject.reached("connections of an address", "2,002 silent ones", 32).await;
    assert!(peak <= subject.before / MIB + 32);
}

#[tokio::test]
async fn long_frames() {
    let subject = Subject::start();
    let part = [&(4_u32 << 20).to_be_bytes()[..], &vec![b' '; 4 * MIB - 1]].concat();
    let mut peers = Vec::new();
    for n in 0..40 {
        let mut peer = subject.stalled(&format!("s{n}")).await;
        push(&mut peer, &part).await;
        peers.push(peer);
    }
    // A quarter of 64 MiB, in buffers that double as they grow.
    subject.reached("unfinished long frames", "40 of 4 MiB", 96).await;
    let mut peers = Vec::new();
    for n in 0..600 {
        let mut peer = subject.stalled(&format!("t{n}")).await;
        push(&mut peer, &part[..60_000]).await;
        peers.push(peer);
    }
    subject.reached("unfinished shorter frames", "600 of 60 kB", 128).await;
}

#[tokio::test]
async fn frames_that_are_worked_off() {
    let subject = Subject::start();
    let messages = |name: &str| vec![format!(r#"["{name}","zz",1,""]"#); 190_000].join(",");
    let mut tasks = Vec::new();
    for n in 0..8 {
        let name = format!("s{n}");
        let mut peer = subject.stalled(&name).await;
        let body = format!(r#"{{"MESSAGES": [{}]}}"#, messages(&name));
        let bytes = frame::encode(body.as_bytes()).unwrap();
        tasks.push(tokio::spawn(async move { (push(&mut peer, &bytes).await, peer) }));
    }
    join_all(tasks).await;
    subject.reached("frames that are worked off", "8 of 190,000 messages", 64).await;
}

#[tokio::test]
async fn a_byte_behind_a_long_frame() {
    let subject = Subject::start();
    let whole = frame::encode(&[b" ".repeat(4 * MIB - 3), b"{}".to_vec()].concat()).unwrap();
    let bytes = [&whole[..], b"\0"].concat();
    let mut peers = Vec::new();
    for n in 0..60 {
        let mut peer = subject.stalled(&format!("s{n}")).await;
        push(&mut peer, &bytes).await;
        peers.push(peer);
    }
    subject.reached("a read buffer", "60 begin a frame behind one of 4 MiB", 128).await;
}
