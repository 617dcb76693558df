//! Session descriptions kept once: devices repeat the same offer with other ports, so the shape is shared by all of them.
//!
//! Source: RFC 8866, RFC 3264.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;

use crate::call::endpoint::{EndpointId, Endpoints};
use crate::call::known::Known;
use crate::net::Endpoint;
use crate::sip::{Outline, Sdp, Seed};

/// A session description in [`Sessions`]; the default is "none".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct SessionId(u32);

impl SessionId {
    /// Whether there is none.
    pub fn is_absent(self) -> bool {
        self.0 == 0
    }
}

/// One body: what it shares with others, and what is its own.
#[derive(Debug, Clone)]
struct Body {
    shape: u32,
    origin: u64,
    version: u64,
    /// Range in `media`.
    media: (u32, u32),
}

/// Every distinct session description of a run.
#[derive(Debug)]
pub struct Sessions {
    bodies: Vec<Body>,
    shapes: Vec<(u64, Arc<Sdp>)>,
    media: Vec<EndpointId>,
    /// Bodies by the hash of their bytes.
    body_table: Known<SessionId>,
    shape_table: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Default for Sessions {
    fn default() -> Self {
        let none = Body {
            shape: 0,
            origin: 0,
            version: 0,
            media: (0, 0),
        };
        Self {
            bodies: vec![none],
            shapes: vec![(0, Arc::new(Sdp::default()))],
            media: Vec::new(),
            body_table: Known::default(),
            shape_table: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
        }
    }
}

impl Sessions {
    /// Gives back the memory that finding what is known takes; nothing may be added afterwards.
    pub(in crate::call) fn close(&mut self) {
        self.body_table = Known::default();
        self.shape_table = HashTable::new();
        self.bodies.shrink_to_fit();
        self.media.shrink_to_fit();
    }

    /// Reads ahead for descriptions that will be asked for next, by their hashes.
    pub(in crate::call) fn touch(&self, hashes: impl Iterator<Item = u64>) {
        self.body_table.touch(hashes);
    }

    /// The id of the description in `bytes`, whose hash is `hash`.
    ///
    /// Hashes are keyed by a seed that input cannot know, so that equal hashes mean equal bytes.
    pub(in crate::call) fn intern(
        &mut self,
        hash: u64,
        bytes: &[u8],
        seed: &Seed,
        endpoints: &mut Endpoints,
    ) -> SessionId {
        if let Some(id) = self.body_table.get(hash) {
            return id;
        }
        let outline = Outline::read(bytes, seed);
        let shape = self.intern_shape(outline.shape, bytes);
        let start = self.media.len() as u32;
        for media in outline.places() {
            let address = media
                .address
                .unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
            self.media.push(endpoints.intern(Endpoint {
                address,
                port: media.port,
            }));
        }
        let id = SessionId(self.bodies.len() as u32);
        let (origin, version) = (outline.origin, outline.origin_version.unwrap_or(0));
        self.bodies.push(Body {
            shape,
            origin,
            version,
            media: (start, self.media.len() as u32),
        });
        self.body_table.insert(hash, id);
        id
    }

    fn intern_shape(&mut self, hash: u64, bytes: &[u8]) -> u32 {
        let key = self.hasher.hash_one(hash);
        if let Some(&id) = self
            .shape_table
            .find(key, |&id| self.shapes[id as usize].0 == hash)
        {
            return id;
        }
        let id = self.shapes.len() as u32;
        self.shapes.push((hash, Arc::new(Sdp::parse(bytes))));
        let (shapes, hasher) = (&self.shapes, &self.hasher);
        self.shape_table
            .insert_unique(key, id, |&id| hasher.hash_one(shapes[id as usize].0));
        id
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
    pub fn media(&self, id: SessionId) -> &[EndpointId] {
        let (start, end) = self
            .bodies
            .get(id.0 as usize)
            .map_or((0, 0), |body| body.media);
        self.media
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// Hash of the session's origin (user, id, address), and its version (RFC 8866 section 5.2).
    pub fn origin(&self, id: SessionId) -> (u64, u64) {
        self.bodies
            .get(id.0 as usize)
            .map_or((0, 0), |body| (body.origin, body.version))
    }
}
