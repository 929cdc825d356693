//! Datagrams: they come and go whole, in order for each client, and what the server has read is not lost.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rotor_core::dispatch::Mode;
use rotor_core::framer::Framing;

use crate::Test;
use crate::host::{Manners, pattern};
use crate::server::{Running, SIGTERM, SIGUSR1, settings, wait_until};

pub const TESTS: &[Test] = &[
    ("datagrams_of_any_size_are_echoed_whole", sizes),
    ("a_client_keeps_its_worker_and_all_workers_have_clients", keeps_worker),
    ("of_ten_thousand_datagrams_that_wait_for_their_answers_none_is_lost", none_lost),
    ("a_reload_loses_doubles_and_reorders_no_datagram", reload),
    ("a_worker_killed_with_a_datagram_in_hand_loses_that_one_alone", killed),
    ("datagrams_for_a_full_lane_wait_and_hold_up_no_connection", full_lane),
    ("a_peer_that_does_not_read_gets_all_in_order_once_it_does_and_holds_up_no_other", slow_peer),
    ("what_a_peer_does_not_read_is_dropped_beyond_socket_buffer_size_and_counted", overflow),
    ("large_messages_that_are_held_back_leave_room_for_datagrams", room_beside_held_back),
    ("a_stop_answers_the_datagrams_that_have_come", stop),
    ("datagrams_that_never_cease_do_not_hold_a_stop_up", endless),
];

/// Messages that wait for an idle worker may lie in blocks meanwhile, and datagrams need some, too: if those had to wait
/// for them, no lane would be free for what is held back.
fn room_beside_held_back() {
    const LARGE: usize = 20_000;
    let mut settings = settings();
    (settings.dispatch_mode, settings.reactor_num, settings.ipc_memory) = (Mode::Idle, 1, 16 << 20);
    settings.ports[0].framing = Framing::Raw;
    let manners = Manners { has_datagrams: true, is_framed: false, ..Manners::default() };
    let server = Running::start(settings, manners);
    let send = |client: &mut crate::server::Client, bytes: &[u8]| client.stream().write_all(bytes).unwrap();
    let receive = |client: &mut crate::server::Client, len| client.stream().read_exact(&mut vec![0; len]).unwrap();
    let mut clients: Vec<_> = (0..120).map(|_| server.connect()).collect();
    for client in &mut clients {
        // What comes next goes straight into a block.
        send(client, &pattern(1, LARGE));
        receive(client, LARGE);
    }
    let mut busy = [server.connect(), server.connect()];
    busy.iter_mut().for_each(|client| send(client, b"!wait"));
    server.wait_for("waits", 2);
    clients.iter_mut().for_each(|client| send(client, &pattern(2, LARGE)));
    // The one reactor has read those before it by then.
    clients.iter_mut().last().into_iter().for_each(crate::server::Client::wait_until_read);
    let udp: Vec<_> = (0..4).map(|_| server.udp()).collect();
    udp.iter().for_each(|client| assert_eq!(client.send(&pattern(3, LARGE)).unwrap(), LARGE));
    server.let_go();
    busy.iter_mut().for_each(|client| receive(client, 5));
    clients.iter_mut().for_each(|client| receive(client, LARGE));
    udp.iter().for_each(|client| assert!(client.receive() == pattern(3, LARGE)));
    assert_eq!(server.stop().code, 0);
}

/// A client of either kind.
trait Client: Sync {
    fn give(&self, bytes: &[u8]) -> io::Result<usize>;
    fn take(&self, into: &mut [u8]) -> io::Result<usize>;

    fn receive(&self) -> Vec<u8> {
        let mut bytes = vec![0; 70_000];
        let len = self.take(&mut bytes).expect("the server answers");
        bytes.truncate(len);
        bytes
    }

    fn ask(&self, bytes: &[u8]) -> Vec<u8> {
        self.give(bytes).expect("a datagram can be sent");
        self.receive()
    }
}

impl Client for UdpSocket {
    fn give(&self, bytes: &[u8]) -> io::Result<usize> {
        self.send(bytes)
    }

