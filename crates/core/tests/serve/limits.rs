//! Connections beyond what is allowed or possible, and sessions in their first moments.

use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use crate::Test;
use crate::host::Manners;
use crate::server::{Client, Running, settings, stat_of, wait_until};
use std::net::TcpStream;

pub const TESTS: &[Test] = &[
    ("connections_beyond_the_limit_are_refused_and_counted", refused),
    ("accepting_pauses_without_descriptors_and_goes_on", no_descriptors),
    ("a_session_can_be_sent_to_and_closed_as_soon_as_it_is_known", known_at_once),
    ("a_message_that_the_disk_does_not_take_waits_and_its_connection_lives", full_disk),
    ("sessions_whose_worker_is_stuck_do_not_stop_accepting", stuck_closes),
];

fn refused() {
    let mut settings = settings();
    settings.max_connection = 4;
    let server = Running::start(settings, Manners::default());
    let mut clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.echo(b"inside"));
    for _ in 0..3 {
        assert!(server.connect().ends());
    }
    drop(clients.pop());
    wait_until("the place to be free", || {
        let mut client = server.connect();
        client.stream().set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let sent = std::io::Write::write_all(client.stream(), &crate::host::frame(b"now"));
        sent.and_then(|()| client.try_receive()).is_ok()
    });
    drop(clients);
    let stopped = server.stop();
    assert_eq!(stopped.code, 0);
    let stats = stopped.events.lines().find(|line| line.starts_with("shutdown")).unwrap();
    assert!(stat_of(stats, "abort_count") >= 3, "{stats}");
}

fn no_descriptors() {
    let server = Running::start(settings(), Manners { descriptors: Some(20), ..Manners::default() });
    let mut clients: Vec<Client> = (0..40).map(|_| server.connect()).collect();
    // The first ones are served, and go on being served while nobody else can be.
    clients[0].echo(b"first");
    let mut stats = String::new();
    wait_until("accepting to pause", || {
        stats = String::from_utf8(clients[0].ask(b"!stats")).unwrap();
        stat_of(&stats, "accept_pauses") >= 1
    });
    clients[0].echo(b"still");
    assert!(stat_of(&stats, "connection_num") < 30, "{stats}");
    // As they go, the others come in.
    while let Some(mut client) = (!clients.is_empty()).then(|| clients.remove(0)) {
        client.echo(b"my turn");
    }
    assert_eq!(server.stop().code, 0);
}

/// Another worker finds a session in the table before its reactor has seen its socket for the first time.
fn known_at_once() {
    let server = Running::start(settings(), Manners::default());
    let mut reaper = server.connect();
    reaper.send(b"!reap");
    let address = server.address();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                for _ in 0..200 {
                    let mut client = Client::new(TcpStream::connect(address).unwrap());
                    match client.try_receive() {
                        Ok(word) => assert_eq!(word, b"bye"),
                        Err(error) => assert_ne!(error.kind(), ErrorKind::WouldBlock, "it was never closed"),
                    }
                }
            });
        }
    });
    server.let_go();
    assert_eq!(reaper.receive(), b"done");
    assert_eq!(server.stop().code, 0);
}

fn full_disk() {
    let server = Running::start(settings(), Manners { file_limit: Some(1 << 20), ..Manners::default() });
    let [mut client, mut other] = crate::server::one_of_each_worker(&server);
    let message = crate::host::pattern(9, 5 << 20);
    let mut sender = client.twin();
    thread::scope(|scope| {
        // Beside: the sockets need not hold what the server does not read.
        scope.spawn(|| {
            sender.send(&message);
            sender.send(b"behind it");
        });
        wait_until("the disk to be full", || other.stat("read_pauses") > 0);
        assert_eq!(other.stat("spilled_messages"), 0);
        server.let_go();
        assert!(client.receive() == message);
    });
    assert_eq!(client.receive(), b"behind it");
    assert_eq!(server.stat("spilled_messages"), 1);
    assert_eq!(server.stop().code, 0);
}

/// Sessions that wait for their close callback have room of their own.
fn stuck_closes() {
    let mut settings = settings();
    settings.max_connection = 8;
    let server = Running::start(settings, Manners::default());
    let [mut stuck, mut other] = crate::server::one_of_each_worker(&server);
    stuck.send(b"!wait");
    server.wait_for("waits", 1);
    for round in 0..20 {
        // Of two sessions in a row one belongs to the worker that is stuck.
        [server.connect(), server.connect()].into_iter().for_each(Client::reset);
        wait_until("the next two to be accepted", || {
            let stats = String::from_utf8(other.ask(b"!stats")).unwrap();
            // Those that their reactor has not seen yet are no connections, and not closed either.
            stat_of(&stats, "close_count") == 2 + 2 * round && stat_of(&stats, "accept_count") == 4 + 2 * round
        });
    }
    let mut late: Vec<_> = (0..2).map(|_| server.connect()).collect();
    // One of two sessions in a row belongs to the worker that is not stuck.
    late.iter_mut().for_each(|client| client.send(b"hello"));
    server.let_go();
    late.iter_mut().for_each(|client| assert_eq!(client.receive(), b"hello"));
    assert_eq!(stuck.receive(), b"!wait");
    drop((late, other, stuck));
    assert_eq!(server.stop().code, 0);
}
