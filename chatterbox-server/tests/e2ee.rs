//! Encrypted private messages as a server passes them on: the directory of keys, and each device its own text (EE-1 to EE-4).
//!
//! What is encrypted here is not: the server can't know.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use harness::accounts::{AccountServer, PASSWORD, password};
use harness::rooms::Roomer;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Map, Value, json};

const SPEAKS: &str =
    "accounts/1 commands/1 devices/1 e2ee/1 ids/1 meta/1 ping/1 recent/1 rename/1 rooms/1";
const SENTENCE: &str = "[encrypted message: your client can't read it]";
const CURVE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// An identity, and what it signs.
struct Identity {
    account: &'static str,
    secret: Ed25519KeyPair,
}

/// A device, and what it signs.
struct Device {
    name: String,
    secret: Ed25519KeyPair,
}

fn pair(seed: u8) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
}

fn public(pair: &Ed25519KeyPair) -> String {
    STANDARD_NO_PAD.encode(pair.public_key().as_ref())
}

fn sign(pair: &Ed25519KeyPair, lines: &[&str]) -> String {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    STANDARD_NO_PAD.encode(pair.sign(text.as_bytes()).as_ref())
}

impl Identity {
    fn new(account: &'static str, seed: u8) -> Self {
        Self { account, secret: pair(seed) }
    }

    fn device(&self, name: &str, seed: u8) -> Device {
        Device { name: name.to_owned(), secret: pair(seed) }
    }

    /// KEYS_PUT of a device with these one-time keys, and a fallback key.
    fn put(&self, number: u64, device: &Device, keys: &[&str]) -> Value {
        let number = number.to_string();
        let own = public(&device.secret);
        let name = device.name.as_str();
        let first = "chatterbox e2ee device 1";
        let signature = sign(&self.secret, &[first, &number, self.account, name, CURVE, &own]);
        let key = |kind: &str, key: &str| {
            let first = format!("chatterbox e2ee {kind} 1");
            let lines = [first.as_str(), &number, self.account, name, key, CURVE];
            json!({"KEY": CURVE, "SIGNATURE": sign(&device.secret, &lines)})
        };
        let one_time: Map<String, Value> =
            keys.iter().map(|name| ((*name).to_owned(), key("one-time", name))).collect();
        let mut fallback = key("fallback", "F");
        fallback["NAME"] = json!("F");
        json!({
            "ID": "put",
            "IDENTITY": public(&self.secret),
            "DEVICE": {"DEVICE": name, "CURVE25519": CURVE, "ED25519": own, "SIGNATURE": signature},
            "ONE_TIME": one_time,
            "FALLBACK": fallback,
        })
    }
}

