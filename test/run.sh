#!/bin/sh
# sh test/run.sh: installs what the tests need (asks nothing), builds, runs every suite.
#
# 1. gcc, AddressSanitizer and UBSan: all suites
# 2. gcc, ThreadSanitizer: what has threads, and the scenarios
# 3. clang: compiles without a warning, unit tests
# 4. gcc without sanitizers: the tests that need valgrind
#
# Build folders are kept in build-test/ (or $CMPD_BUILD_DIR), so a second run is quick. Skipped tests
# are named. The last line is "N passed, N failed"; the exit status is 0 if nothing failed.
set -u
src=$(cd "$(dirname "$0")/.." && pwd)
top=${CMPD_BUILD_DIR:-$src/build-test}
. "$src/etc/packages.sh"
export LC_ALL=C.UTF-8 MESON_TESTTHREADS="${MESON_TESTTHREADS:-$(nproc)}"
unset MAKEFLAGS CFLAGS LDFLAGS CC

finish()
{
	python3 "$src/test/summary.py" "$top/results"
	exit $?
}

# broken NAME: what could not even be run counts as one failed test. The first of $top/results.
broken()
{
	echo "FAILED: $1" >&2
	mkdir -p "$top/results"
	printf '{"name": "%s", "result": "FAIL"}\n' "$1" >>"$top/results/run.json"
}

# build NAME CC [MESON OPTION...]: sets up or updates the folder and compiles all; with "some" in what, compiles
# nothing: run will, what its tests need.
build()
{
	name=$1 dir=$top/$1 cc=$2
	shift 2
	if [ -f "$dir/build.ninja" ]; then
		set -- --reconfigure "$@"
	else
		rm -rf "$dir"
	fi
	echo "== $name: build"
	CC=$cc meson setup "$dir" "$src" -Dwerror=true "$@" >"$top/$name.log" 2>&1 &&
	    { [ "$what" = some ] || ninja -C "$dir" >>"$top/$name.log" 2>&1; } && return 0
	tail -n 40 "$top/$name.log" >&2
	broken "build of $name"
	return 1
}

# run NAME [MESON TEST OPTION...]: runs tests and keeps the log for the summary.
run()
{
	name=$1
	shift
	echo "== $name: tests"
	rm -f "$top/$name/meson-logs/testlog.json"
	[ "$what" = some ] || set -- --no-rebuild "$@"
	$wrap meson test -C "$top/$name" --print-errorlogs "$@" </dev/null | grep -vE '^\[[0-9]+/[0-9]+\] '
	if [ -f "$top/$name/meson-logs/testlog.json" ]; then
		cp "$top/$name/meson-logs/testlog.json" "$top/results/$name.json"
	else
		broken "tests of $name"
	fi
}

# try SANITIZER PROGRAM [RUNNER...]: does a program with this sanitizer run here?
try()
{
	sanitizer=$1 text=$2
	shift 2
	printf '%s\n' "$text" >"$top/try.c"
	gcc -g "-fsanitize=$sanitizer" -o "$top/try" "$top/try.c" -pthread 2>/dev/null &&
	    "$@" "$top/try" >"$top/try.log" 2>&1
}

mkdir -p "$top" && rm -rf "$top/results" && mkdir "$top/results" || exit 1
# shellcheck disable=SC2086 # lists of words
if ! packages_install $packages_build $packages_test $packages_wanted; then
	echo "packages could not be installed"
	echo "0 passed, 1 failed"
	exit 1
fi

wrap="" what=all
export ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
hello='int main(void) { return 0; }'
if ! ASAN_OPTIONS=detect_leaks=1 try address "$hello" env; then
	echo "note: LeakSanitizer does not run here (is ptrace restricted?); leaks are not looked for"
	ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0
fi
build asan gcc -Db_sanitize=address,undefined && run asan --timeout-multiplier 3

what=some
# Many address bits given to randomisation are too many for the ThreadSanitizer of older compilers.
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:suppressions="$src/test/tsan.supp"
if ! try thread "$hello" env; then
	wrap="setarch -R"
fi
# shellcheck disable=SC2086 # empty or two words
if ! try thread "$hello" $wrap env; then
	echo "note: ThreadSanitizer does not run here; that build is left out"
elif build tsan gcc -Db_sanitize=thread; then
	threaded=$(meson test -C "$top/tsan" --no-rebuild --list 2>/dev/null |
	    sed 's/.* \/ //' | grep -E '^(base_queue|store|policy|plugin|daemon|ctl_server|scenario)(_|$)' | sort -u)
	# shellcheck disable=SC2086
	[ -z "$threaded" ] || run tsan --timeout-multiplier 5 $threaded
fi
wrap="" what=all
build clang clang && run clang --suite unit --timeout-multiplier 2

what=some
if build plain gcc; then
	slow=$(meson test -C "$top/plain" --no-rebuild --list 2>/dev/null |
	    sed 's/.* \/ //' | grep valgrind | sort -u)
	# shellcheck disable=SC2086
	[ -z "$slow" ] || run plain --timeout-multiplier 3 $slow
fi
finish
