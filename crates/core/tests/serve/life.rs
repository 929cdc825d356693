//! Stops, reloads and deaths.

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::Test;
use crate::host::{Manners, frame, pattern};
use crate::load::{kill_at_random, wait_for_more};
use crate::server::{Running, SIGKILL, SIGTERM, SIGUSR1, one_of_each_worker, settings, stat_of, wait_until};
use rotor_core::settings::Settings;
use rotor_sys::process;

pub const TESTS: &[Test] = &[
    ("a_stop_answers_every_complete_message", stop_drains),
    ("a_stop_posts_what_waits_for_a_full_lane", stop_with_full_lane),
    ("a_second_signal_ends_what_a_stuck_callback_holds_up", forced_stop),
    ("a_reload_under_load_loses_doubles_and_reorders_nothing", reload_under_load),
    ("a_killed_worker_takes_one_message_and_one_connection_with_it", killed_worker),
    ("workers_killed_at_random_under_load_lose_one_message_each", killed_at_random),
    ("reloads_kills_and_stops_of_single_workers_at_once_lose_no_answer_but_those_in_hand", everything_at_once),
    ("a_stop_answers_though_workers_are_killed_meanwhile", stop_among_kills),
    ("clients_that_never_cease_to_connect_do_not_hold_up_a_stop", stop_among_connects),
    ("clients_that_send_on_after_they_were_closed_do_not_hold_up_a_stop", stop_among_floods),
    ("an_exception_closes_the_connection_in_hand_and_the_worker_lives", exception),
    ("a_worker_that_exits_in_a_callback_is_replaced", exit_in_callback),
    ("a_manager_that_its_callback_ends_takes_the_server_with_it", manager_exits),
    ("a_killed_manager_takes_the_server_with_it", manager_killed),
    ("a_killed_master_leaves_no_process", master_killed),
];

fn stop_drains() {
    let server = Running::start(settings(), Manners::default());
    let mut clients: Vec<_> = (0..10).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.echo(b"ready"));
    for client in &mut clients {
        for _ in 0..20 {
            client.send(b"!wait");
        }
    }
    server.begin_stop();
    server.let_go();
    for client in &mut clients {
        for _ in 0..20 {
            assert_eq!(client.receive(), b"!wait");
        }
        assert!(client.ends());
    }
    let stopped = server.wait();
    assert_eq!(stopped.code, 0);
    assert_eq!(stopped.events.lines().filter(|line| line.contains("by=server")).count(), 10);
    assert_eq!(stopped.events.lines().filter(|line| line.ends_with("stops")).count(), 2);
}

fn stop_with_full_lane() {
    let server = Running::start(Settings { reactor_num: 1, ..settings() }, Manners::default());
    let [mut client, mut other] = one_of_each_worker(&server);
    // More than the lane holds, and little enough for the rest to be in the server's kernel and not in the client's.
    let message = pattern(1, 8000);
    client.send(b"!wait");
    (0..40).for_each(|_| client.send(&message));
    wait_until("the lane to be full", || other.stat("read_pauses") > 0);
    client.wait_until_sent();
    server.signal(SIGTERM);
    // The other one's, from the same reactor: it has begun to drain.
    server.wait_for("close ", 1);
    server.let_go();
    assert_eq!(client.receive(), b"!wait");
    (0..40).for_each(|place| assert!(client.receive() == message, "echo {place}"));
    assert!(client.ends());
    assert_eq!(server.wait().code, 0);
}

fn forced_stop() {
    let server = Running::start(Settings { max_wait_time: None, ..settings() }, Manners::default());
    let mut client = server.connect();
    client.send(b"!wait");
    server.wait_for("waits", 1);
    server.begin_stop();
    // The product counts this second: within it, another signal is taken for the same one.
    thread::sleep(Duration::from_millis(1100));
    server.signal(SIGTERM);
    assert_eq!(server.wait().code, 0);
}

