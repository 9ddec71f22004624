//! A local certificate authority for machines without a certificate, and a certificate for `localhost` signed by it.
//!
//! Clients trust the authority (`ca.crt`), so the server's certificate can be renewed without changing anything at the
//! clients. Files in the folder that this code did not make are never overwritten.
//!
//! The authority may vouch only for what its server is called (`permitted.rs`). For a host that the operator names and that it may
//! not vouch for, it is made anew: without that, clients would refuse the host. For an address that the machine happens to
//! have it is not: clients that trust it would lose it with each network that a laptop is in.

#![allow(clippy::disallowed_methods, reason = "the edge: keeps its files here")]

mod permitted;
mod wanted;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use permitted::Permitted;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use ring::digest::{SHA256, digest};
use rustix::fs::FlockOperation;
use rustls::pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};
use wanted::Wanted;
pub(super) use wanted::is_certifiable;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::net::machine_names::{MachineNames, machine_names};
use crate::net::tls::certificate::address;
use crate::net::tls::error::TlsError;
use crate::net::tls::pem;

/// The authority's certificate, which clients trust.
pub const AUTHORITY_FILE: &str = "ca.crt";
const AUTHORITY_KEY: &str = "ca.key";
const SERVER_FILE: &str = "localhost.crt";
const SERVER_KEY: &str = "localhost.key";
const LOCK: &str = ".lock";

/// The common name by which our own authority is recognised.
const AUTHORITY_NAME: &str = "Chatterbox local authority";

const AUTHORITY_LIFE: Duration = Duration::days(3650);
/// The longest validity that strict clients accept.
const SERVER_LIFE: Duration = Duration::days(397);
/// The server's certificate is renewed this long before it expires.
const RENEW_BEFORE: Duration = Duration::days(30);
/// Certificates are valid from this long before now, for clients whose clocks are behind.
const CLOCK_SKEW: Duration = Duration::hours(1);

/// Makes or renews certificates as needed, and returns the paths of the server's certificate and key.
///
/// # Errors
/// [`TlsError`] when the folder can't be used, or holds foreign files.
pub(super) fn ensure(folder: &Path, hosts: &[String]) -> Result<(PathBuf, PathBuf), TlsError> {
    ensure_on(folder, hosts, &machine_names())
}

fn ensure_on(
    folder: &Path,
    hosts: &[String],
    machine: &MachineNames,
) -> Result<(PathBuf, PathBuf), TlsError> {
    let wanted = Wanted::new(hosts, machine);
    let ensured = ensure_names(folder, &wanted);
    let Err(error @ TlsError::File { .. }) = ensured else { return ensured };
    // The machine has got another address, or the authority is of an earlier version, and the folder can't be written: those who
    // came by a name still can.
    let wanted = wanted.without_addresses();
    let (certificate, key) = (folder.join(SERVER_FILE), folder.join(SERVER_KEY));
    match Kept::read(folder, &certificate) {
        Ok(Some(kept)) if kept.is_good(&key) && wanted.all().all(|name| kept.has(name)) => {
            tracing::warn!(%error, "the certificates can't be renewed: they may not be for every address of this machine, or their authority may vouch for anything");
            Ok((certificate, key))
        }
        _ => Err(error),
    }
}

fn ensure_names(folder: &Path, wanted: &Wanted) -> Result<(PathBuf, PathBuf), TlsError> {
    let (certificate, key) = (folder.join(SERVER_FILE), folder.join(SERVER_KEY));
    // A certificate that is still good needs no write permission.
    if Kept::read(folder, &certificate)?.is_some_and(|kept| kept.serves(wanted, &key)) {
        return Ok((certificate, key));
    }
    fs::create_dir_all(folder).map_err(at(folder))?;
    let _lock = lock(folder)?;
    // Another server may have made it while this one waited for the lock.
    let kept = Kept::read(folder, &certificate)?;
    if kept.is_none() && key.exists() {
        // A key without a certificate of ours is foreign.
        return Err(TlsError::Foreign(key));
    }
    let issued = kept.as_ref().map_or(&[][..], |kept| &kept.names);
    let (authority, permitted) = authority(folder, wanted, issued)?;
    let kept = Kept::read(folder, &certificate)?;
    if !kept.is_some_and(|kept| kept.serves(wanted, &key)) {
        let (names, left_out) = wanted.split(&permitted);
        issue(&authority, &names, &certificate, &key)?;
        tracing::info!(certificate = %certificate.display(), "made a certificate");
        if !left_out.is_empty() {
            let left_out = left_out.iter().map(shown).collect::<Vec<_>>().join(", ");
            tracing::warn!(%left_out, "the certificate is not for all that this machine is called, since the authority may not vouch for it; give such a name as the host to have another authority made, which clients then need");
        }
    }
    Ok((certificate, key))
}

