#!/usr/bin/env bash
# The side-by-side race with Litestream: the benchmark that lies in the folder 'shared' beside a development checkout.
#
#   scripts/race.sh PROGRAM [ROUNDS] [LINE]     LINE: restore, snapshot, ingest, lag-slow, lag-fast, lag, idle, fanout
set -euo pipefail
cd "$(dirname "$0")/.."

program=$1 rounds=${2:-3} only=${3:-}
compare=../shared/bench/compare.py
if [[ ! -e $compare ]]; then
    echo "race: '$compare' is missing; 'make bench' is a shorter race that needs nothing else" >&2
    exit 1
fi

unset AWS_CA_BUNDLE  # Litestream does not start where it is set.
mkdir -p .build-tools
results=.build-tools/race.txt
: >"$results"
status=0

line() {
    local name=$1
    shift
    if [[ -n $only && $only != "$name" ]]; then return; fi
    echo "== $name: $*" | tee -a "$results"
    .venv/bin/python "$compare" --bin litestream=.venv/bin/litestream --bin ours="$program" --rounds "$rounds" "$@" |
        tee -a "$results" || status=1
}

line restore restore --mb 512
line snapshot snapshot --mb 512
line ingest ingest --tx 20000
line lag-slow lag --gap 3 --seconds 120
line lag-fast lag --interval 100ms
line lag lag --seconds 120
line idle idle --dbs 100
line fanout fanout --dbs 100
echo "race: the whole table is in $results"
exit "$status"
