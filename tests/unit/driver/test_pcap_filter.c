/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * --pcap beside libpcap: a hundred filters on a capture. What libpcap matches is recorded in
 * tests/packets/libpcap.tsv, with the packets on which we mean to differ. Where the machine has
 * libpcap, the record is compared with what it says, too.
 */
#include "tests/unit/driver/packet_world.h"
#include "lang/pcap.h"
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#define PACKETS 64 /* bits of a number */
#define FIRST_ODD 23 /* packets before it are plain: there we differ nowhere */

struct capture {
	uint8_t *b[PACKETS];
	uint32_t cap[PACKETS], len[PACKETS];
	unsigned n;
	uint8_t file[65536];
};

static void read_capture(struct capture *c)
{
	FILE *f = fopen("tests/packets/frames.pcap", "r");
	size_t size, at = 24;

	assert_non_null(f);
	size = fread(c->file, 1, sizeof(c->file), f);
	fclose(f);
	for (c->n = 0; at < size; c->n++) {
		assert_true(c->n < PACKETS);
		memcpy(&c->cap[c->n], c->file + at + 8, 4);
		memcpy(&c->len[c->n], c->file + at + 12, 4);
		c->b[c->n] = c->file + at + 16;
		at += 16 + c->cap[c->n];
	}
	assert_int_equal(c->n, 40);
}

/* "0-3,7", "." for none */
static uint64_t packets(const char *text)
{
	uint64_t set = 0;

	while (*text >= '0' && *text <= '9') {
		char *end;
		unsigned long lo = strtoul(text, &end, 10), hi = lo;

		if (*end == '-')
			hi = strtoul(end + 1, &end, 10);
		assert_true(hi < PACKETS);
		for (; lo <= hi; lo++)
			set |= UINT64_C(1) << lo;
		text = *end == ',' ? end + 1 : end;
	}
	return set;
}

static uint64_t ours(const struct capture *c, const char *filter)
{
	static struct compiled run;
	struct skep_diags d;
	struct buf predicate;
	char script[4096];
	uint64_t set = 0;
	struct arena a;

	arena_init(&a, NULL);
	diags_init(&d, &a);
	buf_init(&predicate, &a);
	if (!pcap_translate(&a, &d, "--pcap", filter, &predicate))
		fail_msg("'%s' refused: %s", filter, d.list.v[0].message);
	snprintf(script, sizeof(script), "xdp:v0 /%s/ { drop(); }", predicate.p);
	compile(&run, script, KERN_X86_64);
	for (unsigned i = 0; i < c->n; i++) {
		uint64_t verdict = 0;

		memcpy(run.packet, c->b[i], c->cap[i]);
		run.in.packet_len = c->cap[i];
		if (!interp_run(&run.in, &verdict))
			fail_msg("%s: %s", filter, run.in.error);
		set |= (uint64_t)(verdict == 1) << i;
	}
	arena_free(&run.a);
	arena_free(&a);
	return set;
}

/* ---- libpcap, if there is one; its ABI has been this for twenty years ---- */

struct their_program {
	unsigned n;
	void *insns;
};
struct their_header {
	long seconds, microseconds;
	uint32_t cap, len;
};
struct libpcap {
	void *(*open_dead)(int link, int snaplen);
	int (*compile)(void *p, struct their_program *out, const char *text, int optimize, uint32_t mask);
	int (*filter)(const struct their_program *p, const struct their_header *h, const uint8_t *b);
	void (*freecode)(struct their_program *p);
	void *handle;
};

static bool open_libpcap(struct libpcap *l)
{
	void *lib = dlopen("libpcap.so.0.8", RTLD_NOW);

	lib = lib ? lib : dlopen("libpcap.so.1", RTLD_NOW);
	if (!lib)
		return false;
	*(void **)&l->open_dead = dlsym(lib, "pcap_open_dead");
	*(void **)&l->compile = dlsym(lib, "pcap_compile");
	*(void **)&l->filter = dlsym(lib, "pcap_offline_filter");
	*(void **)&l->freecode = dlsym(lib, "pcap_freecode");
	l->handle = l->open_dead ? l->open_dead(1, 65535) : NULL;
	return l->handle && l->compile && l->filter && l->freecode;
}

