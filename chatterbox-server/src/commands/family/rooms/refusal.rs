//! The sentences for what the hub says of a wish about a room.

use chatterbox_proto::capability::commands::OutcomeCode;
use chatterbox_proto::limits;

use crate::commands::reply::Rejection;

/// That there is no such room; the same for one that this user may not know of (RM-12).
pub(in crate::commands::family) fn no_such_room(name: &str) -> Rejection {
    refused(OutcomeCode::NoSuchRoom, name)
}

/// Why a wish about a room was refused, for the person.
pub(in crate::commands::family) fn refused(code: OutcomeCode, room: &str) -> Rejection {
    Rejection::new(code, sentence(code, room))
}

fn sentence(code: OutcomeCode, room: &str) -> String {
    match code {
        OutcomeCode::NoSuchRoom => format!("There is no room {room}."),
        OutcomeCode::NotAMember => format!("You are not a member of {room}."),
        OutcomeCode::Already => format!("It is so already in {room}."),
        OutcomeCode::Full => format!("{room} is full."),
        OutcomeCode::Closed => format!("{room} is closed: you have to be invited."),
        OutcomeCode::Banned => format!("You are banned from {room}."),
        OutcomeCode::Muted => format!("You are muted in {room}."),
        OutcomeCode::ReadOnly => format!("You may not write in {room}."),
        OutcomeCode::SlowMode => format!("You have written in {room} a moment ago."),
        OutcomeCode::WrongPassword => format!("This is not the password of {room}."),
        OutcomeCode::Taken => {
            format!("There is a room {room} already, or one that looks like it.")
        }
        OutcomeCode::BadName => format!("{room} can't be the name of a room."),
        OutcomeCode::TooMany => format!(
            "There are too many: a user is a member of {} rooms at most and owns 20, a room has 20 open invitations, a chat \
             1,000 rooms.",
            limits::MEMBERSHIPS
        ),
        OutcomeCode::TooLong => {
            format!(
                "It is too long for {room}: a topic or description has at most {} characters.",
                limits::TOPIC_CHARS
            )
        }
        OutcomeCode::Configured => {
            format!("{room} is in the server's configuration, which says otherwise.")
        }
        OutcomeCode::Blocked => "One of you has blocked the other.".to_owned(),
        OutcomeCode::NoSuchUser => format!("There is nobody of that name in {room}, or invited."),
        OutcomeCode::Forbidden => format!("You may not do this in {room}."),
        OutcomeCode::BadArguments => format!("This can't be done in {room}."),
        OutcomeCode::Throttled => "This was too often, wait a moment.".to_owned(),
        OutcomeCode::Busy => "The server is busy, try again later.".to_owned(),
        OutcomeCode::NotStored => "The server can't store this now.".to_owned(),
        _ => OTHER.to_owned(),
    }
}

const OTHER: &str = "It could not be done.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_a_sentence_and_few_are_the_same() {
        // What a wish never leads to: it was a command, with a question or an account.
        let others = [
            OutcomeCode::Ok,
            OutcomeCode::NoSuchCommand,
            OutcomeCode::Disabled,
            OutcomeCode::Registered,
            OutcomeCode::Timeout,
            OutcomeCode::Cancelled,
            OutcomeCode::Flood,
            OutcomeCode::RoomBusy,
            OutcomeCode::WouldLockOut,
            OutcomeCode::NoSuchMessage,
            OutcomeCode::NeedsCapability,
            OutcomeCode::Failed,
        ];
        let mut seen = Vec::new();
        for code in OutcomeCode::EVERY {
            let Rejection { code: said, text, .. } = refused(*code, "#lab");
            assert_eq!(said, *code);
            assert!(text.ends_with('.') && !text.starts_with(char::is_lowercase), "{text}");
            assert_eq!(text == OTHER, others.contains(code), "{code:?}: {text}");
            assert!(text == OTHER || !seen.contains(&text), "{text}");
            seen.push(text);
        }
    }
}
