# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The table of native instructions; the variable `table` says which one a file is. All programs of
# a workload together.
/^#/ || !NF { next }
{ key = substr($1, 1, 1) }
table == "workloads" {
	if (key in what) {
		what[key] = what[key] "," substr($2, index($2, ":") + 1)
	} else {
		order[++n] = key
		what[key] = $2
	}
	next
}
{ count[$1, $2] = $3 }
function of(v) { return v == "" ? "-" : v }
function ratio(a, b) { return a == "" || b == "" || b + 0 == 0 ? "-" : sprintf("%.2f", a / b) }
END {
	print ""
	print "Native instructions an event costs, helpers and maps included (counted by the emulator, 6.12);"
	print "limit: the fastest known by hand, with any kernel object (hand/), in the same guest"
	print ""
	printf "%-26s %7s %7s %6s %7s %6s\n", "", "skep", "clang", "ratio", "limit", "ratio"
	print "  | native instructions an event | skep | clang -O2 | hand-written limit |" > md
	print "  |---|---|---|---|" > md
	for (i = 1; i <= n; i++) {
		k = order[i]
		if (count["skep", k] == "")
			continue
		printf "%-3s %-22s %7s %7s %6s %7s %6s\n", k, what[k], of(count["skep", k]),
			of(count["clang", k]), ratio(count["skep", k], count["clang", k]),
			of(count["limit", k]), ratio(count["skep", k], count["limit", k])
		printf "  | %s | %s | %s | %s |\n", what[k], count["skep", k], of(count["clang", k]),
			of(count["limit", k]) > md
	}
}
