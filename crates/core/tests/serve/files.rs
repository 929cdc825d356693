//! Files arrive as they were when they were sent, in order, and leave no descriptor.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::Test;
use crate::host::{Manners, frame, pattern};
use crate::server::{Client, Running, SIGKILL, settings, stat_of, wait_until};
use rotor_sys::process;

pub const TESTS: &[Test] = &[
    ("files_and_messages_arrive_in_the_order_in_which_they_were_sent", in_order),
    ("workers_killed_while_they_send_files_leave_no_descriptor_and_no_half_file", killed),
    ("a_master_without_descriptors_resets_the_connection_that_a_file_is_for", no_descriptors),
];

fn in_order() {
    let server = Running::start(settings(), Manners::default());
    thread::scope(|scope| {
        for number in 0..4_u64 {
            let mut client = server.connect();
            scope.spawn(move || {
                let sizes = [100, 65_537, 70_000, 300_000, 3 << 20, 9 << 20];
                let asked: Vec<(Vec<u8>, Vec<u8>)> = (0..60_u64)
                    .map(|place| {
                        let size = sizes[rotor_ipc::to_usize(place * 7 + number) % sizes.len()];
                        match place % 5 {
                            0 => (pattern(place, 50), pattern(place, 50)),
                            1 => (format!("!large {}", size / 3).into_bytes(), pattern(size / 3, to_len(size / 3))),
                            _ => (format!("!file {size}").into_bytes(), pattern(size, to_len(size))),
                        }
                    })
                    .collect();
                let mut writer = client.twin();
                thread::scope(|scope| {
                    scope.spawn(|| asked.iter().for_each(|(question, _)| writer.send(question)));
                    for (question, answer) in &asked {
                        assert!(client.receive() == *answer, "{} came otherwise", String::from_utf8_lossy(question));
                    }
                });
            });
        }
    });
    assert_eq!(server.stop().code, 0);
}

fn to_len(size: u64) -> usize {
    rotor_ipc::to_usize(size)
}

fn killed() {
    let server = Running::start(settings(), Manners::default());
    let (over, whole) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut watcher = server.connect();
    watcher.echo(b"ready");
    // The only connection so far: none that is being closed is among them.
    let before = descriptors(server.pid());
    thread::scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let (server, over, whole) = (&server, &over, &whole);
                scope.spawn(move || {
                    let mut client = server.connect();
                    while !over.load(Ordering::Relaxed) {
                        let mut is_over = false;
                        for _ in 0..4 {
                            // An error: its worker was killed, and the connection was in its hand.
                            is_over |= std::io::Write::write_all(client.stream(), &frame(b"!file 200000")).is_err();
                        }
                        for _ in 0..4 {
                            match client.try_receive() {
                                Ok(answer) if !is_over => {
                                    assert!(answer == pattern(200_000, 200_000), "it came otherwise");
                                    whole.fetch_add(1, Ordering::Relaxed);
                                }
                                Ok(_) | Err(_) => is_over = true,
                            }
                        }
                        if is_over {
                            client = server.connect();
                        }
                    }
                })
            })
            .collect();
        for _ in 0..20 {
            let seen = whole.load(Ordering::Relaxed);
            wait_until("files to arrive", || whole.load(Ordering::Relaxed) > seen + 2);
            let (_, pid) = server.connect().worker();
            process::kill(pid, SIGKILL).expect("a worker lives");
        }
        over.store(true, Ordering::Relaxed);
        clients.into_iter().for_each(|client| client.join().unwrap());
    });
    wait_until("all descriptors to be closed", || descriptors(server.pid()) == before);
    watcher.echo(b"still");
    assert_eq!(server.stop().code, 0);
}

/// How many descriptors a process has open.
fn descriptors(pid: i32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).expect("the process lives").count()
}

fn no_descriptors() {
    let server = Running::start(settings(), Manners { descriptors: Some(20), ..Manners::default() });
    let mut clients: Vec<Client> = (0..40).map(|_| server.connect()).collect();
    clients[0].echo(b"first");
    wait_until("accepting to pause", || {
        let stats = String::from_utf8(clients[0].ask(b"!stats")).unwrap();
        stat_of(&stats, "accept_pauses") >= 1
    });
    // What is sent as bytes needs none.
    assert!(clients[0].ask(b"!file 100") == pattern(100, 100));
    clients[0].send(b"!file 300000");
    assert!(clients[0].try_receive().is_err(), "it cannot be had");
    clients.remove(0);
    // As they go, there is one again.
    while let Some(mut client) = (!clients.is_empty()).then(|| clients.remove(0)) {
        client.echo(b"my turn");
    }
    let mut last = server.connect();
    assert!(last.ask(b"!file 300000") == pattern(300_000, 300_000));
    drop(last);
    assert_eq!(server.stop().code, 0);
}
