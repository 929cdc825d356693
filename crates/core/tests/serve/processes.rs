//! User processes beside the workers.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rotor_core::settings::Settings;
use rotor_sys::process;

use crate::Test;
use crate::host::{Manners, pattern};
use crate::server::{Client, PATIENCE, Running, SIGKILL, settings};

pub const TESTS: &[Test] = &[
    ("user_processes_have_ids_behind_the_workers_and_reach_every_client", reach_every_client),
    ("user_processes_killed_while_they_send_lose_no_byte_of_what_others_send", killed_while_they_send),
    ("a_killed_master_leaves_no_user_process", master_killed),
];

fn start(respawn_max_delay: Duration) -> Running {
    let settings = Settings { respawn_max_delay, ..settings() };
    Running::start(settings, Manners { user_processes: 2, ..Manners::default() })
}

/// The newest process of a user process's slot.
fn newest(server: &Running, id: u32) -> Option<i32> {
    let events = server.events();
    let line = events.lines().rev().find(|line| line.starts_with(&format!("user {id} ")))?;
    line.rsplit('=').next()?.parse().ok()
}

/// Receives what a user process has sent, checks it, and says which process that was and what number it has.
fn receive(client: &mut Client) -> (i32, u64) {
    let body = client.receive();
    let mut parts = body.splitn(3, |byte| *byte == b' ');
    let mut next = || parts.next().expect("a process's number, one of its own, and a pattern");
    let numbers = [next(), next()].map(|digits| std::str::from_utf8(digits).expect("digits").to_owned());
    let number = numbers[1].parse().expect("a number");
    let bytes = next();
    assert!(bytes == pattern(number, bytes.len()), "message {number} is not what was sent");
    (numbers[0].parse().expect("a number"), number)
}

fn reach_every_client() {
    let server = start(Duration::from_secs(5));
    server.wait_for("user 2 is number 0", 1);
    server.wait_for("user 3 is number 1", 1);
    let both = [2, 3].map(|id| newest(&server, id).expect("it has started"));
    for mut client in [server.connect(), server.connect()] {
        let mut senders: Vec<_> = both.to_vec();
        while !senders.is_empty() {
            let (sender, _) = receive(&mut client);
            senders.retain(|other| *other != sender);
        }
    }
    let stopped = server.stop();
    assert_eq!(stopped.code, 0);
    assert!(!stopped.events.contains("error worker="), "{}", stopped.events);
}

fn killed_while_they_send() {
    let server = start(Duration::ZERO);
    let mut client = server.connect();
    let senders = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&senders);
    let reader = thread::spawn(move || {
        let mut last: HashMap<i32, u64> = HashMap::new();
        while client.peek().is_ok_and(|read| read > 0) {
            let (sender, number) = receive(&mut client);
            let before = last.insert(sender, number).unwrap_or(0);
            assert!(number > before, "{number} of {sender} comes after {before}");
            count.store(last.len(), Relaxed);
        }
    });
    let end = Instant::now() + PATIENCE;
    for round in 0_u32.. {
        if senders.load(Relaxed) > 30 || reader.is_finished() {
            break;
        }
        assert!(Instant::now() < end, "{senders:?} senders");
        thread::sleep(Duration::from_millis(u64::from(round * 7 % 40)));
        if let Some(pid) = newest(&server, 2 + round % 2) {
            // An error: it has been killed already, and the next one is on its way.
            let _ = process::kill(pid, SIGKILL);
        }
    }
    let stopped = server.stop();
    assert_eq!(stopped.code, 0);
    reader.join().expect("every byte was in order");
    assert!(senders.load(Relaxed) > 30, "the connection ended early");
}

fn master_killed() {
    let server = start(Duration::from_secs(5));
    receive(&mut server.connect());
    server.signal(SIGKILL);
    assert_eq!(server.wait().code, -SIGKILL);
}
