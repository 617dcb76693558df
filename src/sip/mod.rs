//! Deliveries become SIP messages and session descriptions.

mod defect;
mod header_name;
mod index;
pub mod lexer;
mod message;
mod method;
mod sift;
mod start_line;

pub use defect::{Defect, DefectKind, DefectSet};
pub use header_name::HeaderName;
pub use index::{HEADERS_MAX, HeaderSpan};
pub use message::{ContentLength, Header, MESSAGE_BYTES_MAX, Message};
pub use method::{Method, StatusCode};
pub use sift::{Sift, sift};
pub use start_line::StartLine;
