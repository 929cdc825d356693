//! Files that cannot be used.

use super::*;
use crate::error::Error;

fn refused(options: &Options) -> Error {
    PortTls::load(options, "127.0.0.1:443").unwrap_err()
}

#[test]
fn what_is_missing_or_cannot_be_used_is_told_by_the_name_of_its_setting() {
    let folder = Folder::new();
    let options = folder.options();
    let (key, cert) = (options.key_file.clone(), options.cert_file.clone());
    let nowhere = Some(folder.path().join("nowhere"));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let other_key = Some(folder.file("other.key", CLIENT_KEY));
    let host = |cert_file: &str, key_file: &str| {
        let pair = KeyPair { cert_file: folder.file("h.crt", cert_file), key_file: folder.file("h.key", key_file) };
        vec![("a.example".to_owned(), pair)]
    };
    let client_check = |ca_file: Option<PathBuf>, ca_path: Option<PathBuf>| {
        Some(ClientCheck { client_cert_file: None, ca_file, ca_path, depth: None, allows_self_signed: false })
    };
    for (options, expected) in [
        (Options { cert_file: None, ..options.clone() }, "ssl_cert_file is not set, and 127.0.0.1:443 has TLS"),
        (Options { key_file: None, ..options.clone() }, "ssl_key_file is not set, and 127.0.0.1:443 has TLS"),
        (Options { cert_file: nowhere.clone(), ..options.clone() }, "cannot read ssl_cert_file"),
        (Options { cert_file: key, ..options.clone() }, "has no certificate in PEM form"),
        (Options { key_file: cert, ..options.clone() }, "has no private key in PEM form"),
        (Options { key_file: Some(folder.file("e.key", encrypted)), ..options.clone() }, "encrypted with a passphrase"),
        (
            Options { key_file: other_key, ..options.clone() },
            "is not the key of the first certificate in ssl_cert_file",
        ),
        (
            Options { hosts: host(SERVER, CLIENT_KEY), ..options.clone() },
            "ssl_key_file of ssl_sni_certs[\"a.example\"]",
        ),
        (Options { clients: client_check(None, None), ..options.clone() }, "ssl_verify_peer needs"),
        (Options { clients: client_check(nowhere.clone(), None), ..options.clone() }, "cannot read ssl_cafile"),
        (Options { clients: client_check(None, nowhere), ..options.clone() }, "cannot read ssl_capath"),
    ] {
        let told = refused(&options).to_string();
        assert!(told.contains(expected), "{told}");
    }
    let empty = Folder::new();
    let told = refused(&Options { clients: client_check(None, Some(empty.path().to_owned())), ..options }).to_string();
    assert!(told.contains("ssl_capath") && told.contains("no file with a certificate"), "{told}");
}

#[test]
fn a_damaged_file_is_refused_wherever_it_is_cut() {
    let folder = Folder::new();
    for len in 0..SERVER.len() - 30 {
        let cert_file = Some(folder.file("cut.crt", &SERVER[..len]));
        assert!(PortTls::load(&Options { cert_file, ..folder.options() }, "a port").is_err(), "{len}");
    }
    for len in 0..SERVER_KEY.len() - 28 {
        let key_file = Some(folder.file("cut.key", &SERVER_KEY[..len]));
        assert!(PortTls::load(&Options { key_file, ..folder.options() }, "a port").is_err(), "{len}");
    }
}
