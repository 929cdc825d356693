//! Client certificates.

use super::*;
use crate::error::code;

fn check() -> ClientCheck {
    ClientCheck { client_cert_file: None, ca_file: None, ca_path: None, depth: None, allows_self_signed: false }
}

/// What becomes of a client with these certificates; both versions of the protocol agree.
fn outcome(
    check: &ClientCheck,
    certificate: Option<(&'static [&'static str], &'static str)>,
) -> Result<Option<Vec<u8>>, Failure> {
    let [older, newer] = [Versions::Tls12, Versions::Tls13].map(|versions| {
        let folder = Folder::new();
        let options = Options { clients: Some(check.clone()), versions, ..folder.options() };
        let port = PortTls::load(&options, "a port").unwrap();
        let mut pair = Pair::new(Client { certificate, ..Client::default() }.connect(), &port);
        pair.talk().map_err(Result::unwrap_err)?;
        Ok(pair.server.terms().unwrap().client_certificate)
    });
    assert_eq!(older, newer);
    older
}

#[test]
fn a_certificate_that_leads_to_a_trusted_one_is_taken_and_shown() {
    let folder = Folder::new();
    let file = folder.file("ca.crt", CA);
    let shown = Some(der(CLIENT).to_vec());
    let client = || Some((&[CLIENT][..], CLIENT_KEY));
    assert_eq!(outcome(&ClientCheck { client_cert_file: Some(file.clone()), ..check() }, client()).unwrap(), shown);
    assert_eq!(outcome(&ClientCheck { ca_file: Some(file), ..check() }, client()).unwrap(), shown);
    let cas = Folder::new();
    cas.file("README", "no certificate");
    cas.file("one.pem", CA);
    cas.file("the same.pem", CA);
    std::os::unix::fs::symlink("nowhere", cas.path().join("dangling.0")).unwrap();
    let by_folder = ClientCheck { ca_path: Some(cas.path().to_owned()), ..check() };
    assert_eq!(outcome(&by_folder, client()).unwrap(), shown);
    let far = outcome(&by_folder, Some((&[FAR_CLIENT, INTERMEDIATE][..], FAR_CLIENT_KEY)));
    assert_eq!(far.unwrap(), Some(der(FAR_CLIENT).to_vec()));
}

#[test]
fn a_certificate_that_is_itself_trusted_is_taken() {
    let folder = Folder::new();
    let pinned = ClientCheck { client_cert_file: Some(folder.file("self.crt", SELF_SIGNED)), ..check() };
    assert!(outcome(&pinned, Some((&[SELF_SIGNED][..], SELF_SIGNED_KEY))).is_ok());
    let expired = ClientCheck { client_cert_file: Some(folder.file("old.crt", OLD_CLIENT)), ..check() };
    assert_eq!(outcome(&expired, Some((&[OLD_CLIENT][..], OLD_CLIENT_KEY))).unwrap_err().code, code::SSL_VERIFY_FAILED);
}

#[test]
fn other_certificates_are_refused_with_the_reason() {
    let folder = Folder::new();
    let by_ca = ClientCheck { ca_file: Some(folder.file("ca.crt", CA)), ..check() };
    for (certificate, code, reason) in [
        (None, code::SSL_EMPTY_PEER_CERTIFICATE, "no certificate"),
        (Some((&[SELF_SIGNED][..], SELF_SIGNED_KEY)), code::SSL_VERIFY_FAILED, "self-signed"),
        (Some((&[OLD_CLIENT][..], OLD_CLIENT_KEY)), code::SSL_VERIFY_FAILED, "Expired"),
        (Some((&[FAR_CLIENT][..], FAR_CLIENT_KEY)), code::SSL_VERIFY_FAILED, "UnknownIssuer"),
        (Some((&[SERVER][..], SERVER_KEY)), code::SSL_VERIFY_FAILED, "not taken"),
    ] {
        let failure = outcome(&by_ca, certificate).unwrap_err();
        assert_eq!(failure.code, code, "{failure}");
        assert!(failure.to_string().to_lowercase().contains(&reason.to_lowercase()), "{failure}");
    }
}

#[test]
fn the_depth_counts_the_certificates_between() {
    let folder = Folder::new();
    let by_ca = ClientCheck { ca_file: Some(folder.file("ca.crt", CA)), ..check() };
    let far = || Some((&[FAR_CLIENT, INTERMEDIATE][..], FAR_CLIENT_KEY));
    assert!(outcome(&ClientCheck { depth: Some(1), ..by_ca.clone() }, far()).is_ok());
    let failure = outcome(&ClientCheck { depth: Some(0), ..by_ca.clone() }, far()).unwrap_err();
    assert!(failure.to_string().contains("ssl_verify_depth"), "{failure}");
    assert!(outcome(&ClientCheck { depth: Some(0), ..by_ca }, Some((&[CLIENT][..], CLIENT_KEY))).is_ok());
}

#[test]
fn self_signed_certificates_of_anybody_are_taken_where_they_are_allowed() {
    let folder = Folder::new();
    let any = ClientCheck { allows_self_signed: true, ..check() };
    assert!(outcome(&any, Some((&[SELF_SIGNED][..], SELF_SIGNED_KEY))).is_ok());
    assert!(outcome(&any, None).is_err());
    assert!(outcome(&any, Some((&[CLIENT][..], CLIENT_KEY))).is_err(), "nobody is trusted");
    let both = ClientCheck { ca_file: Some(folder.file("ca.crt", CA)), ..any };
    assert!(outcome(&both, Some((&[SELF_SIGNED][..], SELF_SIGNED_KEY))).is_ok());
    assert!(outcome(&both, Some((&[CLIENT][..], CLIENT_KEY))).is_ok());
}

#[test]
fn a_ticket_does_not_outlive_the_trust_that_it_was_given_on() {
    let folder = Folder::new();
    let ca_file = folder.file("ca.crt", CA);
    let clients = Some(ClientCheck { ca_file: Some(ca_file), ..check() });
    let port = PortTls::load(&Options { clients, ..folder.options() }, "a port").unwrap();
    let config = Client { certificate: Some((&[CLIENT][..], CLIENT_KEY)), ..Client::default() }.config();
    let connect = || {
        let host = ServerName::try_from("localhost").unwrap();
        let mut pair = Pair::new(ClientConnection::new(config.clone(), host).unwrap(), &port);
        pair.talk().map_err(|_| ())?;
        pair.answer(b"hello");
        Ok::<_, ()>(pair.server.terms().unwrap())
    };
    assert!(!connect().unwrap().is_resumed);
    let again = connect().unwrap();
    assert!(again.is_resumed);
    assert_eq!(again.client_certificate, Some(der(CLIENT).to_vec()), "who it is comes with the ticket");
    folder.file("ca.crt", SELF_SIGNED);
    port.reload().unwrap();
    connect().unwrap_err();
}
