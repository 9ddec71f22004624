//! Certificates and keys that can't be used, and those that clients will refuse: what the program says about each.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests may be blunt, and are an edge"
)]

mod harness;

use std::path::Path;
use std::process::{Command, Stdio};

use harness::process::{Running, connect, connect_tls, join};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustix::process::Signal;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

/// A folder with files that openssl makes.
struct Openssl(tempfile::TempDir);

impl Openssl {
    /// `None` where openssl is not here, which is said.
    fn new() -> Option<Self> {
        let here = Command::new("openssl").arg("version").stdout(Stdio::null()).status();
        if here.is_ok_and(|status| status.success()) {
            return Some(Self(tempfile::tempdir().unwrap()));
        }
        let required = std::env::var("CHATTERBOX_REQUIRE_SERVICES").is_ok_and(|v| v == "1");
        assert!(!required, "openssl is required and not here");
        eprintln!("SKIPPED: openssl, which makes the keys, is not here");
        None
    }

    fn run(&self, line: &str) {
        let done =
            Command::new("openssl").args(line.split(' ')).current_dir(self.0.path()).output();
        let done = done.unwrap();
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }
}

const LIBRARY_WORDS: [&str; 6] =
    ["Inconsistent", "InvalidCharacter", "webpki", "rustls", "UnsupportedCert", "Err("];

/// Starts the program with files that it refuses, and gives what it said.
fn refused(certificate: &Path, key: &Path) -> String {
    let output = harness::program::server()
        .args(["localhost", "-p", "0", "--memory", "--cert"])
        .arg(certificate)
        .arg("--key")
        .arg(key)
        .timeout(harness::PATIENCE)
        .assert()
        .code(78)
        .get_output()
        .clone();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("\nhint: "), "{said}");
    for word in LIBRARY_WORDS {
        assert!(!said.contains(word), "{word} in {said}");
    }
    said
}

#[test]
fn each_kind_of_key_that_can_not_be_used_is_told_with_what_helps() {
    let Some(openssl) = Openssl::new() else { return };
    openssl.run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout good.key -out good.pem -subj /CN=localhost -days 30");
    openssl.run("pkcs8 -topk8 -in good.key -out encrypted8.key -passout pass:x");
    openssl.run("genrsa -out rsa.key 2048");
    openssl.run("rsa -aes128 -passout pass:x -traditional -in rsa.key -out encrypted1.key");
    openssl.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.key");
    openssl.run("ecparam -genkey -name secp256k1 -out k1.key");
    openssl.run("genrsa -out short.key 1024");
    openssl.run("genpkey -algorithm ED448 -out ed448.key");
    openssl.run("pkey -in good.key -outform der -out der.key");
    openssl.run("pkcs12 -export -in good.pem -inkey good.key -out store.p12 -passout pass:x");
    let folder = openssl.0.path();
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let good = std::fs::read_to_string(folder.join("good.key")).unwrap();
    std::fs::write(folder.join("wide.key"), wide(&good)).unwrap();
    std::fs::write(folder.join("cut.key"), &good[..good.len() - 20]).unwrap();
    for (key, sentence, hint) in [
        ("encrypted8.key", "the private key in line 1 is encrypted", "openssl pkey -in "),
        ("encrypted1.key", "the private key in line 1 is encrypted", "encrypted1.key -out new.key"),
        ("p521.key", "an EC key on P-521", "openssl genpkey"),
        ("k1.key", "an EC key on secp256k1", "openssl genpkey"),
        ("short.key", "an RSA key of 1024 bits", "openssl genpkey"),
        ("ed448.key", "an Ed448 key", "openssl genpkey"),
        ("der.key", "it is binary (a key in DER)", "openssl pkey -inform der"),
        ("store.p12", "a PKCS#12 store", "openssl pkcs12 -in "),
        ("wide.key", "UTF-16", "iconv -f UTF-16"),
        ("cut.key", "has no end", "cut off"),
        ("rsa.key", "the certificate is not for the key in ", "openssl pkey -pubout"),
        ("good.pem", "no private key in it", "--key"),
    ] {
        let said = refused(&folder.join("good.pem"), &folder.join(key));
        assert!(said.contains(sentence), "{key}: {said}");
        assert!(said.contains(hint), "{key}: {said}");
    }
    // The line of the hint does what it says.
    openssl.run("pkey -in encrypted8.key -out new.key -passin pass:x");
    // Both forms of a mark that Windows writes, and parameters before the key, are understood.
    std::fs::write(folder.join("bom.key"), format!("\u{feff}{good}")).unwrap();
    for key in ["new.key", "bom.key"] {
        Running::start(&[
            "localhost",
            "-p",
            "0",
            "--memory",
            "--cert",
            &openssl.path("good.pem"),
            "--key",
            &openssl.path(key),
        ]);
    }
}

