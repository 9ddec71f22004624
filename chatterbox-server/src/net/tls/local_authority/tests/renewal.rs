//! What an authority may vouch for, and how one that may vouch for too much or too little is made anew.

use std::sync::{Arc, Barrier};
use std::time::Duration as StdDuration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{ServerName, UnixTime};

use super::*;

/// An authority as earlier versions made it, and a certificate of it for this host.
fn earlier_version(folder: &Path, host: &str) {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_life(&mut params, AUTHORITY_LIFE);
    let pair = KeyPair::generate().unwrap();
    let signed = params.self_signed(&pair).unwrap();
    write(&folder.join(AUTHORITY_FILE), &signed.pem(), 0o644).unwrap();
    write(&folder.join(AUTHORITY_KEY), &pair.serialize_pem(), 0o600).unwrap();
    let (certificate, key) = (folder.join(SERVER_FILE), folder.join(SERVER_KEY));
    issue(&Issuer::new(params, pair), &names(host), &certificate, &key).unwrap();
}

/// Whether a client that trusts the authority takes this certificate from a host of this name.
fn is_taken(authority: &Path, certificate: &CertificateDer<'_>, host: &str) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(first(authority).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let name = ServerName::try_from(host).unwrap();
    // The certificates of a test begin an hour before now.
    let now = UnixTime::since_unix_epoch(StdDuration::from_secs(
        OffsetDateTime::now_utc().unix_timestamp().try_into().unwrap(),
    ));
    verifier.verify_server_cert(certificate, &[], &name, &[], now).is_ok()
}

/// What somebody signs who has stolen the key of the authority.
fn forged(folder: &Path, host: &str) -> CertificateDer<'static> {
    let pair = read_key(&folder.join(AUTHORITY_KEY)).unwrap();
    let authority = first(&folder.join(AUTHORITY_FILE)).unwrap();
    let issuer = Issuer::from_ca_cert_der(&authority, pair).unwrap();
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    set_life(&mut params, SERVER_LIFE);
    params.signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap().der().clone()
}

fn old_ones(folder: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_old = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("ca-") && name.ends_with(".crt")
    };
    files.filter(is_old).collect()
}

#[test]
fn a_stolen_key_vouches_for_no_other_site() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let authority = folder.join(AUTHORITY_FILE);
    let machine =
        MachineNames { name: "laptop".into(), addresses: vec!["203.0.113.5".parse().unwrap()] };
    ensure_on(folder, "0.0.0.0", &machine).unwrap();
    let own = first(&folder.join(SERVER_FILE)).unwrap();
    for host in ["localhost", "laptop", "127.0.0.1", "::1", "203.0.113.5"] {
        assert!(is_taken(&authority, &own, host), "{host}");
        assert!(is_taken(&authority, &forged(folder, host), host), "{host}");
    }
    for host in ["bank.example", "laptop.example", "example", "203.0.113.6", "2001:db8::1"] {
        assert!(!is_taken(&authority, &forged(folder, host), host), "{host}");
    }
    let der = first(&authority).unwrap();
    let parsed = parse(&authority, &der).unwrap();
    let usage = parsed.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.any && !usage.code_signing && !usage.email_protection);
    assert!(parsed.name_constraints().unwrap().unwrap().critical);
}

#[test]
fn a_laptop_in_another_private_network_keeps_its_authority() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let at = |addresses: &[&str]| MachineNames {
        name: "laptop".into(),
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
    };
    ensure_on(folder, "0.0.0.0", &at(&["192.168.1.5", "2001:db8:1:1::5"])).unwrap();
    let authority = read(folder, AUTHORITY_FILE);
    for address in
        ["192.168.7.9", "10.0.0.5", "172.20.0.2", "100.100.1.1", "fd12::1", "2001:db8:1:1::77"]
    {
        ensure_on(folder, "0.0.0.0", &at(&[address])).unwrap();
        let own = first(&folder.join(SERVER_FILE)).unwrap();
        assert!(is_taken(&folder.join(AUTHORITY_FILE), &own, address), "{address}");
    }
    // An address of the Internet that it happens to have is left out, and those who come by another name still get in.
    ensure_on(folder, "0.0.0.0", &at(&["203.0.113.5", "10.0.0.7"])).unwrap();
    let own = first(&folder.join(SERVER_FILE)).unwrap();
    for (host, taken) in [("203.0.113.5", false), ("10.0.0.7", true), ("laptop", true)] {
        assert_eq!(is_taken(&folder.join(AUTHORITY_FILE), &own, host), taken, "{host}");
    }
    assert_eq!(read(folder, AUTHORITY_FILE), authority, "clients need no other one");
    let leaf = read(folder, SERVER_FILE);
    ensure_on(folder, "0.0.0.0", &at(&["203.0.113.5", "10.0.0.7"])).unwrap();
    assert_eq!(read(folder, SERVER_FILE), leaf, "it is not made again at each look");
}

