//! The settings of a media line beside its codecs: packet time, bandwidth, format parameters, key presses; and how two lines differ.
//!
//! Sources: RFC 8866 sections 5.8 and 6 (b=, ptime, maxptime), RFC 3264 section 6.1, RFC 4733 section 2.4; defaults of RFC 4867,
//! RFC 3952, RFC 4749 and RFC 6184.

use std::collections::BTreeMap;

use crate::sip::sdp::{Codec, Media};

/// Settings read of one line: a forged one may hold any number.
const SETTINGS_MAX: usize = 64;

/// Codec, parameter and the value that holds where the parameter is left out.
const DEFAULTS: &[(&str, &str, &str)] = &[
    ("AMR", "octet-align", "0"),
    ("AMR-WB", "octet-align", "0"),
    ("G729", "annexb", "yes"),
    ("H264", "packetization-mode", "0"),
    ("ILBC", "mode", "30"),
];

/// How a reader knows RFC 4733 key presses.
const KEY_PRESSES: &str = "telephone-event";

/// A setting that two lines give differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it belongs to, such as `G729`, and its name; the owner is empty for the line itself.
    key: (String, String),
    ours: Option<String>,
    theirs: Option<String>,
}

impl Difference {
    /// How a reader knows our value: `G729 annexb=yes`, `no telephone-event`.
    pub fn ours(&self) -> String {
        self.words(self.ours.as_deref())
    }

    /// How a reader knows the other value.
    pub fn theirs(&self) -> String {
        self.words(self.theirs.as_deref())
    }

    fn words(&self, value: Option<&str>) -> String {
        let (owner, name) = (&self.key.0, &self.key.1);
        match (owner.is_empty(), name.is_empty(), value) {
            (true, _, Some(value)) => format!("{name}={value}"),
            (true, _, None) => format!("no {name}"),
            (false, true, Some(value)) => format!("{owner}/{value}"),
            (false, true, None) => format!("no {owner}"),
            (false, false, Some(value)) => format!("{owner} {name}={value}"),
            (false, false, None) => format!("{owner} without {name}"),
        }
    }

    /// Whether both speak of the same setting and value of ours.
    pub fn is_same_for_us(&self, other: &Self) -> bool {
        self.key == other.key && self.ours == other.ours
    }
}

type Settings = BTreeMap<(String, String), String>;

fn of_codec(settings: &mut Settings, codec: &Codec) {
    // The parameters of repair formats name payload numbers, which may differ.
    let owner = match codec.is_real() {
        true => codec.common_name(),
        false if codec.name == "TELEPHONE-EVENT" => KEY_PRESSES,
        false => return,
    };
    let mut put = |name: &str, value: &str| {
        if settings.len() < SETTINGS_MAX {
            let key = (owner.to_owned(), name.to_ascii_lowercase());
            settings.entry(key).or_insert_with(|| value.to_owned());
        }
    };
    if !codec.is_real() {
        put("", &codec.clock_hz.to_string());
    }
    let Some(parameters) = codec.fmtp.as_deref() else {
        return;
    };
    for pair in parameters.split(';') {
        match pair.split_once('=') {
            Some((name, value)) => put(name.trim(), value.trim()),
            None if pair.trim().is_empty() => {}
            None => put("events", pair.trim()),
        }
    }
}

fn settings(media: &Media, shared: &[&str]) -> Settings {
    let mut settings = Settings::new();
    let mut put = |name: &str, value: String| {
        settings.insert((String::new(), name.to_owned()), value);
    };
    for (name, value) in [("ptime", media.common.ptime), ("maxptime", media.common.maxptime)] {
        if let Some(value) = value {
            put(name, value.to_string());
        }
    }
    for value in media.common.bandwidth.iter().take(SETTINGS_MAX) {
        let (kind, limit) = value.split_once(':').unwrap_or((value, ""));
        put(&format!("b={kind}"), limit.to_owned());
    }
    for (owner, name, value) in DEFAULTS {
        if shared.contains(owner) {
            settings.insert((owner.to_string(), name.to_string()), value.to_string());
        }
    }
    let mut own = Settings::new();
    for codec in &media.codecs {
        if !codec.is_real() || shared.contains(&codec.common_name()) {
            of_codec(&mut own, codec);
        }
    }
    settings.extend(own);
    settings
}

