//! What a base client gets, byte for byte: a scripted session against a recording of an earlier release.
//!
//! `CHATTERBOX_RECORD=/path/to/chatterbox-server cargo test -p chatterbox-server --test base_bytes` records another
//! server's bytes in place of comparing ours. A change of the recording is a change of what base clients see.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use chatterbox_proto::frame;
use harness::process::{Running, connect};

/// A session, and all that was received in it.
struct Script {
    server: Running,
    clients: BTreeMap<&'static str, TcpStream>,
    received: String,
}

impl Script {
    fn comes(&mut self, who: &'static str) {
        self.clients.insert(who, connect(self.server.address));
        writeln!(self.received, "# {who} connects").unwrap();
    }

    fn sends(&mut self, who: &'static str, body: &[u8]) {
        writeln!(self.received, "# {who} sends {}", body.escape_ascii()).unwrap();
        (&self.clients[who]).write_all(&frame::encode(body).unwrap()).unwrap();
    }

    fn sends_raw(&mut self, who: &'static str, bytes: &[u8]) {
        writeln!(self.received, "# {who} sends the bytes {}", bytes.escape_ascii()).unwrap();
        (&self.clients[who]).write_all(bytes).unwrap();
    }

    /// Each of these gets one frame. A step is over when all of them have it, so nothing depends on what is batched.
    fn get(&mut self, all: &[&'static str]) {
        for who in all {
            let mut stream = &self.clients[who];
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let mut body = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
            stream.read_exact(&mut body).unwrap();
            let (length, body) = (length.escape_ascii(), body.escape_ascii());
            writeln!(self.received, "{who} < {length} {body}").unwrap();
        }
    }

    fn is_closed(&mut self, who: &'static str) {
        let mut rest = Vec::new();
        (&self.clients[who]).read_to_end(&mut rest).unwrap();
        writeln!(self.received, "{who} < {}, then the end", rest.escape_ascii()).unwrap();
    }

    fn goes(&mut self, who: &'static str) {
        self.clients.remove(who);
        writeln!(self.received, "# {who} closes").unwrap();
    }
}

/// Names, messages, faults, history and leaving, as the base protocol has them.
fn play(server: Running) -> String {
    let clients = BTreeMap::new();
    let mut script = Script { server, clients, received: String::new() };
    let s = &mut script;
    s.comes("ann");
    s.sends("ann", br#"{"MESSAGES": [["ann", "ALL", 1, "too early"]]}"#);
    s.get(&["ann"]);
    s.sends("ann", br#"{"USERNAME": "ann"}"#);
    s.get(&["ann"]);
    s.comes("bob");
    for name in ["ANN", "a b", "ALL", "server", ""] {
        s.sends("bob", format!(r#"{{"USERNAME": "{name}"}}"#).as_bytes());
        s.get(&["bob"]);
    }
    s.sends("bob", br#"{"USERNAME": "bob", "SOMETHING": [1]}"#);
    s.get(&["bob", "ann"]);
    s.sends("ann", br#"{"MESSAGES": [["ann", "ALL", 1, "hello"]]}"#);
    s.get(&["ann", "bob"]);
    s.sends("ann", br#"{"MESSAGES": [["ann", "BOB", 2, "psst \u00fc \ud83d\udc4d \"\\ /"]]}"#);
    s.get(&["bob"]);
    s.sends("bob", "{\"MESSAGES\": [[\"bob\", \"ann\", -5, \"grüße\"]]}".as_bytes());
    s.get(&["ann"]);
    for body in [
        &b"xyz"[..],
        b"[1]",
        b"{}",
        b"\xff\xfe",
        br#"{"X": 1}"#,
        br#"{"USERNAME": "bob"}"#,
        br#"{"MESSAGES": 5}"#,
        br#"{"MESSAGES": [["ann", "ALL", 1, "forged"], ["bob", "ALL", "1", "x"], ["bob", "zoe", 1, "x"], 7]}"#,
        br#"{"MESSAGES": [["bob", "all", 1, "x"]]}"#,
    ] {
        s.sends("bob", body);
        s.get(&["bob"]);
    }
    s.sends("bob", br#"{"MESSAGES": [["bob", "ALL", 3, "one"], ["bob", "ALL", 4, "two"]]}"#);
    s.get(&["ann", "bob"]);
    s.comes("cyd");
    s.sends("cyd", br#"{"USERNAME": "cyd"}"#);
    s.get(&["cyd", "ann", "bob"]);
    s.goes("bob");
    s.get(&["ann", "cyd"]);
    s.sends("cyd", br#"{"MESSAGES": [["cyd", "bob", 1, "gone"]]}"#);
    s.get(&["cyd"]);
    s.comes("bob");
    s.sends("bob", br#"{"USERNAME": "Bob"}"#);
    s.get(&["bob", "ann", "cyd"]);
    s.sends_raw("cyd", &u32::MAX.to_be_bytes());
    s.get(&["cyd"]);
    s.is_closed("cyd");
    s.get(&["ann", "bob"]);
    // A name that changes is, for a base client, somebody who leaves and somebody who joins (RN-4).
    s.comes("dan");
    s.sends("dan", br#"{"USERNAME": "dan", "CAPABILITIES": "commands/1 rename/1"}"#);
    s.get(&["ann", "bob"]);
    s.sends("dan", br#"{"COMMAND": {"ID": "1", "NAME": "nick", "ARGS": ["dana"]}}"#);
    s.get(&["ann", "bob"]);
    s.get(&["ann", "bob"]);
    s.goes("dan");
    s.get(&["ann", "bob"]);
    script.received
}

#[test]
fn a_base_client_gets_the_bytes_that_it_always_got() {
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/base_session.txt");
    let arguments = ["localhost", "-p", "0", "--plaintext", "--memory", "--grace", "0"];
    match std::env::var_os("CHATTERBOX_RECORD") {
        Some(server) => {
            let received = play(Running::start_program(&PathBuf::from(server), &arguments));
            std::fs::write(recording, received).unwrap();
        }
        None => {
            let received = play(Running::start(&arguments));
            let recorded = std::fs::read_to_string(recording).unwrap();
            for (number, (ours, theirs)) in received.lines().zip(recorded.lines()).enumerate() {
                assert_eq!(ours, theirs, "line {}", number + 1);
            }
            assert_eq!(received, recorded);
        }
    }
}
