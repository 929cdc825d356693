//! Ports whose messages user code cuts, on the main thread's own reactor.

use std::collections::BTreeSet;
use std::io::Write;
use std::thread;

use rotor_core::dispatch::Mode;
use rotor_core::framer::Framing;
use rotor_core::settings::Settings;
use rotor_sys::process;

use crate::Test;
use crate::host::{Manners, frame, length, pattern};
use crate::server::{Client, Running, SIGCONT, SIGSTOP, SIGUSR1, settings, wait_until};

pub const TESTS: &[Test] = &[
    ("messages_that_user_code_cuts_come_back_once_and_in_order", in_order),
    ("a_message_that_user_code_cuts_may_come_byte_by_byte_and_be_of_any_size", any_size),
    ("what_user_code_finds_no_length_for_closes_its_connection_alone", no_length),
    ("a_function_that_takes_long_holds_up_no_other_port", slow_function),
    ("a_function_that_takes_long_keeps_no_worker_idle_that_others_want", slow_function_in_idle_dispatch),
    ("a_function_may_send_to_a_connection_of_its_own_thread", sends),
    ("a_function_that_ends_the_master_ends_the_server", ends),
    ("a_stop_answers_what_has_come_on_the_main_thread", stop),
    ("workers_that_die_or_are_replaced_leave_connections_of_the_main_thread_open", deaths),
    ("a_full_lane_holds_a_connection_of_the_main_thread_up_and_loses_nothing", full_lane),
];

/// One port whose messages user code cuts, and one that is framed by a field.
fn two_ports() -> Settings {
    let mut settings = settings();
    settings.ports.push(settings.ports[0].clone());
    settings.ports[1].framing = Framing::Asked;
    settings.ports[1].package_max_length = 8 << 20;
    settings
}

fn start() -> Running {
    Running::start(two_ports(), Manners::default())
}

fn send_raw(client: &mut Client, number: u32) {
    client.stream().write_all(&number.to_be_bytes()).unwrap();
}

fn in_order() {
    let server = start();
    thread::scope(|scope| {
        for number in 0..6_u64 {
            let mut client = server.connect_to(1);
            scope.spawn(move || {
                let messages: Vec<Vec<u8>> = (0..300)
                    .map(|place| pattern(number * 1000 + place, rotor_ipc::to_usize(place * 37 % 3000) + 1))
                    .collect();
                let mut writer = client.twin();
                let all: Vec<u8> = messages.iter().flat_map(|message| frame(message)).collect();
                let writing = thread::spawn(move || writer.stream().write_all(&all).unwrap());
                for (place, message) in messages.iter().enumerate() {
                    assert!(client.receive() == *message, "message {place} came back otherwise");
                }
                writing.join().unwrap();
            });
        }
    });
    assert_eq!(server.stat("request_count"), 1800);
    assert_eq!(server.stop().code, 0);
}

fn any_size() {
    let server = start();
    let mut client = server.connect_to(1);
    for byte in frame(b"slowly") {
        client.stream().write_all(&[byte]).unwrap();
        client.wait_until_read();
    }
    assert_eq!(client.receive(), b"slowly");
    for len in [0, 1, 4090, 4096, 5000, 17_000, 130_000, 1 << 20, 5 << 20, (8 << 20) - 4] {
        client.send(&pattern(len as u64, len));
        assert!(client.receive() == pattern(len as u64, len), "{len} bytes came back otherwise");
    }
    assert_eq!(server.stop().code, 0);
}

fn no_length() {
    let server = start();
    let mut other = server.connect_to(1);
    other.echo(b"before");
    let rejected = [
        (length::REFUSED, 1204, "package_length_func returned -1"),
        (length::THROWS, 1204, "package_length_func threw"),
        (length::OTHER, 1204, "package_length_func returned a string instead of an int"),
        (8 << 20, 1201, "message of 8388612 bytes announced, package_max_length is 8388608"),
    ];
    for (session, (number, code, reason)) in (2..).zip(rejected) {
        let mut client = server.connect_to(1);
        client.echo(b"first");
        let mut last = frame(b"last");
        last.extend(number.to_be_bytes());
        client.stream().write_all(&last).unwrap();
        assert_eq!(client.receive(), b"last");
        assert!(client.ends());
        server.wait_for(&format!("rejected {session} code={code} {reason}"), 1);
        server.wait_for(&format!("close {session} by=server"), 1);
    }
    // As much as a message may have, and no length: a client that sends for ever is not listened to for ever.
    let mut client = server.connect_to(1);
    send_raw(&mut client, length::MORE);
    let written = client.stream().write_all(&vec![0; 32 << 20]);
    assert!(written.is_err() || client.ends());
    let reason = "package_length_func has found no length in the 8388608 bytes of package_max_length";
    server.wait_for(&format!("rejected 6 code=1202 {reason}"), 1);
    server.wait_for("close 6 by=server", 1);
    other.echo(b"after");
    assert_eq!(server.stop().code, 0);
}

