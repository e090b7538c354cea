//! What `benches/http` compares the server with: hyper alone, which reads and parses the body and answers fixed bytes.
//!
//! `cargo run --release --example bare_hyper -- 127.0.0.1:8485 fixtures/createAgent/response.json`; with `no` at the end
//! it does not parse the body.

use std::{
    convert::Infallible,
    error::Error,
    io::{self, Write},
    sync::Arc,
};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{CONTENT_TYPE, HeaderValue},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use tokio::net::TcpListener;

const REPLY: &[u8] = br#"{"message":"Agent is created successfully"}"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let listen = arguments.next().unwrap_or_else(|| "127.0.0.1:8485".into());
    let reply = match arguments.next() {
        Some(file) => Bytes::from(std::fs::read(file)?),
        None => Bytes::from_static(REPLY),
    };
    let parses = arguments.next().is_none_or(|parse| parse != "no");

    // The same settings as the server's.
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1().half_close(true).header_read_timeout(None).max_buf_size(64 * 1024);
    let http = Arc::new(http);

    let listener = TcpListener::bind(listen).await?;
    writeln!(io::stdout(), "http://{}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (http, reply) = (Arc::clone(&http), reply.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, reply.clone(), parses));
            // A client that goes away is none of our business here.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    reply: Bytes,
    parses: bool,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_fine = match request.into_body().collect().await {
        Ok(body) if parses => {
            let value = serde_json::from_slice::<serde_json::Value>(&body.to_bytes()).ok();
            std::hint::black_box(value).is_some()
        }
        body => body.is_ok(),
    };
    let (status, body) =
        if is_fine { (StatusCode::OK, reply) } else { (StatusCode::BAD_REQUEST, Bytes::new()) };
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
