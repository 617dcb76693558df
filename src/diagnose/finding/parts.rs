//! The parts of what a finding says, as data: title, cause and remedy.

/// A title, with a place for whom or what it names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Title {
    /// All of it, or what stands before the name.
    pub before: String,
    /// Whom or what it names that differs from one finding of the same problem to the next, and what stands behind.
    pub subject: Option<Box<Subject>>,
}

/// What a title names that the next finding of the same problem names otherwise: the number dialled, the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// As the title has it.
    pub name: String,
    /// What it is, for one: `number`, `user`.
    pub noun: &'static str,
    /// The title behind it.
    pub after: String,
}

impl Title {
    /// Whether another title says the same, perhaps of somebody else.
    pub fn is_alike(&self, other: &Self) -> bool {
        match (&self.subject, &other.subject) {
            (Some(own), Some(others)) if !own.name.is_empty() => {
                (&self.before, &own.after) == (&other.before, &others.after)
            }
            _ => self == other,
        }
    }
}

/// What happened and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// What happened: whole sentences, but for the last stop where a reason follows.
    pub what: String,
    /// What follows `because`; `None` where what happened explains itself.
    pub reason: Option<String>,
    /// What the capture lacks, which makes it less sure: whole sentences.
    pub doubts: Vec<&'static str>,
}

/// Steps of a remedy, unnumbered; an empty text is no step.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Steps(Vec<String>);

impl From<&str> for Steps {
    fn from(step: &str) -> Self {
        step.to_owned().into()
    }
}

impl From<String> for Steps {
    fn from(step: String) -> Self {
        vec![step].into()
    }
}

impl<const N: usize> From<[String; N]> for Steps {
    fn from(steps: [String; N]) -> Self {
        Vec::from(steps).into()
    }
}

impl From<Vec<String>> for Steps {
    fn from(mut steps: Vec<String>) -> Self {
        steps.retain(|step| !step.is_empty());
        Self(steps)
    }
}

impl IntoIterator for Steps {
    type Item = String;
    type IntoIter = std::vec::IntoIter<String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
