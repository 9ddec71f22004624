//! Failures of the network in words: the event, the address, and hints.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError, Error as Tls};

use super::dial::DialError;
use super::trust::{Seen, Trust};
use crate::exit::{Exit, Failure, without_number};
use chatterbox_proto::ScreenText;

/// Explains that there is no TCP connection.
pub fn dialling(error: &DialError) -> Failure {
    match error {
        DialError::UnknownHost { source, .. } => {
            let text = without_number(source);
            // What getaddrinfo says, without the name that std gives it.
            let said = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
            Failure::new(Exit::NoHost, error.to_string()).detail(said)
        }
        DialError::Unreachable { failures, .. } => {
            let mut failure = Failure::new(Exit::Unavailable, error.to_string());
            for (address, error) in failures {
                failure = failure.detail(format!("{address}: {}", without_number(error)));
            }
            let refused =
                |(_, error): &(_, io::Error)| error.kind() == io::ErrorKind::ConnectionRefused;
            if !failures.is_empty() && failures.iter().all(refused) {
                failure = failure.hint("is the server running, and on this port?");
            }
            failure
        }
    }
}

const NO_TLS: &str = "if the server is meant to speak without TLS, say --plaintext";

/// Explains a TLS handshake that took too long.
pub fn handshake_timeout(peer: &str, limit: Duration) -> Failure {
    Failure::new(
        Exit::Protocol,
        format!("{peer} did not finish the TLS handshake within {} seconds", limit.as_secs()),
    )
    .hint(NO_TLS)
}

/// Explains a TLS handshake that failed.
pub fn handshake(error: &io::Error, peer: &str, seen: &Seen) -> Failure {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>());
    match tls {
        Some(Tls::InvalidCertificate(reason)) => certificate(reason, peer, seen),
        Some(Tls::InvalidMessage(_)) => {
            Failure::new(Exit::Protocol, format!("{peer} does not speak TLS")).hint(NO_TLS)
        }
        Some(Tls::AlertReceived(alert)) => refused(*alert, peer),
        Some(other) => Failure::new(
            Exit::Protocol,
            format!("the TLS handshake with {peer} failed: {}", fault(other)),
        ),
        None if error.kind() == io::ErrorKind::UnexpectedEof => Failure::new(
            Exit::Protocol,
            format!("{peer} closed in the middle of the TLS handshake"),
        )
        .hint(NO_TLS),
        None => Failure::new(
            Exit::Unavailable,
            format!("{peer} was lost in the TLS handshake: {}", without_number(error)),
        )
        .hint(NO_TLS),
    }
}

/// Explains the alert with which the server ended the handshake.
fn refused(alert: AlertDescription, peer: &str) -> Failure {
    const VERSIONS: &str = "this client speaks TLS 1.2 and 1.3; the server may be too old";
    use AlertDescription as Alert;
    let (why, hint) = match alert {
        Alert::ProtocolVersion => ("it speaks no version of TLS that this client does", VERSIONS),
        Alert::HandshakeFailure | Alert::InsufficientSecurity => {
            ("it has no way of encrypting in common with this client", VERSIONS)
        }
        Alert::CertificateRequired | Alert::NoCertificate => (
            "it wants a certificate of the client",
            "this client has none: the server is not meant for it",
        ),
        Alert::UnrecognisedName => {
            ("it knows no host of this name", "connect to a name that the certificate is for")
        }
        Alert::NoApplicationProtocol => {
            ("it is meant for another protocol", "is this the port of the chat?")
        }
        Alert::AccessDenied => ("it lets this client not in", "ask whoever runs the server"),
        Alert::InternalError => {
            ("it has a fault of its own", "ask whoever runs the server to look at its log")
        }
        _ => (
            "it does not take what this client says",
            "ask whoever runs the server to look at its log",
        ),
    };
    Failure::new(Exit::Protocol, format!("{peer} refused the TLS handshake: {why}")).hint(hint)
}

