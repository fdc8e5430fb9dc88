#!/usr/bin/env bash
# Runs all tests. The log is long: where tests fail, the last lines are those that say which, and why.
#
#   scripts/test.sh [ARGUMENTS OF SWIFT TEST]
set -uo pipefail
cd "$(dirname "$0")/.."

mkdir -p .build-tools
log=.build-tools/tests.log
swift test --disable-xctest --no-parallel "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
if ((status != 0)); then
    printf '\n== what failed (the whole log: %s)\n' "$log"
    grep -aE '✘ Test .* recorded an issue|: error:|^error:|Fatal error|unexpected signal' "$log" | cut -c1-300 | uniq | tail -n 40
fi
exit "$status"