fn reload_under_load() {
    let server = Running::start(settings(), Manners::default());
    let over = AtomicBool::new(false);
    let served: u64 = thread::scope(|scope| {
        let clients: Vec<_> = (0..6_u64)
            .map(|number| {
                let mut client = server.connect();
                let over = &over;
                scope.spawn(move || {
                    let mut served = 0;
                    while !over.load(Ordering::Relaxed) {
                        for place in 0..16 {
                            client.send(&pattern(number << 32 | (served + place), 200));
                        }
                        for place in 0..16 {
                            assert!(client.receive() == pattern(number << 32 | (served + place), 200));
                        }
                        served += 16;
                    }
                    served
                })
            })
            .collect();
        for round in 1..=6 {
            server.signal(SIGUSR1);
            server.wait_for("reloaded success=true", round);
        }
        over.store(true, Ordering::Relaxed);
        clients.into_iter().map(|client| client.join().unwrap()).sum()
    });
    assert_eq!(u64::try_from(server.stat("request_count")).unwrap(), served);
    assert_eq!(server.stat("crash_count"), 0);
    let stopped = server.stop();
    assert_eq!(stopped.code, 0);
    assert_eq!(stopped.events.lines().filter(|line| line.ends_with("starts")).count(), 14);
}

fn killed_worker() {
    let server = Running::start(settings(), Manners::default());
    let [mut victim, mut other] = one_of_each_worker(&server);
    let mut neighbour = server.connect_where(|worker| worker == 0);
    let (_, before) = neighbour.worker();
    victim.send(b"!killed");
    neighbour.echo(b"at most late");
    other.echo(b"not even that");
    assert!(victim.ends());
    assert_ne!(neighbour.worker().1, before);
    server.wait_for("error worker=0 code=0 signal=9 session=", 1);
    assert_eq!((server.stat("lost_messages"), server.stat("crash_count")), (1, 1));
    assert_eq!(server.stop().code, 0);
}

fn killed_at_random() {
    let server = Running::start(settings(), Manners::default());
    kill_at_random(&server, 30);
    assert_eq!(server.stop().code, 0);
}

/// Each of the clients pipelines; a connection may end by a kill, but none is answered wrongly or not at all.
fn everything_at_once() {
    let mut settings = settings();
    (settings.worker_num, settings.reactor_num) = (3, 2);
    let server = Running::start(settings, Manners::default());
    let (over, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let kills: i64 = thread::scope(|scope| {
        let clients: Vec<_> = (0..8_u64)
            .map(|number| {
                let (server, over, answered) = (&server, &over, &answered);
                scope.spawn(move || {
                    let (mut client, mut ended, mut round) = (server.connect(), 0, 0);
                    while !over.load(Ordering::Relaxed) {
                        round += 1;
                        let messages: Vec<Vec<u8>> = (0..8)
                            .map(|place| {
                                pattern(
                                    number << 40 | round << 8 | place,
                                    [30, 20_000, 200_000][rotor_ipc::to_usize(place) % 3],
                                )
                            })
                            .collect();
                        let all: Vec<u8> = messages.iter().flat_map(|message| crate::host::frame(message)).collect();
                        let mut writer = client.twin();
                        let is_over = thread::scope(|scope| {
                            scope.spawn(move || std::io::Write::write_all(writer.stream(), &all));
                            messages.iter().any(|message| match client.try_receive() {
                                Ok(answer) => {
                                    assert!(answer == *message, "connection {number} round {round}");
                                    false
                                }
                                Err(error) => {
                                    assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "no answer came");
                                    true
                                }
                            })
                        });
                        if is_over {
                            ended += 1;
                            client = server.connect();
                        }
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                    ended
                })
            })
            .collect();
        let mut kills = 0;
        for round in 0..24 {
            wait_for_more(&answered, 8);
            match round % 4 {
                0 => server.signal(SIGUSR1),
                2 => {
                    let _ = process::kill(server.connect().worker().1, SIGTERM);
                }
                _ => kills += i64::from(process::kill(server.connect().worker().1, SIGKILL).is_ok()),
            }
        }
        over.store(true, Ordering::Relaxed);
        let ended: i64 = clients.into_iter().map(|client| client.join().unwrap()).sum();
        assert!(ended <= kills, "{ended} connections ended by {kills} kills");
        kills
    });
    // One that had handed over and ended was killed in vain.
    assert!(server.stat("crash_count") <= kills);
    assert_eq!(server.stop().code, 0);
}

/// An owner that crashes with unread records is replaced even during a stop.
fn stop_among_kills() {
    let server = Running::start(settings(), Manners::default());
    let mut clients: Vec<_> = (0..12).map(|_| server.connect()).collect();
    clients.iter_mut().for_each(|client| client.echo(b"ready"));
    let victims = [clients[0].worker().1, clients[1].worker().1];
    for client in &mut clients {
        for _ in 0..30 {
            client.send(b"!wait");
        }
    }
    server.wait_for("waits", 2);
    server.begin_stop();
    let kills: i32 = victims.map(|victim| i32::from(process::kill(victim, SIGKILL).is_ok())).iter().sum();
    server.let_go();
    let mut broken = 0;
    for client in &mut clients {
        let answers = (0..30).take_while(|_| client.try_receive().is_ok_and(|answer| answer == b"!wait")).count();
        broken += i32::from(answers < 30);
        assert!(client.ends());
    }
    assert!(broken <= kills, "{kills} were in hand at most, {broken} connections had no answer");
    assert_eq!(server.wait().code, 0);
}

fn stop_among_connects() {
    let server = Running::start(settings(), Manners::default());
    let (over, connected) = (AtomicBool::new(false), AtomicU64::new(0));
    let address = server.address();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    connected.fetch_add(u64::from(std::net::TcpStream::connect(address).is_ok()), Ordering::Relaxed);
                }
            });
        }
        wait_for_more(&connected, 500);
        server.signal(SIGTERM);
        assert_eq!(server.wait().code, 0);
        over.store(true, Ordering::Relaxed);
    });
}

