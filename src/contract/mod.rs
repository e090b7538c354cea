//! The contract: the OpenAPI document, read once into an immutable value.
//!
//! Routing, validation, sample replies, payloads and the published document are all derived from it.
//! A [`Contract`] cannot be half right: whatever this program does not understand fails the load.

mod choice;
mod effect;
mod effect_reader;
mod extensions;
mod generators;
mod ledger;
mod links;
mod operation;
mod operation_reader;
pub(crate) mod origin;
pub(crate) mod pattern;
mod pointer;
mod publish;
mod rate_limit;
mod reader;
mod refusal;
mod resource;
mod role;
mod schema;
mod schema_reader;
mod template;
pub(crate) mod wording;

use std::{
    collections::HashMap,
    fmt,
    path::Path,
    sync::{Arc, LazyLock, OnceLock},
};

use bytes::Bytes;
use include_dir::{Dir, include_dir};
use serde_json::Value;

pub use crate::json::JsonType;
use crate::{bounded, near, violation::quote};

pub use choice::Assumption;
use choice::ChoiceReader;
pub(crate) use choice::{Choice, Way};
pub(crate) use effect::{Does, Effect, Give, Kind, Moves, Paging, Source, Take, Tell};
use effect_reader::EffectReader;
pub use ledger::{LedgerEntry, LedgerKind, Says};
#[cfg(feature = "campaign")]
pub(crate) use links::made;
use operation::Shared;
pub(crate) use operation::position;
pub use operation::{Body, Example, Operation, Parameter, Place, Replies, Segment};
use operation_reader::OperationReader;
pub use origin::{Basis, Origin};
pub(crate) use pointer::Pointer;
pub use publish::Audience;
use publish::Published;
pub(crate) use rate_limit::RateLimited;
use reader::Node;
pub use refusal::Errors;
pub(crate) use refusal::{Cause, Refusals};
pub(crate) use resource::{Reference, Resource};
pub use schema::{Branch, Property, Schema};
use schema_reader::SchemaReader;
pub(crate) use template::{Derived, Template};

/// The API as its document describes it.
#[derive(Debug)]
pub struct Contract {
    title: String,
    version: String,
    /// The titles of the pages that it is about.
    pages: Vec<String>,
    token: Option<Token>,
    sample_token: Option<String>,
    operations: Vec<Operation>,
    resources: Vec<Resource>,
    assumptions: Vec<Assumption>,
    rate_limit: Option<RateLimited>,
    ledger: Vec<LedgerEntry>,
    /// The document and its published form. Those of the built-in contract are made when somebody asks for them.
    document: OnceLock<Value>,
    published: OnceLock<Published>,
    /// The published documents with links, once somebody asks for them.
    linked: OnceLock<[Bytes; 3]>,
}

/// Why a document is no contract: what was expected, what was found and where.
#[derive(Debug)]
pub struct ContractError(String);

static BUILT_IN: &str = include_str!("../../contracts/agentassist.openapi.json");
static FIXTURES: Dir = include_dir!("$CARGO_MANIFEST_DIR/fixtures");
/// The largest document or sample that is read, in bytes.
const MAX_FILE: u64 = 16 * 1024 * 1024;

impl Contract {
    /// The contract of the agentassist API, built into the program; read once in a process.
    ///
    /// # Panics
    ///
    /// When the built-in document is broken, which a test rules out.
    pub fn builtin() -> Arc<Self> {
        static CONTRACT: LazyLock<Arc<Contract>> = LazyLock::new(|| {
            let contract = Contract::new(&built_in_document(), &built_in_sample, false);
            Arc::new(contract.expect("the built-in contract is complete"))
        });
        Arc::clone(&CONTRACT)
    }

