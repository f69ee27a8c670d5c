# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Sourced by run and cross with the folder to write to as their argument.
make=${MAKE:-make}
passed=0 failed=0 skipped=0
rm -rf "$1"
mkdir -p "$1"
out=$(cd "$1" && pwd)

ok() {
	echo "ok install/$1"
	passed=$((passed + 1))
}
not_ok() {
	echo "not ok install/$1 $2"
	failed=$((failed + 1))
}
skip() {
	echo "skip install/$1 $2"
	skipped=$((skipped + 1))
}
# check NAME COMMAND…: its output is shown when it fails
check() {
	name=$1
	shift
	if "$@" >"$out/log" 2>&1; then
		ok "$name"
	else
		not_ok "$name" "failed: $*"
		tail -n 20 "$out/log"
	fi
}
same() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "got: $2"; fi
}
counts() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ $failed = 0 ]
}
