//! Session descriptions kept once: devices repeat the same offer with other ports, so the shape is shared by all of them.
//!
//! Source: RFC 8866, RFC 3264.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;

use crate::call::store::fast_map::FastMap;
use crate::call::store::id_table::{IdTable, Packed};
use crate::net::Endpoint;
use crate::sip::sdp::{SdpDefect, SdpDefectKind};
use crate::sip::{Outline, Sdp, Seed};

/// Bodies that are read once more to quote their own defective lines; a device with such a fault sends it with every call.
const OWN_DEFECTS_MAX: usize = 1_000;

/// A session description in [`Sessions`]; the default is "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SessionId(u32);

impl Packed<1> for SessionId {
    fn pack(self) -> [u32; 1] {
        [self.0]
    }

    fn unpack([number]: [u32; 1]) -> Self {
        Self(number)
    }
}

impl SessionId {
    /// Whether there is none.
    pub fn is_absent(self) -> bool {
        self.0 == 0
    }
}

/// One body: what it shares with others, and what is its own.
#[derive(Debug, Clone)]
struct SessionBody {
    shape: u32,
    origin: u64,
    version: u64,
    /// Range in `media`.
    media: (u32, u32),
}

/// Every distinct session description of a run.
#[derive(Debug)]
pub struct Sessions {
    bodies: Vec<SessionBody>,
    shapes: Vec<(u64, Arc<Sdp>)>,
    /// The defects of bodies that share a defective shape with an earlier one: the lines they quote are their own.
    own_defects: FastMap<u32, Vec<SdpDefect>>,
    /// The first body of each shape.
    first_bodies: Vec<u32>,
    /// Where media is wanted: most addresses are of one call alone, so they are kept as they are.
    media: Vec<Endpoint>,
    /// Bodies by the hash of their bytes.
    body_table: IdTable<SessionId>,
    shape_table: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Default for Sessions {
    fn default() -> Self {
        let none = SessionBody { shape: 0, origin: 0, version: 0, media: (0, 0) };
        Self {
            bodies: vec![none],
            shapes: vec![(0, Arc::new(Sdp::default()))],
            own_defects: HashMap::default(),
            first_bodies: vec![0],
            media: Vec::new(),
            body_table: IdTable::default(),
            shape_table: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
        }
    }
}

impl Sessions {
    /// Gives back the memory that finding what is known takes; nothing may be added afterwards.
    pub(in crate::call) fn freeze(&mut self) {
        self.body_table = IdTable::default();
        self.shape_table = HashTable::new();
        self.bodies.shrink_to_fit();
        self.media.shrink_to_fit();
    }

    /// Makes room to find `times` as many descriptions as there are.
    pub(in crate::call) fn reserve_factor(&mut self, times: usize) {
        self.body_table.reserve_factor(times);
    }

    /// Reads ahead for descriptions that will be asked for next, by their hashes.
    pub(in crate::call) fn prefetch(&self, hashes: impl Iterator<Item = u64>) {
        self.body_table.prefetch(hashes);
    }

    /// The id of the description in `bytes`, whose hash is `hash`.
    ///
    /// Hashes are keyed by a seed that input cannot know, so that equal hashes mean equal bytes.
    pub(in crate::call) fn intern(&mut self, hash: u64, bytes: &[u8], seed: &Seed) -> SessionId {
        if let Some(id) = self.body_table.get(hash) {
            return id;
        }
        let outline = Outline::read(bytes, seed);
        let shape = self.intern_shape(outline.shape, bytes);
        let start = self.media.len() as u32;
        for media in outline.places() {
            let address = media.address.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
            self.media.push(Endpoint { address, port: media.port });
        }
        let id = SessionId(self.bodies.len() as u32);
        self.note_defects(id.0, shape, bytes);
        let (origin, version) = (outline.origin, outline.origin_version.unwrap_or(0));
        self.bodies.push(SessionBody { shape, origin, version, media: (start, self.media.len() as u32) });
        self.body_table.insert(hash, id);
        id
    }

    fn intern_shape(&mut self, hash: u64, bytes: &[u8]) -> u32 {
        let key = self.hasher.hash_one(hash);
        if let Some(&id) = self.shape_table.find(key, |&id| self.shapes[id as usize].0 == hash) {
            return id;
        }
        let id = self.shapes.len() as u32;
        self.shapes.push((hash, Arc::new(Sdp::parse(bytes))));
        let (shapes, hasher) = (&self.shapes, &self.hasher);
        self.shape_table.insert_unique(key, id, |&id| hasher.hash_one(shapes[id as usize].0));
        id
    }

    /// Keeps what a body has in its defective lines, where the shape was met before: such lines may differ in every body.
    fn note_defects(&mut self, id: u32, shape: u32, bytes: &[u8]) {
        if shape as usize == self.first_bodies.len() {
            self.first_bodies.push(id);
            return;
        }
        let defects = &self.shapes[shape as usize].1.defects;
        if !defects.iter().all(is_shared) && self.own_defects.len() < OWN_DEFECTS_MAX {
            self.own_defects.insert(id, Sdp::parse(bytes).defects);
        }
    }

    /// What is wrong in the description; the lines are quoted where they are known to be those of this very body.
    pub fn defects(&self, id: SessionId) -> Vec<SdpDefect> {
        if let Some(own) = self.own_defects.get(&id.0) {
            return own.clone();
        }
        let shape = self.bodies.get(id.0 as usize).map_or(0, |body| body.shape);
        let known = &self.shapes[shape as usize].1.defects;
        if self.first_bodies.get(shape as usize) == Some(&id.0) {
            return known.clone();
        }
        let quoted = |defect: &SdpDefect| match is_shared(defect) {
            true => defect.clone(),
            false => defect.unquoted(),
        };
        known.iter().map(quoted).collect()
    }

    /// What the description says, addresses, ports and identifiers being those of the first body of its shape.
    pub fn shape(&self, id: SessionId) -> &Sdp {
        let shape = self.bodies.get(id.0 as usize).map_or(0, |body| body.shape);
        &self.shapes[shape as usize].1
    }

    /// The number of the shape: equal for bodies that differ in addresses, ports, keys and identifiers alone.
    pub fn shape_number(&self, id: SessionId) -> u32 {
        self.bodies.get(id.0 as usize).map_or(0, |body| body.shape)
    }

    /// Where each media line wants its media, in the order of the lines.
    pub fn media(&self, id: SessionId) -> &[Endpoint] {
        let (start, end) = self.bodies.get(id.0 as usize).map_or((0, 0), |body| body.media);
        self.media.get(start as usize..end as usize).unwrap_or_default()
    }

    /// Hash of the session's origin (user, id, address), and its version (RFC 8866 section 5.2).
    pub fn origin(&self, id: SessionId) -> (u64, u64) {
        self.bodies.get(id.0 as usize).map_or((0, 0), |body| (body.origin, body.version))
    }
}

/// Whether all bodies of a shape have the defective line alike: attributes that are read are part of the shape.
fn is_shared(defect: &SdpDefect) -> bool {
    let is_read = defect.kind != SdpDefectKind::NotUtf8 && defect.text.starts_with("a=");
    is_read || defect.text.is_empty()
}
