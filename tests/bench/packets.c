/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packet rules beside clang's programs for the same rules, written in C (DIR/clang, objects in
 * OBJECTS): instructions executed in our interpreter (those of clang are recorded in anchors.tsv) and
 * nanoseconds a packet in this machine's kernel, where it runs programs for us. Then the curve for 1 to
 * 1000 rules. `make bench` calls it.
 *
 *   bench-packets TARGET DIR OBJECTS     DIR holds frames.hex, anchors.tsv and NAME.skep
 */
#include "backend-bpf/interp.h"
#include "driver/driver.h"
#include "backend-bpf/interp_int.h"
#include "skep/load.h"
#include "tests/bench/testrun.h"
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TEXT_MAX (1u << 20)
#define FRAME_MAX 2048
#define PACKET_ROOM 4096

#define NETS 100000

static const char *target, *dir, *objects;
static bool kernel; /* this machine's runs programs for us */
static struct testrun_net net[NETS];
static const struct testrun_nets nets = {net, NETS};

static char *read_file(const char *name)
{
	char path[512];
	FILE *f;
	char *text = calloc(1, TEXT_MAX);

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "re");
	if (!f || !text || fread(text, 1, TEXT_MAX - 1, f) == 0) {
		fprintf(stderr, "bench-packets: cannot read %s\n", path);
		exit(2);
	}
	fclose(f);
	return text;
}

static unsigned digit(char c)
{
	return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c - 'a' + 10);
}

/* Bytes of the frame of that name; 0 when there is none. */
static uint32_t frame(const char *all, const char *name, uint8_t *to)
{
	size_t len = strlen(name);
	uint32_t n = 0;

	for (const char *l = all; l; l = strchr(l, '\n')) {
		l += *l == '\n';
		if (strncmp(l, name, len) != 0 || l[len] != ' ')
			continue;
		for (l += len + 1; l[0] > ' ' && l[1] > ' ' && n < FRAME_MAX; l += 2)
			to[n++] = (uint8_t)(digit(l[0]) << 4 | digit(l[1]));
		return n;
	}
	return 0;
}

static struct skep *compile(const char *name, const char *text)
{
	struct skep_options o = {.target = target};
	struct skep *s = NULL;

	if (skep_new(&s, &o) || skep_compile(s, name, text, strlen(text), NULL)) {
		fprintf(stderr, "%s", s ? skep_messages(s, false) : "no memory\n");
		exit(2);
	}
	return s;
}

/* Map references become indices, as the interpreter wants them. */
static struct interp *world(struct skep *s, uint8_t *packet)
{
	struct code *c = &s->code[0];
	struct interp *in = ARENA_NEW(&s->a, struct interp);

	interp_link(c);
	*in = (struct interp){.a = &s->a, .insn = c->insn, .n = c->n, .meta = &s->meta,
		.packet = packet, .packet_cap = PACKET_ROOM, .prog_type = s->meta.progs.v[0].type};
	interp_init(in);
	return in;
}

/* Executed instructions; the packet is run twice: maps know it the second time. */
static uint64_t executed(struct interp *in, const uint8_t *f, uint32_t n, unsigned runs, uint64_t *r0)
{
	for (unsigned i = 0; i < runs; i++) {
		memcpy(in->packet, f, n);
		in->packet_len = n;
		in->now_ns += 1000;
		if (!interp_run(in, r0)) {
			fprintf(stderr, "bench-packets: %s at %u\n", in->error, in->error_at);
			exit(2);
		}
	}
	return in->state->steps;
}

/* Our program in this machine's kernel, where that works; -1. */
static int load(struct skep *s)
{
	struct skep_load_options lo = {.stats = true};

	return kernel && !skep_load(s, &lo) ? s->loaded.prog[0].fd : -1;
}

/* What the list holds, in the rules' map @bad: networks (the loader has read those) or addresses. */
static void keep_list(struct skep *s, struct interp *in)
{
	uint64_t one = 1;
	uint32_t map = 0;

	while (map < s->meta.maps.n && strncmp(s->meta.maps.v[map].name, "@bad", 4) != 0)
		map++;
	if (map == s->meta.maps.n)
		return;
	if (s->meta.maps.v[map].role == MM_SET) { /* the frames' is enough: the interpreter looks at each */
		interp_map_update(in, map, net, &one, 0);
		return;
	}
	for (uint32_t i = 0; i < NETS; i++) {
		uint64_t key = net[i].addr;

		interp_map_update(in, map, &key, &one, 0);
		if (s->loaded.map_fd)
			bpf_map_update_elem(s->loaded.map_fd[map], &key, &one, 0);
	}
}

