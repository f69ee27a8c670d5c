#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# sizes.sh [-b] PROGRAM…: are these static programs (build/static-ARCH/skep or skep-load) static, within
# the limits, and at most 5 % larger than recorded? -b records. Lines "ok NAME" and "not ok NAME WHY".
set -eu
record=$(dirname "$0")/sizes.tsv
bless=
[ "${1-}" != -b ] || { bless=1 && shift; }
failed=0
new=
say() {
	echo "$*"
	case $1 in not) failed=1 ;; esac
}
for file; do
	folder=${file%/*}
	name=${folder##*static-}/${file##*/}
	size=$(wc -c <"$file")
	case $file in
	*skep-load) limit=480000 ;;

	*) limit=800000 ;;
	esac
	was=$(awk -v n="$name" '$1 == n { print $2 }' "$record" 2>/dev/null || :)
	new="$new$name	$size
"
	if readelf -dW "$file" 2>/dev/null | grep -q 'Dynamic section'; then
		say not ok "size/$name it has a dynamic section"
	elif readelf -lW "$file" | grep -q INTERP; then
		say not ok "size/$name it wants an interpreter"
	elif [ "$size" -gt "$limit" ]; then
		say not ok "size/$name $size bytes: the limit is $limit"
	elif [ -z "$bless" ] && [ -n "$was" ] && [ $((size * 100)) -gt $((was * 105)) ]; then
		say not ok "size/$name $size bytes, recorded are $was: more than 5 % above; make sizes BLESS=1 accepts it"
	else
		say ok "size/$name $size bytes${was:+, recorded $was}"
	fi
done
[ -z "$bless" ] || printf '# What make sizes BLESS=1 saw: bytes, stripped.\n%s' "$new" >"$record"
exit $failed
