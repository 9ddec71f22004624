//! Whatever is decrypted, typed as a recovery code, or stands for an encrypted message is read within bounds, or refused.
#![no_main]

use std::cell::RefCell;

use chatterbox_e2ee::payload::Payload;
use chatterbox_e2ee::{Action, Incoming, Machine, Opened, Opening, recovery};
use chatterbox_proto::capability::Request;
use chatterbox_proto::capability::e2ee::{
    Device, Keys, KeysAnswer, KeysRequest, PublicKey, UserKeys,
};
use chatterbox_proto::capability::meta::{Sealed, SealedFor};
use chatterbox_proto::client_frame::Known;
use chatterbox_proto::{Capability, ClientFrame, WireText};
use libfuzzer_sys::fuzz_target;

/// What is published of one account.
struct Account {
    name: &'static str,
    number: u64,
    published: Option<(PublicKey, Device)>,
}

impl Account {
    fn keys(&self) -> UserKeys {
        UserKeys {
            account: WireText::new(self.name),
            number: self.number,
            identity: self.published.as_ref().map(|(identity, _)| identity.clone()),
            devices: self.published.iter().map(|(_, device)| device.clone()).collect(),
        }
    }
}

/// Answers what a machine asks, until it asks no more.
fn serve(machine: &mut Machine, actions: Vec<Action>, who: usize, accounts: &mut [Account; 2]) {
    let mut actions = actions;
    while let Some(action) = actions.pop() {
        let Action::Ask(frame) = action else { continue };
        let known = Known::Agreed([Capability::E2ee].into_iter().collect());
        let Ok(frame) = ClientFrame::parse_as(&frame[4..], known) else { continue };
        for request in frame.keys.into_iter().flat_map(|keys| keys.requests) {
            let (id, keys) = match request {
                Ok(Request::Keys(KeysRequest::Put(put))) => {
                    let (number, device) = (accounts[who].number, put.device.device.clone());
                    accounts[who].published = Some((put.identity.clone(), put.device.clone()));
                    (put.id.clone(), Keys::Put { number, device, count: 60 })
                }
                Ok(Request::Keys(KeysRequest::Get(get))) => {
                    let user = |name: &WireText<'static>| {
                        let account = accounts.iter().find(|one| one.name == name.as_wire());
                        (name.clone(), account.map(Account::keys))
                    };
                    (get.id.clone(), Keys::Users(get.names.iter().map(user).collect()))
                }
                _ => continue,
            };
            actions.extend(machine.answered(&KeysAnswer { id: WireText::new(id), keys }, 0));
        }
    }
}

/// Ann, who knows bob's device, and that device.
fn ann() -> (Machine, Device) {
    let account = |name, number| Account { name, number, published: None };
    let mut accounts = [account("ann", 40), account("bob", 41)];
    let mut machines = [Machine::new(), Machine::new()];
    for (who, other) in [(1, "nobody"), (0, "bob")] {
        let actions = machines[who].joined(accounts[who].name, 0);
        serve(&mut machines[who], actions, who, &mut accounts);
        let actions = machines[who].turn(other, true, 0);
        serve(&mut machines[who], actions, who, &mut accounts);
    }
    let [ann, _] = machines;
    (ann, accounts[1].published.clone().expect("bob has published").1)
}

thread_local! {
    static ANN: RefCell<((Machine, Device), u64)> = RefCell::new((ann(), 0));
}

fuzz_target!(|data: &[u8]| {
    let Some((which, data)) = data.split_first() else { return };
    match which % 3 {
        0 => {
            if let Ok(payload) = Payload::read(data) {
                if let Ok(written) = payload.write() {
                    assert!(written.len().is_power_of_two());
                    assert_eq!(Payload::read(&written), Ok(payload));
                }
            }
        }
        1 => {
            let text = String::from_utf8_lossy(data);
            if let Ok(secret) = recovery::secret(&text) {
                let code = recovery::code(&secret);
                assert_eq!(
                    *recovery::secret(&code).expect("a code").to_bytes(),
                    *secret.to_bytes()
                );
            }
        }
        _ => ANN.with_borrow_mut(|((machine, bob), id)| {
            let Some((kind, body)) = data.split_first() else { return };
            let Some(device) = machine.device().cloned() else { panic!("ann has a device") };
            let body: String = body.iter().map(|byte| char::from(*byte)).collect();
            let to = vec![SealedFor { device, kind: *kind, body: body.into() }];
            let sealed = Sealed { from: bob.device.clone(), to };
            *id += 1;
            let incoming =
                Incoming { source: "bob", recipient: "ann", id: *id, sealed: Some(&sealed) };
            let (opened, _) = machine.open(incoming, 0);
            // Nobody who does not have bob's keys can say anything as bob.
            assert!(!matches!(opened, Opened::Now(Opening::Text { .. })));
        }),
    }
});
