#!/bin/sh
# sh test/fuzz/run.sh NAME [SECONDS]: runs one fuzz target with libFuzzer and the sanitizers. What it finds
# interesting goes to build-fuzz/corpus/NAME; a crash leaves build-fuzz/crash-NAME-*, and then belongs
# into test/fuzz/corpus/NAME together with the repair.
set -eu
name=${1:?usage: run.sh NAME [SECONDS]} seconds=${2:-30}
src=$(cd "$(dirname "$0")/../.." && pwd)
dir=${CMPD_BUILD_DIR:-$src}/build-fuzz

[ -f "$dir/build.ninja" ] || CC=clang meson setup "$dir" "$src" -Db_sanitize=address,undefined \
    -Dc_args=-fsanitize=fuzzer-no-link >/dev/null
ninja -C "$dir" "test/fuzz/fuzz-$name" >/dev/null
mkdir -p "$dir/corpus/$name"
# What goes through the door leaves things in a store and in the threads that it keeps: leaks are searched
# for by the replaying tests, once, at the end.
case $name in door | bodies | genm | nested) leaks=0 ;; *) leaks=1 ;; esac
export ASAN_OPTIONS="detect_leaks=$leaks"
exec "$dir/test/fuzz/fuzz-$name" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
    -artifact_prefix="$dir/crash-$name-" "$dir/corpus/$name" "$src/test/fuzz/corpus/$name"
