//! Users with keys: what the cases about encrypted messages have in common.

use conformance_kit::{ed25519::SigningKey, wire::frame::Frame};
use serde_json::{Map, Value, json};

use super::super::{
    calling::{Owner, owner},
    membership::{back, rejoined},
};
use crate::{
    server::{
        hands::ServerHands,
        peer::{Mark, Peer},
    },
    verdict::Verdict,
};

/// What a client speaks that encrypts.
pub(super) const OFFER: &str = "accounts/1 e2ee/1 ids/1 meta/1";

/// The same for commands.
pub(super) const WITH_COMMANDS: &str = "accounts/1 commands/1 e2ee/1 ids/1 meta/1";

/// A user with an account and an identity key.
pub(super) struct Person {
    pub(super) owner: Owner,
    /// The number of the account.
    pub(super) number: u64,
    pub(super) identity: SigningKey,
}

/// A device of somebody.
pub(super) struct Device {
    pub(super) name: String,
    key: SigningKey,
    curve25519: String,
}

/// A request to the directory; the answer.
pub(super) async fn ask(
    c: &mut ServerHands,
    peer: &mut Peer,
    key: &str,
    request: Value,
) -> Result<Value, Verdict> {
    let since = peer.mark();
    let id = send(c, peer, key, request).await;
    answer(peer, since, key, &id).await
}

/// Sends a request; its ID.
pub(super) async fn send(
    c: &mut ServerHands,
    peer: &mut Peer,
    key: &str,
    mut request: Value,
) -> String {
    let id = c.nonces.letters(10);
    if let Some(request) = request.as_object_mut() {
        request.insert("ID".into(), json!(id));
    }
    peer.send(&json!({ key: request })).await;
    id
}

/// The answer to a request.
pub(super) async fn answer(
    peer: &mut Peer,
    since: Mark,
    key: &str,
    id: &str,
) -> Result<Value, Verdict> {
    let of_it = |frame: &Frame| {
        let answer = frame.key("KEYS")?;
        (answer.get("ID").and_then(Value::as_str) == Some(id)).then(|| answer.clone())
    };
    match peer.find(since, of_it).await {
        Some(answer) => Ok(answer),
        None => {
            let expected = format!("KEYS with the ID of {key}");
            Err(Verdict::missing(expected, peer.heard(since)))
        }
    }
}

/// What the directory says of one user.
pub(super) async fn look_up(
    c: &mut ServerHands,
    peer: &mut Peer,
    name: &str,
) -> Result<Value, Verdict> {
    let answer = ask(c, peer, "KEYS_GET", json!({"NAMES": [name]})).await?;
    let user = answer.get("USERS").and_then(|users| users.get(name));
    user.cloned().ok_or_else(|| {
        let expected = format!("KEYS with USERS {{\"{name}\": ...}}");
        Verdict::fail(expected, answer.to_string())
    })
}

/// The word of a refusal.
pub(super) fn code(answer: &Value) -> &str {
    answer.get("CODE").and_then(Value::as_str).unwrap_or_default()
}

/// Whether a request was refused with this word.
pub(super) fn is_refused(answer: &Value, word: &str) -> Result<(), Verdict> {
    match code(answer) {
        given if given == word => Ok(()),
        "not-stored" => Err(Verdict::inconclusive(answer.to_string())),
        _ => Err(Verdict::fail(format!("KEYS with CODE {word}"), answer.to_string())),
    }
}

fn random_key() -> Result<SigningKey, Verdict> {
    SigningKey::random().ok_or_else(|| Verdict::inconclusive("no random key"))
}

/// A user with an account, who is here and has published nothing.
pub(super) async fn person(
    c: &mut ServerHands,
    role: &str,
    offer: &str,
) -> Result<(Person, Peer), Verdict> {
    let name = c.name(role);
    let owner = owner(c, &name).await?;
    let mut peer = back(c, role, &owner, offer).await?;
    let own = look_up(c, &mut peer, &owner.name).await?;
    let Some(number) = own.get("NUMBER").and_then(Value::as_u64) else {
        return Err(Verdict::fail("KEYS with the NUMBER of the own account", own.to_string()));
    };
    Ok((Person { owner, number, identity: random_key()? }, peer))
}

