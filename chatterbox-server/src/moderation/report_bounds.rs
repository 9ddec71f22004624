//! How many reports may be open from one place, and about one user: otherwise one person fills what all have.

use std::collections::BTreeMap;
use std::net::IpAddr;

use chatterbox_hub::guard::network;

use crate::moderation::audit::FoldedName;
use crate::moderation::moderation_store::{
    ModerationError, ModerationStore, OPEN_REPORTS, OPEN_REPORTS_ABOUT, OPEN_REPORTS_FROM,
};
use crate::moderation::report::{NewReport, ReportFilter};

/// What counts, beside a store. Addresses are not stored, so reports of earlier runs are from nowhere.
#[derive(Debug, Default)]
pub(super) struct ReportBounds {
    /// Those that were open when it was last looked, and newer ones; `None` before the first look.
    open: Option<BTreeMap<i64, Counted>>,
}

#[derive(Debug)]
struct Counted {
    from: Option<IpAddr>,
    about: FoldedName,
}

impl ReportBounds {
    /// Keeps a report that comes from an address, if there may be another one.
    ///
    /// # Errors
    /// [`ModerationError::TooMany`]; others, as [`ModerationStore::report`].
    pub(super) fn report(
        &mut self,
        store: &mut dyn ModerationStore,
        new: &NewReport,
        from: Option<IpAddr>,
    ) -> Result<i64, ModerationError> {
        let counted = Counted { from: from.map(network), about: FoldedName::of(&new.subject) };
        // Those that were closed since, or are too old, are only looked for when it matters.
        if self.open.as_ref().is_none_or(|open| counted.is_too_many(open)) {
            self.look(store)?;
        }
        let open = self.open.get_or_insert_default();
        if counted.is_too_many(open) {
            return Err(ModerationError::TooMany);
        }
        let number = store.report(new)?;
        open.insert(number, counted);
        Ok(number)
    }

    /// Leaves those that are open now, with what is known of where they come from.
    fn look(&mut self, store: &mut dyn ModerationStore) -> Result<(), ModerationError> {
        let open = store.reports(ReportFilter::default())?.into_iter();
        let mut before = self.open.take().unwrap_or_default();
        let counted = open.map(|report| {
            let unknown = || Counted { from: None, about: FoldedName::of(&report.what.subject) };
            (report.number, before.remove(&report.number).unwrap_or_else(unknown))
        });
        self.open = Some(counted.collect());
        Ok(())
    }
}

impl Counted {
    fn is_too_many(&self, open: &BTreeMap<i64, Self>) -> bool {
        let from = open.values().filter(|one| self.from.is_some() && one.from == self.from);
        let about = open.values().filter(|one| one.about == self.about);
        open.len() >= OPEN_REPORTS
            || from.count() >= OPEN_REPORTS_FROM
            || about.count() >= OPEN_REPORTS_ABOUT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moderation::{Act, AuditEntry, Reason};
    use crate::store::MemoryModeration;

    fn about(subject: &str) -> NewReport {
        NewReport {
            reporter: "ann".into(),
            reporter_account: None,
            subject: subject.into(),
            message: None,
            text: None,
            room: None,
            reason: Reason::default(),
            at: 7,
        }
    }

    fn address(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    /// How many are kept until one is refused.
    fn fill(report: impl FnMut(usize) -> Result<i64, ModerationError>) -> usize {
        (0..=OPEN_REPORTS).map(report).take_while(Result::is_ok).count()
    }

    #[test]
    fn one_network_does_not_fill_the_place_of_all() {
        let (mut bounds, mut store) = (ReportBounds::default(), MemoryModeration::default());
        // Every time another address of the network, and another user.
        let from = |place: usize| address(&format!("2001:db8::{place:x}"));
        let mut report =
            |place: usize, from| bounds.report(&mut store, &about(&format!("eve{place}")), from);
        assert_eq!(fill(|place| report(place, from(place))), OPEN_REPORTS_FROM);
        assert!(report(1_000, address("2001:db8:0:1::")).is_ok(), "the next network");
        assert!(report(1_001, None).is_ok());
        let close = AuditEntry::new(8, "Mod", Act::CloseReport);
        assert!(store.close_report(&close, 3).unwrap());
        let last = about("mallory");
        assert!(bounds.report(&mut store, &last, from(1)).is_ok(), "one was closed");
        assert!(bounds.report(&mut store, &last, from(1)).is_err());
    }

    #[test]
    fn reports_about_one_user_do_not_fill_it_either() {
        let mut store = MemoryModeration::default();
        let mut bounds = ReportBounds::default();
        let mut report = |bounds: &mut ReportBounds, place: usize, subject: &str| {
            let from = address(&format!("192.0.2.{place}"));
            bounds.report(&mut store, &about(subject), from)
        };
        let spelled = |place: usize| if place.is_multiple_of(2) { "Eve" } else { "EVE" };
        assert_eq!(fill(|place| report(&mut bounds, place, spelled(place))), OPEN_REPORTS_ABOUT);
        assert!(report(&mut bounds, 1, "bob").is_ok());
        // A restart does not begin anew.
        bounds = ReportBounds::default();
        assert!(report(&mut bounds, 200, "eve").is_err());
    }
}