fn shown(name: &SanType) -> String {
    match name {
        SanType::IpAddress(address) => address.to_string(),
        SanType::DnsName(name) => name.as_str().to_owned(),
        _ => String::new(),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> TlsError {
    let path = path.to_owned();
    |source| TlsError::File { path, source }
}

fn unmade(path: &Path) -> impl Fn(rcgen::Error) -> TlsError {
    let path = path.to_owned();
    move |error| {
        tracing::debug!(%error, "a certificate can't be made");
        TlsError::Make(path.clone())
    }
}

fn lock(folder: &Path) -> Result<File, TlsError> {
    let path = folder.join(LOCK);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(at(&path))?;
    rustix::fs::flock(&file, FlockOperation::LockExclusive)
        .map_err(|error| at(&path)(error.into()))?;
    Ok(file)
}

/// A server certificate of ours, read from the folder.
struct Kept {
    names: Vec<SanType>,
    life: Life,
    /// The life of the authority in the folder, if that has signed it.
    authority: Option<Life>,
    /// What that authority may vouch for; `None` is anything.
    permitted: Option<Permitted>,
    public_key: Vec<u8>,
}

/// From when until when a certificate is valid.
#[derive(Debug, Clone, Copy)]
struct Life {
    from: OffsetDateTime,
    until: OffsetDateTime,
}

impl Life {
    fn of(certificate: &X509Certificate<'_>) -> Self {
        let validity = certificate.validity();
        Self { from: validity.not_before.to_datetime(), until: validity.not_after.to_datetime() }
    }

    /// Whether it has begun and goes on for some time. One that was made while the clock was ahead has not begun.
    fn lasts(self, time: Duration) -> bool {
        let now = OffsetDateTime::now_utc();
        self.from <= now && now + time < self.until
    }
}

impl Kept {
    fn read(folder: &Path, path: &Path) -> Result<Option<Self>, TlsError> {
        let authority = folder.join(AUTHORITY_FILE);
        if !path.exists() {
            return Ok(None);
        }
        if !authority.exists() {
            return Err(TlsError::Foreign(path.to_owned()));
        }
        let authority_der = first(&authority)?;
        let authority_parsed = parse(&authority, &authority_der)?;
        let der = first(path)?;
        let parsed = parse(path, &der)?;
        if common_name(parsed.issuer()) != Some(AUTHORITY_NAME) {
            return Err(TlsError::Foreign(path.to_owned()));
        }
        let names = parsed
            .subject_alternative_name()
            .ok()
            .flatten()
            .into_iter()
            .flat_map(|extension| &extension.value.general_names)
            .filter_map(san)
            .collect();
        let signed = parsed.verify_signature(Some(authority_parsed.public_key())).is_ok();
        let authority = signed.then(|| Life::of(&authority_parsed));
        let permitted = Permitted::of(&authority_parsed);
        let public_key = parsed.public_key().subject_public_key.data.to_vec();
        Ok(Some(Self { names, life: Life::of(&parsed), authority, permitted, public_key }))
    }

    /// Whether it can be used with this key, for some time.
    fn is_good(&self, key: &Path) -> bool {
        self.authority.is_some_and(|authority| authority.lasts(Duration::ZERO))
            && read_key(key).is_some_and(|pair| pair.public_key_raw() == self.public_key)
            && self.life.lasts(RENEW_BEFORE)
    }

    fn has(&self, name: &SanType) -> bool {
        self.names.contains(name)
    }

    /// Whether it is what a server wants, or as much of it as its authority may vouch for.
    fn serves(&self, wanted: &Wanted, key: &Path) -> bool {
        let permits = |permitted: &Permitted| {
            wanted.is_permitted(permitted)
                && wanted.split(permitted).0.iter().all(|name| self.has(name))
        };
        self.is_good(key) && self.permitted.as_ref().is_some_and(permits)
    }
}

/// The key of a file; `None` when there is none.
fn read_key(path: &Path) -> Option<KeyPair> {
    KeyPair::from_pem(&fs::read_to_string(path).ok()?).ok()
}

fn first(path: &Path) -> Result<CertificateDer<'static>, TlsError> {
    pem::certificates(path)?
        .into_iter()
        .next()
        .ok_or(TlsError::Malformed { path: path.to_owned(), problem: "no certificate" })
}

fn parse<'a>(path: &Path, der: &'a CertificateDer<'_>) -> Result<X509Certificate<'a>, TlsError> {
    X509Certificate::from_der(der)
        .map(|(_, certificate)| certificate)
        .map_err(|_| TlsError::Malformed { path: path.to_owned(), problem: "not a certificate" })
}

fn common_name<'a>(name: &'a x509_parser::x509::X509Name<'_>) -> Option<&'a str> {
    name.iter_common_name().next()?.as_str().ok()
}

fn san(name: &GeneralName<'_>) -> Option<SanType> {
    match name {
        GeneralName::DNSName(name) => (*name).try_into().ok().map(SanType::DnsName),
        GeneralName::IPAddress(bytes) => address(bytes).map(SanType::IpAddress),
        _ => None,
    }
}

/// The authority of the folder, and what it may vouch for. It is made if there is none, and made anew where it may not vouch for
/// what is wanted, or may vouch for anything; `issued` are the names that an earlier one has vouched for.
fn authority(
    folder: &Path,
    wanted: &Wanted,
    issued: &[SanType],
) -> Result<(Issuer<'static, KeyPair>, Permitted), TlsError> {
    let (certificate, key) = (folder.join(AUTHORITY_FILE), folder.join(AUTHORITY_KEY));
    if !certificate.exists() {
        if key.exists() {
            return Err(TlsError::Foreign(key));
        }
        return make_authority(&certificate, &key, wanted.permitted());
    }
    let der = first(&certificate)?;
    let parsed = parse(&certificate, &der)?;
    if common_name(parsed.subject()) != Some(AUTHORITY_NAME) {
        return Err(TlsError::Foreign(certificate));
    }
    // A certificate must not outlive the authority that signed it.
    let good = Life::of(&parsed).lasts(SERVER_LIFE);
    let public_key = &parsed.public_key().subject_public_key.data;
    let pair = read_key(&key).filter(|pair| public_key.as_ref() == pair.public_key_raw());
    let permitted = Permitted::of(&parsed);
    let reason = match (pair, &permitted) {
        (Some(pair), Some(permitted)) if good && wanted.is_permitted(permitted) => {
            let issuer = Issuer::from_ca_cert_der(&der, pair).map_err(unmade(&certificate))?;
            return Ok((issuer, permitted.clone()));
        }
        (_, None) => "the old one is of an earlier version and could vouch for any site",
        (Some(_), Some(_)) if good => "the old one may not vouch for the host that was given",
        // An interrupted start leaves the authority's certificate without its key.
        _ => "the old one is near its end, not valid yet, or without its key",
    };
    let earlier = permitted.unwrap_or_else(|| Permitted::for_names(issued.iter(), false));
    let old = keep_beside(&certificate, &der)?;
    let made = make_authority(&certificate, &key, earlier.joined(wanted.permitted()))?;
    tracing::warn!(
        authority = %certificate.display(), old = %old.display(),
        "the authority is made anew ({reason}): give clients and browsers the new ca.crt, and have them trust the old one no more; a server that runs with this folder takes the new one at its next reload or start, and is refused by who has the new ca.crt until then"
    );
    Ok(made)
}

/// Keeps a copy of a certificate under a name of its own, by which people recognise it where they have to remove it. Its key is
/// not kept: nobody is to vouch with it again.
fn keep_beside(certificate: &Path, der: &CertificateDer<'_>) -> Result<PathBuf, TlsError> {
    let hash = digest(&SHA256, der);
    let hash: String = hash.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let path = certificate.with_file_name(format!("ca-{hash}.crt"));
    let text = fs::read_to_string(certificate).map_err(at(certificate))?;
    write(&path, &text, 0o644)?;
    Ok(path)
}

fn make_authority(
    certificate: &Path,
    key: &Path,
    permitted: Permitted,
) -> Result<(Issuer<'static, KeyPair>, Permitted), TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    // Neither mail nor programs: constraints of names don't reach them.
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.name_constraints = Some(permitted.constraints());
    set_life(&mut params, AUTHORITY_LIFE);
    let pair = KeyPair::generate().map_err(unmade(key))?;
    let signed = params.self_signed(&pair).map_err(unmade(certificate))?;
    // The certificate comes first: if this is interrupted, it marks the folder as ours although the key is missing.
    write(certificate, &signed.pem(), 0o644)?;
    write(key, &pair.serialize_pem(), 0o600)?;
    Ok((Issuer::new(params, pair), permitted))
}

fn issue(
    authority: &Issuer<'static, KeyPair>,
    names: &[SanType],
    certificate: &Path,
    key: &Path,
) -> Result<(), TlsError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.subject_alt_names = names.to_vec();
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    set_life(&mut params, SERVER_LIFE);
    let pair = KeyPair::generate().map_err(unmade(key))?;
    let signed = params.signed_by(&pair, authority).map_err(unmade(certificate))?;
    write(certificate, &signed.pem(), 0o644)?;
    write(key, &pair.serialize_pem(), 0o600)
}

fn set_life(params: &mut CertificateParams, life: Duration) {
    let now = OffsetDateTime::now_utc();
    params.not_before = now - CLOCK_SKEW;
    params.not_after = now + life;
}

/// Writes a file atomically; it has its final permissions from the start.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), TlsError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    // A server that was killed here has left its temporary file.
    let _ = fs::remove_file(&fresh);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&fresh)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&fresh, path));
    written.map_err(|source| {
        let _ = fs::remove_file(&fresh);
        TlsError::File { path: path.to_owned(), source }
    })
}

#[cfg(test)]
mod tests;
