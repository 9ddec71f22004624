//! What goes with a message beside its tuple, as it is stored and as receivers are told (MT-1).

use std::sync::Arc;

use bytes::Bytes;
use chatterbox_proto::capability::ids::Id;
use chatterbox_proto::capability::meta::{DeviceId, FileTold, Sealed, push_told};
use serde::{Deserialize, Serialize};

/// What goes with one message: judged by the node of its sender, and encoded once.
///
/// A private message has one recipient, but several devices may read it, of which each is told its own part of E2EE. So that part
/// is kept apart, and put together with the rest for one device at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordMeta {
    /// What every receiver who agreed to `meta` is told: an object, as ASCII JSON. Empty where that is nothing.
    pub json: Bytes,
    /// The value of E2EE, as ASCII JSON with the entries of all devices. Empty where there is none.
    pub sealed: Bytes,
}

impl RecordMeta {
    /// What is told of a message, from its parts; `None` where they are nothing.
    pub fn new(
        reply: Option<Id>,
        mentions: &[String],
        file: Option<&FileTold>,
        sealed: Option<&Sealed>,
    ) -> Option<Arc<Self>> {
        let mut json = Vec::new();
        if reply.is_some() || !mentions.is_empty() || file.is_some() {
            push_told(&mut json, reply, mentions.iter().map(String::as_str), file, None);
        }
        let mut entries = Vec::new();
        if let Some(sealed) = sealed {
            sealed.push_json(&mut entries);
        }
        let meta = Self { json: json.into(), sealed: entries.into() };
        (meta.size() > 0).then(|| Arc::new(meta))
    }