    fn take(&self, into: &mut [u8]) -> io::Result<usize> {
        self.recv(into)
    }
}

impl Client for UnixDatagram {
    fn give(&self, bytes: &[u8]) -> io::Result<usize> {
        self.send(bytes)
    }

    fn take(&self, into: &mut [u8]) -> io::Result<usize> {
        self.recv(into)
    }
}

fn start() -> Running {
    Running::start(settings(), Manners { has_datagrams: true, ..Manners::default() })
}

fn worker_of(client: &dyn Client) -> (u32, i32) {
    let answer = String::from_utf8(client.ask(b"!worker")).expect("a number is text");
    let (worker, pid) = answer.split_once(' ').expect("two numbers");
    (worker.parse().expect("a number"), pid.parse().expect("a number"))
}

/// A UDP client of the given worker.
fn client_of(server: &Running, worker: u32) -> UdpSocket {
    loop {
        let client = server.udp();
        if worker_of(&client).0 == worker {
            return client;
        }
    }
}

fn sizes() {
    let server = start();
    let (udp, unix) = (server.udp(), server.unix());
    for (client, largest) in [(&udp as &dyn Client, 65_507), (&unix, 64 << 10)] {
        for (seed, len) in [0, 1, 7, 8, 1500, 16_000, 16_384, 16_385, 20_000, 65_507, largest].into_iter().enumerate() {
            let bytes = pattern(seed as u64, len);
            assert!(client.ask(&bytes) == bytes, "{len} bytes");
        }
    }
    // What the server cannot receive whole it does not receive at all.
    unix.give(&vec![1; (64 << 10) + 1]).unwrap();
    assert_eq!(unix.ask(b"next"), b"next");
    assert_eq!(server.stat("datagrams_truncated"), 1);
    let received = server.stat("datagrams_received");
    assert_eq!((received, server.stat("datagrams_sent")), (23, 23));
    assert_eq!(server.stop().code, 0);
}

fn keeps_worker() {
    let server = start();
    let mut workers = BTreeSet::new();
    for _ in 0..20 {
        let client = server.udp();
        let worker = worker_of(&client);
        (0..5).for_each(|_| assert_eq!(worker_of(&client), worker));
        workers.insert(worker.0);
    }
    assert_eq!(workers, BTreeSet::from([0, 1]));
    assert_eq!(server.stop().code, 0);
}

/// Sends so many numbered datagrams, never more than a few unanswered; all answers come, in order.
fn exchange(client: &dyn Client, count: u64) {
    const UNANSWERED: u64 = 16;
    let body = |number: u64| pattern(number, if number.is_multiple_of(50) { 20_000 } else { 100 });
    for number in 0..count + UNANSWERED {
        if number < count {
            client.give(&body(number)).expect("a datagram can be sent");
        }
        if let Some(answered) = number.checked_sub(UNANSWERED) {
            assert!(client.receive() == body(answered), "the answer to {answered}");
        }
    }
}

fn none_lost() {
    let server = start();
    let (udp, unix) = (server.udp(), server.unix());
    thread::scope(|scope| {
        scope.spawn(|| exchange(&udp, 10_000));
        scope.spawn(|| exchange(&unix, 10_000));
    });
    assert_eq!(server.stat("datagrams_missed"), 0);
    assert_eq!(server.stat("datagrams_unsent"), 0);
    let stopped = server.stop();
    assert_eq!(stopped.code, 0);
}

fn reload() {
    let server = start();
    let (udp, unix) = (server.udp(), server.unix());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for client in [&udp as &dyn Client, &unix] {
            let is_over = &is_over;
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    exchange(client, 500);
                }
            });
        }
        for reload in 1..=3 {
            server.signal(SIGUSR1);
            server.wait_for("reloaded success=true", reload);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(server.stop().code, 0);
}

fn killed() {
    let server = start();
    let client = client_of(&server, 0);
    let (_, pid) = worker_of(&client);
    client.give(b"!killed").unwrap();
    client.give(b"behind it").unwrap();
    assert_eq!(client.receive(), b"behind it");
    assert_ne!(worker_of(&client).1, pid);
    server.wait_for("error worker=0 code=0 signal=9 session=0", 1);
    client.give(b"!throw").unwrap();
    assert_eq!(client.ask(b"and on"), b"and on");
    assert_eq!((server.stat("lost_messages"), server.stat("exceptions")), (1, 1));
    assert_eq!(server.stop().code, 0);
}

