//! The tables that messages refer to: everything that is kept once for a whole run.

use crate::call::store::endpoint::{EndpointId, Endpoints, NodeId};
use crate::call::store::header_list::HeaderLists;
use crate::call::store::message::{GroupId, Message};
use crate::call::store::session::Sessions;
use crate::call::store::string_arena::{StringArena, TextId};
use crate::call::store::via_stack::ViaStacks;
use crate::net::Endpoint;
use crate::sip::HeaderName;

/// Look-up of every id in a [`Message`].
#[derive(Debug, Default)]
pub struct Tables {
    /// Names, URIs, tags, phrases and header values.
    pub texts: StringArena,
    /// Addresses and ports.
    pub endpoints: Endpoints,
    /// Via stacks.
    pub vias: ViaStacks,
    /// Lists of header values.
    pub headers: HeaderLists,
    /// Session descriptions.
    pub sessions: Sessions,
    /// Call-ID of each group.
    pub call_ids: Vec<TextId>,
}

impl Tables {
    /// Gives back the memory of look-ups that only reading needs.
    pub(in crate::call) fn freeze(&mut self) {
        self.texts.freeze();
        self.endpoints.freeze();
        self.vias.freeze();
        self.headers.freeze();
        self.sessions.freeze();
    }

    /// The text of an id.
    pub fn text(&self, id: TextId) -> &str {
        self.texts.get(id)
    }

    /// The endpoint of an id.
    pub fn endpoint(&self, id: EndpointId) -> Endpoint {
        self.endpoints.get(id)
    }

    /// The node of an endpoint.
    pub fn node(&self, id: EndpointId) -> NodeId {
        self.endpoints.node(id)
    }

    /// The Call-ID of a group, absent where the capture lacks it.
    pub(in crate::call) fn call_id_of(&self, group: GroupId) -> TextId {
        self.call_ids.get(group.0 as usize).copied().unwrap_or_default()
    }

    /// The Call-ID of a message.
    pub fn call_id(&self, message: &Message) -> &str {
        self.text(self.call_id_of(message.group))
    }

    /// Whether the capture cut a message before its Call-ID: it may be of any call.
    pub(in crate::call) fn lacks_name(&self, message: &Message) -> bool {
        message.flags.is_headless() && self.call_id(message).is_empty()
    }

    /// The first value of a header that is kept.
    pub fn header(&self, message: &Message, name: HeaderName) -> Option<&str> {
        let value = self.headers.first(message.headers, name);
        value.map(|id| self.text(id))
    }

    /// The first value of a header that is kept, by its id; absent where there is none.
    pub fn header_id(&self, message: &Message, name: HeaderName) -> TextId {
        let found = self.headers.first(message.headers, name);
        found.unwrap_or_default()
    }

    /// Every value of a header that is kept, one for each header line.
    pub fn header_values(&self, message: &Message, name: HeaderName) -> impl Iterator<Item = &str> {
        let values = self.headers.values_of(message.headers, name);
        values.map(|id| self.text(id))
    }

    /// The product that sent a message, as its Server or User-Agent header says.
    pub fn software(&self, message: &Message) -> Option<&str> {
        let name = if message.method().is_some() { HeaderName::UserAgent } else { HeaderName::Server };
        let other = if message.method().is_some() { HeaderName::Server } else { HeaderName::UserAgent };
        self.header(message, name).or_else(|| self.header(message, other))
    }
}
