//! Broadcasts: one message for the clients of all workers.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use rotor_core::dispatch::Mode;
use rotor_core::process::Addressees;
use rotor_core::settings::Settings;

use crate::Test;
use crate::host::{Manners, pattern};
use crate::server::{Client, PATIENCE, Running, settings, wait_until};

pub const TESTS: &[Test] = &[
    ("a_broadcast_reaches_the_clients_of_all_workers_whole_and_in_order", of_any_size),
    ("a_broadcast_to_more_than_a_turn_serves_survives_the_death_of_its_worker", dies_behind),
    ("a_reload_beside_broadcasts_loses_none", reload),
    ("clients_that_come_and_go_beside_broadcasts_get_whole_ones", churn),
    ("a_stop_sends_what_was_broadcast", stop),
    ("what_many_workers_send_behind_a_broadcast_does_not_stay_in_their_lanes", behind_of_many),
    ("workers_that_broadcast_without_end_hold_up_neither_the_manager_nor_the_end_of_connections", endless),
    ("in_every_mode_a_half_closed_client_gets_what_its_worker_has_sent_behind_a_broadcast", half_closed),
    ("a_stop_sends_what_was_answered_behind_a_broadcast", stop_behind),
];

/// How the host calls all.
pub const ALL: Addressees<'static> = Addressees::All(None);

pub fn clients(server: &Running, count: usize) -> Vec<Client> {
    let mut clients: Vec<_> = (0..count).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.send(b"here"));
    clients.iter_mut().for_each(|client| assert_eq!(client.receive(), b"here"));
    clients
}

fn of_any_size() {
    let server = Running::start(settings(), Manners::default());
    let mut clients = clients(&server, 20);
    // In the record, in blocks, on the disk.
    let sizes = [1, 500, 9_000, 100_000, 1_000_000, 2_500_000];
    for (round, size) in sizes.into_iter().cycle().take(2 * sizes.len()).enumerate() {
        clients[round].send(format!("!spread 3 {size}").as_bytes());
        for (place, client) in clients.iter_mut().enumerate() {
            (0..3).for_each(|_| assert!(client.receive() == pattern(13, size), "{size} bytes for client {place}"));
        }
        assert_eq!(clients[round].receive(), b"60", "three times all");
    }
    assert_eq!(server.stop().code, 0);
}

/// One reactor has them all, so that one record takes several turns; the worker dies at once, and then the reactor hears of
/// its death in the middle of what it has posted.
fn dies_behind() {
    for reactors in [1, 2] {
        let mut settings = settings();
        (settings.reactor_num, settings.close_on_worker_error) = (reactors, false);
        let server = Running::start(settings, Manners::default());
        let mut clients = clients(&server, 700);
        for size in [300, 20_000] {
            clients[5].send(format!("!spreadkill 6 {size}").as_bytes());
            for client in &mut clients {
                (0..6).for_each(|_| assert!(client.receive() == pattern(13, size), "{size} bytes"));
            }
            // The dead one's seat is free again: its slot goes on, also in a reload, which needs both.
            clients.iter_mut().take(4).for_each(|client| client.echo(b"meanwhile"));
            let reloads = server.events().lines().filter(|line| line.contains("reloaded success=true")).count();
            server.signal(crate::server::SIGUSR1);
            server.wait_for("reloaded success=true", reloads + 1);
        }
        assert_eq!(server.stop().code, 0);
    }
}

fn reload() {
    let server = Running::start(settings(), Manners::default());
    let mut clients = clients(&server, 20);
    for round in 1..=6 {
        let size = [200, 30_000, 2_500_000][round % 3];
        clients[round].send(format!("!spread 4 {size}").as_bytes());
        clients[round + 1].send(format!("!spread 4 {size}").as_bytes());
        server.signal(crate::server::SIGUSR1);
        for client in &mut clients {
            (0..8).for_each(|_| {
                let message = client.receive();
                // The count comes in the middle of the other's.
                let message = if message == b"80" { client.receive() } else { message };
                assert!(message == pattern(13, size), "{} of {size} bytes", message.len());
            });
        }
        server.wait_for("reloaded success=true", round);
        // What is left of the counts.
        for place in [round, round + 1] {
            clients[place].send(b"done");
            let mut message = clients[place].receive();
            while message == b"80" {
                message = clients[place].receive();
            }
            assert_eq!(message, b"done");
        }
    }
    assert_eq!(server.stop().code, 0);
}

/// Places of the table have other clients all the time.
fn churn() {
    let mut settings = settings();
    settings.max_connection = 60;
    let server = Running::start(settings, Manners::default());
    let mut asker = server.connect();
    for round in 0..9 {
        let size = [100, 20_000, 150_000][round % 3];
        let mut others: Vec<_> = (0..30).map(|_| server.connect()).collect();
        asker.send(format!("!spread 20 {size}").as_bytes());
        for (place, client) in others.iter_mut().enumerate() {
            client.send(b"here");
            // Some go in the middle; the others hear some of them, whole.
            if place % 3 > 0 {
                let mut message = client.receive();
                while message != b"here" {
                    assert!(message == pattern(13, size), "{} of {size} bytes", message.len());
                    message = client.receive();
                }
            }
        }
        drop(others);
        for _ in 0..20 {
            assert!(asker.receive() == pattern(13, size));
        }
        let count: usize = String::from_utf8(asker.receive()).unwrap().parse().unwrap();
        assert!((20..=20 * 61).contains(&count), "{count}");
        wait_until("the others to be gone", || asker.stat("connection_num") == 1);
    }
    drop(asker);
    assert_eq!(server.stop().code, 0);
}

