//! The names of conversations and what is unread in them, in the form in which every part of the screen shows them.

use chatterbox_app::Target;
use chatterbox_app::model::Conversation;
use chatterbox_proto::ScreenText;

/// A name is shown with so many characters at most.
const NAME: usize = 64;

/// The name of a conversation: `lobby`, `#room`, `@user`. A user's has the sign always, so nobody can be called like the lobby or a
/// room.
pub(super) fn name_of(target: &Target) -> ScreenText {
    match target {
        Target::Lobby => ScreenText::new("lobby"),
        Target::Room(name) => ScreenText::shortened(name, NAME),
        Target::User(name) => ScreenText::shortened(&format!("@{name}"), NAME),
    }
}

/// What is unread: `4`, with mentions among them `12!1`, if all of them are `1!`; nothing if nothing is.
pub(super) fn count_of(conversation: &Conversation) -> String {
    counted(conversation.unread, conversation.mentions)
}

/// So much that is unread, and so many mentions among it.
pub(super) fn counted(unread: usize, mentions: usize) -> String {
    match (unread, mentions) {
        (0, 0) => String::new(),
        (unread, 0) => many(unread),
        (unread, mentions) if mentions >= unread => format!("{}!", many(mentions)),
        (unread, mentions) => format!("{}!{}", many(unread), many(mentions)),
    }
}

/// A number in four characters at most.
fn many(count: usize) -> String {
    if count < 1000 { count.to_string() } else { "999+".to_owned() }
}
