//! P2: an entry of the session table, and its flag word, that pass from one session to the next.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use loom::thread;
use rotor_ipc::sessions::{Flag, FlagError, FlagWord, Session, SessionEntry, SessionsReader, SessionsWriter};
use rotor_ipc::sync::{AtomicU64, Ordering};
use rotor_ipc::{SessionId, WorkerId};

use crate::harness::{check_reaching, shared};

const OLD: SessionId = SessionId(1);
const NEW: SessionId = SessionId(2);

/// A table of one entry, in which the old session lives.
fn table() -> (SessionsWriter, &'static [FlagWord]) {
    let entries: &'static [SessionEntry; 1] = Box::leak(Box::new([SessionEntry::default()]));
    let flags: &'static [FlagWord; 1] = Box::leak(Box::new([FlagWord::default()]));
    let taken: &'static [AtomicU64; 1] = Box::leak(Box::new([AtomicU64::new(0)]));
    let sessions = SessionsWriter::new(SessionsReader::new(entries, flags, taken));
    sessions.insert(&session(OLD));
    (sessions, flags)
}

/// A session of whose fields each says whose it is.
fn session(id: SessionId) -> Session {
    let mark = u8::try_from(id.0).expect("a small number");
    Session {
        id,
        reactor: u16::from(mark),
        port: u16::from(mark),
        fd: i32::from(mark),
        peer: Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 0, 0, mark)), u16::from(mark))),
        proxy: None,
        is_introduced: true,
        connected_us: id.0,
        received_us: id.0,
        heard_ns: id.0,
        sent_us: 0,
        dispatched_us: 0,
        send_queued: 0,
        close_errno: 0,
        worker: WorkerId(u32::from(mark)),
        tls: None,
    }
}

/// A worker looks sessions up while the master lets one go and the next come into its place.
fn lookup(clears: bool) {
    check_reaching(2, move || {
        let (sessions, _) = table();
        let master = thread::spawn(move || {
            if clears {
                sessions.remove(OLD);
                assert!(sessions.is_free(NEW));
            }
            sessions.insert(&session(NEW));
        });
        let mut reached = false;
        for id in [OLD, NEW] {
            if let Some(found) = sessions.find(id) {
                assert_eq!(found, session(id), "another session's fields");
                reached |= id == NEW;
            }
        }
        master.join().unwrap();
        reached
    });
}

#[test]
fn a_session_that_is_found_has_its_own_fields() {
    lookup(true);
}

fails!(fails_if_the_id_is_not_cleared_first, "another session's fields", lookup(false));

/// What a `send` needs, and nothing of the entry but that.
#[test]
fn a_route_that_is_found_is_the_sessions_own() {
    check_reaching(4, || {
        let (sessions, _) = table();
        let master = thread::spawn(move || {
            sessions.set_send_queued(OLD, 9, true);
            sessions.remove(OLD);
            assert!(sessions.is_free(NEW));
            sessions.insert(&session(NEW));
        });
        let old = sessions.route(OLD);
        let new = sessions.route(NEW);
        assert!(old.is_none_or(|(reactor, _)| reactor == 1), "another session's fields");
        assert!(new.is_none_or(|route| route == (2, false)), "another session's fields");
        master.join().unwrap();
        new.is_some()
    });
}

/// A worker closes the old session late.
fn late_close(close: fn(&SessionsWriter, &'static [FlagWord])) {
    check_reaching(4, move || {
        let (sessions, flags) = table();
        let master = thread::spawn(move || {
            sessions.remove(OLD);
            sessions.insert(&session(NEW));
            assert!(!sessions.is_closing(NEW), "another client was closed");
        });
        close(&sessions, flags);
        master.join().unwrap();
        assert!(!sessions.is_closing(NEW), "another client was closed");
        assert!(sessions.is_closing(OLD), "a session that is gone is closed");
        true
    });
}

#[test]
fn a_late_close_does_not_reach_the_next_client() {
    late_close(|sessions, _| {
        let _ = sessions.set_flag(OLD, Flag::Closing);
    });
}

fails!(fails_if_a_flag_is_set_without_the_round, "another client was closed", {
    late_close(|_, flags| {
        raw(&flags[0]).fetch_or(Flag::Closing as u64, Ordering::AcqRel);
    });
});

fails!(fails_if_a_flag_is_looked_at_and_then_set, "another client was closed", {
    late_close(|_, flags| {
        let word = raw(&flags[0]).load(Ordering::Acquire);
        if word >> 32 == OLD.0 {
            raw(&flags[0]).fetch_or(Flag::Closing as u64, Ordering::AcqRel);
        }
    });
});

/// A worker binds a user id to the old session late.
fn late_bind(bind: fn(&SessionsWriter)) {
    check_reaching(4, move || {
        let (sessions, _) = table();
        let master = thread::spawn(move || {
            sessions.remove(OLD);
            sessions.insert(&session(NEW));
            assert_eq!(sessions.uid(NEW), None, "another client was bound");
        });
        bind(&sessions);
        master.join().unwrap();
        assert_eq!(sessions.uid(NEW), None, "another client was bound");
        assert_eq!(sessions.uid(OLD), None, "a session that is gone has no user");
        true
    });
}

#[test]
fn a_late_bind_does_not_reach_the_next_client() {
    late_bind(|sessions| {
        let _ = sessions.bind(OLD, 7);
    });
}

fails!(fails_if_a_user_is_bound_to_whoever_is_in_the_place, "another client was bound", {
    late_bind(|sessions| {
        if sessions.lives(OLD) {
            // Looked at, then bound by the place alone.
            let _ = sessions.bind(NEW, 7);
        }
    });
});

/// Two processes close a session at the same time: one of them has closed it.
#[test]
fn of_two_closes_one_is_the_first() {
    check_reaching(6, || {
        let (sessions, _) = table();
        let first: &'static AtomicU64 = shared();
        let closers = [(), ()].map(|()| {
            thread::spawn(move || match sessions.set_flag(OLD, Flag::Closing) {
                Ok(()) => assert_eq!(first.fetch_add(1, Ordering::AcqRel), 0, "both were the first"),
                Err(error) => assert_eq!(error, FlagError::AlreadySet),
            })
        });
        for closer in closers {
            closer.join().unwrap();
        }
        first.load(Ordering::Acquire) == 1
    });
}

/// The word itself, for bugs that the types do not allow.
fn raw(word: &'static FlagWord) -> &'static AtomicU64 {
    // SAFETY: the first of the two words, by `repr(C)`.
    unsafe { &*(&raw const *word).cast::<AtomicU64>() }
}
