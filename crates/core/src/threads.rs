//! The threads of the master: reactors, the accept thread, and the helpers for disk and log. All of them have started,
//! or none is left.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rotor_sys::descriptors::DescriptorReceiver;
use rotor_sys::epoll::Epoll;

use crate::disk::{self, Job, Jobs};
use crate::dispatch;
use crate::hooks::Hooks;
use crate::log::Log;
use crate::ports::{Bound, Socket};
use crate::process::Context;
use crate::reactor::{
    Acceptor, Config, DatagramPort, Limits, Listening, Live, Mail, Mailbox, Reactor, Stop, Unhandled, Wanted,
};
use crate::secrets::Secrets;
use crate::settings::Settings;
use crate::tls::PortTls;

/// The main thread looks this often whether the other threads have ended.
pub const JOIN_EVERY: Duration = Duration::from_millis(5);
/// At the end, a thread that may wait for something outside has so long to finish.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// The threads that serve connections, and the main thread's own reactor, until it is taken.
pub struct Threads {
    log: Log,
    mailboxes: Vec<Mailbox>,
    stop: Stop,
    accept: Option<JoinHandle<()>>,
    reactors: Vec<JoinHandle<()>>,
    disk: Option<JoinHandle<()>>,
    files: Option<JoinHandle<()>>,
    log_writer: Option<JoinHandle<()>>,
    main: Option<Reactor>,
    jobs: Option<Jobs>,
    tls: Vec<Option<Arc<PortTls>>>,
}

/// What the threads take connections and files from.
pub struct Sockets {
    /// The ports, listening.
    pub ports: Vec<Bound>,
    /// By reactor: where the descriptors of files come from that processes send.
    pub descriptors: Vec<DescriptorReceiver>,
}

impl Threads {
    /// Starts all; from here on connections are accepted. When one cannot start, those that have are ended.
    pub fn start(
        context: &Context,
        mailboxes: &[Mailbox],
        sockets: Sockets,
        cpus: &[u32],
        wanted: &Wanted,
        secrets: &Secrets,
        hooks: Option<Rc<dyn Hooks>>,
    ) -> io::Result<Self> {
        let mut threads = Self {
            log: context.log.clone(),
            mailboxes: mailboxes.to_vec(),
            stop: Stop::new()?,
            accept: None,
            reactors: Vec::new(),
            disk: None,
            files: None,
            log_writer: None,
            main: None,
            jobs: None,
            tls: Vec::new(),
        };
        match threads.start_all(context, sockets, cpus, wanted, secrets, hooks) {
            Ok(()) => Ok(threads),
            Err(error) => {
                threads.end();
                Err(error)
            }
        }
    }

    fn start_all(
        &mut self,
        context: &Context,
        sockets: Sockets,
        cpus: &[u32],
        wanted: &Wanted,
        secrets: &Secrets,
        hooks: Option<Rc<dyn Hooks>>,
    ) -> io::Result<()> {
        let Sockets { ports, descriptors } = sockets;
        let mut descriptors = descriptors.into_iter();
        let (lines, line_queue) = mpsc::sync_channel(4096);
        self.log_writer = Some(disk::spawn_log(context.log.clone(), line_queue)?);
        context.log.hand_to(lines);
        let (jobs, job_queue) = mpsc::channel();
        self.disk = Some(disk::spawn_disk(job_queue)?);
        let (file_jobs, file_queue) = mpsc::channel();
        self.files = Some(disk::spawn_files(file_queue)?);
        if secrets.ports.iter().any(Option::is_some) {
            self.jobs = Some(jobs.clone());
            self.tls.clone_from(&secrets.ports);
        }
        let live =
            Arc::new(Live::new(context.settings.max_connection as usize, context.settings.max_connection_policy)?);
        let limits = Limits::new(&context.settings, context.segment.sessions().capacity());
        let shared = Arc::new(dispatch::Shared::new(context.segment.workers()));
        let unhandled = Unhandled::new(self.mailboxes.len());
        let mut epolls = Vec::new();
        let reactors = self.mailboxes.len() - usize::from(hooks.is_some());
        let config = |reactor: usize, mailbox: &Mailbox, epoll: &Arc<Epoll>, descriptors: DescriptorReceiver| Config {
            reactor,
            segment: context.segment,
            settings: context.settings.clone(),
            log: context.log.speaking_as(format!("reactor={reactor}")),
            mailbox: mailbox.clone(),
            epoll: epoll.clone(),
            jobs: jobs.clone(),
            file_jobs: file_jobs.clone(),
            descriptors,
            live: live.clone(),
            limits: limits.clone(),
            wanted: wanted.clone(),
            reactors,
            shared: shared.clone(),
            unhandled: unhandled.clone(),
            datagrams: Vec::new(),
            tls: secrets.ports.clone(),
            certificates: secrets.certificates.clone(),
            cpu: None,
        };
        let (listening, mut datagrams) = split(ports, &context.settings, self.mailboxes.len());
        let main = match hooks {
            Some(hooks) => {
                let epoll = Arc::new(Epoll::new()?);
                // Behind those of the others.
                let way = descriptors.next_back().ok_or_else(no_way)?;
                let datagrams = std::mem::take(&mut datagrams[reactors]);
                let config = Config { datagrams, ..config(reactors, &self.mailboxes[reactors], &epoll, way) };
                self.main = Some(Reactor::new(config, Some(hooks))?);
                Some(epoll)
            }
            None => None,
        };
        let (ready, readies) = mpsc::channel();
        for (reactor, mailbox) in self.mailboxes[..reactors].iter().enumerate() {
            let epoll = Arc::new(Epoll::new()?);
            let cpu = (!cpus.is_empty()).then(|| cpus[reactor % cpus.len()]);
            let datagrams = std::mem::take(&mut datagrams[reactor]);
            let way = descriptors.next().ok_or_else(no_way)?;
            let config = Config { cpu, datagrams, ..config(reactor, mailbox, &epoll, way) };
            epolls.push(epoll);
            let (context, ready) = (context.clone(), ready.clone());
            let body = move || run_reactor(config, &context, &ready);
            self.reactors.push(disk::spawn(&format!("rotor-reactor-{reactor}"), body)?);
        }
        drop(ready);
        // Each says so, or goes without a word.
        for _ in &self.reactors {
            readies.recv().map_err(|_| io::Error::other("a reactor has panicked"))??;
        }
        let acceptor = Acceptor {
            ports: listening,
            settings: context.settings.clone(),
            segment: context.segment,
            epoll: Epoll::new()?,
            reactors: epolls,
            main,
            live,
            limits,
            log: context.log.clone(),
            stop: self.stop.clone(),
        };
        self.accept = Some(disk::spawn("rotor-accept", move || acceptor.run())?);
        Ok(())
    }