fn stop() {
    let mut settings = settings();
    settings.reactor_num = 1;
    let server = Running::start(settings, Manners::default());
    let mut clients = clients(&server, 50);
    clients[0].send(b"!spread 2 2500000");
    clients[1].send(b"!spread 50 100");
    // It is all posted, and takes the reactor some hundred turns.
    server.wait_for("has spread", 2);
    server.signal(crate::server::SIGTERM);
    for (place, client) in clients.iter_mut().enumerate() {
        let (mut large, mut small) = (0, 0);
        while large < 2 || small < 50 {
            let message = client.receive();
            match message.len() {
                2_500_000 => large += 1,
                100 => small += 1,
                _ if place < 2 => continue,
                len => panic!("{len} bytes"),
            }
            assert!(message == pattern(13, message.len()), "other bytes");
        }
    }
    drop(clients);
    assert_eq!(server.wait().code, 0);
}

/// More clients than a turn serves.
pub const MANY: usize = 700;

/// One reactor, so that a broadcast to all takes it several turns, in which workers go on.
pub fn with_one_reactor() -> Settings {
    Settings { reactor_num: 1, ..settings() }
}

/// So many workers that their reactor looks at the lanes of those alone that have said so.
fn behind_of_many() {
    let server = Running::start(Settings { worker_num: 4, ..with_one_reactor() }, Manners::default());
    let mut clients = clients(&server, MANY);
    for round in 0..5 {
        clients[round].send(b"!spread 20 300");
        for client in &mut clients {
            (0..20).for_each(|_| assert!(client.receive() == pattern(13, 300)));
        }
        assert_eq!(clients[round].receive(), (20 * MANY).to_string().as_bytes());
    }
    assert_eq!(server.stop().code, 0);
}

/// Their lanes are never empty, and each broadcast uses up what a turn allows.
fn endless() {
    let manners = Manners { spreads: true, ..Manners::default() };
    let server = Running::start(Settings { worker_num: 3, ..with_one_reactor() }, manners);
    // Of a worker that goes on.
    let [mut victim, mut leaver] = [2, 2].map(|worker| server.connect_where(|of| of == worker));
    let mut clients = clients(&server, MANY);
    // Both before either broadcasts: what a client is asked for would come among that.
    clients.extend([0, 1].map(|worker| server.connect_where(|of| of == worker)));
    clients[MANY..].iter_mut().for_each(|client| client.send(b"!endless"));
    victim.send(b"!killed");
    let mut listener = clients.remove(0);
    leaver.half_close();
    let over = AtomicBool::new(false);
    let found = thread::scope(|scope| {
        // The others take what comes, so that it goes on.
        scope.spawn(|| {
            clients.iter_mut().for_each(|client| client.stream().set_nonblocking(true).unwrap());
            let mut room = vec![0; 64 << 10];
            while !over.load(Ordering::Relaxed) {
                clients.iter_mut().for_each(|client| drop(client.stream().read(&mut room)));
            }
        });
        let end = Instant::now() + PATIENCE;
        let goes_on = move || Instant::now() < end;
        let listening = scope.spawn(move || {
            while goes_on() && listener.receive() != b"a worker has died" {}
            goes_on()
        });
        let leaving = scope.spawn(move || {
            while goes_on() && leaver.try_receive().is_ok() {}
            goes_on()
        });
        let found = [listening.join().unwrap(), leaving.join().unwrap()];
        over.store(true, Ordering::Relaxed);
        found
    });
    assert_eq!(found, [true; 2], "what the manager has broadcast, and the end");
    server.let_go();
    drop((clients, victim));
    assert_eq!(server.stop().code, 0);
}

fn half_closed() {
    for (dispatch_mode, hears_connections) in
        [(Mode::Session, true), (Mode::Round, true), (Mode::Round, false), (Mode::Idle, false)]
    {
        let manners = Manners { hears_connections, ..Manners::default() };
        let server = Running::start(Settings { dispatch_mode, ..with_one_reactor() }, manners);
        let mut clients = clients(&server, MANY);
        clients[5].send(b"!spread 35 300");
        // Its worker has done with it, and what it has sent is on its way for long.
        server.wait_for("has spread", 1);
        clients[5].half_close();
        // Another's client, in the mode in which a worker has its own.
        clients[4].half_close();
        for client in &mut clients {
            (0..35).for_each(|_| assert!(client.receive() == pattern(13, 300)));
        }
        assert_eq!(clients[5].receive(), (35 * MANY).to_string().as_bytes(), "{dispatch_mode:?}");
        assert!(clients[5].ends() && clients[4].ends());
        assert_eq!(server.stop().code, 0);
    }
}

fn stop_behind() {
    let server = Running::start(with_one_reactor(), Manners::default());
    let mut clients = clients(&server, MANY);
    clients[4].send(b"!spread 35 300");
    server.wait_for("has spread", 1);
    clients.iter_mut().for_each(|client| client.send(b"last"));
    server.signal(crate::server::SIGTERM);
    for (place, client) in clients.iter_mut().enumerate() {
        // Beside the broadcasts the answer, and what the one who has asked for them is told.
        let mut messages: Vec<_> = (0..36 + usize::from(place == 4)).map(|_| client.receive()).collect();
        messages.retain(|message| *message != pattern(13, 300));
        assert!(messages.contains(&b"last".to_vec()), "client {place} got {messages:?}");
    }
    drop(clients);
    assert_eq!(server.wait().code, 0);
}
