//! The modes of the dispatcher: which worker gets what, and what must hold in all of them.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::Test;
use crate::host::{Manners, frame, pattern};
use crate::load::kill_at_random;
use crate::server::{Client, Running, SIGKILL, SIGUSR1, settings, wait_until};
use rotor_core::dispatch::Mode;
use rotor_core::settings::Settings;
use rotor_sys::process;

pub const TESTS: &[Test] = &[
    ("messages_go_round_the_workers", round),
    ("all_connections_of_a_host_have_the_same_worker", by_address),
    ("a_bound_user_has_one_worker_whichever_connection_it_comes_by", by_uid),
    ("a_new_connection_goes_to_the_worker_with_the_fewest", by_connections),
    ("a_busy_worker_gets_no_message_while_others_are_idle", by_messages),
    ("a_message_that_finds_no_idle_worker_is_held_back_and_those_behind_it_wait_their_turn", held_back),
    ("a_slow_callback_delays_nobody_where_a_worker_is_idle", slow_callback),
    ("what_is_held_back_is_handled_though_its_client_has_gone_or_its_workers_die", held_back_among_deaths),
    ("in_no_mode_does_a_connection_leave_its_session_behind", sessions_are_freed),
    ("in_every_mode_a_half_closed_connection_gets_the_answers_of_all_workers", half_closed),
    ("in_every_mode_a_stop_answers_every_complete_message", stop_drains),
    ("in_every_mode_a_connection_is_told_of_once_at_both_ends", told_of_once),
    ("in_every_mode_large_messages_come_back_whole", large),
    ("in_every_mode_a_reload_under_load_loses_nothing", reload_under_load),
    ("in_every_mode_workers_killed_at_random_lose_one_message_each", killed_at_random),
    ("late_messages_are_kept_or_dropped_as_the_setting_says", late_messages),
];

/// Those in which a connection has no worker of its own, one of each kind.
const ROAMING: &[Mode] = &[Mode::Round, Mode::Idle, Mode::Uid, Mode::FewestMessages];
/// All of them.
const ALL: &[Mode] = &[
    Mode::Round,
    Mode::Session,
    Mode::Idle,
    Mode::Address,
    Mode::Uid,
    Mode::Stream,
    Mode::FewestConnections,
    Mode::FewestMessages,
    Mode::FewestRequests,
];

fn in_mode(dispatch_mode: Mode) -> Settings {
    Settings { dispatch_mode, worker_num: 3, ..settings() }
}

fn start(mode: Mode) -> Running {
    Running::start(in_mode(mode), Manners::default())
}

fn round() {
    let server = start(Mode::Round);
    let (mut first, mut second) = (server.connect(), server.connect());
    let mut counts = [0; 3];
    for _ in 0..15 {
        counts[first.worker().0 as usize] += 1;
        counts[second.worker().0 as usize] += 1;
    }
    // Connects have their turn, too, and one may come between.
    assert!(counts.iter().all(|count| (9..=11).contains(count)), "{counts:?}");
    assert_eq!(server.stop().code, 0);
}

fn by_address() {
    let server = start(Mode::Address);
    let expected = ((127 << 24) + 1) % 3;
    for _ in 0..7 {
        assert_eq!(server.connect().worker().0, expected);
    }
    assert_eq!(server.stop().code, 0);
}

fn by_uid() {
    let server = start(Mode::Uid);
    let mut clients: Vec<_> = (0..5).map(|_| server.connect()).collect();
    for client in &mut clients {
        let before = client.worker().0;
        assert_eq!(client.worker().0, before, "by the session, before it is bound");
        assert_eq!(client.ask(b"!bind 7"), b"true");
        assert_eq!(client.ask(b"!bind 8"), b"false", "once");
        assert_eq!(client.worker().0, 7 % 3);
    }
    assert_eq!(server.stop().code, 0);
}

