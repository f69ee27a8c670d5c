/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Captures: both formats, both byte orders, time stamps; and bytes that are none. */
#include "run/pcapread.h"
#include "run/capture.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct bytes {
	uint8_t b[4096];
	size_t n;
	bool swapped;
};

static void p32(struct bytes *o, uint32_t v)
{
	v = o->swapped ? __builtin_bswap32(v) : v;
	memcpy(o->b + o->n, &v, 4);
	o->n += 4;
}

static void p16(struct bytes *o, uint16_t v)
{
	v = o->swapped ? __builtin_bswap16(v) : v;
	memcpy(o->b + o->n, &v, 2);
	o->n += 2;
}

static void data(struct bytes *o, const char *p, size_t n)
{
	memcpy(o->b + o->n, p, n);
	o->n += n;
}

static void plain(struct bytes *o, bool ns)
{
	p32(o, ns ? 0xa1b23c4d : 0xa1b2c3d4);
	p16(o, 2);
	p16(o, 4);
	p32(o, 0);
	p32(o, 0);
	p32(o, 65535);
	p32(o, 1);
	for (unsigned i = 0; i < 2; i++) {
		p32(o, 100 + i);
		p32(o, 7);
		p32(o, 3);
		p32(o, i ? 60 : 3);
		data(o, i ? "abc" : "xyz", 3);
	}
}

/* Section, interface with its own resolution, the three kinds of packets, a block nobody knows. */
static void ng(struct bytes *o)
{
	p32(o, 0x0a0d0d0a);
	p32(o, 28);
	p32(o, 0x1a2b3c4d);
	p16(o, 1);
	p16(o, 0);
	p32(o, ~0u);
	p32(o, ~0u);
	p32(o, 28);
	p32(o, 1);
	p32(o, 32);
	p16(o, 101);
	p16(o, 0);
	p32(o, 4); /* bytes of a packet that are kept */
	p16(o, 9);
	p16(o, 1);
	data(o, "\x09\0\0\0", 4);
	p16(o, 0);
	p16(o, 0);
	p32(o, 32);
	p32(o, 6);
	p32(o, 36);
	p32(o, 0);
	p32(o, 1); /* 2^32 + 5 ns */
	p32(o, 5);
	p32(o, 3);
	p32(o, 9);
	data(o, "abc\0", 4);
	p32(o, 36);
	p32(o, 0x0bad);
	p32(o, 12);
	p32(o, 12);
	p32(o, 3);
	p32(o, 20);
	p32(o, 77);
	data(o, "wxyz", 4);
	p32(o, 20);
}

static void read_plain(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct bytes o = {.swapped = i & 1};
		struct pcap_reader r;
		struct pcap_packet p;
		struct arena a;

		arena_init(&a, NULL);
		plain(&o, i & 2);
		assert_true(pcap_open(&r, &a, o.b, o.n));
		assert_int_equal(pcap_next(&r, &p), 1);
		assert_int_equal(p.ns, UINT64_C(100000000000) + (i & 2 ? 7 : 7000));
		assert_int_equal(p.have, 3);
		assert_int_equal(p.link, 1);
		assert_memory_equal(p.bytes, "xyz", 3);
		assert_int_equal(pcap_next(&r, &p), 1);
		assert_int_equal(p.len, 60);
		assert_int_equal(pcap_next(&r, &p), 0);
		arena_free(&a);
	}
}

static void read_ng(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct bytes o = {.swapped = i};
		struct pcap_reader r;
		struct pcap_packet p;
		struct arena a;

		arena_init(&a, NULL);
		ng(&o);
		assert_true(pcap_open(&r, &a, o.b, o.n));
		assert_int_equal(pcap_next(&r, &p), 1);
		assert_int_equal(p.ns, (UINT64_C(1) << 32) + 5);
		assert_int_equal(p.link, 101);
		assert_int_equal(p.len, 9);
		assert_memory_equal(p.bytes, "abc", 3);
		assert_int_equal(pcap_next(&r, &p), 1);
		assert_int_equal(p.have, 4);
		assert_memory_equal(p.bytes, "wxyz", 4);
		assert_int_equal(pcap_next(&r, &p), 0);
		arena_free(&a);
	}
}

/* Reads to the end whatever the bytes are; every packet must lie inside of them. */
static void read_all(const uint8_t *b, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1), out[256];
	struct pcap_reader r;
	struct pcap_packet p;
	struct arena a;
	uint32_t sum = 0;
	int got = 0;

	memcpy(copy, b, n); /* of this size, so that a sanitizer sees a step too far */
	arena_init(&a, NULL);
	if (pcap_open(&r, &a, copy, n)) {
		while ((got = pcap_next(&r, &p)) > 0) {
			assert_true(p.bytes >= copy && p.bytes + p.have <= copy + n);
			for (uint32_t i = 0; i < p.have; i++)
				sum += p.bytes[i];
			assert_true(pcap_to_ethernet(&p, out, sizeof(out)) <= sizeof(out));
			assert_true(pcap_to_ip(&p, out, sizeof(out)) <= sizeof(out));
		}
		if (got < 0)
			assert_non_null(r.why);
	} else {
		assert_non_null(r.why);
	}
	(void)sum;
	arena_free(&a);
	free(copy);
}

static uint32_t next_random(uint32_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 17;
	*s ^= *s << 5;
	return *s;
}