#[test]
fn each_certificate_that_can_not_be_used_is_told_with_what_helps() {
    let Some(openssl) = Openssl::new() else { return };
    openssl.run("req -newkey rsa:2048 -nodes -keyout v1.key -out v1.csr -subj /CN=localhost");
    openssl.run("x509 -req -in v1.csr -signkey v1.key -days 30 -out v1.pem");
    openssl.run("req -x509 -key v1.key -out good.pem -subj /CN=localhost -days 30 -addext subjectAltName=DNS:localhost");
    openssl.run("x509 -in good.pem -outform der -out der.crt");
    openssl.run("x509 -in good.pem -trustout -out trusted.pem");
    openssl.run("crl2pkcs7 -nocrl -certfile good.pem -out p7.pem");
    let folder = openssl.0.path();
    let good = std::fs::read_to_string(folder.join("good.pem")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("dash.pem", &format!("{good}{}", &good[1..]));
    write("percent.pem", &good.replacen("\nMII", "\n%II", 1));
    write("half.pem", &good[..good.len() / 2]);
    write("words.pem", "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n");
    write("order.pem", &{
        let other = rcgen::generate_simple_self_signed(vec!["other".into()]).unwrap();
        other.cert.pem() + &good
    });
    let made_v1 = !std::fs::read_to_string(folder.join("v1.pem")).unwrap().is_empty()
        && Command::new("openssl")
            .args(["x509", "-noout", "-text", "-in", "v1.pem"])
            .current_dir(folder)
            .output()
            .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("Version: 1"));
    for (certificate, sentence, hint) in [
        ("v1.key", "there is no certificate in it, only a private key", "another file"),
        ("v1.csr", "only a request for one", "the certificate that it gave back"),
        ("der.crt", "it is binary (a certificate in DER)", "openssl x509 -inform der"),
        ("trusted.pem", "the block TRUSTED CERTIFICATE in line 1", "openssl x509 -in"),
        ("p7.pem", "the block PKCS7 in line 1", "openssl pkcs7 -print_certs"),
        ("dash.pem", "looks like -----BEGIN ...-----", "changed by an editor"),
        ("percent.pem", "is not base64", "cut off"),
        ("half.pem", "has no end", "cut off"),
        ("words.pem", "no certificate", "cut off"),
        ("order.pem", "is number 2 in it, and has to be the first", "first"),
    ] {
        let said = refused(&folder.join(certificate), &folder.join("v1.key"));
        assert!(said.contains(sentence), "{certificate}: {said}");
        assert!(said.contains(hint), "{certificate}: {said}");
    }
    if made_v1 {
        let said = refused(&folder.join("v1.pem"), &folder.join("v1.key"));
        assert!(said.contains("X.509 v1") && said.contains("subjectAltName"), "{said}");
    } else {
        eprintln!("SKIPPED: this openssl makes no X.509 v1 certificate");
    }
}

/// A chain of root, intermediate authority and server, each signed by the one before.
struct Chain {
    root: String,
    intermediate: String,
    own: String,
    key: String,
}

fn chain() -> Chain {
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        (params, KeyPair::generate().unwrap())
    };
    let (root, root_key) = authority("the root");
    let (intermediate, intermediate_key) = authority("the intermediate");
    let root_pem = root.self_signed(&root_key).unwrap().pem();
    let root = Issuer::new(root, root_key);
    let intermediate_pem = intermediate.signed_by(&intermediate_key, &root).unwrap().pem();
    let intermediate = Issuer::new(intermediate, intermediate_key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".into()]).unwrap();
    let own = own.signed_by(&key, &intermediate).unwrap().pem();
    Chain { root: root_pem, intermediate: intermediate_pem, own, key: key.serialize_pem() }
}

#[test]
fn glued_certificates_are_all_sent() {
    let folder = tempfile::tempdir().unwrap();
    let chain = chain();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("root.pem"), &chain.root).unwrap();
    let glued = [&chain.own, &chain.intermediate, &chain.key].map(|pem| pem.trim_end()).concat();
    std::fs::write(path("glued.pem"), glued).unwrap();
    let certificate = path("glued.pem").display().to_string();
    let server = Running::start(&["localhost", "-p", "0", "--memory", "--cert", &certificate]);
    let name = ServerName::try_from("localhost").unwrap();
    let session = ClientConnection::new(harness::trusting(&path("root.pem")), name).unwrap();
    let mut stream = StreamOwned::new(session, connect(server.address));
    assert!(join(&mut stream, "ann").contains("\"USERNAME_ACCEPTED\": true"));
}

