//! What both sides agree on.

use super::*;
use crate::error::code;

#[test]
fn a_handshake_ends_with_the_terms_that_both_sides_offer() {
    let folder = Folder::new();
    for (versions, is_tls13, suite) in [
        (Versions::Both, true, "TLS_AES_256_GCM_SHA384"),
        (Versions::Tls13, true, "TLS_AES_256_GCM_SHA384"),
        (Versions::Tls12, false, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    ] {
        let options = Options { alpn: vec![b"h2".to_vec(), b"chat".to_vec()], ..folder.options() };
        let client = Client { versions, alpn: vec![b"x".to_vec(), b"chat".to_vec()], ..Client::default() };
        let pair = open(&client, &options);
        let terms = pair.server.terms().unwrap();
        assert_eq!(terms.is_tls13, is_tls13);
        assert_eq!(suite_name(terms.suite), suite);
        assert_eq!(terms.alpn.as_deref(), Some(&b"chat"[..]));
        assert_eq!(terms.client_certificate, None);
        assert!(!terms.is_resumed);
    }
}

#[test]
fn versions_and_suites_that_the_port_does_not_have_are_refused() {
    let folder = Folder::new();
    let refused = |options: Options, client: Client| {
        let port = PortTls::load(&options, "a port").unwrap();
        let mut pair = Pair::new(client.connect(), &port);
        let failure = pair.talk().unwrap_err().unwrap_err();
        assert!(!pair.is_open);
        assert_eq!(failure.code, code::SSL_HANDSHAKE_FAILED);
        failure.to_string()
    };
    let older = Client { versions: Versions::Tls12, ..Client::default() };
    let newer = Client { versions: Versions::Tls13, ..Client::default() };
    let told = refused(Options { versions: Versions::Tls13, ..folder.options() }, older);
    assert!(told.contains("NotOfferedOrEnabled"), "{told}");
    let told = refused(Options { versions: Versions::Tls12, ..folder.options() }, newer);
    assert!(told.contains("NotOfferedOrEnabled") || told.contains("any known protocol"), "{told}");
    // The certificate is an ECDSA one.
    let older = Client { versions: Versions::Tls12, ..Client::default() };
    let ciphers = parse_ciphers("aRSA").unwrap();
    let told = refused(Options { ciphers, ..folder.options() }, older);
    assert!(told.contains("NoCipherSuitesInCommon"), "{told}");
    let options = Options { alpn: vec![b"h2".to_vec()], ..folder.options() };
    let told = refused(options, Client { alpn: vec![b"smtp".to_vec()], ..Client::default() });
    assert!(told.contains("any known protocol"), "{told}");
}

#[test]
fn the_order_of_the_suites_is_the_ports_unless_it_prefers_the_clients() {
    let folder = Folder::new();
    let client = Client { versions: Versions::Tls12, ..Client::default() };
    for (prefers_own_order, expected) in
        [(true, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"), (false, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")]
    {
        let ciphers = parse_ciphers("CHACHA20:AES256").unwrap();
        let pair = open(&client, &Options { ciphers, prefers_own_order, ..folder.options() });
        assert_eq!(suite_name(pair.server.terms().unwrap().suite), expected);
    }
}

#[test]
fn a_client_comes_back_with_a_ticket_where_there_are_some() {
    let folder = Folder::new();
    for (has_tickets, versions) in [(true, Versions::Tls12), (true, Versions::Tls13), (false, Versions::Both)] {
        let client = Client { versions, ..Client::default() };
        let config = client.config();
        let port = PortTls::load(&Options { has_tickets, ..folder.options() }, "a port").unwrap();
        let connect = |port: &PortTls| {
            let host = ServerName::try_from("localhost").unwrap();
            let mut pair = Pair::new(ClientConnection::new(config.clone(), host).unwrap(), port);
            pair.talk().unwrap();
            pair.answer(b"hello");
            pair.server.terms().unwrap().is_resumed
        };
        assert!(!connect(&port));
        assert_eq!(connect(&port), has_tickets);
        port.reload().unwrap();
        assert_eq!(connect(&port), has_tickets, "a reload keeps them");
    }
}

#[test]
fn what_is_no_tls_and_what_breaks_its_rules_is_told_apart() {
    let folder = Folder::new();
    let port = PortTls::load(&folder.options(), "a port").unwrap();
    let (mut plain, mut out) = (Vec::new(), Vec::new());
    let mut text = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec();
    let failure = port.engine().unwrap().feed(&mut text, &mut plain, &mut out).unwrap_err();
    assert_eq!(failure.code, code::SSL_BAD_CLIENT, "{failure}");

    out.clear();
    let mut pair = open(&Client::default(), &folder.options());
    let mut forged = [23, 3, 3, 0, 32].into_iter().chain([7; 32]).collect::<Vec<u8>>();
    let failure = pair.server.feed(&mut forged, &mut plain, &mut out).unwrap_err();
    assert_eq!(failure.code, code::SSL_BAD_PROTOCOL, "{failure}");
    let told = pair.hear(&out).unwrap_err();
    assert!(told.contains("BadRecordMac"), "{told}");
    assert!(pair.server.seal(b"too late", &mut [0; 256]).is_err());
    let mut nothing = Vec::new();
    pair.server.close(&mut nothing);
    assert_eq!(nothing, b"");
}

#[test]
fn a_connection_keeps_what_it_has_begun_with_when_the_files_change() {
    let folder = Folder::new();
    let options = folder.options();
    let port = PortTls::load(&options, "a port").unwrap();
    let mut old = Pair::new(Client::default().connect(), &port);
    old.talk().unwrap();
    // The client does not know the new one.
    folder.file("server.crt", SELF_SIGNED);
    folder.file("server.key", SELF_SIGNED_KEY);
    port.reload().unwrap();
    assert_eq!(old.answer(b"as before"), b"as before");
    let refused = Pair::new(Client::default().connect(), &port).talk().unwrap_err().unwrap();
    assert!(refused.contains("UnknownIssuer") || refused.contains("CaUsedAsEndEntity"), "{refused}");

    folder.file("server.key", "broken");
    assert!(port.reload().unwrap_err().to_string().contains("ssl_key_file"));
    Pair::new(Client::default().connect(), &port).talk().unwrap_err().unwrap();
    folder.file("server.crt", SERVER);
    folder.file("server.key", SERVER_KEY);
    port.reload().unwrap();
    Pair::new(Client::default().connect(), &port).talk().unwrap();
}
