//! How connections end: nothing is lost that was sent to one before nothing more could be.

use std::fs;
use std::io::{ErrorKind, Write};
use std::time::Duration;

use crate::Test;
use crate::broadcasts::{MANY, clients, with_one_reactor};
use crate::host::{Manners, SPREAD, SPREAD_AT_STOP, frame, length, pattern};
use crate::server::{Client, Running, SIGCONT, SIGSTOP, SIGTERM, SIGUSR1, one_of_each_worker, settings};
use rotor_core::dispatch::Mode;
use rotor_core::framer::Framing;
use rotor_core::settings::Settings;

pub const TESTS: &[Test] = &[
    ("a_connection_that_its_worker_closes_gets_what_others_have_sent_before", closed_behind_others),
    ("a_connection_that_another_worker_closes_gets_what_all_have_sent_before", closed_by_another),
    ("a_half_closed_client_gets_what_the_manager_has_broadcast_before", half_closed_behind_manager),
    ("a_half_closed_client_gets_what_the_main_thread_has_sent_before", half_closed_behind_main_thread),
    ("a_stop_sends_what_the_main_thread_has_sent_before_it", stop_behind_main_thread),
    ("in_every_mode_a_stop_sends_what_messages_before_it_have_workers_send_to_clients_of_others", stop_behind_messages),
    ("a_stop_answers_what_comes_while_ends_are_held_back", asked_while_held),
    ("a_stop_sends_what_a_datagram_before_it_has_a_worker_send", stop_behind_datagram),
    ("an_answer_that_the_disk_does_not_give_back_ends_by_a_reset", lost_answer),
    ("a_broadcast_that_the_disk_does_not_give_back_ends_all_its_connections_by_a_reset", lost_broadcast),
];

/// The session of a client.
fn session(client: &mut Client) -> String {
    String::from_utf8(client.ask(b"!session")).unwrap()
}

/// Takes what came up to the end: how many messages of the broadcasts, and all others.
fn take_all(client: &mut Client) -> (usize, Vec<Vec<u8>>) {
    let (mut spread, mut others) = (0, Vec::new());
    loop {
        match client.try_receive() {
            Ok(message) if message == pattern(13, 300) => spread += 1,
            Ok(message) => others.push(message),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::UnexpectedEof, "{error}");
                return (spread, others);
            }
        }
    }
}

const MODES: [(Mode, bool); 4] =
    [(Mode::Session, true), (Mode::Round, true), (Mode::Round, false), (Mode::Idle, false)];

fn closed_behind_others() {
    for (dispatch_mode, hears_connections) in MODES {
        let manners = Manners { hears_connections, ..Manners::default() };
        let server = Running::start(Settings { dispatch_mode, ..with_one_reactor() }, manners);
        let mut clients = clients(&server, MANY);
        let closed = session(&mut clients[5]);
        clients[4].send(b"!spread 35 300");
        server.wait_for("has spread", 1);
        clients[4].send(format!("!tell {closed}").as_bytes());
        server.wait_for("has told", 1);
        clients[5].send(b"!bye");
        let (spread, others) = take_all(&mut clients[5]);
        assert_eq!((spread, others.len()), (35, 2), "{dispatch_mode:?}");
        assert!(others.contains(&b"told".to_vec()) && others.contains(&pattern(7, 64 << 10)), "{dispatch_mode:?}");
        drop(clients);
        assert_eq!(server.stop().code, 0);
    }
}

fn closed_by_another() {
    for (dispatch_mode, hears_connections) in MODES {
        let manners = Manners { hears_connections, ..Manners::default() };
        let server = Running::start(Settings { dispatch_mode, worker_num: 3, ..with_one_reactor() }, manners);
        let mut clients = clients(&server, MANY);
        let closed = session(&mut clients[6]);
        clients[4].send(b"!spread 35 300");
        server.wait_for("has spread", 1);
        clients[5].send(format!("!shut {closed}").as_bytes());
        assert_eq!(take_all(&mut clients[6]), (35, vec![]), "{dispatch_mode:?}");
        drop(clients);
        assert_eq!(server.stop().code, 0);
    }
}

fn half_closed_behind_manager() {
    let server = Running::start(with_one_reactor(), Manners { spreads: true, ..Manners::default() });
    let mut clients = clients(&server, MANY);
    server.signal(SIGUSR1);
    server.wait_for("has spread", 1);
    clients[5].half_close();
    assert_eq!(take_all(&mut clients[5]), (SPREAD, vec![]));
    drop(clients);
    server.signal(SIGTERM);
    assert_eq!(server.wait().code, 0);
}

fn half_closed_behind_main_thread() {
    let mut settings = with_one_reactor();
    settings.ports.push(settings.ports[0].clone());
    settings.ports[1].framing = Framing::Asked;
    let server = Running::start(settings, Manners::default());
    let mut clients = clients(&server, MANY);
    let first = clients.iter_mut().position(|client| session(client) == "1").unwrap();
    let mut asker = server.connect_to(1);
    asker.stream().write_all(&length::SPREADS.to_be_bytes()).unwrap();
    server.wait_for("has spread", 1);
    clients[first].half_close();
    assert_eq!(take_all(&mut clients[first]), (SPREAD, vec![b"from the function".to_vec()]));
    drop(clients);
    drop(asker);
    assert_eq!(server.stop().code, 0);
}

fn stop_behind_main_thread() {
    let server = Running::start(with_one_reactor(), Manners { spreads: true, ..Manners::default() });
    let mut clients = clients(&server, MANY);
    server.signal(SIGTERM);
    for (place, client) in clients.iter_mut().enumerate() {
        assert_eq!(take_all(client), (SPREAD_AT_STOP, vec![b"goodbye".to_vec()]), "client {place}");
    }
    drop(clients);
    assert_eq!(server.wait().code, 0);
}

