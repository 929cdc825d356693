//! The whole client against servers in this process: true echoes of every kind, and servers with one fault each.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use clap::Parser;
use ledger::args::Args;
use ledger::counts::Ended;
use ledger::report::Report;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};
use socket2::SockRef;

/// Starts a server that gives each connection to `serve` on a thread of its own; its port number.
fn server(serve: impl Fn(TcpStream, usize) -> io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let (serve, stream) = (Arc::clone(&serve), stream.unwrap());
            // An error here is the client's going.
            thread::spawn(move || _ = serve(stream, number));
        }
    });
    port
}

fn echo() -> u16 {
    server(|mut stream, _| {
        let mut bytes = vec![0; 64 << 10];
        loop {
            match stream.read(&mut bytes)? {
                0 => return Ok(()),
                read => stream.write_all(&bytes[..read])?,
            }
        }
    })
}

/// An echo with TLS; one that does not say the end where `is_silent`.
fn secure_echo(is_silent: bool) -> u16 {
    let chain = CertificateDer::pem_slice_iter(CERTIFICATE.as_bytes()).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(chain, key).unwrap());
    server(move |mut stream, _| {
        let mut tls = ServerConnection::new(config.clone()).map_err(io::Error::other)?;
        let mut bytes = vec![0; 64 << 10];
        loop {
            match rustls::Stream::new(&mut tls, &mut stream).read(&mut bytes)? {
                0 => break,
                read => rustls::Stream::new(&mut tls, &mut stream).write_all(&bytes[..read])?,
            }
        }
        if !is_silent {
            tls.send_close_notify();
        }
        tls.complete_io(&mut stream).map(|_| ())
    })
}

/// A length-framed echo; `answer` turns the message with this number on its connection into what is sent for it.
fn framed(answer: impl Fn(usize, Vec<u8>) -> Option<Vec<u8>> + Send + Sync + 'static) -> u16 {
    server(move |mut stream, _| {
        for number in 0.. {
            let message = read_message(&mut stream)?;
            match answer(number, message) {
                Some(bytes) => stream.write_all(&bytes)?,
                None => return SockRef::from(&stream).set_linger(Some(Duration::ZERO)),
            }
        }
        Ok(())
    })
}

fn read_message(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut message = vec![0; 4];
    stream.read_exact(&mut message)?;
    let len = u32::from_be_bytes(message[..4].try_into().unwrap()) as usize;
    message.resize(4 + len, 0);
    stream.read_exact(&mut message[4..])?;
    Ok(message)
}

fn ledger(port: u16, line: &str) -> Report {
    run(&format!("--port {port} {line}"))
}

fn run(line: &str) -> Report {
    let words = ["ledger", "--patience", "2"].into_iter().chain(line.split_whitespace());
    ledger::run(&Args::parse_from(words).into_plan().unwrap()).unwrap()
}

fn assert_clean(report: &Report, answered: u64) {
    assert!(report.passed, "{report}");
    assert_eq!((report.counts.sent, report.counts.answered), (answered, answered), "{report}");
}

#[test]
fn every_message_of_a_true_echo_is_answered_in_every_framing() {
    let port = echo();
    for framing in ["raw", "length", "eof"] {
        for size in ["1", "64", "1-200", "1-64K"] {
            let line = format!("--framing {framing} --size {size} --connections 7 --in-flight 16 --messages 1000");
            assert_clean(&ledger(port, &line), 1000);
        }
    }
}

#[test]
fn every_message_is_answered_with_tls_too_and_an_end_that_it_is_not_told_of_is_a_reset() {
    let port = secure_echo(false);
    for size in ["1-200", "1-200K"] {
        let line = format!("--tls --framing length --size {size} --connections 7 --in-flight 4 --messages 300");
        assert_clean(&ledger(port, &line), 300);
    }
    for close in ["reset", "finish"] {
        let line = format!("--tls --mode churn --connections 5 --messages 100 --close {close}");
        let report = ledger(port, &line);
        assert_clean(&report, 100);
        assert_eq!(report.counts.connected, 100);
    }
    let cut = ledger(secure_echo(true), "--tls --mode churn --messages 10 --close finish");
    assert_eq!((cut.counts.answered, cut.counts.reset), (10, 10), "{cut}");
    assert!(!cut.passed);
}

#[test]
fn some_requests_may_be_much_larger_than_the_others() {
    let line = "--framing length --size 20-4K --large 1M/10 --connections 5 --in-flight 4 --messages 200";
    let report = ledger(echo(), line);
    assert_clean(&report, 200);
    assert!(report.counts.bytes_sent > 5 << 20, "{report}");
}

#[test]
fn large_messages_do_not_deadlock_with_a_server_that_writes_before_it_reads_on() {
    let report = ledger(echo(), "--framing length --size 16M --connections 2 --in-flight 3 --messages 8");
    assert_clean(&report, 8);
}

#[test]
fn several_threads_share_connections_and_messages() {
    let report = ledger(echo(), "--threads 3 --connections 10 --in-flight 4 --messages 1003 --hold-idle 5");
    assert_clean(&report, 1003);
    assert_eq!((report.counts.connected, report.idle_held), (15, 5));
}

