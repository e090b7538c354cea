//! Whom a secure connection trusts: the system's roots, and those of a file.

use std::{io, path::Path, sync::Arc};

use tokio_rustls::{
    TlsConnector,
    rustls::{
        CertificateError, ClientConfig, Error, RootCertStore,
        crypto::ring,
        pki_types::{CertificateDer, pem::PemObject},
    },
};

use super::CampaignError;
use crate::bounded;

/// The largest file of certificates that is read, in bytes.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// What makes a connection secure.
///
/// # Errors
///
/// When the file cannot be read or has no certificate, or nobody is trusted at all.
pub(super) fn connector(file: Option<&Path>) -> Result<TlsConnector, CampaignError> {
    let mut roots = RootCertStore::empty();
    // Whatever of the system's is broken is not trusted; that is all there is to it.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = file {
        let wrong = |why: String| {
            CampaignError::CouldNotRun(format!("cannot use the certificates in {}: {why}", file.display()))
        };
        let pem = bounded::file(file, MAX_FILE).map_err(|error| wrong(error.to_string()))?;
        let mut found = 0;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
            roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            found += 1;
        }
        if found == 0 {
            return Err(wrong("expected certificates in PEM, but found none".into()));
        }
    }
    if roots.is_empty() {
        return Err(CampaignError::CouldNotRun(
            "this system trusts nobody; name a file of certificates in PEM with --ca".into(),
        ));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| CampaignError::CouldNotRun(format!("cannot speak TLS: {error}")))?;
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// What is wrong with a server's certificate, when that is why there is no secure connection.
pub(super) fn distrust(error: &io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref()? {
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            Some("nobody who is trusted has signed its certificate".into())
        }
        Error::InvalidCertificate(why) => Some(format!("its certificate is not valid: {why}")),
        _ => None,
    }
}
