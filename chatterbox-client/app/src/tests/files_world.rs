//! A world in which connections are cut at any place while files go both ways: what arrives is what was sent, not a byte goes beyond the
//! credit, and nothing is announced before it is there.

use chatterbox_proto::capability::files::FileChunk;
use chatterbox_proto::capability::meta::Digest;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// The bytes of a chunk, and the credit that the server gives ahead.
const CHUNK: usize = 7;
const AHEAD: usize = 20;

#[derive(Debug, Clone)]
enum Step {
    /// The disk does the next thing.
    Work,
    /// The server reads the next frame, or sends the next chunk.
    Serve,
    /// The client reads the next frame.
    Read,
    Lose,
    Back,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Work),
        6 => Just(Step::Serve),
        6 => Just(Step::Read),
        1 => Just(Step::Lose),
        3 => Just(Step::Back),
    ];
    prop::collection::vec(step, 0..200)
}

/// Something that the server sends on this connection: from a place, up to the credit.
struct Sending {
    at: usize,
    credit: usize,
}

struct World {
    app: App,
    connected: bool,
    /// Frames on their way in either direction.
    to_server: Vec<Value>,
    to_client: Vec<String>,
    /// The file of the client, and what the server has of it.
    mine: Vec<u8>,
    uploaded: Vec<u8>,
    /// How far the client may send, where the upload runs on this connection.
    credit: Option<usize>,
    /// The file of the server, what the client has written of it, and whether that is whole.
    theirs: Vec<u8>,
    written: Vec<u8>,
    is_saved: bool,
    sending: Option<Sending>,
    said: usize,
}

impl World {
    fn new(mine: Vec<u8>, theirs: Vec<u8>) -> Self {
        let reconnect = Some(ReconnectPolicy::for_at_most(Duration::from_secs(1 << 30)));
        let options = Options { offer: crate::spoken(), reconnect, ..Options::default() };
        let mut world = Self {
            app: App::new(options, TimeFormatter::new(TimeZone::UTC)),
            connected: true,
            to_server: Vec::new(),
            to_client: Vec::new(),
            mine,
            uploaded: Vec::new(),
            credit: None,
            theirs,
            written: Vec::new(),
            is_saved: false,
            sending: None,
            said: 0,
        };
        let effects = world.app.typed("ann", InputMode::Name, NOW);
        world.take(effects);
        world.welcome("");
        let file = json!({"FILE": "theirs", "NAME": "a", "SIZE": world.theirs.len(), "SHA256": "07".repeat(32)});
        let message =
            json!({"MESSAGES": [["bob", "ALL", 1, "look"]], "IDS": [5], "META": [{"FILE": file}]});
        world.to_client.push(message.to_string());
        world.read();
        for line in ["/send notes.txt hello", "/save"] {
            let effects = world.app.typed(line, InputMode::Chat, NOW);
            world.take(effects);
        }
        world
    }

