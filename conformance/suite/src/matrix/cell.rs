//! One client meets one server: the client under judgement is ann, and bob is the suite's own.

use std::{sync::Arc, time::Duration};

use conformance_kit::{authority::Authority, wire::frame::Frame};
use serde::Serialize;

use super::{
    blame::{Blame, Outcome, dialects, everything, fails, over, provoked},
    peers::ClientPeer,
    proxy::{Proxy, Way},
};
use crate::{
    case::Side,
    client::{
        Action, Means, ScreenMark,
        operator::{Operator, Place},
        screen::Screen,
        session,
    },
    server::{
        hands::ServerHands,
        host::Host,
        peer::{Mark, Peer},
    },
};

/// The steps of a meeting in their order, each with a title.
pub const STEPS: [(&str, &str); 6] = [
    ("join", "joined"),
    ("all-out", "public, sent"),
    ("all-in", "public, shown"),
    ("private-out", "private, sent"),
    ("private-in", "private, shown"),
    ("leave", "leaving noticed"),
];

/// One client and one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The client.
    pub client: String,
    /// The server.
    pub server: String,
    /// How each of [`STEPS`] came out.
    pub steps: Vec<Outcome>,
    /// Invariants that a side broke in between.
    pub broken: Vec<Blame>,
}

impl Cell {
    /// Whether everything works and nobody broke an invariant.
    #[must_use]
    pub fn is_green(&self) -> bool {
        self.broken.is_empty() && self.steps.iter().all(|step| *step == Outcome::Works)
    }

    /// The cell of a server that can't be reached.
    #[must_use]
    pub fn no_server(client: &str, server: &str, why: &str) -> Self {
        Self::new(client, server, vec![fails(Side::Server, "AC-1", why)])
    }

    fn new(client: &str, server: &str, mut steps: Vec<Outcome>) -> Self {
        steps.resize(STEPS.len(), Outcome::NotTried);
        let (client, server) = (client.to_owned(), server.to_owned());
        Self { client, server, steps, broken: Vec::new() }
    }
}

struct Meeting<'a> {
    proxy: &'a Proxy,
    operator: &'a Operator,
    bob: &'a mut Peer,
    ann: &'a str,
    patience: Duration,
    /// The frames up to here belong to steps that worked.
    since: usize,
}

/// Lets a client meet a server.
pub(super) async fn meet(
    client: &ClientPeer,
    server: &str,
    host: &Host,
    authority: &Authority,
    seed: u64,
    scale: f64,
) -> Cell {
    let mut hands = ServerHands::new(Arc::clone(&host.shared), "matrix", seed);
    let ann = hands.name("ann");
    let red = |outcome| Cell::new(&client.name, server, vec![outcome]);
    let proxy = match Proxy::open(&host.shared, authority).await {
        Ok(proxy) => proxy,
        Err(error) => return red(fails(Side::Server, "AC-1", &format!("no port: {error}"))),
    };
    let ca = authority.file().display().to_string();
    let place = Place { host: "localhost", port: proxy.port, ca: &ca, name: &ann };
    let profile = Arc::new(client.profile.clone());
    let means = Means::from(client.means);
    let started =
        Operator::start(&client.command, &means, profile, place, hands.trace.clone()).await;
    let operator = match started {
        Ok(operator) => operator,
        Err(error) => return red(fails(Side::Client, "NM-1", &error.to_string())),
    };
    let patience = Duration::from_secs(8).mul_f64(scale);
    let moment = Duration::from_millis(150).mul_f64(scale);
    operator.ready(proxy.connects(patience), moment, patience).await;
    if !client.command.iter().any(|word| word.contains("{name}")) {
        operator.act(Action::Name(ann.clone())).await;
    }
    let joined = join(&proxy, &operator, &ann, patience).await;
    if joined != Outcome::Works {
        return finish(red(joined), &proxy);
    }
    operator.screen.quiet(moment, patience).await;
    let mut bob = match hands.join("bob").await {
        Ok(bob) => bob,
        Err(verdict) => {
            return finish(red(fails(Side::Server, "AC-1", &format!("{verdict:?}"))), &proxy);
        }
    };
    operator.screen.quiet(moment, patience).await;
    let mut meeting = Meeting {
        proxy: &proxy,
        operator: &operator,
        bob: &mut bob,
        ann: &ann,
        patience,
        since: 0,
    };
    let texts: [String; 4] = std::array::from_fn(|_| format!("t{}", hands.nonces.letters(11)));
    let mut steps = vec![joined];
    for (at, text) in texts.iter().enumerate() {
        let step = match at {
            0 => meeting.out("ALL", text).await,
            1 => meeting.arrives("ALL", text).await,
            2 => meeting.out("bob", text).await,
            _ => meeting.arrives("ann", text).await,
        };
        if let Some(over) = meeting.settle(step, &mut steps) {
            steps.push(over);
            return finish(Cell::new(&client.name, server, steps), &proxy);
        }
    }
    let left = meeting.leave(&client.profile.quit).await;
    steps.push(match left {
        Outcome::Fails(blame) => Outcome::Fails(provoked(&proxy, meeting.since, blame)),
        other => other,
    });
    finish(Cell::new(&client.name, server, steps), &proxy)
}

