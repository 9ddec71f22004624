//! Asking for a name: what a server looks at before it says yes.

use std::time::Duration;

use conformance_suite::fault::Fault;
use serde_json::{Map, Value, json};
use tokio::time::sleep;

use super::{
    capability::{agreed::Agreed, offer::longest_name},
    chat::Joining,
    session::Session,
};

impl Session {
    /// Answers `USERNAME`; false when the connection ends with it.
    pub(super) async fn ask(
        &mut self,
        name: &Value,
        offer: Agreed,
        beside: &Map<String, Value>,
    ) -> bool {
        let f = self.shared.faults.clone();
        if f.acts(Fault::NoAnswerToName) {
            return true;
        }
        if self.name.is_some() {
            if let (Some(name), true) = (name.as_str(), f.acts(Fault::RenamesOnSecondName)) {
                return self.haunt(name).await;
            }
            return f.acts(Fault::SecondNameIgnored) || self.error("joined already").await;
        }
        let name = match name {
            Value::String(name) => name.clone(),
            other if f.acts(Fault::NumberNameAccepted) => other.to_string(),
            _ if f.acts(Fault::NumberNameIgnored) => return true,
            _ => return self.error("a name is a string").await,
        };
        if !self.survives(&name).await {
            return false;
        }
        let address = Some(self.address);
        let mut asks = Joining { agreed: offer, address, ..Joining::default() };
        if let Some(kept) = self.kept.take() {
            asks.agreed = kept;
        }
        if let Some(text) = self.malformed(&asks.agreed, beside) {
            return self.error(text).await;
        }
        asks.recent = self.recent(&asks.agreed, beside);
        asks.device = Self::device(beside).filter(|_| asks.agreed.has("e2ee"));
        let mut chat = self.shared.chat.lock().await;
        if let Some(resume) = beside.get("RESUME").filter(|_| asks.agreed.has("ids")) {
            asks.resumes = true;
            asks.resumption = chat.resumption(resume, &name, &asks.agreed);
        }
        let lost = asks.resumes && asks.resumption.is_none();
        let taken = chat.is_taken(&name)
            && asks.resumption.is_none()
            && !(lost && f.acts(Fault::BadTokenTakesName));
        let mute = !chat.history.is_empty() && f.acts(Fault::NoWelcomeAfterTalk);
        if mute || (taken && f.acts(Fault::NoAnswerToDuplicate)) {
            return true;
        }
        let usable = !f.acts(Fault::NeverAccepts)
            && (!name.is_empty() || f.acts(Fault::EmptyNameAccepted))
            && (!name.eq_ignore_ascii_case("ALL") || f.acts(Fault::AllAccepted))
            && (name.chars().count() <= 32
                || (f.acts(Fault::LongNamesAccepted) && name.chars().count() <= longest_name(&f)))
            && !(lost && f.acts(Fault::BadTokenRefused))
            && (self.refused.is_none() || !f.acts(Fault::RefusedForGood));
        let taken = taken && !f.acts(Fault::DuplicateAccepted);
        let standing = match (usable, taken, asks.resumption.is_some()) {
            (false, ..) => Err(("bad-name", "that can't be a name")),
            (_, true, _) => chat.as_device(&name, &asks.agreed, beside),
            (.., true) => {
                Ok(asks.resumption.as_ref().map(|old| chat.standing_of(old)).unwrap_or_default())
            }
            _ => chat.standing(&name, &asks.agreed, beside),
        };
        match standing {
            Ok(standing) => asks.standing = standing,
            Err((code, text)) => {
                chat.refused(&name, &self.outbox);
                let mut refusal = chat.refusal(&asks.agreed, code, text);
                drop(chat);
                self.refused = Some(name);
                self.kept = f.acts(Fault::RefusedOfferKept).then_some(asks.agreed);
                let no =
                    if f.acts(Fault::AcceptedAsString) { json!("false") } else { json!(false) };
                refusal.insert("USERNAME_ACCEPTED".into(), no);
                self.outbox.send(&Value::Object(refusal));
                return !f.acts(Fault::ClosesAfterRefusal);
            }
        }
        if let Some(sanction) = chat.kept_out(&name, &asks) {
            let mut refusal = chat.exclusion(sanction, &asks.agreed);
            drop(chat);
            refusal.insert("USERNAME_ACCEPTED".into(), json!(false));
            self.refused = Some(name);
            self.outbox.send(&Value::Object(refusal));
            return true;
        }
        if asks.standing.account().is_some() && f.acts(Fault::BanRace) {
            // A ban that is made now does not find who is about to join.
            drop(chat);
            sleep(Duration::from_millis(60)).await;
            chat = self.shared.chat.lock().await;
        }
        if f.acts(Fault::RaceBothAccepted) {
            // Between the check and the taking, another one gets in.
            drop(chat);
            sleep(Duration::from_millis(60)).await;
            chat = self.shared.chat.lock().await;
        }
        chat.join(self.connection, &name, &self.outbox, &asks);
        drop(chat);
        self.agreed = asks.agreed;
        self.level = asks.standing.level();
        self.name = Some(name);
        self.send_catalogue();
        true
    }

    /// Whether the server goes on after a name about which the norm says nothing.
    async fn survives(&self, name: &str) -> bool {
        let f = &self.shared.faults;
        let dies = (name.is_empty() && f.acts(Fault::DiesOfEmptyName))
            || (name == "ALL" && f.acts(Fault::DiesOfAll));
        if dies {
            self.shared.power.off();
            return false;
        }
        if name.chars().count() > 40 && f.acts(Fault::HangsOnLongName) {
            let _everybody = self.shared.chat.lock().await;
            sleep(Duration::from_secs(3_600)).await;
        }
        if name == "ALL" && f.acts(Fault::GhostOfRefused) {
            self.shared.chat.lock().await.haunt(name);
        }
        true
    }

    /// Takes a second name, and leaves the first one behind.
    async fn haunt(&mut self, name: &str) -> bool {
        let mut chat = self.shared.chat.lock().await;
        if let Some(before) = self.name.replace(name.to_owned()) {
            chat.members.retain(|member| member.connection != self.connection);
            chat.haunt(&before);
            chat.haunted = true;
        }
        chat.join(self.connection, name, &self.outbox, &Joining::default());
        true
    }

    /// The malformed key beside an offer.
    fn malformed(&self, agreed: &Agreed, beside: &Map<String, Value>) -> Option<&'static str> {
        let f = &self.shared.faults;
        if let Some(resume) = beside.get("RESUME") {
            let sound = resume.get("TOKEN").is_some_and(Value::is_string)
                && resume.get("AFTER").is_some_and(Value::is_u64);
            if agreed.has("ids") && !sound && !f.acts(Fault::MalformedResumeIgnored) {
                return Some("RESUME is TOKEN and AFTER");
            }
            if !agreed.has("ids") && f.acts(Fault::ResumeWithoutOfferRefused) {
                return Some("resume what?");
            }
        }
        if self.odd_recent(agreed, beside) {
            return Some("RECENT is 0 to 1000");
        }
        let proofs = ["PASSWORD", "TOKEN"].into_iter().filter_map(|key| beside.get(key));
        let odd = agreed.has("accounts") && proofs.into_iter().any(|proof| !proof.is_string());
        (odd && !f.acts(Fault::ProofUnchecked)).then_some("PASSWORD and TOKEN are strings")
    }
}
