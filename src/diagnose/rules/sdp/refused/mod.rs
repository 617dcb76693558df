//! Refusals of media: which dimension of the offer was refused.

mod body;
mod codec;
mod codec_words;
mod family;
mod fax;
mod judge;
mod keys;
mod params;
mod profile;
pub(in crate::diagnose::rules::sdp) mod refusal;
mod streams;
mod syntax;
mod theory;
mod unexplained;

pub use body::sdp_body_type;
pub use judge::explained;
