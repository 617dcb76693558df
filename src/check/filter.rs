//! Expressions over a call, in the Common Expression Language: `outcome == "rejected" && final_code >= 480`.
//!
//! Names are the report's. Values that a call lacks are neutral rather than null: 0 for codes, -1.0 for durations, "" for
//! texts; docs/policy.md lists them.

use cel::common::ast::{Expr, IdedExpr};
use cel::{Context, ExecutionError, Program, Value};

use crate::call::{Outcome, OutcomeGroup};
use crate::check::view::CallView;
use crate::reference;

/// Bytes of one expression; longer ones are written by accident.
const EXPRESSION_BYTES_MAX: usize = 4096;
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
    ("retransmissions", |call| {
        Value::Int(i64::from(call.retransmissions))
    }),
    ("hops", |call| {
        list(call.hops.iter().map(|hop| text(&hop.destination)))
    }),
    ("origin", |call| text(&call.origin)),
    ("primary", |call| text(&call.primary)),
    ("rules", |call| {
        list(call.findings.iter().map(|finding| text(&finding.rule)))
    }),
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
            Ok(other) => Err(at_start(format!(
                "is no condition: it gives {}, not true or false",
                kind(&other)
            ))),
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
            Ok(Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::String(_)) | Err(None) => {
                Ok(filter)
            }
            Ok(other) => Err(at_start(format!(
                "is no key: it gives {}, not a text, a whole number, true or false",
                kind(&other)
            ))),
            Err(Some(error)) => Err(at_start(error)),
        }
    }

    fn read(source: &str) -> Result<Self, FilterError> {
        if source.trim().is_empty() {
            return Err(at_start(
                "is empty; write a condition, such as answered".to_owned(),
            ));
        }
        if source.len() > EXPRESSION_BYTES_MAX {
            return Err(at_start(format!(
                "has {} bytes; at most {EXPRESSION_BYTES_MAX} are read",
                source.len()
            )));
        }
        let program = Program::compile(source).map_err(|errors| syntax_error(source, &errors))?;
        let mut names = Vec::new();
        free_names(program.expression(), &mut Vec::new(), &mut names);
        let mut variables: Vec<(&'static str, Get)> = Vec::new();
        for (name, id) in names {
            let known = VARIABLES.iter().find(|(known, _)| *known == name);
            let Some(variable) = known else {
                let start = program
                    .source_info()
                    .offset_for(id)
                    .map_or(0, |range| range.0);
                return Err(FilterError {
                    at: place(source, start as usize),
                    message: unknown_name(&name),
                });
            };
            if !variables.iter().any(|(kept, _)| kept == &variable.0) {
                variables.push(*variable);
            }
        }
        Ok(Self {
            source: source.to_owned(),
            program,
            variables,
        })
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
            Err(error) => Err(format!(
                "cannot be worked out for call {}: {error}",
                call.id
            )),
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
            Err(error) => Err(format!(
                "cannot be worked out for call {}: {error}",
                call.id
            )),
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
            ExecutionError::UndeclaredReference(name) => {
                Some(format!("uses \"{name}\", which is no function here"))
            }
            other => Some(format!("cannot be worked out: {other}")),
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

/// Line and column, from 0, of the character at this place of an expression.
fn place(source: &str, at: usize) -> (usize, usize) {
    let before = source.chars().take(at);
    before.fold((0, 0), |(line, column), character| match character {
        '\n' => (line + 1, 0),
        _ => (line, column + 1),
    })
}

fn at_start(message: String) -> FilterError {
    FilterError {
        at: (0, 0),
        message,
    }
}

fn syntax_error(source: &str, errors: &cel::ParseErrors) -> FilterError {
    let first = errors.errors.first();
    let at = first.map_or((1, 1), |error| error.pos);
    let said = first.map_or("", |error| error.msg.as_str());
    let line = usize::try_from(at.0 - 1).unwrap_or(0);
    let column = usize::try_from(at.1 - 1).unwrap_or(0);
    // The parser's words name its own tokens; what a reader needs is the place.
    let rest: String = source
        .lines()
        .nth(line)
        .unwrap_or_default()
        .chars()
        .skip(column)
        .take(20)
        .collect();
    let message = if said.contains("ecursion") {
        "is nested too deeply".to_owned()
    } else if rest.trim().is_empty() {
        "ends too early: something is missing at its end".to_owned()
    } else {
        format!("cannot be read from \"{rest}\" on; write it as in C: && || ! == != < <= > >= ( )")
    };
    FilterError {
        at: (line, column),
        message,
    }
}

fn unknown_name(name: &str) -> String {
    match reference::nearest(name, variable_names(), 1).first() {
        Some(near) => format!("uses \"{name}\", which no call has; did you mean {near}?"),
        None => format!(
            "uses \"{name}\", which no call has; the names are {}",
            variable_names().collect::<Vec<_>>().join(", ")
        ),
    }
}

fn kind(value: &Value) -> String {
    match value {
        Value::Bool(_) => "true or false".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => "a number".to_owned(),
        other => format!("a value of type {}", other.type_of()),
    }
}

/// Names that are bound by no macro such as `rules.exists(rule, ...)`, with the node that uses each.
fn free_names(node: &IdedExpr, bound: &mut Vec<String>, found: &mut Vec<(String, u64)>) {
    match &node.expr {
        Expr::Ident(name) if !name.starts_with('@') && !bound.contains(name) => {
            found.push((name.clone(), node.id));
        }
        Expr::Call(call) => {
            for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                free_names(part, bound, found);
            }
        }
        Expr::Comprehension(inner) => {
            free_names(&inner.iter_range, bound, found);
            free_names(&inner.accu_init, bound, found);
            let depth = bound.len();
            bound.push(inner.iter_var.clone());
            bound.extend(inner.iter_var2.clone());
            bound.push(inner.accu_var.clone());
            for part in [&inner.loop_cond, &inner.loop_step, &inner.result] {
                free_names(part, bound, found);
            }
            bound.truncate(depth);
        }
        Expr::List(list) => {
            for part in &list.elements {
                free_names(part, bound, found);
            }
        }
        Expr::Select(select) => free_names(&select.operand, bound, found),
        _ => {}
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
