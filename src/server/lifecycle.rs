//! The methods before the server runs, and `start()`.

use ext_php_rs::types::{ZendHashTable, ZendObject, ZendStr, Zval};
use rotor_core::error::Error;
use rotor_core::host::End;
use rotor_core::ports::{Bound, SockType};
use rotor_core::server;
use rotor_core::settings::{Machine, Names, Settings};

use super::constants::{MODE_BASE, MODE_PROCESS, SOCK_TCP, SSL};
use super::{CLASS, EXISTS, Server};
use crate::aliases::names;
use crate::call::{Callable, attempt};
use crate::callbacks::{about_unknown_event, event_named, name_of};
use crate::connections::{self, Connections};
use crate::errors::{exception, misused, server_exception, setting_exception, warn_of_settings, wrong_state};
use crate::functions::Given;
use crate::host::PhpHost;
use crate::process::{self, UserProcess};
use crate::zend::{self, Answer, Call, Fault, OutsideFibers, Value};
use crate::{settings, stranger};

/// `__construct(string $host = '0.0.0.0', int $port = 0, int $mode = self::MODE_PROCESS, int $sock_type = self::SOCK_TCP)`
pub fn construct(call: &mut Call<'_>) -> Answer {
    let host = call.bytes(0)?.unwrap_or(b"0.0.0.0");
    let port = call.int(1)?.unwrap_or(0);
    let mode = call.int(2)?.unwrap_or(MODE_PROCESS);
    let sock_type = call.int(3)?.unwrap_or(SOCK_TCP);

    let refuse = |what: String| exception(format!("Rotor\\Server::__construct(): {what}"));
    let sapi = zend::sapi();
    if sapi != "cli" {
        return Err(refuse(format!("a server runs under the CLI only (php script.php), this is {sapi}")));
    }
    if EXISTS.get() {
        return Err(refuse("this process has a server already; there can be one at a time".into()));
    }
    if mode == MODE_BASE && names() == Names::Swoole {
        call.warn("MODE_BASE does not exist yet, MODE_PROCESS is used".into());
    } else if mode == MODE_BASE {
        return Err(refuse("MODE_BASE does not exist yet; use MODE_PROCESS".into()));
    } else if mode != MODE_PROCESS {
        return Err(refuse(format!("$mode must be Rotor\\Server::MODE_PROCESS (2), {mode} given")));
    }
    let host = std::str::from_utf8(host).map_err(|_| refuse("$host must be an IP address".into()))?;
    let port =
        u16::try_from(port).map_err(|_| refuse(format!("$port must be 0 (any free one) to 65535, {port} given")))?;
    let (kind, is_tls) = socket_type(sock_type).map_err(refuse)?;

    let is_passed = Bound::means_passed(host, port);
    let mut bound = server::Server::bind(host, port, kind, names())
        .map_err(|error| server_exception("Rotor\\Server::__construct", &error))?;
    if is_tls {
        // Of those that systemd has opened, some may carry datagrams.
        let streams: Vec<_> =
            (0..bound.port_count()).filter(|place| !bound.port(*place).sock_type.is_datagram()).collect();
        streams.into_iter().for_each(|place| bound.secure(place));
    }
    let infos: Vec<_> = (0..bound.port_count()).map(|place| bound.port(place).clone()).collect();
    let host = if is_passed { infos[0].address.host() } else { host.to_owned() };
    let machine = machine("__construct")?;
    let server = Server::new(bound, machine.clone());
    let running = server.running.clone();
    // There is one at a time, and `EXISTS` says there was none: the object has no Rust side yet.
    call.construct(server);

    let object = call.object();
    let set = |name, value| zend::set_property(&CLASS, object, name, value);
    set("host", text(&host));
    set("port", long(infos[0].address.number().into()));
    set("type", long(if is_passed { infos[0].sock_type as i64 } else { kind as i64 }));
    set("ssl", flag(infos[0].is_tls));
    set("mode", long(MODE_PROCESS));
    let this = call.this::<Server>()?;
    this.show_primary(&infos[0], object);
    for info in &infos[1..] {
        this.add_port(info, object, machine.clone());
    }
    set("connections", zend::new_object(&connections::CLASS, Connections::new(running, None)));
    Ok(Value::Null)
}

