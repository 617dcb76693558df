//! Values of the contract: moments, milliseconds, endpoints, frames, lists that are walked while they are written.

use std::fmt::Display;

use serde::{Serialize, Serializer};

use crate::capture::{FrameRef, Timestamp};
use crate::net::Endpoint;
use crate::report::time::Rfc3339;

/// What prints itself, as a JSON string without a copy of it.
pub(super) struct Shown<T>(pub(super) T);

impl<T: Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// A moment in UTC.
pub(super) fn moment(time: Timestamp) -> Shown<Rfc3339> {
    Shown(Rfc3339(time))
}

/// An address and port.
pub(super) struct EndpointText(pub(super) Endpoint);

impl Serialize for EndpointText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.text().as_str())
    }
}

/// A number rounded to three decimals: microseconds in a number of milliseconds.
pub(super) fn rounded(value: f64) -> f64 {
    // Adding zero turns -0 into 0.
    (value * 1000.0).round() / 1000.0 + 0.0
}

/// A text, or null where it is empty.
pub(super) fn non_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// A code, or null for 0.
pub(super) fn code(code: u16) -> Option<u16> {
    Some(code).filter(|code| *code != 0)
}

/// A list that is made while it is written.
pub(super) struct Each<F>(pub(super) F);

impl<F, I> Serialize for Each<F>
where
    F: Fn() -> I,
    I: IntoIterator,
    I::Item: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq((self.0)())
    }
}

/// An object whose keys are made while it is written.
pub(super) struct Keyed<F>(pub(super) F);

impl<F, I, K, V> Serialize for Keyed<F>
where
    F: Fn() -> I,
    I: IntoIterator<Item = (K, V)>,
    K: Serialize,
    V: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map((self.0)())
    }
}

/// A frame: index into `captures`, and Wireshark's number.
#[derive(Serialize)]
pub(super) struct Frame {
    file: u16,
    frame: u32,
}

impl From<FrameRef> for Frame {
    fn from(at: FrameRef) -> Self {
        Self { file: at.file, frame: at.frame }
    }
}
