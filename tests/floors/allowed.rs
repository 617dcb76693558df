//! What the house does not hold yet, or holds otherwise, each with its reason: these lists only shrink.
//!
//! A test fails as soon as an entry is no longer true.

/// Neighbours that import one another in a circle.
pub struct Siblings {
    /// The folder that they share, or for files the floor.
    pub place: &'static str,
    /// Their names there; files are named with their path below src.
    pub among: &'static [&'static str],
    /// Why.
    #[expect(dead_code, reason = "for the reader")]
    pub reason: &'static str,
}

/// Type names that a floor has twice.
pub struct Names {
    pub floor: &'static str,
    pub names: &'static [&'static str],
    /// Why.
    #[expect(dead_code, reason = "for the reader")]
    pub reason: &'static str,
}

/// Folders, and files beside folders.
pub const SIBLINGS: &[Siblings] = &[];

/// Files of a floor.
pub const FILES: &[Siblings] = &[];

/// Types.
pub const TWICE: &[Names] = &[];
