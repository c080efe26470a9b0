//! Which certificate authorities a client trusts: the system's, read once per process, or those of
//! a file that replaces them.

use crate::error::Error;
use crate::process::PerProcess;
use once_cell::race::OnceBox;
use once_cell::sync::OnceCell;
use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, RootCertStore};
use rustls_native_certs::{CertificateResult, load_certs_from_paths, load_native_certs};
use std::path::Path;
use std::sync::Arc;

/// Which authorities are trusted.
#[derive(Clone)]
pub(crate) struct Trust {
    roots: Arc<RootCertStore>,
    config: Arc<ClientConfig>,
}

impl Trust {
    /// Trusts the authorities of the PEM file `ca_file`, or without one the system's.
    pub fn new(ca_file: Option<&str>) -> Result<Self, Error> {
        let roots = match ca_file {
            Some(path) => Arc::new(authorities_in(path)?),
            None => system_authorities()?,
        };
        let config = config(roots.clone())
            .map_err(|error| Error::internal(format_args!("TLS cannot be set up: {error}")))?;
        Ok(Trust { roots, config })
    }

    /// The same trust without what is remembered of sessions, which is behind a lock that a parent
    /// process may have held.
    pub fn for_this_process(&self) -> Self {
        let config = config(self.roots.clone()).unwrap_or_else(|_| self.config.clone());
        Trust { roots: self.roots.clone(), config }
    }

    /// What a TLS session is begun with.
    pub fn config(&self) -> Arc<ClientConfig> {
        self.config.clone()
    }
}

fn config(roots: Arc<RootCertStore>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() };
    let config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Clients show no certificate of their own, so that all that signs with one stays out of the
/// library.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("private keys are not supported".into()))
    }
}

/// The system's authorities. Reading and parsing the bundle costs more than a handshake, hence
/// once for all clients; a failure is not kept, so that it can be mended without a restart.
fn system_authorities() -> Result<Arc<RootCertStore>, Error> {
    // A forked child reads for itself: it may find its parent's reading for ever unfinished.
    static SYSTEM: OnceBox<PerProcess<OnceCell<Arc<RootCertStore>>>> = OnceBox::new();
    SYSTEM
        .get_or_init(|| Box::new(PerProcess::new(OnceCell::new())))
        .get(OnceCell::new)
        .get_or_try_init(|| {
            let (mut roots, mut errors) = usable(bundle());
            if roots.is_empty() {
                (roots, errors) = usable(load_native_certs());
            }
            if roots.is_empty() {
                let reason = match errors.first() {
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

/// The certificates of the system's bundle, or nothing: the system's directory holds the same ones
/// again, file by file, and is read only if no bundle can be used. What the environment names is read
/// as it says.
fn bundle() -> CertificateResult {
    let is_named = |variable| std::env::var_os(variable).is_some();
    if is_named(openssl_probe::ENV_CERT_FILE) || is_named(openssl_probe::ENV_CERT_DIR) {
        return CertificateResult::default();
    }
    load_certs_from_paths(openssl_probe::probe().cert_file.as_deref(), None)
}

/// What can be used of certificates, and what was wrong in finding them. System bundles carry some
/// that no verifier accepts: those are left out.
fn usable(found: CertificateResult) -> (RootCertStore, Vec<rustls_native_certs::Error>) {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    (roots, found.errors)
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
        let certificate = certificate.map_err(|error| match error {
            // Its own words are a list of bytes.
            pem::Error::MissingSectionEnd { .. } => refuse(&"is not PEM: it ends too early"),
            error => refuse(&format_args!("is not PEM: {error}")),
        })?;
        roots
            .add(certificate)
            .map_err(|error| refuse(&format_args!("holds an unusable certificate: {error}")))?;
    }
    if roots.is_empty() {
        return Err(refuse(&"holds no certificate in PEM form"));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_private_key_is_taken() {
        let key = PrivateKeyDer::Pkcs8(vec![0].into());
        assert!(NoKeys.load_private_key(key).is_err());
    }
}
