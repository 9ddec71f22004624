//! What all are told at once, apart from the history.

use std::time::Duration;

use chatterbox_hub::Event;
use chatterbox_proto::capability::notices::{NewNotice, NoticeCode};
use chatterbox_proto::{ALL, Entry, SERVER};

use crate::ops::clock::unix_now;

/// That the server is going to shut down, and how much later it is expected back, where that is known. It is a message, because every
/// client can show one; who agreed to `notices` gets one with the seconds until then.
pub fn shutdown_notice(wait: Duration, back_in: Option<Duration>) -> Event {
    let mut info = format!("The server is shutting down in {} s.", wait.as_secs());
    if let Some(back_in) = back_in {
        info = format!("{info} It is expected back {} later.", about(back_in));
    }
    let wait = u32::try_from(wait.as_secs()).ok();
    announcement(&NewNotice { wait, ..NewNotice::new(NoticeCode::Shutdown, &info) })
}

/// A time as people say it.
fn about(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds @ 120..7200 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h", seconds.div_ceil(3600)),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_people() {
        for (seconds, text) in
            [(0, "0 s"), (119, "119 s"), (120, "2 min"), (601, "11 min"), (7200, "2 h")]
        {
            assert_eq!(about(Duration::from_secs(seconds)), text);
        }
    }
}
