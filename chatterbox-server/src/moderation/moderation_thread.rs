//! The server's side of a store of moderation: a thread that calls it, so that a slow disk blocks no task but those that wait for
//! it.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use chatterbox_hub::{RoomNumber, Sanction, SanctionId, StoreCommand};
use tokio::sync::{mpsc, oneshot};

use crate::moderation::audit::{AuditEntry, AuditFilter};
use crate::moderation::moderation_store::{ModerationError, ModerationStore, REPORT_AGE};
use crate::moderation::new_sanction::NewSanction;
use crate::moderation::report::{NewReport, Report, ReportFilter};
use crate::moderation::report_bounds::ReportBounds;

type Job = Box<dyn FnOnce(&mut dyn ModerationStore) + Send>;

/// What nodes write down when it is done, in a chat of several nodes; in others it is written by now.
pub type Written = Option<StoreCommand>;

/// Calls that may wait for the thread; further callers wait for room.
const WAITING_JOBS: usize = 64;

/// What is stored of moderation, as tasks call it; the calls are those of [`ModerationStore`].
///
/// A call that was begun is done, also when the task that waits for it has ended meanwhile.
#[derive(Debug)]
pub struct Moderation {
    /// `None` only while it is dropped.
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    /// Used by the thread only.
    report_bounds: Arc<Mutex<ReportBounds>>,
}

impl Moderation {
    /// # Errors
    /// When a thread can't be started.
    pub fn new(mut store: impl ModerationStore + 'static) -> io::Result<Self> {
        let (jobs, mut inbox) = mpsc::channel::<Job>(WAITING_JOBS);
        let thread = std::thread::Builder::new().name("moderation".into()).spawn(move || {
            while let Some(job) = inbox.blocking_recv() {
                job(&mut store);
            }
        })?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), report_bounds: Arc::default() })
    }

    async fn call<T: Send + 'static>(
        &self,
        function: impl FnOnce(&mut dyn ModerationStore) -> Result<T, ModerationError> + Send + 'static,
    ) -> Result<T, ModerationError> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or(ModerationError::Closed)?;
        let job: Job = Box::new(move |store| {
            // The caller may have been cancelled meanwhile.
            let _ = reply.send(function(store));
        });
        jobs.send(job).await.map_err(|_| ModerationError::Closed)?;
        answer.await.map_err(|_| ModerationError::Closed)?
    }

    /// The sanctions of earlier runs that hold, when a server starts. Those that have ended are removed, and those of rooms and accounts
    /// that are not there any more.
    ///
    /// # Errors
    /// [`ModerationError`].
    pub async fn load(&self, now: i64) -> Result<Vec<Sanction>, ModerationError> {
        self.call(move |store| {
            // A full disk does not keep anybody from reading who is banned.
            for removed in [store.forget_ended(now), store.forget_orphans()] {
                if let Err(error) = removed {
                    tracing::warn!(%error, "old sanctions could not be removed");
                }
            }
            store.sanctions(now)
        })
        .await
    }

    /// # Errors
    /// [`ModerationError`].
    pub async fn impose(
        &self,
        audit: AuditEntry,
        sanctions: Vec<NewSanction>,
    ) -> Result<Vec<SanctionId>, ModerationError> {
        self.call(move |store| store.impose(&audit, &sanctions)).await
    }

    /// # Errors
    /// [`ModerationError`].
    pub async fn lift(
        &self,
        audit: AuditEntry,
        ids: Vec<SanctionId>,
    ) -> Result<(), ModerationError> {
        self.call(move |store| store.lift(&audit, &ids)).await
    }

    /// # Errors
    /// [`ModerationError`].
    pub async fn note(&self, audit: AuditEntry) -> Result<(), ModerationError> {
        self.call(move |store| store.note(&audit)).await
    }

    /// Writes an act down with the sanctions that it imposes, and then does something with them at once: also when whoever waits
    /// for it has gone meanwhile, so that nothing is stored that does not hold. In a chat of several nodes what is done then has what
    /// all of them write down, and the numbers are not known yet.
    ///
    /// # Errors
    /// [`ModerationError`]; nothing is done then.
    pub async fn impose_then<T: Send + 'static>(
        &self,
        audit: AuditEntry,
        sanctions: Vec<NewSanction>,
        then: impl FnOnce(Vec<Sanction>, Written) -> T + Send + 'static,
    ) -> Result<T, ModerationError> {
        self.call(move |store| {
            let written = store.written_when_done(&audit);
            let ids = match &written {
                Some(_) => vec![SanctionId::NONE; sanctions.len()],
                None => store.impose(&audit, &sanctions)?,
            };
            let imposed = sanctions.iter().zip(ids).map(|(new, id)| new.with_id(id)).collect();
            Ok(then(imposed, written))
        })
        .await
    }

    /// The same for sanctions that an act lifts.
    ///
    /// # Errors
    /// [`ModerationError`]; nothing is done then.
    pub async fn lift_then<T: Send + 'static>(
        &self,
        audit: AuditEntry,
        ids: Vec<SanctionId>,
        then: impl FnOnce(Vec<SanctionId>, Written) -> T + Send + 'static,
    ) -> Result<T, ModerationError> {
        self.call(move |store| {
            let written = store.written_when_done(&audit);
            if written.is_none() {
                store.lift(&audit, &ids)?;
            }
            Ok(then(ids, written))
        })
        .await
    }

    /// The same for an act without sanctions.
    ///
    /// # Errors
    /// [`ModerationError`]; nothing is done then.
    pub async fn note_then<T: Send + 'static>(
        &self,
        audit: AuditEntry,
        then: impl FnOnce(Written) -> T + Send + 'static,
    ) -> Result<T, ModerationError> {
        self.call(move |store| {
            let written = store.written_when_done(&audit);
            if written.is_none() {
                store.note(&audit)?;
            }
            Ok(then(written))
        })
        .await
    }

    /// # Errors
    /// [`ModerationError`].
    pub async fn forget_room(&self, room: RoomNumber) -> Result<(), ModerationError> {
        self.call(move |store| store.forget_room(room)).await
    }

    /// # Errors
    /// [`ModerationError`].
    pub async fn forget_account(&self, account: i64) -> Result<(), ModerationError> {
        self.call(move |store| store.forget_account(account)).await
    }

    /// Removes what is too old: entries of the audit log from before `audit_before`, reports, and sanctions that have ended or are
    /// of what is not there any more.
    ///
    /// # Errors
    /// [`ModerationError`].
    pub async fn forget_by_age(&self, now: i64, audit_before: i64) -> Result<(), ModerationError> {
        self.call(move |store| {
            store.forget_ended(now)?;
            store.forget_orphans()
        })
        .await?;
        // Others are served between two steps.
        let reports_before = now.saturating_sub(REPORT_AGE);
        while self.call(move |store| store.forget_reports(reports_before)).await? {}
        while self.call(move |store| store.forget_audit(audit_before)).await? {}
        Ok(())
    }

    /// # Errors
    /// [`ModerationError`].
    pub async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditEntry>, ModerationError> {
        self.call(move |store| store.audit(&filter)).await
    }

    /// Keeps a report that comes from an address, within the bounds of its network and of whom it is about.
    ///
    /// # Errors
    /// [`ModerationError`].
    pub async fn report(
        &self,
        new: NewReport,
        from: Option<IpAddr>,
    ) -> Result<i64, ModerationError> {
        let bounds = Arc::clone(&self.report_bounds);
        self.call(move |store| {
            let mut bounds = bounds.lock().unwrap_or_else(PoisonError::into_inner);
            bounds.report(store, &new, from)
        })
        .await
    }

    /// # Errors
    /// [`ModerationError`].
    pub async fn reports(&self, filter: ReportFilter) -> Result<Vec<Report>, ModerationError> {
        self.call(move |store| store.reports(filter)).await
    }

    /// # Errors
    /// [`ModerationError`].
    pub async fn report_of(&self, number: i64) -> Result<Option<Report>, ModerationError> {
        self.call(move |store| store.report_of(number)).await
    }

    /// # Errors
    /// [`ModerationError`].
    pub async fn close_report(
        &self,
        audit: AuditEntry,
        number: i64,
    ) -> Result<bool, ModerationError> {
        self.call(move |store| store.close_report(&audit, number)).await
    }
}

