//! RTP and RTCP: streams, later joined to calls through SDP.
