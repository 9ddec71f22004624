//! The smallest part of a session that still goes wrong.

use conformance_kit::trace::unhex;

use super::transcript::Step;

/// How often a session is tried again, at most: each try is a connection, or a server's start.
const TRIES: usize = 120;

/// Leaves steps out, and bytes out of them, as long as it still goes wrong.
pub async fn shrink<F>(steps: &[Step], mut goes_wrong: F) -> Vec<Step>
where
    F: AsyncFnMut(&[Step]) -> bool,
{
    let mut best = steps.to_vec();
    let mut tries = TRIES;
    let mut size = best.len().div_ceil(2);
    while size > 0 && tries > 0 {
        let mut at = 0;
        while at < best.len() && tries > 0 {
            let mut fewer = best.clone();
            fewer.drain(at..(at + size).min(best.len()));
            tries -= 1;
            if !fewer.is_empty() && goes_wrong(&fewer).await {
                best = fewer;
            } else {
                at += size;
            }
        }
        size /= 2;
    }
    // A long write may hold one frame that matters.
    for at in 0..best.len() {
        while tries > 0 {
            let Some(shorter) = best.get(at).and_then(half) else { break };
            let mut candidate = best.clone();
            if let Some(step) = candidate.get_mut(at) {
                *step = shorter;
            }
            tries -= 1;
            if !goes_wrong(&candidate).await {
                break;
            }
            best = candidate;
        }
    }
    best
}

/// The first half of what is sent.
fn half(step: &Step) -> Option<Step> {
    let Step::Send { hex, .. } = step else { return None };
    let bytes = unhex(hex);
    (bytes.len() > 8).then(|| Step::send(bytes.get(..bytes.len() / 2).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_does_not_matter_goes() {
        let steps: Vec<Step> = (0..20_u8).map(|n| Step::send(&[n; 64])).collect();
        let guilty = Step::send(&[13; 8]);
        let small = shrink(&steps, async |steps: &[Step]| {
            steps.iter().any(|step| {
                matches!(step, Step::Send { hex, .. } if hex.starts_with("0d0d0d0d0d0d0d0d"))
            })
        })
        .await;
        assert_eq!(small, [guilty]);
    }
}
