//! Final codes in a policy: `486`, or all of a class as `"5xx"`.

use std::fmt;

/// One code or one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodePattern {
    /// This code.
    One(u16),
    /// Every code of this class, 1 to 6.
    Class(u16),
}

impl CodePattern {
    /// A code from 100 to 699.
    pub fn from_number(number: i64) -> Option<Self> {
        let code = u16::try_from(number).ok()?;
        (100..700).contains(&code).then_some(Self::One(code))
    }

    /// `5xx`, or `486`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(class) = text.strip_suffix("xx").or(text.strip_suffix("XX")) {
            let class = class.parse().ok().filter(|class| (1..=6).contains(class))?;
            return Some(Self::Class(class));
        }
        text.parse().ok().and_then(Self::from_number)
    }

    /// Whether a code is meant; 0, no code, never is.
    pub fn fits(self, code: u16) -> bool {
        match self {
            Self::One(own) => own == code,
            Self::Class(class) => code / 100 == class,
        }
    }
}

impl fmt::Display for CodePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(code) => write!(f, "{code}"),
            Self::Class(class) => write!(f, "{class}xx"),
        }
    }
}
