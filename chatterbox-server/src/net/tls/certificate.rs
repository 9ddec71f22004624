//! The server's own certificate as its clients will see it: what makes it unusable, and what they may refuse it for.

use std::net::IpAddr;
use std::path::Path;

use chatterbox_proto::ScreenText;
use rustls::pki_types::CertificateDer;
use rustls::sign::SigningKey;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{ASN1Time, FromDer as _, X509Certificate, X509Version};

use crate::net::tls::error::TlsError;

/// A reason for which clients may refuse a certificate that can be used all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub(super) enum Warning {
    #[error("it has expired on {0}: clients refuse it")]
    Expired(String),
    #[error(
        "it is not valid before {0}: clients refuse it until then (is the clock of this machine right?)"
    )]
    NotYetValid(String),
    #[error("it expires on {0}")]
    ExpiresSoon(String),
    #[error(
        "certificate {place} in the file, an issuer, ends on {at}: clients that need it refuse the chain then"
    )]
    IssuerEnds { place: usize, at: String },
    #[error(
        "its issuer {0} is not behind it in the file: clients that don't know this issuer refuse it, so put the issuer's certificate there if it is an intermediate one"
    )]
    NoChain(String),
    #[error(
        "certificate {0} in the file did not issue the one before it: clients may refuse the chain"
    )]
    BrokenChain(usize),
    #[error("it is for {names}, and not for {host:?}: clients refuse it under that name")]
    OtherHost { names: String, host: String },
    #[error("it names no host in subjectAltName: most clients refuse it")]
    NoNames,
    #[error("it says that it is not for servers: clients refuse it")]
    OtherPurpose,
}

impl Warning {
    /// Whether no client takes the certificate at this moment, whatever it calls the server.
    pub(super) const fn is_refusal(&self) -> bool {
        matches!(self, Self::Expired(_) | Self::NotYetValid(_))
    }
}

const DAY: i64 = 24 * 60 * 60;

/// A warning is given this long before the end, in seconds.
const SOON: i64 = 14 * DAY;