#[test]
fn what_clients_will_refuse_is_warned_of_at_the_start_and_on_hangup() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("combined.pem");
    let path = file.display().to_string();
    let key = KeyPair::generate().unwrap();
    let write = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = CertificateParams::new(vec!["localhost".into()]).unwrap();
        change(&mut params);
        let pem = params.self_signed(&key).unwrap().pem();
        std::fs::write(&file, pem + &key.serialize_pem()).unwrap();
    };
    write(&|params| params.not_after = rcgen::date_time_ymd(2024, 1, 2));
    let mut server = Running::start(&["localhost", "-p", "0", "--memory", "--cert", &path]);
    let said = "it has expired on 2024-01-02 00:00:00 UTC: ";
    assert!(server.printed().contains(said), "{}", server.printed());
    let line = &server.client_line;
    assert!(line.ends_with(&format!(" -ca {path}")), "nobody else signed it: {line}");
    assert!(server.printed().contains("ERROR"), "nobody gets in: {}", server.printed());
    let mut told = |change: &dyn Fn(&mut CertificateParams), expected: &str| {
        write(change);
        server.signal(Signal::HUP);
        let line = server.log_line(expected);
        assert!(line.contains("WARN") && line.contains(&path), "{line}");
        server.log_line("certificates read again");
    };
    told(&|params| params.subject_alt_names.clear(), "it names no host");
    told(
        &|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth],
        "it says that it is not for servers",
    );
    told(
        &|params| {
            params.subject_alt_names =
                vec![rcgen::SanType::DnsName("chat.example".try_into().unwrap())];
        },
        "it is for chat.example, and not for \"localhost\"",
    );
    let in_ten_days = time::OffsetDateTime::now_utc() + time::Duration::days(10);
    told(&|params| params.not_after = in_ten_days, "it expires on 20");
    write(&|params| params.not_before = rcgen::date_time_ymd(4000, 1, 2));
    server.signal(Signal::HUP);
    let line = server.log_line("it is not valid before 4000-01-02 00:00:00 UTC: ");
    assert!(line.contains("ERROR") && line.contains(&path), "{line}");
    let chain = chain();
    std::fs::write(&file, format!("{}{}", chain.own, chain.key)).unwrap();
    server.signal(Signal::HUP);
    assert!(server.log_line("is not behind it in the file").contains("the intermediate"));
    std::fs::write(&file, format!("{}{}{}", chain.own, chain.root, chain.key)).unwrap();
    server.signal(Signal::HUP);
    server.log_line("certificate 2 in the file did not issue");
    // One that can't be used changes nothing, and the log says what helps.
    std::fs::write(&file, &chain.own).unwrap();
    server.signal(Signal::HUP);
    let line = server.log_line("old certificates stay in use");
    assert!(line.contains("no private key in it") && line.contains("hint"), "{line}");
}

#[test]
fn what_clients_will_refuse_is_in_the_status_and_in_the_answer_to_a_reload() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("combined.pem");
    let [path, state] = [&file, &folder.path().join("state")].map(|p| p.display().to_string());
    let key = KeyPair::generate().unwrap();
    let write = |host: &str, until: time::OffsetDateTime| {
        let mut params = CertificateParams::new(vec![host.into()]).unwrap();
        params.not_after = until;
        let pem = params.self_signed(&key).unwrap().pem();
        std::fs::write(&file, pem + &key.serialize_pem()).unwrap();
    };
    // An hour less, so that no day ends within the test.
    let days = |days: i64| time::OffsetDateTime::now_utc() + time::Duration::hours(24 * days - 1);
    let run = |command: &[&str]| {
        let mut program = harness::program::server();
        let run = program.args(command).args(["--state", &state]).timeout(harness::PATIENCE);
        String::from_utf8(run.assert().success().get_output().stdout.clone()).unwrap()
    };
    write("localhost", days(3));
    let line = ["127.0.0.1", "-p", "0", "--state", &state, "--cert", &path];
    let mut server = Running::start(&[&line[..], &["--name", "localhost"]].concat());
    server.is_ready();
    let status = run(&["status"]);
    assert!(status.contains("certificate good for 2 days"), "{status}");
    assert!(status.contains("\ncertificate   it expires on 20"), "{status}");
    write("chat.example", days(-3));
    let told = run(&["reload"]);
    assert!(told.contains("the certificate in use: it has expired on 20"), "{told}");
    assert!(told.contains("the certificate in use: it is for chat.example, and not for"), "{told}");
    let status: serde_json::Value = serde_json::from_str(&run(&["status", "--json"])).unwrap();
    assert_eq!(status["certificate_days"], -4, "{status}");
    assert_eq!(status["certificate_warnings"].as_array().unwrap().len(), 2, "{status}");
    // What is warned of is not the file that could not be read.
    std::fs::write(&file, "").unwrap();
    let mut program = harness::program::server();
    let failed = program.args(["reload", "--state", &state]).timeout(harness::PATIENCE);
    let output = failed.assert().code(78).get_output().clone();
    let [told, said] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(told.contains("not read: ") && told.contains("no certificate in it"), "{told}");
    assert!(told.contains("the certificate in use: it has expired on 20"), "{told}");
    assert!(said.contains("what could not stays as it was"), "{said}");
    let mut params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    params.not_before = rcgen::date_time_ymd(4000, 1, 2);
    let pem = params.self_signed(&key).unwrap().pem();
    std::fs::write(&file, pem + &key.serialize_pem()).unwrap();
    assert!(run(&["reload"]).contains("in use: it is not valid before 4000-01-02"));
    assert!(run(&["status"]).contains("NOT VALID YET"));
    write("localhost", days(100));
    assert_eq!(run(&["reload"]), "read again; no setting has changed\n");
    let status = run(&["status"]);
    assert!(status.contains("good for 99 days") && !status.contains("\ncertificate"), "{status}");
}

