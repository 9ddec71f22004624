//! Why a certificate was refused, in words for whoever runs the server.

use std::{io, net::IpAddr};

use rustls::{AlertDescription, CertificateError, pki_types::UnixTime};

use crate::escape;

/// The longest list of names that is shown, in characters.
const LONGEST: usize = 300;

/// Says what is wrong with a certificate.
pub(super) fn in_words(error: &rustls::Error) -> String {
    let rustls::Error::InvalidCertificate(reason) = error else {
        return fault(error);
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
            text if text.contains("UnsupportedSignatureAlgorithm") => {
                "it, or one of its issuers, is signed in a way that is not trusted any more"
                    .to_owned()
            }
            text if text.contains("Revo") || text.contains("Ocsp") => {
                "its issuer has revoked it, or that can't be found out".to_owned()
            }
            text if text.contains("BadEncoding") || text.contains("Der") => {
                "it is broken".to_owned()
            }
            text if text.contains("CriticalExtension") => {
                "it demands something by an extension that is not known here".to_owned()
            }
            _ => "it can't be checked: openssl x509 -noout -text shows what is in it".to_owned(),
        },
    }
}

/// Says why a handshake failed.
pub(super) fn handshake(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => fault(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closed the connection in the middle of it".to_owned()
        }
        None => escape::visible(&error.to_string()),
    }
}

/// Says what went wrong in a handshake, in the words of TLS itself.
fn fault(error: &rustls::Error) -> String {
    use rustls::Error as Tls;
    match error {
        Tls::AlertReceived(alert) => format!("the server ended it with the alert {}", name(*alert)),
        Tls::InvalidMessage(_) => "what the server sent is no TLS".to_owned(),
        Tls::PeerIncompatible(_) => {
            "the server has no version (TLS 1.2 or 1.3) or no cipher in common with the suite"
                .to_owned()
        }
        Tls::NoCertificatesPresented => "the server has shown no certificate".to_owned(),
        Tls::PeerMisbehaved(_)
        | Tls::InappropriateMessage { .. }
        | Tls::InappropriateHandshakeMessage { .. }
        | Tls::PeerSentOversizedRecord => "the server does not keep to the rules of TLS".to_owned(),
        Tls::DecryptError => "what the server sent can't be decrypted".to_owned(),
        _ => "the suite can't go on with it".to_owned(),
    }
}

/// The name of an alert in RFC 8446.
fn name(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    let name = match alert {
        Alert::CloseNotify => "close_notify",
        Alert::UnexpectedMessage => "unexpected_message",
        Alert::BadRecordMac => "bad_record_mac",
        Alert::RecordOverflow => "record_overflow",
        Alert::HandshakeFailure => "handshake_failure",
        Alert::BadCertificate => "bad_certificate",
        Alert::UnsupportedCertificate => "unsupported_certificate",
        Alert::CertificateUnknown => "certificate_unknown",
        Alert::IllegalParameter => "illegal_parameter",
        Alert::UnknownCA => "unknown_ca",
        Alert::AccessDenied => "access_denied",
        Alert::DecodeError => "decode_error",
        Alert::DecryptError => "decrypt_error",
        Alert::ProtocolVersion => "protocol_version",
        Alert::InsufficientSecurity => "insufficient_security",
        Alert::InternalError => "internal_error",
        Alert::MissingExtension => "missing_extension",
        Alert::UnsupportedExtension => "unsupported_extension",
        Alert::UnrecognisedName => "unrecognized_name",
        Alert::CertificateRequired => "certificate_required",
        Alert::NoApplicationProtocol => "no_application_protocol",
        other => return format!("number {}", u8::from(other)),
    };
    name.to_owned()
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
    fn a_handshake_is_told_in_the_words_of_tls_and_of_no_library() {
        let told = |error: rustls::Error| handshake(&io::Error::other(error));
        let alert = told(rustls::Error::AlertReceived(AlertDescription::HandshakeFailure));
        assert_eq!(alert, "the server ended it with the alert handshake_failure");
        let alert = told(rustls::Error::AlertReceived(AlertDescription::Unknown(200)));
        assert_eq!(alert, "the server ended it with the alert number 200");
        let misbehaved = rustls::PeerMisbehaved::SelectedUnofferedCipherSuite;
        assert_eq!(told(misbehaved.into()), "the server does not keep to the rules of TLS");
        for error in
            [rustls::Error::General("NotAscii".to_owned()), CertificateError::BadEncoding.into()]
        {
            let words = in_words(&error);
            assert!(!words.contains("NotAscii") && !words.contains("Encoding"), "{words}");
        }
    }

    #[test]
    fn times_are_told_in_one_unit() {
        let at = |seconds| UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        assert_eq!(span(at(10), at(11)), "1 second");
        assert_eq!(span(at(0), at(7_300)), "2 hours");
        assert_eq!(span(at(0), at(86_400 * 40)), "40 days");
        assert_eq!(span(at(5), at(0)), "0 seconds");
    }
}
