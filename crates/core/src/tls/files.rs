//! Files in PEM.

use std::fs;
use std::path::Path;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::Error;

/// The certificates of a file, at least one.
pub(super) fn certificates(setting: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = certificates_if_any(setting, path)?;
    if certificates.is_empty() {
        let shown = path.display();
        return Err(Error::Misuse(format!(
            "{setting} {shown} has no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
        )));
    }
    Ok(certificates)
}

/// The certificates of all files in a folder, at least one; files of other kinds are passed over.
pub(super) fn certificates_of_folder(setting: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed = |error: &std::io::Error| Error::system(format!("cannot read {setting} {}", path.display()), error);
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(|error| failed(&error))? {
        let file = entry.map_err(|error| failed(&error))?.path();
        // Through a link, too: that is how such folders are made. One that leads nowhere is nobody's loss.
        if fs::metadata(&file).is_ok_and(|metadata| metadata.is_file()) {
            files.push(file);
        }
    }
    files.sort();
    let mut certificates: Vec<CertificateDer<'static>> = Vec::new();
    for file in files {
        for certificate in certificates_if_any(setting, &file)? {
            // The same file goes by several names there.
            if !certificates.contains(&certificate) {
                certificates.push(certificate);
            }
        }
    }
    if certificates.is_empty() {
        return Err(Error::Misuse(format!("{setting} {} has no file with a certificate in PEM form", path.display())));
    }
    Ok(certificates)
}

/// The private key of a file.
pub(super) fn private_key(setting: &str, path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let bytes = read(setting, path)?;
    PrivateKeyDer::from_pem_slice(&bytes).map_err(|error| {
        let shown = path.display();
        Error::Misuse(match error {
            pem::Error::NoItemsFound if is_encrypted(&bytes) => {
                format!("{setting} {shown} is encrypted with a passphrase; give a key without (openssl pkey)")
            }
            pem::Error::NoItemsFound => {
                format!("{setting} {shown} has no private key in PEM form (-----BEGIN PRIVATE KEY-----)")
            }
            error => format!("{setting} {shown} is damaged: {error}"),
        })
    })
}

fn certificates_if_any(setting: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let bytes = read(setting, path)?;
    let certificates: Result<_, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    certificates.map_err(|error| Error::Misuse(format!("{setting} {} is damaged: {error}", path.display())))
}

fn read(setting: &str, path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|error| Error::system(format!("cannot read {setting} {}", path.display()), &error))
}

fn is_encrypted(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"ENCRYPTED").is_some()
}
