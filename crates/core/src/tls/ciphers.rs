//! `ssl_ciphers`: a cipher string of OpenSSL, as far as it is about suites that rustls has: those with forward secrecy and
//! an authenticated cipher. A string that leaves none of them, or has a word that OpenSSL does not know, is refused.
//!
//! As there, it is about the suites of TLS 1.2; those of 1.3 are all taken unless some are named.

use rustls::CipherSuite;

/// A suite of TLS 1.2 and the words of OpenSSL that mean it.
struct Suite {
    suite: CipherSuite,
    name: &'static str,
    words: &'static [&'static str],
    /// For `@STRENGTH`.
    bits: u16,
}

/// In the order of `DEFAULT`.
const TLS12: &[Suite] = &[
    Suite {
        suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
        name: "ECDHE-ECDSA-AES256-GCM-SHA384",
        words: &["AES", "AES256", "AESGCM", "ECDSA", "aECDSA"],
        bits: 256,
    },
    Suite {
        suite: CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        name: "ECDHE-RSA-AES256-GCM-SHA384",
        words: &["AES", "AES256", "AESGCM", "aRSA"],
        bits: 256,
    },
    Suite {
        suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
        name: "ECDHE-ECDSA-CHACHA20-POLY1305",
        words: &["CHACHA20", "ECDSA", "aECDSA"],
        bits: 256,
    },
    Suite {
        suite: CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
        name: "ECDHE-RSA-CHACHA20-POLY1305",
        words: &["CHACHA20", "aRSA"],
        bits: 256,
    },
    Suite {
        suite: CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        name: "ECDHE-ECDSA-AES128-GCM-SHA256",
        words: &["AES", "AES128", "AESGCM", "ECDSA", "aECDSA"],
        bits: 128,
    },
    Suite {
        suite: CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        name: "ECDHE-RSA-AES128-GCM-SHA256",
        words: &["AES", "AES128", "AESGCM", "aRSA"],
        bits: 128,
    },
];

