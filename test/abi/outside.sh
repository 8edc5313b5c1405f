#!/bin/sh
# Builds plugins as somebody does who has nothing but the installed headers and cmpd-plugin.pc, and loads
# them: the example of the manual, as C and its headers as C++.
#	outside.sh MESON BUILD PREFIX PKGCONFIGDIR MANUAL ASK
set -u
meson=$1 build=$2 prefix=$3 pkgconfigdir=$4 manual=$5 ask=$6
: "${CC:=cc}" "${CXX:=c++}"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

# check WORDS RESULT WANTED
check() {
	n=$((n + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		echo "# got    $2"
		echo "# wanted $3"
	fi
}

DESTDIR=$dir "$meson" install -C "$build" --no-rebuild --quiet --tags devel >"$dir/log" 2>&1
check "headers and cmpd-plugin.pc are installed" $? 0

cflags=$(PKG_CONFIG_PATH=$dir$pkgconfigdir PKG_CONFIG_ALLOW_SYSTEM_CFLAGS=1 \
	pkg-config --define-variable=prefix="$dir$prefix" --cflags cmpd-plugin | sed 's/ *$//')
check "pkg-config knows where" "$cflags" "-I$dir$prefix/include"
check "and where plugins belong" "$(PKG_CONFIG_PATH=$dir$pkgconfigdir \
	pkg-config --variable=plugindir cmpd-plugin | sed 's|.*/\(cmpd/plugins\)$|\1|')" cmpd/plugins

awk '/^```/ { inside = 0 } inside { print } /^```/ && !seen { getline line; if (line ~ /ec-only.c/) {
	inside = seen = 1; print line } }' "$manual" >"$dir/ec-only.c"
cd "$dir" || exit 1
# shellcheck disable=SC2086
$CC -std=c99 -Wall -Wextra -Wpedantic -Werror -shared -fPIC $cflags -o ec-only.so ec-only.c
check "the example of the manual compiles" $? 0
check "and denies" "$("$ask" "$dir/ec-only.so" rsa:2048)" \
	"deny fail=19 text=rsa:2048 keys are not for /.well-known/cmp"
check "or passes" "$("$ask" "$dir/ec-only.so" ec:P-256)" "pass"

if command -v "${CXX%% *}" >/dev/null; then
	echo '#include <cmpd/request.h>' >plugin.cc
	# shellcheck disable=SC2086
	$CXX -Wall -Wextra -Wpedantic -Werror -fsyntax-only $cflags plugin.cc
	check "the headers are C++ too" $? 0
else
	n=$((n + 1))
	echo "ok $n - the headers are C++ too # SKIP no C++ compiler"
fi
echo "1..$n"
