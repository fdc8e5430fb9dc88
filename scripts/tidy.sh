#!/usr/bin/env bash
# House rules that the formatter does not know. Prints each breach; exits 1 if there is one.
set -euo pipefail
cd "$(dirname "$0")/.."

breaches=0

# forbid PATTERN REASON PATH...
forbid() {
    local pattern=$1 reason=$2
    shift 2
    if grep -rnE --include='*.swift' --include='*.md' --include='*.sh' --include='*.c' --include='*.py' \
        --exclude=tidy.sh "$pattern" "$@" >&2; then
        echo "tidy: $reason" >&2
        breaches=$((breaches + 1))
    fi
}

forbid '\b(TODO|FIXME|XXX)\b' "unfinished work belongs into an issue, not into the tree" Sources Tests scripts
forbid '\bTask\.detached\b' "work without an owner: use a task group or a service" Sources
forbid '\btry!' "a crash where an error is due" Sources
forbid '\bfatalError\(' "throw for bad input; precondition for a broken invariant" Sources
forbid '(^|[^A-Za-z])/(work|root|tmp/pkg)[/-]' "a path of one machine" Sources Tests scripts README.md

while read -r lines file; do
    if ((lines > 400)); then
        echo "tidy: $file has $lines lines: split it by concern" >&2
        breaches=$((breaches + 1))
    fi
done < <(find Sources Tests -name '*.swift' -exec wc -l {} + | grep -v ' total$')

exit $((breaches > 0))
