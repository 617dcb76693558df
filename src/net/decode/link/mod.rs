//! Link layers: what stands before IP, from Ethernet to the headers that operating systems and wireless cards make up.

pub(in crate::net::decode) mod cooked;
pub(in crate::net::decode) mod ethernet;
pub(in crate::net::decode) mod exported;
pub(in crate::net::decode) mod mpls;
pub(in crate::net::decode) mod ppp;
pub(in crate::net::decode) mod radio;
pub(in crate::net::decode) mod wireless;
