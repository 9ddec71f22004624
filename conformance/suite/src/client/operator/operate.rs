//! One running client and its operator, with the same actions for every means.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use conformance_kit::{
    clock::Clock,
    trace::{Kind, Trace},
};

use super::{
    action::Action,
    adapter::{self, Order},
    means::Means,
    person::{self, Request},
    process::{Exit, Process, Program, StartError, Wiring},
};
use crate::client::{
    profile::{self, Profile},
    screen::{Screen, ScreenMark},
};

/// The address of the suite's server, as the client is given it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The host.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The file of the authority.
    pub ca: &'a str,
    /// The name of the user, where the command line takes it.
    pub name: &'a str,
}

/// A client and its operator.
pub struct Operator {
    /// Its output.
    pub screen: Screen,
    /// Nothing when a person started it somewhere else.
    process: Option<Process>,
    means: Means,
    profile: Arc<Profile>,
    clock: Clock,
    trace: Trace,
}

impl Operator {
    /// Starts the client.
    ///
    /// # Errors
    /// When there is no such program.
    pub async fn start(
        command: &[String],
        means: &Means,
        profile: Arc<Profile>,
        place: Place<'_>,
        trace: Trace,
    ) -> Result<Self, StartError> {
        let port = place.port.to_string();
        let values =
            [("host", place.host), ("port", &port), ("ca", place.ca), ("name", place.name)];
        let program = Program {
            words: command.iter().map(|word| profile::fill(word, &values)).collect(),
            env: environment(&profile, &values),
            wiring: match means {
                Means::Terminal => Wiring::Terminal(profile.rows, profile.columns),
                Means::Adapter => Wiring::Events,
                Means::Pipe | Means::Person(_) => Wiring::Pipes,
            },
        };
        let clock = Clock::start();
        let process = if program.words.is_empty() { None } else { Some(Process::start(&program)?) };
        trace.note("client", Kind::Opened, &program.words.join(" "));
        let screen = process.as_ref().map_or_else(|| Screen::pipe(1), |p| p.screen.clone());
        let operator = Self { screen, process, means: means.clone(), profile, clock, trace };
        match means {
            Means::Adapter => {
                let order = Order::Connect { host: place.host, port: place.port, ca: place.ca };
                operator.press(&adapter::line(order));
            }
            Means::Person(person) => {
                let (host, ca) = (place.host.to_owned(), place.ca.to_owned());
                person::please(person, Request::Start { host, port: place.port, ca }).await;
            }
            Means::Terminal | Means::Pipe => {}
        }
        Ok(operator)
    }

    /// How it is operated.
    #[must_use]
    pub const fn means(&self) -> &Means {
        &self.means
    }

    /// Waits until the client seems to be ready for its user: it has written something, or `or`
    /// says so, and nothing has moved for a moment.
    pub async fn ready(&self, or: impl Future<Output = ()>, moment: Duration, at_most: Duration) {
        let written = self.screen.wait(at_most, |screen| screen.written(ScreenMark::START) > 0);
        tokio::select! {
            _ = written => {}
            () = or => {}
        }
        self.screen.quiet(moment, at_most).await;
        let delay = Duration::from_millis(self.profile.delay);
        tokio::time::sleep(delay.saturating_sub(self.clock.elapsed())).await;
    }

    /// Writes down what the client should have done until now and did not.
    pub(in crate::client) fn in_vain(&self, what: &str) {
        self.trace.note("client", Kind::Missing, what);
    }

    /// Does something.
    pub async fn act(&self, action: Action) {
        self.trace.note("client", Kind::Note, &format!("the user: {action}"));
        match (&self.means, action) {
            (Means::Person(person), action) => {
                person::please(person, Request::Do(action)).await;
            }
            (_, Action::EndInput) => self.end_input(),
            (_, Action::Interrupt) => self.interrupt(),
            (Means::Adapter, action) => match &action {
                Action::Name(name) => self.press(&adapter::line(Order::Join(name))),
                Action::Say(text) => self.press(&adapter::line(Order::Say(text))),
                Action::Tell { user, text } => {
                    self.press(&adapter::line(Order::Tell { user, text }));
                }
                Action::Quit(_) => self.press(&adapter::line(Order::Quit)),
                // An adapter shows who is here without being asked, and has no lines.
                _ => {}
            },
            (Means::Terminal | Means::Pipe, action) => self.type_out(action).await,
        }
    }

    async fn type_out(&self, action: Action) {
        let profile = &self.profile;
        match action {
            Action::Name(name) => self.lines(&profile.name.fill(&[("name", &name)])).await,
            Action::Say(text) => self.lines(&profile.public.fill(&[("text", &text)])).await,
            Action::Tell { user, text } => {
                let values = [("user", user.as_str()), ("text", text.as_str())];
                self.lines(&profile.private.fill(&values)).await;
            }
            Action::Quit(way) if way == "^D" => self.end_input(),
            Action::Quit(way) if way == "^C" => self.interrupt(),
            Action::Line(line) | Action::Users(line) | Action::Quit(line) => {
                self.lines(&[line]).await;
            }
            Action::Part(text) => self.press(&format!("{}{text}", profile.before)),
            Action::Rest(text) => self.press(&format!("{text}{}", self.enter())),
            Action::EndInput | Action::Interrupt => {}
        }
    }

    async fn lines(&self, lines: &[String]) {
        for (number, line) in lines.iter().enumerate() {
            if number > 0 {
                // The second prompt has to be there first.
                let moment = Duration::from_millis(60);
                self.screen.quiet(moment, moment * 10).await;
            }
            tokio::time::sleep(Duration::from_millis(self.profile.delay)).await;
            self.press(&format!("{}{line}{}", self.profile.before, self.enter()));
        }
    }

    /// The key that ends a line.
    #[must_use]
    pub fn enter(&self) -> &str {
        match (&self.profile.enter, &self.means) {
            (Some(key), _) => key,
            (None, Means::Terminal) => "\r",
            (None, _) => "\n",
        }
    }

    fn press(&self, keys: &str) {
        if let Some(process) = &self.process {
            process.press(keys.as_bytes());
        }
    }

    fn end_input(&self) {
        if let Some(process) = &self.process {
            process.end_input();
        }
    }

    fn interrupt(&self) {
        match (&self.process, &self.means) {
            // The terminal turns the key into a signal, or the program has decided otherwise.
            (Some(process), Means::Terminal) => process.press(&[3]),
            (Some(process), _) => process.interrupt(),
            (None, _) => {}
        }
    }

    /// How the client ended, if it has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.process.as_ref()?.exit()
    }

    /// Waits for its end; for ever where nobody can know.
    pub async fn ended(&self) -> Exit {
        match &self.process {
            Some(process) => process.ended().await,
            None => std::future::pending().await,
        }
    }
}

/// The environment variables that every client gets.
fn environment(profile: &Profile, values: &[(&str, &str)]) -> BTreeMap<String, String> {
    // Interpreters that keep their output back in pipes would show nothing while they live.
    let mut env: BTreeMap<String, String> =
        [("PYTHONUNBUFFERED", "1"), ("LC_ALL", "C.UTF-8"), ("LANG", "C.UTF-8")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let own = profile.env.iter();
    env.extend(own.map(|(name, value)| (name.clone(), profile::fill(value, values))));
    env
}

impl Drop for Operator {
    fn drop(&mut self) {
        if let Some(exit) = self.exit() {
            self.trace.note("client", Kind::Closed, &exit.describe());
        }
        let shown = self.screen.tail(ScreenMark::START, 1_500);
        self.trace.note("client", Kind::Note, &format!("the screen: {shown}"));
    }
}