    /// The same with a file that goes with the message as well.
    pub fn with_file(before: Option<&Arc<Self>>, file: &FileTold) -> Arc<Self> {
        let (json, sealed) = match before {
            Some(before) => (&*before.json, before.sealed.clone()),
            None => (&[][..], Bytes::new()),
        };
        let mut with = Vec::with_capacity(json.len() + 256);
        match json.strip_suffix(b"}") {
            Some(open) => {
                with.extend_from_slice(open);
                with.extend_from_slice(br#", "FILE": "#);
                file.push_json(&mut with);
                with.push(b'}');
            }
            None => push_told(&mut with, None, std::iter::empty::<&str>(), Some(file), None),
        }
        Arc::new(Self { json: with.into(), sealed })
    }

    /// The token of the file that goes with the message, if one does. What is told is our own writing, in which a quote within a text
    /// is escaped; so what is looked for begins no text.
    pub fn file(&self) -> Option<&str> {
        let json = std::str::from_utf8(&self.json).ok()?;
        let (_, rest) = json.split_once(r#""FILE": {"FILE": ""#)?;
        rest.split_once('"').map(|(token, _)| token)
    }

    /// The bytes that it takes, which count like those of the message.
    pub fn size(&self) -> usize {
        self.json.len() + self.sealed.len()
    }

    /// Whether it has an encrypted text for a device.
    pub fn is_for(&self, device: &DeviceId) -> bool {
        let sealed = (!self.sealed.is_empty()).then(|| Sealed::parse(&self.sealed)).flatten();
        sealed.is_some_and(|sealed| sealed.to.iter().any(|entry| entry.device == *device))
    }

    /// What the connection of this device is told of it: of the encrypted texts only its own. `None` where that is nothing.
    pub fn told(self: &Arc<Self>, device: Option<&DeviceId>) -> Option<Arc<Self>> {
        if self.sealed.is_empty() {
            return Some(Arc::clone(self));
        }
        let mut own = Vec::new();
        // What was stored was read like this before, so it is one.
        let sealed = device.and_then(|device| Some((device, Sealed::parse(&self.sealed)?)));
        let is_for_it =
            sealed.is_some_and(|(device, sealed)| sealed.push_json_for(device, &mut own));
        if !is_for_it {
            own.clear();
        }
        let json = match (&*self.json, &*own) {
            ([], []) => return None,
            (_, []) => self.json.clone(),
            ([], own) => [br#"{"E2EE": "#, own, b"}"].concat().into(),
            (public, own) => {
                let open = public.strip_suffix(b"}").unwrap_or(public);
                [open, br#", "E2EE": "#, own, b"}"].concat().into()
            }
        };
        Some(Arc::new(Self { json, sealed: Bytes::new() }))
    }
}

#[cfg(test)]
mod tests {
    use chatterbox_proto::capability::meta::{Digest, FileToken};
    use chatterbox_proto::session::Destination;
    use chatterbox_proto::{Username, WireText};

    use super::*;
    use crate::filing::Filing;
    use crate::record::Record;

    fn sealed() -> Sealed {
        serde_json::from_str(r#"{"FROM": "d1", "TO": {"d2": [0, "aa"], "d3": [1, "bb"]}}"#).unwrap()
    }

    fn told(meta: &Arc<RecordMeta>, device: Option<&str>) -> Option<String> {
        let device = device.map(|device| DeviceId::parse(device).unwrap());
        let told = meta.told(device.as_ref())?;
        assert!(told.sealed.is_empty(), "nothing of other devices");
        Some(String::from_utf8(told.json.to_vec()).unwrap())
    }

    #[test]
    fn each_device_is_told_its_own_entry_and_what_all_are_told() {
        let meta = RecordMeta::new(Some(7), &[], None, Some(&sealed())).unwrap();
        let own = r#"{"REPLY": 7, "E2EE": {"FROM": "d1", "TO": {"d3": [1, "bb"]}}}"#;
        assert_eq!(told(&meta, Some("d3")).unwrap(), own);
        for other in [None, Some("d1"), Some("d4")] {
            assert_eq!(told(&meta, other).unwrap(), r#"{"REPLY": 7}"#, "{other:?}");
        }
        let only = RecordMeta::new(None, &[], None, Some(&sealed())).unwrap();
        assert_eq!(
            told(&only, Some("d2")).unwrap(),
            r#"{"E2EE": {"FROM": "d1", "TO": {"d2": [0, "aa"]}}}"#
        );
        assert_eq!(told(&only, None), None, "as a message that nothing goes with");
    }

    #[test]
    fn a_file_goes_beside_the_rest_and_is_found_again() {
        let file = FileTold {
            token: FileToken::parse("Qx7-_9").unwrap(),
            name: WireText::new(r#""FILE": {"FILE": "x"#),
            size: 5,
            sha256: Digest([7; 32]),
            until: Some(9),
        };
        let spoofed = [r#""FILE": {"FILE": "evil"#.to_owned()];
        for before in [None, RecordMeta::new(Some(7), &spoofed, None, Some(&sealed()))] {
            let with = RecordMeta::with_file(before.as_ref(), &file);
            let expected = RecordMeta::new(
                before.as_ref().map(|_| 7),
                if before.is_some() { &spoofed[..] } else { &[] },
                Some(&file),
                before.as_ref().map(|_| sealed()).as_ref(),
            );
            assert_eq!(Some(&with), expected.as_ref());
            assert_eq!(with.file(), Some("Qx7-_9"));
            assert_eq!(before.and_then(|before| before.file().map(str::to_owned)), None);
        }
    }

    #[test]
    fn what_is_nothing_is_none_and_what_is_for_all_is_shared() {
        assert_eq!(RecordMeta::new(None, &[], None, None), None);
        let meta = RecordMeta::new(None, &["bob".into()], None, None).unwrap();
        let device = DeviceId::parse("d2").unwrap();
        assert!(Arc::ptr_eq(&meta, &meta.told(Some(&device)).unwrap()));
        assert_eq!(told(&meta, None).unwrap(), r#"{"MENTIONS": ["bob"]}"#);
    }

    #[test]
    fn what_goes_with_a_message_is_weighed() {
        let meta = RecordMeta::new(Some(7), &[], None, Some(&sealed())).unwrap();
        let record = Record {
            source: Username::parse("ann").unwrap(),
            destination: Destination::All,
            json: Bytes::from_static(b"[1]"),
            arrived: 0,
            filing: Filing::default(),
            meta: None,
        };
        assert_eq!(record.weight(), 3);
        let size = meta.json.len() + meta.sealed.len();
        assert_eq!(Record { meta: Some(meta), ..record }.weight(), 3 + size);
    }
}
