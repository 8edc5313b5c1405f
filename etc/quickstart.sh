#!/bin/sh
# sh etc/quickstart.sh [--once]: a certificate from a held request, from nothing, on Debian 12 or 13.
#
# Installs what is missing, builds, makes a demo CA in a scratch folder, starts cmpd, and lets the stock
# `openssl cmp` ask for a certificate. The request waits for an operator; cmpd-ctl approves it. cmpd is left
# running; with --once it is stopped, and the certificate is the end of the output.
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
build=${CMPD_BUILD_DIR:-$src}/build-quick
once=
case "${1-}" in
--once) once=1 ;;
'') ;;
*) echo "usage: sh etc/quickstart.sh [--once]" >&2; exit 2 ;;
esac
. "$src/etc/packages.sh"

cmpd_pid="" client_pid="" work=""
failed()
{
	rc=$?
	trap - EXIT
	[ -z "$client_pid" ] || kill "$client_pid" 2>/dev/null || :
	[ -z "$cmpd_pid" ] || kill "$cmpd_pid" 2>/dev/null || :
	if [ -n "$work" ]; then
		for log in build.log init.log cmpd.log client.log; do
			[ ! -s "$work/$log" ] || { echo "--- $log"; tail -n 15 "$work/$log"; } >&2
		done
		rm -rf "$work"
	fi
	echo "quickstart failed" >&2
	[ "$rc" != 0 ] || rc=1
	exit "$rc"
}
trap failed EXIT
trap 'exit 1' INT TERM HUP

say()
{
	printf '\n* %s\n' "$*"
}

show()
{
	echo "  \$ $*"
}

# within SECONDS COMMAND...: repeats it until it succeeds.
within()
{
	tries=$(($1 * 10))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "in vain: $*" >&2; return 1; }
		sleep 0.1
	done
}

# A TCP port from 8080 on that nobody listens to.
free_port()
{
	port=8080
	while cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
	    awk -v port="$(printf '%04X' $port)" \
	        '{ n = split($2, a, ":"); if (a[n] == port && $4 == "0A") found = 1 } END { exit !found }'; do
		port=$((port + 1))
	done
	echo $port
}

work=$(mktemp -d "${TMPDIR:-/tmp}/cmpd-quickstart.XXXXXX")
# shellcheck disable=SC2086 # a list of words
packages_install $packages_build

say "building cmpd (in $build)"
{
	[ -f "$build/build.ninja" ] || meson setup --buildtype=release "$build" "$src"
	ninja -C "$build" src/daemon/cmpd src/cmpd-ctl/cmpd-ctl
} >"$work/build.log" 2>&1
cmpd=$build/src/daemon/cmpd ctl=$build/src/cmpd-ctl/cmpd-ctl

demo=$work/demo conf=$work/demo/cmpd.conf port=$(free_port)
say "a demo CA and a configuration"
show "cmpd-ctl init $demo --listen 127.0.0.1:$port"
"$ctl" init "$demo" --listen "127.0.0.1:$port" >"$work/init.log" 2>&1
show "cmpd -c $conf &"
"$cmpd" -c "$conf" </dev/null >"$work/cmpd.log" 2>&1 &
cmpd_pid=$!
answers()
{
	kill -0 "$cmpd_pid" && "$ctl" -c "$conf" status >/dev/null 2>&1
}
within 20 answers

say "a device with a secret asks for a certificate, and is told to wait"
show "cmpd-ctl secret add device1"
secret=$("$ctl" -c "$conf" secret add device1 | tail -n 1)
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/device1.key" 2>/dev/null
show "openssl cmp -cmd ir -ref device1 -secret pass:... -subject /CN=device1 ... &"
openssl cmp -config '' -cmd ir -server "127.0.0.1:$port" -path .well-known/cmp -no_proxy 127.0.0.1 \
    -ref device1 -secret "pass:$secret" -recipient "/CN=cmpd" -subject "/CN=device1" \
    -newkey "$work/device1.key" -trusted "$demo/ca/ca.pem" -certout "$work/device1.pem" \
    -total_timeout 60 </dev/null >"$work/client.log" 2>&1 &
client_pid=$!
held()
{
	kill -0 "$client_pid" && "$ctl" -c "$conf" list --json | grep -q '"id"'
}
within 20 held
id=$("$ctl" -c "$conf" list --json | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p' | head -n 1)
show "cmpd-ctl list"
"$ctl" -c "$conf" list
show "cmpd-ctl show $id"
"$ctl" -c "$conf" show "$id"

say "the operator says yes; the device comes back and gets it"
show "cmpd-ctl approve $id --yes"
"$ctl" -c "$conf" approve "$id" --yes
wait "$client_pid"
client_pid=

if [ -z "$once" ]; then
	trap - EXIT
	openssl x509 -in "$work/device1.pem" -noout -subject -issuer -enddate -fingerprint -sha256
	show "openssl verify -CAfile $demo/ca/ca.pem $work/device1.pem"
	openssl verify -CAfile "$demo/ca/ca.pem" "$work/device1.pem" || failed
	cat <<-TEXT

	cmpd is running: process $cmpd_pid, http://127.0.0.1:$port/.well-known/cmp, log $work/cmpd.log
	  look      $ctl -c $conf list
	  ask again openssl cmp -cmd ir -server 127.0.0.1:$port -path .well-known/cmp -no_proxy 127.0.0.1 \\
	              -ref device1 -secret pass:$secret -recipient /CN=cmpd \\
	              -subject /CN=device1 -newkey $work/new.key -trusted $demo/ca/ca.pem -certout $work/new.pem
	            after openssl ecparam -genkey -noout -name prime256v1 -out $work/new.key
	  stop      kill $cmpd_pid; rm -r $work
	TEXT
	exit 0
fi
kill "$cmpd_pid"
wait "$cmpd_pid"
cmpd_pid=
show "openssl verify -CAfile ca.pem device1.pem"
(cd "$work" && openssl verify -CAfile demo/ca/ca.pem device1.pem)
openssl x509 -in "$work/device1.pem" -subject -issuer -enddate
trap - EXIT
rm -rf "$work"
