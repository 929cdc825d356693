use super::*;

fn table(len: usize) -> SessionsWriter {
    let entries: Vec<SessionEntry> = (0..len).map(|_| SessionEntry::default()).collect();
    let flags: Vec<FlagWord> = (0..len).map(|_| FlagWord::default()).collect();
    let taken: Vec<AtomicU64> = (0..taken_words(len)).map(|_| AtomicU64::new(0)).collect();
    SessionsWriter::new(SessionsReader::new(entries.leak(), flags.leak(), taken.leak()))
}

fn session(id: u64) -> Session {
    Session {
        id: SessionId(id),
        reactor: 3,
        port: 1,
        fd: 77,
        peer: Some("[2001:db8::7]:4711".parse().unwrap()),
        proxy: None,
        is_introduced: true,
        connected_us: 5,
        received_us: 6,
        heard_ns: 7,
        sent_us: 0,
        dispatched_us: 0,
        send_queued: 0,
        close_errno: 0,
        worker: WorkerId(2),
        tls: None,
    }
}

#[test]
fn a_session_is_found_as_it_was_inserted_and_not_after_it_was_removed() {
    let sessions = table(8);
    sessions.insert(&session(13));
    assert_eq!(sessions.find(SessionId(13)), Some(session(13)));
    assert_eq!(sessions.route(SessionId(13)), Some((3, false)));
    sessions.set_send_queued(SessionId(13), 9, true);
    assert_eq!(sessions.route(SessionId(13)), Some((3, true)));
    sessions.set_received(SessionId(13), 60, 70);
    sessions.set_sent(SessionId(13), 80);
    let session = sessions.find(SessionId(13)).unwrap();
    assert_eq!((session.connected_us, session.received_us, session.dispatched_us), (5, 60, 60));
    assert_eq!((session.heard_ns, session.sent_us), (70, 80));
    sessions.remove(SessionId(13));
    assert_eq!(sessions.find(SessionId(13)), None);
}

#[test]
fn a_stale_session_id_never_reaches_another_client() {
    let sessions = table(8);
    sessions.insert(&session(5));
    sessions.remove(SessionId(5));
    sessions.insert(&session(13));
    assert_eq!(sessions.find(SessionId(5)), None);
    assert_eq!(sessions.set_flag(SessionId(5), Flag::Closing), Err(FlagError::Gone));
    assert!(!sessions.is_closing(SessionId(13)));
    assert_eq!(sessions.set_flag(SessionId(13), Flag::Closing), Ok(()));
    assert_eq!(sessions.set_flag(SessionId(13), Flag::Closing), Err(FlagError::AlreadySet));
    assert!(sessions.is_closing(SessionId(13)));
}

#[test]
fn a_flag_is_taken_away_from_its_own_session_alone() {
    let sessions = table(8);
    let (old, new) = (SessionId(5), SessionId(13));
    sessions.insert(&session(5));
    assert_eq!(sessions.set_flag(old, Flag::Protected), Ok(()));
    assert!(sessions.has_flag(old, Flag::Protected) && !sessions.is_closing(old));
    assert_eq!(sessions.set_flag(old, Flag::Closing), Ok(()));
    assert_eq!(sessions.clear_flag(old, Flag::Protected), Ok(()));
    assert!(!sessions.has_flag(old, Flag::Protected) && sessions.is_closing(old));
    sessions.remove(old);
    sessions.insert(&session(13));
    assert_eq!(sessions.set_flag(new, Flag::Protected), Ok(()));
    assert_eq!(sessions.clear_flag(old, Flag::Protected), Err(FlagError::Gone));
    assert!(sessions.has_flag(new, Flag::Protected) && !sessions.has_flag(old, Flag::Protected));
    assert_eq!(sessions.clear_flag(new, Flag::Protected), Ok(()));
    // It need not be set.
    assert_eq!(sessions.clear_flag(new, Flag::Protected), Ok(()));
}

#[test]
fn who_asks_for_a_close_is_the_first_though_the_reactor_is_faster() {
    let sessions = table(8);
    sessions.insert(&session(5));
    assert_eq!(sessions.set_flag(SessionId(5), Flag::Over), Ok(()));
    assert!(sessions.is_closing(SessionId(5)));
    assert_eq!(sessions.set_flag(SessionId(5), Flag::Closing), Ok(()));
    assert_eq!(sessions.set_flag(SessionId(5), Flag::Closing), Err(FlagError::AlreadySet));
}

