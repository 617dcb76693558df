//! Peers: how the nodes that calls were sent to did.

use std::collections::{BTreeMap, HashMap};

use rayon::prelude::*;

use crate::analysis::result::Peer;
use crate::call::FastMap;
use crate::call::survey::metrics::Spread;
use crate::call::{Call, MessageStore, NodeId, is_step};
use crate::sip::StatusCode;

/// The nodes that INVITEs were sent to, busiest first; challenges and followed redirections are no tries.
pub(super) fn peers(calls: &[Call], store: &MessageStore) -> Vec<Peer> {
    let mut places: FastMap<NodeId, usize> = HashMap::default();
    let mut peers: Vec<(Peer, Vec<f64>, Vec<f64>)> = Vec::new();
    for call in calls {
        for (place, hop) in call.hops.iter().enumerate() {
            let is_last = place + 1 == call.hops.len();
            if is_step(StatusCode(hop.final_code)) && !is_last {
                continue;
            }
            let node = store.tables.node(hop.destination);
            let at = *places.entry(node).or_insert_with(|| {
                let peer = Peer {
                    node,
                    software: String::new(),
                    tries: 0,
                    answered: 0,
                    no_reply: 0,
                    reply_p50_ms: None,
                    pdd_p50_ms: None,
                    codes: BTreeMap::new(),
                };
                peers.push((peer, Vec::new(), Vec::new()));
                peers.len() - 1
            });
            let (peer, replies, delays) = &mut peers[at];
            peer.tries += 1;
            peer.answered += u32::from((200..300).contains(&hop.final_code));
            peer.no_reply += u32::from(hop.final_code == 0);
            if hop.final_code != 0 {
                *peer.codes.entry(hop.final_code).or_default() += 1;
            }
            replies.extend(hop.reply_ms.map(f64::from));
            delays.extend(hop.alerted_ms.map(f64::from));
        }
        if let Some(origin) = call.origin
            && let Some(&at) = places.get(&store.tables.node(origin.endpoint))
            && peers[at].0.software.is_empty()
        {
            peers[at].0.software = store.tables.text(origin.software).to_owned();
        }
    }
    let mut peers: Vec<Peer> =
        peers.into_par_iter().map(|(peer, replies, delays)| with_medians(peer, replies, delays)).collect();
    peers.sort_by(|a, b| {
        b.tries.cmp(&a.tries).then(store.tables.endpoints.address(a.node).cmp(&store.tables.endpoints.address(b.node)))
    });
    peers
}

fn with_medians(mut peer: Peer, replies: Vec<f64>, delays: Vec<f64>) -> Peer {
    peer.reply_p50_ms = Spread::of(replies).map(|spread| spread.p50);
    peer.pdd_p50_ms = Spread::of(delays).map(|spread| spread.p50);
    peer
}
