use std::os::unix::fs::PermissionsExt as _;

use super::*;

mod renewal;

fn ensure(folder: &Path, host: &str) -> Result<(PathBuf, PathBuf), TlsError> {
    super::ensure(folder, &[host.to_owned()])
}

fn ensure_on(
    folder: &Path,
    host: &str,
    machine: &MachineNames,
) -> Result<(PathBuf, PathBuf), TlsError> {
    super::ensure_on(folder, &[host.to_owned()], machine)
}

fn wanted(host: &str) -> Wanted {
    Wanted::new(&[host.to_owned()], &machine_names())
}

fn names(host: &str) -> Vec<SanType> {
    wanted(host).all().cloned().collect()
}

fn names_for(host: &str, machine: &MachineNames) -> Vec<SanType> {
    Wanted::new(&[host.to_owned()], machine).all().cloned().collect()
}

fn kept(folder: &Path) -> Kept {
    Kept::read(folder, &folder.join(SERVER_FILE)).unwrap().unwrap()
}

fn serves(folder: &Path, host: &str) -> bool {
    kept(folder).serves(&wanted(host), &folder.join(SERVER_KEY))
}

fn read(folder: &Path, file: &str) -> Vec<u8> {
    fs::read(folder.join(file)).unwrap()
}

#[test]
fn made_once_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("deep/certs");
    let (certificate, key) = ensure(&folder, "chat.example").unwrap();
    for (file, mode) in [(&key, 0o600), (&folder.join(AUTHORITY_KEY), 0o600), (&certificate, 0o644)]
    {
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, mode);
    }
    let before = (read(&folder, AUTHORITY_FILE), read(&folder, SERVER_FILE));
    ensure(&folder, "chat.example").unwrap();
    ensure(&folder, "localhost").unwrap();
    assert_eq!(before, (read(&folder, AUTHORITY_FILE), read(&folder, SERVER_FILE)));

    let kept = Kept::read(&folder, &certificate).unwrap().unwrap();
    for name in ["localhost", "chat.example"] {
        assert!(kept.names.contains(&SanType::DnsName(name.try_into().unwrap())));
    }
    for address in ["127.0.0.1", "::1"] {
        assert!(kept.names.contains(&SanType::IpAddress(address.parse().unwrap())));
    }
}

#[test]
fn a_new_host_that_is_permitted_gets_a_new_certificate_from_the_same_authority() {
    let folder = tempfile::tempdir().unwrap();
    ensure(folder.path(), "chat.example").unwrap();
    let before = (read(folder.path(), AUTHORITY_FILE), read(folder.path(), SERVER_FILE));
    for host in ["a.chat.example", "127.0.0.9"] {
        ensure(folder.path(), host).unwrap();
        assert_eq!(before.0, read(folder.path(), AUTHORITY_FILE));
        assert_ne!(before.1, read(folder.path(), SERVER_FILE));
        assert!(serves(folder.path(), host), "{host}");
    }
}

#[test]
fn renewed_when_near_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, _) = ensure(folder.path(), "localhost").unwrap();
    let mut kept = Kept::read(folder.path(), &certificate).unwrap().unwrap();
    let key = folder.path().join(SERVER_KEY);
    assert!(kept.serves(&wanted("localhost"), &key));
    kept.life.until = OffsetDateTime::now_utc() + Duration::days(29);
    assert!(!kept.serves(&wanted("localhost"), &key));
}

#[test]
fn made_anew_when_the_clock_was_ahead_at_the_first_start() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = ensure(folder.path(), "localhost").unwrap();
    // As a machine makes them whose clock says 2031.
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, AUTHORITY_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.not_before = rcgen::date_time_ymd(4031, 5, 5);
    params.not_after = rcgen::date_time_ymd(4041, 5, 5);
    let pair = KeyPair::generate().unwrap();
    let ca = folder.path().join(AUTHORITY_FILE);
    write(&ca, &params.self_signed(&pair).unwrap().pem(), 0o644).unwrap();
    write(&folder.path().join(AUTHORITY_KEY), &pair.serialize_pem(), 0o600).unwrap();
    let authority = Issuer::new(params, pair);
    issue(&authority, &names("localhost"), &certificate, &key).unwrap();
    assert!(
        !Kept::read(folder.path(), &certificate)
            .unwrap()
            .unwrap()
            .serves(&wanted("localhost"), &key)
    );
    ensure(folder.path(), "localhost").unwrap();
    let kept = Kept::read(folder.path(), &certificate).unwrap().unwrap();
    assert!(kept.serves(&wanted("localhost"), &key));
    assert!(kept.authority.unwrap().lasts(SERVER_LIFE) && kept.life.lasts(RENEW_BEFORE));
    // If only the server's own one is ahead, the authority that clients have a copy of stays.
    let before = read(folder.path(), AUTHORITY_FILE);
    let (authority, _) = super::authority(folder.path(), &wanted("localhost"), &[]).unwrap();
    let (mut params, pair) = (CertificateParams::default(), KeyPair::generate().unwrap());
    params.subject_alt_names = names("localhost");
    params.not_before = rcgen::date_time_ymd(4031, 5, 5);
    params.not_after = rcgen::date_time_ymd(4032, 5, 5);
    let ahead = params.signed_by(&pair, &authority).unwrap();
    write(&certificate, &ahead.pem(), 0o644).unwrap();
    write(&key, &pair.serialize_pem(), 0o600).unwrap();
    ensure(folder.path(), "localhost").unwrap();
    let kept = Kept::read(folder.path(), &certificate).unwrap().unwrap();
    assert!(kept.serves(&wanted("localhost"), &key));
    assert_eq!(before, read(folder.path(), AUTHORITY_FILE));
}

