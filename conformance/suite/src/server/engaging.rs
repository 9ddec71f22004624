//! Logs in to the account that the suite was given, when a case needs it for the first time.

use std::sync::PoisonError;

use conformance_kit::{clock::Clock, trace::Trace};
use serde_json::{Value, json};

use super::{hands::ServerHands, peer::Peer, staff::Staff};
use crate::{connection::Mark, verdict::Verdict};

/// What the staff speaks.
const OFFER: &str = "accounts/1 commands/1 ids/1 notices/1 rename/1 rooms/1";
/// The level that it has to have.
const LEVEL: u64 = 5;
/// For so many times the time that an answer may take it tries to log in, while its name is taken: its own connection of the
/// case before may have it for a moment.
const PATIENCE: u32 = 2;

const NONE: &str = "it takes an account of level 5: give --staff NAME --staff-password-file FILE (for chatterbox-server, made with: chatterbox-server user add judge --level admin)";

impl ServerHands {
    /// The account of level 5.
    ///
    /// # Errors
    /// Not applicable where none was given, or it has another level; inconclusive where it can't log in.
    pub async fn staff(&mut self) -> Result<&mut Staff, Verdict> {
        if self.engaged().is_none() {
            let staff = self.engage().await?;
            *self.engaged() = Some(staff);
        }
        self.engaged().as_mut().ok_or_else(|| Verdict::not_applicable(NONE))
    }

    fn engaged(&mut self) -> &mut Option<Staff> {
        self.staff.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    async fn engage(&self) -> Result<Staff, Verdict> {
        let Some((name, password)) = self.shared.staff() else {
            return Err(Verdict::not_applicable(NONE));
        };
        let clock = Clock::start();
        loop {
            let mut peer = self.connect_unrecorded("staff").await?;
            let answer = peer.offer(&name, OFFER, &[("PASSWORD", json!(password))]).await;
            let Some(answer) = answer else {
                let heard = peer.heard(Mark::START);
                return Err(Verdict::inconclusive(format!("the staff gets no answer; {heard}")));
            };
            if answer.accepted() == Some(true) {
                let level = answer.key("ACCOUNT").and_then(|account| account.get("LEVEL"));
                return of_level(peer, level.and_then(Value::as_u64), &self.trace);
            }
            let code = answer.key("CODE").and_then(Value::as_str).unwrap_or_default();
            let late = clock.elapsed() > self.patience() * PATIENCE;
            if late || !matches!(code, "taken" | "busy" | "throttled") {
                let heard = peer.heard(Mark::START);
                return Err(Verdict::inconclusive(format!("{name} can't log in: {heard}")));
            }
            drop(peer);
            self.settle().await;
        }
    }
}

fn of_level(peer: Peer, level: Option<u64>, trace: &Trace) -> Result<Staff, Verdict> {
    if level == Some(LEVEL) {
        return Ok(Staff::new(peer, trace.clone()));
    }
    let level = level.map_or_else(|| "none".to_owned(), |level| level.to_string());
    Err(Verdict::not_applicable(format!(
        "{}, the account of --staff, has level {level}, and it takes level {LEVEL}",
        peer.name
    )))
}
