//! Whether the log of a cluster reaches back as far as the chat keeps messages.
//!
//! A node that begins with an empty data folder has its messages from the log, and the others have theirs in their databases: what the
//! engine drops earlier than the chat would is missing on that node alone.

use chatterbox_server::order::jetstream::{Finding, StreamSeen, Verdict};

use crate::cli::keeping::Keeping;
use crate::cli::words::{size, time_text};

/// What is to be said of the limits of the log.
pub fn findings(log: &StreamSeen, keeping: &Keeping) -> Vec<Finding> {
    let told = [age(log, keeping), bytes(log, keeping)];
    let about = format!("stream {}", log.name);
    let finding = |told| Finding { about: about.clone(), verdict: Verdict::Advice, told };
    told.into_iter().flatten().map(finding).collect()
}

fn age(log: &StreamSeen, keeping: &Keeping) -> Option<String> {
    let days = |seconds: u64| seconds.div_ceil(86_400);
    let most = log.max_age?;
    let (kept, edit) = match keeping.keep_days {
        Some(kept) if kept.as_secs() <= most => return None,
        Some(kept) => {
            let kept = kept.as_secs();
            (format!("for {} (--keep-days)", time_text(kept)), format!("{}d", days(kept)))
        }
        None => ("without a limit of days (--keep-days)".to_owned(), "0".to_owned()),
    };
    Some(format!(
        "drops what is older than {}, and the chat keeps messages {kept}: a node that begins with an empty data folder \
         does not have the older ones: nats stream edit {} --max-age {edit}",
        time_text(most),
        log.name
    ))
}

/// A record of the log has more in it than the bytes of a message that count, and there are other records beside: what is said here is
/// certainly too little.
fn bytes(log: &StreamSeen, keeping: &Keeping) -> Option<String> {
    let most = log.max_bytes?;
    let public = keeping.keep();
    let kept = public.plus(public.of_private()).plus(public.of_rooms()).bytes;
    (most < kept).then(|| {
        format!(
            "has at most {}, and the chat keeps up to {} of messages, private ones and those of rooms among them (--keep-bytes): \
             a node that begins with an empty data folder does not have the older ones: nats stream edit {} --max-bytes {}",
            size(most),
            size(kept),
            log.name,
            kept.saturating_mul(2)
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: u64 = 24 * 60 * 60;

    fn log(max_age: Option<u64>, max_bytes: Option<u64>) -> StreamSeen {
        StreamSeen {
            name: "CHAT".to_owned(),
            first: 1,
            last: 9,
            bytes: 900,
            max_bytes,
            max_age,
            replicas: 3,
            servers: Vec::new(),
        }
    }

    fn keeping(days: Option<u64>, bytes: u64) -> Keeping {
        let keep_days = days.map(|days| Duration::from_secs(days * DAY));
        Keeping { keep_messages: 1000, keep_bytes: bytes, keep_days }
    }

    fn told(log: &StreamSeen, keeping: &Keeping) -> Vec<String> {
        let advice = |finding: Finding| {
            assert_eq!((finding.about.as_str(), finding.verdict), ("stream CHAT", Verdict::Advice));
            finding.told
        };
        findings(log, keeping).into_iter().map(advice).collect()
    }

    #[test]
    fn a_log_that_reaches_as_far_as_the_chat_is_not_told_of() {
        let none: [String; 0] = [];
        assert_eq!(told(&log(None, None), &keeping(None, 80 << 20)), none);
        assert_eq!(told(&log(Some(90 * DAY), None), &keeping(Some(90), 80 << 20)), none);
        // 20 of public messages, 5 of private ones, 80 of rooms.
        assert_eq!(told(&log(None, Some(105)), &keeping(None, 20)), none);
    }

    #[test]
    fn a_log_that_forgets_earlier_than_the_chat_is_told_with_what_to_do() {
        let days = told(&log(Some(90 * DAY - 1), None), &keeping(Some(90), 0));
        assert!(days.len() == 1 && days[0].contains("stream edit CHAT --max-age 90d"), "{days:?}");
        let ever = told(&log(Some(90 * DAY), None), &keeping(None, 0));
        assert!(ever.len() == 1 && ever[0].contains("older than 90 days 0 h"), "{ever:?}");
        assert!(ever[0].ends_with("--max-age 0"), "{ever:?}");
        let bytes = told(&log(None, Some(104)), &keeping(None, 20));
        assert!(bytes.len() == 1 && bytes[0].ends_with("--max-bytes 210"), "{bytes:?}");
    }
}
