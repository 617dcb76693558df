//! An explanation: facts, texts and further queries about one thing.

use serde::Serialize;

/// What is known about one thing, ready to be shown as text or as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    /// Further queries that [`explain`](super::explain()) answers.
    pub see_also: Vec<String>,
}

/// One line about the thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// What the line says: "Class", "Source".
    pub name: String,
    /// The value.
    pub value: String,
}

/// One text about the thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Its heading.
    pub name: String,
    /// One line for each paragraph; a line that begins with "- " is an item of a list.
    pub text: String,
}

/// The kinds of things that can be explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
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

impl Explanation {
    pub(super) fn new(topic: Topic, title: impl Into<String>, summary: impl Into<String>) -> Self {
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
    pub(super) fn fact(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.facts.push(Fact { name: name.to_owned(), value });
        }
    }

    /// Adds a section, unless `text` is empty.
    pub(super) fn section(&mut self, name: &str, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.sections.push(Section { name: name.to_owned(), text });
        }
    }
}

/// The items as the lines of a list.
pub(super) fn bullets(items: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    let lines: Vec<String> = items.into_iter().map(|item| format!("- {item}")).collect();
    lines.join("\n")
}
