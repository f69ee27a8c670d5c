/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/capture.h"
#include "kern/kern.h"
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

/* https://www.ietf.org/archive/id/draft-gharris-opsawg-pcap-01.html, section 4 */
#define PCAP_MAGIC_NS 0xa1b23c4du
#define SNAPLEN 262144u

struct head { /* as ME_CAPTURE's row says; the record's own head lies before it */
	uint64_t ns;
	uint32_t len, have;
};

static void put(FILE *f, const void *p, size_t n)
{
	fwrite(p, 1, n, f);
}

void pcap_start(FILE *f, uint32_t link)
{
	const uint32_t head[6] = {PCAP_MAGIC_NS, 2 | 4u << 16, 0, 0, SNAPLEN, link};

	put(f, head, sizeof(head));
}

void pcap_packet(FILE *f, uint64_t ns, const void *bytes, uint32_t have, uint32_t len)
{
	const uint32_t head[4] = {(uint32_t)(ns / 1000000000), (uint32_t)(ns % 1000000000), have, len};

	put(f, head, sizeof(head));
	put(f, bytes, have);
}

/* What turns the kernel's monotonic clock into the time of day. */
static uint64_t clock_offset(void)
{
	struct timespec real, mono;

	clock_gettime(CLOCK_REALTIME, &real);
	clock_gettime(CLOCK_MONOTONIC, &mono);
	return (uint64_t)(real.tv_sec - mono.tv_sec) * 1000000000u + (uint64_t)real.tv_nsec -
	       (uint64_t)mono.tv_nsec;
}

/* Packets of a cgroup's programs start with the IP header. */
static uint32_t link_type(const struct meta *m)
{
	for (uint32_t i = 0; i < m->probes.n; i++) {
		int kind = kern_probe_by_name(m->probes.v[i].kind);

		if (kind >= 0 && kern_is_packet((enum kern_probe_kind)kind) &&
			kind != PROBE_CGROUP_SKB)
			return CAPTURE_ETHERNET;
	}
	return CAPTURE_RAW_IP;
}

static struct capture_file *file_of(struct session *s, uint32_t id)
{
	const struct meta *m = &s->l->meta;
	struct capture_file *k;

	if (id >= m->formats.n || m->formats.v[id].event != ME_CAPTURE)
		return NULL;
	for (uint32_t i = 0; i < s->captures.n; i++) {
		if (!strcmp(s->captures.v[i].path, m->formats.v[id].text))
			return &s->captures.v[i];
	}
	vec_push(s->l->a, &s->captures, (struct capture_file){.path = m->formats.v[id].text});
	k = &s->captures.v[s->captures.n - 1];
	k->f = fopen(k->path, "we");
	if (k->f) {
		pcap_start(k->f, link_type(m));
	} else if (s->l->d) {
		diag_error(s->l->d, NO_SPAN, DIAG_SYSTEM, "capture(): cannot write '%.200s': %s",
			k->path, strerror(errno));
		session_say(s, "WARNING: cannot write '%s': %s\n", k->path, strerror(errno));
	}
	return k;
}

bool capture_record(struct session *s, uint32_t id, const uint8_t *p, size_t size)
{
	struct capture_file *k = file_of(s, id);
	struct head h;

	if (!k || size < sizeof(h))
		return false;
	memcpy(&h, p, sizeof(h));
	if (h.have > size - sizeof(h))
		return false;
	if (!s->clock_offset)
		s->clock_offset = clock_offset();
	k->packets++;
	if (k->f)
		pcap_packet(k->f, h.ns + s->clock_offset, p + sizeof(h), h.have, h.len);
	return true;
}

static void check(struct session *s, struct capture_file *k)
{
	if (!k->f || !ferror(k->f))
		return;
	session_say(s, "WARNING: writing '%s' failed: %s\n", k->path, strerror(errno));
	fclose(k->f);
	k->f = NULL;
}

void capture_flush(struct session *s)
{
	for (uint32_t i = 0; i < s->captures.n; i++) {
		struct capture_file *k = &s->captures.v[i];

		if (k->f) {
			fflush(k->f);
			check(s, k);
		}
	}
}

void capture_close(struct session *s)
{
	capture_flush(s);
	for (uint32_t i = 0; i < s->captures.n; i++) {
		struct capture_file *k = &s->captures.v[i];

		if (k->f) {
			fclose(k->f);
			session_say(s, "Wrote %" PRIu64 " packet%s to %s\n", k->packets,
				k->packets == 1 ? "" : "s", k->path);
		}
	}
	s->captures.n = 0;
}