/// Refuses certificates that TLS can't work with.
///
/// # Errors
/// [`TlsError`].
pub(super) fn check(
    path: &Path,
    key_path: &Path,
    chain: &[CertificateDer<'_>],
    key: &dyn SigningKey,
) -> Result<(), TlsError> {
    let parsed = parse(path, chain)?;
    let Some(own) = parsed.first() else { return Err(TlsError::Unusable(path.to_owned())) };
    if let Some(public) = key.public_key() {
        let fits = |one: &X509Certificate<'_>| one.public_key().raw == public.as_ref();
        match parsed.iter().position(fits) {
            Some(0) => {}
            Some(place) => {
                return Err(TlsError::Order { path: path.to_owned(), place: place + 1 });
            }
            None => {
                let (certificate, key) = (path.to_owned(), key_path.to_owned());
                return Err(TlsError::Mismatch { certificate, key });
            }
        }
    }
    if own.version() != X509Version::V3 {
        return Err(TlsError::OldVersion(path.to_owned()));
    }
    Ok(())
}

/// What clients may refuse the certificate for, when they connect to these hosts at this time (in seconds since 1970).
pub(super) fn warnings(chain: &[CertificateDer<'_>], hosts: &[String], now: i64) -> Vec<Warning> {
    let Ok(parsed) = parse(Path::new(""), chain) else { return Vec::new() };
    let Some(own) = parsed.first() else { return Vec::new() };
    let mut found = ends_of(&parsed, now);
    if parsed.len() == 1 && own.issuer().as_raw() != own.subject().as_raw() {
        found.push(Warning::NoChain(
            ScreenText::shortened(&own.issuer().to_string(), 200).to_string(),
        ));
    }
    for (place, pair) in parsed.windows(2).enumerate() {
        let [one, issuer] = pair else { continue };
        let issued = one.issuer().as_raw() == issuer.subject().as_raw()
            && one.verify_signature(Some(issuer.public_key())).is_ok();
        if !issued {
            found.push(Warning::BrokenChain(place + 2));
        }
    }
    match names(own) {
        names if names.is_empty() => found.push(Warning::NoNames),
        names => found.extend(hosts.iter().filter_map(|host| other_host(&names, host))),
    }
    let purpose = own.extended_key_usage().ok().flatten();
    if purpose.is_some_and(|usage| !(usage.value.server_auth || usage.value.any)) {
        found.push(Warning::OtherPurpose);
    }
    found
}

/// The same as far as it follows from the time alone: for a certificate that was made here.
pub(super) fn warnings_of_time(chain: &[CertificateDer<'_>], now: i64) -> Vec<Warning> {
    parse(Path::new(""), chain).map_or_else(|_| Vec::new(), |parsed| ends_of(&parsed, now))
}

fn ends_of(parsed: &[X509Certificate<'_>], now: i64) -> Vec<Warning> {
    let Some((own, issuers)) = parsed.split_first() else { return Vec::new() };
    let (from, until) = (own.validity().not_before, own.validity().not_after);
    let own = if until.timestamp() < now {
        Some(Warning::Expired(date(until)))
    } else if from.timestamp() > now {
        Some(Warning::NotYetValid(date(from)))
    } else {
        (until.timestamp() - now < SOON).then(|| Warning::ExpiresSoon(date(until)))
    };
    let ends_soon = |(index, one): (usize, &X509Certificate<'_>)| {
        let until = one.validity().not_after;
        let ends = until.timestamp() - now < SOON;
        ends.then(|| Warning::IssuerEnds { place: index + 2, at: date(until) })
    };
    own.into_iter().chain(issuers.iter().enumerate().filter_map(ends_soon)).collect()
}

/// For how many whole days from now on a certificate is good that ends then, both in seconds since 1970; below 0 it has ended.
pub(super) const fn days_left(ends: i64, now: i64) -> i64 {
    ends.saturating_sub(now).div_euclid(DAY)
}

/// When the first certificate of a chain ends, in seconds since 1970 UTC.
///
/// Issuers have a warning of their own. One that has ended spoils nothing where clients know another way: an old cross-signed
/// one is left in the files of public authorities for years.
pub(super) fn ends(chain: &[CertificateDer<'_>]) -> Option<i64> {
    let parsed = parse(Path::new(""), chain.get(..1)?).ok()?;
    parsed.first().map(|own| own.validity().not_after.timestamp())
}

/// The hosts and addresses that the first certificate of a chain is for.
pub(super) fn hosts(chain: &[CertificateDer<'_>]) -> Vec<String> {
    let parsed = parse(Path::new(""), chain).unwrap_or_default();
    parsed.first().map(names).unwrap_or_default()
}

/// A time as people write it: `2027-01-01 00:00:00 UTC`.
fn date(time: ASN1Time) -> String {
    let time = time.to_datetime();
    let (hour, minute, second) = time.time().as_hms();
    format!("{} {hour:02}:{minute:02}:{second:02} UTC", time.date())
}

/// The name that clients can be told: the first of these hosts that the certificate is for, otherwise one that it is for.
pub(super) fn first_name(chain: &[CertificateDer<'_>], hosts: &[String]) -> Option<String> {
    let names = self::hosts(chain);
    let is_certified = |host: &&String| names.iter().any(|name| fits(name, host));
    if let Some(host) = hosts.iter().find(is_certified) {
        return Some(host.clone());
    }
    names.into_iter().find(|name| !name.starts_with('*'))
}

/// Whether nobody but its owner has signed the certificate.
pub(super) fn is_self_signed(chain: &[CertificateDer<'_>]) -> bool {
    let Ok(parsed) = parse(Path::new(""), chain) else { return false };
    parsed.first().is_some_and(|own| {
        own.issuer().as_raw() == own.subject().as_raw() && own.verify_signature(None).is_ok()
    })
}

fn parse<'a>(
    path: &Path,
    chain: &'a [CertificateDer<'_>],
) -> Result<Vec<X509Certificate<'a>>, TlsError> {
    let broken =
        |_| TlsError::Malformed { path: path.to_owned(), problem: "a certificate in it is broken" };
    chain
        .iter()
        .map(|der| X509Certificate::from_der(der).map(|(_, parsed)| parsed).map_err(broken))
        .collect()
}

fn other_host(names: &[String], host: &str) -> Option<Warning> {
    let everywhere = host.parse::<IpAddr>().is_ok_and(|address| address.is_unspecified());
    if everywhere || names.iter().any(|name| fits(name, host)) {
        return None;
    }
    let names = ScreenText::shortened(&names.join(", "), 300).to_string();
    Some(Warning::OtherHost { names, host: host.to_owned() })
}

/// The hosts and addresses of subjectAltName.
fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let alternatives = certificate.subject_alternative_name().ok().flatten();
    let all = alternatives.iter().flat_map(|extension| &extension.value.general_names);
    all.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(ScreenText::new(name).to_string()),
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    })
    .collect()
}

/// The address of four or sixteen bytes.
pub(super) fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes)
        .map(IpAddr::from)
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from))
        .ok()
}

