//! The assisted mode, with a person who is a robot: it does what it is asked, with a client of its
//! own, and says what it sees.
#![allow(clippy::unwrap_used, reason = "tests may be blunt")]
#![allow(clippy::disallowed_methods, reason = "a person has a clock")]

mod client_subject;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use conformance_suite::{
    Options,
    client::{
        Action, Means, Profile, ScreenMark,
        operator::{
            person::{Person, Request},
            process::{Process, Program, Wiring},
        },
    },
    run::client::{self, Client},
    verdict::Verdict,
};

use client_subject::{options, plain};

/// Operates the mutant client through pipes.
#[derive(Default)]
struct Robot {
    client: Option<Process>,
    questions: usize,
    blind: bool,
}

impl Robot {
    fn types(&self, line: &str) {
        self.client.as_ref().unwrap().press(format!("{line}\n").as_bytes());
    }
}

impl Person for Robot {
    fn please(&mut self, request: &Request) {
        match request {
            Request::Start { host, port, ca } => {
                let binary = env!("CARGO_BIN_EXE_mutant-client").to_owned();
                let port = port.to_string();
                let words = [binary.as_str(), host, "-p", &port, "--ca", ca];
                let program = Program {
                    words: words.map(str::to_owned).to_vec(),
                    env: BTreeMap::new(),
                    wiring: Wiring::Pipes,
                };
                self.client = Some(Process::start(&program).unwrap());
            }
            Request::Do(action) => match action {
                Action::Name(text) | Action::Say(text) | Action::Line(text) => self.types(text),
                Action::Tell { user, text } => self.types(&format!("@{user} {text}")),
                Action::Quit(_) => self.types("/quit"),
                _ => {}
            },
        }
    }

    /// Looks for the last word of the question that only the suite knows.
    fn answers(&mut self, question: &str) -> bool {
        self.questions += 1;
        let client = self.client.as_ref().unwrap();
        let wanted = question.split('"').nth(1).map(str::to_owned);
        let wanted = wanted.or_else(|| {
            let words = question.split(|c: char| !c.is_ascii_alphanumeric());
            words
                .filter(|word| word.len() > 9 && word.contains(|c: char| c.is_ascii_digit()))
                .map(str::to_owned)
                .next()
        });
        let until = Instant::now() + Duration::from_secs(2);
        while !self.blind && Instant::now() < until {
            let shown = match &wanted {
                Some(text) => client.screen.shows(ScreenMark::START, text),
                None => client.screen.written(ScreenMark::START) > 30,
            };
            if shown {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

async fn judge(robot: Robot, only: &[&str]) -> (conformance_suite::Report, Arc<Mutex<Robot>>) {
    let robot = Arc::new(Mutex::new(robot));
    let client = Client {
        command: Vec::new(),
        means: Means::Person(robot.clone()),
        profile: Profile::default(),
    };
    let only = only.iter().map(|id| (*id).to_owned()).collect();
    let options = Options { only, timeout_scale: 0.02, ..options() };
    (client::run(&client, &options).await.unwrap(), robot)
}

const SOME: [&str; 8] = [
    "c.join.first",
    "c.join.history",
    "c.join.rejected",
    "c.send.private",
    "c.recv.message",
    "c.recv.error",
    "c.quit",
    "c.send.time",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_operates_a_client() {
    let (report, robot) = judge(Robot::default(), &SOME).await;
    assert_eq!(report.exit_code(), 0, "{}", plain(&report));
    assert!(robot.lock().unwrap().questions >= 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_person_does_not_see_fails() {
    let (report, _) = judge(Robot { blind: true, ..Robot::default() }, &SOME).await;
    assert_eq!(report.exit_code(), 1);
    for (id, passes) in [("c.recv.error", false), ("c.join.history", false), ("c.quit", true)] {
        let verdict = &report.case(id).unwrap().verdict;
        assert_eq!(matches!(verdict, Verdict::Pass), passes, "{id}: {verdict:?}");
    }
}
