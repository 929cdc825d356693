//! `make bench`: echo through Rotor beside the raw epoll echo, interleaved, in rounds.
//!
//! Figures, not a test: it ends with 0 whatever they are, and with 1 only when it could not measure.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs};

use clap::Parser;
use rotor_benches::crowd::{CROWDS, Crowd, FAST, MOST_TIMES, SCRIPT};
use rotor_benches::noise::Look;
use rotor_benches::scenario::{SCENARIOS, Scenario, named};
use rotor_benches::server::Server;
use rotor_benches::summary::{Figures, Round, Summary, median};
use rotor_benches::{picture, rawecho};
use serde_json::Value;

/// Measures echo through Rotor beside a raw epoll echo.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Args {
    /// Which ones, of a, b, c, d, e2, r, rp, s, sh, sr, sw; all when not given.
    #[arg(long)]
    scenarios: Option<String>,
    /// Quiet rounds of each scenario.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Rounds of each scenario at most, quiet or not; three times the quiet ones when not given.
    #[arg(long)]
    most_rounds: Option<usize>,
    /// Seconds measured in each run.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// One round of half a second.
    #[arg(long)]
    short: bool,
    /// Where the picture goes.
    #[arg(long, default_value = "docs/bench.svg")]
    out: PathBuf,
    /// The PHP to run; $PHP or php when not given.
    #[arg(long)]
    php: Option<OsString>,
    /// The extension; $ROTOR_EXTENSION or target/release/librotor.so when not given.
    #[arg(long)]
    extension: Option<PathBuf>,
    /// The server script.
    #[arg(long, default_value = "benches/echo.php")]
    script: PathBuf,
    /// Another server in Rotor's place: a command of words, {port} and {options} among them.
    #[arg(long, hide = true)]
    rotor_command: Option<String>,
}

