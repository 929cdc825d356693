//! Medians and verdicts.

use crate::noise::QUIET_BELOW;
use crate::scenario::Scenario;

/// The figures of one server in one round.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Figures {
    /// Requests answered per second.
    pub rate: f64,
    /// The median latency in microseconds.
    pub p50: f64,
    /// That of 99 of 100.
    pub p99: f64,
    /// That of 999 of 1000.
    pub p999: f64,
    /// CPU microseconds per request, of all processes of the server.
    pub cpu: f64,
}

/// Both servers, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Round {
    /// The raw echo.
    pub raw: Figures,
    /// Rotor.
    pub rotor: Figures,
    /// CPUs busy elsewhere, in the noisier of the two runs.
    pub others: f64,
}

impl Round {
    /// Whether others left the machine to us.
    pub fn is_quiet(&self) -> bool {
        self.others <= QUIET_BELOW
    }
}

/// What the rounds of a scenario say.
#[derive(Debug)]
pub struct Summary {
    /// The scenario.
    pub scenario: &'static Scenario,
    /// Medians of the raw echo.
    pub raw: Figures,
    /// Medians of Rotor.
    pub rotor: Figures,
    /// Rounds that were quiet.
    pub quiet: usize,
    /// Rounds that were not.
    pub noisy: usize,
}

impl Summary {
    /// Medians over the quiet rounds; over all of them when none was quiet. `None` without a round.
    pub fn new(scenario: &'static Scenario, rounds: &[Round]) -> Option<Self> {
        let quiet: Vec<Round> = rounds.iter().copied().filter(Round::is_quiet).collect();
        let counted = if quiet.is_empty() { rounds } else { &quiet };
        let raw: Vec<Figures> = counted.iter().map(|round| round.raw).collect();
        let rotor: Vec<Figures> = counted.iter().map(|round| round.rotor).collect();
        Some(Self {
            scenario,
            raw: medians(&raw)?,
            rotor: medians(&rotor)?,
            quiet: quiet.len(),
            noisy: rounds.len() - quiet.len(),
        })
    }

    /// The most CPU per request that Rotor may need.
    pub fn cpu_bound(&self) -> f64 {
        self.scenario.cpu.most(self.raw.cpu)
    }

    /// Whether the CPU is within its bound.
    pub fn cpu_is_met(&self) -> bool {
        self.rotor.cpu <= self.cpu_bound()
    }

    /// Lines for people.
    pub fn lines(&self) -> Vec<String> {
        let Scenario { name, title, cpu, p50, .. } = self.scenario;
        let mut lines = vec![format!("{name}: {title} ({})", self.rounds())];
        for (who, figures) in [("raw", &self.raw), ("Rotor", &self.rotor)] {
            let Figures { rate, p50, p99, p999, cpu } = figures;
            lines.push(format!(
                "  {who:5} {rate:>11.0}/s  p50 {p50:>8.1}  p99 {p99:>8.1}  p99.9 {p999:>8.1} µs  CPU {cpu:>8.3} µs/request"
            ));
        }
        lines.push(format!(
            "  ratio {:>11.2}    p50 {:>8.2}  p99 {:>8.2}  p99.9 {:>8.2}     CPU {:>8.2}",
            self.rotor.rate / self.raw.rate,
            self.rotor.p50 / self.raw.p50,
            self.rotor.p99 / self.raw.p99,
            self.rotor.p999 / self.raw.p999,
            self.rotor.cpu / self.raw.cpu
        ));
        lines.push(verdict("CPU", self.rotor.cpu, self.cpu_bound(), &cpu.formula()));
        if let Some(bound) = p50 {
            lines.push(verdict("p50", self.rotor.p50, bound.most(self.raw.p50), &bound.formula()));
        }
        lines
    }

    /// How many rounds count.
    pub fn rounds(&self) -> String {
        match (self.quiet, self.noisy) {
            (0, noisy) => format!("no quiet round; medians of {noisy} in noise"),
            (quiet, 0) => format!("quiet rounds: {quiet}"),
            (quiet, noisy) => format!("quiet rounds: {quiet}; noisy and left out: {noisy}"),
        }
    }
}

fn verdict(what: &str, figure: f64, most: f64, formula: &str) -> String {
    let verdict = if figure <= most { "met" } else { "not met" };
    format!("  {what}: {figure:.3} µs of at most {most:.3} µs ({formula}): {verdict}")
}

fn medians(figures: &[Figures]) -> Option<Figures> {
    Some(Figures {
        rate: median(figures.iter().map(|one| one.rate))?,
        p50: median(figures.iter().map(|one| one.p50))?,
        p99: median(figures.iter().map(|one| one.p99))?,
        p999: median(figures.iter().map(|one| one.p999))?,
        cpu: median(figures.iter().map(|one| one.cpu))?,
    })
}

/// The value in the middle; `None` of none.
pub fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    Some(if values.len() % 2 == 1 { upper } else { f64::midpoint(values[values.len() / 2 - 1], upper) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;

    fn round(raw: f64, rotor: f64, others: f64) -> Round {
        let figures = |cpu| Figures { cpu, ..Figures::default() };
        Round { raw: figures(raw), rotor: figures(rotor), others }
    }

    #[test]
    fn noisy_rounds_do_not_count_while_there_is_a_quiet_one() {
        let rounds = [round(1.0, 2.0, 0.1), round(50.0, 99.0, 0.21), round(3.0, 4.0, 0.2)];
        let summary = Summary::new(&SCENARIOS[0], &rounds).unwrap();
        assert!((summary.raw.cpu - 2.0).abs() < 1e-9 && (summary.rotor.cpu - 3.0).abs() < 1e-9);
        assert_eq!(summary.rounds(), "quiet rounds: 2; noisy and left out: 1");
        let summary = Summary::new(&SCENARIOS[0], &rounds[1..2]).unwrap();
        assert_eq!(summary.rounds(), "no quiet round; medians of 1 in noise");
        assert!(Summary::new(&SCENARIOS[0], &[]).is_none());
    }

    #[test]
    fn met_means_at_most_the_bound() {
        let bound = SCENARIOS[0].cpu.most(4.0);
        assert!(Summary::new(&SCENARIOS[0], &[round(4.0, bound, 0.0)]).unwrap().cpu_is_met());
        assert!(!Summary::new(&SCENARIOS[0], &[round(4.0, bound + 0.01, 0.0)]).unwrap().cpu_is_met());
    }
}
