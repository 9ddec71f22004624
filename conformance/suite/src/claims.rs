//! `--claims`: the extensions that a subject declares. A declared extension is
//! mandatory; the cases of all others are left out.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::{
    case::{Case, Judged, Row},
    select::Pattern,
    verdict::Verdict,
};

/// The extension that is claimed with every capability: that a server negotiates at all.
pub const NEGOTIATION: &str = "negotiation";

/// The capabilities of `docs/capabilities.md`.
pub const CAPABILITIES: [&str; 16] = [
    "accounts", "commands", "devices", "e2ee", "files", "ids", "marks", "meta", "notices", "ping",
    "presence", "recent", "rename", "rooms", "utf8", "zstd",
];

/// The extension that is no capability: commands with which people are removed, kept out and kept from writing.
pub const MODERATION: &str = "moderation";

/// What a capability is agreed on with, and not without (`CP-8`); and what is spoken for an extension that is none.
const NEEDS: [(&str, &[&str]); 7] = [
    ("devices", &["accounts", "ids"]),
    ("e2ee", &["accounts", "ids", "meta"]),
    ("files", &["accounts", "ids", "meta"]),
    ("marks", &["accounts", "ids"]),
    ("meta", &["ids"]),
    ("rooms", &["ids", "rename", "commands"]),
    (MODERATION, &["accounts", "commands", "ids", "notices", "rename", "rooms"]),
];

/// The offer of one capability with all that it needs, each in version 1.
#[must_use]
pub fn offer_of(name: &str) -> String {
    let needs = NEEDS.iter().find(|(one, _)| *one == name).map_or(&[][..], |(_, needs)| *needs);
    let words: Vec<_> =
        needs.iter().copied().chain([name]).map(|name| format!("{name}/1")).collect();
    words.join(" ")
}

/// Stands for every extension that some case is about.
const ALL: &str = "all";

/// The extensions that the subject declares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims(BTreeSet<String>);

/// Why a claim is none: a typing error would leave out what the user wants to be judged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{claim:?} is no extension that the suite can judge; extensions with cases: {known}")]
pub struct ClaimError {
    /// The claim.
    claim: String,
    /// The known extensions, or "none yet".
    known: String,
}

impl Claims {
    /// Reads names separated by commas; each must be an extension that some case is about, or `all`. Whoever claims a
    /// capability claims [`NEGOTIATION`], too.
    ///
    /// # Errors
    /// For an extension without cases.
    pub fn parse<J: Judged>(
        texts: &[String],
        all: &[&'static Case<J>],
    ) -> Result<Self, ClaimError> {
        let known: BTreeSet<&str> = all.iter().filter_map(|case| case.extension).collect();
        let parts = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
        let mut claims = BTreeSet::new();
        for part in parts.filter(|part| !part.is_empty()) {
            let name = part.to_ascii_lowercase();
            if name == ALL && !known.is_empty() {
                claims.extend(known.iter().map(|name| (*name).to_owned()));
                continue;
            }
            if !known.contains(name.as_str()) {
                let names: Vec<&str> = known.into_iter().collect();
                let known = if names.is_empty() { "none yet".to_owned() } else { names.join(", ") };
                return Err(ClaimError { claim: part.to_owned(), known });
            }
            claims.insert(name);
        }
        let needing = NEEDS.iter().map(|(name, _)| name);
        let negotiates = CAPABILITIES.iter().chain(needing).any(|name| claims.contains(*name));
        if negotiates && known.contains(NEGOTIATION) {
            claims.insert(NEGOTIATION.to_owned());
        }
        Ok(Self(claims))
    }

    /// Whether an extension is declared.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// The capabilities that are declared.
    pub fn capabilities(&self) -> impl Iterator<Item = &'static str> {
        CAPABILITIES.into_iter().filter(|name| self.has(name))
    }