#[test]
fn an_open_loop_sends_at_its_rate() {
    let report = ledger(echo(), "--mode open --rate 2000 --messages 1000 --connections 4");
    assert_clean(&report, 1000);
    assert!(report.seconds >= 0.49, "1000 requests are due over half a second: {report}");
    assert_eq!(report.latency_us.samples, 1000);
}

#[test]
fn a_stall_of_the_server_shows_in_the_latencies_of_an_open_loop() {
    let port = framed(|number, message| {
        if number == 50 {
            thread::sleep(Duration::from_millis(200));
        }
        Some(message)
    });
    let report = ledger(port, "--mode open --rate 500 --messages 250 --framing length --late-ms 100");
    assert_clean(&report, 250);
    // One request met the stall, and those due during it waited as well: a closed loop would have seen one.
    assert!(report.counts.late > 20, "{report}");
    assert!(report.latency_us.max >= 190_000.0, "{report}");
}

#[test]
fn churn_makes_a_connection_for_each_request_and_ends_it_either_way() {
    for close in ["reset", "finish"] {
        let report = ledger(echo(), &format!("--mode churn --connections 5 --messages 200 --close {close}"));
        assert_clean(&report, 200);
        assert_eq!(report.counts.connected, 200);
    }
}

#[test]
fn a_unix_socket_carries_the_same_load_though_its_backlog_is_short() {
    let path = std::env::temp_dir().join(format!("ledger-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    // The kernel holds that many more back, and refuses the rest.
    SockRef::from(&listener).listen(1).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || io::copy(&mut stream.try_clone()?, &mut stream));
        }
    });
    let unix = |line: &str| run(&format!("--unix {} {line}", path.display()));
    assert_clean(&unix("--framing length --size 1-64K --connections 40 --in-flight 4 --messages 1000"), 1000);
    for close in ["reset", "finish"] {
        let report = unix(&format!("--mode churn --connections 20 --messages 200 --close {close}"));
        assert_clean(&report, 200);
        assert_eq!(report.counts.connected, 200);
    }
    std::fs::remove_file(&path).unwrap();
    let gone = unix("--messages 1");
    assert_eq!((gone.counts.refused, gone.counts.sent), (1, 0), "{gone}");
}

#[test]
fn connections_come_from_as_many_addresses_as_were_asked_for() {
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let addresses = Arc::clone(&seen);
    let port = server(move |mut stream, _| {
        addresses.lock().unwrap().insert(stream.peer_addr()?.ip());
        io::copy(&mut stream.try_clone()?, &mut stream).map(|_| ())
    });
    assert_clean(&ledger(port, "--sources 3 --connections 7 --messages 70"), 70);
    let expected: Vec<IpAddr> = (1..=3).map(|last| [127, 0, 0, last].into()).collect();
    assert_eq!(seen.lock().unwrap().iter().copied().collect::<Vec<_>>(), expected);
}

#[test]
fn idle_connections_are_held_to_the_end() {
    let report = ledger(echo(), "--mode idle --connections 20 --seconds 0.1");
    assert_clean(&report, 0);
    assert_eq!(report.idle_held, 20);
}

#[test]
fn a_doubled_answer_is_counted_even_behind_the_last_request() {
    let port = framed(|number, message| Some(if number == 9 { message.repeat(2) } else { message }));
    let report = ledger(port, "--framing length --messages 10");
    assert_eq!((report.counts.answered, report.counts.doubled), (10, 1), "{report}");
    assert_eq!(report.objections, ["1 doubled"]);
}

#[test]
fn a_swallowed_message_is_lost() {
    let port = framed(|number, message| Some(if number == 3 { Vec::new() } else { message }));
    let report = ledger(port, "--framing length --messages 10 --in-flight 4");
    assert_eq!((report.counts.answered, report.counts.lost), (9, 1), "{report}");
    assert!(!report.passed);
    assert!(ledger(port, "--framing length --messages 10 --in-flight 4 --allow-lost 1").passed);
}

#[test]
fn an_overtaken_answer_is_reordered() {
    let held = Mutex::new(Vec::new());
    let port = framed(move |number, message| {
        let mut held = held.lock().unwrap();
        match number {
            3 => {
                *held = message;
                Some(Vec::new())
            }
            4 => Some([message, std::mem::take(&mut held)].concat()),
            _ => Some(message),
        }
    });
    let report = ledger(port, "--framing length --messages 10 --in-flight 4");
    assert_eq!((report.counts.answered, report.counts.reordered), (10, 1), "{report}");
    assert_eq!(report.objections, ["1 reordered"]);
}

/// An echo that answers four messages at a time, the last one first; `answers` may change that.
fn backwards(answers: impl Fn(&mut Vec<Vec<u8>>) + Send + Sync + 'static) -> u16 {
    let held = Mutex::new(Vec::new());
    framed(move |_, message| {
        let mut held = held.lock().unwrap();
        held.insert(0, message);
        if held.len() < 4 {
            return Some(Vec::new());
        }
        answers(&mut held);
        Some(std::mem::take(&mut *held).concat())
    })
}

