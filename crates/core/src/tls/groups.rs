//! `ssl_ecdh_curve`: the groups for the key exchange.

use rustls::NamedGroup;

/// By the names that OpenSSL has for them, the first of each group in messages.
const NAMES: &[(NamedGroup, &[&str])] = &[
    (NamedGroup::X25519, &["X25519"]),
    (NamedGroup::secp256r1, &["prime256v1", "P-256", "secp256r1"]),
    (NamedGroup::secp384r1, &["secp384r1", "P-384"]),
];

/// The groups that a list of names with colons means, in that order; `auto` and nothing: all.
///
/// # Errors
/// The clause that says why it means none.
pub fn parse(text: &str) -> Result<Vec<NamedGroup>, String> {
    if text.is_empty() || text == "auto" {
        return Ok(NAMES.iter().map(|(group, _)| *group).collect());
    }
    let mut groups = Vec::new();
    for name in text.split([':', ',']) {
        let known = NAMES.iter().find(|(_, names)| names.iter().any(|known| known.eq_ignore_ascii_case(name)));
        let Some((group, _)) = known else {
            let all: Vec<_> = NAMES.iter().map(|(_, names)| names[0]).collect();
            return Err(format!("there is no group \"{name}\" here; there are {}", all.join(", ")));
        };
        if !groups.contains(group) {
            groups.push(*group);
        }
    }
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups_are_taken_in_their_order_and_unknown_ones_are_refused_by_name() {
        assert_eq!(parse("auto").unwrap().len(), 3);
        assert_eq!(parse("").unwrap(), parse("auto").unwrap());
        assert_eq!(parse("P-384:x25519").unwrap(), [NamedGroup::secp384r1, NamedGroup::X25519]);
        assert_eq!(parse("prime256v1:secp256r1").unwrap(), [NamedGroup::secp256r1]);
        assert!(parse("sect571r1").unwrap_err().contains("\"sect571r1\""));
        assert!(parse("X25519:").is_err());
    }
}
