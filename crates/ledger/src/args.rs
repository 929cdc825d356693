//! The command line, and the plan that a valid one becomes.

use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::counts::Allowance;
use crate::message::{Framing, Large, in_alphabet};
use crate::socket::Target;

/// Sends verified requests to an echo server and keeps a ledger of what became of each.
///
/// Ends with 0 when every request was answered as allowed, with 1 when the ledger has an objection, with 2 when it
/// could not run.
#[derive(Debug, Parser)]
#[command(name = "ledger", version)]
pub struct Args {
    /// With TLS, whatever certificate the server has; each connection makes a whole handshake.
    #[arg(long)]
    pub tls: bool,
    /// Where the server listens.
    #[arg(long, default_value = "127.0.0.1")]
    pub host: String,
    /// Its TCP port.
    #[arg(long, required_unless_present = "unix")]
    pub port: Option<u16>,
    /// The path of its unix socket instead.
    #[arg(long, conflicts_with_all = ["port", "host"])]
    pub unix: Option<PathBuf>,
    /// Loopback addresses to connect from, in turn, 127.0.0.1 being the first: each has ports of its own.
    #[arg(long, default_value_t = 1)]
    pub sources: u32,
    /// closed: each answer makes room for the next request; open: requests at a fixed rate, latency counted from the
    /// intended time; churn: connect, one request, close, again; idle: connect and hold.
    #[arg(long, value_enum, default_value_t = Mode::Closed)]
    pub mode: Mode,
    /// Connections at once.
    #[arg(long, default_value_t = 1)]
    pub connections: usize,
    /// Requests without an answer per connection, in closed mode.
    #[arg(long, default_value_t = 1)]
    pub in_flight: usize,
    /// Bytes of a request without its framing: one size, or a range such as 1-64K (each request its own, by the seed).
    #[arg(long, default_value = "64", value_parser = parse_sizes)]
    pub size: (u64, u64),
    /// Makes one request in so many of another size, such as 1M/50: which ones, the seed says.
    #[arg(long, value_parser = parse_large)]
    pub large: Option<Large>,
    /// How requests are framed.
    #[arg(long, value_enum, default_value_t = FramingName::Raw)]
    pub framing: FramingName,
    /// The terminator of eof framing, up to 8 bytes; \r \n \t \0 \\ and \xHH are understood.
    #[arg(long, default_value = "\\r\\n", value_parser = parse_terminator)]
    pub terminator: Terminator,
    /// Requests in all, spread evenly over the connections.
    #[arg(long, conflicts_with = "seconds")]
    pub messages: Option<u64>,
    /// How long to measure (10 when --messages is not given either).
    #[arg(long)]
    pub seconds: Option<f64>,
    /// Seconds of load before measuring starts.
    #[arg(long, default_value_t = 0.0, conflicts_with = "messages")]
    pub warmup: f64,
    /// Requests per second over all connections, in open mode.
    #[arg(long)]
    pub rate: Option<f64>,
    /// Idle connections to hold open besides.
    #[arg(long, default_value_t = 0)]
    pub hold_idle: usize,
    /// Opens a connection again after it was reset, closed or refused.
    #[arg(long)]
    pub reconnect: bool,
    /// How churn ends a connection.
    #[arg(long, value_enum, default_value_t = Ending::Reset)]
    pub close: Ending,
    /// Makes sizes and bytes of the requests.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Event loops of this client.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// Connections that may be in the making at once.
    #[arg(long, default_value_t = 256)]
    pub connect_window: usize,
    /// Seconds without a byte in either direction after which open requests are given up.
    #[arg(long, default_value_t = 10.0)]
    pub patience: f64,
    /// Answers that take longer are counted as late.
    #[arg(long, default_value_t = 1000)]
    pub late_ms: u64,
    /// Connections that may be reset, closed by the server or refused.
    #[arg(long, default_value_t = 0)]
    pub allow_resets: u64,
    /// Answers of a connection may come in any order: where the server handles its messages side by side. Such answers
    /// are still counted.
    #[arg(long)]
    pub unordered: bool,
    /// Requests that may be lost on connections that stay open.
    #[arg(long, default_value_t = 0)]
    pub allow_lost: u64,
    /// The server's first process: CPU and memory of it and all its descendants are reported.
    #[arg(long)]
    pub pid: Option<i32>,
    /// Leaves the memory out: reading it makes the kernel walk the server's pages.
    #[arg(long)]
    pub no_memory: bool,
    /// Prints one JSON object instead of lines.
    #[arg(long)]
    pub json: bool,
}

/// An alias, since the argument parser takes a plain `Vec` for an option that may be given many times.
pub type Terminator = Vec<u8>;

/// What kind of load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// Each answer makes room for the next request.
    Closed,
    /// Requests at a fixed rate, whatever the answers do.
    Open,
    /// Connect, one request, close, again.
    Churn,
    /// Connect and hold.
    Idle,
}

impl Mode {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Churn => "churn",
            Self::Idle => "idle",
        }
    }
}

