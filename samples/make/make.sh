#!/bin/bash
# Records the sample captures anew: make.sh [SAMPLE...]   (root; all samples without arguments)
#
# Needs the Debian packages iproute2, tcpdump, wireshark-common, sip-tester, kamailio and baresip-core.
# Everything runs in network namespaces made here and removed at the end; no packet leaves them.
#
#   phone1 10.0.0.11  phone2 10.0.0.12  phone3 10.0.0.13  pbx 10.0.0.5
#                    \    |    /        /
#                    proxy 10.0.0.1 (lan0) | 198.51.100.1 (wan0)
#                                  /    \
#              gw1 198.51.100.20          gw2 198.51.100.21
set -u
here=$(cd "$(dirname "$0")" && pwd)
out=$(cd "$here/.." && pwd)
run=$(mktemp -d)
prefix=samples
started=()

# --- the network

namespace() { # name bridge interface address/length gateway
    ip netns add "$prefix-$1" 2>/dev/null
    ip netns exec "$prefix-$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    ip link add "$2-$1" netns "$prefix-switch" type veth peer name "$3" netns "$prefix-$1"
    ip -n "$prefix-switch" link set "$2-$1" master "$2" up
    ip -n "$prefix-$1" address add "$4" dev "$3"
    ip -n "$prefix-$1" link set "$3" up
    ip -n "$prefix-$1" link set lo up
    [ -z "${5:-}" ] || ip -n "$prefix-$1" route add default via "$5"
}

network_up() {
    ip netns add "$prefix-switch"
    ip netns exec "$prefix-switch" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
    for bridge in lan wan; do
        ip -n "$prefix-switch" link add "$bridge" type bridge forward_delay 0
        ip -n "$prefix-switch" link set "$bridge" up
    done
    namespace proxy lan lan0 10.0.0.1/24
    namespace proxy wan wan0 198.51.100.1/24
    namespace phone1 lan eth0 10.0.0.11/24 10.0.0.1
    namespace phone2 lan eth0 10.0.0.12/24 10.0.0.1
    namespace phone3 lan eth0 10.0.0.13/24 10.0.0.1
    namespace pbx lan eth0 10.0.0.5/24 10.0.0.1
    namespace gw1 wan eth0 198.51.100.20/24
    namespace gw2 wan eth0 198.51.100.21/24
}

network_down() {
    for name in phone1 phone2 phone3 pbx gw1 gw2 proxy switch; do
        ip netns del "$prefix-$name" 2>/dev/null
    done
}

on() { # namespace command...
    local name=$1
    shift
    ip netns exec "$prefix-$name" "$@"
}

background() { # namespace command...: bounded in time, ended by `quiet`
    ip netns exec "$prefix-$1" timeout 90 "${@:2}" >>"$run/log" 2>&1 </dev/null &
    started+=($!)
}

quiet() { # ends what this script started, newest first
    local i
    for ((i = ${#started[@]} - 1; i >= 0; i--)); do
        kill "${started[i]}" 2>/dev/null
        wait "${started[i]}" 2>/dev/null
    done
    started=()
}

finish() {
    quiet
    network_down
    rm -rf "$run"
}
trap finish EXIT

# --- the parties

proxy() { # [define...]
    local defines=()
    for name in "$@"; do defines+=(-A "$name"); done
    background proxy kamailio -DD -E -m 32 -M 4 -Y "$run" -P "$run/kamailio.pid" -f "$here/kamailio.cfg" "${defines[@]}"
    sleep 1.5
}

callee() { # namespace scenario [sipp options...]
    background "$1" sipp -sf "$here/scenarios/$2.xml" -i "$(address "$1")" -p 5060 -nostdin -trace_err -error_file "$run/$1.err" "${@:3}"
    sleep 0.3
}

caller() { # namespace scenario target [sipp options...]; waits for the end of the calls
    on "$1" timeout 80 sipp -sf "$here/scenarios/$2.xml" -i "$(address "$1")" -p 5060 -nostdin -m 1 "${@:4}" \
        -trace_err -error_file "$run/$1.err" "$3" >>"$run/log" 2>&1 </dev/null
}

phone() { # namespace seconds account commands...: a baresip with that account line
    local home=$run/baresip-$1
    mkdir -p "$home"
    cp "$here/baresip.config" "$home/config"
    echo "$3" >"$home/accounts"
    : >"$home/contacts"
    local commands=()
    for command in "${@:4}"; do commands+=(-e "$command"); done
    background "$1" baresip -f "$home" -t "$2" "${commands[@]}"
}

address() {
    case $1 in
        phone1) echo 10.0.0.11 ;; phone2) echo 10.0.0.12 ;; phone3) echo 10.0.0.13 ;;
        pbx) echo 10.0.0.5 ;; gw1) echo 198.51.100.20 ;; gw2) echo 198.51.100.21 ;;
    esac
}

# --- the capture

filter="ip and not igmp"
capture() { # namespace interface...
    local name=$1
    for interface in "${@:2}"; do
        background "$name" tcpdump -n -U --immediate-mode -s 0 -i "$interface" -w "$run/$interface.pcap" "$filter"
    done
    sleep 0.7
}

keep() { # file interface...: ends the capture; pcapng of several interfaces, or the one pcap
    sleep 0.5
    quiet
    local files=()
    for interface in "${@:2}"; do files+=("$run/$interface.pcap"); done
    case $1 in
        *.pcapng)
            mergecap -F pcapng -I none -w "$out/$1" "${files[@]}"
            # mergecap notes the kernel it ran on; the sample should not tell.
            local kernel
            kernel=$(uname -sr)
            LC_ALL=C sed -i "s/$kernel/$(printf "%-${#kernel}s" Linux)/" "$out/$1"
            ;;
        *.pcap) mergecap -F pcap -w "$out/$1" "${files[@]}" ;;
    esac
    rm -f "${files[@]}"
    echo "$1: $(capinfos -Mrc "$out/$1" | grep -o 'packets:.*' | tr -s ' ')," "$(stat -c %s "$out/$1") bytes"
}

