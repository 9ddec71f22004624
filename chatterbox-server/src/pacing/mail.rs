//! The rate at which members ask for accounts whose users are not here, to write to them (AN-7).

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chatterbox_hub::guard::pace::{ByPerson, MAIL, MAIL_FROM_ADDRESS};
use chatterbox_hub::{Identity, MemberId};

use super::{Paced, Person};

/// So many pairs of who writes and to whom are remembered.
const PAIRS: usize = 4_096;

/// Accounts that are asked for by name, for each account and address. One that somebody has written to a moment ago costs
/// nothing.
#[derive(Debug)]
pub struct MailPacing {
    asked: Paced<ByPerson<Person>>,
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    known: HashSet<(Person, i64)>,
    order: VecDeque<(Person, i64)>,
}

impl Default for MailPacing {
    fn default() -> Self {
        let asked = Paced::new(ByPerson::new(MAIL, MAIL_FROM_ADDRESS));
        Self { asked, recent: Mutex::default() }
    }
}

impl MailPacing {
    /// Counts that somebody has asked for a name, which is that of an account or not.
    ///
    /// # Errors
    /// How long to wait: they are not told then what was found.
    pub fn try_take(
        &self,
        id: MemberId,
        who: &Identity,
        found: Option<i64>,
    ) -> Result<(), Duration> {
        let person = Person::of(id, who);
        let recent = || self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if found.is_some_and(|account| recent().known.contains(&(person, account))) {
            return Ok(());
        }
        self.asked.with(|limits, now| limits.try_take(now, &person, who.address))?;
        if let Some(account) = found {
            let mut recent = recent();
            recent.known.insert((person, account));
            recent.order.push_back((person, account));
            if recent.order.len() > PAIRS
                && let Some(oldest) = recent.order.pop_front()
            {
                recent.known.remove(&oldest);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_hub::{Hub, JoinRequest, Keep, TimelineLimits};
    use chatterbox_proto::Username;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn names_are_asked_for_at_a_rate_and_friends_cost_nothing() {
        let pacing = MailPacing::default();
        let mut hub = Hub::new(TimelineLimits::default(), Keep::default());
        let ann = Username::parse("ann").unwrap();
        let id = hub.admit(JoinRequest::base(&ann, "")).unwrap().id;
        let who = Identity::guest(ann);
        for _ in 0..1_000 {
            pacing.try_take(id, &who, Some(7)).unwrap();
        }
        let others = (0..1_000).filter(|_| pacing.try_take(id, &who, None).is_ok()).count();
        assert_eq!(others, MAIL.burst as usize - 1);
        assert!(pacing.try_take(id, &who, Some(8)).is_err(), "neither what there is nor what not");
        pacing.try_take(id, &who, Some(7)).unwrap();
        tokio::time::advance(MAIL.every).await;
        pacing.try_take(id, &who, Some(8)).unwrap();
        for account in 0..2 * PAIRS as i64 {
            tokio::time::advance(MAIL.every).await;
            pacing.try_take(id, &who, Some(account)).unwrap();
        }
        let recent = pacing.recent.lock().unwrap();
        assert_eq!((recent.known.len(), recent.order.len()), (PAIRS, PAIRS), "it is bounded");
    }
}
