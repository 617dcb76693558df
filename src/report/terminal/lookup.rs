//! Finding the call that a user means: by number, by Call-ID, or by a part of it.

use std::fmt;

use crate::analysis::Analysis;

/// Call-IDs named where several fit.
const NAMED_MAX: usize = 5;

/// Why no single call is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCall {
    /// None fits; how many calls there are.
    Unknown(usize),
    /// Several Call-IDs contain the text: the first of them with the numbers of their calls, and how many there are.
    Several(Vec<(u32, String)>, usize),
}

impl fmt::Display for NoCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(0) => f.write_str("there is no call in the capture"),
            Self::Unknown(1) => f.write_str("no such call; there is one, number 1"),
            Self::Unknown(calls) => write!(f, "no such call; they are numbered 1 to {calls}"),
            Self::Several(named, all) => {
                write!(f, "{all} calls fit:")?;
                for (id, call_id) in named {
                    write!(f, " {id} ({call_id})")?;
                }
                if *all > named.len() {
                    f.write_str(" and more")?;
                }
                Ok(())
            }
        }
    }
}

/// Digits of the largest number of a call that is taken for one where no call has it.
const NUMBER_DIGITS: usize = 6;

/// The number of the call that `text` means: a number, a Call-ID, or a part of only one call's Call-IDs.
///
/// # Errors
/// [`NoCall`] where none or several fit.
pub fn find_call(analysis: &Analysis, text: &str) -> Result<u32, NoCall> {
    let calls = analysis.calls.len();
    if let Ok(id) = text.parse::<u32>()
        && (1..=calls).contains(&(id as usize))
    {
        return Ok(id);
    }
    let tables = &analysis.store.tables;
    let ids = |place: usize| {
        let legs = analysis.calls.get(place).map(|entry| &entry.call.legs);
        legs.into_iter().flatten().map(|leg| tables.text(leg.call_id))
    };
    let with = |fits: &dyn Fn(&str) -> bool| {
        let mut found = Vec::new();
        let mut count = 0;
        for place in 0..calls {
            if let Some(call_id) = ids(place).find(|call_id| fits(call_id)) {
                count += 1;
                if found.len() < NAMED_MAX {
                    found.push((place as u32 + 1, call_id.to_owned()));
                }
            }
        }
        (found, count)
    };
    let (mut found, mut count) = with(&|call_id| call_id == text);
    // A small number that no call has is a slip, and would be part of nearly any Call-ID.
    let is_number = text.len() <= NUMBER_DIGITS && text.parse::<u32>().is_ok();
    if found.is_empty() && !text.is_empty() && !is_number {
        (found, count) = with(&|call_id| call_id.contains(text));
    }
    match found.as_slice() {
        [] => Err(NoCall::Unknown(calls)),
        [(id, _)] => Ok(*id),
        _ => Err(NoCall::Several(found, count)),
    }
}
