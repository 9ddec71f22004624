//! The time zone in which times are shown: that of `TZ`, or the machine's.
#![allow(clippy::disallowed_methods, reason = "a time zone may be a file")]

use std::path::Path;

use chatterbox_proto::ScreenText;
use jiff::tz::TimeZone;

/// What POSIX leaves open: the days of summer time where `TZ` names it without them. This is what the C library takes.
const USUAL_RULE: &str = ",M3.2.0,M11.1.0";

/// A file with a time zone has at most so many bytes.
const FILE: u64 = 1 << 20;

/// The zone, and what the user has to be told about it.
pub(crate) fn local() -> (TimeZone, Option<String>) {
    let Some(tz) = std::env::var_os("TZ") else { return (TimeZone::system(), None) };
    let tz = tz.to_string_lossy();
    match read(&tz) {
        Some(zone) => (zone, None),
        None => {
            let tz = ScreenText::shortened(&tz, 60);
            (TimeZone::UTC, Some(format!("TZ={tz} is not understood: times are in UTC")))
        }
    }
}

/// The zone of a value of `TZ`: a name such as `Europe/Berlin`, a rule such as `CET-1CEST,M3.5.0,M10.5.0/3`, or a file.
fn read(tz: &str) -> Option<TimeZone> {
    let tz = tz.strip_prefix(':').unwrap_or(tz);
    if tz.is_empty() {
        return Some(TimeZone::UTC);
    }
    let name = tz.rsplit_once("zoneinfo/").map_or(tz, |(_, name)| name);
    TimeZone::get(name)
        .ok()
        .or_else(|| TimeZone::posix(tz).ok())
        .or_else(|| TimeZone::posix(&format!("{tz}{USUAL_RULE}")).ok())
        .or_else(|| file(Path::new(tz)))
        .filter(|zone| !zone.is_unknown())
}

fn file(path: &Path) -> Option<TimeZone> {
    let regular = std::fs::metadata(path).ok()?;
    if !path.is_absolute() || !regular.is_file() || regular.len() > FILE {
        return None;
    }
    TimeZone::tzif("", &std::fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use chatterbox_app::TimeFormatter;

    use super::*;

    /// 2026-01-15 12:00 and 2026-07-15 12:00 UTC.
    const WINTER: i64 = 1_768_478_400;
    const SUMMER: i64 = 1_784_116_800;

    #[test]
    fn names_rules_and_what_is_neither() {
        let table = [
            ("", Some(("12:00", "12:00"))),
            ("UTC", Some(("12:00", "12:00"))),
            ("UTC0", Some(("12:00", "12:00"))),
            // To the west is plus.
            ("UTC+3", Some(("09:00", "09:00"))),
            ("<+03>-3", Some(("15:00", "15:00"))),
            ("<-0330>3:30", Some(("08:30", "08:30"))),
            ("CET-1CEST,M3.5.0,M10.5.0/3", Some(("13:00", "14:00"))),
            (":CET-1CEST,M3.5.0,M10.5.0/3", Some(("13:00", "14:00"))),
            ("CET-1CEST", Some(("13:00", "14:00"))),
            ("Nowhere/Land", None),
            ("/no/such/file", None),
            ("/etc/passwd", None),
            ("nonsense\u{1b}[2J", None),
        ];
        for (tz, expected) in table {
            let shown = read(tz).map(|zone| {
                let time = TimeFormatter::new(zone);
                (time.format(WINTER, WINTER), time.format(SUMMER, SUMMER))
            });
            let shown = shown.as_ref().map(|(winter, summer)| (winter.as_str(), summer.as_str()));
            assert_eq!(shown, expected, "{tz:?}");
        }
    }
}
