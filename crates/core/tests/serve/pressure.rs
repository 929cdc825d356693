//! Full means wait: one worker that does not keep up holds up its own connections and no others.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Test;
use crate::host::{Manners, frame, pattern};
use crate::server::{Client, PATIENCE, Running, one_of_each_worker, settings, wait_until};
use rotor_core::dispatch::Mode;
use rotor_core::settings::Settings;

pub const TESTS: &[Test] = &[
    ("a_worker_whose_lane_is_full_holds_up_no_other_and_loses_nothing", full_lane),
    ("large_messages_for_a_stuck_worker_hold_up_no_other", full_of_blocks),
    ("what_is_sent_to_a_client_that_does_not_read_is_refused_beyond_its_buffer", overflow),
    ("a_paused_connection_that_is_closed_does_not_wait_for_ever_for_its_client_to_read", stalled_while_paused),
    ("a_client_that_does_not_read_holds_up_no_other_and_gets_everything", slow_reader),
    ("in_every_mode_a_connection_ends_though_others_wait_for_its_workers_all_the_time", ends_among_waiting),
    ("a_stop_posts_the_rest_of_a_message_whose_connection_waits_for_a_full_lane", rest_of_a_message),
];

/// Writes copies of `message` until the connection takes no more and `is_full`; says how many were written, and what is
/// left of the last one.
fn fill(client: &mut Client, message: &[u8], mut is_full: impl FnMut() -> bool) -> (usize, Vec<u8>) {
    let framed = frame(message);
    client.stream().set_nonblocking(true).unwrap();
    let (mut whole, mut at, end) = (0, 0, Instant::now() + PATIENCE);
    loop {
        match client.stream().write(&framed[at..]) {
            Ok(written) => at += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if is_full() {
                    break;
                }
            }
            Err(error) => panic!("the connection broke: {error}"),
        }
        assert!(Instant::now() < end, "the lane never filled");
        if at == framed.len() {
            (whole, at) = (whole + 1, 0);
        }
    }
    client.stream().set_nonblocking(false).unwrap();
    let rest = if at > 0 { framed[at..].to_vec() } else { Vec::new() };
    (whole + usize::from(at > 0), rest)
}

fn full_lane() {
    let server = Running::start(settings(), Manners::default());
    let [mut slow, mut other] = one_of_each_worker(&server);
    slow.send(b"!wait");
    let message = pattern(1, 1000);
    let (count, rest) = fill(&mut slow, &message, || other.stat("read_pauses") > 0);
    for _ in 0..200 {
        other.echo(b"meanwhile");
    }
    server.let_go();
    let mut writer = slow.twin();
    thread::scope(|scope| {
        scope.spawn(move || writer.stream().write_all(&rest).unwrap());
        assert_eq!(slow.receive(), b"!wait");
        for place in 0..count {
            assert!(slow.receive() == message, "echo {place} of {count}");
        }
    });
    assert_eq!(server.stop().code, 0);
}

/// Blocks and spill ranges belong to the reactor: one worker must not have them all.
fn full_of_blocks() {
    let mut settings = settings();
    settings.reactor_num = 1;
    settings.ipc_memory = 16 << 20;
    let server = Running::start(settings, Manners::default());
    let [mut slow, mut other] = one_of_each_worker(&server);
    // Each of many connections has its own large messages for the stuck worker.
    let mut crowd: Vec<_> = (0..40).map(|_| server.connect()).collect();
    crowd.retain_mut(|client| client.worker().0 == 0);
    slow.send(b"!wait");
    let message = pattern(2, 300_000);
    for client in &mut crowd {
        client.stream().set_nonblocking(true).unwrap();
        let framed: Vec<u8> = (0..8).flat_map(|_| frame(&message)).collect();
        let _ = client.stream().write(&framed);
    }
    wait_until("large messages to wait for the worker", || other.stat("read_pauses") > 0);
    for _ in 0..100 {
        other.echo(b"meanwhile");
    }
    other.echo(&pattern(3, 50_000));
    other.echo(&pattern(4, 400_000));
    drop(crowd);
    server.let_go();
    assert_eq!(slow.receive(), b"!wait");
    assert_eq!(server.stop().code, 0);
}

fn overflow() {
    let mut settings = settings();
    settings.ports[0].socket_buffer_size = 4 << 20;
    let server = Running::start(settings, Manners::default());
    let [mut slow, mut other] = one_of_each_worker(&server);
    slow.send(b"!flood 300");
    server.wait_for("flooded", 1);
    let events = server.events();
    let accepted: usize = events.lines().find_map(|line| line.strip_prefix("flooded ")).unwrap().parse().unwrap();
    // Its buffer, what was on its way when it was full, and what the two kernels' buffers hold.
    assert!((4..60).contains(&accepted), "{accepted} of 300 MiB were accepted");
    other.echo(b"meanwhile");
    (0..accepted).for_each(|_| assert!(slow.receive() == pattern(11, 1 << 20)));
    slow.echo(b"and now it has room again");
    assert_eq!(server.stop().code, 0);
}

