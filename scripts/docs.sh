#!/usr/bin/env bash
# Builds the documentation into .build-docs/SQLiteReplicate.doccarchive, with the compiler that Swift brings along.
# A warning (a link to nowhere, a parameter that does not exist) is an error.
set -euo pipefail
cd "$(dirname "$0")/.."

target=SQLiteReplicate
output=.build-docs
symbols=$output/symbols

command -v docc >/dev/null || {
    echo "docs: 'docc' is missing; it is part of the Swift toolchain" >&2
    exit 1
}

swift build --target "$target"
rm -rf "$symbols" "$output/$target.doccarchive"
mkdir -p "$symbols"
swift package dump-symbol-graph --minimum-access-level public --skip-synthesized-members >/dev/null
find .build -path '*symbolgraph*' -name "$target*.symbols.json" -exec cp {} "$symbols" \;

docc convert "Sources/$target/Documentation.docc" \
    --additional-symbol-graph-dir "$symbols" \
    --fallback-display-name "$target" \
    --fallback-bundle-identifier "$target" \
    --warnings-as-errors \
    --transform-for-static-hosting \
    --output-path "$output/$target.doccarchive"
echo "docs: $output/$target.doccarchive (look at it with: docc preview Sources/$target/Documentation.docc)"
