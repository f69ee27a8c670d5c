/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* List files: what is read from them, what is said about wrong lines, and how they reach the kernel. */
#include "load/sets.h"
#include "base/trap.h"
#include "load/internal.h"
#include <bpf/bpf.h>
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct fixture {
	struct arena a;
	struct trap trap;
	struct skep_diags d;
	struct meta_map map;
	char path[32];
};

static void start(struct fixture *f, const char *text, bool ports, bool six)
{
	int fd;

	memset(f, 0, sizeof(*f));
	arena_init(&f->a, &f->trap);
	diags_init(&f->d, &f->a);
	strcpy(f->path, "/tmp/skep-list-XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	f->map = (struct meta_map){.name = "@bad", .kname = "bad", .role = MM_SET,
		.type = ports ? BPF_MAP_TYPE_ARRAY : BPF_MAP_TYPE_LPM_TRIE,
		.key_size = ports ? 4 : six ? 20 : 8, .value_size = ports ? 8192 : 8,
		.max_entries = 1, .flags = ports ? 0 : BPF_F_NO_PREALLOC};
	vec_push(&f->a, &f->map.names, (const char *)f->path);
	if (!ports)
		vec_push(&f->a, &f->map.keys,
			(struct meta_field){.kind = six ? MK_INET6 : MK_INET4, .off = 4,
				.size = six ? 16 : 4});
}

static void end(struct fixture *f)
{
	unlink(f->path);
	arena_free(&f->a);
}

static void prefixes(void **state)
{
	static const uint8_t want[] = {8, 0, 0, 0, 10, 0, 0, 0, 32, 0, 0, 0, 192, 0, 2, 1};
	struct set_data s;
	struct fixture f;

	(void)state;
	start(&f, "# comment\n\n 192.0.2.1 ; one\n10.1.2.3/8\r\n2001:db8::1/32\n10.0.0.0/8", false,
		false);
	assert_true(set_read(&f.d, NO_SPAN, &f.map, &s));
	assert_int_equal(s.n, 2);
	assert_memory_equal(s.keys, want, sizeof(want));
	set_free(&s);
	end(&f);
	start(&f, "10.0.0.0/8\n2001:db8:ffff::1/33\n::/0\n", false, true);
	assert_true(set_read(&f.d, NO_SPAN, &f.map, &s));
	assert_int_equal(s.n, 2);
	assert_memory_equal(s.keys + 20, "\x21\0\0\0\x20\x01\x0d\xb8\x80\0\0\0\0\0\0\0\0\0\0\0", 20);
	set_free(&s);
	end(&f);
}

static void ports(void **state)
{
	struct set_data s;
	struct fixture f;

	(void)state;
	start(&f, "22\n8000-8002\n9000..9001 # web\n65535\n0\n", true, false);
	assert_true(set_read(&f.d, NO_SPAN, &f.map, &s));
	for (unsigned p = 0; p < 65536; p++) {
		bool in = p == 22 || (p >= 8000 && p <= 8002) || p == 9000 || p == 9001 ||
			  p == 65535 || !p;

		assert_int_equal(s.ports[p / 8] >> p % 8 & 1, in);
	}
	set_free(&s);
	end(&f);
}

static const struct {
	const char *text;
	bool ports, six;
	const char *says; /* parts, after the file's name */
} wrong[] = {
	{"10.0.0.0/8\n10.0.0.300\n", false, false, ":2:1: error: '10.0.0.300' is no prefix"},
	{"10.0.0.0/33\n", false, false, ":1:1: error: '10.0.0.0/33' is no prefix: at most 32 bits"},
	{"::/129\n", false, false, "at most 128 bits"},
	{"\n\n   10.0.0.0/\n", false, false, ":3:4: error: '10.0.0.0/' is no prefix"},
	{"10.0.0.0/8 10.1.0.0/8\n", false, true, "is no prefix"},
	{"70000\n", true, false, ":1:1: error: '70000' is no port: they end at 65535"},
	{"22\nssh\n", true, false, ":2:1: error: 'ssh' is no port"},
	{"80-22\n", true, false, "is an empty range of ports"},
	{"22-\n", true, false, "is no port"},
	{"-5\n", true, false, "is no port"},
};

static void wrong_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct set_data s;
		struct fixture f;
		struct buf b;

		start(&f, wrong[i].text, wrong[i].ports, wrong[i].six);
		assert_false(set_read(&f.d, NO_SPAN, &f.map, &s));
		buf_init(&b, &f.a);
		diags_render_buf(&f.d, &b, false);
		if (!strstr(b.p, wrong[i].says) || !strstr(b.p, f.path) || !strstr(b.p, "hint: "))
			fail_msg("'%s' not in: %s", wrong[i].says, b.p);
		end(&f);
	}
}

static void line_73(void **state)
{
	char text[4096] = "";
	struct set_data s;
	struct fixture f;
	struct buf b;

	(void)state;
	for (int i = 1; i < 73; i++)
		sprintf(text + strlen(text), "10.0.%d.0/24\n", i);
	strcat(text, "10.0.73.0/2a\n10.0.74.0/24\n");
	start(&f, text, false, false);
	assert_false(set_read(&f.d, NO_SPAN, &f.map, &s));
	buf_init(&b, &f.a);
	diags_render_buf(&f.d, &b, false);
	assert_non_null(strstr(b.p, ":73:1: error: '10.0.73.0/2a' is no prefix"));
	end(&f);
}

static void no_file(void **state)
{
	struct set_data s;
	struct fixture f;
	struct buf b;

	(void)state;
	start(&f, "", false, false);
	unlink(f.path);
	assert_false(set_read(&f.d, NO_SPAN, &f.map, &s));
	buf_init(&b, &f.a);
	diags_render_buf(&f.d, &b, false);
	assert_non_null(strstr(b.p, "cannot read the list '/tmp/skep-list-"));
	end(&f);
}

