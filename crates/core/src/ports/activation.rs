//! Sockets that systemd, or somebody who speaks as it does, has opened before this process began: `LISTEN_FDS` of them,
//! from `LISTEN_FDS_START` on. They stay with whoever has opened them: nothing is removed in the end, and clients that have
//! connected and were not accepted wait for the next server.

use std::sync::Arc;

use rotor_sys::inherited::{self, Inherited, Kind, Name};
use rotor_sys::process;

use super::{Address, Bound, MOST_PORTS, PortInfo, SockType, Socket};
use crate::error::Error;

/// The host that stands for them, whatever the case, together with port 0.
pub const HOST: &str = "SYSTEMD";

const FDS: &str = "LISTEN_FDS";
const FDS_START: &str = "LISTEN_FDS_START";
const PID: &str = "LISTEN_PID";
const NAMES: &str = "LISTEN_FDNAMES";
/// Behind the standard streams.
const FIRST: i32 = 3;

/// Takes all of them, or none. Processes that this one starts do not see them any more.
pub(super) fn take() -> Result<Vec<Bound>, Error> {
    let numbers = numbers(|name| std::env::var(name).ok(), process::id())?;
    // All are looked at before one is touched.
    let found = numbers.iter().map(|number| look_at(*number)).collect::<Result<Vec<_>, _>>()?;
    let take_one = |inherited: Inherited, info: PortInfo| {
        let taken = if info.sock_type.is_datagram() {
            inherited.into_datagrams().map(|datagrams| Socket::Datagrams(Arc::new(datagrams)))
        } else {
            inherited.into_listener().map(|listener| Socket::Stream(Arc::new(listener)))
        };
        let socket = taken
            .map_err(|error| Error::system(format!("cannot take over {}, a socket of {FDS}", info.address), &error))?;
        Ok(Bound { socket, info, file: None, is_inherited: true })
    };
    let ports = found.into_iter().map(|(inherited, info)| take_one(inherited, info)).collect();
    inherited::forget_variables(&[FDS, FDS_START, PID, NAMES]);
    ports
}

/// The descriptors that the environment names.
fn numbers(variable: impl Fn(&str) -> Option<String>, pid: i32) -> Result<Vec<i32>, Error> {
    let refused = |problem: String| Err(Error::Misuse(format!("$host is \"{HOST}\", but {problem}")));
    let Some(count) = variable(FDS) else {
        return refused(format!(
            "{FDS} is not set: nobody has passed sockets; let a .socket unit of systemd start this, or give an address"
        ));
    };
    match variable(PID) {
        Some(of) if of.trim() == pid.to_string() => {}
        Some(of) => return refused(format!("{PID} is \"{of}\", and this is process {pid}: the sockets are another's")),
        None => return refused(format!("{PID} is not set: it is not known whose the sockets are")),
    }
    let most = i32::try_from(MOST_PORTS).unwrap_or(i32::MAX);
    let Some(count) = count.trim().parse().ok().filter(|count| (1..=most).contains(count)) else {
        return refused(format!("{FDS} must be 1 to {most}, \"{count}\" given"));
    };
    let start = variable(FDS_START);
    let first = start.as_deref().map_or(Some(FIRST), |start| start.trim().parse().ok());
    let Some(first) = first.filter(|first| (FIRST..=i32::MAX - most).contains(first)) else {
        let start = start.unwrap_or_default();
        return refused(format!("{FDS_START} must be a descriptor from {FIRST} on, \"{start}\" given"));
    };
    Ok((first..first + count).collect())
}

/// What one of them is.
fn look_at(number: i32) -> Result<(Inherited, PortInfo), Error> {
    let refused = |problem: &str| Error::Misuse(format!("descriptor {number} of {FDS} {problem}"));
    let inherited = Inherited::find(number).map_err(|error| match error.raw_os_error() {
        Some(EBADF) => refused("is not open"),
        Some(ENOTSOCK) => refused("is no socket"),
        _ => Error::system(format!("cannot look at descriptor {number} of {FDS}"), &error),
    })?;
    let (name, [v4, v6, unix]) = match inherited.kind() {
        Kind::Listener(name) => (name, [SockType::Tcp, SockType::Tcp6, SockType::UnixStream]),
        Kind::Datagrams(name) => (name, [SockType::Udp, SockType::Udp6, SockType::UnixDgram]),
        Kind::NotListening => return Err(refused("is a stream socket that does not listen (Accept=yes in its unit?)")),
        Kind::Connected => return Err(refused("is a datagram socket that is connected to one peer")),
        Kind::Other => return Err(refused("is none of TCP, UDP and no unix socket; nothing else can be served")),
    };
    let (address, sock_type) = match name {
        Name::Inet(address) if address.port() == 0 => return Err(refused("is bound to no port")),
        Name::Inet(address) => (Address::Inet(*address), if address.is_ipv4() { v4 } else { v6 }),
        Name::Unix(path) if unix == SockType::UnixDgram && path.as_os_str().is_empty() => {
            return Err(refused("is a datagram socket without a name, to which nobody can send"));
        }
        Name::Unix(path) => (Address::Unix(path.clone()), unix),
    };
    Ok((inherited, PortInfo { address, sock_type, is_tls: false }))
}

const EBADF: i32 = 9;
const ENOTSOCK: i32 = 88;

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers_of(variables: &[(&str, &str)]) -> Result<Vec<i32>, String> {
        let variable =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into());
        numbers(variable, 77).map_err(|error| error.to_string())
    }

    #[test]
    fn the_descriptors_are_those_that_this_process_was_given() {
        assert_eq!(numbers_of(&[(FDS, "2"), (PID, "77")]), Ok(vec![3, 4]));
        assert_eq!(numbers_of(&[(FDS, "1"), (PID, "77"), (FDS_START, "10")]), Ok(vec![10]));
    }

    #[test]
    fn what_is_not_for_this_process_or_makes_no_sense_is_refused_with_the_reason() {
        for (variables, reason) in [
            (vec![], "LISTEN_FDS is not set"),
            (vec![(FDS, "1")], "LISTEN_PID is not set"),
            (vec![(FDS, "1"), (PID, "1")], "LISTEN_PID is \"1\", and this is process 77"),
            (vec![(FDS, "0"), (PID, "77")], "LISTEN_FDS must be 1 to 32768, \"0\" given"),
            (vec![(FDS, "many"), (PID, "77")], "LISTEN_FDS must be 1 to 32768, \"many\" given"),
            (vec![(FDS, "99999"), (PID, "77")], "LISTEN_FDS must be 1 to 32768, \"99999\" given"),
            (
                vec![(FDS, "1"), (PID, "77"), (FDS_START, "2")],
                "LISTEN_FDS_START must be a descriptor from 3 on, \"2\" given",
            ),
            (
                vec![(FDS, "1"), (PID, "77"), (FDS_START, "x")],
                "LISTEN_FDS_START must be a descriptor from 3 on, \"x\" given",
            ),
            (vec![(FDS, "1"), (PID, "77"), (FDS_START, "2147483647")], "\"2147483647\" given"),
        ] {
            let refused = numbers_of(&variables).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
    }
}
