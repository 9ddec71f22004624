//! Why a certificate was refused, in words for whoever runs the server.

use std::net::IpAddr;

use rustls::{CertificateError, pki_types::UnixTime};

use crate::escape;

/// The longest list of names that is shown, in characters.
const LONGEST: usize = 300;

/// Says what is wrong with a certificate.
pub(super) fn in_words(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return escape::visible(&error.to_string());
    };
    match reason {
        CertificateError::UnknownIssuer => {
            "it is none of the certificates that are trusted, nor did one of them issue it"
                .to_owned()
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().map(|name| bare(name)).collect();
            let names = match names.as_slice() {
                [] => "no host".to_owned(),
                names => escape::shorten(&escape::visible(&names.join(", ")), LONGEST),
            };
            let expected = escape::visible(&expected.to_str());
            if expected.parse::<IpAddr>().is_ok() {
                // A common name that is written like an address is none.
                format!("it is for {names}, not for the address {expected} (IP in subjectAltName)")
            } else {
                format!("it is for {names}, not for {expected}")
            }
        }
        CertificateError::NotValidForName => "it is for another host".to_owned(),
        CertificateError::ExpiredContext { time, not_after } => {
            format!("it has expired, {} ago", span(*not_after, *time))
        }
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::NotValidYetContext { time, not_before } => {
            format!("it is not valid yet, and will be in {}", span(*time, *not_before))
        }
        CertificateError::NotValidYet => "it is not valid yet".to_owned(),
        CertificateError::BadSignature => {
            "it is signed with another key than that of the authority of this name".to_owned()
        }
        CertificateError::ApplicationVerificationFailure => {
            "the server does not have its key".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it says that it is not for servers".to_owned()
        }
        // webpki's own errors come wrapped; their names are stable, and their types can't be reached.
        other => match format!("{other:?}") {
            text if text.contains("UnsupportedCertVersion") => {
                "it is of the old version X.509 v1 (UnsupportedCertVersion)".to_owned()
            }
            text if text.contains("CaUsedAsEndEntity") => {
                "it is an authority's own certificate, and not one of those that are trusted"
                    .to_owned()
            }
            _ => escape::visible(&error.to_string()),
        },
    }
}

/// `DnsName("localhost")` and `IpAddress(127.0.0.1)` without what is around the name.
fn bare(presented: &str) -> &str {
    presented
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or(presented)
        .trim_matches('"')
}

/// The time between two moments, in the largest unit that there is at least one of.
fn span(from: UnixTime, to: UnixTime) -> String {
    let seconds = to.as_secs().saturating_sub(from.as_secs());
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if count == 1 { format!("{count} {unit}") } else { format!("{count} {unit}s") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_told_in_one_unit() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        assert_eq!(span(at(10), at(11)), "1 second");
        assert_eq!(span(at(0), at(7_300)), "2 hours");
        assert_eq!(span(at(0), at(86_400 * 40)), "40 days");
        assert_eq!(span(at(5), at(0)), "0 seconds");
    }
}
