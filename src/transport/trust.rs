//! Which certificate authorities a client trusts: the system's, read once per process, or those of
//! a file that replaces them.

use super::{explain, pem};
use crate::environment::{Environment, Variable};
use crate::error::Error;
use crate::os::authorities;
use crate::process::PerProcess;
use once_cell::race::OnceBox;
use once_cell::sync::OnceCell;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, KeyProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::SigningKey;
use rustls::{ClientConfig, RootCertStore};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which authorities are trusted.
#[derive(Clone)]
pub(crate) struct Trust {
    judge: Judge,
    config: Arc<ClientConfig>,
}

/// Who says whether a certificate is good.
#[derive(Clone)]
enum Judge {
    /// We do, by these authorities.
    Us(Arc<RootCertStore>),
    /// The system itself does.
    System(Arc<dyn ServerCertVerifier>),
}

impl Trust {
    /// Trusts the authorities of the PEM file `ca_file`, or without one the system's.
    pub fn new(ca_file: Option<&str>, environment: Environment) -> Result<Self, Error> {
        let judge = match ca_file {
            Some(path) => Judge::Us(Arc::new(authorities_in(path)?)),
            None => system_judge(environment)?,
        };
        let config = config(&judge).map_err(no_tls)?;
        Ok(Trust { judge, config })
    }

    /// The same trust without what is remembered of sessions, which is behind a lock that a parent
    /// process may have held.
    pub fn for_this_process(&self) -> Self {
        let config = config(&self.judge).unwrap_or_else(|_| self.config.clone());
        Trust { judge: self.judge.clone(), config }
    }

    /// What a TLS session is begun with.
    pub fn config(&self) -> Arc<ClientConfig> {
        self.config.clone()
    }
}

fn config(judge: &Judge) -> Result<Arc<ClientConfig>, rustls::Error> {
    let config =
        ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let config = match judge {
        Judge::Us(roots) => config.with_root_certificates(roots.clone()),
        Judge::System(judge) => config.dangerous().with_custom_certificate_verifier(judge.clone()),
    };
    Ok(Arc::new(config.with_no_client_auth()))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() })
}

