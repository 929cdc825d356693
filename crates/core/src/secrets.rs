//! Private keys: the master alone has them. What user code can reach, the memory of workers and of the manager, is
//! forked before they are read; so that a mistake is known at `start()` all the same, they are looked at before that in a
//! process that does nothing else.

use std::io::{Read, Write};
use std::sync::Arc;

use rotor_sys::process::{self, Fork};

use crate::error::Error;
use crate::host::Host;
use crate::ports::PortInfo;
use crate::settings::Settings;
use crate::tls::{CertificateWriter, PortTls};

/// What only the master knows.
pub struct Secrets {
    /// By port, how it speaks TLS.
    pub ports: Vec<Option<Arc<PortTls>>>,
    /// Where the certificates of clients are noted; `None`: no port asks for any.
    pub certificates: Option<CertificateWriter>,
}

/// Reads certificates and keys of the ports that have TLS.
///
/// # Errors
/// What is missing or cannot be used, by the setting's name.
pub fn load(ports: &[PortInfo], settings: &Settings) -> Result<Vec<Option<Arc<PortTls>>>, Error> {
    let port = |(port, settings): (&PortInfo, &crate::settings::PortSettings)| {
        if !port.is_tls {
            return Ok(None);
        }
        PortTls::load(&settings.tls, &format!("the port {}", port.address)).map(|tls| Some(Arc::new(tls)))
    };
    ports.iter().zip(&settings.ports).map(port).collect()
}

/// Finds out whether [`load`] will succeed, in a process of its own.
///
/// # Errors
/// As for [`load`].
pub fn check(ports: &[PortInfo], settings: &Settings, host: &mut dyn Host) -> Result<(), Error> {
    if ports.iter().all(|port| !port.is_tls) {
        return Ok(());
    }
    let failed = |error: &std::io::Error| Error::system("cannot look at the certificates", error);
    let (mut answer, tell) = std::io::pipe().map_err(|error| failed(&error))?;
    host.before_fork();
    match process::fork().map_err(|error| failed(&error))? {
        Fork::Child => {
            drop(answer);
            let told = send(tell, load(ports, settings).map(|_| ()));
            process::exit_now(i32::from(told.is_err()));
        }
        Fork::Parent { child } => {
            drop(tell);
            let mut told = Vec::new();
            let read = answer.read_to_end(&mut told);
            // User code may have waited for it already.
            let _ = process::wait(child);
            read.map_err(|error| failed(&error))?;
            parse(&told)
        }
    }
}

/// What is said where nothing is wrong: a process that was killed says nothing.
const GOOD: &[u8] = b"good";

/// [`GOOD`], or the errno, then the words.
fn send(mut tell: impl Write, found: Result<(), Error>) -> std::io::Result<()> {
    let Err(error) = found else { return tell.write_all(GOOD) };
    let words = match &error {
        Error::System { doing, .. } => doing.clone(),
        Error::Misuse(_) | Error::Broken(_) => error.to_string(),
    };
    tell.write_all(format!("{} {words}", error.errno()).as_bytes())
}

fn parse(told: &[u8]) -> Result<(), Error> {
    if told == GOOD {
        return Ok(());
    }
    let text = String::from_utf8_lossy(told);
    Err(match text.split_once(' ').map(|(errno, words)| (errno.parse(), words.to_owned())) {
        Some((Ok(0), words)) => Error::Misuse(words),
        Some((Ok(errno), doing)) => Error::System { doing, errno, hint: String::new() },
        Some((Err(_), _)) | None => {
            Error::Broken("the process that looks at the certificates has ended without an answer".into())
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(found: Result<(), Error>) -> Result<(), Error> {
        let mut bytes = Vec::new();
        send(&mut bytes, found).unwrap();
        parse(&bytes)
    }

    #[test]
    fn what_was_found_is_told_and_an_end_without_a_word_is_no_good_sign() {
        told(Ok(())).unwrap();
        let misuse = || Error::Misuse("ssl_cert_file is not set".into());
        assert_eq!(told(Err(misuse())).unwrap_err().to_string(), misuse().to_string());
        let system = || Error::System { doing: "cannot read ssl_key_file".into(), errno: 13, hint: String::new() };
        assert_eq!(told(Err(system())).unwrap_err().to_string(), system().to_string());
        for cut in [&b""[..], b"go", b"13"] {
            assert!(parse(cut).unwrap_err().to_string().contains("without an answer"), "{cut:?}");
        }
    }
}