/// What a stop waits for is over a second after its begin: a machine that was busy with other things meanwhile has another
/// try. What is wrong fails each time.
fn in_time(what: &str, mut is_right: impl FnMut() -> bool) {
    assert!((0..20).any(|_| is_right()), "not once: {what}");
}

fn stop_behind_messages() {
    let modes = [Mode::Session, Mode::Round, Mode::Idle, Mode::Uid, Mode::Stream, Mode::Function, Mode::FewestMessages];
    for (dispatch_mode, hears_connections) in modes.into_iter().flat_map(|mode| [(mode, true), (mode, false)]) {
        in_time(&format!("{dispatch_mode:?}, {hears_connections}"), || {
            let manners = Manners { hears_connections, ..Manners::default() };
            let server = Running::start(Settings { dispatch_mode, ..settings() }, manners);
            let mut others: Vec<_> = (0..6).map(|_| server.connect()).collect();
            let told: Vec<_> = others.iter_mut().map(session).collect();
            let mut client = server.connect();
            client.echo(b"ready");
            // What workers do for some time, and behind it what is for the others.
            let mut messages = frame(b"!wait");
            messages.extend(frame(b"!slow").repeat(20));
            told.iter().for_each(|session| messages.extend(frame(format!("!tell {session}").as_bytes())));
            messages.extend(frame(b"!spread 1 300"));
            client.stream().write_all(&messages).unwrap();
            client.wait_until_sent();
            server.begin_stop();
            // It drains at this very moment, and gives this a second.
            server.let_go();
            let received: Vec<_> = others.iter_mut().map(take_all).collect();
            let (spread, answers) = take_all(&mut client);
            assert_eq!(answers.len(), 2, "{dispatch_mode:?}");
            assert_eq!(server.wait().code, 0);
            spread == 1 && received.iter().all(|received| *received == (1, vec![b"told".to_vec()]))
        });
    }
}

/// A callback that takes its time holds back the ends of the others' connections, too.
fn asked_while_held() {
    in_time("what comes while the server waits for a worker is answered", || {
        let server = Running::start(settings(), Manners::default());
        let [mut slow, mut other] = one_of_each_worker(&server);
        slow.send(b"!wait");
        server.wait_for("waits", 1);
        server.begin_stop();
        // The reactors read for the stop somewhere in between.
        let mut sent = 0;
        while sent < 100 && other.stream().write_all(&frame(b"late")).is_ok() {
            std::thread::sleep(Duration::from_millis(1));
            sent += 1;
        }
        server.let_go();
        assert_eq!(slow.receive(), b"!wait");
        let answers = std::iter::from_fn(|| other.try_receive().ok()).count();
        assert_eq!(server.wait().code, 0);
        answers == 100
    });
}

/// A client of no connection has a worker send to those that have one.
fn stop_behind_datagram() {
    in_time("what a datagram makes a worker send arrives", || {
        let manners = Manners { has_datagrams: true, ..Manners::default() };
        let server = Running::start(settings(), manners);
        let mut client = server.connect();
        let told = session(&mut client);
        let sender = server.udp();
        // Behind what takes some time.
        sender.send(b"!wait").unwrap();
        server.wait_for("waits", 1);
        (0..20).for_each(|_| assert!(sender.send(b"!slow").is_ok()));
        sender.send(format!("!tell {told}").as_bytes()).unwrap();
        server.begin_stop();
        server.let_go();
        let received = take_all(&mut client);
        assert_eq!(server.wait().code, 0);
        received == (0, vec![b"told".to_vec()])
    });
}

/// Takes away what lies in the server's spill files.
fn lose_spilled(server: &Running) {
    let mut lost = 0;
    for descriptor in fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap() {
        let descriptor = descriptor.unwrap().path();
        let is_spilled = fs::read_link(&descriptor).is_ok_and(|file| file.to_string_lossy().contains("/spill/"));
        if is_spilled && fs::metadata(&descriptor).unwrap().len() > 0 {
            fs::File::options().write(true).open(descriptor).unwrap().set_len(0).unwrap();
            lost += 1;
        }
    }
    assert!(lost > 0, "nothing was spilled");
}

fn lost_answer() {
    const SIZE: usize = 30_000_000;
    let server = Running::start(settings(), Manners::default());
    let mut client = server.connect_where(|worker| worker == 0);
    let mut neighbour = server.connect_where(|worker| worker == 0);
    client.send(format!("!large {SIZE}").as_bytes());
    // Behind it: it is sent, and the client takes nothing.
    neighbour.echo(b"behind it");
    lose_spilled(&server);
    let mut received = Vec::new();
    let end = std::io::Read::read_to_end(client.stream(), &mut received);
    assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset, "behind {} bytes", received.len());
    neighbour.echo(b"goes on");
    drop(neighbour);
    assert_eq!(server.stop().code, 0);
}

fn lost_broadcast() {
    let server = Running::start(with_one_reactor(), Manners::default());
    let mut clients = clients(&server, 100);
    let mut asker = server.connect();
    // Both are read at once.
    asker.stream().write_all(&[frame(b"!wait"), frame(b"!spread 1 5000000")].concat()).unwrap();
    server.wait_for("waits", 1);
    server.signal(SIGSTOP);
    server.let_go();
    server.wait_for("has spread", 1);
    lose_spilled(&server);
    server.signal(SIGCONT);
    for (place, client) in clients.iter_mut().enumerate() {
        let end = client.try_receive();
        assert_eq!(end.unwrap_err().kind(), ErrorKind::ConnectionReset, "client {place}");
    }
    server.connect().echo(b"goes on");
    assert_eq!(server.stop().code, 0);
}
