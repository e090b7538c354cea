//! A campaign over TLS: whom it trusts, and what it says of a server that nobody vouches for.

mod support;

use std::{net::SocketAddr, sync::Arc, thread};

use standin::{
    Rule, Server,
    campaign::{self, CampaignError, Ended, Options},
};
use support::{FOREVER, server};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// A certificate for `localhost` and `127.0.0.1` that has signed itself, and its key.
const CERTIFICATE: &str = "tests/outside/localhost.pem";
const KEY: &str = "tests/outside/localhost.key";

/// Serves TLS on a free port for as long as the process lives, in front of a server without; the port.
fn secured(plain: SocketAddr) -> u16 {
    let certificate = CertificateDer::from_pem_file(CERTIFICATE).unwrap();
    let key = PrivateKeyDer::from_pem_file(KEY).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    thread::spawn(move || {
        runtime.block_on(async {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                // A client that goes away is none of our business here.
                tokio::spawn(async move {
                    let mut secure = acceptor.accept(stream).await.ok()?;
                    let mut plain = TcpStream::connect(plain).await.ok()?;
                    copy_bidirectional(&mut secure, &mut plain).await.ok()
                });
            }
        });
    });
    port
}

fn options(ca: Option<&str>) -> Options {
    Options {
        operations: vec!["createAgent".into()],
        rules: vec![Rule::Required],
        timeout: FOREVER,
        ca: ca.map(Into::into),
        ..Options::default()
    }
}

fn serve() -> (Server, u16) {
    let server = server(|_| {});
    let port = secured(server.addr());
    (server, port)
}

#[test]
fn a_server_is_tried_over_tls_when_a_file_vouches_for_its_certificate() {
    let (server, port) = serve();
    for host in ["127.0.0.1", "localhost"] {
        let outcome = campaign::run(&format!("https://{host}:{port}"), &options(Some(CERTIFICATE))).unwrap();

        assert_eq!((outcome.findings, outcome.ended), (vec![], Ended::Exhausted));
    }
    assert!(server.journal().snapshot().len() > 20);
}

#[test]
fn a_server_that_nobody_vouches_for_gets_no_request_and_the_error_says_what_helps() {
    let (server, port) = serve();
    let url = format!("https://127.0.0.1:{port}");
    let error = campaign::run(&url, &options(None)).unwrap_err().to_string();
    assert!(error.contains("--ca"), "{error}");

    let other = campaign::run(&url, &options(Some("Cargo.toml"))).unwrap_err();
    let CampaignError::CouldNotRun(error) = other else { panic!("{other:?}") };
    assert!(error.contains("Cargo.toml: expected certificates in PEM, but found none"), "{error}");
    assert_eq!(server.journal().snapshot().len(), 0);
}
