//! `net`: the addresses of the target.

use crate::{
    fault::Fault,
    server::{Case, hands::ServerHands},
    verdict::{Outcome, Verdict},
};

pub const CASES: &[Case] = &[Case::open("net.families", "GA-1", |c| Box::pin(families(c)))
    .asks("Which of the addresses that getaddrinfo gives for the target answer?")
    .hint("Bind a socket for every result of getaddrinfo(host, port), not for 127.0.0.1 or the first one alone.")
    .needs(&["join.accept"])
    .killed_by(&[Fault::OneAddressOnly])];

async fn families(c: &mut ServerHands) -> Outcome {
    let transport = c.shared.transport();
    let mut words = Vec::new();
    for address in c.shared.addresses() {
        let answers = match c.dial("ann", address, &transport).await {
            Ok(mut ann) => {
                let name = c.name("ann");
                if ann.ask_for(&name).await == Some(true) { "answers" } else { "does not answer" }
            }
            Err(_) => "can't be reached",
        };
        words.push(format!("{} {answers}", address.ip()));
    }
    Ok(Verdict::observed("addresses", words.join(", ")))
}
