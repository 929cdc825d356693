//! A whole run: threads that load the server, and this one, which measures it meanwhile.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::{io, thread};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::args::{Extent, Plan};
use crate::clock::{Shared, Window};
use crate::counts::Counts;
use crate::load::{Load, Outcome};
use crate::measure::Measure;
use crate::message::Recipe;
use crate::proc::{self, CpuTime, Memory};
use crate::report::{Latency, Report, Server};

/// Runs a plan to its end.
///
/// An error means that it could not run (no descriptors, no such process); what the server did wrong is in the report.
pub fn run(plan: &Plan) -> io::Result<Report> {
    raise_descriptor_limit()?;
    let recipe = Recipe::new(plan.seed, plan.sizes, plan.framing.clone()).with_large(plan.large);
    let shared = Shared::new(plan.threads);
    let mut watch = Watch::new(plan);
    watch.server.memory_before = watch.memory()?;
    let loads = (0..plan.threads)
        .map(|index| Load::new(plan, &recipe, &shared, index))
        .collect::<io::Result<Vec<Load<'_>>>>()?;
    let (outcomes, seconds) = thread::scope(|scope| {
        let threads: Vec<_> = loads.into_iter().map(|load| scope.spawn(move || load.run())).collect();
        shared.stage.wait();
        let connected = watch.connected();
        shared.start();
        let window = shared.window(plan);
        shared.stage.wait();
        let watched = connected.and_then(|()| watch.follow(&shared, window));
        shared.stage.wait();
        let ended = watched.and_then(|at_ns| watch.ended(at_ns, &shared));
        shared.stage.wait();
        let outcomes: io::Result<Vec<Outcome>> =
            threads.into_iter().map(|thread| thread.join().expect("a thread of the load does not panic")).collect();
        let (outcomes, end_ns) = (outcomes?, ended?);
        Ok::<_, io::Error>((outcomes, shared_seconds(window, end_ns, plan)))
    })?;
    Ok(report(plan, &outcomes, seconds, &watch))
}

/// Raises the soft limit of open descriptors to the hard one.
pub fn raise_descriptor_limit() -> io::Result<()> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?)
}

/// What the measured time is, once its end is known.
#[derive(Debug, Clone, Copy)]
enum Seconds {
    Known(f64),
    /// Until the last answer.
    UntilLast(u64),
}

fn shared_seconds(window: Window, end_ns: u64, plan: &Plan) -> Seconds {
    match plan.extent {
        Extent::Messages(_) => Seconds::UntilLast(window.measured_ns),
        Extent::Time(_) => Seconds::Known(between(window.measured_ns, end_ns)),
    }
}

fn between(from_ns: u64, to_ns: u64) -> f64 {
    Duration::from_nanos(to_ns.saturating_sub(from_ns)).as_secs_f64()
}

/// The looks at the server and at ourselves.
struct Watch<'a> {
    plan: &'a Plan,
    server: Server,
    server_cpu: CpuTime,
    own_cpu: CpuTime,
    used: CpuTime,
    own_used: CpuTime,
}

impl<'a> Watch<'a> {
    fn new(plan: &'a Plan) -> Self {
        let none = CpuTime::default();
        Self { plan, server: Server::default(), server_cpu: none, own_cpu: none, used: none, own_used: none }
    }

    fn memory(&self) -> io::Result<Option<Memory>> {
        let pid = self.plan.pid.filter(|_| self.plan.reads_memory);
        pid.map(proc::memory).transpose()
    }

    fn cpu(&self) -> io::Result<(CpuTime, CpuTime)> {
        let server = self.plan.pid.map_or(Ok(CpuTime::default()), proc::cpu)?;
        let own = proc::cpu(i32::try_from(std::process::id()).unwrap_or(0))?;
        Ok((server, own))
    }

