//! What all are told at once, apart from the history.

use std::time::Duration;

use chatterbox_hub::Event;
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use chatterbox_proto::{ALL, Entry, SERVER};

use crate::ops::clock::unix_now;

/// That the server is going to shut down. It is a message, because every client can show one; who agreed to `notices` gets one
/// with the seconds until then.
pub fn shutdown_notice(wait: Duration) -> Event {
    let info = format!("The server is shutting down in {} s.", wait.as_secs());
    let wait = u32::try_from(wait.as_secs()).ok();
    announcement(&NewNotice { wait, ..NewNotice::new(NoticeCode::Shutdown, &info) })
}

/// What all are told, in both forms: a message of SERVER, or a notice (NO-2).
pub fn announcement(notice: &NewNotice<'_>) -> Event {
    let entry = Entry {
        source: SERVER.into(),
        destination: ALL.into(),
        timestamp: unix_now(),
        content: notice.info.into(),
    };
    Event::announcement(entry.to_json().into(), notice.to_json().into())
}
