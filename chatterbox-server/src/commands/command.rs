//! A command: its description and its function.

use futures_util::future::BoxFuture;

use crate::commands::arguments::Arguments;
use crate::commands::context::Context;
use crate::commands::reply::Reply;
use crate::commands::spec::Spec;

/// The function of a command.
pub(super) type Run = for<'a> fn(&'a Context<'a>, Arguments) -> BoxFuture<'a, Reply>;

pub(super) struct Command {
    pub(super) spec: Spec,
    pub(super) run: Run,
}
