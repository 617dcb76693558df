//! Reference data: response codes, Warning codes, Q.850 causes, and their look-up.
//!
//! The data are files under `data/`, compiled in and read on first use; nothing here depends on a capture.

mod cause;
mod nearest;
mod response;

pub use cause::{Cause, CauseKind, reason_name};
pub use nearest::{nearest, plain};
pub use response::{Blame, Failure, ResponseClass, ResponseCode, Standing};
