#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# start.sh BENCH SKEP MD: CPU time and memory from start to "loaded" of some one-liners, and of
# bpftrace where it is installed; to MD the same as README has it. Nothing is attached to this machine's kernel: skep loads (--dry-run), which
# is all but one system call a probe; bpftrace only compiles (--emit-elf), as it has no such option.
set -eu
bench=$1 skep=$2 md=$3
runs=10
elf=$(mktemp)
trap 'rm -f "$elf"*' EXIT

row() {
	ours=$($bench start $runs "$skep" --dry-run -e "$2" || echo '- -')
	theirs='- -'
	if command -v bpftrace >/dev/null; then
		theirs=$($bench start 3 bpftrace --emit-elf "$elf" -e "$2" || echo '- -')
	fi
	printf '%s\t%s\t%s\n' "$1" "$(echo $ours $theirs | tr ' ' '\t')" "$(printf %s "$2" | tr -s '\t\n ' ' ')"
}

size_of() {
	ldd "$1" 2>/dev/null | sed -n 's/.*=> \([^ ]*\) .*/\1/p' | cat - /dev/fd/3 3<<-EOF | xargs -r stat -L -c %s | awk '{ n += $1 } END { printf "%.0f", n / 1e6 }'
		$1
	EOF
}

{
	row hello 'BEGIN { printf("hello\n"); exit(); }'
	row count 'kprobe:vfs_read { @[comm] = count(); }'
	row hist 'kretprobe:vfs_read { @bytes = hist(retval); }'
	row latency 'kprobe:vfs_read { @start[tid] = nsecs; }
		kretprobe:vfs_read /@start[tid]/ { @ns[comm] = hist(nsecs - @start[tid]); delete(@start[tid]); }'
	row openat 'tracepoint:syscalls:sys_enter_openat { printf("%s %s\n", comm, str(args->filename)); }'
	row struct 'kprobe:tcp_connect { printf("%d\n", ((struct sock *)arg0)->__sk_common.skc_family); }'
	row switch 'tracepoint:sched:sched_switch { @[args->prev_comm] = count(); }'
} | awk -F '\t' -v md="$md" -v cpus="$(getconf _NPROCESSORS_ONLN)" -v skep="$(wc -c <"$skep" | awk '{ print $1 / 1e6 }')" -v peer="$(command -v bpftrace >/dev/null && size_of "$(command -v bpftrace)" || echo -)" -v when="$(date +%F)" -v machine="$(uname -m), Linux $(uname -r | cut -d. -f1,2)" -v name="$(bpftrace --version 2>/dev/null || echo 'bpftrace: not installed')" '
	function ms(us) { return us == "-" ? "-" : sprintf("%.1f", us / 1000) }
	function mb(k) { return k == "-" ? "-" : sprintf("%.1f", k / 1024) }
	BEGIN {
		printf "Start, %s, %s; %s\n", when, machine, name
		print "                skep: compiled and loaded   bpftrace: compiled"
		print "                CPU ms    peak MB           CPU ms    peak MB"
		printf "  %s, %s, %d CPUs; %s.\n\n", when, machine, cpus, name > md
		print "  | one-liner | skep: CPU ms | peak MB | bpftrace: CPU ms | peak MB |" > md
		print "  |---|---|---|---|---|" > md
	}
	{
		printf "%-14s %7s %10s %16s %10s\n", $1, ms($2), mb($3), ms($4), mb($5)
		printf "  | `%s` | %s | %s | %s | %s |\n", $6, ms($2), mb($3), ms($4), mb($5) > md
		if ($2 != "-" && $2 > 30000) late = late " " $1
		if ($3 != "-" && $3 > 12 * 1024) big = big " " $1
	}
	END {
		printf "%-14s %7s %10.2f %16s %10s\n", "on disk, MB", "", skep, "", peer
		printf "  | on disk, MB, libraries included | | %.2f | | %s |\n", skep, peer > md
		if (late) print "above 30 ms:" late
		if (big) print "above 12 MB:" big
	}'
