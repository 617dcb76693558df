//! Endpoints and their nodes kept once: messages refer to them by number.

use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr};

use hashbrown::HashTable;

use crate::call::store::id_table::Packed;
use crate::net::Endpoint;

/// An endpoint in [`Endpoints`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EndpointId(u32);

impl EndpointId {
    /// Its place among all endpoints; the numbers are dense.
    pub(in crate::call) fn place(self) -> usize {
        self.0 as usize
    }
}

impl Packed<2> for (EndpointId, EndpointId) {
    fn pack(self) -> [u32; 2] {
        [self.0.0, self.1.0]
    }

    fn unpack([source, destination]: [u32; 2]) -> Self {
        (EndpointId(source), EndpointId(destination))
    }
}

/// A machine, as far as a capture can show: all endpoints of one IP address.
///
/// On a loopback address several programs stand for machines: there each port that a program listens on is a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeId(u32);

/// Two nodes: in the order of what is said between them, or the smaller first where only the pair matters.
pub(in crate::call) type NodePair = (NodeId, NodeId);

impl NodeId {
    /// Its place among all nodes; the numbers are dense.
    pub fn place(self) -> usize {
        self.0 as usize
    }
}

/// Every distinct endpoint of a run, in the order of first sight.
#[derive(Debug, Default)]
pub struct Endpoints {
    known: Vec<(Endpoint, NodeId)>,
    /// Address of each node; port 0 where the port does not matter.
    nodes: Vec<Endpoint>,
    table: HashTable<u32>,
    node_table: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Endpoints {
    /// Gives back memory that was held for more; endpoints can still be found, and be added.
    pub(in crate::call) fn freeze(&mut self) {
        self.known.shrink_to_fit();
    }

    /// The id of `endpoint`, the same for the same address and port.
    pub fn intern(&mut self, endpoint: Endpoint) -> EndpointId {
        let hash = self.hasher.hash_one(endpoint);
        if let Some(&id) = self.table.find(hash, |&id| self.known[id as usize].0 == endpoint) {
            return EndpointId(id);
        }
        let node = self.intern_node(node_of(endpoint));
        let id = self.known.len() as u32;
        self.known.push((endpoint, node));
        let (known, hasher) = (&self.known, &self.hasher);
        self.table.insert_unique(hash, id, |&id| hasher.hash_one(known[id as usize].0));
        EndpointId(id)
    }

    fn intern_node(&mut self, node: Endpoint) -> NodeId {
        let hash = self.hasher.hash_one(node);
        if let Some(&id) = self.node_table.find(hash, |&id| self.nodes[id as usize] == node) {
            return NodeId(id);
        }
        let id = self.nodes.len() as u32;
        self.nodes.push(node);
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        self.node_table.insert_unique(hash, id, |&id| hasher.hash_one(nodes[id as usize]));
        NodeId(id)
    }

    /// The endpoint of an id.
    pub(in crate::call) fn get(&self, id: EndpointId) -> Endpoint {
        self.known
            .get(id.0 as usize)
            .map_or(Endpoint { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 0 }, |(endpoint, _)| *endpoint)
    }

    /// The node that an endpoint belongs to.
    pub(in crate::call) fn node(&self, id: EndpointId) -> NodeId {
        self.known.get(id.0 as usize).map_or(NodeId::default(), |(_, node)| *node)
    }

    /// The node that an endpoint belongs to, where it sent or received SIP.
    pub fn find_node(&self, endpoint: Endpoint) -> Option<NodeId> {
        let node = node_of(endpoint);
        let hash = self.hasher.hash_one(node);
        self.node_table.find(hash, |&id| self.nodes[id as usize] == node).map(|&id| NodeId(id))
    }

    /// The id of `endpoint`, where it is known.
    pub fn find(&self, endpoint: Endpoint) -> Option<EndpointId> {
        let hash = self.hasher.hash_one(endpoint);
        self.table.find(hash, |&id| self.known[id as usize].0 == endpoint).map(|&id| EndpointId(id))
    }

    /// The address of a node.
    pub fn address(&self, node: NodeId) -> IpAddr {
        self.nodes.get(node.0 as usize).map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |node| node.address)
    }

    /// How a reader knows a node: its address, on a loopback address with the port.
    pub fn node_name(&self, node: NodeId) -> String {
        match self.nodes.get(node.0 as usize) {
            Some(node) if node.port != 0 => node.to_string(),
            _ => text_of(self.address(node)),
        }
    }
}

/// An address as it is written; those of IPv4 in fewer steps than formatting takes, because a run has many.
fn text_of(address: IpAddr) -> String {
    let IpAddr::V4(v4) = address else {
        return address.to_string();
    };
    let mut text = String::with_capacity("255.255.255.255".len());
    for (place, octet) in v4.octets().into_iter().enumerate() {
        if place > 0 {
            text.push('.');
        }
        let digits = [octet / 100, octet / 10 % 10, octet % 10];
        let leading = if octet < 10 { 2 } else { usize::from(octet < 100) };
        text.extend(digits[leading..].iter().map(|digit| char::from(b'0' + digit)));
    }
    text
}

/// The first port that systems give to connections of clients, which listen on none.
const CLIENT_PORT_MIN: u16 = 32_768;

/// The node of an endpoint, as an endpoint: port 0 where the address alone decides.
fn node_of(endpoint: Endpoint) -> Endpoint {
    let is_known_by_port = endpoint.address.is_loopback() && endpoint.port < CLIENT_PORT_MIN;
    Endpoint { port: if is_known_by_port { endpoint.port } else { 0 }, ..endpoint }
}

/// Whether an address cannot be reached from the Internet: RFC 1918, RFC 6598, link-local, loopback, RFC 4193.
///
/// Documentation networks (RFC 5737, RFC 3849) count as public: captures use them in place of public ones.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, _, _] = v4.octets();
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str, port: u16) -> Endpoint {
        Endpoint { address: text.parse().expect("an address"), port }
    }

    #[test]
    fn ports_of_one_address_are_one_node() {
        let mut endpoints = Endpoints::default();
        let first = endpoints.intern(endpoint("10.0.0.5", 5060));
        let second = endpoints.intern(endpoint("10.0.0.5", 5070));
        assert_ne!(first, second);
        assert_eq!(endpoints.node(first), endpoints.node(second));
        assert_eq!(first, endpoints.intern(endpoint("10.0.0.5", 5060)));
        assert_eq!("10.0.0.5:5070", endpoints.get(second).to_string());
    }

    #[test]
    fn programs_on_a_loopback_address_are_known_by_the_port_that_they_listen_on() {
        let mut endpoints = Endpoints::default();
        let [proxy, phone, client, other] = [5060, 5070, 40_112, 51_000]
            .map(|port| endpoints.intern(endpoint("127.0.0.1", port)))
            .map(|id| endpoints.node(id));
        assert!(proxy != phone && phone != client && client == other);
        assert_eq!("127.0.0.1:5070", endpoints.node_name(phone));
        assert_eq!("127.0.0.1", endpoints.node_name(client));
        assert_eq!(Some(proxy), endpoints.find_node(endpoint("127.0.0.1", 5060)));
    }

    #[test]
    fn documentation_networks_are_public_and_carrier_nat_is_private() {
        for (text, expected) in [
            ("198.51.100.1", false),
            ("100.64.3.1", true),
            ("100.128.0.1", false),
            ("192.168.1.1", true),
            ("2001:db8::1", false),
            ("fd00::1", true),
        ] {
            assert_eq!(expected, is_private(text.parse().expect("an address")), "{text}");
        }
    }
}
