//! Which certificate a client gets, by the host that it asks for.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// A host's name as it is compared: lower case, `*` at most as its whole left-most label.
pub fn parse(text: &str) -> Option<String> {
    let rest = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    (text.len() <= LONGEST && rest.split('.').all(is_label)).then(|| text.to_ascii_lowercase())
}

/// A name has no more bytes.
const LONGEST: usize = 253;

/// The certificates of a port.
#[derive(Debug)]
pub(super) struct Certificates {
    /// For whom asks for nothing, or for a host that is not among the others.
    pub default: Arc<CertifiedKey>,
    /// By name, as [`parse`] gives it.
    pub hosts: HashMap<String, Arc<CertifiedKey>>,
}

impl Certificates {
    /// The host itself wins over the wildcard, which stands for one label.
    fn of(&self, host: Option<&str>) -> &Arc<CertifiedKey> {
        let Some(host) = host.filter(|_| !self.hosts.is_empty()) else { return &self.default };
        let host = host.to_ascii_lowercase();
        let wildcard = || self.hosts.get(&format!("*.{}", host.split_once('.')?.1));
        self.hosts.get(&host).or_else(wildcard).unwrap_or(&self.default)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.of(hello.server_name()).clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::tests::certified;

    #[test]
    fn a_host_gets_its_own_certificate_before_that_of_its_wildcard_and_else_the_first() {
        let [default, own, wild] = [certified(), certified(), certified()];
        let hosts = [("a.example.com".to_owned(), own.clone()), ("*.example.com".to_owned(), wild.clone())]
            .into_iter()
            .collect();
        let certificates = Certificates { default: default.clone(), hosts };
        for (host, expected) in [
            (Some("a.example.com"), &own),
            (Some("A.Example.COM"), &own),
            (Some("b.example.com"), &wild),
            (Some("b.a.example.com"), &default),
            (Some("example.com"), &default),
            (Some("com"), &default),
            (None, &default),
        ] {
            assert!(Arc::ptr_eq(certificates.of(host), expected), "{host:?}");
        }
    }

    #[test]
    fn a_wildcard_is_the_whole_left_most_label_of_a_host_or_none() {
        assert_eq!(parse("*.Example.com").as_deref(), Some("*.example.com"));
        assert_eq!(parse("localhost").as_deref(), Some("localhost"));
        for wrong in ["", "*", "*.", "a.*.com", "w*.example.com", "a..b", ".a", "a.", "a b", &"a.".repeat(127)] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