    fn connected(&mut self) -> io::Result<()> {
        if self.plan.reads_memory && self.plan.pid.is_some() {
            // The kernel says connected before the server has accepted.
            thread::sleep(SETTLE);
        }
        self.server.memory_connected = self.memory()?;
        Ok(())
    }

    /// Measures from the window's start to its end or the end of the load; says when that was.
    fn follow(&mut self, shared: &Shared, window: Window) -> io::Result<u64> {
        let is_over = || shared.over.load(Relaxed) == self.plan.threads;
        sleep_until(shared, window.measured_ns, is_over);
        (self.server_cpu, self.own_cpu) = self.cpu()?;
        match self.plan.extent {
            Extent::Time(_) => {
                let half_ns = window.measured_ns + (window.end_ns - window.measured_ns) / 2;
                sleep_until(shared, half_ns, is_over);
            }
            Extent::Messages(total) => {
                let is_half = || shared.answered.load(Relaxed) >= total / 2;
                while !is_half() && !is_over() {
                    thread::sleep(LOOK);
                }
            }
        }
        self.server.memory_half = self.memory()?;
        sleep_until(shared, window.end_ns, is_over);
        self.measure_cpu()?;
        Ok(shared.now_ns())
    }

    fn measure_cpu(&mut self) -> io::Result<()> {
        let (server, own) = self.cpu()?;
        self.used = server.since(&self.server_cpu);
        self.own_used = own.since(&self.own_cpu);
        Ok(())
    }

    fn ended(&mut self, at_ns: u64, shared: &Shared) -> io::Result<u64> {
        self.server.memory_end = self.memory()?;
        Ok(at_ns.min(shared.now_ns()))
    }
}

fn sleep_until(shared: &Shared, then_ns: u64, is_over: impl Fn() -> bool) {
    loop {
        let left = shared.until(then_ns);
        if left.is_zero() || is_over() {
            return;
        }
        thread::sleep(left.min(LOOK));
    }
}

fn report(plan: &Plan, outcomes: &[Outcome], seconds: Seconds, watch: &Watch<'_>) -> Report {
    let mut counts = Counts::default();
    let mut measure: Option<Measure> = None;
    for outcome in outcomes {
        counts.add(&outcome.counts);
        match &mut measure {
            Some(sum) => sum.add(&outcome.measure),
            None => measure = Some(outcome.measure.clone()),
        }
    }
    let measure = measure.expect("there is at least one thread");
    let seconds = match seconds {
        Seconds::Known(seconds) => seconds,
        Seconds::UntilLast(start_ns) => between(start_ns, measure.last_ns),
    };
    let objections = counts.objections(plan.allowance);
    let mut server = watch.server;
    server.cpu_seconds = watch.used.total.as_secs_f64();
    server.user_seconds = watch.used.user.as_secs_f64();
    server.system_seconds = watch.used.system.as_secs_f64();
    server.cpu_us_per_request = per(server.cpu_seconds * 1e6, measure.answered);
    Report {
        passed: objections.is_empty(),
        objections,
        mode: plan.mode.name(),
        connections: plan.connections,
        seed: plan.seed,
        seconds,
        measured: measure.answered,
        requests_per_second: if seconds > 0.0 { number(measure.answered) / seconds } else { 0.0 },
        latency_us: Latency {
            p50: measure.quantile_us(0.5),
            p99: measure.quantile_us(0.99),
            p999: measure.quantile_us(0.999),
            max: measure.max_us(),
            mean: measure.mean_us(),
            samples: measure.samples(),
        },
        idle_held: outcomes.iter().map(|outcome| outcome.idle_held).sum(),
        server: plan.pid.map(|_| server),
        client_cpu_seconds: watch.own_used.total.as_secs_f64(),
        counts,
    }
}

fn per(sum: f64, count: u64) -> f64 {
    if count == 0 { 0.0 } else { sum / number(count) }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

const LOOK: Duration = Duration::from_millis(10);
const SETTLE: Duration = Duration::from_millis(300);
