//! Bytes and processor time of frames with and without `zstd`: `cargo bench -p chatterbox-server --bench zstd`.
//!
//! It prints two tables in Markdown. Both ways of each row are measured in turns in the same run, so that the ratios hold on whatever
//! machine; the sentences that are said are those of the project's own documents, every third of them a short answer.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chatterbox_hub::{
    Delivery, Filing, Hub, Identity, JoinRequest, Keep, MemberId, Record, TimelineLimits,
};
use chatterbox_proto::limits::PREFIX;
use chatterbox_proto::session::Destination;
use chatterbox_proto::{Capabilities, Capability, Entry, ServerFrame, Username};
use chatterbox_zstd::{Codec, Stream};

const SAID: &str = concat!(
    include_str!("../../docs/security.md"),
    include_str!("../../docs/contributing.md"),
    include_str!("../../docs/guide/chatting.md"),
    include_str!("../../docs/guide/moderating.md"),
);

const ANSWERS: [&str; 8] =
    ["yes", "no", "ok, thanks", "I see", "why?", "later", "that works here, too", "+1"];

const RECEIVERS: usize = 1_000;

/// What is said, one after the other.
fn texts() -> impl Iterator<Item = String> {
    let sentences: Vec<String> = SAID
        .split(['.', '|', '\n'])
        .map(|part| part.trim_matches(|c: char| !c.is_alphanumeric()).to_owned())
        .filter(|part| (20..300).contains(&part.len()))
        .collect();
    let answers = ANSWERS.iter().cycle();
    let both = sentences.into_iter().cycle().zip(answers).enumerate();
    both.map(|(n, (sentence, answer))| if n % 3 == 0 { (*answer).to_owned() } else { sentence })
}

/// Records of some users, a few seconds apart.
fn records() -> impl Iterator<Item = Record> {
    texts().enumerate().map(|(n, text)| {
        let source = Username::parse(&format!("user{}", n * 7 % 23)).unwrap();
        let arrived = 1_700_000_000 + 3 * i64::try_from(n).unwrap();
        let entry = Entry {
            source: source.as_str().to_owned().into(),
            destination: "ALL".into(),
            timestamp: arrived,
            content: text.into(),
        };
        let (json, destination, filing) =
            (entry.to_json().into(), Destination::All, Filing::default());
        Record { source, destination, json, arrived, filing, meta: None }
    })
}

fn request<'a>(name: &'a Username, zstd: bool) -> JoinRequest<'a> {
    let mut agreed: Capabilities = [Capability::Ids, Capability::Recent].into_iter().collect();
    if zstd {
        agreed = agreed.with(Capability::Zstd);
    }
    JoinRequest {
        identity: Identity { agreed: Some(agreed), ..Identity::guest(name.clone()) },
        extra: br#""CAPABILITIES": "ids/1 recent/1 zstd/1""#,
        random: 7,
        ..JoinRequest::base(name, "Welcome!")
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(work());
    start.elapsed()
}

/// The medians of two ways, which are taken in turns.
fn medians(
    rounds: usize,
    mut plain: impl FnMut() -> Duration,
    mut other: impl FnMut() -> Duration,
) -> (Duration, Duration) {
    let (mut plains, mut others) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        plains.push(plain());
        others.push(other());
    }
    let middle = |mut all: Vec<Duration>| {
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    (middle(plains), middle(others))
}

fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// One frame with so many of the messages.
fn frame_of(messages: usize) -> Bytes {
    let (mut hub, ids) = hub(1, false);
    for record in records().take(messages) {
        let id = hub.newest() + 1;
        let _ = hub.apply(id, record);
    }
    let Delivery::Frames { frames, .. } = hub.take(*ids.first().unwrap()) else {
        panic!("nothing was said")
    };
    frames.frames().concat().into()
}

fn hub(members: usize, zstd: bool) -> (Hub, Vec<MemberId>) {
    let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
    let join = |number| {
        let name = Username::parse(&format!("reader{number}")).unwrap();
        hub.admit(request(&name, zstd)).unwrap().id
    };
    let ids: Vec<_> = (0..members).map(join).collect();
    for id in &ids {
        while let Delivery::Frames { .. } = hub.take(*id) {}
    }
    (hub, ids)
}

/// A welcome with so many messages, as pieces.
fn welcome_of(messages: usize) -> (Hub, Username) {
    let (mut hub, _) = hub(1, false);
    for record in records().take(messages) {
        let id = hub.newest() + 1;
        let _ = hub.apply(id, record);
    }
    (hub, Username::parse("visitor").unwrap())
}

fn compress_pieces(pieces: &[Bytes]) -> Option<Vec<Bytes>> {
    let plain = pieces.iter().map(Bytes::len).sum::<usize>() - PREFIX;
    let mut stream = Stream::begin(plain)?;
    for (number, piece) in pieces.iter().enumerate() {
        let skipped = if number == 0 { PREFIX } else { 0 };
        stream.push(piece.get(skipped..).unwrap_or_default()).ok()?;
    }
    stream.finish()
}