#[test]
fn a_new_address_of_the_machine_needs_no_folder_that_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = |address: &str| MachineNames {
        name: "laptop".into(),
        addresses: vec![address.parse().unwrap()],
    };
    let (certificate, _) = ensure_on(folder.path(), "0.0.0.0", &at("10.0.0.5")).unwrap();
    let first = fs::read(&certificate).unwrap();
    let authority = read(folder.path(), AUTHORITY_FILE);
    ensure_on(folder.path(), "0.0.0.0", &at("10.0.0.6")).unwrap();
    let second = fs::read(&certificate).unwrap();
    assert_ne!(first, second, "it is for the new address");
    assert_eq!(authority, read(folder.path(), AUTHORITY_FILE), "from the same authority");
    // Nobody can write a folder where the lock is, not even root.
    fs::remove_file(folder.path().join(LOCK)).unwrap();
    fs::create_dir(folder.path().join(LOCK)).unwrap();
    ensure_on(folder.path(), "0.0.0.0", &at("10.0.0.7")).unwrap();
    assert_eq!(second, fs::read(&certificate).unwrap());
    ensure_on(folder.path(), "192.0.2.7", &at("10.0.0.7")).unwrap_err();
}

#[test]
fn every_address_of_the_machine_is_in_the_certificate_of_a_server_for_everybody() {
    let machine = MachineNames {
        name: "laptop".into(),
        addresses: vec!["10.0.0.5".parse().unwrap(), "2001:db8::5".parse().unwrap()],
    };
    for host in ["0.0.0.0", "::"] {
        let names = names_for(host, &machine);
        for address in &machine.addresses {
            assert!(names.contains(&SanType::IpAddress(*address)), "{host}: {names:?}");
        }
        assert!(names.contains(&SanType::DnsName("laptop".try_into().unwrap())));
    }
    // Elsewhere nobody else gets in by them, and a laptop's change with each network.
    assert_eq!(names_for("localhost", &machine).len(), 4);
}

#[test]
fn what_belongs_to_somebody_else_is_left_alone() {
    let foreign = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let foreign_pem = params.self_signed(&foreign).unwrap().pem();
    for file in [AUTHORITY_FILE, SERVER_FILE] {
        let folder = tempfile::tempdir().unwrap();
        if file == SERVER_FILE {
            ensure(folder.path(), "localhost").unwrap();
        }
        fs::write(folder.path().join(file), &foreign_pem).unwrap();
        let error = ensure(folder.path(), "localhost").unwrap_err();
        assert!(matches!(&error, TlsError::Foreign(path) if path.ends_with(file)), "{error}");
        assert_eq!(read(folder.path(), file), foreign_pem.as_bytes());
    }
}

#[test]
fn a_key_of_somebody_else_is_left_alone() {
    for file in [SERVER_KEY, AUTHORITY_KEY] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(file), "mine").unwrap();
        let error = ensure(folder.path(), "localhost").unwrap_err();
        assert!(matches!(&error, TlsError::Foreign(path) if path.ends_with(file)), "{error}");
        assert_eq!(read(folder.path(), file), b"mine");
    }
}

#[test]
fn a_start_that_was_cut_off_is_made_good() {
    for missing in [SERVER_KEY, AUTHORITY_KEY] {
        let folder = tempfile::tempdir().unwrap();
        ensure(folder.path(), "localhost").unwrap();
        fs::remove_file(folder.path().join(missing)).unwrap();
        // Another host, so that the authority is needed.
        let (certificate, key) = ensure(folder.path(), "192.0.2.7").unwrap();
        let kept = Kept::read(folder.path(), &certificate).unwrap().unwrap();
        assert!(kept.serves(&wanted("192.0.2.7"), &key), "{missing}");
    }
    let folder = tempfile::tempdir().unwrap();
    let (_, key) = ensure(folder.path(), "localhost").unwrap();
    fs::write(&key, KeyPair::generate().unwrap().serialize_pem()).unwrap();
    let (certificate, key) = ensure(folder.path(), "localhost").unwrap();
    let kept = Kept::read(folder.path(), &certificate).unwrap().unwrap();
    assert!(kept.serves(&wanted("localhost"), &key), "a key that does not belong to it");
}

#[test]
fn odd_hosts_are_left_out_of_the_certificate() {
    for host in ["::", "0.0.0.0", "", "a b", "é"] {
        let names = names_for(host, &MachineNames { name: "machine".into(), addresses: vec![] });
        assert!(names.contains(&SanType::DnsName("localhost".try_into().unwrap())));
        assert!(names.len() <= 4, "{host}: {names:?}");
    }
}