/// `set(array $settings): bool`
pub fn set(call: &mut Call<'_>) -> Answer {
    let array = call.array(0)?;
    let mut given = settings::from_php(array);
    let functions = Given::take(array, &mut given);
    let this = call.this::<Server>()?;
    this.not_started()?;
    let before: Vec<&'static str> = this.settings.borrow().values().map(|(name, _)| name).collect();
    let warnings = this.settings.borrow_mut().merge(given, names()).map_err(|error| setting_exception(&error))?;
    let primary = this.ports.borrow()[0].clone();
    primary.functions.put(functions);
    settings::publish(&CLASS, call.object(), &this.settings, &primary.functions, &before);
    Ok(warn_of_settings(call, warnings))
}

/// `on(string $event, callable $callback): bool`
pub fn on(call: &mut Call<'_>) -> Answer {
    let name = call.bytes(0)?.unwrap_or_default();
    let Some(given) = call.any(1) else { return Err(Fault::Pending) };
    let this = call.this::<Server>()?;
    this.not_started()?;
    let Some(kind) = event_named(name) else {
        let about = about_unknown_event(name);
        return Err(match names() {
            Names::Rotor => exception(format!("Rotor\\Server::on(): {about}")),
            Names::Swoole => misused(about),
        });
    };
    let callable = Callable::resolve(given.dereference()).map_err(|why| call.wrong_callback(1, &why))?;
    this.callbacks_for(kind).set(kind, callable);
    Ok(Value::Bool(true))
}

/// `listen(string $host, int $port, int $sock_type): Rotor\Server\Port|false`
pub fn listen(call: &mut Call<'_>) -> Answer {
    let host = call.bytes(0)?.unwrap_or_default();
    let port = call.int(1)?.unwrap_or_default();
    let sock_type = call.int(2)?.unwrap_or_default();
    let this = call.this::<Server>()?;
    this.not_started()?;
    let refuse = |what: String| exception(format!("Rotor\\Server::listen(): {what}"));
    let host = std::str::from_utf8(host).map_err(|_| refuse("$host must be an address or a path".into()))?;
    let port =
        u16::try_from(port).map_err(|_| refuse(format!("$port must be 0 (any free one) to 65535, {port} given")))?;
    let (kind, is_tls) = socket_type(sock_type).map_err(refuse)?;
    let info = {
        let mut unstarted = this.unstarted.borrow_mut();
        let Some(server) = unstarted.as_mut() else {
            return Err(wrong_state("server is running; call it before start()"));
        };
        let place = server
            .listen(host, port, kind, names())
            .map_err(|error| server_exception("Rotor\\Server::listen", &error))?;
        if is_tls {
            server.secure(place);
        }
        server.port(place).clone()
    };
    let object = this.add_port(&info, call.object(), machine("listen")?);
    Ok(Value::Zval(object))
}

/// `getCallback(string $event): Closure|string|array|null`
pub fn get_callback(call: &mut Call<'_>) -> Answer {
    let name = call.bytes(0)?.unwrap_or_default();
    let this = call.this::<Server>()?;
    let callable = event_named(name).and_then(|kind| this.callbacks_for(kind).get(kind));
    Ok(callable.map_or(Value::Null, |callable| Value::Zval(callable.zval().shallow_clone())))
}

/// `addProcess(Rotor\Process $process): int|false`
pub fn add_process(call: &mut Call<'_>) -> Answer {
    let (object, process) = call.native::<UserProcess>(0, &process::CLASS)?;
    let this = call.this::<Server>()?;
    this.not_started()?;
    if !process.add() {
        return Err(wrong_state("the process was added or started before; make another one"));
    }
    let index = {
        let mut processes = this.processes.borrow_mut();
        processes.push(object.shallow_clone());
        i64::try_from(processes.len() - 1).unwrap_or(i64::MAX)
    };
    process.set_id(object, index);
    Ok(Value::Int(index))
}

