//! Patterns over the messages of a call: `INVITE 100? 18x* 200 ACK ... BYE 200`.

use std::fmt;

/// Parts of one pattern; a call that needs more is not described by listing its messages.
const PARTS_MAX: usize = 64;
/// Methods of RFC 3261 and its extensions.
const METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "REGISTER",
    "PRACK",
    "UPDATE",
    "INFO",
    "REFER",
    "NOTIFY",
    "SUBSCRIBE",
    "MESSAGE",
    "PUBLISH",
];

/// Whether a word names messages: a method, or a code from 100 to 699.
pub(super) fn is_message(word: &str) -> bool {
    METHODS.contains(&word) || word.len() == 3 && word.parse().is_ok_and(|code: u16| (100..700).contains(&code))
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// This method or this code.
    Exactly(String),
    /// Codes that begin so: `1` for `1xx`, `18` for `18x`.
    Begins(String),
    /// Any message.
    Any,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    word: Word,
    is_optional: bool,
    may_repeat: bool,
}

/// An order of messages; it describes the whole call, from the first message to the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    source: String,
    parts: Vec<Part>,
}

impl Sequence {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The word that is no method, code or class, with what would be.
    pub fn parse(source: &str) -> Result<Self, String> {
        let parts: Vec<Part> = source.split_whitespace().map(part).collect::<Result<_, _>>()?;
        match parts.len() {
            0 => Err("is empty; write messages, such as INVITE 100 180* 200 ACK BYE 200".to_owned()),
            count if count > PARTS_MAX => Err(format!("has {count} parts; at most {PARTS_MAX} are read")),
            _ => Ok(Self { source: source.to_owned(), parts }),
        }
    }

    /// Whether the messages come in this order, none left over.
    pub fn matches(&self, messages: &[String]) -> bool {
        // Which parts may come next, moved on message by message: no pattern can make this slow.
        let mut open = vec![false; self.parts.len() + 1];
        if let Some(first) = open.first_mut() {
            *first = true;
        }
        self.skip_optional(&mut open);
        for message in messages {
            let mut next = vec![false; open.len()];
            for (place, part) in self.parts.iter().enumerate() {
                if open.get(place) == Some(&true) && part.word.fits(message) {
                    let target = if part.may_repeat { place } else { place + 1 };
                    for reached in [target, place + 1] {
                        if let Some(slot) = next.get_mut(reached) {
                            *slot = true;
                        }
                    }
                }
            }
            open = next;
            self.skip_optional(&mut open);
        }
        open.last() == Some(&true)
    }

    fn skip_optional(&self, open: &mut [bool]) {
        for (place, part) in self.parts.iter().enumerate() {
            if part.is_optional
                && open.get(place) == Some(&true)
                && let Some(slot) = open.get_mut(place + 1)
            {
                *slot = true;
            }
        }
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl Word {
    fn fits(&self, message: &str) -> bool {
        match self {
            Self::Exactly(word) => word == message,
            Self::Begins(digits) => message.len() == 3 && message.starts_with(digits.as_str()),
            Self::Any => true,
        }
    }
}

fn part(text: &str) -> Result<Part, String> {
    if text == "..." {
        return Ok(Part { word: Word::Any, is_optional: true, may_repeat: true });
    }
    let (body, is_optional, may_repeat) = match text.as_bytes().last() {
        Some(b'*') => (text.get(..text.len() - 1), true, true),
        Some(b'+') => (text.get(..text.len() - 1), false, true),
        Some(b'?') => (text.get(..text.len() - 1), true, false),
        _ => (Some(text), false, false),
    };
    let body = body.unwrap_or_default();
    let digits = body.trim_end_matches(['x', 'X']);
    let is_class = body.len() == 3
        && (1..3).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(digits.as_bytes().first(), Some(b'1'..=b'6'));
    let is_code = body.parse::<u16>().is_ok_and(|code| (100..700).contains(&code)) && body.len() == 3;
    let word = if is_class {
        Word::Begins(digits.to_owned())
    } else if is_code || METHODS.contains(&body) {
        Word::Exactly(body.to_owned())
    } else {
        let upper = body.to_ascii_uppercase();
        return Err(if METHODS.contains(&upper.as_str()) {
            format!("has \"{body}\"; methods are written in capitals: {upper}")
        } else {
            format!("has \"{text}\", which is no method, no code such as 180, no class such as 18x, and not ...")
        });
    };
    Ok(Part { word, is_optional, may_repeat })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, messages: &str) -> bool {
        let messages: Vec<String> = messages.split_whitespace().map(str::to_owned).collect();
        Sequence::parse(pattern).expect(pattern).matches(&messages)
    }

    #[test]
    fn a_pattern_describes_the_whole_call() {
        let call = "INVITE 100 180 180 200 ACK BYE 200";
        assert!(fits("INVITE 100 180* 200 ACK BYE 200", call));
        assert!(fits("INVITE 1xx+ 2xx ACK BYE 200", call));
        assert!(fits("INVITE 100? 18x* 200 ... 200", call));
        assert!(fits("...", call));
        assert!(!fits("INVITE 100 180 200 ACK BYE 200", call));
        assert!(!fits("INVITE 100 180* 200 ACK", call));
        assert!(!fits("INVITE 100 183+ 180* 200 ACK BYE 200", call));
        assert!(fits("INVITE 100? 180* 200 ACK", "INVITE 200 ACK"));
        assert!(!fits("INVITE", ""));
    }

    #[test]
    fn a_pattern_of_many_repeats_is_no_slower() {
        let pattern = "... ".repeat(PARTS_MAX);
        assert!(fits(&pattern, &"INVITE ".repeat(2000)));
    }

    #[test]
    fn a_word_that_no_message_has_is_told() {
        for (pattern, said) in [
            ("INVITE 1000", "1000"),
            ("invite 100", "capitals: INVITE"),
            ("INVITE xxx", "xxx"),
            ("INVITE 7xx", "7xx"),
            ("INVITE *", "\"*\""),
            ("", "is empty"),
        ] {
            let error = Sequence::parse(pattern).expect_err(pattern);
            assert!(error.contains(said), "{pattern}: {error}");
        }
        assert!(Sequence::parse(&"ACK ".repeat(65)).is_err());
    }
}
