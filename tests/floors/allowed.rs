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

/// Rules that call the function of another rule.
pub const RULES_THAT_ASK_RULES: &[&str] = &[];

/// Files of a family of rules that import another family.
pub const FAMILIES_THAT_IMPORT: &[&str] = &[];

/// Rules whose function has another name than their id.
pub const RULES_NAMED_OTHERWISE: &[&str] = &[];

/// Rules that no ladder of their name raises.
pub const RULES_WITHOUT_LADDER: &[&str] = &[];

/// Rules that no ladder tries with a look-alike.
pub const RULES_WITHOUT_LOOK_ALIKE: &[&str] = &[];

/// Loops over input that a bare number bounds.
pub const BARE_LIMITS: &[&str] = &[];