/* Networks for the list that rules read, and the same for clang's programs. */
static void write_list(void)
{
	FILE *f = fopen("list.txt", "we");
	uint64_t rng = 88172645463325252ull;

	for (uint32_t i = 0; f && i < NETS; i++) {
		uint8_t a[4];

		rng ^= rng << 13;
		rng ^= rng >> 7;
		rng ^= rng << 17;
		memcpy(a, (uint8_t[4]){(uint8_t)(11 + (rng >> 11) % 200), (uint8_t)(rng >> 24), (uint8_t)(rng >> 32),
				  (uint8_t)(rng >> 40)}, 4);
		if (!i) /* a source of the frames */
			memcpy(a, (uint8_t[4]){192, 0, 2, 77}, 4);
		memcpy(&net[i].addr, a, 4);
		net[i].bits = i % 4 ? 24 : 32;
		if (net[i].bits == 24)
			a[3] = 0;
		fprintf(f, "%u.%u.%u.%u/%u\n", a[0], a[1], a[2], a[3], net[i].bits);
	}
	if (!f || fclose(f)) {
		perror("list.txt");
		exit(2);
	}
}

static void print_ns(int ours, const char *name, uint32_t type, const uint8_t *f, uint32_t n)
{
	struct testrun_ns ns;
	char path[512];
	int theirs;

	if (ours < 0) {
		printf("%9s %6s %6s", "-", "-", "-");
		return;
	}
	snprintf(path, sizeof(path), "%s/%s.o", objects, name);
	theirs = testrun_load(path, &nets);
	if (!testrun(ours, theirs, type, f, n, &ns))
		printf("%9s %6s %6s", "-", "-", "-");
	else if (theirs < 0)
		printf("%9.1f %6s %6s", ns.ours, "-", "-");
	else /* what is less than a nanosecond is noise: no ratio of it, but of all of the run */
		printf("%9.1f %6.1f %6.2f", ns.ours, ns.theirs, ns.theirs >= 1 && ns.ours >= 1 ?
			ns.ours / ns.theirs : (ns.ours + ns.idle) / (ns.theirs + ns.idle));
	if (theirs >= 0)
		close(theirs);
}

static void scenario(const char *frames, const char *name, const char *packet, unsigned v3,
	unsigned tuned)
{
	static uint8_t buf[PACKET_ROOM], f[FRAME_MAX];
	char file[128];
	uint32_t n = frame(frames, packet, f);
	/* a limit of 100 a second with a burst of 20 is exceeded by the 22nd */
	unsigned runs = !strncmp(name, "s04", 3) ? 40 : 2;
	struct interp *in;
	struct skep *s;
	uint64_t steps, r0;
	char *text;
	int fd;

	snprintf(file, sizeof(file), "%s.skep", name);
	text = read_file(file);
	s = compile(file, text);
	fd = load(s);
	in = world(s, buf);
	keep_list(s, in);
	steps = executed(in, f, n, runs, &r0);
	printf("%-14s %-21s %3lld %5llu %5u %5u %5.2f %5.2f%s", name, packet, (long long)r0,
		(unsigned long long)steps, v3, tuned, (double)steps / v3, (double)steps / tuned,
		steps > tuned ? "*" : " ");
	print_ns(fd, name, s->meta.progs.v[0].type, f, n);
	printf("\n");
	skep_free(s);
	free(text);
}

static void all_scenarios(const char *frames)
{
	char *rows = read_file("anchors.tsv"), name[64], packet[64];
	unsigned v3, tuned;

	printf("Packet rules beside C: clang is `-O2 -mcpu=v3`, tuned the same by an expert\n");
	printf("%-14s %-21s %3s %5s %5s %5s %5s %5s %9s %6s %6s\n", "scenario", "packet", "", "skep",
		"clang", "tuned", "ratio", "ratio", "ns: skep", "clang", "ratio");
	for (char *l = rows; *l; l += strcspn(l, "\n"), l += *l == '\n') {
		if (sscanf(l, "%63s %63s %u %u", name, packet, &v3, &tuned) == 4)
			scenario(frames, name, packet, v3, tuned);
	}
	free(rows);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- the curve ---- */

enum list { LIST_ADDRESSES, LIST_NETWORKS, LIST_PORT_SETS, LIST_PAIRS, LIST_IP6, LIST_NOT, LIST_COUNT,
	LIST_MIXED = LIST_COUNT, LIST_VERDICTS };

static const char *const list_names[] = {[LIST_ADDRESSES] = "addresses", [LIST_NETWORKS] = "networks /8../32",
	[LIST_PORT_SETS] = "sets of ports", [LIST_PAIRS] = "network and port", [LIST_IP6] = "IPv6 networks",
	[LIST_NOT] = "port, not network", [LIST_MIXED] = "all of these",
	[LIST_VERDICTS] = "and pass() among them"};

static unsigned below(uint64_t *rng, unsigned n)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return (unsigned)((*rng >> 11) % n);
}