/// Logs in, as a device or not, with further members of the frame.
async fn user(chat: &AccountServer, name: &str, device: Option<&str>, more: &str) -> Roomer {
    let device = device.map(|device| format!(r#", "DEVICE": "{device}""#)).unwrap_or_default();
    let beside = format!("{}{device}{more}", password(PASSWORD));
    Roomer::join_speaking(chat.server.connect().await, name, SPEAKS, &beside).await
}

/// The answer to a request.
async fn ask(who: &mut Roomer, key: &str, request: Value) -> Value {
    let id = request["ID"].clone();
    who.send(&json!({ key: request })).await;
    who.until(|frame| frame.get("KEYS").filter(|answer| answer["ID"] == id).cloned()).await
}

async fn get(who: &mut Roomer, name: &str) -> Value {
    let answer = ask(who, "KEYS_GET", json!({"ID": "get", "NAMES": [name]})).await;
    answer["USERS"][name].clone()
}

/// Publishes a device; the answer.
async fn publish(who: &mut Roomer, identity: &Identity, device: &Device, keys: &[&str]) -> Value {
    let name = who.name.clone();
    let number = get(who, &name).await["NUMBER"].as_u64().unwrap();
    ask(who, "KEYS_PUT", identity.put(number, device, keys)).await
}

async fn claim(who: &mut Roomer, name: &str, device: &str) -> Value {
    let request = json!({"ID": "claim", "DEVICES": [[name, device]]});
    ask(who, "KEYS_CLAIM", request).await
}

fn sealed(from: &str, to: &[&str]) -> Value {
    let entry = |device: &&str| ((*device).to_owned(), json!([0, format!("for{device}")]));
    let to: Map<String, Value> = to.iter().map(entry).collect();
    json!({"E2EE": {"FROM": from, "TO": to}})
}

/// Says something with what goes with it; the id, or the CODE of the refusal.
async fn say(who: &mut Roomer, to: &str, text: &str, meta: Value) -> Result<u64, String> {
    static TAGS: AtomicU64 = AtomicU64::new(0);
    let tag = format!("e{}", TAGS.fetch_add(1, Ordering::Relaxed));
    let message = json!([who.name, to, 7, text]);
    who.send(&json!({"MESSAGES": [message], "TAGS": [tag], "META": [meta]})).await;
    who.until(|frame| {
        let refused = frame["REFUSED"][&tag]["CODE"].as_str();
        let stored = frame["ACKS"][&tag].as_u64().map(Ok);
        stored.or_else(|| refused.map(|code| Err(code.to_owned())))
    })
    .await
}

/// What goes with the encrypted messages of an object, in their order.
fn beside(object: &Value) -> Option<Vec<Value>> {
    let messages = object["MESSAGES"].as_array()?;
    let nothing = vec![Value::Null; messages.len()];
    let metas = object["META"].as_array().unwrap_or(&nothing);
    let of_one = |(message, meta): (&Value, &Value)| (message[3] == SENTENCE).then(|| meta.clone());
    let all: Vec<_> = messages.iter().zip(metas).filter_map(of_one).collect();
    (!all.is_empty()).then_some(all)
}

async fn told(who: &mut Roomer) -> Value {
    who.until(|frame| beside(frame)?.pop()).await
}

/// Ann and bob with one device each, which are here.
async fn both(chat: &AccountServer) -> (Roomer, Roomer, Identity, Identity) {
    let (mut ann, mut bob) = (user(chat, "ann", None, "").await, user(chat, "bob", None, "").await);
    let (anns, bobs) = (Identity::new("ann", 1), Identity::new("bob", 2));
    let put = publish(&mut ann, &anns, &anns.device("a1", 11), &[]).await;
    assert_eq!((&put["DEVICE"], &put["COUNT"]), (&json!("a1"), &json!(0)), "{put}");
    publish(&mut bob, &bobs, &bobs.device("b1", 21), &["k1", "k2"]).await;
    (ann, bob, anns, bobs)
}

#[tokio::test]
async fn keys_are_published_found_and_given_once() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1)]).await;
    let (mut ann, mut bob, anns, bobs) = both(&chat).await;
    let found = get(&mut ann, "BOB").await;
    assert_eq!(
        (&found["ACCOUNT"], &found["IDENTITY"]),
        (&json!("bob"), &json!(public(&bobs.secret)))
    );
    assert_eq!(found["DEVICES"][0]["DEVICE"], "b1");
    assert_eq!(get(&mut ann, "nobody").await, Value::Null);
    // What is signed by nobody, another identity, and a device of somebody else.
    let mut wrong = bobs.put(found["NUMBER"].as_u64().unwrap(), &bobs.device("b2", 22), &["k9"]);
    wrong["ONE_TIME"]["k9"]["SIGNATURE"] = json!("A".repeat(86));
    assert_eq!(ask(&mut bob, "KEYS_PUT", wrong).await["CODE"], "bad-signature");
    let other = Identity::new("bob", 3);
    let code = publish(&mut bob, &other, &other.device("b2", 22), &[]).await["CODE"].clone();
    assert_eq!(code, "other-identity");
    let code = publish(&mut bob, &bobs, &bobs.device("a1", 22), &[]).await["CODE"].clone();
    assert_eq!(code, "taken");
    for expected in ["k1", "k2"] {
        let key = claim(&mut ann, "bob", "b1").await["ONE_TIME"][0][2].clone();
        assert_eq!((&key["NAME"], key.get("FALLBACK")), (&json!(expected), None));
    }
    bob.until(|frame| (frame["KEYS_LOW"]["COUNT"] == 0).then_some(())).await;
    let key = claim(&mut ann, "bob", "b1").await["ONE_TIME"][0][2].clone();
    assert_eq!((&key["NAME"], &key["FALLBACK"]), (&json!("F"), &json!(true)));
    assert_eq!(claim(&mut ann, "bob", "b9").await["ONE_TIME"], json!([["bob", "b9", null]]));
    // What was claimed is not published again.
    let again = publish(&mut bob, &bobs, &bobs.device("b1", 21), &["k1", "k3"]).await;
    assert_eq!(again["COUNT"], 1, "{again}");
    let _ = anns;
}

