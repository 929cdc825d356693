//! Messages of every size come through whole, once and in order.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use crate::Test;
use crate::host::{Manners, frame, pattern};
use crate::server::{Client, Running, settings, stat_of, wait_until};
use rotor_core::framer::Framing;

pub const TESTS: &[Test] = &[
    ("pipelined_messages_come_back_once_and_in_order", pipelined),
    ("each_message_of_one_read_has_its_own_callback", one_read),
    ("unframed_bytes_of_any_size_come_back", unframed),
    ("large_messages_go_by_blocks_and_leave_none_in_use", by_blocks),
    ("a_message_larger_than_any_block_goes_by_the_spill_file_both_ways", larger_than_blocks),
    ("messages_go_by_the_spill_file_where_memory_is_tiny", tiny_memory),
    ("an_answer_before_a_close_arrives_whole_though_the_client_has_sent_its_end", answer_then_close),
    ("an_answer_before_a_close_arrives_whole_though_the_client_goes_on_sending", answer_to_a_chatty_client),
    ("a_half_closed_connection_gets_its_answers", half_closed),
    ("each_connection_is_told_of_once_at_both_ends", told_of_once),
    ("a_rejected_package_is_told_of_behind_all_messages_and_before_the_close", rejected),
];

fn rejected() {
    let server = Running::start(settings(), Manners::default());
    let mut client = server.connect();
    // Session 1, beside which the reactor and the other worker serve another one.
    let (worker, _) = client.worker();
    let mut other = server.connect_where(|number| number != worker);
    let mut writer = client.twin();
    // More than a lane has room for, so that the rejection waits, too.
    const MESSAGES: u64 = 20_000;
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut all = frame(b"!wait");
            (0..MESSAGES).for_each(|place| all.extend(frame(&pattern(place, 20))));
            all.extend(u32::MAX.to_be_bytes());
            writer.stream().write_all(&all).unwrap();
        });
        wait_until("the lane to be full", || other.stat("read_pauses") > 0);
        server.let_go();
        assert_eq!(client.receive(), b"!wait");
        (0..MESSAGES).for_each(|place| assert!(client.receive() == pattern(place, 20), "answer {place}"));
        assert!(client.ends());
    });
    server.wait_for("close 1 by=server", 1);
    let events = server.events();
    let of_client: Vec<_> =
        events.lines().filter(|line| !line.starts_with("worker") && line.split(' ').nth(1) == Some("1")).collect();
    let told = "rejected 1 code=1201 message of 4294967299 bytes announced, package_max_length is 67108864";
    assert_eq!(of_client, ["connect 1", told, "close 1 by=server"]);
    assert_eq!(server.stop().code, 0);
}

fn pipelined() {
    let server = Running::start(settings(), Manners::default());
    thread::scope(|scope| {
        for number in 0..8_u64 {
            let mut client = server.connect();
            scope.spawn(move || {
                let messages: Vec<Vec<u8>> = (0..500)
                    .map(|place| pattern(number * 1000 + place, rotor_ipc::to_usize(place * 37 % 3000) + 1))
                    .collect();
                pump(&mut client, &messages);
            });
        }
    });
    assert_eq!(server.stat("request_count"), 4000);
    assert_eq!(server.stop().code, 0);
}

/// Sends all messages while their echoes are received and compared.
fn pump(client: &mut Client, messages: &[Vec<u8>]) {
    let mut writer = client.twin();
    thread::scope(|scope| {
        scope.spawn(move || messages.iter().for_each(|message| writer.send(message)));
        for (place, message) in messages.iter().enumerate() {
            let answer = client.receive();
            assert!(answer == *message, "message {place} of {} bytes came back otherwise", message.len());
        }
    });
}

fn one_read() {
    let server = Running::start(settings(), Manners::default());
    let mut client = server.connect();
    let before = server.stat("request_count");
    let messages: Vec<Vec<u8>> = (0..100).map(|place| pattern(place, 50)).collect();
    let all: Vec<u8> = messages.iter().flat_map(|message| frame(message)).collect();
    client.stream().write_all(&all).unwrap();
    messages.iter().for_each(|message| assert_eq!(client.receive(), *message));
    assert_eq!(server.stat("request_count") - before, 101, "and one for the counter itself");
    assert_eq!(server.stop().code, 0);
}

fn unframed() {
    let mut settings = settings();
    settings.ports[0].framing = Framing::Raw;
    let server = Running::start(settings, Manners { is_framed: false, ..Manners::default() });
    let mut client = server.connect();
    for (seed, len) in [1, 100, 5000, 70_000, 1 << 20, 3, 9 << 20].into_iter().enumerate() {
        let bytes = pattern(seed as u64, len);
        let mut writer = client.twin();
        let mut received = vec![0; len];
        thread::scope(|scope| {
            let bytes = &bytes;
            scope.spawn(move || writer.stream().write_all(bytes).unwrap());
            client.stream().read_exact(&mut received).unwrap();
        });
        assert!(received == bytes, "{len} bytes came back otherwise");
    }
    drop(client);
    assert_eq!(server.stop().code, 0);
}

