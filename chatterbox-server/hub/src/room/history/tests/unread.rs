//! What a short welcome has for a device that has not read all that was encrypted for it (EE-4, EE-9).

use chatterbox_proto::capability::meta::{DeviceId, Sealed};

use super::*;
use crate::own_device::OwnDevice;
use crate::record_meta::RecordMeta;

/// Says something to ann, encrypted for this device.
fn add_sealed(history: &mut History, device: &str, text: &str) {
    let sealed = format!(r#"{{"FROM": "b1", "TO": {{"{device}": [0, "aa"]}}}}"#);
    let sealed = Sealed::parse(sealed.as_bytes()).unwrap();
    let record = Record {
        source: name("a"),
        destination: Destination::All,
        json: serde_json::to_vec(text).unwrap().into(),
        arrived: 7,
        filing: Filing::default(),
        meta: RecordMeta::new(None, &[], None, Some(&sealed)),
    };
    history.push_private(history.newest() + 1, &guest("ann"), &record);
}

fn device(done: Sequence, since: i64) -> Option<OwnDevice> {
    Some(OwnDevice { device: DeviceId::parse("d1").unwrap(), done, since })
}

/// The texts of the newest three messages and what else there is for a device, whether something goes with one of them, and MORE.
fn newest(
    history: &History,
    device: Option<OwnDevice>,
    hidden: &str,
) -> (Vec<String>, bool, Option<bool>) {
    let reader = Reader { device, ..reader("ann") };
    let hidden: HashSet<_> =
        [hidden].iter().filter(|text| !text.is_empty()).map(|text| name(text)).collect();
    let cut = history.cut_newest(&reader, 3, !hidden.is_empty());
    let Written { messages, meta, more, .. } = cut.write(&hidden, view("ids/1 meta/1"));
    let json = [&b"["[..], &*messages.concat(), b"]"].concat();
    (serde_json::from_slice(&json).unwrap(), meta.is_some(), more)
}

#[test]
fn all_that_is_private_from_the_first_unread_text_on_is_in_a_short_welcome() {
    let mut history = History::new(Keep { messages: 100_000, bytes: 64 << 20 });
    add(&mut history, Some("ann"), "before");
    add_sealed(&mut history, "d1", "unread");
    add(&mut history, Some("ann"), "behind");
    add_sealed(&mut history, "other", "of another device");
    for number in 0..3_000 {
        add(&mut history, None, &format!("{number} {}", "x".repeat(60)));
    }
    for text in ["one", "two", "three"] {
        add(&mut history, None, text);
    }
    assert!(history.sealed.len() > 2, "it looks at the newest segments alone");
    let all = ["unread", "behind", "of another device", "one", "two", "three"];
    // Whoever hides somebody looks at all of it, and finds the same.
    for hidden in ["", "eve"] {
        let (texts, has_meta, more) = newest(&history, device(0, 0), hidden);
        assert_eq!((&*texts, has_meta, more), (&all.map(str::to_owned)[..], true, Some(true)));
        for own in [None, device(2, 0), device(0, 8)] {
            let (texts, has_meta, more) = newest(&history, own.clone(), hidden);
            assert_eq!((texts.len(), has_meta, more), (3, false, Some(true)), "{own:?}");
        }
    }
}
