#!/bin/sh
# Runs a command on a machine with a way out that leads nowhere, and counts every packet that took it.
#
#   test/e2e/egress.sh COMMAND [ARGUMENT…]
#
# A network namespace whose default routes and name server lie behind a wire with nobody at its end, where tcpdump listens.
# Last line on stderr: `packets that tried to leave: N`. Exit: the command's, or 3 when N is not 0, or 4 when it could not be set up.
# Everything the command started ends with it. A normal user needs user namespaces.
set -u

if [ "${EGRESS_INSIDE:-}" = "" ]; then
  for program in unshare ip tcpdump; do
    command -v "$program" >/dev/null || PATH="$PATH:/usr/sbin:/sbin"
    command -v "$program" >/dev/null || { echo "egress.sh needs $program" >&2; exit 4; }
  done
  as=''
  [ "$(id -u)" = 0 ] || as='--user --map-current-user --keep-caps'
  # shellcheck disable=SC2086 # words
  EGRESS_INSIDE=yes exec unshare $as --net --mount --pid --fork --kill-child --mount-proc -- sh "$0" "$@"
fi

set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ip link set lo up
ip link add sink0 type veth peer name sink1
ip link set sink1 up
ip address add 192.0.2.2/24 dev sink0
ip link set sink0 up
ip neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev sink0
ip neighbour add 192.0.2.53 lladdr 02:00:00:00:00:02 dev sink0
ip route add default via 192.0.2.1 dev sink0
if [ -e /proc/net/if_inet6 ]; then
  ip -6 address add 2001:db8::2/64 dev sink0 nodad
  ip -6 neighbour add 2001:db8::1 lladdr 02:00:00:00:00:01 dev sink0
  ip -6 route add default via 2001:db8::1 dev sink0
fi
echo 'nameserver 192.0.2.53' >"$folder/resolv.conf"
mount --bind "$folder/resolv.conf" "$(readlink -f /etc/resolv.conf)"

# Not counted: what the kernel says by itself on a new IPv6 link (solicitations, multicast reports).
tcpdump -Z root -U -l -nn -i sink0 'not icmp6 and not ip6 proto 0' >"$folder/packets" 2>"$folder/tcpdump" &
listener=$!
until grep -qs 'listening on' "$folder/tcpdump"; do
  kill -0 "$listener" 2>/dev/null || { cat "$folder/tcpdump" >&2; exit 4; }
  sleep 0.05
done

set +e
unset EGRESS_INSIDE
"$@"
status=$?
sleep 0.5 # the capture lags a little
kill -INT "$listener"
wait "$listener" 2>/dev/null
packets=$(grep -c . "$folder/packets")
[ "$packets" = 0 ] || head -20 "$folder/packets" >&2
echo "packets that tried to leave: $packets" >&2
[ "$status" != 0 ] || [ "$packets" = 0 ] || status=3
exit "$status"
