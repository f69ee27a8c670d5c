#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# readme.sh README FILE.md…: puts each FILE.md where README has its marks,
# <!-- bench: FILE --> and <!-- bench end -->.
set -eu
readme=$1
shift
for md; do
	[ -s "$md" ] || continue
	name=$(basename "$md" .md)
	awk -v md="$md" -v name="$name" '
		!inside || /<!-- bench end -->/ { print }
		/<!-- bench end -->/ { inside = 0 }
		index($0, "<!-- bench: " name " -->") {
			inside = 1
			while ((getline line < md) > 0)
				print line
		}' "$readme" >"$readme.new"
	mv "$readme.new" "$readme"
done