fn by_connections() {
    let server = start(Mode::FewestConnections);
    let mut clients: Vec<_> = (0..9).map(|_| server.connect()).collect();
    let workers: Vec<u32> = clients.iter_mut().map(|client| client.worker().0).collect();
    let count = |worker| workers.iter().filter(|number| **number == worker).count();
    // Both reactors look at the same time.
    assert!((0..3).all(|worker| (2..=4).contains(&count(worker))), "{workers:?}");
    let (leaving, mut staying): (Vec<_>, Vec<_>) =
        clients.into_iter().zip(&workers).partition(|(_, worker)| **worker == 1);
    let closed = i64::try_from(leaving.len()).unwrap();
    drop(leaving);
    wait_until("the closes", || staying[0].0.stat("close_count") == closed);
    assert_eq!(server.connect().worker().0, 1, "the one that has none");
    for (client, worker) in &mut staying {
        assert_eq!(client.worker().0, **worker, "a connection keeps its worker");
    }
    assert_eq!(server.stop().code, 0);
}

fn by_messages() {
    for mode in [Mode::FewestMessages, Mode::FewestRequests] {
        let server = start(mode);
        let (mut other, mut slow) = (server.connect(), server.connect());
        other.echo(b"ready");
        slow.send(b"!wait");
        server.wait_for("waits", 1);
        for round in 0..40 {
            other.echo(&pattern(round, 50));
        }
        drop(server.connect());
        server.let_go();
        assert_eq!(slow.receive(), b"!wait");
        assert_eq!(server.stop().code, 0);
    }
}

fn slow_callback() {
    for mode in [Mode::Idle, Mode::Stream] {
        let server = start(mode);
        let mut slow = server.connect();
        slow.send(b"!wait");
        server.wait_for("waits", 1);
        // Of all reactors, and more of them than there are workers.
        let mut clients: Vec<_> = (0..10).map(|_| server.connect()).collect();
        for round in 0..8 {
            clients.iter_mut().for_each(|client| client.send(&pattern(round, 50)));
            clients.iter_mut().for_each(|client| assert!(client.receive() == pattern(round, 50)));
        }
        drop(server.connect());
        server.let_go();
        assert_eq!(slow.receive(), b"!wait");
        assert_eq!(server.stop().code, 0);
    }
}

fn held_back() {
    for reactor_num in [1, 2] {
        let settings = Settings { reactor_num, ..in_mode(Mode::Idle) };
        let server = Running::start(settings, Manners::default());
        let mut busy: Vec<_> = (0..3).map(|_| server.connect()).collect();
        for client in &mut busy {
            client.send(b"!wait");
        }
        server.wait_for("waits", 3);
        let mut waiting: Vec<_> = (0..7).map(|_| server.connect()).collect();
        for client in &mut waiting {
            client.send(&pattern(0, 100));
        }
        // The rest comes when the first one is held back.
        for client in &mut waiting {
            client.wait_until_read();
            client.send(&pattern(1, 100));
            client.send(&pattern(2, 100));
            client.send(&pattern(3, 40_000));
        }
        let mut other = server.connect();
        server.let_go();
        for client in &mut busy {
            assert_eq!(client.receive(), b"!wait");
        }
        for client in &mut waiting {
            let mut expected: Vec<_> = (0..3).map(|place| pattern(place, 100)).collect();
            expected.push(pattern(3, 40_000));
            expected.sort();
            assert!(receive_all(client, 4) == expected, "with {reactor_num} reactors");
        }
        other.echo(b"all workers are idle again");
        assert_eq!(other.stat("dropped_records"), 0);
        assert_eq!(server.stop().code, 0);
    }
}