/// The framings by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FramingName {
    /// No framing: the echo is compared as a stream.
    Raw,
    /// Four bytes in front hold the size, big endian.
    Length,
    /// A terminator behind.
    Eof,
}

/// How a connection is ended by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Ending {
    /// By RST.
    Reset,
    /// By FIN, and then the server's.
    Finish,
}

/// When a run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// After this many requests.
    Messages(u64),
    /// After this time.
    Time(Duration),
}

/// A valid command line.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub target: Target,
    /// Whether it speaks TLS.
    pub is_tls: bool,
    /// The kind of load.
    pub mode: Mode,
    /// Connections that carry requests (in idle mode: that do nothing).
    pub connections: usize,
    /// Requests without an answer per connection.
    pub in_flight: usize,
    /// The smallest and the largest request.
    pub sizes: (u64, u64),
    /// The size that some of them have instead.
    pub large: Option<Large>,
    /// Their framing.
    pub framing: Framing,
    /// When it is over.
    pub extent: Extent,
    /// Load before measuring.
    pub warmup: Duration,
    /// Requests per second in open mode.
    pub rate: f64,
    /// Idle connections besides.
    pub hold_idle: usize,
    /// Whether a connection that ended is opened again.
    pub reconnect: bool,
    /// How churn ends a connection.
    pub ending: Ending,
    /// Of sizes and bytes.
    pub seed: u64,
    /// Event loops.
    pub threads: usize,
    /// Connections in the making at once.
    pub connect_window: usize,
    /// Without a byte for so long, open requests are given up.
    pub patience: Duration,
    /// From here on an answer is late.
    pub late_after: Duration,
    /// What is no objection.
    pub allowance: Allowance,
    /// The server's first process.
    pub pid: Option<i32>,
    /// Whether its memory is read.
    pub reads_memory: bool,
}

impl Args {
    /// Checks what belongs together.
    pub fn into_plan(self) -> Result<Plan, String> {
        let target = match (self.unix, self.port) {
            (Some(path), _) if self.sources == 1 => Target::Unix(path),
            (Some(_), _) => return Err("--sources belongs to TCP".into()),
            (None, port) => tcp(&self.host, port.unwrap_or(0), self.sources)?,
        };
        let framing = match self.framing {
            FramingName::Raw => Framing::Raw,
            FramingName::Length => Framing::Length,
            FramingName::Eof => Framing::Eof(self.terminator),
        };
        if self.unordered && framing == Framing::Raw {
            return Err("--unordered needs --framing length or eof: else nothing tells answers apart".into());
        }
        let extent = match self.messages {
            Some(messages) => Extent::Messages(messages),
            None => Extent::Time(duration("--seconds", self.seconds.unwrap_or(10.0))?),
        };
        if self.connections == 0 || self.in_flight == 0 || self.threads == 0 || self.connect_window == 0 {
            return Err("--connections, --in-flight, --threads and --connect-window must be at least 1".into());
        }
        let rate = match (self.mode, self.rate) {
            (Mode::Open, Some(rate)) if rate > 0.0 && rate.is_finite() => rate,
            (Mode::Open, _) => return Err("--mode open needs --rate, in requests per second".into()),
            (_, Some(_)) => return Err("--rate belongs to --mode open".into()),
            (_, None) => 0.0,
        };
        if self.mode == Mode::Idle && self.messages.is_some() {
            return Err("--mode idle sends no messages; give it --seconds".into());
        }
        Ok(Plan {
            target,
            is_tls: self.tls,
            mode: self.mode,
            connections: self.connections,
            in_flight: self.in_flight,
            sizes: self.size,
            large: self.large,
            framing,
            extent,
            warmup: duration("--warmup", self.warmup)?,
            rate,
            hold_idle: self.hold_idle,
            reconnect: self.reconnect,
            ending: self.close,
            seed: self.seed,
            threads: self.threads.min(self.connections),
            connect_window: self.connect_window,
            patience: duration("--patience", self.patience)?,
            late_after: Duration::from_millis(self.late_ms),
            allowance: Allowance { resets: self.allow_resets, lost: self.allow_lost, is_unordered: self.unordered },
            pid: self.pid,
            reads_memory: !self.no_memory,
        })
    }
}

fn tcp(host: &str, port: u16, sources: u32) -> Result<Target, String> {
    let address = (host, port)
        .to_socket_addrs()
        .map_err(|error| format!("--host {host}: {error}"))?
        .next()
        .ok_or_else(|| format!("--host {host}: no address"))?;
    // 127.0.0.0/8, without what may not be an address of a host.
    if sources == 0 || sources > 0x00ff_fffe {
        return Err("--sources must be 1 to 16777214".into());
    }
    if sources > 1 && !matches!(address, SocketAddr::V4(address) if address.ip().is_loopback()) {
        return Err(format!("--sources needs --host to be an IPv4 loopback address such as {}", Ipv4Addr::LOCALHOST));
    }
    Ok(Target::Tcp { address, sources })
}

fn duration(name: &str, seconds: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(seconds).map_err(|error| format!("{name} {seconds}: {error}"))
}

