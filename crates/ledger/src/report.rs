//! The result of a run, for people and for programs.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use crate::counts::Counts;
use crate::proc::Memory;

/// Everything a run found out.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Whether nothing is objected to.
    pub passed: bool,
    /// What is.
    pub objections: Vec<String>,
    /// The kind of load.
    pub mode: &'static str,
    /// Connections that carried requests.
    pub connections: usize,
    /// What made sizes and bytes.
    pub seed: u64,
    /// The ledger.
    pub counts: Counts,
    /// The time that was measured, in seconds.
    pub seconds: f64,
    /// Requests answered in that time.
    pub measured: u64,
    /// The same per second.
    pub requests_per_second: f64,
    /// Latencies.
    pub latency_us: Latency,
    /// Idle connections that were open at the end.
    pub idle_held: u64,
    /// CPU and memory of the server.
    pub server: Option<Server>,
    /// CPU seconds of this client in the measured time.
    pub client_cpu_seconds: f64,
}

/// Latencies in microseconds: from sending to the whole answer; in an open loop from the intended time, in churn from
/// the start of connecting.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Latency {
    /// The median.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1000.
    pub p999: f64,
    /// The longest.
    pub max: f64,
    /// The mean.
    pub mean: f64,
    /// How many there are.
    pub samples: u64,
}

/// CPU and memory of the server's process tree.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Server {
    /// CPU seconds in the measured time.
    pub cpu_seconds: f64,
    /// Of these, in user space (in ticks of 10 ms).
    pub user_seconds: f64,
    /// Of these, in the kernel (in ticks of 10 ms).
    pub system_seconds: f64,
    /// CPU microseconds per request answered in the measured time.
    pub cpu_us_per_request: f64,
    /// Memory before the first connection.
    pub memory_before: Option<Memory>,
    /// Memory when all connections were made, before the first request.
    pub memory_connected: Option<Memory>,
    /// Memory at half of the measured time or messages.
    pub memory_half: Option<Memory>,
    /// Memory at the end, all connections still open.
    pub memory_end: Option<Memory>,
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let counts = &self.counts;
        let Counts { sent, answered, cut, lost, doubled, reordered, crossed, corrupt, late, .. } = counts;
        let Counts { connected, reconnected, refused, reset, closed, .. } = counts;
        writeln!(out, "{}, {} connections, seed {}", self.mode, self.connections, self.seed)?;
        writeln!(out, "requests     {sent} sent, {answered} answered, {cut} cut, {lost} lost, {late} late")?;
        writeln!(out, "answers      {doubled} doubled, {reordered} reordered, {crossed} crossed, {corrupt} corrupt")?;
        writeln!(
            out,
            "connections  {connected} made, {reconnected} of them again, {refused} refused, {reset} reset, {closed} closed"
        )?;
        writeln!(out, "rate         {:.0} requests/s in {:.2} s", self.requests_per_second, self.seconds)?;
        let Latency { p50, p99, p999, max, .. } = self.latency_us;
        writeln!(out, "latency      p50 {p50:.1} µs, p99 {p99:.1} µs, p99.9 {p999:.1} µs, max {max:.1} µs")?;
        if self.idle_held > 0 {
            writeln!(out, "idle         {} connections held to the end", self.idle_held)?;
        }
        if let Some(server) = &self.server {
            writeln!(
                out,
                "server CPU   {:.3} µs per request, {:.2} s ({:.2} user, {:.2} system)",
                server.cpu_us_per_request, server.cpu_seconds, server.user_seconds, server.system_seconds
            )?;
            let stages = [
                ("before", server.memory_before),
                ("connected", server.memory_connected),
                ("half", server.memory_half),
                ("end", server.memory_end),
            ];
            for (stage, memory) in stages.iter().filter_map(|(stage, memory)| Some((stage, (*memory)?))) {
                let (pss, rss) = (memory.pss >> 10, memory.rss >> 10);
                writeln!(out, "memory       {stage}: PSS {pss} KiB, RSS {rss} KiB, {} processes", memory.processes)?;
            }
        }
        writeln!(out, "client CPU   {:.2} s", self.client_cpu_seconds)?;
        for fault in &counts.faults {
            writeln!(out, "             {fault}")?;
        }
        if self.passed { write!(out, "passed") } else { write!(out, "failed: {}", self.objections.join("; ")) }
    }
}
