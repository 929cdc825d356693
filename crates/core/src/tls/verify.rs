//! Client certificates: which are taken.
//!
//! A certificate is taken when it leads to a trusted one by way of at most so many others, each valid now and, where it
//! says what it is for, for clients; when it is itself among the trusted; or, if self-signed ones are allowed, when it has
//! signed itself. In each case the client has shown by its signature that it has the key.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error as TlsError, OtherError, SignatureScheme,
};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::validity::is_valid_at;
use super::{ClientCheck, files};
use crate::error::Error;

/// What a client's certificate is held against.
#[derive(Debug)]
pub(super) struct Verifier {
    anchors: Vec<TrustAnchor<'static>>,
    /// The certificates of the anchors.
    trusted: Vec<CertificateDer<'static>>,
    /// The names that a client is told, so that it can choose a certificate.
    names: Vec<DistinguishedName>,
    depth: Option<usize>,
    allows_self_signed: bool,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Why a certificate is not taken, where rustls has no word for it.
#[derive(Debug)]
struct Refusal(String);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

impl Verifier {
    /// Reads the trusted certificates.
    pub(super) fn load(check: &ClientCheck, provider: &CryptoProvider) -> Result<Self, Error> {
        let (mut anchors, mut trusted, mut names) = (Vec::new(), Vec::new(), Vec::new());
        let mut add = |setting: &str, certificates: Vec<CertificateDer<'static>>| {
            let mut told = Vec::new();
            for certificate in certificates {
                let anchor = anchor_from_trusted_cert(&certificate)
                    .map_err(|error| {
                        Error::Misuse(format!("{setting} has a certificate that cannot be used: {error}"))
                    })?
                    .to_owned();
                told.push(DistinguishedName::in_sequence(&anchor.subject));
                anchors.push(anchor);
                trusted.push(certificate);
            }
            // Those that clients are told are named apart; without them it is all.
            if setting == "ssl_client_cert_file" || names.is_empty() {
                names = told;
            }
            Ok(())
        };
        if let Some(path) = &check.ca_path {
            add("ssl_capath", files::certificates_of_folder("ssl_capath", path)?)?;
        }
        if let Some(path) = &check.ca_file {
            add("ssl_cafile", files::certificates("ssl_cafile", path)?)?;
        }
        if let Some(path) = &check.client_cert_file {
            add("ssl_client_cert_file", files::certificates("ssl_client_cert_file", path)?)?;
        }
        if anchors.is_empty() && !check.allows_self_signed {
            return Err(Error::Misuse(
                "ssl_verify_peer needs ssl_client_cert_file, ssl_cafile or ssl_capath: the certificates that clients' \
                 lead to"
                    .into(),
            ));
        }
        Ok(Self {
            anchors,
            trusted,
            names,
            depth: check.depth,
            allows_self_signed: check.allows_self_signed,
            algorithms: provider.signature_verification_algorithms,
        })
    }

    fn verify_alone(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), TlsError> {
        match is_valid_at(certificate, now) {
            Some(true) => Ok(()),
            Some(false) => Err(refused("the client's certificate is not valid now".into())),
            None => Err(CertificateError::BadEncoding.into()),
        }
    }

    fn verify_chain(
        &self,
        certificate: &EndEntityCert<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), webpki::Error> {
        let is_short = |path: &webpki::VerifiedPath<'_>| {
            let is_short = self.depth.is_none_or(|most| path.intermediate_certificates().count() <= most);
            if is_short { Ok(()) } else { Err(webpki::Error::MaximumPathDepthExceeded) }
        };
        let chain = certificate.verify_for_usage(
            self.algorithms.all,
            &self.anchors,
            intermediates,
            now,
            KeyUsage::client_auth(),
            None,
            Some(&is_short),
        );
        chain.map(|_| ())
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        // A client that is told names may hold back a certificate that has signed itself.
        if self.allows_self_signed { &[] } else { &self.names }
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, TlsError> {
        let parsed = EndEntityCert::try_from(end_entity).map_err(|error| translated(&error))?;
        if self.trusted.contains(end_entity) {
            Self::verify_alone(end_entity, now)?;
        } else if parsed.issuer() == parsed.subject() {
            if !self.allows_self_signed {
                return Err(refused("the client's certificate is self-signed (ssl_allow_self_signed)".into()));
            }
            Self::verify_alone(end_entity, now)?;
        } else {
            self.verify_chain(&parsed, intermediates, now).map_err(|error| translated(&error))?;
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsError> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn refused(why: String) -> TlsError {
    CertificateError::Other(OtherError(Arc::new(Refusal(why)))).into()
}

/// What the client is told, where there is an alert of its own for it, and what the log says.
fn translated(error: &webpki::Error) -> TlsError {
    match error {
        webpki::Error::CertExpired { .. } => CertificateError::Expired.into(),
        webpki::Error::CertNotValidYet { .. } => CertificateError::NotValidYet.into(),
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer.into(),
        webpki::Error::BadDer => CertificateError::BadEncoding.into(),
        webpki::Error::MaximumPathDepthExceeded => {
            refused("the client's certificate is too far from a trusted one (ssl_verify_depth)".into())
        }
        other => refused(format!("the client's certificate is not taken: {other}")),
    }
}