#[test]
fn further_names_get_a_certificate_of_the_same_authority_where_it_may_vouch_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state").display().to_string();
    let ca = folder.path().join("state/certs/ca.crt");
    let start = |names: &[&str]| {
        let line = ["0.0.0.0", "-p", "0", "--memory", "--state", &path];
        Running::start(&[&line[..], names].concat())
    };
    let get_in = |server: &Running, host: &str| {
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let session = ClientConnection::new(harness::trusting(&ca), name).unwrap();
        let port = server.address.port();
        let mut stream = StreamOwned::new(session, connect(([127, 0, 0, 1], port).into()));
        let user = format!("by {host}").replace([' ', '.'], "-");
        assert!(join(&mut stream, &user).contains("\"USERNAME_ACCEPTED\": true"), "{host}");
    };
    let first = start(&["--name", "chat.example"]);
    get_in(&first, "chat.example");
    let expected = format!("chatterbox-client chat.example -p {} -ca ", first.address.port());
    assert!(first.client_line.starts_with(&expected), "{}", first.client_line);
    drop(first);
    let trusted = std::fs::read(&ca).unwrap();
    // Below a name that it may vouch for, and in a private network.
    let second = start(&["--name", "lab.chat.example,chat.example", "--name", "192.168.7.7"]);
    for host in ["lab.chat.example", "chat.example", "192.168.7.7", "localhost"] {
        get_in(&second, host);
    }
    assert_eq!(std::fs::read(&ca).unwrap(), trusted, "clients need no other ca.crt");
    drop(second);
    // Any other name is one that whoever has copied the authority's key must not vouch for.
    let third = start(&["--name", "other.example"]);
    assert!(third.printed().contains("the authority is made anew"), "{}", third.printed());
    assert_ne!(std::fs::read(&ca).unwrap(), trusted);
    get_in(&third, "other.example");
    drop(third);
    let trusted = std::fs::read(&ca).unwrap();
    let all = start(&["--name", "other.example", "--name", "chat.example"]);
    get_in(&all, "chat.example");
    get_in(&all, "other.example");
    assert_eq!(std::fs::read(&ca).unwrap(), trusted, "it may vouch for all earlier ones");
}

#[test]
fn a_good_certificate_is_not_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("combined.pem");
    let chain = chain();
    std::fs::write(&file, [chain.own, chain.intermediate, chain.key].concat()).unwrap();
    let path = file.display().to_string();
    let server = Running::start(&["localhost", "-p", "0", "--memory", "--cert", &path]);
    assert!(!server.printed().contains("WARN"), "{}", server.printed());
    assert!(!server.client_line.contains("-ca"), "an authority signed it: {}", server.client_line);
}

#[test]
fn a_server_whose_authority_another_one_has_replaced_takes_the_new_one_when_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("certs");
    let path = certs.display().to_string();
    let line = |host| [host, "-p", "0", "--memory", "--certs", &path];
    let mut first = Running::start(&line("localhost"));
    let ca = certs.join("ca.crt");
    let old = std::fs::read(&ca).unwrap();
    let second = Running::start(&line("0.0.0.0"));
    assert_ne!(std::fs::read(&ca).unwrap(), old);
    let printed = second.printed();
    assert!(printed.contains("takes the new one at its next reload or start"), "{printed}");
    first.signal(Signal::HUP);
    first.log_line("certificates read again");
    assert!(join(&mut connect_tls(first.address, &ca), "ann").contains("true"));
    assert!(join(&mut connect_tls(second.address, &ca), "ann").contains("true"));
}
