# Sourced by etc/quickstart.sh and test/run.sh: which Debian packages building and testing need,
# and packages_install, which installs those of them that are missing and asks nothing.

# dpkg-dev: without it meson takes lib64 for the folder of libraries.
packages_build="gcc libc6-dev dpkg-dev meson ninja-build pkgconf openssl libssl-dev libevent-dev
	liblmdb-dev libconfig-dev libjansson-dev libsmartcols-dev libsystemd-dev"
packages_test="python3 libcmocka-dev scdoc mandoc clang libclang-rt-dev valgrind nginx"
# Missing in some releases: what they serve is then skipped, and the test says so.
packages_wanted="clang-format-14"

packages_have()
{
	[ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

packages_as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo -n "$@"
	else
		echo "needs root or sudo: $*" >&2
		return 1
	fi
}

packages_apt()
{
	packages_as_root env DEBIAN_FRONTEND=noninteractive \
	    apt-get -q -y -o DPkg::Lock::Timeout=300 -o APT::Install-Suggests=false "$@" </dev/null
}

# Services that come with a package (nginx) are not started by installing it for a test.
packages_no_services()
{
	policy=/usr/sbin/policy-rc.d
	[ ! -e $policy ] || { "$@"; return; }
	packages_as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy"
	"$@"
	set -- $?
	packages_as_root rm -f $policy
	return "$1"
}

# packages_known PACKAGE: can it be had here at all?
packages_known()
{
	apt-cache show "$1" >/dev/null 2>&1
}

# packages_install PACKAGE...: silent and without network if all are there already.
packages_install()
{
	packages_missing="" packages_extra=""
	for package; do
		packages_have "$package" && continue
		case " $packages_wanted " in
		*" $package "*) packages_extra="$packages_extra $package" ;;
		*) packages_missing="$packages_missing $package" ;;
		esac
	done
	[ -n "$packages_missing$packages_extra" ] || return 0
	if ! command -v apt-get >/dev/null; then
		[ -n "$packages_missing" ] || return 0
		echo "not a Debian system; these packages are needed:$packages_missing" >&2
		return 1
	fi
	packages_log=$(mktemp)
	# An old list of packages may still do if the mirror cannot be reached.
	[ -z "$packages_missing" ] || packages_apt update >"$packages_log" 2>&1 || :
	for package in $packages_extra; do
		packages_known "$package" && packages_missing="$packages_missing $package"
	done
	[ -n "$packages_missing" ] || { rm -f "$packages_log"; return 0; }
	echo "installing:$packages_missing"
	# shellcheck disable=SC2086 # a list of words
	packages_no_services packages_apt install --no-install-recommends $packages_missing \
	    >>"$packages_log" 2>&1
	packages_rc=$?
	[ $packages_rc = 0 ] || tail -n 25 "$packages_log" >&2
	rm -f "$packages_log"
	# A package that was installed for a test serves nobody after the next boot either.
	case "$packages_missing" in *nginx*)
		packages_as_root systemctl disable nginx >/dev/null 2>&1 || :
	esac
	return $packages_rc
}