    /// Reads a contract document and the samples beside it, which it names by `externalValue`.
    ///
    /// # Errors
    ///
    /// When a file cannot be read, is larger than 16 MiB or is not JSON, or when the document has anything that
    /// this program does not understand. The message names the file and the place in it.
    pub fn load(path: &Path) -> Result<Self, ContractError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let text = read(path).map_err(|error| ContractError(format!("{}: {error}", path.display())))?;
        let document: Value = serde_json::from_str(&text).map_err(|error| {
            ContractError(format!("{}: expected JSON, but found {error}", path.display()))
        })?;
        Self::whole(document, &|name| read(&folder.join(name)))
            .map_err(|error| ContractError(format!("{}: {error}", path.display())))
    }

    /// Reads a contract document that holds its samples itself, under `value`.
    ///
    /// # Errors
    ///
    /// When the document has anything that this program does not understand, or names a file.
    pub fn from_document(document: Value) -> Result<Self, ContractError> {
        Self::whole(document, &|_| {
            Err("this document comes without files; put the sample under `value`".to_owned())
        })
    }

    /// A contract whose every part is made now, while its files are there and its errors can be told.
    fn whole(document: Value, file: &SampleFile) -> Result<Self, ContractError> {
        let mut contract = Self::new(&document, file, true)?;
        contract.published =
            Published::new(&document, &contract.operations, &contract.ledger, &Samples { file })?.into();
        contract.document = document.into();
        Ok(contract)
    }

    fn new(document: &Value, file: &SampleFile, compile: bool) -> Result<Self, ContractError> {
        let root = Node::root(document);
        let version = root.need("openapi")?;
        if !version.text()?.starts_with("3.1.") {
            return Err(version.error("OpenAPI 3.1, such as `3.1.0`"));
        }
        let info = root.need("info")?;
        let ledger = ledger::read(&root)?;
        extensions::check(&root, &ledger)?;
        let samples = Samples { file };
        let mut choices = ChoiceReader { ledger: &ledger, assumptions: Vec::new() };
        let mut schemas = SchemaReader::new(&ledger, compile);
        let mut resources = resource::read(&root, &mut schemas, &mut choices, compile)?;
        let effects = EffectReader { resources: &resources, choices: &mut choices, compile };
        let mut reader =
            OperationReader { ledger: &ledger, samples: &samples, schemas, effects, shared: HashMap::new() };
        let mut operations = reader.paths(&root.need("paths")?)?;
        let assumptions = choices.assumptions;
        resource::fix(&root, &mut resources, &operations)?;
        let token = token(&root)?;
        let shared = Arc::new(Shared {
            token_header: token.as_ref().map(|token| token.header.clone()),
            token_claim: token.as_ref().and_then(|token| token.claim.clone()),
            routes: operations
                .iter()
                .map(|operation| (operation.method.clone(), operation.segments.clone()))
                .collect(),
        });
        for operation in &mut operations {
            operation.shared = Arc::clone(&shared);
        }
        refusal::check(&operations, &resources, token.is_some())?;
        refusal::share(&mut operations, &resources, token.is_some());
        let rate_limit = rate_limit::read(&root, &operations)?;
        Ok(Self {
            title: info.need("title")?.text()?.to_owned(),
            version: info.need("version")?.text()?.to_owned(),
            pages: origin::places(&info.optional_text("x-source")?.unwrap_or_default())
                .map(str::to_owned)
                .collect(),
            token,
            sample_token: sample_token(&root)?,
            operations,
            resources,
            assumptions,
            rate_limit,
            ledger,
            document: OnceLock::new(),
            published: OnceLock::new(),
            linked: OnceLock::new(),
        })
    }

    /// The document's title.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The document's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What kind of place a source is, such as that of a [`crate::Violation`] or a [`Schema`]: one of the pages that
    /// `info.x-source` lists, another place, or none.
    pub fn basis(&self, source: &str) -> Basis {
        Basis::of(source, &self.pages)
    }

    /// The document as it was read.
    #[allow(clippy::missing_panics_doc)] // the built-in document is JSON
    pub fn document(&self) -> &Value {
        self.document.get_or_init(built_in_document)
    }

    /// The header that carries the token, in lower case; none when the document asks for no token.
    pub fn token_header(&self) -> Option<&str> {
        self.token.as_ref().map(|token| token.header.as_str())
    }

    /// The claim that names the client in the token's payload; none when any JWT will do.
    pub fn token_claim(&self) -> Option<&str> {
        self.token.as_ref()?.claim.as_deref()
    }

    /// The pages that ask for the token; empty when the document asks for none.
    pub fn token_source(&self) -> &str {
        self.token.as_ref().map_or("", |token| &token.source)
    }

    /// The token that the documentation's own samples send: the component example named as the security scheme.
    pub fn sample_token(&self) -> Option<&str> {
        self.sample_token.as_deref()
    }

    /// The operations, in the document's order.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation with this id.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| *operation.id == *id)
    }

    /// The operation with this id; the error says which there are.
    pub(crate) fn need_operation(&self, id: &str) -> Result<&Operation, String> {
        self.operation(id).ok_or_else(|| {
            let ids: Vec<_> = self.operations.iter().map(|operation| &*operation.id).collect();
            let hint = near::hint(id, ids.iter().copied());
            format!("expected an operation among {}, but found {}{hint}", ids.join(", "), quote(id))
        })
    }

    /// Whether it has refusals in this wording; every contract has them in the vendor's.
    pub fn words(&self, errors: Errors) -> Result<(), ContractError> {
        if errors.is_in(&self.operations) {
            return Ok(());
        }
        Err(ContractError::new(format!(
            "expected refusals under {} in the contract, but found them under {} alone",
            errors.media(),
            Errors::Vendor.media()
        )))
    }

    /// Reads `NAME=CHOICE`: what to take for one of the things that the documentation leaves open.
    ///
    /// # Errors
    ///
    /// When the contract has no such thing or no such choice.
    pub fn assume(&self, text: &str) -> Result<(String, String), ContractError> {
        choice::assume(&self.assumptions, text)
    }

    /// What the documentation leaves open about state, as far as something else can be chosen for it.
    pub fn assumptions(&self) -> &[Assumption] {
        &self.assumptions
    }

    /// Whose requests are counted together, and what one too many gets; none when it knows of no limit.
    pub(crate) fn rate_limit(&self) -> Option<&RateLimited> {
        self.rate_limit.as_ref()
    }

    /// Whether it says what becomes of requests that are too many in a minute.
    pub fn has_rate_limit(&self) -> bool {
        self.rate_limit.is_some()
    }

    /// What operations make and read.
    pub(crate) fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// The ledger of contradictions.
    pub fn ledger(&self) -> &[LedgerEntry] {
        &self.ledger
    }

    /// The self-contained document for outside tools, as JSON, with its samples inline. The first of its servers is a
    /// relative URL: that of wherever the document is read from.
    #[allow(clippy::missing_panics_doc)] // the built-in document is complete
    pub fn published(&self, audience: Audience) -> &Bytes {
        let published = self.published.get_or_init(|| {
            Published::new(
                self.document(),
                &self.operations,
                &self.ledger,
                &Samples { file: &built_in_sample },
            )
            .expect("the built-in contract is complete")
        });
        published.text(audience)
    }

    /// The same document with links, from each operation that makes a thing to those that read, change and delete it; they
    /// hold where there is state.
    pub fn linked(&self, audience: Audience) -> &Bytes {
        let texts = self.linked.get_or_init(|| {
            Audience::ALL.map(|audience| {
                let published = self.published(audience);
                // One whose examples are nested as deeply as may be is too deep to be read again, and has none.
                let linked = links::add(published, &self.operations, &self.resources);
                linked.unwrap_or_else(|_| published.clone())
            })
        });
        &texts[audience.index()]
    }

    /// The published document as a server at `url` hands it out, such as `http://127.0.0.1:8484`.
    pub fn published_at(&self, audience: Audience, url: &str) -> Bytes {
        publish::at(self.published(audience), url)
    }

    /// The document with links as a server at `url` hands it out.
    pub fn linked_at(&self, audience: Audience, url: &str) -> Bytes {
        publish::at(self.linked(audience), url)
    }
}

