//! The tables of a policy and their values, which know where they were written.

use std::cell::RefCell;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::check::filter::{Filter, FilterError};
use crate::check::policy::limit::is_metric_key;
use crate::check::policy::{Day, PolicyError};
use crate::reference;

/// The text of a policy, and what is wrong with it so far.
pub(super) struct Page<'a> {
    text: &'a str,
    errors: RefCell<Vec<PolicyError>>,
}

impl<'a> Page<'a> {
    /// A text of which nothing is known to be wrong.
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, errors: RefCell::default() }
    }

    /// Everything that is wrong, in the order in which it was found.
    pub(super) fn into_errors(self) -> Vec<PolicyError> {
        self.errors.into_inner()
    }

    fn place(&self, at: usize) -> (u32, u32) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.bytes().filter(|byte| *byte == b'\n').count();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(start..).unwrap_or_default().chars().count();
        (line as u32 + 1, column as u32 + 1)
    }

    pub(super) fn line(&self, at: usize) -> u32 {
        self.place(at).0
    }

    /// Blames the start of a line.
    pub(super) fn blame_line(&self, line: u32, message: String) {
        self.errors.borrow_mut().push(PolicyError { line, column: 1, message });
    }

    pub(super) fn blame(&self, at: usize, message: String) {
        let (line, column) = self.place(at);
        self.errors.borrow_mut().push(PolicyError { line, column, message });
    }
}

/// One table of a policy.
pub(super) struct Fields<'a> {
    /// Its name, empty for the document.
    pub(super) section: &'a str,
    /// Byte at which it begins.
    pub(super) at: usize,
    table: &'a DeTable<'a>,
    pub(super) page: &'a Page<'a>,
}

/// A value with the byte at which it begins.
pub(super) type Placed<T> = (T, usize);

impl<'a> Fields<'a> {
    /// The document itself.
    pub(super) fn of_document(table: &'a DeTable<'a>, page: &'a Page<'a>) -> Self {
        Self { section: "", at: 0, table, page }
    }

    /// Names every key that is none of these; whether there is none.
    pub(super) fn known(&self, keys: &[&str]) -> bool {
        let mut is_known = true;
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if !keys.contains(&name) {
                is_known = false;
                let place = match self.section {
                    "" => "a policy".to_owned(),
                    "waivers" => "[[allow.waivers]]".to_owned(),
                    "expect" => "[[expect]]".to_owned(),
                    "headers" => "[[expect.headers]]".to_owned(),
                    section => format!("[{section}]"),
                };
                let hint = match reference::nearest(name, keys.iter().copied(), 1).first() {
                    _ if self.section.is_empty() && is_metric_key(name) => "write it below [metrics]".to_owned(),
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("docs/policy.md lists what {place} takes"),
                };
                let at = key.span().start;
                self.page.blame(at, format!("{place} has no key \"{name}\"; {hint}"));
            }
        }
        is_known
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Byte at which a key's value begins.
    pub(super) fn at(&self, key: &str) -> usize {
        self.table.get(key).map_or(self.at, |value| value.span().start)
    }

    pub(super) fn line(&self, key: &str) -> u32 {
        self.page.line(self.at(key))
    }

    fn value(&self, key: &str) -> Option<(&'a DeValue<'a>, Range<usize>)> {
        let value = self.table.get(key)?;
        Some((value.get_ref(), value.span()))
    }

    fn wrong<T>(&self, key: &str, at: usize, what: &str) -> Option<T> {
        self.page.blame(at, format!("{key} takes {what}"));
        None
    }

    /// The table of a section.
    pub(super) fn table(&self, key: &'a str) -> Option<Self> {
        let (value, span) = self.value(key)?;
        match value {
            DeValue::Table(table) => Some(Fields { section: key, at: span.start, table, page: self.page }),
            _ => self.wrong(key, span.start, &format!("a table: [{key}]")),
        }
    }

    /// The tables of a list of tables.
    pub(super) fn tables(&self, key: &'a str) -> Vec<Self> {
        let Some((value, span)) = self.value(key) else {
            return Vec::new();
        };
        let name = match self.section {
            "" => key.to_owned(),
            section => format!("{section}.{key}"),
        };
        let DeValue::Array(list) = value else {
            self.page.blame(span.start, format!("{name} takes a list of tables: [[{name}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for entry in list.iter() {
            match entry.get_ref() {
                DeValue::Table(table) => {
                    tables.push(Fields { section: key, at: entry.span().start, table, page: self.page })
                }
                _ => self.page.blame(entry.span().start, format!("{name} takes a list of tables: [[{name}]]")),
            }
        }
        tables
    }

    pub(super) fn text(&self, key: &str) -> Option<Placed<&'a str>> {
        let (value, span) = self.value(key)?;
        match value {
            DeValue::String(text) => Some((text.as_ref(), span.start)),
            _ => self.wrong(key, span.start, "a text in quotes"),
        }
    }

    /// One text, or a list of them.
    pub(super) fn texts(&self, key: &str) -> Vec<Placed<&'a str>> {
        self.each(key, "a text in quotes, or a list of them", |value| match value {
            DeValue::String(text) => Some(text.as_ref()),
            _ => None,
        })
    }