fn parse_sizes(text: &str) -> Result<(u64, u64), String> {
    let (smallest, largest) = text.split_once('-').unwrap_or((text, text));
    let (smallest, largest) = (parse_size(smallest)?, parse_size(largest)?);
    if smallest == 0 || smallest > largest || largest > u64::from(u32::MAX) {
        return Err("expected 1 to 4 GiB less one byte, the smaller size first".into());
    }
    Ok((smallest, largest))
}

fn parse_large(text: &str) -> Result<Large, String> {
    let (size, one_in) = text.split_once('/').ok_or("expected a size and one in how many, as 1M/50")?;
    let (size, one_in) = (parse_sizes(size)?, one_in.parse().map_err(|_| format!("{one_in}: expected a number"))?);
    if size.0 != size.1 || one_in == 0 {
        return Err("expected one size, and at least 1".into());
    }
    Ok(Large { size: size.0, one_in })
}

fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    let number: u32 = digits.parse().map_err(|_| format!("{text}: expected bytes, as 64, 64K or 1M"))?;
    Ok(u64::from(number) << shift)
}

fn parse_terminator(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'0') => 0,
            Some(b'\\') => b'\\',
            Some(b'x') => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                u8::from_str_radix(&digits, 16).map_err(|_| format!("\\x{digits}: expected two hexadecimal digits"))?
            }
            _ => return Err("expected \\r \\n \\t \\0 \\\\ or \\xHH after a backslash".into()),
        });
    }
    if bytes.is_empty() || bytes.len() > 8 {
        return Err("expected 1 to 8 bytes".into());
    }
    // Only then can it never stand inside a payload.
    if bytes.iter().all(|&byte| in_alphabet(byte) || byte.is_ascii_hexdigit()) {
        return Err("expected a byte that is neither a letter a-z nor a digit: payloads consist of those".into());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str) -> Result<Plan, String> {
        parse(&format!("--port 1 {line}"))
    }

    fn parse(line: &str) -> Result<Plan, String> {
        let words = ["ledger"].into_iter().chain(line.split_whitespace());
        Args::try_parse_from(words).map_err(|error| error.to_string())?.into_plan()
    }

    #[test]
    fn the_server_has_a_port_or_a_path() {
        assert_eq!(parse("--unix /a/b").unwrap().target, Target::Unix("/a/b".into()));
        let address = (Ipv4Addr::LOCALHOST, 1).into();
        assert_eq!(plan("--sources 3").unwrap().target, Target::Tcp { address, sources: 3 });
        let beyond = "--sources 16777215";
        for refused in
            ["", "--unix a --port 1", "--unix a --sources 2", "--port 1 --sources 0", "--port 1 --host ::1 --sources 2"]
        {
            assert!(parse(refused).is_err(), "{refused}");
        }
        assert!(plan(beyond).is_err());
    }

    #[test]
    fn answers_without_framing_have_an_order() {
        assert!(plan("--unordered").is_err());
        assert!(plan("--unordered --framing length").unwrap().allowance.is_unordered);
        assert!(!plan("--framing length").unwrap().allowance.is_unordered);
    }

    #[test]
    fn sizes_are_one_number_or_a_range_with_units() {
        assert_eq!(plan("--size 64").unwrap().sizes, (64, 64));
        assert_eq!(plan("--size 1-64K").unwrap().sizes, (1, 65536));
        assert_eq!(plan("--size 256M").unwrap().sizes, (1 << 28, 1 << 28));
        for refused in ["0", "9-3", "x", "5G", "-4", "1-"] {
            assert!(plan(&format!("--size={refused}")).is_err(), "{refused}");
        }
    }

    #[test]
    fn one_request_in_some_may_have_another_size() {
        assert_eq!(plan("--large 1M/50").unwrap().large, Some(Large { size: 1 << 20, one_in: 50 }));
        for refused in ["1M", "1M/0", "1M/x", "1-2M/5", "0/5"] {
            assert!(plan(&format!("--large={refused}")).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_terminator_that_a_payload_could_hold_is_refused() {
        assert_eq!(plan("--framing eof").unwrap().framing, Framing::Eof(b"\r\n".to_vec()));
        assert_eq!(plan("--framing eof --terminator \\x00|").unwrap().framing, Framing::Eof(b"\0|".to_vec()));
        assert!(plan("--framing eof --terminator end").is_err());
        assert!(plan("--framing eof --terminator 123456789").is_err());
    }

    #[test]
    fn a_rate_and_open_mode_need_each_other() {
        assert!(plan("--mode open").is_err());
        assert!(plan("--rate 5").is_err());
        assert_eq!(plan("--mode open --rate 5").unwrap().rate.to_bits(), 5f64.to_bits());
    }

    #[test]
    fn messages_exclude_seconds() {
        assert!(plan("--messages 5 --seconds 1").is_err());
        assert_eq!(plan("--messages 5").unwrap().extent, Extent::Messages(5));
        assert_eq!(plan("").unwrap().extent, Extent::Time(Duration::from_secs(10)));
    }
}