static uint64_t theirs(const struct libpcap *l, const struct capture *c, const char *filter)
{
	struct their_program p;
	uint64_t set = 0;

	if (l->compile(l->handle, &p, filter, 1, UINT32_MAX))
		fail_msg("libpcap refuses '%s'", filter);
	for (unsigned i = 0; i < c->n; i++) {
		struct their_header h = {.cap = c->cap[i], .len = c->len[i]};

		set |= (uint64_t)(l->filter(&p, &h, c->b[i]) != 0) << i;
	}
	l->freecode(&p);
	return set;
}

/* ---- the record ---- */

static void filters(void **state)
{
	static struct capture c;
	struct libpcap l;
	bool live = open_libpcap(&l);
	FILE *f = fopen("tests/packets/libpcap.tsv", "r");
	char line[1024];
	unsigned n = 0;

	(void)state;
	assert_non_null(f);
	read_capture(&c);
	while (fgets(line, sizeof(line), f)) {
		char *filter = strtok(line, "\t\n"), *part;
		uint64_t recorded, more = 0, less = 0, got;

		if (*line == '#')
			continue;
		recorded = packets(strtok(NULL, "\t\n"));
		while ((part = strtok(NULL, "\t\n")))
			*(*part == '+' ? &more : &less) = packets(part + 1);
		if ((more | less) & ((UINT64_C(1) << FIRST_ODD) - 1))
			fail_msg("'%s' differs on plain packets", filter);
		if (live && theirs(&l, &c, filter) != recorded)
			fail_msg("'%s': libpcap matches other packets than is recorded", filter);
		got = ours(&c, filter);
		if (got != ((recorded | more) & ~less))
			fail_msg("'%s': packets %llx, libpcap's are %llx, + %llx - %llx", filter,
				(unsigned long long)got, (unsigned long long)recorded,
				(unsigned long long)more, (unsigned long long)less);
		n++;
	}
	fclose(f);
	assert_true(n >= 100);
}

/* A word that does not fit what follows is never passed over; libpcap refuses all but the last. */
static void refused(void **state)
{
	static const char *const list[] = {"tcp host 192.0.2.1", "udp net 10.0.0.0/8", "icmp src 192.0.2.1",
		"ip6 host 192.0.2.1", "ip host 2001:db8::1", "arp net 2001:db8::/32", "icmp port 80",
		"arp port 80", "ether port 80", "tcp proto 6", "arp proto 6", "net 2001:db8:: mask 255.0.0.0",
		"(tcp) != 0", "((tcp) = 1)", "(tcp[13] & 2 = 2) != 0", "tcp[13] & tcp-syn|tcp-ack != 0"};
	unsigned n = sizeof(list) / sizeof(*list);
	struct libpcap l;
	bool live = open_libpcap(&l);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		struct their_program p;
		struct skep_diags d;
		struct buf b;
		struct arena a;

		arena_init(&a, NULL);
		diags_init(&d, &a);
		buf_init(&b, &a);
		if (pcap_translate(&a, &d, "--pcap", list[i], &b) || d.errors != 1)
			fail_msg("'%s' is not refused", list[i]);
		if (live && i + 1 < n && !l.compile(l.handle, &p, list[i], 1, UINT32_MAX))
			fail_msg("libpcap takes '%s'", list[i]);
		arena_free(&a);
	}
}

/* What tcpdump calls multicast has 255.255.255.255 in it. */
static void multicast(void **state)
{
	static uint8_t frame[60] = {[12] = 8, [14] = 0x45, [17] = 40, [23] = 6, [30] = 255, 255, 255, 255};
	struct capture c = {.b = {frame}, .cap = {sizeof(frame)}, .len = {sizeof(frame)}, .n = 1};
	struct libpcap l;

	(void)state;
	assert_int_equal(ours(&c, "ip multicast"), 1);
	assert_int_equal(ours(&c, "not ip multicast"), 0);
	if (open_libpcap(&l))
		assert_int_equal(theirs(&l, &c, "ip multicast"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(filters), cmocka_unit_test(refused),
		cmocka_unit_test(multicast)};

	return cmocka_run_group_tests_name("pcap_filter", tests, NULL, NULL);
}