const TLS13: &[(CipherSuite, &str)] = &[
    (CipherSuite::TLS13_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384"),
    (CipherSuite::TLS13_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256"),
    (CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256"),
];

/// Words that mean all of [`TLS12`]; how the keys are exchanged is the same for all.
const ALL: &[&str] = &[
    "ALL",
    "DEFAULT",
    "HIGH",
    "TLSv1.2",
    "AEAD",
    "EECDH",
    "ECDHE",
    "kEECDH",
    "kECDHE",
    "COMPLEMENTOFDEFAULT",
    "SUITEB128",
];

/// Words that OpenSSL knows and that mean none of what rustls has. What begins with a name of a suite is one of those, too.
const NONE: &[&str] = &[
    "MEDIUM",
    "LOW",
    "EXP",
    "EXPORT",
    "NULL",
    "eNULL",
    "aNULL",
    "COMPLEMENTOFALL",
    "kRSA",
    "RSA",
    "EDH",
    "DHE",
    "kEDH",
    "kDHE",
    "DH",
    "kDHr",
    "kDHd",
    "aDH",
    "ADH",
    "AECDH",
    "ECDH",
    "kECDH",
    "kECDHr",
    "kECDHe",
    "aECDH",
    "DSS",
    "aDSS",
    "PSK",
    "kPSK",
    "aPSK",
    "ECDHEPSK",
    "DHEPSK",
    "RSAPSK",
    "SRP",
    "kSRP",
    "aSRP",
    "GOST",
    "kGOST",
    "aGOST",
    "AESCCM",
    "AESCCM8",
    "CAMELLIA",
    "CAMELLIA128",
    "CAMELLIA256",
    "ARIA",
    "ARIA128",
    "ARIA256",
    "ARIAGCM",
    "SEED",
    "IDEA",
    "DES",
    "3DES",
    "RC4",
    "RC2",
    "MD5",
    "SHA",
    "SHA1",
    "SHA256",
    "SHA384",
    "CBC",
    "SSLv2",
    "SSLv3",
    "TLSv1",
    "TLSv1.0",
    "TLSv1.1",
];

/// The suites that a cipher string means, the best first, with those of TLS 1.3 in front.
///
/// # Errors
/// The clause that says why it means none.
pub fn parse(text: &str) -> Result<Vec<CipherSuite>, String> {
    let mut taken: Vec<&Suite> = Vec::new();
    let mut killed: Vec<CipherSuite> = Vec::new();
    let mut newer = Vec::new();
    let mut is_about_older = false;
    for word in words(text) {
        if let Some((suite, _)) = TLS13.iter().find(|(_, name)| *name == word) {
            newer.push(*suite);
            continue;
        }
        if let Some(command) = word.strip_prefix('@') {
            match command {
                "STRENGTH" => taken.sort_by_key(|suite| std::cmp::Reverse(suite.bits)),
                _ if command
                    .strip_prefix("SECLEVEL=")
                    .is_some_and(|level| level.parse::<u8>().is_ok_and(|n| n <= 2)) => {}
                _ => return Err(format!("\"{word}\" is no command that can be followed here")),
            }
            continue;
        }
        is_about_older = true;
        let (action, name) = match word.strip_prefix(['!', '-', '+']) {
            Some(name) => (&word[..1], name),
            None => ("", word),
        };
        let meant = meaning(name)?;
        let is_meant = |suite: &&Suite| meant.contains(&suite.suite);
        match action {
            "!" => {
                taken.retain(|suite| !is_meant(suite));
                killed.extend(&meant);
            }
            "-" => taken.retain(|suite| !is_meant(suite)),
            "+" => {
                let (moved, kept): (Vec<_>, Vec<_>) = taken.into_iter().partition(is_meant);
                taken = kept.into_iter().chain(moved).collect();
            }
            _ => {
                let more = TLS12.iter().filter(is_meant).filter(|suite| !killed.contains(&suite.suite));
                for suite in more {
                    if taken.iter().all(|other| other.suite != suite.suite) {
                        taken.push(suite);
                    }
                }
            }
        }
    }
    if newer.is_empty() {
        newer = TLS13.iter().map(|(suite, _)| *suite).collect();
    }
    if !is_about_older {
        taken = TLS12.iter().collect();
    }
    if taken.is_empty() {
        let all: Vec<_> = TLS12.iter().map(|suite| suite.name).collect();
        return Err(format!("it leaves none of the suites of TLS 1.2 that there are: {}", all.join(", ")));
    }
    Ok(newer.into_iter().chain(taken.into_iter().map(|suite| suite.suite)).collect())
}

/// The names of suites in a cipher string that nobody can have here.
pub fn without(text: &str) -> Vec<&str> {
    words(text).filter(|word| is_suite_name(word) && meaning(word).is_ok_and(|meant| meant.is_empty())).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([':', ',', ' ', ';']).filter(|word| !word.is_empty())
}

/// The suites that a word means, where `+` joins conditions.
fn meaning(word: &str) -> Result<Vec<CipherSuite>, String> {
    if word.is_empty() {
        return Err("a sign stands for itself".to_owned());
    }
    let mut meant: Vec<&Suite> = TLS12.iter().collect();
    for part in word.split('+') {
        if ALL.contains(&part) {
            continue;
        }
        let is_one = |suite: &&Suite| suite.name == part || suite.words.contains(&part);
        let is_known = TLS12.iter().any(|suite| is_one(&suite)) || NONE.contains(&part) || is_suite_name(part);
        if !is_known {
            return Err(format!("\"{part}\" is no word of a cipher string"));
        }
        meant.retain(is_one);
    }
    Ok(meant.into_iter().map(|suite| suite.suite).collect())
}

/// Whether it looks like the name of a whole suite: `DHE-RSA-AES128-SHA`.
fn is_suite_name(word: &str) -> bool {
    const BEGINS: &[&str] = &[
        "ECDHE",
        "DHE",
        "EDH",
        "ECDH",
        "DH",
        "ADH",
        "AECDH",
        "AES128",
        "AES256",
        "CAMELLIA128",
        "CAMELLIA256",
        "ARIA128",
        "ARIA256",
        "PSK",
        "RSA",
        "SRP",
        "DES",
        "RC4",
        "NULL",
        "SEED",
        "IDEA",
    ];
    const ENDS: &[&str] = &["SHA", "SHA256", "SHA384", "MD5", "POLY1305", "CCM", "CCM8"];
    let begins = word.split('-').next().is_some_and(|first| BEGINS.contains(&first));
    let ends = word.rsplit('-').next().is_some_and(|last| ENDS.contains(&last));
    word.contains('-') && begins && ends
}

#[cfg(test)]
mod tests {
    use super::*;

    fn older(text: &str) -> Vec<&'static str> {
        let suites = parse(text).unwrap();
        let name = |suite: &CipherSuite| TLS12.iter().find(|known| known.suite == *suite).map(|known| known.name);
        suites.iter().filter_map(name).collect()
    }

    fn newer(text: &str) -> Vec<&'static str> {
        let suites = parse(text).unwrap();
        let name = |suite: &CipherSuite| TLS13.iter().find(|(known, _)| known == suite).map(|(_, name)| *name);
        suites.iter().filter_map(name).collect()
    }

    #[test]
    fn a_cipher_string_means_what_openssl_says_of_the_suites_that_there_are() {
        assert_eq!(older("EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH").len(), 4);
        assert_eq!(older("HIGH:!aNULL:!MD5").len(), 6);
        assert_eq!(older("ECDHE+CHACHA20+aRSA"), ["ECDHE-RSA-CHACHA20-POLY1305"]);
        assert_eq!(
            older("AES128:ECDHE-RSA-AES256-GCM-SHA384"),
            ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"]
        );
        assert_eq!(older("ALL:!ECDSA:-AES128:+AES256"), ["ECDHE-RSA-CHACHA20-POLY1305", "ECDHE-RSA-AES256-GCM-SHA384"]);
        assert_eq!(older("!AES:ALL:!ECDSA"), ["ECDHE-RSA-CHACHA20-POLY1305"], "what is killed does not come back");
        assert_eq!(older("AES128 ALL @STRENGTH !CHACHA20")[0], "ECDHE-ECDSA-AES256-GCM-SHA384");
        assert_eq!(older("").len(), 6);
    }

    #[test]
    fn suites_of_tls_1_3_are_all_taken_unless_some_are_named() {
        assert_eq!(newer("AES128").len(), 3);
        assert_eq!(newer("TLS_AES_128_GCM_SHA256"), ["TLS_AES_128_GCM_SHA256"]);
        assert_eq!(older("TLS_AES_128_GCM_SHA256").len(), 6);
    }

    #[test]
    fn a_string_that_leaves_nothing_or_has_an_unknown_word_is_refused_with_the_reason() {
        assert!(parse("AES128-SHA").unwrap_err().contains("leaves none"));
        assert!(parse("EDH+AESGCM:kRSA").unwrap_err().contains("leaves none"));
        assert!(parse("ALL:!ECDHE").unwrap_err().contains("leaves none"));
        assert!(parse("HIGH:AES512").unwrap_err().contains("\"AES512\""));
        assert!(parse("HIGH:!").unwrap_err().contains("sign"));
        for word in ["\u{c4}ES", "!\u{c4}ES", "\u{fffd}"] {
            assert!(parse(word).unwrap_err().contains("no word"), "{word}");
        }
        assert!(parse("HIGH:@SECLEVEL=5").unwrap_err().contains("@SECLEVEL=5"));
        assert!(parse("HIGH:@SECLEVEL=2").is_ok());
    }

    #[test]
    fn names_of_suites_that_do_not_exist_here_are_told() {
        let text = "ECDHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES128-GCM-SHA256:AES256-SHA:EDH+AESGCM:!3DES";
        assert_eq!(without(text), ["DHE-RSA-AES128-GCM-SHA256", "AES256-SHA"]);
        assert_eq!(without("EECDH+AESGCM:EDH+AESGCM:AES256+EECDH:AES256+EDH"), [""; 0]);
    }
}
