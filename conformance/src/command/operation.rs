//! How a client is operated: the options that grading and learning share.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use anyhow::Context as _;
use clap::Args;
use conformance_suite::client::{Means, Profile, operator::person::AtTerminal, profile::Lines};

use super::{again::Again, shared::read};

#[derive(Debug, Args)]
pub(crate) struct Operation {
    /// Use pipes instead of a pseudo-terminal.
    #[arg(long)]
    pipe: bool,
    /// The command is an adapter: JSON lines on its standard input and output.
    #[arg(long, conflicts_with = "pipe")]
    adapter: bool,
    /// Ask a person to operate the client and to say what it shows.
    #[arg(long, conflicts_with_all = ["pipe", "adapter"])]
    assisted: bool,
    /// How the client wants to be operated (TOML).
    #[arg(long, value_name = "FILE")]
    profile: Option<PathBuf>,
    /// What is typed for a message to all, such as '{text}'; `\n` begins a second line.
    #[arg(long, value_name = "TEMPLATE")]
    public: Option<String>,
    /// What is typed for a message to one user, such as '/w {user} {text}'.
    #[arg(long, value_name = "TEMPLATE")]
    private: Option<String>,
    /// What is typed to quit; ^D is the end of the input.
    #[arg(long, value_name = "COMMAND")]
    quit: Vec<String>,
    /// Milliseconds to wait before each line.
    #[arg(long, value_name = "MS")]
    delay: Option<u64>,
    /// Set an environment variable of the client.
    #[arg(long = "env", value_name = "NAME=VALUE")]
    env: Vec<String>,
}

impl Operation {
    pub(crate) fn means(&self) -> Means {
        if self.assisted {
            Means::Person(Arc::new(Mutex::new(AtTerminal)))
        } else if self.adapter {
            Means::Adapter
        } else if self.pipe {
            Means::Pipe
        } else {
            Means::Terminal
        }
    }

    pub(crate) fn profile(&self) -> anyhow::Result<Profile> {
        let mut profile = match &self.profile {
            None => Profile::default(),
            Some(file) => Profile::parse(&read(file)?)?,
        };
        let lines = |text: &String| Lines::Many(text.split("\\n").map(str::to_owned).collect());
        if let Some(public) = &self.public {
            profile.public = lines(public);
        }
        if let Some(private) = &self.private {
            profile.private = lines(private);
        }
        if !self.quit.is_empty() {
            profile.quit.clone_from(&self.quit);
        }
        if let Some(delay) = self.delay {
            profile.delay = delay;
        }
        for pair in &self.env {
            let (name, value) = pair.split_once('=').context("--env takes NAME=VALUE")?;
            profile.env.insert(name.to_owned(), value.to_owned());
        }
        Ok(profile)
    }

    /// The options as they were given, for a command that repeats the run.
    pub(super) fn repeat(&self, again: &mut Again) {
        again.flag("--pipe", self.pipe);
        again.flag("--adapter", self.adapter);
        again.flag("--assisted", self.assisted);
        again.file("--profile", self.profile.as_deref());
        again.values("--public", &self.public);
        again.values("--private", &self.private);
        again.values("--quit", &self.quit);
        again.values("--delay", self.delay.map(|delay| delay.to_string()));
        again.values("--env", &self.env);
    }
}
