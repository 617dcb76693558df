//! How bad, how sure, how well proved: the degrees by which findings are ranked.

/// How bad it is for the people on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Normal, or context.
    Info,
    /// Degraded, or will fail.
    Warn,
    /// The call or service failed.
    Error,
}

impl Severity {
    /// The severity that a word of the report contract means.
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Info, Self::Warn, Self::Error].into_iter().find(|severity| severity.word() == word)
    }

    /// The word of the report contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Other causes fit too; the finding names them.
    Possible,
    /// Several observations together, none against it.
    Likely,
    /// A message says so, and what else it could be is refuted.
    Certain,
}

impl Confidence {
    /// The word of the report contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Possible => "possible",
            Self::Likely => "likely",
            Self::Certain => "certain",
        }
    }

    /// One level less sure; `Possible` stays.
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::Certain => Self::Likely,
            _ => Self::Possible,
        }
    }

    /// How an explanation joins a cause: `because`, `most likely because`, `possibly because`.
    pub fn because(self) -> &'static str {
        match self {
            Self::Certain => "because",
            Self::Likely => "most likely because",
            Self::Possible => "possibly because",
        }
    }
}

/// How good the proof of a finding is: what ranks explanations of one call (better is greater).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proof {
    /// The code's usual meaning, and nothing more.
    CodeMeaning,
    /// A pattern in time.
    Timing,
    /// Comparison with other calls.
    Comparison,
    /// A fact of the protocol: a malformed header, missing credentials.
    Protocol,
    /// The refusing node says so itself.
    OwnWords,
}
