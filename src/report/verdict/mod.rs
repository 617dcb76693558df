//! A check or comparison in the forms that pipelines and people read.

pub mod github;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod sarif;
pub mod tap;
pub mod text;
