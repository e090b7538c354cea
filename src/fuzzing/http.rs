//! The target `http`.

use std::{cell::OnceCell, sync::LazyLock, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    runtime::{Builder, Runtime},
    time::timeout,
};

use crate::{
    Config, Contract, ControlConfig, JournalLimits, Settings,
    payload::{Choices, Generator},
    server::Connections,
    token::Secret,
};

static CONNECTIONS: LazyLock<Connections> = LazyLock::new(|| {
    Connections::new(Config {
        // The control API waits when it is asked to, so nobody may ask.
        control: ControlConfig {
            token: Some(Secret::new("not known to any input")),
            ..ControlConfig::default()
        },
        journal: JournalLimits { entries: 10, ..JournalLimits::default() },
        // Many that wait, one after the other, have to come to their end in time.
        settings: Settings { max_delay: Duration::from_millis(10), ..Settings::default() },
        ..Config::default()
    })
});

thread_local! {
    static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() };
}

/// A valid request, to see whether the server goes on.
static VALID: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let generator = Generator::new(&Contract::builtin().operations()[0]);
    generator.valid(&mut Choices::recorded(&[])).expect("the simplest request is valid").http1("localhost")
});

/// Longer than any reply takes, shorter than any timeout of the server's.
const PATIENCE: Duration = Duration::from_secs(5);

/// Target `http`: the bytes are what a client sends. The server says what it has to say and closes the connection,
/// and a valid request on another connection is answered.
pub fn http(bytes: &[u8]) {
    RUNTIME.with(|runtime| {
        let runtime = runtime.get_or_init(|| {
            Builder::new_current_thread().enable_time().build().expect("a runtime without sockets")
        });
        runtime.block_on(async {
            exchange(bytes).await;
            let reply = exchange(&VALID).await;
            let reply = String::from_utf8_lossy(&reply);
            assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
        });
    });
}

/// Sends the bytes, closes the sending side, and returns what comes back.
async fn exchange(bytes: &[u8]) -> Vec<u8> {
    let (client, server) = duplex(16 * 1024);
    let serving = tokio::spawn(CONNECTIONS.serve(server));
    let reply = timeout(PATIENCE, talk(client, bytes)).await.expect("the server closes the connection");
    timeout(PATIENCE, serving).await.expect("the connection ends").expect("the connection does not panic");
    reply
}

async fn talk(client: DuplexStream, bytes: &[u8]) -> Vec<u8> {
    let (mut read, mut write) = tokio::io::split(client);
    let mut reply = Vec::new();
    let sending = async {
        // A server that has heard enough closes early.
        let _ = write.write_all(bytes).await;
        let _ = write.shutdown().await;
    };
    let ((), received) = tokio::join!(sending, read.read_to_end(&mut reply));
    received.expect("reading from memory");
    reply
}