static void damaged(void **state)
{
	uint32_t seed = 4711;

	(void)state;
	for (unsigned form = 0; form < 6; form++) {
		struct bytes o = {.swapped = form & 1};

		if (form < 4)
			plain(&o, form & 2);
		else
			ng(&o);
		for (size_t n = 0; n <= o.n; n++)
			read_all(o.b, n);
		for (unsigned i = 0; i < 20000; i++) {
			struct bytes c = o;

			for (unsigned k = 0; k <= next_random(&seed) % 4; k++)
				c.b[next_random(&seed) % c.n] = (uint8_t)next_random(&seed);
			read_all(c.b, c.n);
		}
	}
}

static void links(void **state)
{
	static const uint8_t ip[20] = {0x45}, six[40] = {0x60};
	uint8_t sll[36] = {[14] = 0x08, [16] = 0x45}, out[64];
	uint8_t tagged[38] = {[12] = 0x81, [16] = 0x08, [18] = 0x45};
	struct pcap_packet p = {.bytes = ip, .have = 20, .len = 20, .link = 101};

	(void)state;
	assert_int_equal(pcap_to_ethernet(&p, out, sizeof(out)), 34);
	assert_int_equal(out[12] << 8 | out[13], 0x0800);
	assert_int_equal(pcap_to_ip(&p, out, sizeof(out)), 34);
	p = (struct pcap_packet){.bytes = six, .have = 40, .len = 40, .link = 229};
	assert_int_equal(pcap_to_ethernet(&p, out, sizeof(out)), 54);
	assert_int_equal(out[12] << 8 | out[13], 0x86dd);
	p = (struct pcap_packet){.bytes = sll, .have = 36, .len = 36, .link = 113};
	assert_int_equal(pcap_to_ethernet(&p, out, sizeof(out)), 34);
	assert_int_equal(out[14], 0x45);
	p = (struct pcap_packet){.bytes = tagged, .have = 38, .len = 38, .link = 1};
	assert_int_equal(pcap_to_ip(&p, out, sizeof(out)), 34);
	assert_int_equal(out[12] << 8 | out[13], 0x0800);
	assert_int_equal(out[14], 0x45);
	p.link = 147;
	assert_int_equal(pcap_to_ethernet(&p, out, sizeof(out)), 0);
}

/* What capture() writes, our own reader reads. */
static void written(void **state)
{
	struct pcap_reader r;
	struct pcap_packet p;
	struct arena a;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	(void)state;
	arena_init(&a, NULL);
	pcap_start(f, CAPTURE_ETHERNET);
	pcap_packet(f, UINT64_C(5000000009), "hello", 5, 80);
	fclose(f);
	assert_true(pcap_open(&r, &a, text, n));
	assert_int_equal(pcap_next(&r, &p), 1);
	assert_int_equal(p.ns, UINT64_C(5000000009));
	assert_int_equal(p.len, 80);
	assert_memory_equal(p.bytes, "hello", 5);
	assert_int_equal(pcap_next(&r, &p), 0);
	arena_free(&a);
	free(text);
}

/* Records of both kinds for one file: it is one of Ethernet. */
static void both_kinds(void **state)
{
	static const uint8_t ether[24 + 14] = {[8] = 14, [12] = 14, [24] = 2};
	static const uint8_t ip[24 + 20] = {1, 2, 3, 4, [8] = 20, [12] = 20, [16] = 0x45};
	struct run_options o = {.out = stdout, .err = stderr};
	struct pcap_reader r;
	struct pcap_packet p;
	struct session s;
	struct loaded l = {0};
	char path[] = "/tmp/skep-both-XXXXXX";
	struct arena a;
	uint8_t file[256];
	FILE *f;
	size_t n;

	(void)state;
	close(mkstemp(path));
	arena_init(&a, NULL);
	l = (struct loaded){.a = &a, .meta = {.a = &a, .times_of_day = true}};
	vec_push(&a, &l.meta.formats,
		(struct meta_format){.event = ME_CAPTURE, .text = path, .size = 24});
	vec_push(&a, &l.meta.formats, l.meta.formats.v[0]);
	vec_push(&a, &l.meta.formats.v[1].args, (struct meta_field){.kind = MK_NONE});
	session_init(&s, &l, &o);
	assert_true(capture_record(&s, 1, ip, 36));
	assert_true(capture_record(&s, 0, ether, 30));
	assert_false(capture_record(&s, 0, ether, 29)); /* cut short */
	assert_false(capture_record(&s, 2, ether, 30)); /* no such format */
	session_free(&s);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(file, 1, sizeof(file), f);
	fclose(f);
	remove(path);
	assert_true(pcap_open(&r, &a, file, n));
	assert_int_equal(pcap_next(&r, &p), 1);
	assert_int_equal(p.link, CAPTURE_ETHERNET);
	assert_int_equal(p.have, 34);
	assert_int_equal(p.ns, 0x4030201); /* as the capture has it that is replayed */
	assert_int_equal(p.bytes[12] << 8 | p.bytes[13], 0x0800);
	assert_int_equal(p.bytes[14], 0x45);
	assert_int_equal(pcap_next(&r, &p), 1);
	assert_int_equal(p.have, 14);
	assert_int_equal(pcap_next(&r, &p), 0);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(read_plain),
		cmocka_unit_test(read_ng),
		cmocka_unit_test(damaged),
		cmocka_unit_test(links),
		cmocka_unit_test(written),
		cmocka_unit_test(both_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
