#!/bin/sh
# Builds cmpd for release and measures it: sh test/bench/run.sh [--short] [further options of bench.py]
# BENCH_BUILD: the build folder (default: build-bench).
set -e
cd "$(dirname "$0")/../.."
build=${BENCH_BUILD:-build-bench}
[ -f "$build/build.ninja" ] || meson setup "$build" -Dbuildtype=release -Db_lto=false >/dev/null
ninja -C "$build" src/daemon/cmpd src/cmpd-ctl/cmpd-ctl plugins/allow.so test/bench/bound test/bench/load >/dev/null
build=$(cd "$build" && pwd)
export CMPD="$build/src/daemon/cmpd" CMPD_TEST="$build/src/daemon/cmpd" CMPD_CTL="$build/src/cmpd-ctl/cmpd-ctl" CMPD_PLUGINS="$build/plugins" CMPD_SANITIZE=none
export BENCH_BOUND="$build/test/bench/bound" BENCH_LOAD="$build/test/bench/load"
exec python3 test/bench/bench.py "$@"
