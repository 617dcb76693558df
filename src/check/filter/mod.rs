//! Expressions over a call, in the Common Expression Language: `outcome == "rejected" && final_code >= 480`.
//!
//! Names are the report's. Values that a call lacks are neutral rather than null: 0 for codes, -1.0 for durations, "" for
//! texts; docs/policy.md lists them.

mod error;

use cel::common::ast::{EntryExpr, Expr, IdedExpr};
use cel::{Context, ExecutionError, Program, Value};

use crate::analysis::{CallField, CallFields, FieldKind, FieldValue, text, texts};
use crate::capture::Timestamp;
pub use error::FilterError;
use error::{at_start, failure, kind, place, syntax_error, unknown_name};

/// Bytes of one expression; longer ones are written by accident.
const EXPRESSION_BYTES_MAX: usize = 2048;
/// Operations inside one another or in one chain; each takes a piece of the stack of the thread that works them out.
const EXPRESSION_DEPTH_MAX: usize = 100;
/// What a duration reads as where the capture cannot tell it.
const NO_DURATION: f64 = -1.0;

/// A value as expressions see it; what a call lacks is neutral rather than null.
fn neutral(value: Option<FieldValue<'_>>) -> Value {
    match value {
        Some(FieldValue::Count(count)) => Value::Int(i64::from(count)),
        Some(FieldValue::Code(code)) => Value::Int(i64::from(code.unwrap_or(0))),
        Some(FieldValue::Milliseconds(ms)) => Value::Float(ms.unwrap_or(NO_DURATION)),
        Some(FieldValue::Text(text)) => string(text.into_owned()),
        Some(FieldValue::Endpoint(endpoint)) => string(endpoint.map_or(String::new(), |endpoint| endpoint.to_string())),
        Some(FieldValue::Texts(texts)) => {
            Value::List(texts.into_iter().map(|text| string(text.into_owned())).collect::<Vec<_>>().into())
        }
        Some(FieldValue::Flag(flag)) => Value::Bool(flag),
        Some(FieldValue::Moment(time)) => Value::Int(time.nanoseconds()),
        None => Value::Null,
    }
}

fn string(text: String) -> Value {
    Value::String(text.into())
}

/// An expression that is ready to be asked.
#[derive(Debug)]
pub struct Filter {
    source: String,
    program: Program,
    /// The names that it uses, which may be former ones, and the fields that they mean.
    variables: Vec<(String, CallField)>,
}

impl Filter {
    /// An expression that says yes or no of a call.
    ///
    /// # Errors
    /// Where it cannot be read, uses a name that no call has, compares what cannot be compared, or is no condition.
    pub fn condition(source: &str) -> Result<Self, FilterError> {
        let filter = Self::read(source)?;
        match filter.value(&Sample) {
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
        match filter.value(&Sample) {
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
        let mut variables: Vec<(String, CallField)> = Vec::new();
        for (name, id) in names.free {
            let Some(field) = CallField::named(&name) else {
                let start = program.source_info().offset_for(id).map_or(0, |range| range.0);
                return Err(FilterError { at: place(source, start as usize), message: unknown_name(&name) });
            };
            if !variables.iter().any(|(kept, _)| *kept == name) {
                variables.push((name, field));
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
    pub fn matches(&self, call: &impl CallFields) -> Result<bool, String> {
        match self.execute(call) {
            Ok(Value::Bool(is)) => Ok(is),
            Ok(other) => Err(format!("gives {} for call {}", kind(&other), call.id())),
            Err(error) => Err(format!("{} (call {})", failure(&error), call.id())),
        }
    }

    /// The key of a call as text.
    ///
    /// # Errors
    /// Where the expression cannot be worked out for this call.
    pub fn key_of(&self, call: &impl CallFields) -> Result<String, String> {
        match self.execute(call) {
            Ok(Value::String(key)) => Ok(key.to_string()),
            Ok(Value::Int(key)) => Ok(key.to_string()),
            Ok(Value::UInt(key)) => Ok(key.to_string()),
            Ok(Value::Bool(key)) => Ok(key.to_string()),
            Ok(other) => Err(format!("gives {} for call {}", kind(&other), call.id())),
            Err(error) => Err(format!("{} (call {})", failure(&error), call.id())),
        }
    }

    fn execute(&self, call: &impl CallFields) -> Result<Value, ExecutionError> {
        let mut context = Context::default();
        for (name, field) in &self.variables {
            context.add_variable_from_value(name.as_str(), neutral(call.value(*field)));
        }
        self.program.execute(&context)
    }

    /// The value for a sample; `Err(None)` where another call may well have one.
    fn value(&self, call: &impl CallFields) -> Result<Value, Option<String>> {
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

/// A call of which nothing is known, to find out before the first real call what does not fit together.
struct Sample;

impl CallFields for Sample {
    fn id(&self) -> u32 {
        1
    }

    fn value(&self, field: CallField) -> Option<FieldValue<'_>> {
        Some(match field.kind() {
            FieldKind::Count => FieldValue::Count(0),
            FieldKind::Code => FieldValue::Code(None),
            FieldKind::Milliseconds => FieldValue::Milliseconds(None),
            FieldKind::Text => text(""),
            FieldKind::Texts => texts([""]),
            FieldKind::Flag => FieldValue::Flag(true),
            FieldKind::Moment => FieldValue::Moment(Timestamp::default()),
        })
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
