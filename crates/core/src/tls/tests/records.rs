//! What is sent, in whatever pieces it comes.

use std::io::Write;

use proptest::prelude::*;

use super::*;

fn versions() -> impl Strategy<Value = Versions> {
    prop_oneof![Just(Versions::Tls12), Just(Versions::Tls13)]
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_arrive_as_they_were_sent_in_whatever_pieces(
        versions in versions(),
        piece in 1usize..3000,
        messages in prop::collection::vec(1usize..40_000, 1..5),
    ) {
        let folder = Folder::new();
        let port = PortTls::load(&folder.options(), "a port").unwrap();
        let mut pair = Pair::new(Client { versions, ..Client::default() }.connect(), &port);
        pair.piece = piece;
        pair.client.set_buffer_limit(None);
        pair.talk().unwrap();
        prop_assert!(pair.is_open);
        for len in messages {
            let sent = pattern(len);
            pair.plain.clear();
            pair.client.writer().write_all(&sent).unwrap();
            pair.talk().unwrap();
            prop_assert!(pair.plain == sent);
            prop_assert!(pair.answer(&sent) == sent);
        }
        prop_assert!(pair.server.partial_len() == 0);
    }

    #[test]
    fn no_bytes_of_a_stranger_break_more_than_their_connection(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        kind in 20u8..25,
        piece in 1usize..64,
        is_open in any::<bool>(),
    ) {
        let folder = Folder::new();
        let mut pair = if is_open {
            open(&Client::default(), &folder.options())
        } else {
            Pair::new(Client::default().connect(), &PortTls::load(&folder.options(), "a port").unwrap())
        };
        let mut record = vec![kind, 3, 3];
        record.extend_from_slice(&u16::try_from(bytes.len()).unwrap().to_be_bytes());
        record.extend_from_slice(&bytes);
        let (mut plain, mut out) = (Vec::new(), Vec::new());
        for piece in record.chunks_mut(piece) {
            let _ = pair.server.feed(piece, &mut plain, &mut out);
            let _ = pair.server.seal(b"x", &mut [0; 256]);
        }
        pair.server.close(&mut out);
        prop_assert!(plain.is_empty());
    }
}

#[test]
fn what_comes_with_the_last_message_of_the_handshake_is_received() {
    let folder = Folder::new();
    let port = PortTls::load(&folder.options(), "a port").unwrap();
    let mut pair = Pair::new(Client::default().connect(), &port);
    pair.client.writer().write_all(b"early").unwrap();
    pair.talk().unwrap();
    assert_eq!(pair.plain, b"early");
}

#[test]
fn the_end_is_said_and_heard_and_nothing_behind_it_is_looked_at() {
    let folder = Folder::new();
    for versions in [Versions::Tls12, Versions::Tls13] {
        let mut pair = open(&Client { versions, ..Client::default() }, &folder.options());
        pair.client.writer().write_all(b"last words").unwrap();
        pair.client.send_close_notify();
        let mut sent = Vec::new();
        while pair.client.wants_write() {
            pair.client.write_tls(&mut sent).unwrap();
        }
        sent.extend_from_slice(b"what is no record");
        let fed = pair.server.feed(&mut sent, &mut pair.plain, &mut Vec::new()).unwrap();
        assert_eq!(fed, Fed { is_open: false, is_ended: true });
        assert!(pair.server.is_ended());
        assert_eq!(pair.plain, b"last words");
        assert_eq!(pair.answer(b"the answer"), b"the answer", "the other direction is still open");
        let mut out = Vec::new();
        pair.server.close(&mut out);
        pair.hear(&out).unwrap();
        let end = std::io::Read::read(&mut pair.client.reader(), &mut [0; 8]);
        assert_eq!(end.unwrap(), 0, "an end, and not a truncation");
        assert!(pair.server.seal(b"too late", &mut [0; 256]).is_err());
    }
}

#[test]
fn a_client_that_wants_new_keys_gets_some() {
    let folder = Folder::new();
    let mut pair = open(&Client { versions: Versions::Tls13, ..Client::default() }, &folder.options());
    for _ in 0..20 {
        pair.client.refresh_traffic_keys().unwrap();
        pair.client.writer().write_all(b"with other keys").unwrap();
        pair.plain.clear();
        pair.talk().unwrap();
        assert_eq!(pair.plain, b"with other keys");
        assert_eq!(pair.answer(b"likewise"), b"likewise");
    }
}
