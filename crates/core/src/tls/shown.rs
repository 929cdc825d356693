//! The certificates of clients, for `getClientInfo()` in any process: a file in memory that the master alone can write,
//! with a range for each place of the session table. What is not used of it takes no memory.

use std::sync::Arc;

use rotor_ipc::SessionId;
use rotor_sys::file::UnnamedFile;

/// The reactors' side.
#[derive(Clone, Debug)]
pub struct CertificateWriter {
    file: Arc<UnnamedFile>,
}

/// Everybody's view.
#[derive(Clone, Debug)]
pub struct CertificateReader {
    file: Arc<UnnamedFile>,
}

/// A place has so many bytes. A certificate is part of a message that is no larger.
const STRIDE: u64 = 64 << 10;
/// The session's id and the length come before the bytes.
const HEADER: usize = 16;

/// An empty file, by both sides.
pub fn certificates() -> std::io::Result<(CertificateWriter, CertificateReader)> {
    let (writer, reader) = UnnamedFile::in_memory(c"rotor-certificates")?;
    Ok((CertificateWriter { file: Arc::new(writer) }, CertificateReader { file: Arc::new(reader) }))
}

impl CertificateWriter {
    /// Notes the certificate of the session whose place in the table is `place`, before it is introduced.
    ///
    /// # Errors
    /// When it is too large, or there is no memory.
    pub fn put(&self, id: SessionId, place: usize, certificate: &[u8]) -> std::io::Result<()> {
        if (HEADER + certificate.len()) as u64 > STRIDE {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        let mut bytes = Vec::with_capacity(HEADER + certificate.len());
        bytes.extend_from_slice(&id.0.to_le_bytes());
        bytes.extend_from_slice(&(certificate.len() as u64).to_le_bytes());
        bytes.extend_from_slice(certificate);
        self.file.write_at(&bytes, place as u64 * STRIDE)
    }

    /// Gives the memory back, before the place is another session's.
    pub fn forget(&self, place: usize) {
        // Left there it takes memory until the next one comes.
        let _ = self.file.punch(place as u64 * STRIDE, STRIDE);
    }
}

impl CertificateReader {
    /// The session's certificate, if it has shown one. The caller has to see that the session lives, before and after.
    pub fn get(&self, id: SessionId, place: usize) -> Option<Vec<u8>> {
        let at = place as u64 * STRIDE;
        let mut header = [0; HEADER];
        self.file.read_exact_at(&mut header, at).ok()?;
        let (found, len) = header.split_first_chunk::<8>()?;
        let len = u64::from_le_bytes(len.try_into().ok()?);
        if u64::from_le_bytes(*found) != id.0 || len + HEADER as u64 > STRIDE {
            return None;
        }
        let mut certificate = vec![0; rotor_ipc::to_usize(len)];
        self.file.read_exact_at(&mut certificate, at + HEADER as u64).ok()?;
        Some(certificate)
    }
}

/// A certificate in PEM form.
pub fn to_pem(certificate: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut letters = String::with_capacity(certificate.len() * 4 / 3 + 4);
    for part in certificate.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|at| u32::from(part.get(at).copied().unwrap_or(0)));
        let bits = a << 16 | b << 8 | c;
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            letters.push(if at <= part.len() { char::from(letter) } else { '=' });
        }
    }
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = letters.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(64));
        pem.push_str(line);
        pem.push('\n');
        rest = more;
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::tests::{CA, SERVER, der};

    #[test]
    fn a_certificate_is_shown_of_the_session_that_has_it_and_of_no_other() {
        let (writer, reader) = certificates().unwrap();
        assert_eq!(reader.get(SessionId(7), 3), None);
        for len in [0, 1, 5000, 65_520] {
            writer.put(SessionId(7), 3, &vec![9; len]).unwrap();
            writer.put(SessionId(8), 4, b"other").unwrap();
            assert_eq!(reader.get(SessionId(7), 3), Some(vec![9; len]));
            assert_eq!(reader.get(SessionId(8), 4).as_deref(), Some(&b"other"[..]));
            assert_eq!(reader.get(SessionId(7), 4), None);
            assert_eq!(reader.get(SessionId(9), 3), None);
            writer.forget(3);
            assert_eq!(reader.get(SessionId(7), 3), None);
        }
        assert!(writer.put(SessionId(7), 3, &vec![9; 65_521]).is_err());
        assert!(reader.file.write_at(b"x", 0).is_err(), "who reads cannot write");
    }

    #[test]
    fn a_certificate_in_pem_form_is_what_it_was() {
        for pem in [CA, SERVER] {
            assert_eq!(to_pem(&der(pem)), pem);
        }
        assert!(to_pem(b"a").contains("\nYQ==\n") && to_pem(b"ab").contains("\nYWI=\n"));
    }
}
