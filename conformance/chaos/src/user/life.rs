//! The life of a user who talks, whatever protocol it speaks: it connects where it is not connected, takes what comes, looks after itself
//! every so often, and reads the pages at the end.

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use super::{
    habits::LOOK,
    line::{Line, Object},
    pages::Reader,
    phase::Phase,
};
use crate::evidence::{Closing, Pages, Testimony};

/// A user who talks.
pub(crate) trait Life: Send {
    /// The connection, where there is one.
    fn line(&mut self) -> Option<&mut Line>;

    /// Tries one node, and waits a little when it does not let the user in.
    fn connect(&mut self) -> impl Future<Output = ()> + Send;

    /// Takes an object of the server.
    fn take(&mut self, object: &Object);

    /// The connection is over.
    fn ended(&mut self, why: Closing);

    /// Does what it does by itself.
    fn look(&mut self, phase: Phase) -> impl Future<Output = ()> + Send;

    /// Tells the run what it waits for in this phase.
    fn report(&mut self, phase: Phase);

    /// Whether it reads nothing in this phase.
    fn dawdles(&self, _phase: Phase) -> bool {
        false
    }

    /// It reads again, after a time in which it has read nothing.
    fn reads_again(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// What it has seen, its connection, and how its pages are read.
    fn leave(self) -> (Testimony, Option<Line>, Reader);
}

/// Lives to the end of the run.
pub(crate) async fn live(
    mut user: impl Life,
    mut phase: watch::Receiver<Phase>,
) -> (Testimony, Vec<Pages>) {
    // Of its own: whoever hears a lot must look after itself all the same.
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let now = *phase.borrow_and_update();
        if now == Phase::Read {
            break;
        }
        if user.line().is_none() {
            user.connect().await;
            continue;
        }
        if user.dawdles(now) {
            if phase.changed().await.is_err() {
                break;
            }
            user.reads_again().await;
            continue;
        }
        let Some(line) = user.line() else { continue };
        tokio::select! {
            object = line.next() => match object {
                // Others who have heard of the end are gone already, which is no news of the run.
                _ if *phase.borrow() == Phase::Read => break,
                Some(object) => user.take(&object),
                None => user.ended(Closing::Lost),
            },
            _ = looks.tick() => {
                user.look(now).await;
                user.report(now);
            }
            changed = phase.changed() => if changed.is_err() { break },
        }
    }
    let (testimony, line, reader) = user.leave();
    if let Some(line) = line {
        line.close().await;
    }
    (testimony, reader.read().await)
}
