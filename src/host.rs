//! PHP as the core's host: runs the callbacks, and dresses each process up.

use std::mem::MaybeUninit;
use std::rc::Rc;

use ext_php_rs::types::{ZendObject, Zval};
use rotor_core::hooks::Hooks;
use rotor_core::host::{Event, EventKind, Host, Origin, Outcome, Role, Sender};
use rotor_core::process::Process;
use rotor_core::trace::StackReader;
use rotor_ipc::payload::Payload;
use rotor_ipc::{SessionId, WorkerId};

use crate::call::{guarded, pending_end};
use crate::code::Code;
use crate::functions::copy_into;
use crate::process::{self, UserProcess};
use crate::running::Running;
use crate::sender::Senders;
use crate::server::Server;
use crate::{event_object, process_title, zend};

/// The host of one `start()`.
pub struct PhpHost<'a> {
    server: &'a Server,
    /// `$server`, as callbacks get it.
    object: Zval,
    code: Code,
    senders: Senders,
    /// Whether callbacks get what they are told as objects.
    gives_objects: bool,
}

impl<'a> PhpHost<'a> {
    /// For a server and the object that it is the Rust side of.
    pub fn new(server: &'a Server, object: Zval, gives_objects: bool) -> Self {
        Self { server, object, code: Code::default(), senders: Senders::default(), gives_objects }
    }

    fn running(&self) -> &Running {
        self.server.running()
    }

    /// Runs a callback with `$server` in front.
    fn run<const N: usize>(&self, kind: EventKind, args: [Zval; N]) -> Outcome {
        self.run_on(0, kind, args)
    }

    /// Runs a port's callback with `$server` in front.
    fn run_on<const N: usize>(&self, port: u16, kind: EventKind, args: [Zval; N]) -> Outcome {
        match self.server.callback(kind, port.into()) {
            Some(callable) => callable.call(args),
            None => pending_end().map_or(Outcome::Returned, Outcome::Ended),
        }
    }

    /// Runs the callback for the beginning or the end of a connection; a reactor of -1 is the server.
    fn tell_of_connection(
        &self,
        server: Zval,
        kind: EventKind,
        port: u16,
        session: SessionId,
        reactor: i64,
        at_us: u64,
    ) -> Outcome {
        if self.gives_objects {
            let event = event_object::event(session.0.cast_signed(), reactor, at_us, Zval::null());
            self.run_on(port, kind, [server, event])
        } else {
            self.run_on(port, kind, [server, of_session(session), long(reactor)])
        }
    }

    /// Runs the callback of a user process.
    fn run_process(&self, index: usize) -> Outcome {
        if let Some(end) = pending_end() {
            return Outcome::Ended(end);
        }
        let Some(object) = self.server.process_object(index) else { return Outcome::Returned };
        match zend::native::<UserProcess>(&object, &process::CLASS) {
            Some(process) => process.run(object.shallow_clone()),
            None => Outcome::Returned,
        }
    }

    fn object(&self) -> Zval {
        self.object.shallow_clone()
    }

    /// Sets a public property of `$server`.
    fn publish(&self, name: &str, value: i64) {
        let Some(object) = self.object.object() else { return };
        let mut zval = Zval::new();
        zval.set_long(value);
        zend::set_property(&crate::server::CLASS, std::ptr::from_ref::<ZendObject>(object).cast_mut(), name, zval);
    }
}