# --- the samples

answered_through_proxy() {
    capture proxy lan0 wan0
    proxy
    callee gw1 callee -d 1500
    caller phone1 caller 10.0.0.1 -s 004930123456 -d 2500
    keep answered-through-proxy.pcapng lan0 wan0
}

busy() {
    capture proxy lan0
    proxy
    callee phone2 callee-busy
    callee phone1 callee-busy
    caller phone3 caller 10.0.0.1 -s 500
    keep busy.pcap lan0
}

codec_mismatch() {
    capture pbx eth0
    callee pbx pbx-g711-only -d 600
    caller phone1 caller-from-list 10.0.0.5 -inf "$here/scenarios/offers.csv" -m 6 -r 1 -d 800
    keep 488-codec-mismatch.pcap eth0
}

gateway_full() {
    capture proxy lan0 wan0
    proxy PASS_503
    callee gw1 gateway-two-lines -d 300
    caller phone1 caller 10.0.0.1 -s 004930123456 -m 8 -r 2 -d 6000
    keep 503-gateway-full.pcapng lan0 wan0
}

proxy_changes_503() {
    capture proxy lan0 wan0
    proxy
    callee gw1 gateway-failing
    caller phone1 caller 10.0.0.1 -s 004930123456
    keep 503-becomes-500.pcap lan0 wan0
}

cancelled() {
    capture proxy lan0 wan0
    proxy
    callee gw1 callee-ringing
    caller phone1 caller-gives-up 10.0.0.1 -s 004930123456 -d 4000
    keep cancelled-while-ringing.pcap lan0 wan0
}

ack_lost() {
    # The media of 32 s would be large, and is not the story.
    local filter="port 5060 or icmp"
    capture phone1 eth0
    callee pbx pbx-with-private-contact
    phone phone1 42 "<sip:101@10.0.0.5>;regint=0" "/dial sip:900@10.0.0.5"
    sleep 38
    keep ack-lost.pcap eth0
}

tcp_calls() {
    capture proxy lan0 wan0
    proxy
    callee gw1 callee -t t1 -d 200
    caller phone1 caller 10.0.0.1 -t t1 -s 004930123456 -m 3 -r 3 -d 700
    keep tcp-calls.pcap lan0 wan0
}

gateway_dead() {
    capture proxy lan0 wan0
    proxy
    caller phone1 caller 10.0.0.1 -s 004930123456
    keep gateway-dead-408.pcapng lan0 wan0
}

failover() {
    capture proxy lan0 wan0
    proxy
    callee gw1 gateway-failing
    callee gw2 callee -d 500
    caller phone1 caller 10.0.0.1 -s 00149301234 -d 1500
    keep failover-second-gateway.pcap lan0 wan0
}

registered_phones() {
    capture phone1 eth0
    proxy ASK_PASSWORD
    phone phone2 8 "<sip:102@10.0.0.1>;auth_user=102;auth_pass=secret;answermode=auto;regint=600;ptime=40"
    sleep 1
    phone phone1 2 "<sip:101@10.0.0.1>;auth_user=101;auth_pass=secret;regint=600;ptime=40" "/dial sip:102@10.0.0.1"
    sleep 3
    keep registered-phones-call.pcapng eth0
}

wrong_password() {
    capture proxy lan0
    proxy ASK_PASSWORD
    phone phone1 3 "<sip:101@10.0.0.1>;auth_user=101;auth_pass=wrong;regint=600" "/dial sip:102@10.0.0.1"
    sleep 4
    keep wrong-password.pcap lan0
}

srtp_refused() {
    capture pbx eth0
    phone pbx 6 "<sip:900@10.0.0.5>;regint=0;answermode=auto"
    sleep 1
    phone phone1 4 "<sip:101@10.0.0.11>;regint=0;mediaenc=srtp-mand" "/dial sip:900@10.0.0.5"
    sleep 4
    keep srtp-required-refused.pcap eth0
}

shared_call_id() {
    capture proxy lan0 wan0
    proxy
    callee gw1 callee -d 800
    caller phone1 registers-then-calls 10.0.0.1 -s 004930123456 -d 1500
    keep register-and-call-share-call-id.pcap lan0 wan0
}

redirected() {
    capture phone1 eth0
    proxy
    phone phone2 6 "<sip:700@10.0.0.12>;regint=0;answermode=auto;ptime=40"
    sleep 1
    phone phone1 2 "<sip:101@10.0.0.1>;regint=0;ptime=40" "/dial sip:700@10.0.0.1"
    sleep 4
    keep redirect-followed.pcap eth0
}

ring_group() {
    capture proxy lan0 wan0
    proxy
    callee phone1 callee-ringing
    callee phone2 callee -d 2000
    callee phone3 callee-ringing
    caller gw1 caller 198.51.100.1 -s 600 -d 1500
    keep ring-group-one-answers.pcapng lan0 wan0
}

all=(answered_through_proxy busy codec_mismatch gateway_full proxy_changes_503 cancelled ack_lost tcp_calls
    gateway_dead failover registered_phones wrong_password srtp_refused shared_call_id redirected ring_group)

[ $# -gt 0 ] || set -- "${all[@]}"
network_down
network_up
for sample in "$@"; do
    "$sample"
done
[ -z "${SHOW_LOG:-}" ] || cat "$run/log" "$run"/*.err
