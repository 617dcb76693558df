//! Offers find their answers on ladders, and a change during a call is named by what it changed.

use sipscan::call::outcome::hold::holds;
use sipscan::call::outcome::negotiation::{Change, change_wanted, changes, exchange};
use sipscan::call::{CallTransactions, transactions_of};
use sipscan::sip::Method;

const NODES: &str = "alice = 10.0.0.1:5060   bob = 10.0.0.5:5060\n";
const ANSWERED: &str = "+0ms alice -> bob INVITE offer=PCMU,PCMA
+1s bob -> alice 200 answer=PCMU
+1.01s alice -> bob ACK
";

/// Asks about the first call of a ladder.
fn ask<T>(steps: &str, question: impl FnOnce(&CallTransactions<'_>) -> T) -> T {
    let analysis = super::analyze(&super::parse::parse(&format!("{NODES}{steps}tail 60s\n")));
    let call = analysis.calls.first().expect("the ladder has a call");
    question(&transactions_of(&analysis.store, &call.call.legs))
}

/// What the first re-INVITE after an ordinary answered call wants.
fn wanted(settings: &str) -> Change {
    let steps = format!(
        "{ANSWERED}+5s alice -> bob INVITE dialog=1 {settings}\n+5.1s bob -> alice 488\n+5.2s alice -> bob ACK dialog=1 failure=1\n"
    );
    ask(&steps, |transactions| {
        let (index, _) = transactions.inside(Method::Invite).next().expect("there is a re-INVITE");
        change_wanted(transactions, index)
    })
}

#[test]
fn the_first_description_in_a_response_answers_the_invite() {
    let steps = "+0ms alice -> bob INVITE offer=PCMU
+1s bob -> alice 183 answer=PCMU
+2s bob -> alice 200
+2.1s alice -> bob ACK
";
    ask(steps, |transactions| {
        let found = exchange(transactions, transactions.chain[0]);
        let answer = found.answer.expect("the 183 answers");
        assert_eq!(Some(183), transactions.message(answer).status().map(|status| status.0));
        assert!(!found.is_delayed);
    });
}

#[test]
fn a_delayed_offer_stands_in_the_200_and_its_answer_in_the_ack() {
    let steps = "+0ms alice -> bob INVITE
+1s bob -> alice 200 sdp=PCMU,PCMA
+1.1s alice -> bob ACK sdp=PCMA
";
    ask(steps, |transactions| {
        let found = exchange(transactions, transactions.chain[0]);
        assert!(found.is_delayed);
        let offer = transactions.message(found.offer.expect("the 200 offers"));
        let answer = transactions.message(found.answer.expect("the ACK answers"));
        assert_eq!(Some(200), offer.status().map(|status| status.0));
        assert!(answer.is_request(Method::Ack));
    });
}

#[test]
fn a_reliable_183_may_offer_and_its_prack_answers() {
    let steps = "+0ms alice -> bob INVITE
+100ms bob -> alice 183 sdp=PCMU RSeq: 1
+200ms alice -> bob PRACK sdp=PCMU RAck: 1 1 INVITE
+210ms bob -> alice 200 method=PRACK
+1s bob -> alice 200
+1.1s alice -> bob ACK
";
    ask(steps, |transactions| {
        let found = exchange(transactions, transactions.chain[0]);
        let answer = transactions.message(found.answer.expect("the PRACK answers"));
        assert!(answer.is_request(Method::Prack));
    });
}

#[test]
fn an_unreliable_183_to_an_invite_without_offer_offers_nothing() {
    let steps = "+0ms alice -> bob INVITE
+100ms bob -> alice 183 sdp=PCMU
+1s bob -> alice 486
+1.1s alice -> bob ACK failure=1
";
    ask(steps, |transactions| {
        assert_eq!(None, exchange(transactions, transactions.chain[0]).offer);
    });
}

#[test]
fn a_change_is_named_by_what_it_changed() {
    let cases = [
        ("offer=PCMU,PCMA", Change::Refresh),
        ("", Change::NewOffer),
        ("offer=PCMU,PCMA direction=sendonly", Change::Hold),
        ("offer=PCMU,PCMA media=0.0.0.0", Change::Hold),
        ("offer=PCMU,PCMA,G729", Change::Codecs),
        ("offer=PCMU,PCMA port=40010", Change::Address),
        ("offer=PCMU,PCMA profile=RTP/SAVP", Change::Profile),
        ("offer=PCMU,PCMA sdp-lines=m=video_4002_RTP/AVP_31", Change::Add(sipscan::sip::sdp::MediaKind::Video)),
        (
            "body=v=0\\no=-_1_2_IN_IP4_10.0.0.1\\ns=-\\nc=IN_IP4_10.0.0.1\\nt=0_0\\nm=image_4100_udptl_t38\\n",
            Change::Fax,
        ),
    ];
    for (settings, expected) in cases {
        assert_eq!(expected, wanted(settings), "{settings}");
    }
}

#[test]
fn a_hold_ends_with_the_resume_of_the_same_side() {
    let change = |at: &str, direction: &str, answer: &str| {
        format!(
            "+{at}s alice -> bob INVITE dialog=1 offer=PCMU direction={direction}\n+{at}.1s bob -> alice 200 answer=PCMU direction={answer}\n+{at}.2s alice -> bob ACK dialog=1\n"
        )
    };
    let steps = format!("{ANSWERED}{}{}", change("5", "sendonly", "recvonly"), change("9", "sendrecv", "sendrecv"));
    ask(&steps, |transactions| {
        assert_eq!(2, changes(transactions).count());
        let found = holds(transactions);
        assert_eq!(1, found.len());
        assert!(found[0].ended.is_some() && !found[0].is_silent && !found[0].is_mutual);
    });
}
