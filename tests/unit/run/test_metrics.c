/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Prometheus' text of maps, rules and losses, from values given here. */
#include "run/metrics.h"
#include "run/rules.h"
#include "make.h"
#include <linux/bpf.h>

enum { MAP_COUNT, MAP_HIST, MAP_SIGNED, MAP_TEXT, MAP_RULES, MAP_COUNTERS };

static void each(void *arg, uint32_t map,
	void (*fn)(void *fn_arg, const void *key, const void *value), void *fn_arg)
{
	static const uint64_t count = 7, minus = (uint64_t)-5, lost = 3;
	static const uint64_t rules[4] = {12, 720, 0, 0};
	static const char odd[16] = "a\"b\\c\nd";
	uint64_t hist[66] = {[1] = 2, [2] = 1, [4] = 4};
	uint32_t zero = 0;

	(void)arg;
	if (map == MAP_COUNT)
		fn(fn_arg, odd, &count);
	else if (map == MAP_HIST)
		fn(fn_arg, &zero, hist);
	else if (map == MAP_SIGNED)
		fn(fn_arg, odd, &minus);
	else if (map == MAP_RULES)
		fn(fn_arg, &zero, rules);
	else if (map == MAP_COUNTERS)
		fn(fn_arg, &zero, &lost);
}

static const char want[] =
	"# HELP skep_map Value of a map of the script.\n# TYPE skep_map gauge\n"
	"skep_map{map=\"@c\",key=\"a\\\"b\\\\c\\nd\"} 7\n"
	"skep_map{map=\"@s\",key=\"a\\\"b\\\\c\\nd\"} -5\n"
	"# HELP skep_histogram Values a histogram of the script has counted.\n"
	"# TYPE skep_histogram histogram\n"
	"skep_histogram_bucket{map=\"@h\",key=\"0\",le=\"0\"} 2\n"
	"skep_histogram_bucket{map=\"@h\",key=\"0\",le=\"1\"} 3\n"
	"skep_histogram_bucket{map=\"@h\",key=\"0\",le=\"3\"} 3\n"
	"skep_histogram_bucket{map=\"@h\",key=\"0\",le=\"7\"} 7\n"
	"skep_histogram_bucket{map=\"@h\",key=\"0\",le=\"+Inf\"} 7\n"
	"skep_histogram_count{map=\"@h\",key=\"0\"} 7\n"
	"# HELP skep_rule_packets_total Packets a rule matched.\n"
	"# TYPE skep_rule_packets_total counter\n"
	"skep_rule_packets_total{rule=\"tel\\\"net\",place=\"fw.skep:2\"} 12\n"
	"skep_rule_packets_total{rule=\"xdp:eth0 /tcp.syn/\",place=\"fw.skep:3\"} 0\n"
	"# HELP skep_rule_bytes_total Bytes of the packets a rule matched.\n"
	"# TYPE skep_rule_bytes_total counter\n"
	"skep_rule_bytes_total{rule=\"tel\\\"net\",place=\"fw.skep:2\"} 720\n"
	"skep_rule_bytes_total{rule=\"xdp:eth0 /tcp.syn/\",place=\"fw.skep:3\"} 0\n"
	"# HELP skep_lost_events_total Events that found the ring buffer full.\n"
	"# TYPE skep_lost_events_total counter\n"
	"skep_lost_events_total 3\n";

static void keyed(struct fixture *f, struct meta_map *m, struct meta_field key, uint32_t size)
{
	m->key_size = size;
	vec_push(&f->a, &m->keys, key);
}

static void fill(struct fixture *f)
{
	static const char text[] = "// rules\nxdp:eth0 { drop(); }\nxdp:eth0\n   /tcp.syn/ { }\n";
	struct meta_map rules = {.name = "rules", .kname = "rules", .role = MM_RULES,
		.type = BPF_MAP_TYPE_PERCPU_ARRAY, .key_size = 4, .value_size = 32};
	struct meta_map counters = {.name = "counters", .kname = "counters", .role = MM_COUNTERS,
		.type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8};

	keyed(f, add_map(f, "@c", MA_COUNT, MK_INT, 1), COMM, 16);
	keyed(f, add_map(f, "@h", MA_HIST, MK_INT, 66), KEY_U32, 4);
	keyed(f, add_map(f, "@s", MA_NONE, MK_INT, 1), COMM, 16);
	keyed(f, add_map(f, "@t", MA_NONE, MK_STR, 1), COMM, 16); /* no number: left out */
	vec_push(&f->a, &f->meta.maps, rules);
	vec_push(&f->a, &f->meta.maps, counters);
	vec_push(&f->a, &f->meta.counters, (struct meta_counter){.kind = MC_LOST_EVENT});
	vec_push(&f->a, &f->meta.sources, (struct meta_source){"fw.skep", text, 1});
	vec_push(&f->a, &f->meta.rules,
		(struct meta_rule){.text = "tel\"net", .off = 1 + 20, .len = 6});
	vec_push(&f->a, &f->meta.rules, (struct meta_rule){.text = "", .off = 1 + 30, .len = 20});
}

static void text(void **state)
{
	static const struct session_maps maps = {.each = each};
	struct run_options o = {.out = stdout, .err = stderr};
	struct fixture *f = fixture_new();
	struct loaded l = {0};
	struct session s;
	struct buf out;

	(void)state;
	fill(f);
	l = (struct loaded){.a = &f->a, .meta = f->meta};
	session_init(&s, &l, &o);
	s.maps = &maps;
	buf_init(&out, &f->a);
	metrics_text(&s, &out);
	if (out.n != strlen(want) || memcmp(out.p, want, out.n))
		fail_msg("got\n%s\nwant\n%s", out.p, want);
	session_free(&s);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(text)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
