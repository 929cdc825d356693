//! What the handshakes of a port begin with, from the files that its options name.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{NoServerSessionStorage, ProducesTickets, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{Error as TlsError, InconsistentKeys, ServerConfig, SupportedProtocolVersion};

use super::engine::Engine;
use super::error::Failure;
use super::sni::Certificates;
use super::verify::Verifier;
use super::{KeyPair, Options, Versions, files};
use crate::error::Error;

/// What the handshakes of a port begin with. Files are read again by [`Self::reload`]; connections keep what they have
/// begun with.
#[derive(Debug)]
pub struct PortTls {
    options: Options,
    provider: Arc<CryptoProvider>,
    current: Mutex<Arc<ServerConfig>>,
}

impl PortTls {
    /// Reads the files.
    ///
    /// # Errors
    /// A setting that is missing, and a file that cannot be read or used, by the setting's name.
    pub fn load(options: &Options, port: &str) -> Result<Self, Error> {
        for (setting, file) in [("ssl_cert_file", &options.cert_file), ("ssl_key_file", &options.key_file)] {
            if file.is_none() {
                return Err(Error::Misuse(format!(
                    "{setting} is not set, and {port} has TLS (SSL in its $sock_type): set ssl_cert_file and ssl_key_file"
                )));
            }
        }
        let provider = Arc::new(provider_for(options));
        let config = config(options, &provider, None)?;
        Ok(Self { options: options.clone(), provider, current: Mutex::new(Arc::new(config)) })
    }

    /// Reads the files again, for the connections that come from now on; with an error, nothing changes.
    ///
    /// # Errors
    /// As for [`Self::load`].
    pub fn reload(&self) -> Result<(), Error> {
        // A ticket stands for a client's certificate, too: what was trusted may not be any more.
        let tickets = self.options.clients.is_none().then(|| self.current.lock().ticketer.clone());
        let config = config(&self.options, &self.provider, tickets)?;
        *self.current.lock() = Arc::new(config);
        Ok(())
    }

    /// The server's side of a new connection.
    pub fn engine(&self) -> Result<Engine, Failure> {
        let config = self.current.lock().clone();
        Engine::new(config)
    }

    /// The protocols that clients may choose from.
    pub fn alpn(&self) -> &[Vec<u8>] {
        &self.options.alpn
    }
}

/// rustls's algorithms, as far as they are asked for, in the order in which they are.
fn provider_for(options: &Options) -> CryptoProvider {
    let mut provider = ring::default_provider();
    let suite = |wanted| provider.cipher_suites.iter().find(|suite| suite.suite() == wanted).copied();
    let cipher_suites = options.ciphers.iter().filter_map(|wanted| suite(*wanted)).collect();
    let group = |wanted| provider.kx_groups.iter().find(|group| group.name() == wanted).copied();
    let kx_groups = options.groups.iter().filter_map(|wanted| group(*wanted)).collect();
    (provider.cipher_suites, provider.kx_groups) = (cipher_suites, kx_groups);
    provider
}

fn config(
    options: &Options,
    provider: &Arc<CryptoProvider>,
    tickets: Option<Arc<dyn ProducesTickets>>,
) -> Result<ServerConfig, Error> {
    let unusable = |error: TlsError| Error::Misuse(format!("TLS cannot be set up: {error}"));
    let certificates = certificates(options, provider)?;
    let verifier = match &options.clients {
        Some(check) => Arc::new(Verifier::load(check, provider)?),
        None => WebPkiClientVerifier::no_client_auth(),
    };
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions(options.versions))
        .map_err(unusable)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(certificates));
    config.ignore_client_order = options.prefers_own_order;
    config.alpn_protocols.clone_from(&options.alpn);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    if options.has_tickets {
        config.ticketer = match tickets {
            Some(tickets) => tickets,
            None => ring::Ticketer::new().map_err(unusable)?,
        };
    } else {
        config.send_tls13_tickets = 0;
    }
    Ok(config)
}

/// rustls's names for the versions.
pub(super) fn versions(versions: Versions) -> &'static [&'static SupportedProtocolVersion] {
    static BOTH: [&SupportedProtocolVersion; 2] = [&TLS13, &TLS12];
    match versions {
        Versions::Both => &BOTH,
        Versions::Tls12 => &BOTH[1..],
        Versions::Tls13 => &BOTH[..1],
    }
}

fn certificates(options: &Options, provider: &CryptoProvider) -> Result<Certificates, Error> {
    let (Some(cert_file), Some(key_file)) = (&options.cert_file, &options.key_file) else {
        return Err(Error::Broken("TLS is set up without a certificate".into()));
    };
    let default = Arc::new(certified_key(cert_file, key_file, "", provider)?);
    let mut hosts = std::collections::HashMap::new();
    for (host, KeyPair { cert_file, key_file }) in &options.hosts {
        let of_host = format!(" of ssl_sni_certs[\"{host}\"]");
        hosts.insert(host.clone(), Arc::new(certified_key(cert_file, key_file, &of_host, provider)?));
    }
    Ok(Certificates { default, hosts })
}

fn certified_key(
    cert_file: &Path,
    key_file: &Path,
    of_host: &str,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, Error> {
    let (cert_setting, key_setting) = (format!("ssl_cert_file{of_host}"), format!("ssl_key_file{of_host}"));
    let chain = files::certificates(&cert_setting, cert_file)?;
    let key = files::private_key(&key_setting, key_file)?;
    let key = provider.key_provider.load_private_key(key).map_err(|error| {
        Error::Misuse(format!(
            "{key_setting} {} has no key that can be used ({error}); RSA from 2048 bits, ECDSA with P-256 or P-384 and \
             Ed25519 can",
            key_file.display()
        ))
    })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(TlsError::InconsistentKeys(InconsistentKeys::Unknown)) => Ok(certified),
        Err(TlsError::InconsistentKeys(_)) => Err(Error::Misuse(format!(
            "{key_setting} {} is not the key of the first certificate in {cert_setting} {}",
            key_file.display(),
            cert_file.display()
        ))),
        Err(error) => Err(Error::Misuse(format!(
            "{cert_setting} {} begins with a certificate that cannot be used: {error}",
            cert_file.display()
        ))),
    }
}
