//! One explanation for whatever a user asks about: a rule, a code, a class, a cause, a method, a header or a term.

mod answer;
mod lists;
mod query;
mod response;

use crate::reference::nearest;
use query::{Subject, names, subject};

/// What is known about one thing, ready to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What kind of thing it is.
    pub topic: Topic,
    /// Its name: "488 Not Acceptable Here", "net-ack-lost", "Via".
    pub title: String,
    /// It in one sentence; empty where the sections say all.
    pub summary: String,
    /// Short facts, one line each.
    pub facts: Vec<Fact>,
    /// Longer texts in reading order.
    pub sections: Vec<Section>,
    /// Further queries that [`explain`] answers.
    pub see_also: Vec<String>,
}

/// One line about the thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What the line says: "Class", "Source".
    pub name: String,
    /// The value.
    pub value: String,
}

/// One text about the thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub name: String,
    /// One line for each paragraph; a line that begins with "- " is an item of a list.
    pub text: String,
}

/// The kinds of things that can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// A rule of the diagnosis.
    Rule,
    /// A response code.
    ResponseCode,
    /// A class of response codes.
    Class,
    /// A Warning code, Q.850 cause, Reason protocol or vendor header.
    Cause,
    /// A SIP method.
    Method,
    /// A header field.
    Header,
    /// A word of the field.
    Term,
    /// An overview of one kind.
    List,
}

/// Explains `query`: a rule id, `488`, `4xx`, `busy here`, `INVITE`, `q850:34`, `warning:305`, `header:Via`, `glare`,
/// or `rules`, `codes`, `methods`, `headers`, `q850`, `warnings`, `terms` for an overview.
///
/// Case does not matter, and a small slip is forgiven where only one name is near. `None` for what is not known; then
/// [`suggestions`] has names that are near.
pub fn explain(query: &str) -> Option<Explanation> {
    let found = subject(query).or_else(|| only_name_near(query))?;
    Some(match found {
        Subject::Response(code) => response::response(code)?,
        Subject::Cause(cause) => answer::cause(cause),
        Subject::Rule(id) => answer::rule(id)?,
        Subject::Entry(entry) => answer::entry(entry),
        Subject::List(list) => lists::list(list),
    })
}

/// Names near to a query that [`explain`] does not know, best first; empty where none is near.
pub fn suggestions(query: &str) -> Vec<&'static str> {
    /// Names offered at most.
    const SUGGESTIONS_MAX: usize = 5;
    let word = query.rsplit(':').next().unwrap_or(query);
    let mut near = nearest(word, names(), SUGGESTIONS_MAX);
    near.dedup();
    near
}

fn only_name_near(query: &str) -> Option<Subject> {
    match nearest(query, names(), 2)[..] {
        [name] => subject(name),
        _ => None,
    }
}

impl Explanation {
    fn new(topic: Topic, title: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            topic,
            title: title.into(),
            summary: summary.into(),
            facts: Vec::new(),
            sections: Vec::new(),
            see_also: Vec::new(),
        }
    }

    /// Adds a fact, unless `value` is empty.
    fn fact(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.facts.push(Fact { name: name.to_owned(), value });
        }
    }

    /// Adds a section, unless `text` is empty.
    fn section(&mut self, name: &str, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.sections.push(Section { name: name.to_owned(), text });
        }
    }
}

/// The items as the lines of a list.
fn bullets(items: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let lines: Vec<String> = items.into_iter().map(|item| format!("- {item}")).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests;