/// What went wrong in a handshake, for which the server has not blamed this client.
fn fault(error: &Tls) -> &'static str {
    match error {
        Tls::PeerIncompatible(_) => {
            "the server has no way of encrypting in common with this client"
        }
        Tls::NoCertificatesPresented => "the server has shown no certificate",
        Tls::PeerMisbehaved(_)
        | Tls::InappropriateMessage { .. }
        | Tls::InappropriateHandshakeMessage { .. }
        | Tls::PeerSentOversizedRecord => "the server does not keep to the rules of TLS",
        Tls::DecryptError => {
            "what the server sent was changed on the way, or it has made a mistake"
        }
        Tls::FailedToGetCurrentTime => "this machine has no clock",
        Tls::FailedToGetRandomBytes => "this machine gives no random numbers",
        _ => "this client can't go on with it",
    }
}

fn certificate(reason: &CertificateError, peer: &str, seen: &Seen) -> Failure {
    let mut failure = Failure::new(
        Exit::Untrusted,
        format!("the certificate of {peer} is not trusted: {}", in_words(reason, seen)),
    );
    let issuer = seen.presented.as_ref().and_then(|shown| shown.missing_issuer.as_deref());
    let issuer = issuer.filter(|_| matches!(reason, CertificateError::UnknownIssuer));
    if let Some(issuer) = issuer {
        let issuer = ScreenText::shortened(issuer, 200);
        failure = failure
            .detail(format!("its issuer is {issuer}, whose certificate the server did not send"));
    }
    if let Some(shown) = &seen.presented {
        failure = failure.detail(format!("its SHA-256 fingerprint is {}", shown.fingerprint));
    }
    for hint in hints(reason, seen) {
        failure = failure.hint(*hint);
    }
    if issuer.is_some() {
        failure = failure.hint("if that is no authority, the server's file lacks its chain: whoever runs the server puts it behind the certificate");
    }
    failure
}

fn in_words(reason: &CertificateError, seen: &Seen) -> String {
    match reason {
        CertificateError::UnknownIssuer => match &seen.trust {
            Trust::Authority(path) => {
                format!("it is not in {0}, and no authority in {0} issued it", path.display())
            }
            _ => "no authority that this system trusts issued it".to_owned(),
        },
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<_> = presented.iter().map(|name| plain_name(name)).collect();
            let presented = match names.as_slice() {
                [] => "nothing".to_owned(),
                names => ScreenText::shortened(&names.join(", "), 300).to_string(),
            };
            format!("it is for {presented}, not for {:?}", expected.to_str())
        }
        CertificateError::NotValidForName => "it is for another host".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it has expired on {}", date(*not_after))
        }
        CertificateError::Expired => "it has expired".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            let from = date(*not_before);
            format!("it is not valid yet, before {from} (is the clock of this machine right?)")
        }
        CertificateError::NotValidYet => {
            "it is not valid yet (is the clock of this machine right?)".to_owned()
        }
        CertificateError::ApplicationVerificationFailure => match &seen.trust {
            Trust::Pinned(pin) => format!("its fingerprint is not {pin}"),
            _ => "the server does not have its key".to_owned(),
        },
        CertificateError::BadSignature => match &seen.trust {
            // For example, the server has made itself a new authority.
            Trust::Authority(path) => format!(
                "it is signed with another key than those in {}, by an authority of the same name",
                path.display()
            ),
            _ => "the server does not have its key".to_owned(),
        },
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "it says that it is not for servers".to_owned()
        }
        _ if is_old_version(reason) => "it is of the old version X.509 v1".to_owned(),
        _ if is_authority(reason) => match &seen.trust {
            Trust::Authority(path) => {
                format!("it is an authority's own certificate, and not in {}", path.display())
            }
            _ => "it is an authority's own certificate, used as a server's".to_owned(),
        },
        CertificateError::BadEncoding => "it is broken".to_owned(),
        CertificateError::Revoked => "its issuer has revoked it".to_owned(),
        CertificateError::UnhandledCriticalExtension => {
            "it demands something that this client does not know".to_owned()
        }
        CertificateError::UnknownRevocationStatus
        | CertificateError::ExpiredRevocationList
        | CertificateError::ExpiredRevocationListContext { .. }
        | CertificateError::InvalidOcspResponse => {
            "whether its issuer has revoked it can't be found out".to_owned()
        }
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "it, or one of its issuers, is signed in a way that is not trusted any more".to_owned()
        }
        _ => "it can't be checked".to_owned(),
    }
}

