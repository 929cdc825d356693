//! A server in a forked child, and its clients.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rotor_core::dispatch::Mode;
use rotor_core::framer::{Framing, LengthField, LengthType};
use rotor_core::host::End;
use rotor_core::ports::SockType;
use rotor_core::server::{Server, start};
use rotor_core::settings::{
    AtMost, DateFormat, Identity, LogFormat, LogLevel, LogRotation, Names, PortSettings, Settings, SocketSettings,
};
use rotor_core::tls::Options;
use rotor_sys::process::{self, Fork};

use crate::host::{Manners, TestHost, frame};

/// No wait of a test is longer; what takes so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A server that runs.
pub struct Running {
    address: SocketAddr,
    /// The other ports' addresses.
    others: Vec<SocketAddr>,
    udp: Option<SocketAddr>,
    pid: i32,
    folder: PathBuf,
}

/// What a server was when it had stopped.
pub struct Stopped {
    /// The exit code of its master.
    pub code: i32,
    /// Its events, one a line.
    pub events: String,
}

/// Two reactors, two workers, length framing, and little memory.
pub fn settings() -> Settings {
    Settings {
        worker_num: 2,
        reactor_num: 2,
        max_connection: 2000,
        max_connection_policy: AtMost::Refuse,
        start_session_id: 1,
        dispatch_mode: Mode::Session,
        enable_unsafe_event: false,
        discard_timeout_request: false,
        event_object: false,
        daemonize: false,
        pid_file: None,
        log_file: None,
        log_level: LogLevel::Notice,
        log_format: LogFormat::Text,
        log_date_format: DateFormat::default(),
        log_date_with_microseconds: false,
        log_rotation: LogRotation::Single,
        max_wait_time: Some(Duration::from_secs(30)),
        shutdown_delay: Duration::ZERO,
        respawn_max_delay: Duration::from_secs(5),
        reload_async: true,
        reload_concurrency: 1,
        reload_user_processes: false,
        max_request: None,
        max_request_grace: 0,
        max_memory: None,
        max_lifetime: None,
        identity: Identity::default(),
        process_dumpable: true,
        open_cpu_affinity: false,
        cpu_affinity_ignore: Vec::new(),
        heartbeat_check_interval: None,
        enable_delay_receive: false,
        max_queued_bytes: None,
        send_timeout: None,
        output_buffer_size: 64 << 20,
        task_tmpdir: PathBuf::new(),
        ipc_memory: 64 << 20,
        close_on_worker_error: true,
        request_slowlog_timeout: None,
        request_slowlog_file: None,
        trace_event_worker: true,
        request_timeout: None,
        ports: vec![PortSettings {
            unix_socket_mode: None,
            unix_socket_owner: None,
            unix_socket_group: None,
            backlog: 1024,
            socket: SocketSettings::default(),
            max_connections_per_ip: None,
            accept_rate_per_ip: None,
            proxy_trusted: None,
            socket_buffer_size: 64 << 20,
            buffer_high_watermark: 48 << 20,
            buffer_low_watermark: 0,
            heartbeat_idle_time: None,
            max_idle_time: None,
            message_timeout: Some(Duration::from_secs(60)),
            dispatch_func: false,
            framing: Framing::Length(LengthField { kind: LengthType::U32Big, offset: 0, body_offset: 4 }),
            package_max_length: 64 << 20,
            tls: Options::default(),
        }],
    }
}

