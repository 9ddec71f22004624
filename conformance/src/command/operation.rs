//! How a client is operated: the options that grading and learning share.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use anyhow::Context as _;
use clap::Args;
use conformance_suite::client::{Means, Profile, operator::person::AtTerminal, profile::Lines};

use super::shared::read;

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
    pub(crate) fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (flag, given) in
            [("--pipe", self.pipe), ("--adapter", self.adapter), ("--assisted", self.assisted)]
        {
            if given {
                words.push(flag.to_owned());
            }
        }
        if let Some(file) = &self.profile {
            words.push(format!("--profile {}", file.display()));
        }
        for (flag, value) in [("--public", &self.public), ("--private", &self.private)] {
            words.extend(value.iter().map(|value| format!("{flag} '{value}'")));
        }
        words.extend(self.quit.iter().map(|way| format!("--quit '{way}'")));
        words.extend(self.delay.iter().map(|delay| format!("--delay {delay}")));
        words.extend(self.env.iter().map(|pair| format!("--env '{pair}'")));
        words
    }
}

/// A word as a shell takes it.
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./{}:=,+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