#[test]
fn without_an_order_answers_may_come_in_any_and_each_still_once_and_whole() {
    for size in ["1", "20-4K"] {
        let line = format!("--framing length --messages 100 --in-flight 4 --size {size}");
        let report = ledger(backwards(|_| {}), &format!("{line} --unordered"));
        assert_clean(&report, 100);
        assert!(report.counts.reordered > 0 || size == "1", "{report}");
        if size != "1" {
            assert!(!ledger(backwards(|_| {}), &line).passed, "with an order that is a fault");
        }
    }
    let line = "--framing length --messages 40 --in-flight 4 --size 20-4K --unordered";
    let doubled = ledger(backwards(|answers| answers.push(answers[1].clone())), line);
    assert_eq!((doubled.counts.answered, doubled.objections), (40, vec!["10 doubled".to_owned()]));
    let corrupt = ledger(backwards(|answers| *answers[2].last_mut().unwrap() ^= 1), line);
    assert_eq!((corrupt.counts.answered, corrupt.counts.corrupt, corrupt.passed), (30, 10, false));
    // Each round one less may be on its way: the last ones find no fourth.
    let lost = ledger(backwards(|answers| _ = answers.pop()), line);
    assert!(lost.counts.lost > 0 && !lost.passed && lost.counts.doubled + lost.counts.corrupt == 0, "{lost}");
    assert_eq!(lost.counts.sent, lost.counts.answered + lost.counts.lost);
}

#[test]
fn an_answer_on_the_wrong_connection_is_crossed_there_and_lost_here() {
    let (others, both): (Mutex<Vec<TcpStream>>, _) = (Mutex::new(Vec::new()), Barrier::new(2));
    let port = server(move |mut stream, _| {
        others.lock().unwrap().push(stream.try_clone()?);
        // Else the first may have come to its fifth message when the second is not there.
        both.wait();
        for number in 0.. {
            let message = read_message(&mut stream)?;
            let peer = stream.peer_addr()?;
            let mut others = others.lock().unwrap();
            let is_diverted = number == 5 && others[0].peer_addr()? == peer;
            let target = others.iter_mut().find(|other| (other.peer_addr().unwrap() == peer) != is_diverted);
            target.unwrap().write_all(&message)?;
        }
        Ok(())
    });
    let report = ledger(port, "--framing length --connections 2 --messages 40 --in-flight 2");
    let counts = &report.counts;
    assert_eq!((counts.answered, counts.crossed, counts.lost), (39, 1, 1), "{report}");
}

#[test]
fn a_changed_byte_is_corrupt() {
    let port = framed(|number, mut message| {
        message[60] ^= u8::from(number == 2);
        Some(message)
    });
    let report = ledger(port, "--framing length --messages 10");
    assert_eq!((report.counts.answered, report.counts.corrupt), (9, 1), "{report}");
}

#[test]
fn a_reset_cuts_the_open_requests_and_a_reconnect_sends_the_rest() {
    let port = framed(|number, message| (number != 4).then_some(message));
    let report = ledger(port, "--framing length --messages 10 --allow-resets 1");
    assert_eq!((report.counts.answered, report.counts.cut, report.counts.reset), (4, 1, 1), "{report}");
    assert_eq!(report.counts.ends, [Ended { connection: 0, is_reset: true, first_open: 4, cut: 1 }]);
    let report = ledger(port, "--framing length --messages 10 --reconnect --allow-resets 2");
    let counts = &report.counts;
    assert_eq!((counts.sent, counts.answered, counts.cut), (10, 8, 2), "{report}");
    assert_eq!((counts.reset, counts.reconnected), (2, 2), "{report}");
    assert!(report.passed);
}

#[test]
fn an_orderly_close_by_the_server_is_told_from_a_reset() {
    let port = server(|mut stream, _| {
        let message = read_message(&mut stream)?;
        stream.write_all(&message)?;
        stream.shutdown(Shutdown::Write)?;
        read_message(&mut stream).map(|_| ())
    });
    let report = ledger(port, "--framing length --messages 5");
    assert_eq!((report.counts.answered, report.counts.closed, report.counts.reset), (1, 1, 0), "{report}");
    assert!(!report.passed);
}

#[test]
fn a_port_without_a_listener_refuses() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let report = ledger(port, "--connections 3 --messages 3");
    assert_eq!((report.counts.refused, report.counts.sent), (3, 0), "{report}");
    assert!(!report.passed);
}

#[test]
fn the_servers_cpu_and_memory_are_reported() {
    let own = std::process::id();
    let report = ledger(echo(), &format!("--messages 1000 --pid {own}"));
    let server = report.server.unwrap();
    assert!(server.cpu_us_per_request > 0.0, "{report}");
    assert!(server.memory_half.unwrap().pss > 0 && server.memory_end.unwrap().rss > 0);
}

/// Valid until 2049-12-31; nobody looks.
const CERTIFICATE: &str = include_str!("../../../benches/tls/server.crt");

/// Its key.
const KEY: &str = include_str!("../../../benches/tls/server.key");