#[test]
fn a_host_that_was_given_gets_another_authority_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    ensure(folder, "localhost").unwrap();
    let first_one = read(folder, AUTHORITY_FILE);
    for host in ["chat.example", "0.0.0.0", "203.0.113.5"] {
        let before = read(folder, AUTHORITY_FILE);
        ensure(folder, host).unwrap();
        assert_ne!(read(folder, AUTHORITY_FILE), before, "{host}");
        assert!(serves(folder, host), "{host}");
    }
    let last = read(folder, AUTHORITY_FILE);
    for host in ["localhost", "chat.example", "0.0.0.0", "203.0.113.5", "192.168.1.1"] {
        ensure(folder, host).unwrap();
        assert_eq!(read(folder, AUTHORITY_FILE), last, "{host} was permitted before");
    }
    let old = old_ones(folder);
    assert_eq!(old.len(), 3);
    assert!(old.iter().any(|path| fs::read(path).unwrap() == first_one));
}

#[test]
fn one_of_an_earlier_version_is_made_anew_and_kept_beside_without_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    earlier_version(folder, "chat.example");
    let (certificate, key) = (read(folder, AUTHORITY_FILE), read(folder, AUTHORITY_KEY));
    let bank = forged(folder, "bank.example");
    assert!(is_taken(&folder.join(AUTHORITY_FILE), &bank, "bank.example"), "what it is about");
    ensure(folder, "localhost").unwrap();
    assert!(serves(folder, "localhost"));
    let authority = folder.join(AUTHORITY_FILE);
    assert!(!is_taken(&authority, &bank, "bank.example"));
    assert!(!is_taken(&authority, &forged(folder, "bank.example"), "bank.example"));
    let [old] = &old_ones(folder)[..] else { panic!("one old one") };
    assert_eq!(fs::read(old).unwrap(), certificate);
    for entry in fs::read_dir(folder).unwrap() {
        assert_ne!(fs::read(entry.unwrap().path()).unwrap(), key, "nobody vouches with it again");
    }
    // What it has vouched for is permitted to the new one as well.
    let before = read(folder, AUTHORITY_FILE);
    ensure(folder, "chat.example").unwrap();
    assert_eq!(read(folder, AUTHORITY_FILE), before);
}

#[test]
fn a_renewal_that_was_cut_off_anywhere_is_made_good() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    earlier_version(old.path(), "localhost");
    let files = [AUTHORITY_FILE, AUTHORITY_KEY, SERVER_FILE, SERVER_KEY];
    for file in files {
        fs::copy(old.path().join(file), new.path().join(file)).unwrap();
    }
    ensure(new.path(), "localhost").unwrap();
    let copy = old_ones(new.path()).remove(0);
    let copy = copy.file_name().unwrap().to_str().unwrap();
    // In the order in which they are written.
    let order = [copy, AUTHORITY_FILE, AUTHORITY_KEY, SERVER_FILE, SERVER_KEY];
    for written in 0..=order.len() {
        let cut = tempfile::tempdir().unwrap();
        let cut = cut.path();
        for file in files {
            fs::copy(old.path().join(file), cut.join(file)).unwrap();
        }
        for file in &order[..written] {
            fs::copy(new.path().join(file), cut.join(file)).unwrap();
        }
        if let Some(next) = order.get(written) {
            fs::write(cut.join(format!("{next}.new")), "half").unwrap();
        }
        ensure(cut, "localhost").unwrap();
        assert!(serves(cut, "localhost"), "{written} files were written");
        let authority = cut.join(AUTHORITY_FILE);
        assert!(is_taken(&authority, &first(&cut.join(SERVER_FILE)).unwrap(), "localhost"));
        assert!(!is_taken(&authority, &forged(cut, "bank.example"), "bank.example"));
        let old_text = read(old.path(), AUTHORITY_FILE);
        assert!(old_ones(cut).iter().any(|path| fs::read(path).unwrap() == old_text));
    }
}

#[test]
fn servers_that_start_at_once_make_one_authority() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for earlier in [false, true] {
        if earlier {
            earlier_version(folder, "localhost");
        }
        let start = Barrier::new(8);
        let found: Vec<_> = std::thread::scope(|scope| {
            let one = || {
                start.wait();
                ensure(folder, "localhost").unwrap();
                (read(folder, AUTHORITY_FILE), read(folder, SERVER_FILE))
            };
            let all: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert!(found.windows(2).all(|two| two[0] == two[1]), "each has seen the last state");
        assert!(serves(folder, "localhost"));
    }
    assert_eq!(old_ones(folder).len(), 1);
}

#[test]
fn one_of_an_earlier_version_that_can_not_be_replaced_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    earlier_version(folder, "localhost");
    let before = read(folder, AUTHORITY_FILE);
    // Nobody can write a folder where the lock is, not even root.
    fs::create_dir(folder.join(LOCK)).unwrap();
    ensure(folder, "localhost").unwrap();
    assert_eq!(read(folder, AUTHORITY_FILE), before);
    ensure(folder, "chat.example").unwrap_err();
}
