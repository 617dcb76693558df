//! Targets: where the parties of a dialog say that requests have to go.
//!
//! Source: RFC 3261 sections 12.1.1 (Record-Route becomes the route set) and 12.2.1.1 (Contact becomes the Request-URI).

use std::net::IpAddr;

use crate::call::beside::registration::address_of;
use crate::call::store::message::Message;
use crate::call::store::tables::Tables;
use crate::sip::{HeaderName, Uri};

/// Route values read of one message; RFC 3261 section 16.6 allows 70 hops.
const ROUTES_MAX: usize = 80;

/// The URI of the first Contact of a message.
pub fn contact<'a>(tables: &'a Tables, message: &Message) -> Option<&'a str> {
    uris(tables, message, HeaderName::Contact).into_iter().next()
}

/// The URIs of a header that lists addresses (Contact, Route, Record-Route), in the order of the message.
pub fn uris<'a>(tables: &'a Tables, message: &Message, name: HeaderName) -> Vec<&'a str> {
    tables
        .header_values(message, name)
        .flat_map(values)
        .map(address_of)
        .filter(|uri| !uri.is_empty())
        .take(ROUTES_MAX)
        .collect()
}

/// The values of a line of addresses: split at the commas outside quotes and angle brackets.
pub fn values(line: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut inside) = (false, false);
    line.split(move |c| {
        match c {
            '"' if !inside => quoted = !quoted,
            '<' if !quoted => inside = true,
            '>' if !quoted => inside = false,
            _ => {}
        }
        c == ',' && !quoted && !inside
    })
    .map(str::trim)
}

/// The host of a URI as sent, in lower case; empty where there is none.
pub fn host(uri: &str) -> String {
    let host = Uri::parse(uri.as_bytes()).host_port.host;
    String::from_utf8_lossy(host).to_ascii_lowercase()
}

/// The host of a URI where it is an address.
pub fn address(uri: &str) -> Option<IpAddr> {
    Uri::parse(uri.as_bytes()).host_port.address()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_names_and_uris_do_not_split_a_contact() {
        let line = "\"Bell, A\" <sip:a,b@192.0.2.1:5070;lr>, <sip:c@192.0.2.2>";
        let uris: Vec<&str> = values(line).map(address_of).collect();
        assert_eq!(vec!["sip:a,b@192.0.2.1:5070", "sip:c@192.0.2.2"], uris);
        assert_eq!("192.0.2.2", host(uris[1]));
    }

    #[test]
    fn a_host_name_is_no_address() {
        assert_eq!(None, address("sip:bob@example.com"));
        assert_eq!("192.168.1.5".parse().ok(), address("sip:bob@192.168.1.5:5062"));
    }
}