/// `start(): bool`
pub fn start(call: &mut Call<'_>) -> Answer {
    let this = call.this::<Server>()?;
    // From here on nothing can be changed: an error handler that a warning runs may try to.
    if this.started.replace(true) {
        return Err(wrong_state("a server starts once"));
    }
    let settings = settings_to_start(this).inspect_err(|_| this.started.set(false))?;
    let Some(bound) = this.unstarted.take() else { return Err(wrong_state("a server starts once")) };
    show_what_holds(call.object(), &settings);
    stranger::watch_forks();
    // A limit on the script's time is over. In the master it would count the time of all reactors.
    zend::end_time_limit();
    let outside = OutsideFibers::enter();
    let mut host = PhpHost::new(this, call.object_zval(), settings.event_object);
    let end = server::start(bound, settings, &mut host);
    this.running.leave();
    drop(outside);
    match end.map_err(|error| server_exception("Rotor\\Server::start", &error))? {
        End::Stopped => Ok(Value::Bool(true)),
        End::Leave { code } => {
            zend::request_exit(code);
            Err(Fault::Pending)
        }
        End::Exited => Err(Fault::Pending),
        End::BailedOut => Err(Fault::BailedOut),
    }
}

/// Shows in `$setting` what holds of those settings that callbacks calculate with, where they were not set.
fn show_what_holds(object: *mut ZendObject, settings: &Settings) {
    let shown = zend::property(&CLASS, object, "setting");
    let mut array = shown.array().map_or_else(ZendHashTable::new, ToOwned::to_owned);
    drop(shown);
    let what_holds = [
        ("worker_num", settings.worker_num.into()),
        ("task_worker_num", 0),
        ("output_buffer_size", i64::try_from(settings.output_buffer_size).unwrap_or(i64::MAX)),
        ("max_connection", settings.max_connection.into()),
    ];
    for (name, number) in what_holds {
        if array.get(name).is_none() {
            // Fails for a key with a NUL only.
            let _ = array.insert(name, number);
        }
    }
    let mut zval = Zval::new();
    zval.set_hashtable(array);
    zend::set_property(&CLASS, object, "setting", zval);
}

/// The settings of a server that can be started, with a word about what is doubtful.
fn settings_to_start(this: &Server) -> Result<Settings, Fault> {
    if let Some((place, kind)) = this.lacks_callback() {
        let whose = if this.port_count() == 1 { String::new() } else { format!(" on port {place}") };
        let name = name_of(kind).to_lowercase();
        return Err(exception(format!(
            "Rotor\\Server::start(): the event \"{name}\" has no callback{whose}; register one with on('{name}', ...)",
        )));
    }
    let (settings, warnings) = this.resolve(&machine("start")?).map_err(|error| setting_exception(&error))?;
    for warning in warnings {
        // Now and not after the server has stopped.
        attempt(|| zend::warn_now(&warning.to_string()))?;
    }
    for (port, kind, about) in this.unsafe_events(&settings) {
        if names() == Names::Rotor {
            return Err(exception(format!(
                "Rotor\\Server::start(): {about}; choose mode 2, 4 or 8, leave the callback out, or set enable_unsafe_event"
            )));
        }
        port.callbacks.remove(kind);
        attempt(|| zend::warn_now(&format!("{about}; the callback is removed")))?;
    }
    Ok(settings)
}

/// What the core can listen on, and whether with TLS.
fn socket_type(given: i64) -> Result<(SockType, bool), String> {
    let (sock_type, is_tls) = (given & !SSL, given & SSL != 0);
    match (SockType::from_number(sock_type), sock_type) {
        (Some(kind), _) if is_tls && kind.is_datagram() => {
            Err("datagrams with TLS (DTLS) do not exist here; leave SSL out".into())
        }
        (Some(kind), _) => Ok((kind, is_tls)),
        (None, _) => Err(format!(
            "$sock_type must be Rotor\\Server::SOCK_TCP (1), SOCK_UDP (2), SOCK_TCP6 (3), SOCK_UDP6 (4), \
             SOCK_UNIX_STREAM (5) or SOCK_UNIX_DGRAM (6), {given} given"
        )),
    }
}

/// The machine, with as many descriptors as it allows.
fn machine(method: &str) -> Result<Machine, Fault> {
    match rotor_sys::limits::raise_descriptor_limit() {
        Ok(limit) => Ok(Machine::detect(limit)),
        Err(error) => {
            let error = Error::system("cannot raise the limit of open files", &error);
            Err(server_exception(&format!("Rotor\\Server::{method}"), &error))
        }
    }
}

fn flag(flag: bool) -> Zval {
    let mut zval = Zval::new();
    zval.set_bool(flag);
    zval
}

fn long(number: i64) -> Zval {
    let mut zval = Zval::new();
    zval.set_long(number);
    zval
}

fn text(text: &str) -> Zval {
    let mut zval = Zval::new();
    zval.set_zend_string(ZendStr::new(text, false));
    zval
}
