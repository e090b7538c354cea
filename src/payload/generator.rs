//! A generator: cases of one operation, from any source of choices.

use std::{fmt, sync::Arc};

use super::{
    Case, Choices, Credentials, Expect, Label, Operator, Wire, difference, json,
    operator::{self, Effect, Site},
    plan::{Plan, Target},
    proof, valid, wire,
};
use crate::{Operation, Request, Rule, pointer::escape};

/// Makes cases of one operation. Cloning is cheap.
///
/// ```
/// use standin::{Contract, payload::{Generator, Label}};
///
/// let contract = Contract::builtin();
/// let generator = Generator::new(contract.operation("createAgent").unwrap());
/// let case = generator.mutant_at(7, 0).unwrap();
/// assert!(matches!(case.label, Label::Mutant { .. }));
/// assert_eq!(generator.mutant_at(7, 0), Some(case));
/// ```
#[derive(Clone)]
pub struct Generator {
    plan: Arc<Plan>,
    /// The places where an operator can act, by operator.
    sites: Arc<[(Operator, Vec<Site>)]>,
    /// The operators that act, each with the positions of its sites.
    selection: Arc<[(Operator, Vec<usize>)]>,
}

/// How often the proof of a case may fail before the generator gives up.
pub(super) const ATTEMPTS: usize = 16;

impl Generator {
    /// A generator of requests of this operation, signed with [`Credentials::default`].
    ///
    /// It makes none when the operation's schema unfolds to more than 100 000 places.
    pub fn new(operation: &Operation) -> Self {
        Self::with(operation, &Credentials::default())
    }

    /// A generator of requests of this operation that are signed with these credentials.
    pub fn with(operation: &Operation, credentials: &Credentials) -> Self {
        Self::of(Plan::new(operation, credentials))
    }

    /// The same with these values, each wherever the operation has a parameter or a member of that name; see
    /// [`Generator::names`]. Mutants change one place even so.
    ///
    /// # Errors
    ///
    /// The value that the contract does not allow there, and why. A name that the operation does not have is none.
    pub fn setting(
        operation: &Operation,
        credentials: &Credentials,
        values: &[(impl AsRef<str>, impl AsRef<str>)],
    ) -> Result<Self, String> {
        let mut plan = Plan::new(operation, credentials);
        for (name, value) in values {
            let (name, value) = (name.as_ref(), value.as_ref());
            plan.fix(name, value).map_err(|error| format!("{name}={value}: {error}"))?;
        }
        Ok(Self::of(plan))
    }

    fn of(plan: Plan) -> Self {
        let plan = Arc::new(plan);
        let sites = if plan.is_whole { operator::sites(&plan) } else { Vec::new() };
        let selection = sites.iter().map(|(operator, sites)| (*operator, (0..sites.len()).collect()));
        Self { selection: selection.collect(), sites: sites.into(), plan }
    }

    /// A generator whose mutants all break `rule`; none when no request of the operation can break it.
    pub fn breaking(&self, rule: Rule) -> Option<Self> {
        let narrowed = self.sites.iter().map(|(operator, sites)| {
            let kept = (0..sites.len()).filter(|at| sites[*at].effect.rule() == Some(rule));
            (*operator, kept.collect::<Vec<_>>())
        });
        let selection: Arc<[_]> = narrowed.filter(|(_, sites)| !sites.is_empty()).collect();
        (!selection.is_empty()).then(|| Self { selection, ..self.clone() })
    }

    /// The operation's id.
    pub fn operation(&self) -> &Arc<str> {
        &self.plan.id
    }

    /// The names under which values can be set: those of parameters, and of members of the body, with a dot between
    /// the levels.
    pub fn names(&self) -> Vec<String> {
        self.plan.names()
    }

    /// The operators that apply.
    pub fn operators(&self) -> impl Iterator<Item = Operator> {
        self.selection.iter().map(|(operator, _)| *operator)
    }

    /// The rules that mutants can break, in alphabetical order.
    pub fn rules(&self) -> Vec<Rule> {
        let chosen = self.selection.iter().flat_map(|(operator, chosen)| {
            let all = self.sites.iter().filter(move |(other, _)| other == operator);
            all.flat_map(move |(_, sites)| chosen.iter().filter_map(move |at| sites[*at].effect.rule()))
        });
        let mut rules: Vec<_> = chosen.collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }

    /// The valid case of this index: the same bytes for ever, as long as the contract stays the same.
    pub fn valid_at(&self, seed: u64, index: u64) -> Option<Case> {
        self.valid(&mut Choices::seeded(&format!("{} valid", self.plan.id), seed, index))
    }

