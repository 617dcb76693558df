//! Endpoints and their nodes kept once: messages refer to them by number.

use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr};

use hashbrown::HashTable;

use crate::net::Endpoint;

/// An endpoint in [`Endpoints`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EndpointId(u32);

/// A machine, as far as a capture can tell: all endpoints of one IP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct NodeId(u32);

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
    nodes: Vec<IpAddr>,
    table: HashTable<u32>,
    node_table: HashTable<u32>,
    hasher: foldhash::fast::RandomState,
}

impl Endpoints {
    /// The id of `endpoint`, the same for the same address and port.
    pub fn intern(&mut self, endpoint: Endpoint) -> EndpointId {
        let hash = self.hasher.hash_one(endpoint);
        if let Some(&id) = self
            .table
            .find(hash, |&id| self.known[id as usize].0 == endpoint)
        {
            return EndpointId(id);
        }
        let node = self.intern_node(endpoint.address);
        let id = self.known.len() as u32;
        self.known.push((endpoint, node));
        let (known, hasher) = (&self.known, &self.hasher);
        self.table
            .insert_unique(hash, id, |&id| hasher.hash_one(known[id as usize].0));
        EndpointId(id)
    }

    fn intern_node(&mut self, address: IpAddr) -> NodeId {
        let hash = self.hasher.hash_one(address);
        if let Some(&id) = self
            .node_table
            .find(hash, |&id| self.nodes[id as usize] == address)
        {
            return NodeId(id);
        }
        let id = self.nodes.len() as u32;
        self.nodes.push(address);
        let (nodes, hasher) = (&self.nodes, &self.hasher);
        self.node_table
            .insert_unique(hash, id, |&id| hasher.hash_one(nodes[id as usize]));
        NodeId(id)
    }

    /// The endpoint of an id.
    pub fn get(&self, id: EndpointId) -> Endpoint {
        self.known.get(id.0 as usize).map_or(
            Endpoint {
                address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
                port: 0,
            },
            |(endpoint, _)| *endpoint,
        )
    }

    /// The node that an endpoint belongs to.
    pub fn node(&self, id: EndpointId) -> NodeId {
        self.known
            .get(id.0 as usize)
            .map_or(NodeId::default(), |(_, node)| *node)
    }

    /// The node with this address, where it sent or received SIP.
    pub fn find_node(&self, address: IpAddr) -> Option<NodeId> {
        let hash = self.hasher.hash_one(address);
        self.node_table
            .find(hash, |&id| self.nodes[id as usize] == address)
            .map(|&id| NodeId(id))
    }

    /// The id of `endpoint`, where it is known.
    pub fn find(&self, endpoint: Endpoint) -> Option<EndpointId> {
        let hash = self.hasher.hash_one(endpoint);
        self.table
            .find(hash, |&id| self.known[id as usize].0 == endpoint)
            .map(|&id| EndpointId(id))
    }

    /// The address of a node.
    pub fn address(&self, node: NodeId) -> IpAddr {
        self.nodes
            .get(node.0 as usize)
            .copied()
            .unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }
}

/// Whether an address cannot be reached from the Internet: RFC 1918, RFC 6598, link-local, loopback, RFC 4193.
///
/// Documentation networks (RFC 5737, RFC 3849) count as public: captures use them in place of public ones.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, _, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(text: &str, port: u16) -> Endpoint {
        Endpoint {
            address: text.parse().expect("an address"),
            port,
        }
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
    fn documentation_networks_are_public_and_carrier_nat_is_private() {
        for (text, expected) in [
            ("198.51.100.1", false),
            ("100.64.3.1", true),
            ("100.128.0.1", false),
            ("192.168.1.1", true),
            ("2001:db8::1", false),
            ("fd00::1", true),
        ] {
            assert_eq!(
                expected,
                is_private(text.parse().expect("an address")),
                "{text}"
            );
        }
    }
}