impl Running {
    /// Starts a server on a free port. The caller is the only thread of this process.
    pub fn start(mut settings: Settings, manners: Manners) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("rotor-serve-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a test may make a folder");
        settings.task_tmpdir = folder.join("spill");
        std::fs::create_dir_all(&settings.task_tmpdir).expect("a test may make a folder");
        settings.log_file = Some(folder.join("log"));
        let events = append(folder.join("events"));
        let starts = manners.manager_exits.is_none();
        let mut server = Server::bind("127.0.0.1", 0, SockType::Tcp, Names::Rotor).expect("there is a free port");
        for _ in 1..settings.ports.len() {
            server.listen("127.0.0.1", 0, SockType::Tcp, Names::Rotor).expect("there is a free port");
        }
        let address = |place| (Ipv4Addr::LOCALHOST, server.port(place).address.number()).into();
        let (address, others) = (address(0), (1..settings.ports.len()).map(address).collect());
        let mut udp = None;
        if manners.has_datagrams {
            let place = server.listen("127.0.0.1", 0, SockType::Udp, Names::Rotor).expect("there is a free port");
            udp = Some((Ipv4Addr::LOCALHOST, server.port(place).address.number()).into());
            let primary = settings.ports[0].clone();
            settings.ports.extend([primary.clone(), primary]);
        }
        let pid = match process::fork().expect("a process can be forked") {
            Fork::Parent { child } => child,
            Fork::Child => {
                // What hangs ends with the test.
                let _ = process::die_with_parent();
                if manners.has_datagrams {
                    // Here: whoever has bound it removes its file.
                    let path = folder.join("datagrams");
                    let path = path.to_str().expect("a folder for tests has an ordinary name");
                    server
                        .listen(path, 0, SockType::UnixDgram, Names::Rotor)
                        .expect("a test may make a socket in its folder");
                }
                let mut host = TestHost::new(manners, events, folder.join("gate"));
                // What panics ends: it must not go on with the next test.
                let code = match catch_unwind(AssertUnwindSafe(|| start(server, settings, &mut host))) {
                    Ok(Ok(End::Stopped)) => 0,
                    Ok(Ok(End::Leave { code })) => code,
                    Ok(Ok(End::Exited | End::BailedOut)) => 99,
                    Ok(Err(error)) => {
                        let _ = writeln!(append(folder.join("events")), "cannot start: {error}");
                        98
                    }
                    Err(_) => 97,
                };
                process::exit_now(code)
            }
        };
        let running = Self { address, others, udp, pid, folder };
        if starts {
            running.wait_for("serving", 1);
        }
        running
    }

    /// A new client.
    pub fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address).expect("the server listens"))
    }

    /// A new client whose worker is as wanted.
    pub fn connect_where(&self, is_wanted: impl Fn(u32) -> bool) -> Client {
        let mut client = self.connect();
        wait_until("a client of that worker", || {
            let is_found = is_wanted(client.worker().0);
            if !is_found {
                client = self.connect();
            }
            is_found
        });
        client
    }

    /// A new client of another port, by its place.
    pub fn connect_to(&self, place: usize) -> Client {
        Client::new(TcpStream::connect(self.others[place - 1]).expect("the server listens"))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A new client of the UDP port.
    pub fn udp(&self) -> UdpSocket {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("there is a free port");
        socket.connect(self.udp.expect("the server has a UDP port")).expect("an address can be set");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket takes a limit");
        socket
    }

    /// A new client of the unix socket for datagrams.
    pub fn unix(&self) -> UnixDatagram {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("client-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let socket = UnixDatagram::bind(self.folder.join(name)).expect("a test may make a socket in its folder");
        socket.connect(self.folder.join("datagrams")).expect("the server has a unix socket");
        socket.set_read_timeout(Some(PATIENCE)).expect("a socket takes a limit");
        socket
    }

    /// The master's process number.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Signals the master.
    pub fn signal(&self, signal: i32) {
        process::kill(self.pid, signal).expect("the master lives");
    }

    /// What has happened so far, one event a line.
    pub fn events(&self) -> String {
        std::fs::read_to_string(self.folder.join("events")).expect("the list of events is there")
    }

    /// Waits until an event contains `text` for the `times`-th time.
    pub fn wait_for(&self, text: &str, times: usize) {
        wait_until(&format!("{times} events with \"{text}\""), || {
            self.events().lines().filter(|line| line.contains(text)).count() >= times
        });
    }

    /// Lets go what waits: `!wait`, a length function, `!reap`, a limit of files.
    pub fn let_go(&self) {
        File::create(self.folder.join("gate")).expect("a test may write to its folder");
    }

    /// A counter of `stats()`.
    pub fn stat(&self, name: &str) -> i64 {
        self.connect().stat(name)
    }

    /// Asks for an orderly stop, and waits until the server drains.
    pub fn begin_stop(&self) {
        self.signal(SIGTERM);
        wait_until("the server to listen no more", || !listens(self.address.port()));
    }

    /// Asks for an orderly stop and waits for it.
    pub fn stop(self) -> Stopped {
        self.signal(SIGTERM);
        self.wait()
    }

    /// Waits for the end. Nothing may be left then: no process, no file, and no block in use.
    pub fn wait(self) -> Stopped {
        let mut code = None;
        wait_until("the end of the master", || {
            match waitpid(Pid::from_raw(self.pid), Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(_, status)) => code = Some(status),
                Ok(WaitStatus::Signaled(_, signal, _)) => code = Some(-(signal as i32)),
                _ => {}
            }
            code.is_some()
        });
        // We are the parent of whatever its processes have left.
        wait_until("the end of all processes", || {
            loop {
                match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                    Err(nix::errno::Errno::ECHILD) => break true,
                    Ok(WaitStatus::StillAlive) => break false,
                    _ => {}
                }
            }
        });
        let events = self.events();
        let spilled = std::fs::read_dir(self.folder.join("spill")).expect("the spill folder is there").count();
        assert_eq!(spilled, 0, "spill files are left");
        assert!(!self.folder.join("datagrams").exists(), "a socket file is left");
        if let Some(stats) = events.lines().find(|line| line.starts_with("shutdown ")) {
            assert_eq!(stat_of(stats, "blocks_in_use"), 0, "blocks are left: {stats}");
            assert_eq!(stat_of(stats, "connection_num"), 0, "connections are left: {stats}");
        }
        Stopped { code: code.unwrap_or(-1), events }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["events", "log"] {
                let text = std::fs::read_to_string(self.folder.join(name)).unwrap_or_default();
                let lines: Vec<_> = text.lines().collect();
                let last = &lines[lines.len().saturating_sub(30)..];
                eprintln!("---- {name}, the last {} of {} lines\n{}", last.len(), lines.len(), last.join("\n"));
            }
            let _ = process::kill(self.pid, SIGKILL);
            let _ = waitpid(Pid::from_raw(self.pid), None);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A client of a server.
pub struct Client {
    stream: TcpStream,
}

impl Client {
    /// On a connection.
    pub fn new(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes a limit");
        stream.set_write_timeout(Some(PATIENCE)).expect("a socket takes a limit");
        stream.set_nodelay(true).expect("a socket takes an option");
        Self { stream }
    }

    /// The connection.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Another handle of the same connection.
    pub fn twin(&self) -> Self {
        Self { stream: self.stream.try_clone().expect("a socket can be cloned") }
    }

    /// Waits for something to read, and says how much there is of a message's head: nothing at the end.
    pub fn peek(&mut self) -> io::Result<usize> {
        self.stream.peek(&mut [0; 4])
    }

    /// Sends a message.
    pub fn send(&mut self, body: &[u8]) {
        self.stream.write_all(&frame(body)).expect("the server reads");
    }

    /// Receives a message.
    pub fn try_receive(&mut self) -> io::Result<Vec<u8>> {
        let mut len = [0; 4];
        self.stream.read_exact(&mut len)?;
        let mut body = vec![0; u32::from_be_bytes(len) as usize];
        self.stream.read_exact(&mut body)?;
        Ok(body)
    }

    /// Receives a message, which has to come.
    pub fn receive(&mut self) -> Vec<u8> {
        self.try_receive().expect("the server answers")
    }

    /// Sends and receives.
    pub fn ask(&mut self, body: &[u8]) -> Vec<u8> {
        self.send(body);
        self.receive()
    }

    /// Sends and receives the same.
    pub fn echo(&mut self, body: &[u8]) {
        let answer = self.ask(body);
        assert!(answer == body, "{} bytes came back as {} others", body.len(), answer.len());
    }

    /// The worker that serves it, and that one's process number.
    pub fn worker(&mut self) -> (u32, i32) {
        let answer = String::from_utf8(self.ask(b"!worker")).expect("a number is text");
        let (worker, pid) = answer.split_once(' ').expect("two numbers");
        (worker.parse().expect("a number"), pid.parse().expect("a number"))
    }

    /// A counter of `stats()`, from the worker that serves it.
    pub fn stat(&mut self, name: &str) -> i64 {
        stat_of(&String::from_utf8(self.ask(b"!stats")).expect("the stats are text"), name)
    }

    /// Waits until what it has sent is all in the server's kernel or further.
    pub fn wait_until_sent(&mut self) {
        let (own, peer) = self.ports();
        wait_until("all to be sent", || queues(own, peer).is_some_and(|(unconfirmed, _)| unconfirmed == 0));
    }

    /// Waits until the server has read what it has sent, and the end of it if it sends no more.
    pub fn wait_until_read(&mut self) {
        self.wait_until_sent();
        let (own, peer) = self.ports();
        wait_until("all to be read", || queues(peer, own).is_some_and(|(_, unread)| unread == 0));
    }

    fn ports(&self) -> (u16, u16) {
        let addresses = (self.stream.local_addr(), self.stream.peer_addr());
        let port = |address: io::Result<SocketAddr>| address.expect("a connected socket has addresses").port();
        (port(addresses.0), port(addresses.1))
    }

    /// Says that it sends no more.
    pub fn half_close(&mut self) {
        self.stream.shutdown(Shutdown::Write).expect("the connection is there");
    }

    /// Breaks the connection.
    pub fn reset(self) {
        use nix::libc::linger;
        use nix::sys::socket::{setsockopt, sockopt};
        setsockopt(&self.stream, sockopt::Linger, &linger { l_onoff: 1, l_linger: 0 })
            .expect("a socket takes an option");
    }

    /// Breaks the connection, and waits until the server's kernel knows.
    pub fn reset_and_wait(self) {
        let (own, peer) = self.ports();
        self.reset();
        wait_until("the reset to arrive", || queues(peer, own).is_none());
    }

    /// Whether the connection ends now, and with nothing more before the end.
    pub fn ends(&mut self) -> bool {
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(0) => true,
            Ok(_) => false,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// Clients of both workers, by the worker's number.
pub fn one_of_each_worker(server: &Running) -> [Client; 2] {
    let (mut first, mut second) = (server.connect(), server.connect());
    match (first.worker().0, second.worker().0) {
        (0, 1) => [first, second],
        (1, 0) => [second, first],
        both => panic!("two sessions in a row went to workers {both:?}"),
    }
}

/// Waits for a condition.
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// What the kernel says of a TCP socket of this machine: its state, and then its queues.
fn socket_state(own: u16, peer: SocketAddrV4) -> Option<String> {
    let table = std::fs::read_to_string("/proc/net/tcp").expect("there is a table of connections");
    // The whole of both addresses: there may be thousands of lines.
    let address = |ip: Ipv4Addr, port: u16| format!("{:08X}:{port:04X}", u32::from_ne_bytes(ip.octets()));
    let pair = format!(" {} {} ", address(Ipv4Addr::LOCALHOST, own), address(*peer.ip(), peer.port()));
    let (_, state) = table.split_once(&pair)?;
    state.lines().next().map(str::to_owned)
}

/// The bytes that a socket has sent and its peer has not confirmed, and those that wait to be read.
fn queues(own: u16, peer: u16) -> Option<(u32, u32)> {
    let state = socket_state(own, SocketAddrV4::new(Ipv4Addr::LOCALHOST, peer))?;
    let (unconfirmed, unread) = state.split_whitespace().nth(1)?.split_once(':')?;
    let number = |digits| u32::from_str_radix(digits, 16).ok();
    Some((number(unconfirmed)?, number(unread)?))
}

/// Whether a socket of this machine listens.
fn listens(port: u16) -> bool {
    socket_state(port, SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0)).is_some()
}

/// A counter in a line of them.
pub fn stat_of(stats: &str, name: &str) -> i64 {
    let values = stats.split(' ').filter_map(|pair| pair.split_once('='));
    let value = values.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("there is no counter {name} in {stats}"))
}

fn append(path: PathBuf) -> File {
    OpenOptions::new().append(true).create(true).open(path).expect("a test may write to its folder")
}

pub const SIGKILL: i32 = 9;
pub const SIGSTOP: i32 = 19;
pub const SIGCONT: i32 = 18;
pub const SIGTERM: i32 = 15;
pub const SIGUSR1: i32 = 10;