async fn join(proxy: &Proxy, operator: &Operator, ann: &str, patience: Duration) -> Outcome {
    let asked = |frame: &Frame| (frame.key("USERNAME")?.as_str()? == ann).then_some(());
    if proxy.find(Way::Up, patience * 2, asked).await.is_none() {
        if let Some(blame) = dialects(proxy) {
            return Outcome::Fails(blame);
        }
        let shown = session::describe(operator, ScreenMark::START);
        let trouble =
            proxy.state().trouble.map(|trouble| format!("{trouble}; ")).unwrap_or_default();
        return fails(Side::Client, "NM-1", &format!("no USERNAME {ann}; {trouble}{shown}"));
    }
    match proxy.find(Way::Down, patience, Frame::accepted).await {
        Some(true) => Outcome::Works,
        Some(false) => fails(Side::Server, "AC-1", &format!("the fresh name {ann} was refused")),
        None => {
            let what = format!("no answer to USERNAME {ann}");
            let blame = Blame { side: Side::Server, clause: "AC-1", what };
            Outcome::Fails(provoked(proxy, 0, blame))
        }
    }
}

impl Meeting<'_> {
    /// Takes the outcome of a step. When the connection is over, that explains the step better, and
    /// nothing behind it can be tried.
    fn settle(&mut self, step: Outcome, steps: &mut Vec<Outcome>) -> Option<Outcome> {
        let step = match step {
            Outcome::Fails(blame) => {
                if let Some(over) = over(self.proxy, self.operator, self.since, true) {
                    return Some(Outcome::Fails(over));
                }
                Outcome::Fails(provoked(self.proxy, self.since, blame))
            }
            other => {
                self.since = self.proxy.mark();
                other
            }
        };
        steps.push(step);
        None
    }

    /// Waits for something that can't come when the connection is over.
    async fn unless_over<T>(&self, waiting: impl Future<Output = Option<T>>) -> Option<T> {
        tokio::select! {
            found = waiting => found,
            // What was sent last may still be on its way.
            () = async { self.proxy.ends().await; tokio::time::sleep(self.patience / 8).await } => None,
        }
    }

    /// Messages of ann reach bob.
    async fn out(&mut self, dest: &str, text: &str) -> Outcome {
        let to = if dest == "ALL" { "ALL".to_owned() } else { self.bob.name.clone() };
        self.operator
            .act(match dest {
                "ALL" => Action::Say(text.to_owned()),
                _ => Action::Tell { user: to.clone(), text: text.to_owned() },
            })
            .await;
        let ann = self.ann;
        let sent = |frame: &Frame| {
            let mut messages = frame.messages().into_iter();
            messages.find(|m| m.content.contains(text) && m.dest == to && m.src == ann)
        };
        if self.unless_over(self.proxy.find(Way::Up, self.patience, sent)).await.is_none() {
            let shown = session::describe(self.operator, ScreenMark::START);
            let what = format!("no message [{ann}, {to}, now, {text}]; {shown}");
            return fails(Side::Client, "DE-1", &what);
        }
        if self.bob.find_message(Mark::START, |m| m.content.contains(text)).await.is_some() {
            return Outcome::Works;
        }
        let clause = if dest == "ALL" { "RT-1" } else { "RT-2" };
        fails(Side::Server, clause, &self.bob.heard(Mark::START))
    }

    /// Messages of bob are shown to ann.
    async fn arrives(&mut self, dest: &str, text: &str) -> Outcome {
        let to = if dest == "ALL" { "ALL" } else { self.ann };
        self.bob.tell(to, text).await;
        let came = |frame: &Frame| frame.messages().into_iter().find(|m| m.content.contains(text));
        if self.unless_over(self.proxy.find(Way::Down, self.patience, came)).await.is_none() {
            let clause = if dest == "ALL" { "RT-1" } else { "RT-2" };
            return fails(Side::Server, clause, &format!("\"{text}\" did not come to the client"));
        }
        let shown = async {
            let shows = |screen: &Screen| screen.shows(ScreenMark::START, text);
            self.operator.screen.wait(self.patience, shows).await.then_some(())
        };
        if self.unless_over(shown).await.is_some() {
            return Outcome::Works;
        }
        let what = format!("\"{text}\" came and is not shown");
        let what = format!("{what}; {}", session::describe(self.operator, ScreenMark::START));
        fails(Side::Client, "MD-1", &what)
    }

    /// ann quits, and bob is told.
    async fn leave(&mut self, ways: &[String]) -> Outcome {
        if let Some(over) = over(self.proxy, self.operator, self.since, false) {
            return Outcome::Fails(over);
        }
        let since = self.bob.mark();
        let mut closed = false;
        for way in ways {
            self.operator.act(Action::Quit(way.clone())).await;
            closed = self.proxy.client_closes(self.patience / 2).await;
            if closed {
                break;
            }
        }
        if !closed {
            let what = format!("the connection stays open after {}", ways.join(", "));
            return fails(Side::Client, "QT-1", &what);
        }
        if self.bob.find_left(since, self.ann).await {
            return Outcome::Works;
        }
        let what = format!("no USERS_LEFT with {}; {}", self.ann, self.bob.heard(since));
        fails(Side::Server, "UX-1", &what)
    }
}

/// Adds what the proxy saw broken.
fn finish(mut cell: Cell, proxy: &Proxy) -> Cell {
    cell.broken = everything(proxy);
    cell
}
