#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# bench.sh BENCH SKEP OUT: measures what tests/bench/README.md lists, prints the tables.
# Reports only: status 0 unless nothing could be measured. BLESS=1 makes the figures the base.
set -eu
bench=$1 skep=$2 out=$3
here=$(dirname "$0")
target=tests/targets/x86_64-6.12.target
scripts=$(ls "$here"/*.bt "$here"/*.skep | grep -v /v_)
mkdir -p "$out"

note() {
	echo "bench: $*"
}

have() {
	command -v "$1" >/dev/null
}

k=
if $bench kernel; then
	k=-k
else
	note "this kernel loads no programs for us: no verifier counts"
fi
# l and m load members of kernel structs where the target has them: this kernel would refuse that.
bound=$(ls "$here"/[lm]_*.bt)
root=$(pwd)
(
	cd "$here" # where lists are
	"$root/$bench" script $k "$root/$target" $(ls *.bt *.skep | grep -v '^[lmv]_')
) >"$out/skep.tsv" || note "some scripts do not compile"
$bench script $target $bound >>"$out/skep.tsv"
[ -s "$out/skep.tsv" ] || exit 1
# schedulers need a kernel that has them; this one need not
$bench script tests/targets/x86_64-7.3.target "$here/v_vtime.skep" >>"$out/skep.tsv"

# Kernel and libc headers that Debian keeps in a folder of the architecture.
multiarch=$(${CC:-cc} -print-multiarch 2>/dev/null || :)
clang_objects() {
	for c in "$here"/expert/*.bpf.c; do
		o=$out/$(basename "$c" .c).o
		clang -O2 -g -mcpu=v3 -target bpf -D__TARGET_ARCH_x86 \
			-I"/usr/include/$multiarch" -c "$c" -o "$o" || return 1
	done
	$bench object $k "$out"/*.bpf.o
}
if have clang && clang_objects >"$out/clang.tsv"; then
	clang=$(clang --version | sed -n '1s/.*version \([0-9]*\).*/clang \1/p')
else
	cp "$here/clang.tsv" "$out/clang.tsv"
	clang='clang 14, recorded'
fi

# Instructions that this machine executes for one compilation, from start to end of the program.
cost() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null "$@" 2>&1 >/dev/null |
		sed -n 's/.*Collected *: *\([0-9]*\).*/\1/p'
}
: >"$out/cost.tsv"
if have valgrind; then
	for s in $scripts; do
		name=$(basename "$s")
		printf '%s\t%s\n' "${name%%[_.]*}" "$(cost "$skep" check --target $target "$s")"
	done >"$out/cost.tsv"
	printf 'start\t%s\n' "$(cost "$skep" --version)" >>"$out/cost.tsv"
else
	note "no valgrind: no compile costs"
fi

rss=0
for s in $scripts; do
	n=$($bench rss "$skep" check --target $target "$s" 2>/dev/null || echo 0)
	[ "$n" -le "$rss" ] || rss=$n
done
strip -o "$out/skep.stripped" "$skep"
size=$(wc -c <"$out/skep.stripped")

awk -F '\t' -v clang="$clang" -v rss="$rss" -v size="$size" -v base_out="$out/base.tsv" \
	-f "$here/report.awk" \
	table=workloads "$here/workloads.tsv" table=base "$here/base.tsv" table=hand "$here/hand.tsv" \
	table=clang "$out/clang.tsv" table=cost "$out/cost.tsv" table=skep "$out/skep.tsv"
rm -f "$out"/*.md
static=build/static-$(uname -m | sed s/aarch64/arm64/)/skep
[ -x "$static" ] || static=$out/skep.stripped
"$here/start.sh" "$bench" "$static" "$out/start.md" || note "no start-up costs"
# Machine instructions an event costs, in a guest whose emulator counts them.
native=build/static-x86_64/native
kernel=6.12
if [ -x "$native" ] && have qemu-system-x86_64; then
	rm -rf "$out/native"
	mkdir -p "$out/native/skep" "$out/native/clang" "$out/native/hand"
	cp $scripts "$here"/j_lpm.txt "$out/native/skep"
	cp "$here"/hand/*.s "$out/native/hand"
	sed -i 's/eth0/lo/' "$out/native/skep"/*.skep # what a guest has
	for o in "$out"/*.bpf.o; do
		[ ! -f "$o" ] || cp "$o" "$out/native/clang/$(basename "$o" .bpf.o).o"
	done
	tests/vm/run-guest -i -l "$out/native.log" x86_64 $kernel -- "$native:/native" \
		"$out/native/skep:/bench/skep" "$out/native/clang:/bench/clang" \
		"$out/native/hand:/bench/hand" \
		"$here/native-guest.sh:/test" || note "the guest failed: $out/native.log"
	tr -d '\r' <"$out/native.log" | sed -n 's/.*@@skep native \([a-z]*\) \([a-z]\) /\1\t\2\t/p' \
		>"$out/native.tsv"
	awk -F '\t' -v md="$out/native.md" -f "$here/native.awk" table=workloads "$here/workloads.tsv" \
		table=native "$out/native.tsv"
else
	note "no native counts: they need qemu and make static-native"
fi
if [ -n "${BLESS:-}" ]; then
	cp "$out/base.tsv" "$here/base.tsv"
	"$here/readme.sh" README.md "$out/start.md" "$out/native.md"
	note "these figures are the base now, and those of README"
fi