fn main() -> ExitCode {
    // The raw echo and the client are processes of their own, and both are in this program.
    let words: Vec<OsString> = env::args_os().collect();
    match words.get(1).and_then(|word| word.to_str()) {
        Some("rawecho") => return rawecho::command(words.into_iter().skip(1)),
        Some("ledger") => return ledger::command(words.into_iter().skip(1)),
        _ => {}
    }
    match Bench::new(Args::parse()).and_then(|bench| bench.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Bench {
    args: Args,
    scenarios: Vec<&'static Scenario>,
    crowds: Vec<&'static Crowd>,
    own: PathBuf,
}

impl Bench {
    fn new(mut args: Args) -> io::Result<Self> {
        if args.short {
            (args.rounds, args.seconds) = (1, 0.5);
            args.most_rounds.get_or_insert(1);
        }
        let (scenarios, crowds) = match &args.scenarios {
            Some(list) => named(list).map_err(io::Error::other)?,
            None => (SCENARIOS.iter().collect(), CROWDS.iter().collect()),
        };
        if args.rounds == 0 {
            return Err(io::Error::other("--rounds must be at least 1"));
        }
        let extension = args.extension.take().or_else(|| env::var_os("ROTOR_EXTENSION").map(PathBuf::from));
        let extension = extension.unwrap_or_else(|| "target/release/librotor.so".into());
        // PHP looks for a name without a leading slash in its own directory.
        let extension = fs::canonicalize(&extension).unwrap_or(extension);
        if args.rotor_command.is_none() && !extension.exists() {
            return Err(io::Error::other(format!("{} is not there; `make build` makes it", extension.display())));
        }
        args.extension = Some(extension);
        Ok(Self { args, scenarios, crowds, own: env::current_exe()? })
    }

    fn run(&self) -> io::Result<()> {
        let mut rounds: Vec<Vec<Round>> = vec![Vec::new(); self.scenarios.len()];
        let most = self.args.most_rounds.unwrap_or(3 * self.args.rounds);
        for number in 1..=most {
            for (scenario, rounds) in self.scenarios.iter().zip(&mut rounds) {
                if rounds.iter().filter(|round| round.is_quiet()).count() < self.args.rounds {
                    rounds.push(self.round(scenario, number)?);
                }
            }
        }
        let summaries: Vec<Summary> = (self.scenarios.iter().zip(&rounds))
            .filter_map(|(scenario, rounds)| Summary::new(scenario, rounds))
            .collect();
        let mut out = io::stdout().lock();
        for summary in &summaries {
            writeln!(out)?;
            for line in summary.lines() {
                writeln!(out, "{line}")?;
            }
        }
        drop(out);
        for crowd in &self.crowds {
            self.beside(crowd)?;
        }
        if summaries.is_empty() {
            return Ok(());
        }
        if let Some(folder) = self.args.out.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&self.args.out, picture::draw(&summaries))?;
        writeln!(io::stdout().lock(), "\npicture: {}", self.args.out.display())
    }

    /// Fast clients with and without a crowd of slow ones beside them.
    fn beside(&self, crowd: &'static Crowd) -> io::Result<()> {
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        for number in 1..=self.args.rounds {
            let with_crowd = |is_there: bool| -> io::Result<Figures> {
                let server = Server::start(false, |port| self.rotor(SCRIPT, port))?;
                let at_work = is_there.then(|| crowd.begin(server.port)).transpose()?;
                let (figures, _) = self.load(&server, FAST, crowd.name)?;
                drop(at_work);
                Ok(figures)
            };
            let first = with_crowd(number % 2 == 0)?;
            let second = with_crowd(number % 2 == 1)?;
            let (without, with) = if number % 2 == 1 { (first, second) } else { (second, first) };
            writeln!(
                io::stdout().lock(),
                "round {number} {:2}: p99 {:.1} µs alone, {:.1} µs beside them",
                crowd.name,
                without.p99,
                with.p99
            )?;
            alone.push(without);
            beside.push(with);
        }
        let middle = |figures: &[Figures], of: fn(&Figures) -> f64| median(figures.iter().map(of)).unwrap_or(f64::NAN);
        let mut out = io::stdout().lock();
        writeln!(out, "\n{}: 100 fast clients, 4,000/s, beside {} (rounds: {})", crowd.name, crowd.title, alone.len())?;
        for (who, figures) in [("alone", &alone), ("beside", &beside)] {
            let [rate, p50, p99, p999] = [
                middle(figures, |one| one.rate),
                middle(figures, |one| one.p50),
                middle(figures, |one| one.p99),
                middle(figures, |one| one.p999),
            ];
            writeln!(out, "  {who:6} {rate:>10.0}/s  p50 {p50:>8.1}  p99 {p99:>8.1}  p99.9 {p999:>8.1} µs")?;
        }
        let times = middle(&beside, |one| one.p99) / middle(&alone, |one| one.p99);
        let verdict = if times <= MOST_TIMES { "met" } else { "not met" };
        writeln!(out, "  p99: {times:.2} times of at most {MOST_TIMES} times: {verdict}")
    }

    /// Both servers, the first one in turn.
    fn round(&self, scenario: &Scenario, number: usize) -> io::Result<Round> {
        let raw = || self.measure(scenario, |port| self.raw(scenario, port));
        let rotor = || self.measure(scenario, |port| self.rotor(scenario.script, port));
        let ((raw, raw_others), (rotor, rotor_others)) = if number % 2 == 1 {
            let raw = raw()?;
            (raw, rotor()?)
        } else {
            let rotor = rotor()?;
            (raw()?, rotor)
        };
        let round = Round { raw, rotor, others: raw_others.max(rotor_others) };
        let noise = if round.is_quiet() { "quiet" } else { "noisy" };
        writeln!(
            io::stdout().lock(),
            "round {number} {:2}: raw {:.3} µs, Rotor {:.3} µs CPU per request; {noise}, {:.2} CPUs busy elsewhere",
            scenario.name,
            raw.cpu,
            rotor.cpu,
            round.others
        )?;
        Ok(round)
    }

    fn raw(&self, scenario: &Scenario, port: u16) -> Command {
        let mut command = Command::new(&self.own);
        command.args(["rawecho", "--port", &port.to_string()]);
        if scenario.is_tls() {
            command.arg("--tls");
        }
        command
    }

    fn rotor(&self, options: &[&str], port: u16) -> Command {
        let Args { rotor_command, php, extension, script, .. } = &self.args;
        if let Some(words) = rotor_command {
            let mut words = words.split_whitespace();
            let mut command = Command::new(words.next().unwrap_or("true"));
            for word in words {
                match word {
                    "{port}" => _ = command.arg(port.to_string()),
                    "{options}" => _ = command.args(options),
                    word => _ = command.arg(word),
                }
            }
            return command;
        }
        let php = php.clone().or_else(|| env::var_os("PHP")).unwrap_or_else(|| "php".into());
        let mut load = OsString::from("extension=");
        load.push(extension.as_deref().unwrap_or(Path::new("rotor")));
        let mut command = Command::new(php);
        command.arg("-n").arg("-d").arg(load).arg(script).arg(format!("--port={port}")).args(options);
        command
    }

    /// One server under load; its figures, and the CPUs that others kept busy meanwhile.
    fn measure(&self, scenario: &Scenario, command: impl FnOnce(u16) -> Command) -> io::Result<(Figures, f64)> {
        self.load(&Server::start(scenario.is_tls(), command)?, scenario.load, scenario.name)
    }

    /// Has the client load a server.
    fn load(&self, server: &Server, load: &[&str], name: &str) -> io::Result<(Figures, f64)> {
        let look = Look::take()?;
        let seconds = self.args.seconds;
        let output = Command::new(&self.own)
            .args(["ledger", "--json", "--no-memory"])
            .args(["--port", &server.port.to_string(), "--pid", &server.pid().to_string()])
            .args(["--seconds", &seconds.to_string(), "--warmup", &(seconds / 4.0).to_string()])
            .args(load)
            .stderr(Stdio::inherit())
            .output()?;
        let others = look.others()?;
        let report: Value = serde_json::from_slice(&output.stdout)
            .map_err(|error| io::Error::other(format!("the client ended with {}: {error}", output.status)))?;
        if report["passed"] != Value::Bool(true) {
            writeln!(io::stdout().lock(), "scenario {name}: answers are wrong: {}", report["objections"])?;
        }
        let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
        let latency = &report["latency_us"];
        let figures = Figures {
            rate: number(&report["requests_per_second"]),
            p50: number(&latency["p50"]),
            p99: number(&latency["p99"]),
            p999: number(&latency["p999"]),
            cpu: number(&report["server"]["cpu_us_per_request"]),
        };
        Ok((figures, others))
    }
}
