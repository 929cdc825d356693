//! What is measured, and the bounds that bind.

use crate::crowd::{CROWDS, Crowd};

/// A most for a figure of Rotor: `times` the raw echo's, and `plus`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bound {
    /// Times the raw echo's figure.
    pub times: f64,
    /// Microseconds on top.
    pub plus: f64,
}

impl Bound {
    /// The most that Rotor may need where the raw echo needs `raw`.
    pub fn most(&self, raw: f64) -> f64 {
        self.times * raw + self.plus
    }

    /// As people write it.
    pub fn formula(&self) -> String {
        match self.plus {
            0.0 => format!("{} × raw", self.times),
            plus => format!("{} × raw + {plus} µs", self.times),
        }
    }
}

/// One kind of load, for both servers.
#[derive(Debug)]
pub struct Scenario {
    /// Its letter.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    /// The client's part of the command line.
    pub load: &'static [&'static str],
    /// The Rotor script's part of the command line.
    pub script: &'static [&'static str],
    /// CPU per request of all server processes.
    pub cpu: Bound,
    /// The median latency, where one binds.
    pub p50: Option<Bound>,
}

/// All scenarios. The raw echo is never pinned: `rp` is measured against the raw echo of `r`.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "a",
        title: "64 B, one in flight",
        load: &["--connections", "50", "--size", "64"],
        script: &[],
        cpu: Bound { times: 1.7, plus: 0.5 },
        p50: None,
    },
    Scenario {
        name: "b",
        title: "64 B, 16 in flight, length framing",
        load: &["--connections", "50", "--size", "64", "--in-flight", "16", "--framing", "length"],
        script: &["--framing=length"],
        cpu: Bound { times: 1.5, plus: 0.7 },
        p50: None,
    },
    Scenario {
        name: "c",
        title: "64 KiB",
        load: &["--connections", "20", "--size", "64K"],
        script: &[],
        cpu: Bound { times: 1.9, plus: 2.0 },
        p50: None,
    },
    Scenario {
        name: "d",
        title: "1 MiB, length framing",
        load: &["--connections", "8", "--size", "1M", "--framing", "length"],
        script: &["--framing=length"],
        cpu: Bound { times: 1.6, plus: 40.0 },
        p50: None,
    },
    Scenario {
        name: "e2",
        title: "connect, 64 B, reset; onConnect, onClose",
        load: &["--mode", "churn", "--connections", "50", "--size", "64", "--close", "reset"],
        script: &["--connect-close"],
        cpu: Bound { times: 2.1, plus: 2.0 },
        p50: None,
    },
    Scenario {
        name: "r",
        title: "64 B, 20,000/s, open loop",
        load: OPEN_LOOP,
        script: &[],
        cpu: Bound { times: 2.4, plus: 0.5 },
        p50: Some(Bound { times: 1.5, plus: 0.0 }),
    },
    Scenario {
        name: "rp",
        title: "64 B, 20,000/s, open_cpu_affinity",
        load: OPEN_LOOP,
        script: &["--affinity"],
        cpu: Bound { times: 1.4, plus: 0.5 },
        p50: Some(Bound { times: 1.1, plus: 0.0 }),
    },
    Scenario {
        name: "s",
        title: "64 KiB, TLS",
        load: &["--tls", "--connections", "20", "--size", "64K"],
        script: &["--tls"],
        cpu: Bound { times: 1.6, plus: 2.0 },
        p50: None,
    },
    Scenario {
        name: "sh",
        title: "TLS handshake, 64 B, reset",
        load: &["--tls", "--mode", "churn", "--connections", "20", "--size", "64", "--close", "reset"],
        script: &["--tls"],
        cpu: Bound { times: 1.4, plus: 20.0 },
        p50: None,
    },
];

impl Scenario {
    /// Whether it goes over TLS: then the raw echo is one over rustls.
    pub fn is_tls(&self) -> bool {
        self.load.contains(&"--tls")
    }
}

const OPEN_LOOP: &[&str] = &["--mode", "open", "--rate", "20000", "--connections", "50", "--size", "64"];

/// The scenarios and crowds of a comma-separated list of names.
pub fn named(list: &str) -> Result<(Vec<&'static Scenario>, Vec<&'static Crowd>), String> {
    let (mut scenarios, mut crowds) = (Vec::new(), Vec::new());
    for name in list.split(',').map(str::trim) {
        if let Some(scenario) = SCENARIOS.iter().find(|scenario| scenario.name == name) {
            scenarios.push(scenario);
        } else if let Some(crowd) = CROWDS.iter().find(|crowd| crowd.name == name) {
            crowds.push(crowd);
        } else {
            return Err(format!("--scenarios: {name} is not one of a, b, c, d, e2, r, rp, s, sh, sr, sw"));
        }
    }
    Ok((scenarios, crowds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_a_multiple_and_a_constant() {
        let bound = Bound { times: 1.7, plus: 0.5 };
        assert!((bound.most(10.0) - 17.5).abs() < 1e-9);
        assert_eq!(bound.formula(), "1.7 × raw + 0.5 µs");
        assert_eq!(Bound { times: 1.1, plus: 0.0 }.formula(), "1.1 × raw");
    }

    #[test]
    fn scenarios_are_found_by_name_and_others_are_refused() {
        let (scenarios, crowds) = named("a, sw,rp").unwrap();
        assert_eq!(scenarios.iter().map(|scenario| scenario.name).collect::<Vec<_>>(), ["a", "rp"]);
        assert_eq!(crowds.iter().map(|crowd| crowd.name).collect::<Vec<_>>(), ["sw"]);
        assert!(named("a,z").is_err());
    }
}
