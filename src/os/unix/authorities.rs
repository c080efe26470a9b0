//! Who the system trusts, where it does not keep that in files.

use rustls::Error;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use std::sync::Arc;

/// The system's own judgement; none where its authorities are in files, which are read instead.
#[cfg(not(target_vendor = "apple"))]
pub(crate) fn verifier(
    _: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ServerCertVerifier>>, Error> {
    Ok(None)
}

/// The system's own judgement.
#[cfg(target_vendor = "apple")]
pub(crate) fn verifier(
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ServerCertVerifier>>, Error> {
    Ok(Some(Arc::new(rustls_platform_verifier::Verifier::new(provider.clone())?)))
}