/// The same with a device that is published, with so many one-time keys and a fallback key.
pub(super) async fn published(
    c: &mut ServerHands,
    role: &str,
    keys: usize,
) -> Result<(Person, Device, Peer), Verdict> {
    let (person, mut peer) = person(c, role, OFFER).await?;
    let device = Device::new(c)?;
    publish(c, &mut peer, &person, &device, &names(0, keys)).await?;
    Ok((person, device, peer))
}

/// Names of keys, which rise.
pub(super) fn names(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|number| format!("{number:012}")).collect()
}

/// Publishes a device with these one-time keys; the answer, which is none of a refusal.
pub(super) async fn publish(
    c: &mut ServerHands,
    peer: &mut Peer,
    person: &Person,
    device: &Device,
    keys: &[String],
) -> Result<Value, Verdict> {
    let answer = ask(c, peer, "KEYS_PUT", person.put(device, keys)).await?;
    let is_done = answer.get("DEVICE").and_then(Value::as_str) == Some(&*device.name);
    if is_done && code(&answer).is_empty() {
        return Ok(answer);
    }
    let expected = format!("KEYS with NUMBER, DEVICE {:?} and COUNT", device.name);
    Err(Verdict::fail(expected, answer.to_string()))
}

/// Comes back as a device, with further keys beside the name.
pub(super) async fn back_as(
    c: &mut ServerHands,
    role: &str,
    person: &Person,
    offer: &str,
    more: &[(&str, Value)],
) -> Result<Peer, Verdict> {
    let mut beside = vec![("PASSWORD", json!(person.owner.password))];
    beside.extend_from_slice(more);
    rejoined(c, role, &person.owner.name, offer, &beside).await
}

impl Device {
    pub(super) fn new(c: &mut ServerHands) -> Result<Self, Verdict> {
        let name = format!("d{}", c.nonces.letters(14));
        Ok(Self { name, key: random_key()?, curve25519: random_key()?.public() })
    }
}

impl Person {
    /// KEYS_PUT of a device, without its ID: signed as it has to be.
    pub(super) fn put(&self, device: &Device, keys: &[String]) -> Value {
        self.put_for(self.number, &self.owner.name, device, keys)
    }

    /// The same, signed for an account of this number and name.
    pub(super) fn put_for(
        &self,
        number: u64,
        name: &str,
        device: &Device,
        keys: &[String],
    ) -> Value {
        let (number, account) = (number.to_string(), name.to_lowercase());
        let Device { name, key, curve25519 } = device;
        let own = key.public();
        let first = "chatterbox e2ee device 1";
        let signature = self.identity.sign(&[first, &number, &account, name, curve25519, &own]);
        let signed = |kind: &str, key_name: &str| {
            let first = format!("chatterbox e2ee {kind} 1");
            let lines = [&*first, &*number, &*account, &**name, key_name, &**curve25519];
            json!({"KEY": curve25519, "SIGNATURE": key.sign(&lines)})
        };
        let one_time: Map<String, Value> =
            keys.iter().map(|key| (key.clone(), signed("one-time", key))).collect();
        let mut fallback = signed("fallback", "F");
        if let Some(fallback) = fallback.as_object_mut() {
            fallback.insert("NAME".into(), json!("F"));
        }
        json!({
            "IDENTITY": self.identity.public(),
            "DEVICE": {
                "DEVICE": name, "CURVE25519": curve25519, "ED25519": own, "SIGNATURE": signature,
            },
            "ONE_TIME": one_time,
            "FALLBACK": fallback,
        })
    }
}

/// Claims a key of a device; what there is for it.
pub(super) async fn claim(
    c: &mut ServerHands,
    peer: &mut Peer,
    name: &str,
    device: &Device,
) -> Result<Value, Verdict> {
    let request = json!({"DEVICES": [[name, device.name]]});
    let answer = ask(c, peer, "KEYS_CLAIM", request).await?;
    key_of(&answer)
}

/// The key in the answer to a claim of one.
pub(super) fn key_of(answer: &Value) -> Result<Value, Verdict> {
    let key = answer.get("ONE_TIME").and_then(|all| all.get(0)?.get(2));
    key.cloned().ok_or_else(|| {
        let expected = "KEYS with ONE_TIME [[name, device, key]]";
        Verdict::fail(expected, answer.to_string())
    })
}