/// Waits for the calls in the queue.
impl Drop for Moderation {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of moderation has panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc as std_mpsc;

    use chatterbox_hub::{SanctionKind, SanctionSubject};
    use chatterbox_proto::Username;
    use futures_util::FutureExt as _;

    use super::*;
    use crate::moderation::{AUDIT_PAGE, Act, FORGOTTEN};
    use crate::store::MemoryModeration;

    fn ban(name: &str, until: Option<i64>) -> NewSanction {
        NewSanction {
            kind: SanctionKind::Ban,
            subject: SanctionSubject::Name(Username::parse(name).unwrap()),
            about: name.into(),
            room: None,
            by: "Mod".into(),
            reason: "".into(),
            since: 100,
            until,
        }
    }

    fn act(at: i64) -> AuditEntry {
        AuditEntry::new(at, "Mod", Act::Ban)
    }

    #[tokio::test]
    async fn what_is_old_goes_and_what_holds_is_loaded() {
        let moderation = Moderation::new(MemoryModeration::default()).unwrap();
        let new = vec![ban("eve", None), ban("mallory", Some(200))];
        let ids = moderation.impose(act(100), new.clone()).await.unwrap();
        moderation.note(act(150)).await.unwrap();
        for _ in 0..2 * FORGOTTEN {
            moderation.note(act(149)).await.unwrap();
        }
        let expected = [new[0].with_id(ids[0])];
        assert_eq!(moderation.load(200).await.unwrap(), expected);
        assert_eq!(moderation.load(100).await.unwrap(), expected, "the other one is removed");
        moderation.forget_by_age(300, 150).await.unwrap();
        let left = moderation.audit(AuditFilter::default()).await.unwrap();
        assert_eq!(left.iter().map(|entry| entry.at).collect::<Vec<_>>(), [150]);
        assert_eq!(moderation.load(300).await.unwrap(), expected, "bans don't age");
    }

    #[tokio::test]
    async fn a_call_whose_caller_has_gone_is_done_and_callers_wait_for_room() {
        let moderation = Moderation::new(MemoryModeration::default()).unwrap();
        let (go_on, wait) = std_mpsc::channel::<()>();
        let mut blocked = Box::pin(moderation.call(move |_| {
            let _ = wait.recv();
            Ok(())
        }));
        assert!(blocked.as_mut().now_or_never().is_none());
        let mut waiting = 0;
        // The thread has taken the first call, or will.
        while let Some(room) = moderation.jobs.as_ref().map(mpsc::Sender::capacity)
            && room > 0
        {
            assert!(moderation.note(act(100)).now_or_never().is_none());
            waiting += 1;
            assert!(waiting <= WAITING_JOBS + 1);
        }
        let mut late = Box::pin(moderation.note(act(100)));
        assert!(late.as_mut().now_or_never().is_none());
        go_on.send(()).unwrap();
        blocked.await.unwrap();
        late.await.unwrap();
        let done = moderation.audit(AuditFilter::default()).await.unwrap();
        assert!(done.len() > waiting && done.len() < AUDIT_PAGE, "{} of {waiting}", done.len());
    }
}
