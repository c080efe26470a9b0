//! Who the system trusts.

use rustls::Error;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls_platform_verifier::Verifier;
use std::sync::Arc;

/// The system's own judgement. To read its store would not do: Windows fetches an authority when a
/// certificate is first met that needs it, and what an administrator distrusts is not in the store's list.
pub(crate) fn verifier(
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ServerCertVerifier>>, Error> {
    Ok(Some(Arc::new(Verifier::new(provider.clone())?)))
}
