//! Load under which workers die.

use std::io::{ErrorKind, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;

use rotor_sys::process;

use crate::host::{frame, pattern};
use crate::server::{Running, SIGKILL, wait_until};

/// Kills workers at random while clients send messages of all sizes, one at a time each: a kill ends at most one
/// connection and loses at most one message, and no answer is wrong.
pub fn kill_at_random(server: &Running, kills: usize) {
    let over = AtomicBool::new(false);
    let answered = AtomicU64::new(0);
    let killed = thread::scope(|scope| {
        let clients: Vec<_> = (0..6_u64)
            .map(|number| {
                let (over, answered) = (&over, &answered);
                scope.spawn(move || {
                    let (mut client, mut ended, mut round) = (server.connect(), 0, 0);
                    while !over.load(Relaxed) {
                        round += 1;
                        let len = [40, 30_000, 300_000][rotor_ipc::to_usize(round) % 3];
                        let message = pattern(number << 32 | round, len);
                        // A connection ends when its worker died with its message in hand, and only then.
                        let sent = client.stream().write_all(&frame(&message));
                        match sent.and_then(|()| client.try_receive()) {
                            Ok(answer) => assert!(answer == message, "connection {number} round {round}"),
                            Err(error) => {
                                assert_ne!(error.kind(), ErrorKind::WouldBlock, "no answer came");
                                ended += 1;
                                client = server.connect();
                            }
                        }
                        answered.fetch_add(1, Relaxed);
                    }
                    ended
                })
            })
            .collect();
        let mut killed = 0;
        for _ in 0..kills {
            wait_for_more(&answered, 100);
            killed += i64::from(process::kill(server.connect().worker().1, SIGKILL).is_ok());
        }
        over.store(true, Relaxed);
        let ended: i64 = clients.into_iter().map(|client| client.join().unwrap()).sum();
        assert!(ended <= killed, "{ended} connections ended by {killed} kills");
        killed
    });
    wait_until("all deaths to be counted", || server.stat("crash_count") == killed);
    assert!(server.stat("lost_messages") <= killed);
}

/// Waits until a counter has grown by so much.
pub fn wait_for_more(counter: &AtomicU64, more: u64) {
    let begin = counter.load(Relaxed);
    wait_until("the load to go on", || counter.load(Relaxed) - begin >= more);
}
