//! What is wrong with an expression, in the words of who wrote it rather than of its parser.

use cel::{ExecutionError, Value};

use crate::analysis::CallField;
use crate::reference;

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// Character of the expression at which it is wrong, from 0, with its line, from 0.
    pub at: (usize, usize),
    /// What is wrong and what would be right.
    pub message: String,
}

/// Characters quoted of an expression from where it cannot be read on.
const QUOTE_CHARACTERS_MAX: usize = 20;
/// Functions that an expression may use.
const FUNCTIONS: [&str; 11] =
    ["contains", "startsWith", "endsWith", "matches", "size", "exists", "exists_one", "all", "filter", "map", "has"];

/// Line and column, from 0, of the character at this place of an expression.
pub(super) fn place(source: &str, at: usize) -> (usize, usize) {
    let before = source.chars().take(at);
    before.fold((0, 0), |(line, column), character| match character {
        '\n' => (line + 1, 0),
        _ => (line, column + 1),
    })
}

pub(super) fn at_start(message: String) -> FilterError {
    FilterError { at: (0, 0), message }
}

pub(super) fn syntax_error(source: &str, errors: &cel::ParseErrors) -> FilterError {
    let first = errors.errors.first();
    let at = first.map_or((1, 1), |error| error.pos);
    let said = first.map_or("", |error| error.msg.as_str());
    let line = usize::try_from(at.0 - 1).unwrap_or(0);
    let column = usize::try_from(at.1 - 1).unwrap_or(0);
    // The parser's words name its own tokens; what a reader needs is the place.
    let rest: String =
        source.lines().nth(line).unwrap_or_default().chars().skip(column).take(QUOTE_CHARACTERS_MAX).collect();
    let message = if said.contains("ecursion") {
        "is nested too deeply".to_owned()
    } else if rest.trim().is_empty() {
        "ends too early: something is missing at its end".to_owned()
    } else {
        format!("cannot be read from \"{rest}\" on; write it as in C: && || ! == != < <= > >= ( )")
    };
    FilterError { at: (line, column), message }
}

pub(super) fn unknown_name(name: &str) -> String {
    let known = CallField::of_filter().map(CallField::name).chain(CallField::former_names());
    match reference::nearest(name, known, 1).first().and_then(|near| CallField::named(near)) {
        Some(near) => format!("uses \"{name}\", which no call has; did you mean {}?", near.name()),
        None => {
            let names: Vec<&str> = CallField::of_filter().map(CallField::name).collect();
            format!("uses \"{name}\", which no call has; the names are {}", names.join(", "))
        }
    }
}

pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Bool(_) => "true or false".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a map".to_owned(),
        Value::Int(_) | Value::UInt(_) | Value::Float(_) => "a number".to_owned(),
        other => format!("a value of type {}", other.type_of()),
    }
}

/// Why an expression cannot be worked out.
pub(super) fn failure(error: &ExecutionError) -> String {
    match error {
        ExecutionError::UndeclaredReference(name) => match reference::nearest(name, FUNCTIONS, 1).first() {
            Some(near) => {
                format!("uses \"{name}\", which is no function here; did you mean {near}?")
            }
            None => format!("uses \"{name}\", which is no function here; there are {}", FUNCTIONS.join(", ")),
        },
        ExecutionError::NoSuchOverload(_) => mismatch(&error.to_string()),
        ExecutionError::FunctionError { message, .. } if message.contains("regex") => {
            let why = message.lines().last().unwrap_or_default().trim();
            let why = why.strip_prefix("error: ").unwrap_or(why);
            format!("has a regular expression that cannot be read: {why}")
        }
        ExecutionError::IndexOutOfBounds(_) => {
            "takes an element that a list does not have; ask size(list) first".to_owned()
        }
        other => format!("cannot be worked out: {other}"),
    }
}

/// What the parser says of an operator and the types that it does not take, such as
/// `found no matching overload for '_>_' applied to '(int, string)'`, as a reader says it.
fn mismatch(said: &str) -> String {
    let mut quoted = said.split('\'').skip(1).step_by(2);
    let operator = quoted.next().unwrap_or_default().replace(['_', '@'], "");
    let types = quoted.next().unwrap_or_default();
    let types: Vec<&str> = types
        .trim_matches(['(', ')'])
        .split(", ")
        .map(|name| match name {
            "int" | "uint" => "a whole number",
            "double" => "a number with decimals",
            "string" => "a text",
            "bool" => "true or false",
            "list" => "a list",
            other => other,
        })
        .collect();
    let types = types.join(" and ");
    match operator.as_str() {
        "" | "." => format!("takes a part of what has none: {types}"),
        operator => format!("cannot be worked out: {operator} does not take {types}"),
    }
}
