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
            let told = match load(ports, settings) {
                Ok(_) => Ok(()),
                Err(error) => send(tell, &error),
            };
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

/// The errno, then the words; nothing is no error.
fn send(mut tell: std::io::PipeWriter, error: &Error) -> std::io::Result<()> {
    let words = match error {
        Error::System { doing, .. } => doing.clone(),
        Error::Misuse(_) | Error::Broken(_) => error.to_string(),
    };
    tell.write_all(format!("{} {words}", error.errno()).as_bytes())
}

fn parse(told: &[u8]) -> Result<(), Error> {
    let told = String::from_utf8_lossy(told);
    let Some((errno, words)) = told.split_once(' ') else { return Ok(()) };
    Err(match errno.parse() {
        Ok(0) | Err(_) => Error::Misuse(words.to_owned()),
        Ok(errno) => Error::System { doing: words.to_owned(), errno, hint: String::new() },
    })
}
