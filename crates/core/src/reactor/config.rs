//! What a reactor is made of.

use std::collections::{BinaryHeap, VecDeque};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::sync::Arc;

use rotor_ipc::payload::Pool;
use rotor_ipc::segment::Segment;
use rotor_ipc::wake::Sleeper;
use rotor_sys::clock::{monotonic_ns, unix_us};
use rotor_sys::descriptors::DescriptorReceiver;
use rotor_sys::epoll::{Epoll, Interest};
use rotor_sys::ticker::Ticker;

use super::broadcast::Broadcasts;
use super::datagrams::{DatagramPort, Port};
use super::early::Early;
use super::ending::Ending;
use super::files::Files;
use super::hold::Holding;
use super::inbox::Inbox;
use super::intro::Introducing;
use super::limits::Limits;
use super::linger::Lingering;
use super::live::Live;
use super::mailbox::{Mail, Mailbox};
use super::places::Places;
use super::route::Router;
use super::secure::Room;
use super::send::Batch;
use super::stopping::Unhandled;
use super::timers::Timers;
use super::{BELL, Inward, READ_SIZE, Reactor, TICK};
use crate::disk::{FileJobs, Jobs};
use crate::dispatch;
use crate::framer::Framer;
use crate::hooks::Hooks;
use crate::log::Log;
use crate::settings::Settings;
use crate::tls::{CertificateWriter, PortTls};

/// Everything a reactor needs; made on the main thread.
pub struct Config {
    /// Its number.
    pub reactor: usize,
    /// The shared memory.
    pub segment: &'static Segment,
    /// What the server was told.
    pub settings: Arc<Settings>,
    /// Its log.
    pub log: Log,
    /// Its mail.
    pub mailbox: Mailbox,
    /// Its epoll, to which the accept thread adds connections.
    pub epoll: Arc<Epoll>,
    /// The way to the helper thread.
    pub jobs: Jobs,
    /// The way to the thread that reads files ahead.
    pub file_jobs: FileJobs,
    /// Where the descriptors of files come from that processes send.
    pub descriptors: DescriptorReceiver,
    /// How many connections all reactors have.
    pub live: Arc<Live>,
    /// What one client may have.
    pub limits: Option<Arc<Limits>>,
    /// What records anybody wants.
    pub wanted: Wanted,
    /// How many connections are dealt out among: this is one of so many, or one beside them.
    pub reactors: usize,
    /// What it shares with other reactors for the choice of workers.
    pub shared: Arc<dispatch::Shared>,
    /// What it shares with them at a stop.
    pub unhandled: Unhandled,
    /// The datagram ports that it serves.
    pub datagrams: Vec<DatagramPort>,
    /// By port, how it speaks TLS.
    pub tls: Vec<Option<Arc<PortTls>>>,
    /// Where the certificates of clients are noted; `None`: no port asks for any.
    pub certificates: Option<CertificateWriter>,
    /// The CPU to run on.
    pub cpu: Option<u32>,
}

/// By port, of which events that nobody needs a record is posted: those that a callback is registered for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Of new connections.
    pub connect: Vec<bool>,
    /// Of connections that are over, where those have no worker of their own.
    pub close: Vec<bool>,
    /// Of rejected packages.
    pub protocol_error: Vec<bool>,
    /// Of the watermarks of what waits to be sent.
    pub level: Vec<bool>,
}

impl Reactor {
    /// A reactor that is ready to run; on the main thread with user code.
    pub fn new(config: Config, hooks: Option<Rc<dyn Hooks>>) -> std::io::Result<Self> {
        let Config {
            reactor: id,
            segment,
            settings,
            log,
            mailbox,
            epoll,
            jobs,
            file_jobs,
            descriptors,
            live,
            limits,
            wanted,
            reactors,
            shared,
            unhandled,
            datagrams,
            tls,
            certificates,
            cpu,
        } = config;
        if let Some(cpu) = cpu
            && let Err(error) = rotor_sys::affinity::pin_to(cpu)
        {
            log.warning(&format!("cannot run on CPU {cpu} (open_cpu_affinity): {error}"));
        }
        epoll.add(segment.reactor_bell(id).as_fd(), BELL, Interest::ReadEdge)?;
        let now_ns = monotonic_ns();
        let timers = Timers::new(&settings, now_ns);
        let ticker = Ticker::every(timers.tick())?;
        epoll.add(ticker.as_fd(), TICK, Interest::ReadEdge)?;
        let inward = segment
            .worker_ids()
            .map(|worker| Inward {
                lane: segment.inward_producer(id, worker),
                marker: segment.slot_marker(worker, id),
                waker: segment.slot_waker(worker),
                waiting: VecDeque::new(),
                held: BinaryHeap::new(),
                packets: VecDeque::new(),
                closing: VecDeque::new(),
                open: 0,
                spilling: 0,
                is_touched: false,
                is_closed: false,
            })
            .collect();
        let datagrams = datagrams.into_iter().enumerate().map(|(index, port)| {
            let asks = hooks.is_some() && settings.port(port.place.into()).dispatch_func;
            Port::new(port, index, asks, &epoll)
        });
        let datagrams = datagrams.collect::<std::io::Result<_>>()?;
        let reply_to = mailbox.clone();
        let sessions = segment.sessions_writer();
        // A session's reactor is its id modulo their number.
        let connections = Places::new(sessions.capacity(), (id < reactors).then_some(reactors));
        Ok(Self {
            id,
            segment,
            sessions,
            counters: &segment.reactor(id).counters,
            port_connections: segment.port_connections(id),
            epoll,
            sleeper: Sleeper::attach(&segment.reactor(id).sleep),
            mailbox,
            jobs,
            reply: Arc::new(move |done| reply_to.put(Mail::Disk(done))),
            live,
            limits,
            wanted,
            router: Router::new(segment, id, settings.dispatch_mode, shared),
            holding: settings.dispatch_mode.is_idle().then(|| Holding::new(segment, id)),
            ending: Ending::default(),
            stopping: None,
            unhandled,
            tls,
            certificates,
            room: Room::default(),
            framers: settings.ports.iter().map(|port| Framer::new(&port.framing, port.package_max_length)).collect(),
            connections,
            early: Early::default(),
            alive: 0,
            inward,
            touched: Vec::new(),
            inbox: Inbox::new(segment, id),
            batch: Batch::default(),
            broadcasts: Broadcasts::default(),
            allowance: 0,
            pool: Pool::attach(segment.reactor_pool(id), now_ns),
            spare: None,
            scratch: vec![0; READ_SIZE],
            scheduled: Vec::new(),
            unspilled: VecDeque::new(),
            files: Files::new(descriptors, file_jobs),
            lingering: Lingering::default(),
            introducing: Introducing::default(),
            timers,
            datagrams,
            received: None,
            warned_ns: None,
            serving: None,
            now_ns,
            now_us: unix_us(),
            ticker,
            swept_ns: now_ns,
            is_draining: false,
            finish: None,
            hooks,
            ended: None,
            settings,
            log,
        })
    }
}