    /// The main thread's reactor, which is the caller's from here on: it has to be over before [`Self::end`].
    pub fn take_main(&mut self) -> Option<Reactor> {
        self.main.take()
    }

    /// Reads the certificates again, in the helper thread, for the connections that come then.
    pub fn read_certificates(&self, context: &Context) {
        let Some(jobs) = &self.jobs else { return };
        for (port, tls) in context.ports.iter().zip(&self.tls) {
            let Some(tls) = tls.clone() else { continue };
            let (log, address) = (self.log.clone(), port.address.to_string());
            let read = move || match tls.reload() {
                Ok(()) => log.notice(&format!("certificates of {address} were read again")),
                Err(error) => log.error(&format!("certificates of {address} stay as they were: {error}")),
            };
            let _ = jobs.send(Job::Certificates(Box::new(read)));
        }
    }

    /// Ends the accept thread, once it has taken what has connected by now.
    pub fn stop_accepting(&mut self) {
        self.stop.stop();
        // The helper ends once nobody has work for it.
        self.jobs = None;
        if let Some(accept) = self.accept.take() {
            join(accept, &self.log);
        }
    }

    /// Whether the reactors have ended, and the disk's helper, which gives back what they have left.
    pub fn are_reactors_done(&self) -> bool {
        self.reactors.iter().chain(&self.disk).all(JoinHandle::is_finished)
    }

    /// Ends all threads; what is not sent by now is dropped.
    pub fn end(mut self) {
        self.stop_accepting();
        self.main = None;
        for mailbox in &self.mailboxes {
            mailbox.put(Mail::Finish { deadline: Some(Instant::now()) });
        }
        for thread in self.reactors.drain(..).chain(self.disk.take()) {
            join(thread, &self.log);
        }
        // A file that was being sent may lie where nothing answers.
        join_soon(self.files.take(), &self.log);
        self.log.settle();
        self.log.take_back();
        // Nobody may read the pipe that it writes to: the last lines are worth a moment, and no more.
        join_soon(self.log_writer.take(), &self.log);
    }
}

/// The ports for the accept thread, and by reactor the datagram ports.
fn split(ports: Vec<Bound>, settings: &Settings, reactors: usize) -> (Vec<Listening>, Vec<Vec<DatagramPort>>) {
    let mut listening = Vec::new();
    let mut datagrams: Vec<Vec<DatagramPort>> = std::iter::repeat_with(Vec::new).take(reactors).collect();
    for (place, Bound { socket, info, file, is_inherited }) in ports.into_iter().enumerate() {
        match socket {
            Socket::Stream(listener) => listening.push(Listening { place, listener, info, file, is_inherited }),
            Socket::Datagrams(socket) => {
                let place = u16::try_from(place).unwrap_or(0);
                datagrams[settings.reactor_of_datagrams(place)].push(DatagramPort { place, socket, file });
            }
        }
    }
    (listening, datagrams)
}

fn run_reactor(config: Config, context: &Context, ready: &mpsc::Sender<io::Result<()>>) {
    let guard = StopUnlessDone(context);
    match Reactor::new(config, None) {
        Ok(reactor) => {
            // Nobody waits any more where another has failed.
            let _ = ready.send(Ok(()));
            reactor.run();
        }
        Err(error) => {
            let _ = ready.send(Err(error));
        }
    }
    std::mem::forget(guard);
}

/// Stops the server when a reactor panics: its connections would hang for ever, and no worker would find its lanes
/// closed, hence by force.
struct StopUnlessDone<'a>(&'a Context);

impl Drop for StopUnlessDone<'_> {
    fn drop(&mut self) {
        self.0.ask_to_stop_by_force();
    }
}

fn no_way() -> io::Error {
    io::Error::other("a reactor has no way for the descriptors of files")
}

/// Joins a thread that ends within a moment; another ends with the process.
fn join_soon(thread: Option<JoinHandle<()>>, log: &Log) {
    let Some(thread) = thread else { return };
    let end = Instant::now() + LAST_MOMENT;
    while !thread.is_finished() && Instant::now() < end {
        std::thread::sleep(JOIN_EVERY);
    }
    if thread.is_finished() {
        join(thread, log);
    }
}

fn join(thread: JoinHandle<()>, log: &Log) {
    if thread.join().is_err() {
        log.error("a thread of the master has panicked");
    }
}
