#!/bin/sh
# sh test/bare.sh RELEASE [--from FOLDER] [--only quickstart|run] [--keep]
#
# Are the README's two commands enough on a machine with nothing on it? Makes a minimal Debian (bookworm or
# trixie) in a folder below $TMPDIR, or copies FOLDER, clones what is committed here into it, and runs
# etc/quickstart.sh --once (twice: the second time must be quick) and test/run.sh in it. Needs root and
# debootstrap; the mirror is that of this machine's apt. Everything is gone afterwards.
set -eu
usage()
{
	sed -n '2s/^# //p' "$0" >&2
	exit 2
}

src=$(cd "$(dirname "$0")/.." && pwd)
release="" from="" only="" keep=""
while [ $# -gt 0 ]; do
	case "$1" in
	bookworm|trixie) release=$1 ;;
	--from) from=${2:?$(usage)}; shift ;;
	--only) only=${2:?$(usage)}; shift ;;
	--keep) keep=1 ;;
	*) usage ;;
	esac
	shift
done
[ -n "$release" ] || usage
[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 1; }

root=$(mktemp -d "${TMPDIR:-/tmp}/cmpd-bare-$release.XXXXXX")
gone()
{
	rc=$?
	trap - EXIT
	# The commands ran in mount and process namespaces of their own: nothing is left mounted or running.
	if [ -n "$keep" ]; then
		echo "kept: $root"
	elif grep -q " $root" /proc/self/mounts; then
		echo "still mounted, not removed: $root" >&2
		rc=1
	else
		rm -rf --one-file-system "$root"
	fi
	exit "$rc"
}
trap gone EXIT
trap 'exit 1' INT TERM HUP

if [ -n "$from" ]; then
	cp -a "$from/." "$root"
else
	mirror=$(apt-get indextargets --format '$(ORIGIN) $(SITE)' 'Created-By: Packages' |
	    sed -n 's/^Debian //p' | head -n 1)
	[ -n "$mirror" ] || { echo "apt on this machine names no Debian mirror" >&2; exit 1; }
	echo "== $release: minimal system"
	debootstrap --variant=minbase "$release" "$root" "$mirror" >"$root.log" 2>&1 ||
	    { tail -n 20 "$root.log" >&2; rm -f "$root.log"; exit 1; }
	rm -f "$root.log"
fi
# How this machine reaches its mirror: proxies and what it is told not to check.
apt-config dump | grep -E '^Acquire::(http|https|Check|Retries)' >"$root/etc/apt/apt.conf.d/99machine" || :
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || :
git clone -q "$src" "$root/srv/cmpd"

# inside NAME COMMAND...: runs it in the folder; its output is shown indented, its exit status counts.
inside()
{
	name=$1 begin=$(date +%s)
	shift
	echo "== $release: $name: $*"
	rc=0
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb \
	    unshare --mount --pid --fork --kill-child sh -c '
		mount --bind "$0" "$0" &&
		mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/dev/shm" &&
		mount -t devpts -o newinstance,ptmxmode=0666 devpts "$0/dev/pts" &&
		mount --bind "$0/dev/pts/ptmx" "$0/dev/ptmx" &&
		exec chroot "$0" sh -c "cd /srv/cmpd && \"\$@\"" inside "$@"' "$root" "$@" \
	    </dev/null >"$root/log" 2>&1 || rc=$?
	sed 's/^/    /' "$root/log"
	echo "== $release: $name: exit status $rc after $(($(date +%s) - begin)) s"
	[ $rc = 0 ] || bad=1
}

bad=
if [ "$only" != run ]; then
	inside quickstart sh etc/quickstart.sh --once
	inside "quickstart again" sh etc/quickstart.sh --once
fi
if [ "$only" != quickstart ]; then
	inside tests sh test/run.sh
fi
[ -z "$bad" ] || exit 1