#[test]
fn a_session_is_shown_once_it_is_introduced_with_its_client_and_its_proxy() {
    let sessions = table(8);
    let (client, proxy) = (Some("203.0.113.9:65535".parse().unwrap()), Some("[fd00::2]:9".parse().unwrap()));
    sessions.insert(&Session { is_introduced: false, ..session(5) });
    assert!(sessions.lives(SessionId(5)) && !sessions.is_shown(SessionId(5)));
    assert_eq!(sessions.route(SessionId(5)), None);
    assert_eq!(sessions.find(SessionId(5)).map(|session| session.is_introduced), Some(false));
    sessions.set_send_queued(SessionId(5), 1, true);
    sessions.introduce(SessionId(5), Some((client, proxy)));
    assert!(sessions.is_shown(SessionId(5)));
    assert_eq!(sessions.route(SessionId(5)), Some((3, true)));
    let found = sessions.find(SessionId(5)).unwrap();
    assert_eq!((found.peer, found.proxy, found.is_introduced), (client, proxy, true));

    sessions.insert(&Session { is_introduced: false, ..session(6) });
    sessions.introduce(SessionId(6), None);
    assert_eq!(sessions.find(SessionId(6)), Some(session(6)));
    sessions.set_send_queued(SessionId(6), 1, true);
    sessions.introduce(SessionId(6), Some((None, None)));
    let found = sessions.find(SessionId(6)).unwrap();
    assert_eq!((found.peer, found.proxy), (None, None));
    assert_eq!(sessions.route(SessionId(6)), Some((3, true)));
}

#[test]
fn a_million_sessions_live_at_once_and_a_million_more_find_no_trace_of_them() {
    const MILLION: u64 = 1_000_000;
    let sessions = table(1 << 20);
    let insert = |id: u64| {
        assert!(sessions.is_free(SessionId(id)));
        let peer = Some(SocketAddr::new(Ipv4Addr::from_bits(low_32(id)).into(), low_16(id)));
        sessions.insert(&Session { fd: low_32(id).cast_signed(), reactor: low_16(id % 7), peer, ..session(id) });
    };
    (1..=MILLION).for_each(insert);
    for id in 1..=MILLION {
        let found = sessions.find(SessionId(id)).unwrap();
        assert_eq!((u64::from(found.fd.cast_unsigned()), u64::from(found.reactor)), (id, id % 7));
        assert_eq!(
            found.peer.map(|peer| (peer.ip(), peer.port())),
            Some((Ipv4Addr::from_bits(low_32(id)).into(), low_16(id)))
        );
    }
    assert_eq!(sessions.ids().map(|id| id.0).sum::<u64>(), MILLION * (MILLION + 1) / 2);
    // An id whose place is taken is skipped, as the accept thread does it.
    assert!(!sessions.is_free(SessionId((1 << 20) + 1)));
    (1..=MILLION).for_each(|id| sessions.remove(SessionId(id)));
    assert_eq!(sessions.ids().next(), None);
    (1 + (1 << 20)..=MILLION + (1 << 20)).for_each(insert);
    for id in 1..=MILLION {
        assert_eq!(sessions.find(SessionId(id)), None);
        assert_eq!(sessions.set_flag(SessionId(id), Flag::Closing), Err(FlagError::Gone));
        assert!(sessions.is_shown(SessionId(id + (1 << 20))) && !sessions.is_closing(SessionId(id + (1 << 20))));
    }
}

#[test]
fn a_user_id_is_bound_once_and_not_to_the_next_client() {
    let sessions = table(8);
    sessions.insert(&session(5));
    assert_eq!(sessions.uid(SessionId(5)), None);
    assert_eq!(sessions.bind(SessionId(5), u32::MAX), Ok(()));
    assert_eq!(sessions.bind(SessionId(5), 7), Err(FlagError::AlreadySet));
    assert_eq!(sessions.uid(SessionId(5)), Some(u32::MAX));
    assert!(!sessions.is_closing(SessionId(5)));
    sessions.remove(SessionId(5));
    sessions.insert(&session(13));
    assert_eq!((sessions.uid(SessionId(5)), sessions.uid(SessionId(13))), (None, None));
    assert_eq!(sessions.bind(SessionId(5), 7), Err(FlagError::Gone));
    assert_eq!(sessions.bind(SessionId(13), 8), Ok(()));
    assert_eq!(sessions.uid(SessionId(13)), Some(8));
}

