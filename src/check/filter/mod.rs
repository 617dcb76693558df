//! Expressions over a call, in the Common Expression Language: `outcome == "rejected" && final_code >= 480`.
//!
//! Names are the report's. Values that a call lacks are neutral rather than null: 0 for codes, -1.0 for durations, "" for
//! texts; docs/policy.md lists them.

mod words;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, ExecutionError, Program, Value};

use crate::call::{Outcome, OutcomeGroup};
use crate::check::view::CallView;
use words::{at_start, failure, kind, place, syntax_error, unknown_name};

/// Bytes of one expression; longer ones are written by accident.
const EXPRESSION_BYTES_MAX: usize = 2048;
/// Operations inside one another or in one chain; each takes a piece of the stack of the thread that works them out.
const EXPRESSION_DEPTH_MAX: usize = 100;
/// What a duration reads as where the capture cannot tell it.
const NO_DURATION: f64 = -1.0;

type Get = fn(&CallView) -> Value;

/// Every variable of an expression, in the order of the documentation.
const VARIABLES: [(&str, Get); 29] = [
    ("id", |call| Value::Int(i64::from(call.id))),
    ("call_ids", |call| texts(&call.call_ids)),
    ("caller", |call| text(&call.caller)),
    ("callee", |call| text(&call.callee)),
    ("source", |call| text(&call.source)),
    ("destination", |call| text(&call.destination)),
    ("transport", |call| text(&call.transport)),
    ("outcome", |call| text(call.outcome.word())),
    ("group", |call| text(group_word(call.outcome.group()))),
    ("answered", |call| Value::Bool(call.outcome.is_answered())),
    ("final_code", |call| Value::Int(i64::from(call.final_code))),
    ("reason_phrase", |call| text(&call.reason_phrase)),
    ("ended_by", |call| text(&call.ended_by)),
    ("pdd_ms", |call| duration(call.pdd_ms)),
    ("ring_ms", |call| duration(call.ring_ms)),
    ("setup_ms", |call| duration(call.setup_ms)),
    ("talk_ms", |call| duration(call.talk_ms)),
    ("reply_ms", |call| duration(call.reply_ms())),
    ("messages", |call| Value::Int(i64::from(call.messages))),
    ("retransmissions", |call| Value::Int(i64::from(call.retransmissions))),
    ("hops", |call| list(call.hops.iter().map(|hop| text(&hop.destination)))),
    ("origin", |call| text(&call.origin)),
    ("primary", |call| text(&call.primary)),
    ("rules", |call| list(call.findings.iter().map(|finding| text(&finding.rule)))),
    ("sequence", |call| text(&call.sequence.join(" "))),
    ("codecs_offered", |call| texts(&call.codecs_offered)),
    ("codecs_answered", |call| texts(&call.codecs_answered)),
    ("caller_software", |call| text(&call.caller_software)),
    ("callee_software", |call| text(&call.callee_software)),
];

/// The names that an expression may use.
pub fn variable_names() -> impl Iterator<Item = &'static str> {
    VARIABLES.iter().map(|(name, _)| *name)
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned().into())
}

fn texts(texts: &[String]) -> Value {
    list(texts.iter().map(|item| text(item)))
}

fn list(items: impl Iterator<Item = Value>) -> Value {
    Value::List(items.collect::<Vec<_>>().into())
}

fn duration(milliseconds: Option<f64>) -> Value {
    Value::Float(milliseconds.unwrap_or(NO_DURATION))
}

/// The word of an outcome's group.
pub fn group_word(group: OutcomeGroup) -> &'static str {
    match group {
        OutcomeGroup::Answered => "answered",
        OutcomeGroup::Normal => "normal",
        OutcomeGroup::Failure => "failure",
        OutcomeGroup::Unknown => "unknown",
    }
}

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// Character of the expression at which it is wrong, from 0, with its line, from 0.
    pub at: (usize, usize),
    /// What is wrong and what would be right.
    pub message: String,
}

/// An expression that is ready to be asked.
#[derive(Debug)]
pub struct Filter {
    source: String,
    program: Program,
    variables: Vec<(&'static str, Get)>,
}

impl Filter {
    /// An expression that says yes or no of a call.
    ///
    /// # Errors
    /// Where it cannot be read, uses a name that no call has, compares what cannot be compared, or is no condition.
    pub fn condition(source: &str) -> Result<Self, FilterError> {
        let filter = Self::read(source)?;
        match filter.value(&sample()) {
            Ok(Value::Bool(_)) | Err(None) => Ok(filter),
            Ok(other) => Err(at_start(format!("is no condition: it gives {}, not true or false", kind(&other)))),
            Err(Some(error)) => Err(at_start(error)),
        }
    }

    /// An expression that gives a text or a number for a call.
    ///
    /// # Errors
    /// As for [`Filter::condition`], and where the value is a list or a map.
    pub fn key(source: &str) -> Result<Self, FilterError> {
        let filter = Self::read(source)?;
        match filter.value(&sample()) {
            Ok(Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::String(_)) | Err(None) => Ok(filter),
            Ok(other) => Err(at_start(format!(
                "is no key: it gives {}, not a text, a whole number, true or false",
                kind(&other)
            ))),
            Err(Some(error)) => Err(at_start(error)),
        }
    }