fn full_lane() {
    let server = start();
    let unix = server.unix();
    let [mut first, mut second] = crate::server::one_of_each_worker(&server);
    let (worker, _) = worker_of(&unix);
    let other = if worker == 0 { &mut second } else { &mut first };
    unix.give(b"!wait").unwrap();
    server.wait_for("waits", 1);
    // More than the lane and what the reactor keeps take: the rest waits in this loop, with the kernel's hand.
    thread::scope(|scope| {
        let sender = &unix;
        scope.spawn(move || (0..5000).for_each(|seed| assert!(sender.give(&pattern(seed, 1000)).is_ok())));
        wait_until("the lane to be full", || other.stat("read_pauses") > 0);
        for _ in 0..200 {
            other.echo(b"meanwhile");
        }
        server.let_go();
        assert_eq!(unix.receive(), b"!wait");
        for seed in 0..5000 {
            assert!(unix.receive() == pattern(seed, 1000), "datagram {seed}");
        }
    });
    assert_eq!(server.stop().code, 0);
}

fn slow_peer() {
    let server = start();
    // On another port: the kernel counts what was not read against the socket that has sent it.
    let (slow, other) = (server.unix(), server.udp());
    slow.give(b"!burst 3000").unwrap();
    for seed in 0..50 {
        let bytes = pattern(seed, 5000);
        assert!(other.ask(&bytes) == bytes);
    }
    for seed in 0..3000 {
        assert!(slow.receive() == pattern(seed, 1000), "datagram {seed}");
    }
    assert_eq!(server.stat("datagrams_unsent"), 0);
    assert_eq!(server.stop().code, 0);
}

fn overflow() {
    let mut settings = settings();
    settings.ports[0].socket_buffer_size = 400_000;
    let server = Running::start(settings, Manners { has_datagrams: true, ..Manners::default() });
    let slow = server.unix();
    slow.give(b"!burst 1000").unwrap();
    wait_until("some to be dropped", || server.stat("datagrams_unsent") > 0);
    wait_until("all to be dealt with", || server.stat("response_count") >= 1000);
    // One read, so that the last is taken from the lane before it is asked how many were dropped.
    let dropped = || usize::try_from(server.stat("datagrams_unsent")).unwrap();
    let mut last = None;
    wait_until("the dropped to be counted", || last.replace(dropped()) == Some(dropped()));
    let expected: Vec<_> = (0..1000).map(|seed| pattern(seed, 1000)).collect();
    let got: Vec<_> = (0..1000 - dropped()).map(|_| slow.receive()).collect();
    // A quarter of the limit, and what the kernel has room for.
    assert!(got.len() > 80 && got.len() < 600, "{} came", got.len());
    assert!(got[..] == expected[..got.len()], "the first were kept, in order");
    // It has room again.
    assert_eq!(slow.ask(b"hello"), b"hello");
    assert_eq!(server.stop().code, 0);
}

fn stop() {
    let server = start();
    let client = client_of(&server, 0);
    client.give(b"!wait").unwrap();
    server.wait_for("waits", 1);
    for seed in 0..50 {
        client.give(&pattern(seed, 100)).unwrap();
    }
    server.signal(SIGTERM);
    server.let_go();
    assert_eq!(server.wait().code, 0);
    assert_eq!(client.receive(), b"!wait");
    for seed in 0..50 {
        assert!(client.receive() == pattern(seed, 100), "datagram {seed}");
    }
}

fn endless() {
    let server = start();
    let client = server.udp();
    assert_eq!(client.ask(b"hello"), b"hello");
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        // An error says that nobody is there any more.
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                drop(client.give(&[7; 500]));
            }
        });
        let stopped = server.stop();
        is_over.store(true, Ordering::Relaxed);
        assert_eq!(stopped.code, 0);
    });
}
