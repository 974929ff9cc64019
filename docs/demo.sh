#!/bin/sh
# A backup fails, the daemon is killed, the cause is fixed, the backup goes on. `make demo` runs it.
#
# Daemon, store and copies are in one new folder, which is removed at the end.
set -eu
cd "$(dirname "$0")/.."

demo=$(mktemp -d /tmp/taskd-demo.XXXXXX)
unset TASKD_CONFIG TASKD_SOCKET
export TASKD_STATE_DIR="$demo/state"
export TZ="${TZ:-UTC}"

if [ -t 1 ]; then bold=$(printf '\033[1m') plain=$(printf '\033[0m'); else bold='' plain=''; fi
say() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }
fail() { printf '\nthe demo went wrong: %s\n' "$*" >&2; exit 1; }

show() { printf '$ %s\n' "$*"; "$@"; }

# expect STATUS COMMAND…: show the command, which must end with that exit status.
expect() {
    wanted=$1
    shift
    status=0
    show "$@" || status=$?
    [ "$status" = "$wanted" ] || fail "'$*' ended with $status, not with $wanted"
}

# field FORMAT: fields of the JSON object on stdin
field() { python -c "import json, sys; print('$1'.format_map(json.load(sys.stdin)))"; }

# task_is STATE RESULT
task_is() {
    found=$(taskctl show 1 -o json | field '{state} {result}')
    [ "$found" = "$1 $2" ] || fail "the task is $found, not $1 $2"
}


# copies_are N: so many archives, each with its checksum
copies_are() {
    [ "$(ls "$demo/backups" | wc -l)" = $(($1 * 2)) ] || fail "there should be $1 copies"
}

finish() {
    taskd stop >/dev/null 2>&1 || true
    rm -rf "$demo"
}
trap finish EXIT
trap 'exit 130' INT TERM

say "Start a daemon whose state is in a folder of its own."
echo "\$ export TASKD_STATE_DIR=$TASKD_STATE_DIR"
expect 0 taskd start

say "Back up the folder docs. The target is missing: the task pauses (exit status 9)."
expect 9 taskctl run docs/examples/backup/backup.yaml \
    source="$PWD/docs" target="$demo/backups" keep=2 --wait
task_is paused error

say "What is wrong: the step, its error, and the lock that is kept."
expect 0 taskctl show 1
expect 0 taskctl locks

say "Another backup of the same folder may not start now: it pauses, and names the first."
expect 9 taskctl run docs/examples/backup/backup.yaml \
    source="$PWD/docs" target="$demo/other" keep=2 --wait
expect 0 taskctl cancel 2

say "Kill the daemon without warning, and start it again."
expect 0 kill -9 "$(taskd status -o json | field '{pid}')"
while taskd status >/dev/null 2>&1; do sleep 0.1; done
expect 6 taskd status
expect 0 taskd start

say "Nothing is lost."
expect 0 taskctl list
task_is paused error

say "Fix the cause, and resume: the archive is not made again, the copy is."
expect 0 mkdir "$demo/backups"
expect 0 taskctl resume 1
expect 0 taskctl wait 1
task_is stopped warning

say "It ended well, but needed a person: the result is 'warning'. The lock is gone."
expect 0 taskctl show 1
expect 0 taskctl locks
expect 0 taskctl list

say "The copy is really there."
expect 0 ls -l "$demo/backups"
copies_are 1

say "The next backup has its lock at once. It keeps one copy, so the older one is pruned."
expect 0 taskctl run docs/examples/backup/backup.yaml \
    source="$PWD/docs" target="$demo/backups" keep=1 --wait
expect 0 taskctl logs 3
copies_are 1

say "Stop the daemon."
expect 0 taskd stop
