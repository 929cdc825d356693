//! A port where user code chooses the worker of each message.

use std::io::Write;
use std::thread;

use crate::Test;
use crate::host::{Manners, frame, pattern};
use crate::server::{Client, Running, SIGUSR1, settings, wait_until};

pub const TESTS: &[Test] = &[
    ("user_code_chooses_the_worker_of_each_message", by_content),
    ("user_code_is_asked_once_for_each_message_of_any_size", once),
    ("user_code_may_discard_close_and_leave_it_to_the_mode", results),
    ("a_connection_that_user_code_deals_out_ends_behind_all_its_answers", ends_in_order),
    ("a_reload_leaves_connections_that_user_code_deals_out_open", reload),
];

/// User code chooses on the second port only.
fn start() -> Running {
    let mut settings = settings();
    settings.ports.push(settings.ports[0].clone());
    settings.ports[1].dispatch_func = true;
    Running::start(settings, Manners::default())
}

fn worker(client: &mut Client, to: &str) -> u32 {
    let answer = String::from_utf8(client.ask(format!("!worker {to}").as_bytes())).unwrap();
    answer.split(' ').next().unwrap().parse().unwrap()
}

fn by_content() {
    let server = start();
    let mut client = server.connect_to(1);
    for round in 0..40 {
        assert_eq!(worker(&mut client, &format!(">{}", round / 3 % 2)), round / 3 % 2);
    }
    // The other port has its own way: by session.
    let mut other = server.connect();
    let (first, _) = other.worker();
    for _ in 0..10 {
        assert_eq!(worker(&mut other, ">0"), first);
        assert_eq!(worker(&mut other, ">1"), first);
    }
    assert_eq!(server.stop().code, 0);
}

fn once() {
    let server = start();
    let mut client = server.connect_to(1);
    for len in [10, 5000, 20_000, 300_000, 3 << 20, 9 << 20] {
        for to in [0, 1] {
            let mut body = format!("?>{to} ").into_bytes();
            body.extend(pattern(len as u64, len));
            client.echo(&body);
        }
    }
    // More than a lane has room for: what waits is not asked about again.
    let (mut writer, mut other) = (client.twin(), server.connect_where(|worker| worker == 1));
    const MESSAGES: u64 = 20_000;
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut all = frame(b"!wait >0");
            (0..MESSAGES).for_each(|place| all.extend(frame(format!("{place} >0").as_bytes())));
            writer.stream().write_all(&all).unwrap();
        });
        wait_until("the lane to be full", || other.stat("read_pauses") > 0);
        server.let_go();
        assert_eq!(client.receive(), b"!wait >0");
        (0..MESSAGES).for_each(|place| assert_eq!(client.receive(), format!("{place} >0").as_bytes()));
    });
    let events = server.events();
    let asked = |what: &str| events.lines().filter(|line| line.starts_with(&format!("asked 1 {what}"))).count();
    assert_eq!(asked("Message") as u64, MESSAGES + 13);
    assert_eq!(asked("Message 8192"), 6 + 2, "no more than the first bytes, however many there are");
    assert_eq!(asked("Connect"), 1);
    assert_eq!(server.stop().code, 0);
}

fn results() {
    let server = start();
    let mut client = server.connect_to(1);
    let home = worker(&mut client, "");
    assert_eq!(worker(&mut client, ""), home, "the mode keeps a connection at its worker");
    for dropped in [">-1", ">2", ">-4", ">4294967296"] {
        client.send(format!("dropped {dropped}").as_bytes());
        let mut large = format!("dropped {dropped} ").into_bytes();
        large.extend(pattern(3, 3 << 20));
        client.send(&large);
    }
    assert_eq!(worker(&mut client, ">x"), home, "it threw");
    assert_eq!(worker(&mut client, ">-3"), home);
    client.send(b"last >1");
    client.send(b"goodbye >-2");
    // Nobody hears of the rest.
    let _ = client.stream().write_all(&frame(b"more >1"));
    assert_eq!(client.receive(), b"last >1");
    assert!(client.ends());
    server.wait_for("close 1 by=server", 1);
    assert_eq!(server.stop().code, 0);
}

fn ends_in_order() {
    let server = start();
    let mut client = server.connect_to(1);
    let mut all = frame(b"!wait >0");
    (0..200).for_each(|place| all.extend(frame(format!("{place} >{}", place % 2).as_bytes())));
    client.stream().write_all(&all).unwrap();
    client.half_close();
    client.wait_until_read();
    server.let_go();
    let mut answers: Vec<_> = (0..201).map(|_| client.receive()).collect();
    assert!(client.ends());
    answers.sort();
    answers.dedup();
    assert_eq!(answers.len(), 201);
    server.wait_for("close 1 by=client", 1);
    assert!(server.events().contains("asked 1 Close 0"));
    assert_eq!(server.stop().code, 0);
}

fn reload() {
    let server = start();
    let mut client = server.connect_to(1);
    for round in 1..4 {
        let (_, pid) = client.worker();
        server.signal(SIGUSR1);
        server.wait_for("reloaded success=true", round);
        wait_until("another process", || client.worker().1 != pid);
        for to in 0..2 {
            assert_eq!(worker(&mut client, &format!(">{to}")), to);
        }
    }
    assert_eq!(server.stop().code, 0);
}