/* Addresses from 11.0.0.0 on and ports from 1024 on: the packet, 10.… to port 80, is always missed. */
static int one_rule(char *to, size_t room, enum list kind, uint64_t *rng)
{
	unsigned a = 11 + below(rng, 200), b = below(rng, 256), c = below(rng, 256), d = below(rng, 256);
	unsigned port = 1024 + below(rng, 64000), len = 8 + 4 * below(rng, 7);

	switch (kind) {
	case LIST_ADDRESSES:
		return snprintf(to, room, "ip.src == %u.%u.%u.%u", a, b, c, d);
	case LIST_NETWORKS:
		return snprintf(to, room, "ip.dst in %u.%u.%u.%u/%u", a, b, c, d, len);
	case LIST_PORT_SETS:
		return snprintf(to, room, "tcp.dport in {%u, %u, %u, %u..%u}", port, 1024 + below(rng, 64000),
			1024 + below(rng, 64000), port / 2 + 600, port / 2 + 620);
	case LIST_PAIRS:
		return snprintf(to, room, "ip.src in %u.%u.%u.0/24 && %s.dport == %u", a, b, c,
			b & 1 ? "tcp" : "udp", port);
	case LIST_IP6:
		return snprintf(to, room, "ip6.src in 2001:db8:%x:%x::/%u", a << 8 | b, c << 8 | d,
			32 + 8 * below(rng, 5));
	default:
		return snprintf(to, room, "tcp.dport == %u && !(ip.src in %u.%u.0.0/16)", port, a, b);
	}
}

static char *list_text(enum list kind, unsigned count)
{
	char *text = calloc(1, TEXT_MAX);
	uint64_t rng = 88172645463325252ull;
	size_t len = 0;

	for (unsigned i = 0; text && i < count; i++) {
		enum list k = kind < LIST_COUNT ? kind : (enum list)below(&rng, LIST_COUNT);
		bool pass = kind == LIST_VERDICTS && below(&rng, 4) == 0;

		len += (size_t)snprintf(text + len, TEXT_MAX - len, "xdp:eth0 /");
		len += (size_t)one_rule(text + len, TEXT_MAX - len, k, &rng);
		len += (size_t)snprintf(text + len, TEXT_MAX - len, "/ { %s(); }\n", pass ? "pass" : "drop");
	}
	return text;
}

static void curve(const char *frames, enum list kind, unsigned count)
{
	static uint8_t buf[PACKET_ROOM], f[FRAME_MAX];
	uint32_t n = frame(frames, kind == LIST_IP6 ? "tcp6_syn_80" : "tcp4_syn_80", f);
	char *text = list_text(kind, count);
	double start = seconds(), compiled;
	struct testrun_ns ns;
	struct skep *s = compile(list_names[kind], text);
	uint64_t r0;
	int fd;

	compiled = seconds();
	fd = load(s);
	printf("%-22s %6u %8.3f %7u %9llu", list_names[kind], count, compiled - start, s->code[0].n,
		(unsigned long long)executed(world(s, buf), f, n, 2, &r0));
	if (fd >= 0 && testrun(fd, -1, s->meta.progs.v[0].type, f, n, &ns))
		printf(" %9u %7.3f %7.1f\n", s->loaded.prog[0].verified, seconds() - compiled, ns.ours);
	else
		printf(" %9s %7s %7s%s\n", "-", "-", "-", kernel ? "  refused" : "");
	skep_free(s);
	free(text);
}

int main(int argc, char **argv)
{
	static const unsigned counts[] = {1, 10, 100, 128, 1000};
	char *frames;

	if (argc != 4) {
		fprintf(stderr, "usage: bench-packets TARGET DIR OBJECTS\n");
		return 2;
	}
	target = realpath(argv[1], NULL);
	dir = realpath(argv[2], NULL);
	objects = realpath(argv[3], NULL);
	if (!target || !dir || !objects || chdir(objects)) { /* lists are named relative to where we are */
		perror("bench-packets");
		return 2;
	}
	write_list();
	kernel = testrun_possible();
	if (!kernel)
		printf("bench-packets: this kernel runs no packet programs for us: no nanoseconds\n");
	frames = read_file("frames.hex");
	all_scenarios(frames);
	printf("\n%-22s %6s %8s %7s %9s %9s %7s %7s\n", "rules that miss", "rules", "compile s", "length",
		"executed", "verifier", "load s", "ns");
	for (unsigned k = 0; k <= LIST_VERDICTS; k++) {
		for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
			if (counts[i] != 128 || k == LIST_ADDRESSES)
				curve(frames, (enum list)k, counts[i]);
		}
	}
	free(frames);
	return 0;
}