    fn welcome(&mut self, beside: &str) {
        self.to_client.push(format!(
            r#"{{"USERNAME_ACCEPTED": true, "USER_LIST": ["ann"], "MESSAGES": [], "IDS": [], "RESUME": "session",{beside}
                "LIMITS": {{"CHUNK": {CHUNK}}}, "CAPABILITIES": "accounts/1 files/1 ids/1 meta/1"}}"#
        ));
        self.to_server.clear();
        self.read();
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            if let Effect::Send(frame) = effect
                && self.connected
            {
                self.to_server.push(serde_json::from_slice(&frame[4..]).unwrap());
            }
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Work => self.work(),
            Step::Serve if !self.to_server.is_empty() => {
                let frame = self.to_server.remove(0);
                self.serve(&frame);
            }
            Step::Serve => self.send_chunk(),
            Step::Read => self.read(),
            Step::Lose if self.connected => {
                self.connected = false;
                self.to_server.clear();
                self.to_client.clear();
                (self.credit, self.sending) = (None, None);
                let effects = self.app.connection_lost("cut", Duration::ZERO, 0);
                self.take(effects);
            }
            Step::Back if !self.connected => {
                self.connected = true;
                let effects = self.app.reconnected();
                self.take(effects);
                self.welcome(r#" "RESUMED": true,"#);
            }
            Step::Lose | Step::Back => {}
        }
    }

    fn read(&mut self) {
        if self.to_client.is_empty() {
            return;
        }
        let body = self.to_client.remove(0);
        let effects = self.app.received(&body.into(), NOW);
        self.take(effects);
        while self.app.has_more() {
            let effects = self.app.more(NOW);
            self.take(effects);
        }
    }

    fn work(&mut self) {
        let idle = self.to_server.is_empty();
        let news = match self.app.file_work(idle) {
            None | Some(FileWork::Drop { .. }) => return,
            Some(FileWork::Open { id, .. }) => {
                let (name, size) = ("notes.txt".to_owned(), self.mine.len() as u64);
                FileNews::Opened { id, name, size, sha256: Digest([9; 32]) }
            }
            Some(FileWork::Read { id, at, bytes }) => {
                assert!(idle && bytes <= CHUNK, "the chat goes first, and chunks are short");
                let from = usize::try_from(at).unwrap();
                let to = self.mine.len().min(from + bytes);
                FileNews::Read { id, at, data: self.mine[from..to].to_vec() }
            }
            Some(FileWork::Create { id, .. }) => FileNews::Created { id },
            Some(FileWork::Write { id, data }) => {
                self.written.extend_from_slice(&data);
                FileNews::Written { id, bytes: data.len() }
            }
            Some(FileWork::Finish { id, .. }) => {
                self.is_saved = true;
                FileNews::Finished { id, path: "a".to_owned() }
            }
        };
        let effects = self.app.file_news(news, NOW);
        self.take(effects);
    }

    fn tell(&mut self, frame: &Value) {
        self.to_client.push(frame.to_string());
    }

    fn serve(&mut self, frame: &Value) {
        let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
        if let Some(put) = frame.get("FILE_PUT") {
            let at = self.uploaded.len();
            self.credit = Some(at + AHEAD);
            self.tell(
                &json!({"FILE": {"ID": put["ID"], "FILE": "mine", "AT": at, "CREDIT": at + AHEAD}}),
            );
            self.tell_if_there();
        } else if let Some(chunk) = frame.get("FILE_CHUNK") {
            let data = decoded(chunk["DATA"].as_str().unwrap());
            let credit = self.credit.expect("a chunk of an upload that runs");
            assert_eq!(number(&chunk["AT"]), self.uploaded.len(), "without gap or overlap");
            self.uploaded.extend(data);
            assert!(self.uploaded.len() <= credit, "not a byte beyond the credit");
            if credit - self.uploaded.len() < AHEAD / 2 {
                let upto = self.uploaded.len() + AHEAD;
                self.credit = Some(upto);
                self.tell(&json!({"FILE_CREDIT": {"FILE": "mine", "UPTO": upto}}));
            }
            self.tell_if_there();
        } else if let Some(get) = frame.get("FILE_GET") {
            let at = number(&get["AT"]);
            assert!(self.sending.is_none(), "it is fetched once");
            self.sending = Some(Sending { at, credit: number(&get["CREDIT"]) });
            let size = self.theirs.len();
            self.tell(
                &json!({"FILE": {"ID": get["ID"], "FILE": "theirs", "AT": at, "SIZE": size}}),
            );
        } else if let Some(credit) = frame.get("FILE_CREDIT") {
            if let Some(sending) = &mut self.sending {
                sending.credit = sending.credit.max(number(&credit["UPTO"]));
            }
        } else if frame.get("MESSAGES").is_some() {
            assert_eq!(frame["META"], json!([{"FILE": "mine"}]));
            assert_eq!(self.uploaded, self.mine, "nothing is announced before it is there");
            self.said += 1;
            let acks = json!({frame["TAGS"][0].as_str().unwrap(): 9});
            self.tell(&json!({"ACKS": acks}));
        } else {
            assert!(frame.get("USERNAME").is_some(), "{frame}");
        }
    }

    fn tell_if_there(&mut self) {
        if self.uploaded.len() == self.mine.len() {
            self.credit = None;
            self.tell(&json!({"FILE": {"FILE": "mine", "DONE": true}}));
        }
    }

    fn send_chunk(&mut self) {
        let Some(Sending { at, credit }) = &mut self.sending else { return };
        let to = (*at + CHUNK).min(*credit).min(self.theirs.len());
        if *at < to {
            let frame = FileChunk::frame("theirs", *at as u64, &self.theirs[*at..to]).unwrap();
            *at = to;
            self.to_client.push(String::from_utf8(frame[4..].to_vec()).unwrap());
        } else if *at == self.theirs.len() {
            self.sending = None;
            self.tell(&json!({"FILE": {"FILE": "theirs", "DONE": true}}));
        }
    }
}

/// Base64, for a test that depends on no library of it.
fn decoded(text: &str) -> Vec<u8> {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
    for letter in text.trim_end_matches('=').chars() {
        bits = bits << 6 | u32::try_from(letters.find(letter).unwrap()).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}

proptest! {
    #[test]
    fn files_arrive_wherever_the_connection_is_cut(
        mine in prop::collection::vec(any::<u8>(), 0..120),
        theirs in prop::collection::vec(any::<u8>(), 0..120),
        steps in steps(),
    ) {
        let mut world = World::new(mine, theirs);
        for step in &steps {
            world.step(step);
        }
        world.step(&Step::Back);
        for _ in 0..500 {
            for step in [Step::Work, Step::Serve, Step::Read] {
                world.step(&step);
            }
        }
        prop_assert_eq!(&world.uploaded, &world.mine);
        prop_assert_eq!(&world.written, &world.theirs);
        prop_assert!(world.is_saved && world.said > 0 && !world.app.has_transfers());
        prop_assert_eq!((world.app.failures(), world.app.unanswered()), (0, 0));
    }
}
