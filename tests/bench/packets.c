/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Counts the instructions that packet rules execute, in our interpreter, beside what clang's code for
 * the same rule executes (anchors.tsv); then the curve for 1 to 1000 rules. `make bench` calls it.
 *
 *   bench-packets TARGET DIR     DIR holds frames.hex, anchors.tsv and NAME.skep
 */
#include "backend-bpf/interp.h"
#include "driver/driver.h"
#include "backend-bpf/interp_int.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TEXT_MAX (1u << 20)
#define FRAME_MAX 2048
#define PACKET_ROOM 4096

static const char *target, *dir;

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

	for (uint32_t i = 0; i < c->relocs.n; i++) {
		const struct code_reloc *r = &c->relocs.v[i];

		c->insn[r->insn].src_reg = r->kind == CR_MAP ? BPF_PSEUDO_MAP_FD : BPF_PSEUDO_MAP_VALUE;
		c->insn[r->insn].imm = (int32_t)r->index;
		c->insn[r->insn + 1].imm = r->kind == CR_MAP ? 0 : (int32_t)r->add;
	}
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

static void scenario(const char *frames, const char *name, const char *packet, unsigned v3,
	unsigned tuned)
{
	static uint8_t buf[PACKET_ROOM], f[FRAME_MAX];
	char file[128];
	uint32_t n = frame(frames, packet, f);
	/* a limit of 100 a second with a burst of 20 is exceeded by the 22nd */
	unsigned runs = !strncmp(name, "s04", 3) ? 40 : 2;
	struct skep *s;
	uint64_t steps, r0;
	char *text;

	snprintf(file, sizeof(file), "%s.skep", name);
	text = read_file(file);
	s = compile(file, text);
	steps = executed(world(s, buf), f, n, runs, &r0);
	printf("%-14s %-22s %7llu %6llu %6u %6u %6.2f%s\n", name, packet, (unsigned long long)r0,
		(unsigned long long)steps, v3, tuned, (double)steps / tuned, steps > tuned ? " *" : "");
	skep_free(s);
	free(text);
}

static void all_scenarios(const char *frames)
{
	char *rows = read_file("anchors.tsv"), name[64], packet[64];
	unsigned v3, tuned;

	printf("Executed instructions of packet rules; clang is `-O2 -mcpu=v3`, tuned the same by an expert\n");
	printf("%-14s %-22s %7s %6s %6s %6s %6s\n", "scenario", "packet", "verdict", "skep", "clang",
		"tuned", "ratio");
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

/* Rules of one kind, as many as asked: addresses, or ports and networks with counts. */
static void curve(const char *frames, const char *what, const char *format, unsigned count)
{
	static uint8_t buf[PACKET_ROOM], f[FRAME_MAX];
	uint32_t n = frame(frames, "tcp4_syn_80", f);
	char *text = calloc(1, TEXT_MAX);
	size_t len = 0;
	struct skep *s;
	double before;
	uint64_t r0;

	for (unsigned i = 0; text && i < count; i++)
		len += (size_t)snprintf(text + len, TEXT_MAX - len, format, i % 7, i * 37 % 251,
			i * 91 % 251, i);
	before = seconds();
	s = compile(what, text);
	printf("%-22s %6u %8u %8llu %9.3f\n", what, count, s->code[0].n,
		(unsigned long long)executed(world(s, buf), f, n, 2, &r0), seconds() - before);
	skep_free(s);
	free(text);
}

int main(int argc, char **argv)
{
	static const unsigned counts[] = {1, 10, 100, 128, 1000};
	char *frames;

	if (argc != 3) {
		fprintf(stderr, "usage: bench-packets TARGET DIR\n");
		return 2;
	}
	target = argv[1];
	dir = argv[2];
	frames = read_file("frames.hex");
	all_scenarios(frames);
	printf("\n%-22s %6s %8s %8s %9s\n", "rules that miss", "rules", "length", "executed", "seconds");
	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		curve(frames, "addresses", "xdp:eth0 /ip.src == 10.%u.%u.%u/ { drop(); }\n", counts[i]);
	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		curve(frames, "networks and ports",
			"xdp:eth0 /ip.src in 10.%u.%u.0/24 && tcp.dport == %u/ { drop(); } // %u\n",
			counts[i]);
	free(frames);
	return 0;
}
