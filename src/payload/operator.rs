//! The operators: every way in which a valid request is changed, and the places where each can act.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::plan::{Node, NodeId, Plan, Site};
use crate::{
    Rule,
    contract::{JsonType, Place, Segment},
};

macro_rules! operators {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal,)+) => {
        /// The closed list of changes to a valid request, in alphabetical order.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum Operator {
            $($(#[doc = $doc])+ #[serde(rename = $name)] $variant,)+
        }

        impl Operator {
            /// Every operator.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name, as it stands in labels.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it does, in a line.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

operators! {
    /// Raises a number above its maximum.
    AboveMaximum = "aboveMaximum",
    /// Uses another accepted spelling of a name; stays valid.
    AcceptedName = "acceptedName",
    /// Uses another accepted type of a value; stays valid.
    AcceptedType = "acceptedType",
    /// Puts a list where a plain value belongs.
    ArrayForScalar = "arrayForScalar",
    /// Puts `%zz` or bytes that are not UTF-8 into a parameter of path or query.
    BadEscape = "badEscape",
    /// Breaks the form of a text.
    BadFormat = "badFormat",
    /// Lowers a number below its minimum.
    BelowMinimum = "belowMinimum",
    /// Puts true or false where another type belongs.
    BooleanForOther = "booleanForOther",
    /// Puts a byte order mark before the body.
    ByteOrderMark = "byteOrderMark",
    /// Puts a comment into the body.
    Comment = "comment",
    /// Nests a value deeper than the limit.
    DeepNesting = "deepNesting",
    /// Makes `.` or `..` the value of a path parameter; stays valid.
    DotSegment = "dotSegment",
    /// Leaves out a required member.
    DropMember = "dropMember",
    /// Writes a member twice, of which the last counts; stays valid.
    DuplicateMember = "duplicateMember",
    /// Sends no body.
    EmptyBody = "emptyBody",
    /// Makes the value of a path parameter empty.
    EmptySegment = "emptySegment",
    /// Makes a text empty where it must not be.
    EmptyText = "emptyText",
    /// Puts `%00` into a path parameter; stays valid.
    EncodedNul = "encodedNul",
    /// Puts `%2F` into a path parameter; stays valid.
    EncodedSlash = "encodedSlash",
    /// Writes the names of headers in capitals; stays valid.
    HeaderCase = "headerCase",
    /// Writes a number beyond what a double can hold.
    HugeNumber = "hugeNumber",
    /// Puts a byte that is not UTF-8 into a text.
    InvalidUtf8 = "invalidUtf8",
    /// Changes a literal segment of the path.
    LiteralSegment = "literalSegment",
    /// Puts half of a surrogate pair into a text.
    LoneSurrogate = "loneSurrogate",
    /// Makes a path parameter very long; stays valid.
    LongSegment = "longSegment",
    /// Leaves out the media type.
    MediaTypeMissing = "mediaTypeMissing",
    /// Sends the media type twice.
    MediaTypeRepeated = "mediaTypeRepeated",
    /// Announces another media type.
    MediaTypeWrong = "mediaTypeWrong",
    /// Changes capitals and small letters of a member's name; stays valid when the member may be left out.
    MemberCase = "memberCase",
    /// Nests a value exactly as deep as the limit allows; stays valid.
    NestedToLimit = "nestedToLimit",
    /// Sends a body of another JSON type than an object or whatever else is asked for.
    NotAnObject = "notAnObject",
    /// Gives a number a fraction where an integer belongs.
    NotInteger = "notInteger",
    /// Makes a value null.
    NullValue = "nullValue",
    /// Puts a number where another type belongs.
    NumberForOther = "numberForOther",
    /// Puts an object where a plain value belongs.
    ObjectForScalar = "objectForScalar",
    /// Replaces a value by one that is not listed.
    OffEnum = "offEnum",
    /// Changes capitals and small letters of a query parameter's name; stays valid when it may be left out.
    ParameterCase = "parameterCase",
    /// Leaves out a required parameter of query or header.
    ParameterMissing = "parameterMissing",
    /// Sends a parameter of query or header twice.
    ParameterRepeated = "parameterRepeated",
    /// Puts a string where another type belongs.
    StringForOther = "stringForOther",
    /// Makes a text longer than allowed.
    TextTooLong = "textTooLong",
    /// Makes a text shorter than allowed, but not empty.
    TextTooShort = "textTooShort",
    /// Says `alg: none` in the token; refused only where tokens are verified.
    TokenAlgorithm = "tokenAlgorithm",
    /// Writes the token's `appId` with other capitals.
    TokenAppIdCase = "tokenAppIdCase",
    /// Leaves out the token's `appId`.
    TokenAppIdMissing = "tokenAppIdMissing",
    /// Makes a part of the token something else than base64url.
    TokenEncoding = "tokenEncoding",
    /// Sends a token whose time is over; refused only where tokens are verified.
    TokenExpired = "tokenExpired",
    /// Leaves out the token.
    TokenMissing = "tokenMissing",
    /// Sends a token that has not three parts.
    TokenParts = "tokenParts",
    /// Sends the token twice.
    TokenRepeated = "tokenRepeated",
    /// Puts a scheme such as `Bearer` before the token.
    TokenScheme = "tokenScheme",
    /// Signs the token with another secret; refused only where tokens are verified.
    TokenSecret = "tokenSecret",
    /// Puts a comma after the last member or item.
    TrailingComma = "trailingComma",
    /// Ends the path with a slash.
    TrailingSlash = "trailingSlash",
    /// Cuts the body off.
    Truncated = "truncated",
    /// Adds a member that the contract does not know; stays valid.
    UnknownMember = "unknownMember",
    /// Wraps an object in a list, or makes a list an object.
    WrongContainer = "wrongContainer",
    /// Uses a method that the path does not have.
    WrongMethod = "wrongMethod",
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Operator {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = Self::ALL.iter().find(|operator| operator.name() == name);
        found.copied().ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|operator| operator.name()).collect();
            format!("there is no operator `{name}`; the operators are {}", names.join(", "))
        })
    }
}