    /// Those and what any claim needs, which is spoken with it whether it is claimed or not.
    #[must_use]
    pub fn spoken(&self) -> Vec<&'static str> {
        let needed = NEEDS.iter().filter(|(name, _)| self.has(name)).flat_map(|(_, needs)| *needs);
        let needed: Vec<&str> = needed.copied().collect();
        let spoken = |name: &&str| self.has(name) || needed.contains(name);
        CAPABILITIES.into_iter().filter(spoken).collect()
    }

    /// Whether a case is part of a run: what is not claimed is not, unless it was asked for by its name; then the answer
    /// is why not.
    #[must_use]
    pub fn concern(&self, case: &Row, named: &[Pattern]) -> bool {
        self.excuse(case).is_none() || named.iter().any(|pattern| pattern.names(case))
    }

    /// Why a case is not asked, if it isn't: its extension was not claimed, or one beside it is not spoken.
    #[must_use]
    pub fn excuse(&self, case: &Row) -> Option<Verdict> {
        let unclaimed = case.extension.iter().find(|name| !self.has(name));
        let spoken = |name: &str| self.has(name) || self.spoken().contains(&name);
        let extension = unclaimed.or_else(|| case.also.iter().find(|name| !spoken(name)))?;
        Some(Verdict::not_applicable(format!("not claimed: the extension {extension}")))
    }
}

#[cfg(test)]
mod tests {
    use std::{future::ready, sync::Arc, time::Duration};

    use super::*;
    use crate::{
        invariants::Invariants,
        run::{
            Options, Unwatched,
            schedule::Schedule,
            server::runner::{Plan, ServerRunner},
        },
        server::{Case, ServerSide, hands::ServerHands, shared::Shared},
        verdict::Outcome,
    };
    use conformance_kit::{net::dial::Transport, timing::Timing};

    fn broken(_: &mut ServerHands) -> Outcome {
        Ok(Verdict::fail("a room", "no room"))
    }

    /// A list as it may look one day; `rooms` is broken on this subject, `commands` too.
    static MADE_UP: [Case; 5] = [
        Case::must("x.base", "FR-1", |_| Box::pin(ready(Ok(Verdict::Pass)))),
        Case::must("x.room", "FR-1", |c| Box::pin(ready(broken(c)))).extension("rooms"),
        Case::should("x.room-nice", "FR-1", |c| Box::pin(ready(broken(c)))).extension("rooms"),
        Case::must("x.room-more", "FR-1", |_| Box::pin(ready(Ok(Verdict::Pass))))
            .needs(&["x.room"])
            .extension("rooms"),
        Case::must("x.command", "FR-1", |c| Box::pin(ready(broken(c)))).extension("commands"),
    ];

