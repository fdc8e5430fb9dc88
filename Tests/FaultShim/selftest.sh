#!/usr/bin/env bash
# Checks the fault shim with a small program that makes each kind of call. Needs a C compiler and Linux.
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/build-shim.sh
library=$PWD/.build-tools/libfaultshim.so
program=$PWD/.build-tools/faultshim-selftest
"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -o "$program" Tests/FaultShim/selftest.c -pthread
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
checks=0 failures=0

# run RULES [THREAD]: a fresh folder, the program's output in $work/out, its exit status in $status.
run() {
    rm -rf "$work/dir" "$work/counts" "$work/log"
    mkdir "$work/dir"
    printf '%s\n' "$1" >"$work/rules"
    status=0
    { (cd "$work/dir" && LD_PRELOAD=$library FAULTSHIM_CONTROL=$work/rules FAULTSHIM_COUNTS=$work/counts \
        FAULTSHIM_LOG=$work/log exec "$program" ${2:+"$2"}) >"$work/out"; } 2>"$work/err" || status=$?
}

check() {  # check DESCRIPTION COMMAND...
    local what=$1
    shift
    checks=$((checks + 1))
    if ! "$@"; then
        failures=$((failures + 1))
        echo "selftest: $what: no" >&2
        sed 's/^/    /' "$work/out" "$work/log" >&2
    fi
}

said() { grep -qx "$1" "$work/out"; }
all_ok() { [[ $(grep -c ' ok$' "$work/out") == 14 ]]; }
counted() { [[ $(od -An -t u8 -j $((16 * ${3:-0})) -N 16 "$work/counts" | xargs) == "$1 $2" ]]; }

run "fault=count path=$work/dir"
check "counting changes nothing" all_ok
check "each call is counted once" counted 14 0
check "each call is in the log" test "$(wc -l <"$work/log")" == 14

names=(open write pwrite writev pwritev fsync fdatasync ftruncate mkdir link rename openat copy_file_range unlink)
for n in $(seq 1 14); do
    run "fault=error errno=ENOSPC at=$n path=$work/dir"
    check "call $n fails" said "$n ${names[n - 1]} ENOSPC"
    check "one fault is counted at call $n" test "$(od -An -t u8 -j 8 -N 8 "$work/counts" | xargs)" == 1
done

run "fault=error errno=EIO at=2 count=4 path=$work/dir calls=write"
check "the second of the writes fails" said '3 pwrite EIO'
check "so does the last" said '5 pwritev EIO'
check "other calls are left alone" said '6 fsync ok'
run "fault=error errno=EIO count=0 path=$work/dir suffix=/c"
check "a suffix chooses the file" said '11 rename EIO'
check "other files are left alone" said '10 link ok'
run "fault=error errno=EIO count=0 path=$work/elsewhere"
check "another folder is left alone" all_ok
run "fault=error errno=EIO count=0 path=$work/dir notpath=$work/dir/a"
check "an exception is left alone" said '2 write ok'
check "all but the exception fails" said '9 mkdir EIO'

run "fault=short at=2 path=$work/dir"
check "a short write writes half" said '2 write short 50'
run "fault=torn errno=ENOSPC at=2 path=$work/dir"
check "a torn write fails" said '2 write ENOSPC'

run "fault=error errno=EIO count=0 path=$work/dir thread=engine" "engine-7"
check "a thread's name chooses" said '9 mkdir EIO'
run "fault=error errno=EIO count=0 path=$work/dir notthread=engine" "engine-7"
check "a thread's name excepts" all_ok
run "fault=error errno=EIO count=0 path=$work/dir tid=main" "engine-7"
check "only the main thread" all_ok
run "fault=error errno=EIO count=0 path=$work/dir tid=other" "engine-7"
check "only other threads" said '9 mkdir EIO'

run "fault=kill at=11 path=$work/dir"
check "killed" test "$status" == 137
check "killed before the rename" test ! -e "$work/dir/c"
run "fault=kill when=after at=11 path=$work/dir"
check "killed after the rename" test -e "$work/dir/c"
run "fault=delay ms=300 at=2 path=$work/dir
fault=error errno=EDQUOT at=1 calls=fsync path=$work/dir"
check "a second rule has its own count" counted 1 1 1
check "a second rule takes effect" said '6 fsync EDQUOT'

# Stop, look, change the rules, go on.
rm -rf "$work/dir" && mkdir "$work/dir"
touch "$work/gate"
echo "fault=hold gate=$work/gate at=2 path=$work/dir" >"$work/rules"
(cd "$work/dir" && LD_PRELOAD=$library FAULTSHIM_CONTROL=$work/rules exec "$program") >"$work/out" &
child=$!
for _ in $(seq 1 500); do if [[ -e $work/gate.here ]]; then break; fi; sleep 0.01; done
check "held at the second call" test "$(wc -l <"$work/out")" == 1
echo "fault=error errno=EROFS at=3 calls=mkdir path=$work/dir" >"$work/rules"  # The count of two goes on.
rm "$work/gate"
wait "$child"
check "rules change while it runs" said '9 mkdir EROFS'

echo "selftest: $checks checks, $failures failed"
[[ $failures == 0 ]]
