//! What all nodes of a cluster store alike: accounts, block lists, settings of admins, sanctions, the audit log and reports.
//!
//! Who changes one of these asks for a command to be put into the order ([`Proposer`]). Every node carries it out when it has
//! come round, on tables that are the same everywhere, so that all come to the same end: the first of two who register one
//! name has it, on every node. Whoever asked is answered by its own node, which has done the same as the others.

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use chatterbox_hub::{Proposal, Sequence, StoreCommand};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::sync::watch;

use crate::store::message_store::StoreError;

/// The stores of one node that do what the order says.
///
/// Calls come from the one who follows the order, one at a time.
pub trait StoreCommands: Send + Sync + Debug {
    /// From now on commands can be asked for here, and what follows from one is told to those who are here. Until then, whoever wants to
    /// change something is refused, and a command is one that a node reads again, or that was decided without it: those who were
    /// there have told what follows.
    fn begin(&self, proposer: Arc<dyn Proposer>);

    /// Does what a proposal asks of the stores: of [`Proposal::Store`] and [`Proposal::Moderate`], and of a message that announces a
    /// file; nothing for others.
    ///
    /// `number` is that of the proposal in the order ([`Group::number_of`](chatterbox_hub::Group::number_of)), so it rises; `accepted` is
    /// whether its hub has accepted it. A number that is not above [`StoreCommands::applied`] was done before, and is passed
    /// over. The number is stored with what was done, so a place must not be noted as applied anywhere before this has
    /// returned for all proposals up to it.
    ///
    /// # Errors
    /// [`StoreError`]: nothing was done, and nothing behind it can be done before. It has to be tried again where that
    /// [may pass](StoreError::may_pass); otherwise the node can't go on. What a command asks for in vain is no error.
    fn apply<'a>(
        &'a self,
        number: Sequence,
        proposal: &'a Proposal,
        accepted: bool,
    ) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The number of the last proposal that was done.
    ///
    /// # Errors
    /// [`StoreError`].
    fn applied(&self) -> BoxFuture<'_, Result<Sequence, StoreError>>;

    /// Changes whenever the settings of admins may be others than before.
    fn settings(&self) -> watch::Receiver<u64>;

    /// All of it, as it is at the moment of this call, whenever the answer is waited for: for whoever begins with it
    /// ([`StoreCommands::restore`]). It holds hashes of passwords.
    ///
    /// # Errors
    /// [`StoreError`].
    fn dump(&self) -> BoxFuture<'static, Result<Bytes, StoreError>>;

    /// One number for all of it but what each node has seen itself, as it is at the moment of this call; and the number of the last
    /// proposal that was done by then. Nodes that have done the same have the same.
    ///
    /// # Errors
    /// [`StoreError`].
    fn digest(&self) -> BoxFuture<'static, Result<(Sequence, u64), StoreError>>;

    /// Those of these accounts, by number, that are not there, as it is at the moment of this call. A number is used once, so they never
    /// will be. Whoever knows of no accounts knows of none that has gone.
    ///
    /// # Errors
    /// [`StoreError`].
    fn gone(&self, accounts: Vec<i64>) -> BoxFuture<'static, Result<Vec<i64>, StoreError>> {
        drop(accounts);
        ready(Ok(Vec::new())).boxed()
    }

    /// Begins with what another node has dumped, in place of all that is here; with nothing where that is empty.
    ///
    /// # Errors
    /// [`StoreError`]: it can't be read, or not be stored; nothing was changed.
    fn restore(&self, state: Bytes) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Gets commands into the order.
pub trait Proposer: Send + Sync + Debug {
    /// Asks for a command to be put into the order. It is done when the command has come round, or never will.
    ///
    /// # Errors
    /// [`NotDecided`].
    fn propose(&self, command: StoreCommand) -> BoxFuture<'static, Result<(), NotDecided>>;
}

/// A command is not in the order, and won't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the command is not in the order")]
pub struct NotDecided;