fn by_blocks() {
    let server = Running::start(settings(), Manners::default());
    thread::scope(|scope| {
        for number in 0..4_u64 {
            let mut client = server.connect();
            scope.spawn(move || {
                let messages: Vec<Vec<u8>> = (0..12)
                    .map(|place| {
                        pattern(number * 100 + place, [17_000, 130_000, 1 << 20][rotor_ipc::to_usize(place) % 3])
                    })
                    .collect();
                pump(&mut client, &messages);
            });
        }
    });
    assert_eq!(server.stop().code, 0);
}

fn larger_than_blocks() {
    let server = Running::start(settings(), Manners::default());
    let mut client = server.connect();
    for len in [(2 << 20) + 1, 5 << 20, 33 << 20] {
        client.echo(&pattern(len as u64, len));
    }
    assert_eq!(server.stat("spilled_messages"), 3);
    // Asked for by a few bytes, it goes by the disk outwards alone.
    assert!(client.ask(b"!large 7000000") == pattern(7_000_000, 7_000_000));
    // Small ones do not overtake the large one that is on its way by the disk.
    let messages = [pattern(1, 3 << 20), pattern(2, 10), pattern(3, 20_000), pattern(4, 4 << 20), pattern(5, 1)];
    pump(&mut client, &messages);
    assert_eq!(server.stop().code, 0);
}

fn tiny_memory() {
    let mut settings = settings();
    settings.max_connection = 64;
    settings.ipc_memory = 4 << 20;
    let server = Running::start(settings, Manners::default());
    thread::scope(|scope| {
        for number in 0..4_u64 {
            let mut client = server.connect();
            scope.spawn(move || {
                let messages: Vec<Vec<u8>> = (0..30)
                    .map(|place| {
                        pattern(number * 100 + place, [10, 4000, 40_000, 600_000][rotor_ipc::to_usize(place) % 4])
                    })
                    .collect();
                pump(&mut client, &messages);
            });
        }
    });
    assert!(server.stat("spilled_messages") > 0);
    assert_eq!(server.stop().code, 0);
}

/// The client's end and the server's last words cross: whichever the reactor sees first, the words arrive.
fn answer_then_close() {
    let server = Running::start(settings(), Manners::default());
    thread::scope(|scope| {
        for number in 0..8_u64 {
            let server = &server;
            scope.spawn(move || {
                for round in 0..40_u64 {
                    let mut client = server.connect();
                    client.send(b"!bye");
                    // Each time another moment, before the words come or after it.
                    thread::sleep(Duration::from_micros((number * 40 + round) * 7 % 700));
                    client.half_close();
                    assert!(client.receive() == pattern(7, 64 << 10));
                    assert!(client.ends());
                }
            });
        }
    });
    assert_eq!(server.stop().code, 0);
}

/// The socket is closed once the last of the answer is in the kernel, where much of it still waits for the client.
fn answer_to_a_chatty_client() {
    let server = Running::start(settings(), Manners::default());
    for round in 1..=3 {
        let mut client = server.connect();
        // So that the last of it waits in the server's kernel, not in the client's.
        nix::sys::socket::setsockopt(client.stream(), nix::sys::socket::sockopt::RcvBuf, &(16 << 10)).unwrap();
        client.send(b"!part 20000000");
        // Now it is closed but for the output, and nobody wants more.
        server.wait_for("by=server", round);
        (0..100).for_each(|_| client.send(&pattern(1, 100)));
        assert!(client.receive() == pattern(20_000_000, 20_000_000));
        assert!(client.ends());
    }
    assert_eq!(server.stop().code, 0);
}

fn half_closed() {
    let server = Running::start(settings(), Manners::default());
    let mut client = server.connect();
    for place in 0..20 {
        client.send(if place % 3 == 0 { &b"!wait"[..] } else { b"soon" });
    }
    client.half_close();
    client.wait_until_read();
    server.let_go();
    for place in 0..20 {
        assert_eq!(client.receive(), if place % 3 == 0 { &b"!wait"[..] } else { b"soon" });
    }
    assert!(client.ends());
    assert_eq!(server.stop().code, 0);
}

fn told_of_once() {
    let server = Running::start(settings(), Manners::default());
    for round in 0..50 {
        let mut client = server.connect();
        match round % 5 {
            0 => client.echo(b"hello"),
            1 => client.half_close(),
            2 => {
                client.send(b"!bye");
                let _ = client.receive();
                assert!(client.ends());
            }
            3 => {
                client.send(b"!reset");
                assert!(client.ends());
            }
            _ => {}
        }
    }
    server.wait_for("close ", 50);
    let stopped = server.stop();
    assert_eq!(stopped.code, 0);
    for kind in ["connect ", "close "] {
        let lines: Vec<_> = stopped.events.lines().filter(|line| line.starts_with(kind)).collect();
        let mut sessions: Vec<_> = lines.iter().map(|line| line.split(' ').nth(1)).collect();
        sessions.sort_unstable();
        sessions.dedup();
        assert_eq!((lines.len(), sessions.len()), (50, 50), "{kind}");
    }
    let by_server = stopped.events.lines().filter(|line| line.contains("by=server")).count();
    assert_eq!(by_server, 20);
    let stats = stopped.events.lines().find(|line| line.starts_with("shutdown")).unwrap();
    assert_eq!((stat_of(stats, "accept_count"), stat_of(stats, "close_count")), (50, 50));
}
