//! What hyper's client makes of cases that any client is said to send.

use http_body_util::Full;
use hyper::{Request, Version, body::Bytes, client::conn::http1, header::HOST};
use hyper_util::rt::TokioIo;
use standin::{
    Config, Contract, Server,
    payload::{Case, Generator, Wire},
};
use tokio::{net::TcpStream, runtime};

/// Sends cases one after the other on one connection.
async fn send(server: &Server, cases: &[Case]) {
    let address = server.url().trim_start_matches("http://").to_owned();
    let stream = TcpStream::connect(&address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    for case in cases {
        let request = &case.request;
        let mut head = Request::builder()
            .version(Version::HTTP_11)
            .method(request.method.as_str())
            .uri(&request.target)
            .header(HOST, &address);
        for (name, value) in case.headers() {
            head = head.header(&*name, value);
        }
        let body: Full<Bytes> = Full::new(request.body.clone());
        sender.ready().await.unwrap();
        let reply = sender.send_request(head.body(body).unwrap()).await.unwrap();
        http_body_util::BodyExt::collect(reply.into_body()).await.unwrap();
    }
    drop(sender);
    connection.await.unwrap().unwrap();
}

#[test]
fn hypers_client_sends_every_case_for_any_client_as_it_is() {
    let contract = Contract::builtin();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for operation in contract.operations() {
        let generator = Generator::new(operation);
        let valid = (0..100).filter_map(|index| generator.valid_at(11, index));
        let mutants = (0..600).filter_map(|index| generator.mutant_at(11, index));
        let cases: Vec<_> = valid.chain(mutants).filter(|case| case.wire == Wire::Any).collect();
        assert!(cases.len() > 500, "{}: {} cases", operation.id, cases.len());
        let server = Server::start(Config::default()).unwrap();
        runtime.block_on(send(&server, &cases));
        let journal = server.journal().snapshot();
        assert_eq!(journal.len(), cases.len());
        for (recorded, case) in journal.iter().zip(&cases) {
            let exchange = &recorded.exchange;
            assert_eq!(exchange.request.method, case.request.method, "{case}");
            assert_eq!(exchange.request.target, case.request.target, "{case}");
            let found = exchange.violations.iter().map(|v| (v.pointer.as_str(), v.rule));
            assert!(found.eq(case.label.violation()), "{case}: {:?}", exchange.violations);
        }
    }
}
