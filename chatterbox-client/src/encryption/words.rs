//! Between what `chatterbox-e2ee` says and what the application takes.

use chatterbox_app::{Opened, Opening, Sealing};
use chatterbox_e2ee::{Action, Devices, Notice, Trust};
use chatterbox_proto::ScreenText;

pub(super) fn sealing(action: Action) -> Sealing {
    match action {
        Action::Ask(frame) => Sealing::Send(frame),
        Action::Say { ticket, to, text, reply, sealed, verified } => {
            Sealing::Say { ticket, to, text, reply, sealed, verified }
        }
        Action::NotSent { to, text, reply, why } => {
            Sealing::NotSent { to, text, reply, why: why.to_string() }
        }
        Action::Opened { ticket, opening: shown } => {
            Sealing::Opened { ticket, lock: opening(shown) }
        }
        Action::Tell(notice) => Sealing::Tell { text: notice.to_string(), loud: notice.is_loud() },
    }
}

pub(super) fn opened(opened: chatterbox_e2ee::Opened) -> Opened {
    match opened {
        chatterbox_e2ee::Opened::Now(shown) => Opened::Now(opening(shown)),
        chatterbox_e2ee::Opened::Later(ticket) => Opened::Later(ticket),
    }
}

fn opening(opening: chatterbox_e2ee::Opening) -> Opening {
    match opening {
        chatterbox_e2ee::Opening::Text { text, reply, trust, own } => {
            Opening::Text { text, reply, verified: trust == Trust::Verified, own }
        }
        chatterbox_e2ee::Opening::Unreadable(why) => Opening::Unreadable(why.to_string()),
    }
}

/// The words for `/devices`.
pub(super) fn devices(devices: &Devices) -> Vec<String> {
    let Devices { this, others, identity, people } = devices;
    let mut lines = Vec::new();
    match (this, identity) {
        (Some(this), Some(identity)) => {
            lines.push(format!("This device is {this}; your identity key is {identity}."));
        }
        _ => lines.push(Notice::NoOwnKeys.to_string()),
    }
    if !others.is_empty() {
        lines.push(format!(
            "Your other devices: {}. The server's command e2ee-remove takes one away.",
            others.join(", ")
        ));
    }
    if !people.is_empty() {
        let person = |(name, verified): &(String, bool)| {
            let verified = if *verified { " (verified)" } else { "" };
            format!("{}{verified}", ScreenText::shortened(name, 40))
        };
        let people: Vec<_> = people.iter().take(PEOPLE).map(person).collect();
        lines.push(format!("What you say to these is encrypted: {}.", people.join(", ")));
    }
    lines
}

/// So many people are named.
const PEOPLE: usize = 50;
