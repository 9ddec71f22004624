//! Moderation, as it is stored: sanctions (bans and mutes), the audit log, and what users have reported.
//!
//! A [`ModerationStore`] keeps them. Its calls block, and the trait depends on no store: the command line calls one directly, the
//! server through a thread of its own. [`Moderation`] is the server's side.

mod act;
mod audit;
mod bounded_text;
#[cfg(test)]
pub(crate) mod contract;
mod moderation_store;
mod moderation_thread;
mod moderator;
mod new_sanction;
mod report;
mod report_bounds;

pub use act::Act;
pub use audit::{About, AuditEntry, AuditFilter, AuditRoom, FoldedName, MASKED};
pub use bounded_text::{BoundedText, Label, Reason, ReportText};
pub use moderation_store::{
    AUDIT_PAGE, FORGOTTEN, ModerationError, ModerationStore, OPEN_REPORTS, REPORT_AGE, REPORTS,
    SANCTIONS,
};
pub use moderation_thread::Moderation;
pub use moderator::{Ban, Done, Kick, Moderator, NotDone, Unban};
pub use new_sanction::NewSanction;
pub use report::{Closed, NewReport, Report, ReportFilter};