/// What they send is dropped while their answer is on its way, and they do not read that.
fn stop_among_floods() {
    use nix::sys::socket::{setsockopt, sockopt};
    const CLIENTS: usize = 24;
    let server = Running::start(settings(), Manners::default());
    let address = server.address();
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(move || {
                while let Ok(mut stream) = TcpStream::connect(address) {
                    setsockopt(&stream, sockopt::RcvBuf, &(16 << 10)).unwrap();
                    // The second is no message.
                    let mut sent = stream.write_all(&[frame(b"!part 400000"), vec![0xff; 4]].concat());
                    while sent.is_ok() {
                        sent = stream.write_all(&[0; 64 << 10]);
                    }
                }
            });
        }
        server.wait_for("close ", CLIENTS);
        assert_eq!(server.stop().code, 0);
    });
}

fn exception() {
    let server = Running::start(settings(), Manners::default());
    let [mut thrower, _other] = one_of_each_worker(&server);
    let before = thrower.worker();
    thrower.send(b"!throw");
    assert!(thrower.ends());
    let mut next = server.connect_where(|worker| worker == 0);
    assert_eq!(next.worker(), before);
    assert_eq!(server.stat("exceptions"), 1);
    assert_eq!(server.stop().code, 0);
}

fn exit_in_callback() {
    let server = Running::start(settings(), Manners::default());
    for code in [0, 3] {
        let mut client = server.connect();
        let (worker, before) = client.worker();
        client.send(format!("!exit {code}").as_bytes());
        assert!(client.ends());
        wait_until("its successor", || {
            let (number, pid) = server.connect().worker();
            number == worker && pid != before
        });
    }
    server.wait_for("code=3 signal=0", 1);
    assert_eq!(server.stop().code, 0);
}

fn manager_exits() {
    for code in [0, 5] {
        let server = Running::start(settings(), Manners { manager_exits: Some(code), ..Manners::default() });
        assert_eq!(server.wait().code, code);
    }
}

fn manager_killed() {
    let server = Running::start(settings(), Manners::default());
    let mut client = server.connect();
    client.echo(b"ready");
    let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", server.pid())).unwrap();
    let manager = children.trim().parse().expect("the master has one child");
    process::kill(manager, SIGKILL).unwrap();
    assert!(client.ends());
    assert_eq!(server.wait().code, 1);
}

fn master_killed() {
    let server = Running::start(settings(), Manners::default());
    let mut client = server.connect();
    client.echo(b"ready");
    server.signal(SIGKILL);
    assert!(client.ends());
    let stopped = server.wait();
    assert_eq!(stopped.code, -SIGKILL);
    assert!(!stopped.events.lines().any(|line| line.starts_with("shutdown") && stat_of(line, "start_time") > 0));
}
