# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Programs that need no event: arithmetic, variables, maps, printf, exit codes.
# timeout: 90

# run SCRIPT: output in $out, status in $status
run() {
	skep -q -e "$1" >/tmp/out 2>/tmp/err
	status=$?
	out=$(cat /tmp/out)
	[ -s /tmp/err ] && cat /tmp/err
}

run 'BEGIN { printf("hello %d %s|%5d|%-5d|%x %c\n", 1, "you", 42, 42, 255, 65); }'
expect_equal printf "$out" "hello 1 you|   42|42   |ff A"
expect_equal status0 $status 0

run 'BEGIN { exit(3); }'
expect_equal exit_code $status 3

run 'BEGIN { $x = 7; $y = -5; printf("%d %d %d %d %d\n", $x / 2, $y / 2, $y % 3, $y >> 1, $x - 8); }'
expect_equal signed "$out" "3 -2 -2 -3 -1"

run 'BEGIN { $a = 1; $b = 2; if ($a > 5) { $a = 10; } if ($b > 1) { $b = $a; } printf("%d %d\n", $a, $b); }'
expect_equal two_ifs "$out" "1 1"

run 'BEGIN { $a=1;$b=2;$c=3;$d=4;$e=5;$f=6;$g=7;$h=8;$i=9;$j=10;$k=11;$l=12;
	printf("%d\n", $a+2*$b+3*$c+4*$d+5*$e+6*$f+7*$g+8*$h+9*$i+10*$j+11*$k+12*$l); }'
expect_equal pressure "$out" 650

run 'BEGIN { @x = 5; @x++; @y["a", 1] = 2; @y["b", 2] += 3; printf("%d %d %d\n", @x, @y["a", 1], @y["b", 2]); delete(@y["a", 1]); }'
expect_match maps_printf '^6 2 3$' /tmp/out
expect_match maps_x '^@x: 6$' /tmp/out
expect_match maps_y '^@y\[b, 2\]: 3$' /tmp/out
expect_no_match maps_gone '^@y\[a, 1\]' /tmp/out

run 'BEGIN { @h = hist(0); @h = hist(1); @h = hist(8); @h = hist(15); @h = hist(-3); @h = hist(1000000); }'
expect_match hist_neg '^\(\.\.\., 0\) +1 \|' /tmp/out
expect_match hist_zero '^\[0\] +1 \|' /tmp/out
expect_match hist_one '^\[1\] +1 \|' /tmp/out
expect_match hist_eight '^\[8, 16\) +2 \|@{52}\|' /tmp/out
expect_match hist_million '^\[512K, 1M\) +1 \|' /tmp/out

run 'BEGIN { @l = lhist(-1, 0, 100, 10); @l = lhist(15, 0, 100, 10); @l = lhist(100, 0, 100, 10); }'
expect_match lhist_low '^\(\.\.\., 0\) +1 \|' /tmp/out
expect_match lhist_mid '^\[10, 20\) +1 \|' /tmp/out
expect_match lhist_high '^\[100, \.\.\.\) +1 \|' /tmp/out

run 'BEGIN { @c = count(); @c = count(); @s = sum(5); @s = sum(-7); @mi = min(3); @mi = min(-9); @ma = max(3); @ma = max(8); @a = avg(10); @a = avg(20); @st = stats(4); }'
expect_match agg_count '^@c: 2$' /tmp/out
expect_match agg_sum '^@s: -2$' /tmp/out
expect_match agg_min '^@mi: -9$' /tmp/out
expect_match agg_max '^@ma: 8$' /tmp/out
expect_match agg_avg '^@a: 15$' /tmp/out
expect_match agg_stats '^@st: \{ \.count = 1, \.average = 4, \.total = 4 \}$' /tmp/out

run 'BEGIN { @s[1] = "one"; $v = "two"; @s[2] = $v; if ($v == "two") { printf("same %s\n", @s[1]); } }'
expect_match strings '^same one$' /tmp/out
expect_match string_map '^@s\[2\]: two$' /tmp/out

run 'BEGIN { for ($i : 0..5) { @sum += $i; } unroll(3) { @n++; } }'
expect_match loop '^@sum: 10$' /tmp/out
expect_match unroll '^@n: 3$' /tmp/out

run 'BEGIN { printf("%s\n", probe); print(7); print("x"); } END { printf("bye\n"); }'
expect_equal probe_end "$(echo $out)" "BEGIN 7 x bye"