    fn read(source: &str) -> Result<Self, FilterError> {
        if source.trim().is_empty() {
            return Err(at_start("is empty; write a condition, such as answered".to_owned()));
        }
        if source.len() > EXPRESSION_BYTES_MAX {
            return Err(at_start(format!("has {} bytes; at most {EXPRESSION_BYTES_MAX} are read", source.len())));
        }
        let program = Program::compile(source).map_err(|errors| syntax_error(source, &errors))?;
        let mut names = Names::default();
        if !names.gather(program.expression(), EXPRESSION_DEPTH_MAX) {
            return Err(at_start(format!(
                "is nested too deeply, or chains more than {EXPRESSION_DEPTH_MAX} operations; write it shorter"
            )));
        }
        let mut variables: Vec<(&'static str, Get)> = Vec::new();
        for (name, id) in names.free {
            let known = VARIABLES.iter().find(|(known, _)| *known == name);
            let Some(variable) = known else {
                let start = program.source_info().offset_for(id).map_or(0, |range| range.0);
                return Err(FilterError { at: place(source, start as usize), message: unknown_name(&name) });
            };
            if !variables.iter().any(|(kept, _)| kept == &variable.0) {
                variables.push(*variable);
            }
        }
        Ok(Self { source: source.to_owned(), program, variables })
    }

    /// The expression as it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether a call meets the condition.
    ///
    /// # Errors
    /// Where the expression cannot be worked out for this call, such as an index past the end of a list.
    pub fn matches(&self, call: &CallView) -> Result<bool, String> {
        match self.execute(call) {
            Ok(Value::Bool(is)) => Ok(is),
            Ok(other) => Err(format!("gives {} for call {}", kind(&other), call.id)),
            Err(error) => Err(format!("{} (call {})", failure(&error), call.id)),
        }
    }

    /// The key of a call as text.
    ///
    /// # Errors
    /// Where the expression cannot be worked out for this call.
    pub fn key_of(&self, call: &CallView) -> Result<String, String> {
        match self.execute(call) {
            Ok(Value::String(key)) => Ok(key.to_string()),
            Ok(Value::Int(key)) => Ok(key.to_string()),
            Ok(Value::UInt(key)) => Ok(key.to_string()),
            Ok(Value::Bool(key)) => Ok(key.to_string()),
            Ok(other) => Err(format!("gives {} for call {}", kind(&other), call.id)),
            Err(error) => Err(format!("{} (call {})", failure(&error), call.id)),
        }
    }

    fn execute(&self, call: &CallView) -> Result<Value, ExecutionError> {
        let mut context = Context::default();
        for (name, get) in &self.variables {
            context.add_variable_from_value(*name, get(call));
        }
        self.program.execute(&context)
    }

    /// The value for a sample; `Err(None)` where another call may well have one.
    fn value(&self, call: &CallView) -> Result<Value, Option<String>> {
        self.execute(call).map_err(|error| match error {
            ExecutionError::IndexOutOfBounds(_)
            | ExecutionError::NoSuchKey(_)
            | ExecutionError::DivisionByZero(_)
            | ExecutionError::RemainderByZero(_)
            | ExecutionError::Overflow(..) => None,
            other => Some(failure(&other)),
        })
    }
}

/// A call with every value that it may lack left out, to find out before the first real call what does not fit together.
fn sample() -> CallView {
    CallView {
        id: 1,
        call_ids: vec![String::new()],
        caller: String::new(),
        callee: String::new(),
        source: String::new(),
        destination: String::new(),
        transport: "udp".to_owned(),
        outcome: Outcome::Completed,
        final_code: 0,
        reason_phrase: String::new(),
        ended_by: String::new(),
        pdd_ms: None,
        ring_ms: None,
        setup_ms: None,
        talk_ms: None,
        messages: 0,
        retransmissions: 0,
        hops: Vec::new(),
        origin: String::new(),
        primary: String::new(),
        findings: Vec::new(),
        sequence: Vec::new(),
        sequence_frames: Vec::new(),
        codecs_offered: vec![String::new()],
        codecs_answered: vec![String::new()],
        caller_software: String::new(),
        callee_software: String::new(),
    }
}

/// The names of an expression.
#[derive(Default)]
struct Names {
    /// Bound where the walk is, by a macro such as `rules.exists(rule, ...)`.
    bound: Vec<String>,
    /// Bound nowhere, each with the node that uses it.
    free: Vec<(String, u64)>,
}

impl Names {
    /// Gathers the names of a node; false where more than `depth` nodes are inside one another.
    fn gather(&mut self, node: &IdedExpr, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        match &node.expr {
            Expr::Ident(name) => {
                if !name.starts_with('@') && !self.bound.contains(name) {
                    self.free.push((name.clone(), node.id));
                }
                true
            }
            Expr::Call(call) => {
                let target = call.target.iter().map(|target| &**target);
                let mut parts = target.chain(&call.args);
                parts.all(|part| self.gather(part, depth))
            }
            Expr::Comprehension(inner) => {
                if !self.gather(&inner.iter_range, depth) || !self.gather(&inner.accu_init, depth) {
                    return false;
                }
                let outside = self.bound.len();
                self.bound.push(inner.iter_var.clone());
                self.bound.extend(inner.iter_var2.clone());
                self.bound.push(inner.accu_var.clone());
                let mut parts = [&inner.loop_cond, &inner.loop_step, &inner.result].into_iter();
                let is_shallow = parts.all(|part| self.gather(part, depth));
                self.bound.truncate(outside);
                is_shallow
            }
            Expr::List(list) => list.elements.iter().all(|part| self.gather(part, depth)),
            Expr::Select(select) => self.gather(&select.operand, depth),
            Expr::Map(map) => map.entries.iter().all(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => self.gather(&entry.key, depth) && self.gather(&entry.value, depth),
                EntryExpr::StructField(field) => self.gather(&field.value, depth),
            }),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests;