/// `DnsName("localhost")` and `IpAddress(0::1)`, as webpki gives them, without the wrapping; addresses as people write them.
fn plain_name(presented: &str) -> String {
    let name = presented
        .split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .unwrap_or(presented)
        .trim_matches('"');
    name.parse::<IpAddr>().map_or_else(|_| name.to_owned(), |address| address.to_string())
}

/// A time as people write it: `2027-01-01 00:00:00 UTC`.
fn date(time: UnixTime) -> String {
    let time =
        i64::try_from(time.as_secs()).ok().and_then(|time| Timestamp::from_second(time).ok());
    time.map_or_else(
        || "a time that no calendar has".to_owned(),
        |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

fn hints(reason: &CertificateError, seen: &Seen) -> &'static [&'static str] {
    const THIS: &str = "is this the authority's file of this very server?";
    const PIN: &str = "if whoever runs the server confirms this fingerprint, give it with --pin";
    match reason {
        CertificateError::BadSignature if !matches!(seen.trust, Trust::Authority(_)) => &[],
        CertificateError::UnknownIssuer | CertificateError::BadSignature => match seen.trust {
            Trust::Authority(_) => &[THIS, PIN],
            _ => &["give the file of the server's authority: -ca FILE", PIN],
        },
        CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName => {
            &["connect to a name that the certificate is for", PIN]
        }
        CertificateError::ApplicationVerificationFailure => &[
            "ask whoever runs the server whether its certificate is new; otherwise somebody is in between",
        ],
        _ if is_old_version(reason) => &[PIN, "to trust any certificate at all, say --insecure"],
        _ if is_authority(reason) => match seen.trust {
            Trust::Authority(_) => &[THIS, PIN],
            _ => &["if the server made it itself, give its file: -ca FILE", PIN],
        },
        _ => &[PIN],
    }
}

/// rustls wraps some of webpki's errors as `Other`; their names are stable, but their types can't be reached.
fn is_old_version(reason: &CertificateError) -> bool {
    format!("{reason:?}").contains("UnsupportedCertVersion")
}

fn is_authority(reason: &CertificateError) -> bool {
    format!("{reason:?}").contains("CaUsedAsEndEntity")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{OtherError, PeerIncompatible, PeerMisbehaved};

    use super::*;

    #[test]
    fn presented_names_lose_their_wrapping() {
        assert_eq!(plain_name("DnsName(\"localhost\")"), "localhost");
        assert_eq!(plain_name("IpAddress(127.0.0.1)"), "127.0.0.1");
        assert_eq!(plain_name("IpAddress(0::1)"), "::1");
        assert_eq!(plain_name("odd"), "odd");
    }

    #[test]
    fn no_word_of_a_library_reaches_the_user() {
        let seen = Seen { trust: Trust::System, presented: None };
        let all = [
            Tls::AlertReceived(AlertDescription::HandshakeFailure),
            Tls::AlertReceived(AlertDescription::UnrecognisedName),
            Tls::AlertReceived(AlertDescription::Unknown(200)),
            Tls::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
            Tls::PeerMisbehaved(PeerMisbehaved::SelectedUnofferedCipherSuite),
            Tls::General("NotAscii".to_owned()),
            CertificateError::BadEncoding.into(),
            CertificateError::ApplicationVerificationFailure.into(),
            CertificateError::UnsupportedSignatureAlgorithmContext {
                signature_algorithm_id: vec![1],
                supported_algorithms: vec![],
            }
            .into(),
            CertificateError::Other(OtherError(Arc::new(io::Error::other("PathLenConstraint"))))
                .into(),
        ];
        let told: Vec<_> = all
            .iter()
            .map(|error| {
                handshake(&io::Error::other(error.clone()), "a.example", &seen).to_string()
            })
            .collect();
        insta::assert_snapshot!(told.join("\n\n"));
    }

    #[test]
    fn each_address_is_told_with_its_failure() {
        let failures = vec![
            ("[::1]:5".parse().unwrap(), io::Error::from_raw_os_error(111)),
            ("127.0.0.1:5".parse().unwrap(), io::Error::from_raw_os_error(111)),
        ];
        let error = DialError::Unreachable { host: "localhost".to_owned(), port: 5, failures };
        insta::assert_snapshot!(dialling(&error), @r#"
        no connection to "localhost", port 5
          [::1]:5: Connection refused
          127.0.0.1:5: Connection refused
        hint: is the server running, and on this port?
        "#);
    }
}