/// Whether a glance shows that two lines agree in every setting, as most lines do.
fn are_plainly_alike(ours: &Media, theirs: &Media) -> bool {
    let agree = |a: &Media, b: &Media| {
        a.codecs.iter().all(|codec| {
            let is_same = |other: &&Codec| other.common_name() == codec.common_name();
            let mut others = b.codecs.iter().filter(is_same);
            match (others.next(), others.next()) {
                (None, _) => codec.is_real(),
                (Some(other), None) => (&other.fmtp, other.clock_hz) == (&codec.fmtp, codec.clock_hz),
                _ => false,
            }
        })
    };
    let (a, b) = (&ours.common, &theirs.common);
    (a.ptime, a.maxptime, &a.bandwidth) == (b.ptime, b.maxptime, &b.bandwidth)
        && agree(ours, theirs)
        && agree(theirs, ours)
}

/// The settings that two lines give differently; those of codecs that one of them lacks do not count.
pub fn differences(ours: &Media, theirs: &Media) -> Vec<Difference> {
    if are_plainly_alike(ours, theirs) {
        return Vec::new();
    }
    let has = |media: &Media, name: &str| media.real_codecs().any(|codec| codec.common_name() == name);
    let shared: Vec<&str> = ours.real_codecs().map(Codec::common_name).filter(|name| has(theirs, name)).collect();
    let (a, b) = (settings(ours, &shared), settings(theirs, &shared));
    let keys: std::collections::BTreeSet<&(String, String)> = a.keys().chain(b.keys()).collect();
    keys.into_iter()
        .filter(|key| a.get(key) != b.get(key))
        .map(|key| Difference { key: key.clone(), ours: a.get(key).cloned(), theirs: b.get(key).cloned() })
        .collect()
}

/// `ptime=40 and G729 annexb=yes`: our values of a few differences.
pub fn ours(differences: &[Difference]) -> String {
    super::offer::list(differences.iter().map(Difference::ours))
}

/// The other side's values of a few differences.
pub fn theirs(differences: &[Difference]) -> String {
    super::offer::list(differences.iter().map(Difference::theirs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::Sdp;

    fn line(attributes: &str) -> Media {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 18 101\r\n{attributes}"
        );
        let mut sdp = Sdp::parse(text.as_bytes());
        sdp.medias.remove(0)
    }

    #[test]
    fn a_parameter_that_is_left_out_has_its_default() {
        let plain = line("");
        assert!(differences(&plain, &line("a=fmtp:18 annexb=yes\r\n")).is_empty());
        let found = differences(&plain, &line("a=fmtp:18 annexb=no\r\n"));
        assert_eq!("G729 annexb=yes", ours(&found));
        assert_eq!("G729 annexb=no", theirs(&found));
    }

    #[test]
    fn packet_time_and_the_clock_of_key_presses_differ_by_name() {
        let ours_line = line("a=rtpmap:101 telephone-event/8000\r\na=ptime:40\r\n");
        let found = differences(&ours_line, &line("a=rtpmap:101 telephone-event/16000\r\n"));
        assert_eq!("ptime=40 and telephone-event/8000", ours(&found));
        assert_eq!("no ptime and telephone-event/16000", theirs(&found));
    }

    #[test]
    fn another_payload_number_is_no_difference() {
        let first = line("a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n");
        let mut second = first.clone();
        for codec in &mut second.codecs {
            codec.payload = codec.payload.map(|payload| payload ^ 2);
        }
        assert!(differences(&first, &second).is_empty());
    }
}
