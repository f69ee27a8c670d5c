# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Joins the tables of `make bench`; the variable `table` says which one a file is.
function number(s) { return s == "" || s == "-" ? "" : s + 0 }
function ratio(a, b) { return a == "" || b == "" || !b ? "-" : sprintf("%.2f", a / b) }
function or_dash(s) { return s == "" ? "-" : s }
# How a figure moved against the base: nothing when it did not.
function moved(now, then) {
	return then == "" || now == "" || now == then ? "" : sprintf("%+d", now - then)
}
/^#/ || !NF { next }
table == "workloads" { order[++n] = $1; what[$1] = $2; next }
table == "base" { base_insns[$1] = number($2); base_spills[$1] = number($3); base_cost[$1] = number($4); next }
table == "hand" {
	hand[$1] = number($2); fastest[$1] = number($3); hand_ver[$1] = number($4)
	next
}
table == "clang" { c_insns[$1] = number($2); c_ver[$1] = number($6); next }
table == "cost" { cost[$1] = number($2); next }
table == "skep" {
	if (!($1 in what)) next # an END that only clears
	insns[$1] = number($2); spills[$1] = number($3); reloads[$1] = number($4)
	stack[$1] = number($5); ver[$1] = number($6)
	next
}
function line(k) {
	printf "%-4s %-18s %5s %-5s %3s %3s %4s | %5s %5s | %4s %5s %5s | %6s %6s %6s\n", k, what[k],
		or_dash(insns[k]), moved(insns[k], base_insns[k]), or_dash(spills[k]),
		or_dash(reloads[k]), or_dash(stack[k]), or_dash(c_insns[k]),
		ratio(insns[k], c_insns[k]), or_dash(hand[k]), ratio(insns[k], hand[k]),
		or_dash(fastest[k]), or_dash(ver[k]), or_dash(c_ver[k]), or_dash(hand_ver[k])
	if (insns[k] == "")
		return
	print k "\t" insns[k] "\t" spills[k] > base_out
	sum += insns[k]; c_sum += c_insns[k]; hand_sum += hand[k]; spill_sum += spills[k]
}
function kilo(v) { return sprintf("%.0f", v / 1000) }
END {
	print "# key, instructions, spills; for a letter or start: instructions executed to compile" > base_out
	printf "Instructions in the object; +/- against tests/bench/base.tsv; %s -O2 on tests/bench/expert;\n", clang
	print "hand: the shortest known, and the length of the one that runs fastest (hand.tsv)"
	print ""
	print "                          skep     spl rld  stk | clang ratio | hand ratio fast. |    verifier processed"
	print "                                                |             |                  |   skep  clang   hand"
	for (i = 1; i <= n; i++)
		line(order[i])
	printf "%-4s %-18s %5d %-5s %3d %8s | %5d %5s | %4d %5s\n\n", "", "sum", sum, "", spill_sum, "", c_sum,
		ratio(sum, c_sum), hand_sum, ratio(sum, hand_sum)
	for (i = 1; i <= n; i++) {
		k = order[i]
		sub(/\/.*/, "", k)
		if (k in shown || !(k in cost))
			continue
		shown[k] = 1
		if (!compiled++)
			print "Thousands of instructions executed to compile, start of the program included (callgrind)"
		printf "  %s %s %s\n", k, kilo(cost[k]), moved(kilo(cost[k]), base_cost[k])
		print k "\t\t\t" kilo(cost[k]) > base_out
	}
	if ("start" in cost) {
		printf "  start alone %s %s\n\n", kilo(cost["start"]), moved(kilo(cost["start"]), base_cost["start"])
		print "start\t\t\t" kilo(cost["start"]) > base_out
	}
	printf "Greatest resident size while compiling: %d KiB; program, stripped: %d KiB", rss, size / 1024
	printf " (was %s, %s)\n", or_dash(base_insns["rss"]), or_dash(base_insns["size"])
	printf "rss\t%d\nsize\t%d\n", rss, size / 1024 > base_out
}