fn row(what: &str, plain: usize, sent: usize, times: [Duration; 4]) {
    let percent = 100.0 * sent as f64 / plain as f64;
    let [made, compressed, read, read_compressed] = times.map(us);
    println!(
        "| {what} | {plain} | {sent} | {percent:.0} % | {made:.1} | {compressed:.1} | {read:.1} | {read_compressed:.1} |"
    );
}

/// What a client does with a body: inflates it, if it has to, and reads it.
fn read(codec: &Codec, frame: &[u8], agreed: Capabilities) -> bool {
    let body = frame.get(PREFIX..).unwrap_or_default();
    if chatterbox_proto::capability::zstd::is_compressed(body) {
        let inflated = codec.inflated(body, 1 << 30).unwrap();
        return ServerFrame::parse_as(&inflated, agreed).is_ok();
    }
    ServerFrame::parse_as(body, agreed).is_ok()
}

fn main() {
    let codec = Codec::new();
    let agreed: Capabilities = [Capability::Ids, Capability::Recent].into_iter().collect();
    println!("One frame, medians; times in microseconds.\n");
    println!(
        "| frame | bytes | with `zstd` | | put together | compressed | read plain | read with `zstd` |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    for messages in [1, 3, 10, 30, 100, 300] {
        let rounds = 301;
        let plain = frame_of(messages);
        let body = plain.slice(PREFIX..);
        let sent = codec.compressed(&body).unwrap_or_else(|| plain.clone());
        let mut one = Readers::new(1, false);
        let (made, compressed) = medians(
            rounds,
            || timed(|| one.round(messages, &codec)),
            || timed(|| codec.compressed(&body)),
        );
        let reading = |frame: &Bytes| timed(|| read(&codec, frame, agreed));
        let (before, after) = medians(rounds, || reading(&plain), || reading(&sent));
        let what = if messages == 1 { "1 message".into() } else { format!("batch of {messages}") };
        row(&what, plain.len(), sent.len(), [made, compressed, before, after]);
    }
    for messages in [100, 10_000] {
        let (mut hub, visitor) = welcome_of(messages);
        let mut welcome = || {
            let joined = hub.admit(request(&visitor, true)).unwrap();
            let _ = hub.leave(joined.id);
            joined.welcome.assemble().unwrap()
        };
        let pieces = welcome();
        let compressed = compress_pieces(&pieces);
        let sent = compressed.unwrap_or_else(|| pieces.clone()).concat();
        let plain = pieces.concat();
        let rounds = if messages > 1_000 { 31 } else { 301 };
        let (made, compressed) =
            medians(rounds, || timed(&mut welcome), || timed(|| compress_pieces(&pieces)));
        let reading = |frame: &[u8]| timed(|| read(&codec, frame, agreed));
        let (before, after) = medians(rounds, || reading(&plain), || reading(&sent));
        let what = format!("welcome of {messages}");
        row(&what, plain.len(), sent.len(), [made, compressed, before, after]);
    }
    println!(
        "\nSaid, put together once and handed to {RECEIVERS} readers; one round, medians; times in microseconds.\n"
    );
    println!("| said at once | bytes to all | with `zstd` | | time | with `zstd` | |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for messages in [1, 10, 100] {
        let rounds = 51;
        let (mut plain, mut zstd) = (Readers::new(RECEIVERS, false), Readers::new(RECEIVERS, true));
        let (before, after) = medians(
            rounds,
            || timed(|| plain.round(messages, &codec)),
            || timed(|| zstd.round(messages, &codec)),
        );
        let (bytes, sent) = (plain.bytes / rounds, zstd.bytes / rounds);
        println!(
            "| {messages} | {bytes} | {sent} | {:.0} % | {:.0} | {:.0} | {:.2} |",
            100.0 * sent as f64 / bytes as f64,
            us(before),
            us(after),
            after.as_secs_f64() / before.as_secs_f64()
        );
    }
}

/// A chat with its readers, all with `zstd` or all without.
struct Readers {
    hub: Hub,
    ids: Vec<MemberId>,
    bytes: usize,
    said: Box<dyn Iterator<Item = Record>>,
}

impl Readers {
    fn new(members: usize, zstd: bool) -> Self {
        let (hub, ids) = hub(members, zstd);
        Self { hub, ids, bytes: 0, said: Box::new(records()) }
    }

    /// Something is said, and everybody takes it.
    fn round(&mut self, messages: usize, codec: &Codec) {
        for record in self.said.by_ref().take(messages) {
            let id = self.hub.newest() + 1;
            let _ = self.hub.apply(id, record);
        }
        for id in &self.ids {
            while let Delivery::Frames { frames, compressed, .. } = self.hub.take(*id) {
                let frames = if compressed {
                    frames.compressed(|body| codec.compressed(body))
                } else {
                    frames.frames()
                };
                self.bytes += frames.iter().map(Bytes::len).sum::<usize>();
            }
        }
    }
}