    /// One value or a list of values, read alike.
    pub(super) fn each<T>(&self, key: &str, what: &str, read: impl Fn(&'a DeValue<'a>) -> Option<T>) -> Vec<Placed<T>> {
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        let listed: Vec<&'a Spanned<DeValue<'a>>> = match value.get_ref() {
            DeValue::Array(list) => list.iter().collect(),
            _ => vec![value],
        };
        let mut values = Vec::new();
        for value in listed {
            match read(value.get_ref()) {
                Some(read) => values.push((read, value.span().start)),
                None => self.page.blame(value.span().start, format!("{key} takes {what}")),
            }
        }
        values
    }

    /// Blames lists without an element, which would demand nothing.
    pub(super) fn not_empty(&self, keys: &[&str]) {
        for key in keys {
            if let Some((DeValue::Array(list), span)) = self.value(key)
                && list.is_empty()
            {
                self.wrong::<()>(key, span.start, "at least one; leave it out to ask for nothing");
            }
        }
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        let (value, span) = self.value(key)?;
        match value {
            DeValue::Boolean(flag) => Some(*flag),
            _ => self.wrong(key, span.start, "true or false"),
        }
    }

    pub(super) fn day(&self, key: &str) -> Option<Day> {
        let (value, span) = self.value(key)?;
        let day = match value {
            DeValue::Datetime(moment) => moment.date.and_then(|date| {
                let (year, month) = (i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?);
                Day::new(year, month, i8::try_from(date.day).ok()?).ok()
            }),
            _ => None,
        };
        day.or_else(|| self.wrong(key, span.start, "a day without quotes, such as 2026-12-31"))
    }

    /// A number in the range that the unit in its key allows.
    pub(super) fn number(&self, key: &str) -> Option<f64> {
        let (value, span) = self.value(key)?;
        let number = match value {
            DeValue::Integer(integer) => whole(integer).map(|integer| integer as f64),
            DeValue::Float(float) => float.as_str().replace('_', "").parse::<f64>().ok(),
            _ => return self.wrong(key, span.start, "a number without quotes"),
        };
        let number = number.filter(|number| number.is_finite());
        let Some(number) = number else {
            return self.wrong(key, span.start, "a finite number");
        };
        let impossible = impossible(key, number);
        if impossible.is_empty() {
            return Some(number);
        }
        self.page.blame(span.start, format!("{key} = {number}: {impossible}"));
        None
    }

    /// A whole number, such as a number of calls.
    pub(super) fn count(&self, key: &str) -> Option<u32> {
        let number = self.number(key)?;
        if number.fract() == 0.0 && number <= f64::from(u32::MAX) {
            return Some(number as u32);
        }
        self.wrong(key, self.at(key), "a whole number below 4294967296")
    }

    /// An expression; what is wrong inside it is blamed at its own place where the text is written on one line.
    pub(super) fn expression(&self, key: &str, read: impl Fn(&str) -> Result<Filter, FilterError>) -> Option<Filter> {
        let (text, at) = self.text(key)?;
        let span = self.value(key).map_or(0..0, |(_, span)| span);
        match read(text) {
            Ok(filter) => Some(filter),
            Err(error) => {
                // Where the text was written without escapes, its places are places of the policy.
                let written = self.page.text.get(span).and_then(|raw| raw.find(text));
                let at = written.map_or(at, |start| at + start + byte_of(text, error.at));
                self.page.blame(at, format!("{key} {}", error.message));
                None
            }
        }
    }
}

/// The byte at a line and column, both from 0, of a text; its end where it has no such place.
fn byte_of(text: &str, (line, column): (usize, usize)) -> usize {
    let start = text.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let place = rest.char_indices().nth(column);
    start + place.map_or(rest.len(), |(byte, _)| byte)
}

/// A TOML integer, whatever its base.
pub(super) fn whole(integer: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
}

/// Why a number cannot be meant for its key, empty where it can; the unit is the last word of the key.
fn impossible(key: &str, number: f64) -> String {
    if key.ends_with("_percent") {
        if !(0.0..=100.0).contains(&number) {
            "percent run from 0 to 100".to_owned()
        } else if key.starts_with("min_") && number > 0.0 && number < 1.0 {
            let percent = (number * 1e6).round() / 1e4;
            format!(
                "less than one percent is no demand; percent run from 0 to 100, so write {percent} for a ratio of {number}"
            )
        } else {
            String::new()
        }
    } else if key == "min_effect_size" && !(0.0..=1.0).contains(&number) {
        "an effect size runs from 0 to 1".to_owned()
    } else if number < 0.0 {
        "cannot be negative".to_owned()
    } else {
        String::new()
    }
}