    /// The mutant of this index: the same bytes for ever, as long as the contract stays the same.
    pub fn mutant_at(&self, seed: u64, index: u64) -> Option<Case> {
        self.mutant(&mut Choices::seeded(&format!("{} mutant", self.plan.id), seed, index))
    }

    /// A valid case; none when no attempt could be proved.
    pub fn valid(&self, choices: &mut Choices) -> Option<Case> {
        (0..ATTEMPTS).find_map(|_| self.try_valid(choices))
    }

    /// A mutant; none when no attempt could be proved.
    pub fn mutant(&self, choices: &mut Choices) -> Option<Case> {
        if self.selection.is_empty() {
            return None;
        }
        (0..ATTEMPTS).find_map(|_| self.try_mutant(choices).ok())
    }

    /// One attempt at a valid case; none when it cannot be proved.
    pub fn try_valid(&self, choices: &mut Choices) -> Option<Case> {
        if !self.plan.is_whole {
            return None;
        }
        let base = valid::base(&self.plan, None, &[], false, choices);
        let request = base.draft.request();
        proof::faults(&self.plan, &request, true).is_empty().then(|| Case {
            operation: Arc::clone(&self.plan.id),
            wire: wire::of(&self.plan, &request, false),
            request,
            label: Label::Valid,
        })
    }

    /// One attempt at a mutant.
    ///
    /// # Errors
    ///
    /// The operator, when it does not apply to the request that it was given or its label cannot be proved.
    ///
    /// # Panics
    ///
    /// When there are no [`Generator::operators`].
    pub fn try_mutant(&self, choices: &mut Choices) -> Result<Case, Operator> {
        let (operator, chosen) = choices.pick(&self.selection);
        let sites = self.sites.iter().find(|(other, _)| other == operator);
        let site = sites.map(|(_, sites)| &sites[*choices.pick(chosen)]).ok_or(*operator)?;
        self.attempt(*operator, site, choices).ok_or(*operator)
    }

    /// Every place at which one of the [`Generator::operators`] acts; each is tried by [`Generator::mutant_of`].
    pub fn places(&self) -> impl Iterator<Item = Place> {
        self.selection.iter().flat_map(move |(operator, chosen)| {
            let all = self.sites.iter().position(|(other, _)| other == operator);
            let group = all.unwrap_or_default();
            chosen.iter().map(move |at| {
                let site = &self.sites[group].1[*at];
                let (rule, expect) = (site.effect.rule(), expect(site.effect));
                Place {
                    operator: *operator,
                    rule,
                    expect,
                    pointer: self.pointer(site.target),
                    group,
                    at: *at,
                }
            })
        })
    }

    /// A mutant that is changed at this place; none when no attempt could be proved.
    pub fn mutant_of(&self, place: &Place, choices: &mut Choices) -> Option<Case> {
        let (operator, sites) = self.sites.get(place.group)?;
        let site = sites.get(place.at)?;
        (0..ATTEMPTS).find_map(|_| self.attempt(*operator, site, choices))
    }

    /// Whether a label is true of a request that was changed since it was made: it breaks what the label says, and
    /// nothing else.
    pub fn holds(&self, request: &Request, label: &Label) -> bool {
        let broken = |verified: bool| proof::faults(&self.plan, request, verified);
        match label {
            Label::Mutant { pointer, rule: Some(rule), expect, .. } => {
                let is_it = matches!(broken(true).as_slice(), [fault] if fault.rule == *rule && fault.pointer == *pointer);
                is_it && (*expect != Expect::RefusedWhenVerified || broken(false).is_empty())
            }
            Label::Mutant { .. } | Label::Valid => broken(true).is_empty(),
        }
    }

    /// The same request with another text at a place of its body, which the names lead to, made of what is there; none
    /// when there is no text there, or when the label does not hold then.
    pub fn with_text(
        &self,
        case: &Case,
        names: &[String],
        text: impl FnOnce(&str) -> String,
    ) -> Option<Case> {
        let body = &case.request.body;
        let (start, end, text) = {
            let tree = json::Tree::read(body).ok()?;
            let found = self.plan.named(&tree, names)?;
            let (start, end) = found.span();
            (start, end, text(&found.text()))
        };
        let mut changed = body[..start].to_vec();
        valid::quote(&text, false, &mut changed);
        changed.extend_from_slice(&body[end..]);
        let mut case = case.clone();
        case.request.body = changed.into();
        self.holds(&case.request, &case.label).then_some(case)
    }

