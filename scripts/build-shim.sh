#!/usr/bin/env bash
# Builds the tests' fault shim (Tests/FaultShim) into .build-tools/libfaultshim.so; does nothing when that is new enough.
set -euo pipefail
cd "$(dirname "$0")/.."

source_file=Tests/FaultShim/faultshim.c
library=.build-tools/libfaultshim.so
if [[ $library -nt $source_file ]]; then exit 0; fi

compiler=${CC:-}
for candidate in cc gcc clang; do
    if [[ -z $compiler ]] && command -v "$candidate" >/dev/null; then compiler=$candidate; fi
done
if [[ -z $compiler ]]; then
    echo "build-shim: no C compiler (cc, gcc or clang) found; Swift's own clang is enough if it is in PATH" >&2
    exit 1
fi

mkdir -p .build-tools
# Beside and renamed: several tests may want it at once.
temporary=$(mktemp .build-tools/libfaultshim.XXXXXX)
trap 'rm -f "$temporary"' EXIT
"$compiler" -std=gnu11 -O1 -Wall -Wextra -Werror -U_FORTIFY_SOURCE -fPIC -shared \
    -o "$temporary" "$source_file" -ldl -pthread
chmod 755 "$temporary"
mv -f "$temporary" "$library"