/* Of the processor: other processes do not count. */
static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool has(int fd, uint32_t address)
{
	uint32_t key[2] = {32, htobe32(address)};
	uint64_t value = 0;

	return !bpf_map_lookup_elem(fd, key, &value) && value;
}

/* A hundred thousand prefixes reach the kernel in under a second, and change without a gap. */
static void hundred_thousand(void **state)
{
	struct loaded l = {0};
	uint32_t entries;
	struct fixture f;
	long before;
	FILE *out;

	(void)state;
	start(&f, "", false, false);
	out = fopen(f.path, "w");
	for (uint32_t i = 0; i < 100000; i++)
		fprintf(out, "%u.%u.%u.0/24\n", 1 + i / 60000, i / 250 % 240, i % 250);
	fclose(out);
	l = (struct loaded){.a = &f.a, .d = &f.d, .meta = {.a = &f.a}};
	vec_push(&f.a, &l.meta.maps, f.map);
	l.map_fd = ARENA_ARRAY(&f.a, int, 2);
	l.map_mem = ARENA_ARRAY(&f.a, void *, 2);
	before = now_ms();
	if (maps_create(&l) != SKEP_OK) {
		end(&f);
		skip(); /* maps may not be made here */
	}
	assert_int_equal(fill_lists(&l), SKEP_OK);
	if (now_ms() - before > 1000)
		print_message("filling took %ld ms\n", now_ms() - before);
	assert_true(now_ms() - before < 10000); /* sanitizers count, too; the figure is in docs */
	assert_true(has(l.map_fd[0], 0x01010105));
	assert_false(has(l.map_fd[0], 0x09010105));
	out = fopen(f.path, "w");
	fputs("9.0.0.0/8\n1.1.1.0/24\n", out);
	fclose(out);
	assert_int_equal(load_lists_again(&l, &entries), SKEP_OK);
	assert_int_equal(entries, 2);
	assert_true(has(l.map_fd[0], 0x01010105));
	assert_true(has(l.map_fd[0], 0x09010105));
	assert_false(has(l.map_fd[0], 0x01010205));
	out = fopen(f.path, "w");
	fputs("9.0.0.0/8\nnonsense\n", out);
	fclose(out);
	assert_int_not_equal(load_lists_again(&l, &entries), SKEP_OK);
	assert_true(has(l.map_fd[0], 0x01010105)); /* a wrong file changes nothing */
	free_lists(&l);
	maps_close(&l);
	end(&f);
}

static void write_to(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* Two lists: a mistake in the second leaves the first as it was, too, and so does a lack of room. */
static void all_or_nothing(void **state)
{
	struct loaded l = {0};
	struct fixture f, g;
	uint32_t entries;

	(void)state;
	start(&f, "1.0.0.0/24\n2.0.0.0/24\n", false, false);
	start(&g, "22\n8000-8080\n", true, false);
	l = (struct loaded){.a = &f.a, .d = &f.d, .meta = {.a = &f.a}};
	vec_push(&f.a, &l.meta.maps, f.map);
	vec_push(&f.a, &l.meta.maps, g.map);
	l.map_fd = ARENA_ARRAY(&f.a, int, 3);
	l.map_mem = ARENA_ARRAY(&f.a, void *, 3);
	l.map_fd[0] = sys_map_create(f.map.type, "bad", 8, 8, 3, &(struct bpf_map_create_opts){
		.sz = sizeof(struct bpf_map_create_opts), .map_flags = BPF_F_NO_PREALLOC});
	l.map_fd[1] = sys_map_create(g.map.type, "open", 4, 8192, 1, NULL);
	if (l.map_fd[0] < 0 || l.map_fd[1] < 0) {
		end(&f), end(&g);
		skip(); /* maps may not be made here */
	}
	assert_int_equal(load_lists_again(&l, &entries), SKEP_OK);
	assert_int_equal(entries, 4);
	write_to(f.path, "1.0.0.0/24\n3.0.0.0/24\n");
	write_to(g.path, "22\n70000\n");
	assert_int_equal(load_lists_again(&l, &entries), SKEP_EUSER);
	assert_true(has(l.map_fd[0], 0x01000001) && has(l.map_fd[0], 0x02000001));
	assert_false(has(l.map_fd[0], 0x03000001));
	write_to(g.path, "22\n");
	write_to(f.path, "0.0.0.0/24\n1.0.0.0/24\n3.0.0.0/24\n4.0.0.0/24\n");
	assert_int_equal(load_lists_again(&l, &entries), SKEP_ESYS);
	assert_true(has(l.map_fd[0], 0x01000001) && has(l.map_fd[0], 0x02000001));
	assert_false(has(l.map_fd[0], 0x00000001) || has(l.map_fd[0], 0x03000001) || has(l.map_fd[0], 0x04000001));
	write_to(f.path, "3.0.0.0/24\n");
	assert_int_equal(load_lists_again(&l, &entries), SKEP_OK);
	assert_int_equal(entries, 2);
	assert_false(has(l.map_fd[0], 0x01000001) || has(l.map_fd[0], 0x02000001));
	assert_true(has(l.map_fd[0], 0x03000001));
	free_lists(&l);
	maps_close(&l);
	end(&g);
	end(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes),
		cmocka_unit_test(ports),
		cmocka_unit_test(wrong_lines),
		cmocka_unit_test(line_73),
		cmocka_unit_test(no_file),
		cmocka_unit_test(hundred_thousand),
		cmocka_unit_test(all_or_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