    /// What it takes to send a request of the operation so that it arrives as it is.
    pub fn wire(&self, request: &Request, in_capitals: bool) -> Wire {
        wire::of(&self.plan, request, in_capitals)
    }

    /// The pointer of a target; positions in lists are `*`, and what an operator does to the request as a whole has none.
    fn pointer(&self, target: Target) -> String {
        let plan = &self.plan;
        match target {
            Target::Parameter(index) => plan.parameters[index].pointer(),
            Target::Request => String::new(),
            Target::Field(field) => {
                let names = plan.path(field).into_iter().skip(1).map(|id| &plan.fields[id].name);
                let step = |name: &String| {
                    if name.is_empty() { "/*".to_owned() } else { format!("/{}", escape(name)) }
                };
                format!("/body{}", names.map(step).collect::<String>())
            }
        }
    }

    fn attempt(&self, operator: Operator, site: &Site, choices: &mut Choices) -> Option<Case> {
        let plan = &self.plan;
        let mut base = valid::base(plan, Some(site.target), &site.path, operator.needs_object(), choices);
        let valid = base.draft.request();
        let change = site.change(plan, &mut base, choices)?;
        let request = base.draft.request();
        let expect = expect(site.effect);
        let rule = site.effect.rule();
        let matches = |verified: bool, rule: Option<Rule>| {
            let faults = proof::faults(plan, &request, verified);
            match (faults.as_slice(), rule) {
                ([], None) => true,
                ([fault], Some(rule)) => fault.rule == rule && fault.pointer == change.pointer,
                _ => false,
            }
        };
        let is_proved = matches(true, rule)
            && (expect != Expect::RefusedWhenVerified || matches(false, None))
            && difference::is_only_at(plan, operator, &change.pointer, &valid, &request);
        is_proved.then(|| Case {
            operation: Arc::clone(&plan.id),
            wire: wire::of(plan, &request, operator.writes_capitals()),
            request,
            label: Label::Mutant {
                operator,
                pointer: change.pointer.clone(),
                rule,
                was: change.was,
                became: change.became,
                expect,
            },
        })
    }
}

/// A place at which an operator acts on requests of an operation.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The operator.
    pub operator: Operator,
    /// The rule that is broken there; none when the request stays valid.
    pub rule: Option<Rule>,
    /// What a server must make of such a request.
    pub expect: Expect,
    /// Where, as a pointer into the request; positions in lists are `*`. Empty where the operator acts on the request
    /// as a whole: the label of a case has it then.
    pub pointer: String,
    group: usize,
    at: usize,
}

fn expect(effect: Effect) -> Expect {
    match effect {
        Effect::Breaks(_) => Expect::Refused,
        Effect::BreaksWhenVerified(_) => Expect::RefusedWhenVerified,
        Effect::Harmless => Expect::Valid,
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generator").field("operation", &self.plan.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Contract;

    fn create_agent() -> Generator {
        Generator::new(Contract::builtin().operation("createAgent").unwrap())
    }

    #[test]
    fn a_mutant_of_a_place_is_what_the_place_says() {
        let generator = create_agent();
        let mut made = 0;
        for place in generator.places() {
            let Some(case) = generator.mutant_of(&place, &mut Choices::recorded(&[])) else { continue };
            let Label::Mutant { operator, rule, expect, .. } = &case.label else { panic!("{case}") };
            assert_eq!((*operator, *rule, *expect), (place.operator, place.rule, place.expect));
            assert!(generator.holds(&case.request, &case.label), "{case}");
            assert_eq!(generator.holds(&case.request, &Label::Valid), place.rule.is_none(), "{case}");
            made += 1;
        }
        assert!(made > 200, "{made}");
    }

    #[test]
    fn a_text_is_replaced_where_the_label_still_holds_then() {
        let generator = create_agent();
        let case = generator.valid(&mut Choices::recorded(&[])).unwrap();
        let names = ["emailId".to_owned()];

        let renewed = generator.with_text(&case, &names, |was| format!("x{was}")).unwrap();
        let body = String::from_utf8_lossy(&renewed.request.body).into_owned();
        assert!(body.contains("\"x"), "{body}");
        assert_eq!(renewed.label, Label::Valid);
        assert_eq!(generator.with_text(&case, &names, |_| "no address".into()), None);
        assert_eq!(generator.with_text(&case, &["nothing".into()], str::to_owned), None);
    }
}