impl ContractError {
    fn new(message: String) -> Self {
        Self(message)
    }
}

impl fmt::Display for ContractError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names come from the document, and one of them may have a line feed.
        for part in self.0.split_inclusive(char::is_control) {
            let text = part.trim_end_matches(char::is_control);
            f.write_str(text)?;
            part[text.len()..]
                .chars()
                .try_for_each(|character| write!(f, "{}", character.escape_default()))?;
        }
        Ok(())
    }
}

impl std::error::Error for ContractError {}

fn built_in_document() -> Value {
    serde_json::from_str(BUILT_IN).expect("the built-in contract is JSON")
}

fn built_in_sample(name: &str) -> Result<String, String> {
    let name = name.strip_prefix("../fixtures/").unwrap_or(name);
    let file = FIXTURES.get_file(name).and_then(|file| file.contents_utf8());
    file.map(str::to_owned).ok_or_else(|| "there is no such fixture".to_owned())
}

/// Reads the sample file of this name, or says why not.
type SampleFile<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// Where the samples of a document come from.
struct Samples<'a> {
    file: &'a SampleFile<'a>,
}

impl Samples<'_> {
    /// The value of an OpenAPI Example Object.
    fn value(&self, example: &Node) -> Result<Value, ContractError> {
        let Some(file) = example.get("externalValue") else {
            return Ok(example.need("value")?.value.clone());
        };
        let name = file.text()?;
        if name.contains("://") || Path::new(name).is_absolute() {
            return Err(file.error("a path relative to the document"));
        }
        let text = (self.file)(name).map_err(|error| file.complain(&format!("{name}: {error}")))?;
        serde_json::from_str(&text)
            .map_err(|error| file.complain(&format!("{name}: expected JSON, but found {error}")))
    }
}

