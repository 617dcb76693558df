//! Session descriptions: a full reading for rules, a quick outline for every message.

mod attribute;
mod codec;
mod defect;
mod description;
mod media;
mod outline;
mod parse;
mod partial;

pub use codec::Codec;
pub use defect::{SdpDefect, SdpDefectKind};
pub use description::{Origin, Sdp};
pub use media::{Common, Connection, Crypto, Direction, Ice, Media, MediaKind, Profile, Setup};
pub use outline::{Outline, Place};