    fn all() -> Vec<&'static Case> {
        MADE_UP.iter().collect()
    }

    fn own(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    /// Runs the list; none of its cases speaks to the subject, which does not exist.
    async fn verdicts(claims: &[&str]) -> Vec<(String, &'static str, bool)> {
        let options = Options { deadline: Duration::from_secs(60), ..Options::default() };
        let claims = Claims::parse(&own(claims), &all()).unwrap();
        let nowhere = "127.0.0.1:1".parse().unwrap();
        let shared = Shared::new(
            nowhere,
            vec![nowhere],
            Transport::PLAIN,
            Timing::unmeasured(1.0),
            Invariants::default(),
        );
        let selected = all().into_iter().map(|case| (case, true)).collect();
        shared.set_claims(claims);
        let plan = Plan { heavy: false, feeds: false, scale: 1.0 };
        let runner = ServerRunner::new(Arc::new(shared), None, plan);
        let schedule = Schedule::new(runner, &options, 1, selected);
        let (_, (cases, bugs)) = schedule.run(&mut Unwatched).await;
        assert!(bugs.is_empty(), "{bugs:?}");
        let shown = |case: &crate::CaseResult| {
            (case.id.clone(), case.verdict.word(), case.is_failure(false))
        };
        cases.iter().map(shown).collect()
    }

    fn row(id: &str, word: &'static str, fails: bool) -> (String, &'static str, bool) {
        (id.to_owned(), word, fails)
    }

    #[tokio::test]
    async fn what_is_not_claimed_is_not_asked() {
        let expected = [
            row("x.base", "pass", false),
            row("x.room", "not-applicable", false),
            row("x.room-nice", "not-applicable", false),
            // Not "blocked": nobody asked for the root either.
            row("x.room-more", "not-applicable", false),
            row("x.command", "not-applicable", false),
        ];
        assert_eq!(verdicts(&[]).await, expected);
    }

    #[tokio::test]
    async fn what_is_claimed_counts_as_its_level_says() {
        let expected = [
            row("x.base", "pass", false),
            row("x.room", "fail", true),
            row("x.room-nice", "fail", false),
            row("x.room-more", "blocked", false),
            row("x.command", "not-applicable", false),
        ];
        assert_eq!(verdicts(&["Rooms"]).await, expected);
        let both = verdicts(&["rooms, commands"]).await;
        assert_eq!(both.last(), Some(&row("x.command", "fail", true)));
    }

    #[test]
    fn the_reason_names_the_extension() {
        let [_, room, ..] = &MADE_UP;
        let reason = "not claimed: the extension rooms".to_owned();
        assert_eq!(Claims::default().excuse(room), Some(Verdict::NotApplicable { reason }));
    }

    #[test]
    fn a_case_may_rest_on_two_extensions() {
        let both = Case::must("x.two", "FR-1", |c| Box::pin(ready(broken(c))))
            .extension("commands")
            .also(&["rooms"]);
        let claims = |words: &[&str]| Claims::parse(&own(words), &all()).unwrap();
        assert!(claims(&["commands"]).excuse(&both).is_some());
        assert_eq!(claims(&["all"]).excuse(&both), None);
    }

    #[test]
    fn without_claims_a_run_is_about_the_base_protocol() {
        let (claims, none) = (Claims::default(), Vec::new());
        for case in crate::cases::server_cases() {
            assert_eq!(claims.concern(case, &none), case.extension.is_none(), "{}", case.id);
        }
        let named = Pattern::parse_list(&own(&["x.room", "must"])).unwrap();
        let [_, room, nice, ..] = &MADE_UP;
        assert!(claims.concern(room, &named) && !claims.concern(nice, &named));
    }

    #[test]
    fn who_claims_a_capability_negotiates() {
        let cases: Vec<_> = crate::cases::server_cases().collect();
        let claims = Claims::parse(&own(&["ping"]), &cases).unwrap();
        assert!(claims.has(NEGOTIATION) && claims.has("ping") && !claims.has("ids"));
        let all = Claims::parse(&own(&["all"]), &cases).unwrap();
        assert_eq!(all.capabilities().collect::<Vec<_>>(), CAPABILITIES);
    }

    #[test]
    fn what_a_capability_needs_is_offered_with_it() {
        let cases: Vec<_> = crate::cases::server_cases().collect();
        let claims = Claims::parse(&own(&["rooms,recent"]), &cases).unwrap();
        assert_eq!(claims.spoken(), ["commands", "ids", "recent", "rename", "rooms"]);
        assert!(!claims.has("ids"));
        let excused = |id: &str| claims.excuse(crate::cases::find(id).unwrap()).is_some();
        // What is spoken may stand beside a claim, and is none.
        let both = Claims::parse(&own(&["rooms,notices"]), &cases).unwrap();
        assert!(both.excuse(crate::cases::find("notices.base").unwrap()).is_none());
        assert!(excused("notices.base") && excused("ids.live") && !excused("rooms.agreed"));
        assert_eq!(offer_of("rooms"), "ids/1 rename/1 commands/1 rooms/1");
        assert_eq!(offer_of("ids"), "ids/1");
        let moderation = Claims::parse(&own(&[MODERATION]), &cases).unwrap();
        assert!(moderation.has(NEGOTIATION) && moderation.capabilities().next().is_none());
        let spoken = ["accounts", "commands", "ids", "notices", "rename", "rooms"];
        assert_eq!(moderation.spoken(), spoken);
    }

    #[test]
    fn an_unknown_claim_is_an_error_that_says_what_there_is() {
        let error = Claims::parse(&own(&["rooms,roms"]), &all()).unwrap_err().to_string();
        assert!(error.starts_with("\"roms\" is no extension"), "{error}");
        assert!(error.ends_with("extensions with cases: commands, rooms"), "{error}");
        let error = Claims::parse::<ServerSide>(&own(&["rooms"]), &[]).unwrap_err().to_string();
        assert!(error.ends_with("none yet"), "{error}");
    }
}
