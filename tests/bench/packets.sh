#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# packets.sh BENCH-PACKETS OUT: packet rules beside clang's programs, which it makes where clang is.
set -eu
bench=$1 out=$2/packets
here=$(dirname "$0")
rm -rf "$out"
mkdir -p "$out"

multiarch=$(${CC:-cc} -print-multiarch 2>/dev/null || :)
if command -v clang >/dev/null; then
	for c in "$here"/packets/clang/*.bpf.c; do
		clang -O2 -mcpu=v3 -g -target bpf "-D__$(uname -m)__" -I"/usr/include/$multiarch" -c "$c" \
			-o "$out/$(basename "$c" .bpf.c).o" 2>"$out/clang.log" || echo "bench: clang does not take $c"
	done
else
	echo "bench: no clang: no nanoseconds of its packet programs"
fi
exec "$bench" "$here/../targets/x86_64-6.12.target" "$here/packets" "$out"