impl Host for PhpHost<'_> {
    fn user_processes(&self) -> usize {
        self.server.process_count()
    }

    fn listens(&self, kind: EventKind, port: u16) -> bool {
        self.server.callback(kind, port.into()).is_some()
    }

    fn call(&mut self, event: Event) -> Outcome {
        let server = self.object();
        match event {
            Event::Start => self.run(EventKind::Start, [server]),
            Event::BeforeShutdown => self.run(EventKind::BeforeShutdown, [server]),
            Event::Shutdown => self.run(EventKind::Shutdown, [server]),
            Event::ManagerStart => self.run(EventKind::ManagerStart, [server]),
            Event::ManagerStop => self.run(EventKind::ManagerStop, [server]),
            Event::BeforeReload => self.run(EventKind::BeforeReload, [server]),
            Event::AfterReload { success } => {
                let mut flag = Zval::new();
                flag.set_bool(success);
                self.run(EventKind::AfterReload, [server, flag])
            }
            Event::WorkerStart(worker) => {
                let outcome = self.run(EventKind::WorkerStart, [server, of_worker(worker)]);
                if !matches!(outcome, Outcome::Ended(_)) {
                    let _ = guarded(Code::started);
                }
                outcome
            }
            Event::WorkerStop(worker) => self.run(EventKind::WorkerStop, [server, of_worker(worker)]),
            Event::WorkerExit(worker) => self.run(EventKind::WorkerExit, [server, of_worker(worker)]),
            Event::RequestTimeout { worker, session, seconds } => {
                let mut time = Zval::new();
                time.set_double(seconds);
                let session = session.map_or_else(|| long(0), of_session);
                self.run(EventKind::RequestTimeout, [server, of_worker(worker), session, time])
            }
            Event::WorkerError { worker, pid, exit_code, signal, session } if self.gives_objects => {
                let session = session.map_or(0, |session| session.0.cast_signed());
                let info = event_object::status_info(worker.0.into(), pid, exit_code, signal, session);
                self.run(EventKind::WorkerError, [server, info])
            }
            Event::WorkerError { worker, pid, exit_code, signal, session } => self.run(
                EventKind::WorkerError,
                [
                    server,
                    of_worker(worker),
                    long(pid.into()),
                    long(exit_code.into()),
                    long(signal.into()),
                    session.map_or_else(|| long(0), of_session),
                ],
            ),
            Event::UserProcess { index } => self.run_process(index),
            Event::Connect { session, reactor, port, at_us } => {
                self.tell_of_connection(server, EventKind::Connect, port, session, reactor.into(), at_us)
            }
            Event::Close { session, reactor, port, at_us } => {
                self.tell_of_connection(server, EventKind::Close, port, session, reactor.map_or(-1, i64::from), at_us)
            }
            Event::BufferFull { session, port } => {
                self.run_on(port, EventKind::BufferFull, [server, of_session(session)])
            }
            Event::BufferEmpty { session, port } => {
                self.run_on(port, EventKind::BufferEmpty, [server, of_session(session)])
            }
        }
    }

    fn fits(&self, len: usize) -> bool {
        zend::string_fits(len)
    }

    fn receive(&mut self, from: Origin, at_us: u64, payload: &Payload<'_>, taken: &mut dyn FnMut()) -> Outcome {
        let Some(callable) = self.server.callback(EventKind::Receive, from.port.into()) else {
            taken();
            return Outcome::Returned;
        };
        let fill = |room: &mut [MaybeUninit<u8>]| payload.copy_into(room);
        if self.gives_objects {
            let session = from.session.0.cast_signed();
            let arrange = |data| [event_object::event(session, from.reactor.into(), at_us, data)];
            return callable.call_with_bytes([self.object()], payload.len(), fill, taken, arrange);
        }
        let args = [self.object(), of_session(from.session), long(from.reactor.into())];
        callable.call_with_bytes(args, payload.len(), fill, taken, |data| [data])
    }

    fn packet(&mut self, from: Sender<'_>, payload: &Payload<'_>, taken: &mut dyn FnMut()) -> Outcome {
        let Some(callable) = self.server.callback(EventKind::Packet, from.port.into()) else {
            taken();
            return Outcome::Returned;
        };
        let args = [self.object()];
        let fill = |room: &mut [MaybeUninit<u8>]| payload.copy_into(room);
        if self.gives_objects {
            let arrange = |data| [event_object::packet(&from, self.running(), data)];
            return callable.call_with_bytes(args, payload.len(), fill, taken, arrange);
        }
        let arrange = |data| [data, self.senders.show(&from, self.running())];
        callable.call_with_bytes(args, payload.len(), fill, taken, arrange)
    }

    fn protocol_error(&mut self, from: Origin, code: i32, reason: &str) -> Outcome {
        let Some(callable) = self.server.callback(EventKind::ProtocolError, from.port.into()) else {
            return Outcome::Returned;
        };
        let args = [self.object(), of_session(from.session), long(from.reactor.into()), long(code.into())];
        let fill = |room: &mut [MaybeUninit<u8>]| copy_into(room, reason.as_bytes());
        callable.call_with_bytes(args, reason.len(), fill, &mut || {}, |reason| [reason])
    }

    fn hooks(&self) -> Rc<dyn Hooks> {
        Rc::new(self.server.hooks(self.object()))
    }

    fn interrupt(&mut self) -> Outcome {
        if zend::interrupt_is_pending() { guarded(zend::run_interrupt) } else { Outcome::Returned }
    }

    fn pending(&self) -> Option<String> {
        rotor_sys::signal::alarm_is_set().then(|| "an alarm (pcntl_alarm)".to_owned())
    }

    fn build(&self) -> String {
        let extensions = zend::extensions();
        let version = extensions.iter().find(|(name, _)| name == "standard").map_or("", |(_, version)| version);
        let shown: Vec<String> = extensions
            .iter()
            // Those that come with PHP have its version.
            .map(
                |(name, other)| {
                    if other.is_empty() || other == version { name.clone() } else { format!("{name} {other}") }
                },
            )
            .collect();
        format!(
            "rotor {} ({}, {}), PHP {version}, {}; extensions: {}",
            env!("CARGO_PKG_VERSION"),
            env!("ROTOR_PROFILE"),
            env!("ROTOR_RUSTC"),
            zend::c_library(),
            shown.join(", ")
        )
    }

    fn stack_reader(&self) -> StackReader {
        zend::read_stack
    }

    fn interrupter(&self) -> fn() {
        zend::ask_for_safe_point
    }

    fn before_fork(&mut self) {
        // What an output handler throws or asks for shows at the next callback.
        let _ = guarded(zend::flush_output);
    }

    fn renew_code(&mut self, complain: &mut dyn FnMut(String)) -> Outcome {
        let code = &mut self.code;
        guarded(|| {
            if let Some(why) = code.renew() {
                complain(why);
            }
        })
    }

    fn entered(&mut self, role: Role, process: Rc<Process>) {
        let (master, manager) = (process.master_pid(), process.manager_pid());
        let has_other_root = process.has_other_root();
        self.running().enter(process);
        let is_child = role != Role::Master;
        let title = match role {
            Role::Master => "rotor: master".to_owned(),
            Role::Manager => "rotor: manager".to_owned(),
            Role::EventWorker(worker) => format!("rotor: worker #{worker}"),
            Role::UserProcess(id) => format!("rotor: process #{id}"),
        };
        let _ = guarded(|| {
            process_title::set(&title);
            if is_child {
                // Else all workers would draw the numbers that the master would have drawn next.
                zend::call_function("mt_srand", &mut []);
            }
            self.publish("master_pid", master.into());
            self.publish("manager_pid", manager.into());
            if let Role::EventWorker(worker) | Role::UserProcess(worker) = role {
                self.code.enter(has_other_root);
                if matches!(role, Role::UserProcess(_)) {
                    // Its one callback is its whole life.
                    Code::started();
                }
                self.publish("worker_id", i64::from(worker.0));
                self.publish("worker_pid", i64::from(std::process::id()));
            }
        });
    }

    fn left(&mut self) {
        self.running().leave();
    }
}

fn long(number: i64) -> Zval {
    let mut zval = Zval::new();
    zval.set_long(number);
    zval
}

fn of_worker(worker: WorkerId) -> Zval {
    long(i64::from(worker.0))
}

fn of_session(session: SessionId) -> Zval {
    long(session.0.cast_signed())
}