fn slow_function() {
    let server = start();
    let (mut asked, mut slow, mut other) = (server.connect_to(1), server.connect_to(1), server.connect());
    asked.echo(b"before");
    slow.echo(b"before");
    send_raw(&mut slow, length::WAITS);
    server.wait_for("waiting", 1);
    asked.send(b"behind");
    for number in 0..50 {
        other.echo(&pattern(number, 2000));
    }
    // All these came while the function was running.
    server.let_go();
    assert_eq!(asked.receive(), b"behind");
    assert_eq!(slow.receive(), b"");
    assert_eq!(server.stop().code, 0);
}

/// While the function runs, workers become free that its thread has waited for.
fn slow_function_in_idle_dispatch() {
    let server = Running::start(Settings { dispatch_mode: Mode::Idle, ..two_ports() }, Manners::default());
    let mut others = [server.connect(), server.connect()];
    let mut workers = BTreeSet::new();
    while workers.len() < 2 {
        workers.insert(others[0].worker().1);
    }
    let (mut asked, mut slow) = (server.connect_to(1), server.connect_to(1));
    asked.echo(b"before");
    slow.echo(b"before");
    let signal = |signal| workers.iter().for_each(|pid| process::kill(*pid, signal).unwrap());
    signal(SIGSTOP);
    others.iter_mut().for_each(|client| client.send(b"held by a stopped worker"));
    others.iter_mut().for_each(Client::wait_until_read);
    asked.send(b"held back");
    asked.wait_until_read();
    send_raw(&mut slow, length::WAITS);
    server.wait_for("waiting", 1);
    signal(SIGCONT);
    for client in &mut others {
        assert_eq!(client.receive(), b"held by a stopped worker");
        (0..10).for_each(|_| client.echo(b"meanwhile"));
    }
    server.let_go();
    assert_eq!(asked.receive(), b"held back");
    assert_eq!(slow.receive(), b"");
    assert_eq!(server.stop().code, 0);
}

fn sends() {
    let server = start();
    let (mut first, mut second) = (server.connect_to(1), server.connect_to(1));
    first.echo(b"hello");
    second.echo(b"hello");
    send_raw(&mut second, length::SENDS);
    assert_eq!(first.receive(), b"from the function");
    assert_eq!(second.receive(), b"");
    send_raw(&mut first, length::SENDS);
    // To itself: before the answer of its worker, which has not even got the message.
    assert_eq!(first.receive(), b"from the function");
    assert_eq!(first.receive(), b"");
    assert_eq!(server.stop().code, 0);
}

fn ends() {
    let server = start();
    let mut client = server.connect_to(1);
    client.echo(b"hello");
    send_raw(&mut client, length::ENDS);
    assert!(client.ends());
    assert_eq!(server.wait().code, 7);
}

fn stop() {
    let server = start();
    let mut clients: Vec<_> = (0..4).map(|_| server.connect_to(1)).collect();
    for client in &mut clients {
        client.echo(b"hello");
    }
    // What has come is cut and answered, half a message is not waited for.
    for client in &mut clients {
        client.send(b"!wait");
        client.send(&pattern(5, 100_000));
        client.stream().write_all(&[0, 0, 0, 9, 1]).unwrap();
    }
    server.wait_for("connect", 4);
    let stopped = thread::scope(|scope| {
        let reading: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                scope.spawn(move || {
                    assert_eq!(client.receive(), b"!wait");
                    assert!(client.receive() == pattern(5, 100_000));
                    assert!(client.ends());
                })
            })
            .collect();
        server.begin_stop();
        server.let_go();
        let stopped = server.wait();
        reading.into_iter().for_each(|reading| reading.join().unwrap());
        stopped
    });
    assert_eq!(stopped.code, 0);
    assert_eq!(stopped.events.lines().filter(|line| line.starts_with("close ")).count(), 4);
}

fn deaths() {
    let server = start();
    let mut client = server.connect_to(1);
    for round in 0..6 {
        let (worker, pid) = client.worker();
        if round % 2 == 0 {
            // Its own message is in the hand of the dead, and no other's.
            let mut killer = server.connect_where(|number| number == worker);
            killer.send(b"!killed");
            assert!(killer.ends());
        } else {
            server.signal(SIGUSR1);
        }
        wait_until("another process", || client.worker().1 != pid);
        assert_eq!(client.worker().0, worker, "the slot stays");
        client.echo(&pattern(round, 300_000));
    }
    assert_eq!(server.stop().code, 0);
}

fn full_lane() {
    let server = start();
    let mut client = server.connect_to(1);
    let (worker, _) = client.worker();
    let mut other = server.connect_where(|number| number != worker);
    let mut writer = client.twin();
    const MESSAGES: u64 = 20_000;
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut all = frame(b"!wait");
            (0..MESSAGES).for_each(|place| all.extend(frame(&pattern(place, 20))));
            writer.stream().write_all(&all).unwrap();
        });
        wait_until("the lane to be full", || other.stat("read_pauses") > 0);
        server.let_go();
        assert_eq!(client.receive(), b"!wait");
        (0..MESSAGES).for_each(|place| assert!(client.receive() == pattern(place, 20), "answer {place}"));
    });
    assert_eq!(server.stop().code, 0);
}