fn read(path: &Path) -> Result<String, String> {
    bounded::text(path, MAX_FILE).map_err(|error| error.to_string())
}

/// The security scheme: the header, in lower case, the claim that names the client, and where it is documented.
#[derive(Debug)]
struct Token {
    header: String,
    claim: Option<String>,
    source: String,
}

fn token(root: &Node) -> Result<Option<Token>, ContractError> {
    let Some(schemes) = root.get("components").and_then(|node| node.get("securitySchemes")) else {
        return Ok(None);
    };
    let mut schemes = schemes.members()?;
    let Some((_, scheme)) = schemes.next() else {
        return Ok(None);
    };
    let is = |key: &str, value: &str| scheme.get(key).is_some_and(|node| node.value == value);
    if schemes.next().is_some() || !is("type", "apiKey") || !is("in", "header") {
        return Err(scheme.complain("the one security scheme that is supported is an apiKey in a header"));
    }
    let claim = scheme.get("x-claim");
    if let Some(claim) =
        claim.as_ref().filter(|node| ["", "exp", "nbf"].iter().any(|name| node.value == name))
    {
        return Err(claim.error("the name of the claim that names the client"));
    }
    Ok(Some(Token {
        header: scheme.need("name")?.text()?.to_ascii_lowercase(),
        claim: claim.map(|node| node.text().map(str::to_owned)).transpose()?,
        source: scheme.optional_text("x-source")?.unwrap_or_default(),
    }))
}

/// The component example that has the name of the security scheme.
fn sample_token(root: &Node) -> Result<Option<String>, ContractError> {
    let components = root.get("components");
    let schemes = components.as_ref().and_then(|components| components.get("securitySchemes"));
    let scheme = schemes.as_ref().and_then(|schemes| schemes.value.as_object()?.keys().next());
    let examples = components.as_ref().and_then(|components| components.get("examples"));
    let (Some(scheme), Some(examples)) = (scheme, examples) else {
        return Ok(None);
    };
    let example = examples.get(scheme);
    example.map(|example| Ok(example.need("value")?.text()?.to_owned())).transpose()
}
