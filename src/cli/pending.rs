//! Stand-ins for parts that are written elsewhere at the same time. After the merge: delete this file and
//! replace `super::pending::` and `pending::` by `crate::`.
#![allow(missing_docs, clippy::pedantic)]

pub mod stub {
    use crate::{Operation, Reading, Rule, Violation};
    pub struct BodyCheck {
        pub violations: Vec<Violation>,
        pub more_violations: bool,
        pub readings: Vec<Reading>,
    }
    pub fn check_body(_: &Operation, body: &[u8]) -> BodyCheck {
        let violations = match serde_json::from_slice::<serde_json::Value>(body) {
            Ok(_) => vec![],
            Err(_) => vec![Violation {
                pointer: "/body".into(),
                rule: Rule::Json,
                expected: "JSON".into(),
                found: "something else".into(),
                source: "pending".into(),
            }],
        };
        BodyCheck {
            violations,
            more_violations: false,
            readings: vec![],
        }
    }
}

pub mod journal {
    use crate::Recorded;
    use std::sync::Arc;
    pub struct Limits {
        pub entries: usize,
        pub bytes: usize,
    }
    pub struct Journal;
    impl Journal {
        pub fn new(limits: Limits) -> Self {
            let _ = (limits.entries, limits.bytes);
            Self
        }
        pub fn snapshot(&self) -> Vec<Arc<Recorded>> {
            vec![]
        }
    }
}

pub mod render {
    pub mod ndjson {
        use crate::Recorded;
        pub fn line(_: &Recorded) -> String {
            String::new()
        }
        pub fn parse(_: &str) -> Result<Recorded, String> {
            Err("not yet".into())
        }
    }
    pub mod har {
        pub fn log(_: &[std::sync::Arc<crate::Recorded>]) -> serde_json::Value {
            serde_json::Value::Null
        }
    }
    pub mod curl {
        pub fn command(_: &crate::Recorded, _: &str) -> String {
            String::new()
        }
    }
}

pub mod server {
    use crate::{
        Contract, Settings,
        cli::pending::journal::{self, Journal},
        token::Secret,
    };
    use std::sync::Arc;
    #[derive(Clone, Copy)]
    pub enum LogFormat {
        Json,
        Text,
    }
    pub struct Log;
    impl Log {
        pub fn stderr(_: LogFormat) -> Self {
            Self
        }
    }
    #[allow(dead_code)]
    pub struct ControlConfig {
        pub hosts: Vec<String>,
        pub origins: Vec<String>,
        pub token: Option<Secret>,
    }
    #[allow(dead_code)]
    pub struct Config {
        pub log: Log,
        pub contract: Arc<Contract>,
        pub settings: Settings,
        pub journal: journal::Limits,
        pub control: ControlConfig,
    }
    impl Default for Config {
        fn default() -> Self {
            Self {
                log: Log,
                contract: Contract::builtin(),
                settings: Settings::default(),
                journal: journal::Limits {
                    entries: 1,
                    bytes: 1,
                },
                control: ControlConfig {
                    hosts: vec![],
                    origins: vec![],
                    token: None,
                },
            }
        }
    }
    pub async fn serve(
        _: std::net::TcpListener,
        config: Config,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<Arc<Journal>> {
        stop.await;
        Ok(Arc::new(Journal::new(config.journal)))
    }
}

pub trait Document {
    fn document(&self) -> serde_json::Value;
}

impl Document for crate::Contract {
    fn document(&self) -> serde_json::Value {
        serde_json::from_slice(self.published()).unwrap()
    }
}