#[cold]
fn no_tls(error: rustls::Error) -> Error {
    Error::internal(format_args!("TLS cannot be set up: {error}"))
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

/// What the system trusts: as the environment says, or by its own judgement, or, where that is not to be had,
/// by the files that it keeps.
fn system_judge(environment: Environment) -> Result<Judge, Error> {
    if let Some(judge) = authorities::verifier(&provider()).map_err(no_tls)? {
        return Ok(match named_authorities(environment)? {
            Some(roots) => Judge::Us(Arc::new(roots)),
            None => Judge::System(judge),
        });
    }
    system_authorities(environment).map(Judge::Us)
}

/// The system's authorities. Reading and parsing the bundle costs more than a handshake, hence
/// once for all clients; a failure is not kept, so that it can be mended without a restart.
fn system_authorities(environment: Environment) -> Result<Arc<RootCertStore>, Error> {
    // A forked child reads for itself: it may find its parent's reading for ever unfinished.
    static SYSTEM: OnceBox<PerProcess<OnceCell<Arc<RootCertStore>>>> = OnceBox::new();
    SYSTEM
        .get_or_init(|| Box::new(PerProcess::new(OnceCell::new())))
        .get(OnceCell::new)
        .get_or_try_init(|| match named_authorities(environment)? {
            Some(roots) => Ok(Arc::new(roots)),
            None => found_authorities().map(Arc::new),
        })
        .cloned()
}

/// The authorities where the environment says that they are, as it tells OpenSSL; none if it says
/// nothing. Both variables count, and one that leads nowhere is an error.
fn named_authorities(environment: Environment) -> Result<Option<RootCertStore>, Error> {
    let file = environment.first_of(&[openssl_probe::ENV_CERT_FILE])?;
    let directories = environment.first_of(&[openssl_probe::ENV_CERT_DIR])?;
    if file.is_none() && directories.is_none() {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    if let Some(Variable { name, value }) = file {
        let certificates =
            read(Path::new(&value)).map_err(|why| unusable_variable(name, &value, &why))?;
        if add_usable(&mut roots, certificates) == 0 {
            return Err(unusable_variable(name, &value, UNUSABLE));
        }
    }
    if let Some(Variable { name, value }) = directories {
        let found: usize =
            std::env::split_paths(&value).map(|it| add_directory(&mut roots, &it)).sum();
        if found == 0 {
            return Err(unusable_variable(name, &value, UNUSABLE));
        }
    }
    Ok(Some(roots))
}

/// What is wrong with certificates of which none can be used.
const UNUSABLE: &str = "holds no certificate that can be used";

#[cold]
fn unusable_variable(name: &str, value: &str, why: &str) -> Error {
    Error::invalid_argument(format_args!(
        "the environment variable {name} names {value:?}, which {why}; mend or unset it, or set ca_file"
    ))
}

/// The authorities where this kind of system usually has them: in one bundle, or, file by file, in
/// directories, which hold the same and are read only if no bundle can be used.
fn found_authorities() -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    let mut reason = String::new();
    if let Some(path) = bundle() {
        match std::fs::read(&path) {
            Ok(text) => {
                add_usable(&mut roots, skim(&text));
            }
            Err(error) => reason = format!(" ({} cannot be read: {error})", path.display()),
        }
    }
    if roots.is_empty() {
        for directory in openssl_probe::candidate_cert_dirs() {
            add_directory(&mut roots, directory);
        }
    }
    if roots.is_empty() {
        return Err(Error::tls_unavailable(format_args!(
            "no trusted certificates found on this system{reason}: install them (Debian: \
             ca-certificates), or see that they can be read, or set ca_file",
        )));
    }
    Ok(roots)
}

/// Where the system's bundle is.
fn bundle() -> Option<PathBuf> {
    // Who looks for it asks the environment first: what that names is not to be trusted, or it would
    // have been read above.
    match Environment::untrusted(openssl_probe::ENV_CERT_FILE) {
        Some(path) if !path.is_empty() => None,
        _ => openssl_probe::probe().cert_file,
    }
}

/// Adds those certificates of a directory's files that can be read and used, and tells how many that
/// were.
fn add_directory(roots: &mut RootCertStore, directory: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(directory) else { return 0 };
    let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
    let texts = files.filter_map(|path| std::fs::read(path).ok());
    texts.map(|text| add_usable(roots, skim(&text))).sum()
}

/// Adds those certificates that can be used, and tells how many these were. System bundles carry some
/// that no verifier accepts; directories have the same one under two names.
fn add_usable(roots: &mut RootCertStore, certificates: Vec<CertificateDer<'static>>) -> usize {
    let mut usable = 0;
    for certificate in certificates {
        if roots.add(certificate).is_err() {
            continue;
        }
        usable += 1;
        if let Some((last, others)) = roots.roots.split_last()
            && others.contains(last)
        {
            roots.roots.pop();
        }
    }
    usable
}

/// The authorities in a PEM file, all of which must be usable: a file that is named on purpose is
/// not to be half-understood.
fn authorities_in(path: &str) -> Result<RootCertStore, Error> {
    let refuse = |why: &str| Error::invalid_argument(format_args!("ca_file {path:?} {why}"));
    let mut roots = RootCertStore::empty();
    for certificate in read(Path::new(path)).map_err(|why| refuse(&why))? {
        roots.add(certificate).map_err(|error| {
            let why = explain::authority(&error);
            refuse(&format!("holds an unusable certificate: {why}"))
        })?;
    }
    Ok(roots)
}

/// The certificates in a PEM file, or what is wrong with it.
fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = std::fs::read(path).map_err(|error| format!("cannot be read: {error}"))?;
    let certificates = pem::certificates(&text).into_iter().collect::<Result<Vec<_>, _>>()?;
    if certificates.is_empty() {
        return Err("holds no certificate in PEM form, or none that is for servers".to_owned());
    }
    Ok(certificates)
}

/// What can be read of the certificates in a PEM text.
fn skim(text: &[u8]) -> Vec<CertificateDer<'static>> {
    pem::certificates(text).into_iter().flatten().collect()
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