fn held_back_among_deaths() {
    let server = start(Mode::Idle);
    let mut busy: Vec<_> = (0..3).map(|_| server.connect()).collect();
    let victims: Vec<i32> = {
        let mut pids = std::collections::BTreeSet::new();
        while pids.len() < 3 {
            pids.insert(busy[0].worker().1);
        }
        pids.into_iter().collect()
    };
    for client in &mut busy {
        client.send(b"!wait");
    }
    server.wait_for("waits", 3);
    let mut waiting: Vec<_> = (0..6).map(|_| server.connect()).collect();
    waiting.iter_mut().for_each(|client| client.send(b"!silence"));
    waiting.iter_mut().for_each(Client::wait_until_read);
    waiting.iter_mut().for_each(|client| client.send(&pattern(1, 300_000)));
    // Their messages are held back when they go.
    let staying = waiting.split_off(3);
    waiting.into_iter().for_each(Client::reset);
    for victim in victims {
        process::kill(victim, SIGKILL).unwrap();
    }
    for mut client in staying {
        assert!(client.receive() == pattern(1, 300_000));
    }
    for mut client in busy {
        assert!(client.ends());
    }
    wait_until("all deaths to be counted", || server.stat("crash_count") == 3);
    assert_eq!(server.stat("lost_messages"), 3);
    assert_eq!(server.stop().code, 0);
}

fn sessions_are_freed() {
    for mode in ALL {
        for hears_connections in [true, false] {
            let settings = Settings { max_connection: 100, ..in_mode(*mode) };
            let server = Running::start(settings, Manners { hears_connections, ..Manners::default() });
            // More than the table has places.
            for number in 0..320_u64 {
                let mut client = server.connect();
                match number % 4 {
                    0 => client.echo(b"and closed"),
                    1 => {
                        client.send(b"and half closed");
                        client.half_close();
                        assert_eq!(client.receive(), b"and half closed");
                        assert!(client.ends());
                    }
                    2 => {
                        client.send(b"and broken");
                        client.reset();
                    }
                    _ => {
                        client.send(b"!bye");
                        client.receive();
                        assert!(client.ends());
                    }
                }
            }
            assert_eq!(server.stat("abort_count"), 0, "{mode:?}: there was no place for a session");
            assert_eq!(server.stop().code, 0);
        }
    }
}

/// What comes back of these, in the order of the bodies.
fn receive_all(client: &mut Client, count: usize) -> Vec<Vec<u8>> {
    let mut answers: Vec<_> = (0..count).map(|_| client.receive()).collect();
    answers.sort();
    answers
}

fn half_closed() {
    for mode in ALL {
        for hears_connections in [true, false] {
            let server = Running::start(in_mode(*mode), Manners { hears_connections, ..Manners::default() });
            let mut clients: Vec<_> = (0..4).map(|_| server.connect()).collect();
            for client in &mut clients {
                for body in ["!wait", "soon", "!wait"] {
                    client.send(body.as_bytes());
                }
                client.half_close();
            }
            clients.iter_mut().for_each(Client::wait_until_sent);
            server.let_go();
            for client in &mut clients {
                assert_eq!(receive_all(client, 3), [&b"!wait"[..], b"!wait", b"soon"], "{mode:?}");
                assert!(client.ends());
            }
            assert_eq!(server.stop().code, 0);
        }
    }
}

fn stop_drains() {
    for mode in ALL {
        let server = start(*mode);
        let mut clients: Vec<_> = (0..8).map(|_| server.connect()).collect();
        clients.iter_mut().for_each(|client| client.echo(b"ready"));
        for client in &mut clients {
            // In one piece: while nobody reads, the kernel of a client keeps what comes piece by piece.
            client.stream().write_all(&frame(b"!wait").repeat(20)).unwrap();
        }
        server.begin_stop();
        server.let_go();
        for client in &mut clients {
            assert_eq!(receive_all(client, 20), vec![b"!wait".to_vec(); 20], "{mode:?}");
            assert!(client.ends());
        }
        let stopped = server.wait();
        assert_eq!(stopped.code, 0);
        assert_eq!(stopped.events.lines().filter(|line| line.contains("by=server")).count(), 8);
        assert_eq!(stopped.events.lines().filter(|line| line.ends_with("stops")).count(), 3);
    }
}