#[tokio::test]
async fn guests_have_no_keys_and_claims_have_an_end() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1)]).await;
    let (mut ann, _bob, ..) = both(&chat).await;
    let mut eve = Roomer::join_speaking(chat.server.connect().await, "eve", SPEAKS, "").await;
    for (key, request) in [
        ("KEYS_GET", json!({"ID": "g", "NAMES": ["bob"]})),
        ("KEYS_CLAIM", json!({"ID": "g", "DEVICES": [["bob", "b1"]]})),
    ] {
        assert_eq!(ask(&mut eve, key, request).await["CODE"], "guest");
    }
    let many = vec![json!(["bob", "b1"]); 20];
    let all = ask(&mut ann, "KEYS_CLAIM", json!({"ID": "m", "DEVICES": many})).await;
    assert_eq!(all["ONE_TIME"].as_array().unwrap().len(), 20);
    let more = claim(&mut ann, "bob", "b1").await;
    assert_eq!(more["CODE"], "throttled");
    assert!(more["WAIT"].as_u64().is_some_and(|wait| (1..=60).contains(&wait)), "{more}");
}

#[tokio::test]
async fn many_accounts_of_one_address_leave_one_time_keys_to_others() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1), ("cyd", 1), ("dee", 1)]).await;
    let (mut ann, mut bob, _, bobs) = both(&chat).await;
    let device = bobs.device("b1", 21);
    let names: Vec<String> = (0..58).map(|n| format!("m{n:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    publish(&mut bob, &bobs, &device, &names[..50]).await;
    let put = publish(&mut bob, &bobs, &device, &names[50..]).await;
    assert_eq!(put["COUNT"], 60, "with the two that were there: {put}");
    let mut cyd = user(&chat, "cyd", None, "").await;
    let mut dee = user(&chat, "dee", None, "").await;
    let many = json!({"ID": "m", "DEVICES": vec![json!(["bob", "b1"]); 20]});
    let mut fallback = Vec::new();
    for claimant in [&mut ann, &mut cyd, &mut dee] {
        let all = ask(claimant, "KEYS_CLAIM", many.clone()).await;
        let keys = all["ONE_TIME"].as_array().unwrap();
        assert_eq!(keys.len(), 20, "nobody is refused: {all}");
        fallback.push(keys.iter().filter(|key| key[2]["FALLBACK"] == true).count());
    }
    assert_eq!(fallback[0] + fallback[1], 0, "there are enough of them for a while");
    let left = publish(&mut bob, &bobs, &device, &[]).await["COUNT"].as_u64();
    assert!(fallback[2] > 0 && left > Some(0), "{fallback:?}, {left:?} left");
}

#[tokio::test]
async fn a_message_is_for_each_device_or_for_nobody() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1), ("cyd", 1)]).await;
    let (mut ann, mut bob, anns, bobs) = both(&chat).await;
    let good = sealed("a1", &["b1"]);
    say(&mut ann, "bob", SENTENCE, good.clone()).await.unwrap();
    assert_eq!(told(&mut bob).await, good);
    let mut cyd = user(&chat, "cyd", None, "").await;
    let _guest = Roomer::join_speaking(chat.server.connect().await, "eve", SPEAKS, "").await;
    let bad = |code: &str| Err(code.to_owned());
    assert_eq!(say(&mut ann, "bob", "the text", good.clone()).await, bad("bad-e2ee"));
    assert_eq!(say(&mut ann, "ALL", SENTENCE, good.clone()).await, bad("bad-e2ee"));
    assert_eq!(say(&mut ann, "eve", SENTENCE, good.clone()).await, bad("bad-e2ee"), "a guest");
    assert_eq!(say(&mut ann, "cyd", SENTENCE, good.clone()).await, bad("bad-e2ee"), "no keys");
    let to_nobody = say(&mut ann, "nobody", SENTENCE, good.clone()).await;
    assert_eq!(to_nobody, bad("no-such-user"), "the reason why nobody can be written to");
    assert_eq!(say(&mut cyd, "bob", SENTENCE, sealed("a1", &["b1"])).await, bad("bad-e2ee"));
    assert_eq!(say(&mut ann, "bob", SENTENCE, sealed("b1", &["a1"])).await, bad("bad-e2ee"));
    for to in [&["b1", "b2"][..], &["b2"], &[]] {
        let refused = say(&mut ann, "bob", SENTENCE, sealed("a1", to)).await;
        assert_eq!(refused, bad("devices-changed"), "{to:?}");
    }
    // Another device of each is another entry, and each is told its own.
    let mut ann2 = user(&chat, "ann", None, "").await;
    publish(&mut ann2, &anns, &anns.device("a2", 12), &[]).await;
    let mut bob2 = user(&chat, "bob", None, "").await;
    publish(&mut bob2, &bobs, &bobs.device("b2", 22), &[]).await;
    assert_eq!(say(&mut ann, "bob", SENTENCE, good).await, bad("devices-changed"));
    say(&mut ann, "bob", SENTENCE, sealed("a1", &["a2", "b1", "b2"])).await.unwrap();
    for (who, device) in [(&mut bob, "b1"), (&mut bob2, "b2"), (&mut ann2, "a2")] {
        assert_eq!(told(who).await, sealed("a1", &[device]));
    }
}

