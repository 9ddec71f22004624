//! Cases about capabilities (`docs/capabilities.md`): asked only of servers that claim them.

use conformance_kit::wire::frame::Frame;

use crate::{
    claims::offer_of,
    server::{hands::ServerHands, peer::Mark},
    verdict::{Outcome, Verdict},
};

/// The usual reason why a server does not agree.
pub(super) const AGREED_HINT: &str = "Answer the offer beside USERNAME_ACCEPTED: true with CAPABILITIES, every word of it that you speak, such as \"ids/1 ping/1\".";

/// A capability that is claimed is agreed to, with and without others around it.
pub(super) async fn agreed(c: &mut ServerHands, name: &str) -> Outcome {
    let (word, alone) = (format!("{name}/1"), offer_of(name));
    for offer in [alone.clone(), format!("x-first/9 {alone} x-last/1")] {
        let mut ann = c.connect("ann").await?;
        let own = c.name("ann");
        let welcome = ann.offer(&own, &offer, &[]).await;
        let agrees = |welcome: &Frame| {
            welcome.capabilities().is_some_and(|words| words.split(' ').any(|one| one == word))
        };
        if !welcome.is_some_and(|welcome| agrees(&welcome)) {
            let expected = format!("CAPABILITIES with {word} in the answer to the offer {offer:?}");
            return Ok(Verdict::fail(expected, ann.heard(Mark::START)));
        }
    }
    Ok(Verdict::Pass)
}
