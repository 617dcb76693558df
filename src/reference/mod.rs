//! Reference data: response codes, Warning codes, Q.850 causes, methods, headers, terms and rule pages, and their look-up.
//!
//! The data are files under `data/` and docs/rules, compiled in and read on first use; nothing here depends on a capture.

mod cause;
mod comparison;
mod entry;
mod explain;
mod nearest;
mod pages;
mod response;

pub use cause::{Cause, CauseKind};
pub use entry::{Entry, EntryKind};
pub use explain::{Explanation, Fact, Section, Topic, explain, suggestions};
pub use nearest::{nearest, plain};
pub use pages::{rule_page, rule_pages, rule_summary};
pub use response::{Blame, Failure, MidDialog, ResponseClass, ResponseCode, Standing};