#[test]
fn a_session_has_what_its_tls_handshake_has_come_to_beside_its_errno() {
    let sessions = table(8);
    for (alpn, is_tls13) in [(None, false), (Some(0), true), (Some(254), false)] {
        let tls = SessionTls { suite: 0xc02b, alpn, is_tls13 };
        sessions.insert(&session(5));
        sessions.set_tls(SessionId(5), tls);
        sessions.set_close_errno(SessionId(5), 104);
        assert_eq!(sessions.find(SessionId(5)), Some(Session { close_errno: 104, tls: Some(tls), ..session(5) }));
        sessions.remove(SessionId(5));
    }
}

#[test]
fn a_walk_meets_each_session_once_and_looks_at_no_free_place() {
    let sessions = table(1 << 12);
    let living = [1, 63, 64, 65, 127, 128, 2000, 4095, 4096];
    living.into_iter().for_each(|id| sessions.insert(&session(id)));
    // By place: the last has the first.
    let expected: Vec<u64> = [4096].into_iter().chain(living.into_iter().take(8)).collect();
    assert_eq!(sessions.ids().map(|id| id.0).collect::<Vec<_>>(), expected);
    assert_eq!((sessions.taken_from(66), sessions.taken_from(2001)), (Some(127), Some(4095)));
    sessions.remove(SessionId(4095));
    assert_eq!((sessions.taken_from(2001), sessions.taken_from(1 << 12)), (None, None));
    assert_eq!(sessions.taken_from(usize::MAX), None);
}

#[test]
fn no_session_has_the_id_zero() {
    assert_eq!(table(8).find(SessionId(0)), None);
}

#[test]
fn a_walk_over_a_million_meets_each_that_stays_once_while_others_come_and_go() {
    const ENTRIES: u64 = if cfg!(miri) { 64 } else { 1 << 20 };
    let sessions = table(crate::to_usize(ENTRIES));
    // Every eighth place is free, and ids are in their fourth round.
    let first = 3 * ENTRIES + 5;
    let alive: Vec<u64> = (first..first + ENTRIES).filter(|id| id % 8 != 0).collect();
    for id in &alive {
        sessions.insert(&Session { port: (id % 2) as u16, ..session(*id) });
    }
    let (mut walked, mut of_port, mut place, mut other) = (Vec::new(), Vec::new(), 0, 0);
    let mut last = first + ENTRIES;
    while let Some((id, next)) = sessions.open_from(place, None) {
        walked.push(id.0);
        // Behind the walk and before it: every fourth one that is met goes, with one far ahead, and new ones come.
        if walked.len() % 4 == 0 {
            sessions.remove(id);
            last += 1;
            if sessions.is_free(SessionId(last)) {
                sessions.insert(&session(last));
            }
            let ahead = SessionId(first + (id.0 - first + ENTRIES / 2) % ENTRIES);
            if ahead.0 % 16 == 1 && sessions.lives(ahead) {
                assert_eq!(sessions.set_flag(ahead, Flag::Closing), Ok(()));
            }
        }
        if let Some((id, next)) = sessions.open_from(other, Some(1)) {
            of_port.push(id.0);
            other = next;
        }
        assert!(next > place, "the walk goes on");
        place = next;
    }
    let is_open = |id: &u64| sessions.lives(SessionId(*id)) && !sessions.is_closing(SessionId(*id));
    let staying: Vec<u64> = alive.iter().copied().filter(is_open).collect();
    assert!(staying.len() as u64 > ENTRIES / 2);
    let once = |met: &[u64]| met.iter().copied().collect::<std::collections::HashSet<_>>();
    let (all, odd) = (once(&walked), once(&of_port));
    assert_eq!((all.len(), odd.len()), (walked.len(), of_port.len()), "nobody is met twice");
    assert!(staying.iter().all(|id| all.contains(id)));
    // The walk over a port takes longer strides and has begun with the other.
    assert!(of_port.iter().all(|id| id % 2 == 1 || *id > first + ENTRIES));
}