fn stalled_while_paused() {
    let mut settings = settings();
    settings.ports[0].message_timeout = Some(Duration::from_millis(300));
    let server = Running::start(settings, Manners::default());
    let mut other = server.connect();
    let mut stalled = server.connect();
    stalled.send(b"!stall 40000000");
    wait_until("the connection to be given up", || other.stat("stalled_close_count") == 1);
    wait_until("its descriptor to be closed", || other.stat("connection_num") == 1);
    drop(stalled);
    assert_eq!(server.stop().code, 0);
}

fn slow_reader() {
    let server = Running::start(settings(), Manners::default());
    let [mut slow, mut other] = one_of_each_worker(&server);
    let message = pattern(3, 1 << 20);
    let mut writer = slow.twin();
    thread::scope(|scope| {
        let message = &message;
        scope.spawn(move || (0..40).for_each(|_| writer.send(message)));
        // Answers that go nowhere.
        wait_until("several answers", || other.stat("response_count") > 10);
        other.echo(&pattern(5, 1 << 20));
        for _ in 0..40 {
            assert!(slow.receive() == *message);
        }
    });
    assert_eq!(server.stop().code, 0);
}

/// A lane that is never empty: whoever wants something of it has to wait, and to have its turn.
fn ends_among_waiting() {
    for dispatch_mode in [Mode::Session, Mode::Round, Mode::FewestMessages] {
        let settings = Settings { dispatch_mode, worker_num: 1, reactor_num: 1, ..settings() };
        let server = Running::start(settings, Manners::default());
        let over = AtomicBool::new(false);
        let mut other = server.connect();
        other.echo(b"ready");
        thread::scope(|scope| {
            for _ in 0..6 {
                let mut client = server.connect();
                let over = &over;
                scope.spawn(move || {
                    let message = frame(format!("!slow {}", " ".repeat(8000)).as_bytes()).repeat(8);
                    while !over.load(Ordering::Relaxed) {
                        client.stream().write_all(&message).unwrap();
                    }
                });
            }
            wait_until("the lane to be full", || other.stat("read_pauses") > 20);
            let ended: Vec<bool> = (0..3)
                .map(|_| {
                    let mut client = server.connect();
                    client.stream().set_read_timeout(Some(PATIENCE / 3)).unwrap();
                    client.send(b"last");
                    client.half_close();
                    client.try_receive().is_ok_and(|answer| answer == b"last") && client.ends()
                })
                .collect();
            over.store(true, Ordering::Relaxed);
            assert_eq!(ended, [true; 3], "{dispatch_mode:?}");
        });
        drop(other);
        assert_eq!(server.stop().code, 0);
    }
}

/// What it waits for is no message, but to be told how much waits to be sent to it.
fn rest_of_a_message() {
    let mut settings = Settings { reactor_num: 1, ..settings() };
    settings.ports[0].buffer_high_watermark = 1 << 20;
    let server = Running::start(settings, Manners::default());
    let [mut slow, mut other] = one_of_each_worker(&server);
    let mut large = server.connect_where(|worker| worker == 0);
    slow.send(b"!wait");
    server.wait_for("waits", 1);
    let message = pattern(9, 200_000);
    let framed = frame(&message);
    large.stream().write_all(&framed[..100_000]).unwrap();
    large.wait_until_read();
    fill(&mut slow, &pattern(1, 1000), || other.stat("read_pauses") > 0);
    let pauses = other.stat("read_pauses");
    other.send(b"!spread 30 1000000");
    (0..30).for_each(|_| assert!(other.receive() == pattern(13, 1_000_000)));
    assert_eq!(other.receive(), b"90");
    wait_until("the connection to wait", || other.stat("read_pauses") > pauses);
    large.stream().write_all(&framed[100_000..]).unwrap();
    large.wait_until_sent();
    server.begin_stop();
    // The reactor drains in its next turn, and this one is heard of behind it.
    assert!(other.ends());
    server.let_go();
    let answers: Vec<_> = (0..31).map(|_| large.receive()).filter(|answer| answer.len() == message.len()).collect();
    assert!(answers == [message], "{} of it came back", answers.len());
    drop(slow);
    assert!(large.ends());
    assert_eq!(server.wait().code, 0);
}
