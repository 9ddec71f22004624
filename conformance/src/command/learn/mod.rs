//! `conformance learn`: one step at a time, for those who write a server or a client.

mod arguments;
mod files;
mod learner;
mod observed;
mod progress_line;
mod run;
mod show;
mod walk;
mod watch;

pub(crate) use arguments::LearnArguments;
pub(crate) use run::run;
