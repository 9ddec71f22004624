//! `c.tls`: whom the client speaks to.

use std::{future::Future, time::Duration};

use conformance_kit::authority::Shows;

use crate::{
    clause::Level,
    client::{Case, ClientHands, Reached, Setup, Silence},
    fault::ClientFault,
    verdict::{Outcome, Verdict},
};

const TRUST_HINT: &str = "Python: ssl.create_default_context(cafile=FILE) and server_hostname=HOST; never check_hostname = False or CERT_NONE.";

pub const CASES: &[Case] = &[
    Case::new("c.tls.connect", Level::Must, "TL-1", |c| Box::pin(connect(c)))
        .asks("It connects with TLS, trusting the authority that it is given")
        .hint("Wrap the socket: context.wrap_socket(sock, server_hostname=host), with the file of the authority loaded.")
        .killed_by(&[ClientFault::Plaintext, ClientFault::NeverConnects]),
    Case::new("c.tls.untrusted", Level::Should, "TL-4", |c| {
        Box::pin(refuses(c, Shows::Stranger, "a certificate of an unknown authority"))
    })
    .asks("It refuses a server whose authority it does not know")
    .hint(TRUST_HINT)
    .needs(&["c.join.first"])
    .killed_by(&[ClientFault::TrustsAnybody]),
    Case::new("c.tls.wrong-host", Level::Should, "TL-4", |c| {
        Box::pin(refuses(c, Shows::OtherHost, "a certificate for another host"))
    })
    .asks("It refuses a server whose certificate is for another host")
    .hint(TRUST_HINT)
    .needs(&["c.join.first"])
    .killed_by(&[ClientFault::AnyHost]),
    Case::new("c.tls.sni", Level::Open, "TL-4", |c| Box::pin(sni(c)))
        .asks("Which server name does it ask for?")
        .needs(&["c.join.first"])
        .killed_by(&[ClientFault::NoSni]),
];

async fn connect(c: &mut ClientHands) -> Outcome {
    let quirks = c.shared.quirks();
    if quirks.plaintext {
        return Ok(Verdict::fail(
            "a TLS handshake",
            "the client speaks the protocol without TLS; all other cases do so, too",
        ));
    }
    if let Some(Silence { reached, text, .. }) = quirks.silence {
        match reached {
            Reached::Nothing => return Ok(Verdict::fail("a TLS connection", text)),
            Reached::Handshake => {
                return Ok(Verdict::fail("a finished handshake, trusting {ca}", text));
            }
            Reached::Typing | Reached::Argument | Reached::Frames => {}
        }
    }
    let arrival = c.start(&Setup::default()).await?;
    let open = arrival.listener.reached(|contact| contact.open > 0);
    c.give_name(&arrival).await;
    let opened = within(c.shared.pace().start, open).await;
    let contact = arrival.listener.contact();
    Ok(Verdict::check(opened, "a finished TLS handshake", format!("{contact:?}")))
}

async fn within(time: Duration, happens: impl Future<Output = ()>) -> bool {
    tokio::time::timeout(time, happens).await.is_ok()
}

/// The client must not say its name to this server.
async fn refuses(c: &mut ClientHands, shows: Shows, what: &str) -> Outcome {
    if c.shared.quirks().plaintext {
        return Ok(Verdict::not_applicable("the client knows no TLS"));
    }
    let mut arrival = c.start(&Setup { shows, ..Setup::default() }).await?;
    let pace = c.shared.pace();
    let refused = arrival.listener.reached(|contact| contact.failed.is_some());
    c.give_name(&arrival).await;
    let settled = async {
        tokio::select! {
            () = refused => {}
            _ = arrival.operator.ended() => {}
        }
        // It may try again without looking.
        tokio::time::sleep(pace.settle * 2).await;
    };
    let speaks = async {
        while let Some(mut peer) = arrival.listener.next(pace.patience).await {
            if peer.find(pace.patience, |_| Some(())).await.is_some() {
                return Some(peer);
            }
        }
        None
    };
    let heard = tokio::select! {
        peer = speaks => peer,
        () = settled => None,
    };
    Ok(match heard {
        None => Verdict::Pass,
        Some(mut peer) => {
            Verdict::fail(format!("the client sends nothing to a server with {what}"), peer.heard())
        }
    })
}

async fn sni(c: &mut ClientHands) -> Outcome {
    let session = c.enter().await?;
    let value = match (&session.peer.hello.version, &session.peer.hello.sni) {
        (None, _) => "no TLS".to_owned(),
        (Some(version), Some(name)) => format!("{name} ({version})"),
        (Some(version), None) => format!("none ({version})"),
    };
    Ok(Verdict::observed("the server name in TLS", value))
}