#[tokio::test]
async fn what_was_missed_comes_until_the_device_has_read_it() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1)]).await;
    let (mut ann, bob, ..) = both(&chat).await;
    drop(bob);
    ann.until(|frame| frame.get("USERS_LEFT").map(|_| ())).await;
    let meta = sealed("a1", &["b1"]);
    let first = say(&mut ann, "bob", SENTENCE, meta.clone()).await.unwrap();
    for n in 0..5 {
        ann.say("ALL", &format!("public {n}")).await.unwrap();
    }
    let missed = |bob: &Roomer| beside(&bob.welcome);
    // A connection that is no device, or another one, is told nothing of it.
    let bob = user(&chat, "bob", None, "").await;
    assert_eq!(missed(&bob), Some(vec![Value::Null]));
    drop(bob);
    ann.until(|frame| frame.get("USERS_LEFT").map(|_| ())).await;
    // A short welcome has it even so (EE-9).
    let mut bob = user(&chat, "bob", Some("b1"), r#", "RECENT": 2"#).await;
    assert_eq!(missed(&bob), Some(vec![meta.clone()]), "{}", bob.welcome);
    assert_eq!(bob.welcome["MORE"], json!(true));
    assert_eq!(bob.welcome["MESSAGES"].as_array().unwrap().len(), 3, "{}", bob.welcome);
    let page = bob.history("ann").await;
    assert_eq!(beside(&page), Some(vec![meta.clone()]));
    // Nobody reads what is not there yet.
    bob.send(&json!({"KEYS_DONE": {"UPTO": first + 1_000_000}})).await;
    bob.settle().await;
    assert_eq!(beside(&bob.history("ann").await), Some(vec![Value::Null]));
    drop(bob);
    ann.until(|frame| frame.get("USERS_LEFT").map(|_| ())).await;
    let second = say(&mut ann, "bob", SENTENCE, json!({"REPLY": first, "E2EE": meta["E2EE"]}));
    second.await.unwrap();
    let bob = user(&chat, "bob", Some("b1"), "").await;
    let told = missed(&bob).unwrap();
    assert_eq!(told, [Value::Null, json!({"REPLY": first, "E2EE": meta["E2EE"]})]);
}

#[tokio::test]
async fn a_device_and_an_identity_are_removed_with_the_password() {
    let chat = AccountServer::open(&[("ann", 1), ("bob", 1)]).await;
    let (mut ann, mut bob, _, bobs) = both(&chat).await;
    assert_eq!(bob.code("e2ee-remove", &["b1", "wrong"]).await, "wrong-password");
    assert_eq!(bob.code("e2ee-remove", &["a1", PASSWORD]).await, "failed");
    bob.ok("e2ee-remove", &["b1", PASSWORD]).await;
    let good = sealed("a1", &["b1"]);
    let refused = say(&mut ann, "bob", SENTENCE, good).await;
    assert_eq!(refused, Err("devices-changed".to_owned()));
    let found = get(&mut ann, "bob").await;
    assert_eq!((&found["DEVICES"], found["IDENTITY"].is_string()), (&json!([]), true));
    publish(&mut bob, &bobs, &bobs.device("b1", 21), &[]).await;
    assert_eq!(bob.code("e2ee-reset", &["wrong"]).await, "wrong-password");
    bob.ok("e2ee-reset", &[PASSWORD]).await;
    assert_eq!(get(&mut ann, "bob").await["IDENTITY"], Value::Null);
    let other = Identity::new("bob", 3);
    let put = publish(&mut bob, &other, &other.device("b2", 22), &[]).await;
    assert_eq!(put["DEVICE"], "b2", "another identity begins: {put}");
}
