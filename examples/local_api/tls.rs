//! HTTPS with a certificate authority of its own, made anew at each start. What a client has to
//! trust, its certificate, is in a file; its key never leaves this process.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::crypto::ring::Ticketer;
use tempfile::TempPath;
use time::{Duration, OffsetDateTime};
use tokio_rustls::TlsAcceptor;

pub struct Tls {
    pub acceptor: TlsAcceptor,
    pub ca_file: PathBuf,
    /// Removes the file when dropped, unless the user chose its place.
    _removal: Option<TempPath>,
}

impl Tls {
    pub fn new(ca_file: Option<PathBuf>) -> io::Result<Self> {
        let (acceptor, ca_pem) = certified().map_err(io::Error::other)?;
        let (ca_file, removal) = match ca_file {
            Some(path) => {
                fs::write(&path, ca_pem).map_err(|error| {
                    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
                })?;
                (path, None)
            }
            None => {
                let mut file =
                    tempfile::Builder::new().prefix("local_api-ca-").suffix(".pem").tempfile()?;
                file.write_all(ca_pem.as_bytes())?;
                let path = file.into_temp_path();
                (path.to_path_buf(), Some(path))
            }
        };
        Ok(Self { acceptor, ca_file, _removal: removal })
    }
}

/// What serves with a certificate for this machine, and the authority's own certificate.
fn certified() -> Result<(TlsAcceptor, String), Box<dyn Error + Send + Sync>> {
    let mut authority = params("local_api, certificate authority", &[])?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

    let key = KeyPair::generate()?;
    let mut server = params("local_api", &["localhost", "127.0.0.1", "::1"])?;
    server.use_authority_key_identifier_extension = true;
    server.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = server.signed_by(&key, &authority)?;

    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key.into())?;
    // Sessions resume however many there are: a cache would forget.
    config.ticketer = Ticketer::new()?;
    Ok((TlsAcceptor::from(Arc::new(config)), authority.pem()))
}

fn params(common_name: &str, hosts: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let hosts: Vec<String> = hosts.iter().copied().map(String::from).collect();
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    // No longer than every platform accepts, and good for a client whose clock is late.
    let now = OffsetDateTime::now_utc();
    params.not_before = now - Duration::DAY;
    params.not_after = now + 365 * Duration::DAY;
    Ok(params)
}