fn told_of_once() {
    for mode in ALL {
        let server = start(*mode);
        for number in 0..30 {
            let mut client = server.connect();
            client.echo(&pattern(number, 100));
            if number % 2 == 0 {
                client.send(b"!bye");
                client.receive();
                assert!(client.ends());
            }
        }
        server.wait_for("close ", 30);
        let events = server.stop().events;
        for kind in ["connect ", "close "] {
            let mut sessions: Vec<_> =
                events.lines().filter_map(|line| line.strip_prefix(kind)?.split(' ').next()).collect();
            let count = sessions.len();
            sessions.sort_unstable();
            sessions.dedup();
            assert_eq!((count, sessions.len()), (30, 30), "{mode:?} {kind}");
        }
    }
}

fn large() {
    for mode in ROAMING {
        let settings = Settings { ipc_memory: 16 << 20, ..in_mode(*mode) };
        let server = Running::start(settings, Manners::default());
        thread::scope(|scope| {
            for number in 0..3_u64 {
                let mut client = server.connect();
                scope.spawn(move || {
                    for len in [1, 16 << 10, 100 << 10, 300 << 10, 4 << 20, 100] {
                        client.echo(&pattern(number << 32 | len, rotor_ipc::to_usize(len)));
                    }
                });
            }
        });
        assert_eq!(server.stop().code, 0);
    }
}

fn reload_under_load() {
    for mode in ROAMING {
        let server = start(*mode);
        let over = AtomicBool::new(false);
        let served: u64 = thread::scope(|scope| {
            let clients: Vec<_> = (0..8_u64)
                .map(|number| {
                    let (mut client, over) = (server.connect(), &over);
                    scope.spawn(move || {
                        let mut served = 0;
                        while !over.load(Ordering::Relaxed) {
                            client.echo(&pattern(number << 32 | served, 200));
                            served += 1;
                        }
                        served
                    })
                })
                .collect();
            for round in 1..=4 {
                server.signal(SIGUSR1);
                server.wait_for("reloaded success=true", round);
            }
            over.store(true, Ordering::Relaxed);
            clients.into_iter().map(|client| client.join().unwrap()).sum()
        });
        assert_eq!(u64::try_from(server.stat("request_count")).unwrap(), served, "{mode:?}");
        assert_eq!(server.stat("crash_count"), 0);
        assert_eq!(server.stop().code, 0);
    }
}

fn killed_at_random() {
    for mode in ROAMING {
        let server = start(*mode);
        kill_at_random(&server, 12);
        assert_eq!(server.stop().code, 0, "{mode:?}");
    }
}

fn late_messages() {
    for (discards, dropped) in [(false, 0), (true, 3)] {
        let settings =
            Settings { discard_timeout_request: discards, worker_num: 1, reactor_num: 1, ..in_mode(Mode::Round) };
        let server = Running::start(settings, Manners { hears_connections: false, ..Manners::default() });
        let (mut blocker, mut client, mut other) = (server.connect(), server.connect(), server.connect());
        client.echo(b"ready");
        let before = other.stat("request_count");
        blocker.send(b"!wait");
        server.wait_for("waits", 1);
        (0..3).for_each(|_| client.send(b"!silence"));
        client.wait_until_read();
        client.reset_and_wait();
        // The one reactor reads what comes later when it has seen the reset.
        other.send(b"later");
        other.wait_until_read();
        server.let_go();
        assert_eq!(blocker.receive(), b"!wait");
        assert_eq!(other.receive(), b"later");
        assert_eq!(other.stat("dropped_records"), dropped);
        assert_eq!(other.stat("request_count") - before, 7 - dropped, "two of them are questions after the first");
        assert_eq!(server.stop().code, 0);
    }
}
