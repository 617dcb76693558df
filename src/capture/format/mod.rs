//! The file formats: pcap, pcapng, and how each is recognised.

pub(in crate::capture) mod byte_order;
pub(in crate::capture) mod pcap;
pub(in crate::capture) mod pcapng;
pub(in crate::capture) mod search;
pub(in crate::capture) mod section;
pub(in crate::capture) mod sniff;
pub(in crate::capture) mod walk;
