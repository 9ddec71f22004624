//! What waits for those who do not read.

use super::*;

#[tokio::test]
async fn private_messages_to_whoever_does_not_read() {
    let subject = Subject::start();
    let mut stalled = Vec::new();
    for n in 0..40 {
        stalled.push(subject.stalled(&format!("s{n}")).await);
    }
    let mut ann = subject.join("ann").await;
    for _ in 0..2 {
        for n in 0..40 {
            // 3 MiB when they are escaped.
            ann.say(&format!("s{n}"), &"é".repeat(MIB / 2)).await;
        }
    }
    ann.say("ann", "all").await;
    let ended = async {
        loop {
            let frame = ann.next().await;
            let own = frame.messages.into_iter().flatten().any(|message| message.content == "all");
            if own {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE * 20, ended).await.unwrap();
    let tried = "80 of 3 MiB to 40 who do not read";
    subject.reached("what waits for members", tried, 224).await;
}

#[tokio::test]
async fn pages_that_nobody_reads() {
    let mut subject = Subject::start();
    subject.remember_long_ones().await;
    subject.begin();
    let mut stalled = Vec::new();
    let page = frame::encode(br#"{"HISTORY": {"WITH": "ALL", "LIMIT": 500}}"#).unwrap();
    for n in 0..40 {
        let mut peer = subject.stalled(&format!("s{n}")).await;
        push(&mut peer, &page.repeat(4)).await;
        stalled.push(peer);
    }
    subject.reached("what waits for members", "160 pages of 12 MiB, 40 connections", 192).await;
}

#[tokio::test]
async fn welcomes_that_nobody_reads() {
    let mut subject = Subject::start();
    subject.remember_long_ones().await;
    subject.begin();
    let mut stalled = Vec::new();
    for n in 0..100 {
        stalled.push(subject.stalled(&format!("s{n}")).await);
    }
    let tried = "100 welcomes of 24 MiB without escapes";
    subject.reached("what waits for members", tried, 96).await;
}

#[tokio::test]
async fn commands_that_wait_and_are_remembered() {
    let subject = Subject::start();
    let arguments = vec![r#""""#; 5_000].join(",");
    let call = |arguments: &str| {
        let body =
            format!(r#"{{"COMMAND": {{"ID": "1", "NAME": "test", "ARGS": [{arguments}]}}}}"#);
        frame::encode(body.as_bytes()).unwrap()
    };
    let many = call(&arguments).repeat(80);
    let long = call(&format!(r#""{}""#, "\u{7f}".repeat(15_000))).repeat(80);
    let mut stalled = Vec::new();
    for n in 0..60 {
        let mut peer = subject.stalled(&format!("s{n}")).await;
        push(&mut peer, if n % 2 == 0 { &many } else { &long }).await;
        stalled.push(peer);
    }
    subject.reached("commands that wait, are remembered", "60 times 80 of 16 KiB", 64).await;
}

#[tokio::test]
async fn answers_that_nobody_reads() {
    let subject = Subject::start();
    let garbage = b"\0\0\0\x01x".repeat(MIB);
    let mut tasks = Vec::new();
    for n in 0..40 {
        let mut peer = subject.stalled(&format!("s{n}")).await;
        let garbage = garbage.clone();
        tasks.push(tokio::spawn(async move { (push(&mut peer, &garbage).await, peer) }));
    }
    let sent: Vec<_> = join_all(tasks).await.into_iter().map(Result::unwrap).collect();
    assert!(sent.iter().all(|(sent, _)| *sent < garbage.len()), "the server went on listening");
    subject.reached("answers to a member's own frames", "40 send 1,048,576 mistakes", 64).await;
}

#[tokio::test]
async fn public_messages_to_whoever_does_not_read() {
    let subject = Subject::start();
    let mut stalled = Vec::new();
    for n in 0..40 {
        stalled.push(subject.stalled(&format!("s{n}")).await);
    }
    // One who reads, and says so much that the others fall behind.
    let (mut reads, mut writes) =
        TcpStream::connect(subject.running.address).await.unwrap().into_split();
    writes.write_all(&client_frame::join("ann").unwrap()).await.unwrap();
    let (said, each) = (30, 12 * (2 * MIB - 100) / 2);
    let (has_read, mut is_read) = tokio::sync::watch::channel(0);
    let reading = tokio::spawn(async move {
        let (mut read, mut buffer) = (0, vec![0; 256 * 1024]);
        while read < said * each {
            let more = reads.read(&mut buffer).await.unwrap();
            assert!(more > 0, "who reads is disconnected after {read} of {} bytes", said * each);
            read += more;
            has_read.send_replace(read);
        }
    });
    let saying = async {
        for count in 0..said {
            // The timeline has room for five: whoever is behind by more is disconnected, and on a busy machine that may be anybody.
            is_read.wait_for(|read| read + 3 * each >= count * each).await.unwrap();
            writes.write_all(&long_one("ann")).await.unwrap();
        }
    };
    tokio::time::timeout(PATIENCE * 20, saying).await.unwrap();
    tokio::time::timeout(PATIENCE * 20, reading).await.unwrap().unwrap();
    // Timeline and history, 64 MiB each, share their bytes; then batches, and messages on their way.
    let tried = "360 MiB said beside 40 who do not read";
    subject.reached("timeline, history, posts, batches", tried, 384).await;
}

/// What the system has of the server's writes to this port, and the reader has not, in bytes.
fn unsent_to(port: u16) -> usize {
    let all = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let remote = format!(":{port:04X}");
    let line = all.lines().find(|line| {
        line.split_whitespace().nth(2).is_some_and(|address| address.ends_with(&remote))
    });
    let queues = line.and_then(|line| line.split_whitespace().nth(4)).unwrap_or("0:0");
    usize::from_str_radix(queues.split(':').next().unwrap(), 16).unwrap()
}

/// Reads a welcome, and says how much of it the system had at most meanwhile.
async fn most_unsent(subject: &Subject, name: &str) -> usize {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let stream = socket.connect(subject.running.address).await.unwrap();
    let port = stream.local_addr().unwrap().port();
    let join = client_frame::join(name).unwrap();
    // What comes is read as it comes: nobody is quick who decrypts it on a busy machine.
    let mut stream = match &subject.tls {
        None => stream,
        Some(tls) => {
            let mut stream = handshake(stream, tls).await;
            stream.write_all(&join).await.unwrap();
            stream.flush().await.unwrap();
            stream.into_inner().0
        }
    };
    if subject.tls.is_none() {
        stream.write_all(&join).await.unwrap();
    }
    let (mut read, mut most, mut buffer) = (0, 0, vec![0; 64 * 1024]);
    while read < 20 * MIB {
        let more = stream.read(&mut buffer).await.unwrap();
        assert!(more > 0, "the welcome ends after {read} bytes");
        read += more;
        most = most.max(unsent_to(port));
    }
    most
}

#[tokio::test]
async fn a_long_welcome_is_written_ahead_of_whoever_reads_it() {
    for subject in [Subject::start(), Subject::with_tls()] {
        // It is kept when it has come back.
        for name in ["ann", "bob"] {
            let mut sender = subject.join(name).await;
            sender.send(&long_one(name)).await;
            while sender.next().await.messages.is_none() {}
        }
        // On a busy machine nobody may be quick for a while.
        let is_ahead = async {
            for count in 0.. {
                if most_unsent(&subject, &format!("reader{count}")).await > MIB / 3 {
                    return;
                }
            }
        };
        let what = if subject.tls.is_some() { "over TLS" } else { "without TLS" };
        tokio::time::timeout(PATIENCE * 10, is_ahead).await.expect(what);
    }
}
