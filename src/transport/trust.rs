//! Which certificate authorities a client trusts: the system's, read once per process, or those of
//! a file that replaces them.

use crate::error::Error;
use once_cell::sync::OnceCell;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::path::Path;
use std::sync::Arc;

/// How a client sets up TLS.
#[derive(Clone)]
pub(crate) struct Trust(Arc<ClientConfig>);

impl Trust {
    /// Trusts the authorities of the PEM file `ca_file`, or without one the system's.
    pub fn new(ca_file: Option<&str>) -> Result<Self, Error> {
        let roots = match ca_file {
            Some(path) => Arc::new(authorities_in(path)?),
            None => system_authorities()?,
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::internal(format!("TLS cannot be set up: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Trust(Arc::new(config)))
    }

    /// What a TLS session is begun with.
    pub fn config(&self) -> Arc<ClientConfig> {
        self.0.clone()
    }
}

/// The system's authorities. Reading and parsing the bundle costs more than a handshake, hence
/// once for all clients; a failure is not kept, so that it can be mended without a restart.
fn system_authorities() -> Result<Arc<RootCertStore>, Error> {
    static SYSTEM: OnceCell<Arc<RootCertStore>> = OnceCell::new();
    SYSTEM
        .get_or_try_init(|| {
            let found = rustls_native_certs::load_native_certs();
            let mut roots = RootCertStore::empty();
            // System bundles carry some certificates that no verifier accepts: those are left out.
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let reason = match found.errors.first() {
                    Some(error) => format!(" ({error})"),
                    None => String::new(),
                };
                return Err(Error::tls_unavailable(format!(
                    "no trusted certificates found on this system{reason}: install them \
                     (Debian: ca-certificates) or set ca_file"
                )));
            }
            Ok(Arc::new(roots))
        })
        .cloned()
}

/// The authorities in a PEM file, all of which must be usable: a file that is named on purpose is
/// not to be half-understood.
fn authorities_in(path: &str) -> Result<RootCertStore, Error> {
    let refuse =
        |why: &dyn std::fmt::Display| Error::invalid_argument(format!("ca_file {path:?} {why}"));
    let pem = std::fs::read(Path::new(path))
        .map_err(|error| refuse(&format_args!("cannot be read: {error}")))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate =
            certificate.map_err(|error| refuse(&format_args!("is not PEM: {error}")))?;
        roots
            .add(certificate)
            .map_err(|error| refuse(&format_args!("holds an unusable certificate: {error}")))?;
    }
    if roots.is_empty() {
        return Err(refuse(&"holds no certificate in PEM form"));
    }
    Ok(roots)
}