/// What an operator acts on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// A place of the body.
    Node(NodeId),
    /// The parameter of this position.
    Parameter(usize),
    /// The request as a whole.
    Request,
}

/// Every place where each operator can act on requests of an operation.
pub(super) fn sites(plan: &Plan) -> Vec<(Operator, Vec<Site>)> {
    let mut found = Sites { plan, sites: Vec::new() };
    found.request();
    for index in 0..plan.parameters.len() {
        found.parameter(index);
    }
    for (id, node) in plan.nodes.iter().enumerate() {
        if plan.body.is_some_and(|root| id >= root) {
            found.node(id, node);
        }
    }
    let mut sites = found.sites;
    sites.sort_by_key(|(operator, _)| *operator);
    let mut groups: Vec<(Operator, Vec<Site>)> = Vec::new();
    for (operator, site) in sites {
        match groups.last_mut() {
            Some((last, sites)) if *last == operator => sites.push(site),
            _ => groups.push((operator, vec![site])),
        }
    }
    groups
}

struct Sites<'a> {
    plan: &'a Plan,
    sites: Vec<(Operator, Site)>,
}

impl Sites<'_> {
    fn add(&mut self, operator: Operator, target: Target, rule: impl Into<Option<Rule>>) {
        let path = match target {
            Target::Node(node) => {
                let path = self.plan.path(node);
                if path.iter().any(|node| !self.plan.nodes[*node].is_reachable) {
                    return;
                }
                path
            }
            Target::Parameter(_) | Target::Request => Vec::new(),
        };
        self.sites.push((operator, Site { target, rule: rule.into(), path }));
    }

    fn request(&mut self) {
        use Operator as O;
        let mut add = |operator, rule: Option<Rule>| self.add(operator, Target::Request, rule);
        add(O::HeaderCase, None);
        add(O::TrailingSlash, Some(Rule::Path));
        add(O::WrongMethod, Some(Rule::Method));
        if self
            .plan
            .segments
            .iter()
            .any(|segment| matches!(segment, Segment::Literal(text) if !text.is_empty()))
        {
            self.add(O::LiteralSegment, Target::Request, Rule::Path);
        }
        if self.plan.token.is_some() {
            for (operator, rule) in [
                (O::TokenAlgorithm, Rule::Token),
                (O::TokenAppIdCase, Rule::Token),
                (O::TokenAppIdMissing, Rule::Token),
                (O::TokenEncoding, Rule::Format),
                (O::TokenExpired, Rule::Token),
                (O::TokenMissing, Rule::Required),
                (O::TokenParts, Rule::Format),
                (O::TokenRepeated, Rule::Repeated),
                (O::TokenScheme, Rule::Format),
                (O::TokenSecret, Rule::Token),
            ] {
                self.add(operator, Target::Request, rule);
            }
        }
        let Some(root) = self.plan.body else {
            return;
        };
        let body = &self.plan.nodes[root];
        for (operator, rule) in [
            (O::ByteOrderMark, Rule::Json),
            (O::Comment, Rule::Json),
            (O::MediaTypeMissing, Rule::Required),
            (O::MediaTypeRepeated, Rule::Repeated),
            (O::MediaTypeWrong, Rule::MediaType),
            (O::Truncated, Rule::Json),
        ] {
            self.add(operator, Target::Request, rule);
        }
        if body.required {
            self.add(O::EmptyBody, Target::Request, Rule::Required);
        }
        if !body.types.is_empty() {
            self.add(O::NotAnObject, Target::Request, Rule::Type);
        }
        if body.is_container() {
            self.add(O::TrailingComma, Target::Request, Rule::Json);
        }
        if body.allows(JsonType::Object) {
            // These need a member of their own when the body has no place for them.
            self.add(O::DeepNesting, Target::Request, Rule::Depth);
            self.add(O::HugeNumber, Target::Request, Rule::Json);
            self.add(O::InvalidUtf8, Target::Request, Rule::Encoding);
            self.add(O::LoneSurrogate, Target::Request, Rule::Json);
            self.add(O::NestedToLimit, Target::Request, None);
        }
    }

    fn parameter(&mut self, index: usize) {
        use Operator as O;
        let slot = &self.plan.parameters[index];
        let node = &self.plan.nodes[slot.node];
        let target = Target::Parameter(index);
        if slot.place == Place::Path {
            if node.allows(JsonType::String) && node.values.is_empty() && node.patterns.is_empty() {
                if node.min_length < 2 {
                    self.add(O::DotSegment, target, None);
                }
                if node.max_length.is_none() {
                    self.add(O::EncodedNul, target, None);
                    self.add(O::EncodedSlash, target, None);
                    self.add(O::LongSegment, target, None);
                }
            }
            let is_last =
                matches!(self.plan.segments.last(), Some(Segment::Parameter(name)) if *name == slot.name);
            let rule = if is_last { Some(Rule::Path) } else { empty(node) };
            if let Some(rule) = rule {
                self.add(O::EmptySegment, target, rule);
            }
        } else {
            if slot.required {
                self.add(O::ParameterMissing, target, Rule::Required);
            }
            self.add(O::ParameterRepeated, target, Rule::Repeated);
            if let Some(rule) = empty(node) {
                self.add(O::EmptyText, target, rule);
            }
        }
        if slot.place == Place::Query && slot.name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
            self.add(O::ParameterCase, target, slot.required.then_some(Rule::Required));
        }
        if slot.place != Place::Header {
            self.add(O::BadEscape, target, Rule::Format);
        }
        if !slot.accepts.is_empty() {
            self.add(O::AcceptedName, target, None);
        }
        if !node.allows(JsonType::String) {
            self.add(O::StringForOther, target, Rule::Type);
        }
        self.limits(target, node);
    }

    fn node(&mut self, id: NodeId, node: &Node) {
        use Operator as O;
        let target = Target::Node(id);
        if node.allows(JsonType::Object) && !node.types.is_empty() {
            self.add(O::UnknownMember, target, None);
        }
        if node.parent.is_none() {
            return;
        }
        if !node.name.is_empty() {
            if node.required {
                self.add(O::DropMember, target, Rule::Required);
            }
            self.add(O::DuplicateMember, target, None);
            if node.name.bytes().any(|byte| byte.is_ascii_alphabetic()) {
                self.add(O::MemberCase, target, node.required.then_some(Rule::Required));
            }
            if !node.accepts.is_empty() {
                self.add(O::AcceptedName, target, None);
            }
        }
        if node.types.len() > 1 && node.values.is_empty() {
            self.add(O::AcceptedType, target, None);
        }
        let container = node.is_container();
        let wrong = |kind, also: bool| also && !node.allows(kind);
        for (operator, applies) in [
            (O::ArrayForScalar, wrong(JsonType::Array, !container)),
            (O::BooleanForOther, wrong(JsonType::Boolean, true)),
            (O::NullValue, wrong(JsonType::Null, true)),
            (O::NumberForOther, wrong(JsonType::Integer, true)),
            (O::ObjectForScalar, wrong(JsonType::Object, !container)),
            (O::StringForOther, wrong(JsonType::String, true)),
            (
                O::WrongContainer,
                container && !(node.allows(JsonType::Array) && node.allows(JsonType::Object)),
            ),
        ] {
            if applies {
                self.add(operator, target, Rule::Type);
            }
        }
        if node.allows(JsonType::String)
            && let Some(rule) = empty(node)
        {
            self.add(O::EmptyText, target, rule);
        }
        self.limits(target, node);
    }

    /// The operators that cross a limit of a plain value.
    fn limits(&mut self, target: Target, node: &Node) {
        use Operator as O;
        if !node.values.is_empty() {
            let has_numbers = node.values.iter().any(serde_json::Value::is_number);
            if node.allows(JsonType::String) || has_numbers && node.allows(JsonType::Integer) {
                self.add(O::OffEnum, target, Rule::Enum);
            }
            return;
        }
        if node.allows(JsonType::Integer) && !node.allows(JsonType::Number) {
            self.add(O::NotInteger, target, Rule::Type);
        }
        if node.minimum.is_some() {
            self.add(O::BelowMinimum, target, Rule::Minimum);
        }
        if node.maximum.is_some() {
            self.add(O::AboveMaximum, target, Rule::Maximum);
        }
        if !node.patterns.is_empty() {
            self.add(O::BadFormat, target, Rule::Format);
        }
        if node.max_length.is_some_and(|most| most < 100_000) {
            self.add(O::TextTooLong, target, Rule::MaxLength);
        }
        if node.min_length > 1 {
            self.add(O::TextTooShort, target, Rule::MinLength);
        }
    }
}

/// The rule that an empty text breaks: the first of listed values, form and length.
fn empty(node: &Node) -> Option<Rule> {
    if !node.values.is_empty() {
        (!node.values.iter().any(|value| value == "")).then_some(Rule::Enum)
    } else if node.patterns.iter().any(|pattern| !pattern.is_match("")) {
        Some(Rule::Format)
    } else {
        (node.min_length > 0).then_some(Rule::MinLength)
    }
}