/// Whether a name of a certificate is for this host.
pub(super) fn fits(name: &str, host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    if let (Ok(name), Ok(host)) = (name.parse::<IpAddr>(), host.parse::<IpAddr>()) {
        return name == host;
    }
    match name.strip_prefix("*.") {
        Some(rest) => host.split_once('.').is_some_and(|(_, end)| end.eq_ignore_ascii_case(rest)),
        None => name.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{
        BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    };
    use rustls::crypto::ring;
    use rustls::pki_types::PrivateKeyDer;

    use super::*;

    fn signing(key: &KeyPair) -> Arc<dyn SigningKey> {
        let der = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        ring::default_provider().key_provider.load_private_key(der).unwrap()
    }

    fn params(name: &str) -> CertificateParams {
        CertificateParams::new(vec![name.to_owned()]).unwrap()
    }

    const NOW: i64 = 1_800_000_000;

    fn told(chain: &[CertificateDer<'_>], host: &str) -> Vec<String> {
        let hosts = [host.to_owned()];
        warnings(chain, &hosts, NOW).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_certificate_ends_by_itself_whenever_its_issuers_do() {
        let key = KeyPair::generate().unwrap();
        let until = |year| {
            let mut params = params("a.example");
            params.not_after = rcgen::date_time_ymd(year, 1, 1);
            params.self_signed(&key).unwrap().der().clone()
        };
        let end = rcgen::date_time_ymd(2031, 1, 1).unix_timestamp();
        assert_eq!(ends(&[until(2031), until(2021)]), Some(end));
        assert_eq!(ends(&[until(2031), until(2035)]), Some(end));
        assert_eq!(ends(&[]), None);
    }

    #[test]
    fn each_reason_to_refuse_it_later_is_told_at_the_start() {
        let key = KeyPair::generate().unwrap();
        type Change = fn(&mut CertificateParams);
        let at = |seconds: i64| time::OffsetDateTime::from_unix_timestamp(NOW + seconds).unwrap();
        let cases: [(Change, &str, &str); 6] = [
            (|_| {}, "a.example", ""),
            (
                |p| p.not_after = rcgen::date_time_ymd(2026, 2, 3),
                "a.example",
                "expired on 2026-02-03 00:00:00 UTC: ",
            ),
            (
                |p| p.not_before = rcgen::date_time_ymd(2031, 2, 3),
                "a.example",
                "not valid before 2031-02-03 00:00:00 UTC: ",
            ),
            (|_| {}, "b.example", "it is for a.example, and not for \"b.example\""),
            (|p| p.subject_alt_names.clear(), "a.example", "names no host"),
            (
                |p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
                "a.example",
                "not for servers",
            ),
        ];
        for (change, host, expected) in cases {
            let mut params = params("a.example");
            change(&mut params);
            let own = params.self_signed(&key).unwrap();
            let told = told(&[own.der().clone()], host);
            assert!(told.join("|").contains(expected), "{expected}: {told:?}");
            assert_eq!(told.len(), usize::from(!expected.is_empty()), "{told:?}");
        }
        let mut soon = params("a.example");
        soon.not_after = at(10 * 86_400);
        let soon = soon.self_signed(&key).unwrap();
        let told = told(&[soon.der().clone()], "0.0.0.0");
        assert_eq!(told, ["it expires on 2027-01-25 08:00:00 UTC"]);
    }

    #[test]
    fn what_follows_from_the_time_is_told_of_issuers_as_well() {
        let key = KeyPair::generate().unwrap();
        let until = |seconds: i64| {
            let mut params = params("a.example");
            params.not_after = time::OffsetDateTime::from_unix_timestamp(NOW + seconds).unwrap();
            params.self_signed(&key).unwrap().der().clone()
        };
        let told = |chain: &[CertificateDer<'_>]| warnings_of_time(chain, NOW);
        assert!(told(&[until(15 * DAY), until(15 * DAY)]).is_empty());
        let [soon, issuer] = &told(&[until(13 * DAY), until(-1)])[..] else { panic!("two") };
        assert!(matches!(soon, Warning::ExpiresSoon(_)) && !soon.is_refusal(), "{soon}");
        assert!(matches!(issuer, Warning::IssuerEnds { place: 2, .. }), "{issuer}");
        assert!(told(&[until(-1)]).iter().all(Warning::is_refusal));
    }

    #[test]
    fn days_are_whole_and_below_zero_when_it_has_ended() {
        for (left, days) in [(0, 0), (1, 0), (DAY - 1, 0), (DAY, 1), (-1, -1), (-DAY - 1, -2)] {
            assert_eq!(days_left(NOW + left, NOW), days, "{left}");
        }
    }

    #[test]
    fn every_host_that_clients_type_is_looked_for() {
        let key = KeyPair::generate().unwrap();
        let own = params("a.example").self_signed(&key).unwrap().der().clone();
        let hosts = ["a.example", "b.example", "0.0.0.0", "192.0.2.1"].map(str::to_owned);
        let told = warnings(&[own], &hosts, NOW);
        let told: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert!(told.len() == 2 && told[0].contains("\"b.example\""), "{told:?}");
        assert!(told[1].contains("\"192.0.2.1\""), "{told:?}");
    }

    #[test]
    fn the_chain_is_looked_at() {
        let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let mut root = params("root");
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.distinguished_name.push(rcgen::DnType::CommonName, "The\u{1b}[31m Root");
        let root_certificate = root.self_signed(&root_key).unwrap().der().clone();
        let issuer = Issuer::new(root, root_key);
        let own = params("a.example").signed_by(&key, &issuer).unwrap().der().clone();
        let alone = told(std::slice::from_ref(&own), "a.example");
        assert!(alone.len() == 1 && alone[0].contains("Root is not behind it"), "{alone:?}");
        assert!(!alone[0].contains('\u{1b}'));
        assert_eq!(told(&[own.clone(), root_certificate.clone()], "a.example"), [""; 0]);
        let other = params("x").self_signed(&KeyPair::generate().unwrap()).unwrap().der().clone();
        let broken = told(&[own.clone(), other], "a.example");
        assert!(broken[0].contains("certificate 2 in the file did not issue"), "{broken:?}");

        let (path, key_path) = (Path::new("c.pem"), Path::new("k.pem"));
        let signing = signing(&key);
        check(path, key_path, &[own.clone(), root_certificate.clone()], &*signing).unwrap();
        let turned = check(path, key_path, &[root_certificate.clone(), own], &*signing);
        assert!(matches!(turned, Err(TlsError::Order { place: 2, .. })));
        let foreign = check(path, key_path, &[root_certificate], &*signing);
        assert!(matches!(foreign, Err(TlsError::Mismatch { .. })));
    }

    #[test]
    fn a_name_that_can_be_typed_is_taken_from_the_certificate() {
        let key = KeyPair::generate().unwrap();
        let names = vec!["*.a.example".to_owned(), "a.example".to_owned(), "192.0.2.1".to_owned()];
        let own = CertificateParams::new(names).unwrap().self_signed(&key).unwrap().der().clone();
        let all = std::slice::from_ref(&own);
        let named = |host: &str| first_name(all, &[host.to_owned()]).unwrap();
        for (host, name) in [
            ("0.0.0.0", "a.example"),
            ("b.a.example", "b.a.example"),
            ("A.example.", "A.example."),
            ("192.0.2.1", "192.0.2.1"),
            ("c.b.a.example", "a.example"),
        ] {
            assert_eq!(named(host), name);
        }
        let hosts = ["0.0.0.0", "other.example", "b.a.example"].map(str::to_owned);
        assert_eq!(first_name(all, &hosts).as_deref(), Some("b.a.example"));
    }
}
