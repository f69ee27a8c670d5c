/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "run/capture.h"
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

static void pcap_head(FILE *f, uint64_t ns, uint32_t have, uint32_t len)
{
	const uint32_t head[4] = {(uint32_t)(ns / 1000000000), (uint32_t)(ns % 1000000000), have, len};

	put(f, head, sizeof(head));
}

void pcap_packet(FILE *f, uint64_t ns, const void *bytes, uint32_t have, uint32_t len)
{
	pcap_head(f, ns, have, len);
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

static bool is_ip(const struct meta_format *f)
{
	return f->args.n > 0;
}

/* A file that gets packets of both kinds is one of Ethernet. */
static uint32_t link_type(const struct meta *m, const char *path)
{
	for (uint32_t i = 0; i < m->formats.n; i++) {
		const struct meta_format *f = &m->formats.v[i];

		if (f->event == ME_CAPTURE && !strcmp(f->text, path) && !is_ip(f))
			return CAPTURE_ETHERNET;
	}
	return CAPTURE_RAW_IP;
}

/* An IP packet into a file of Ethernet: behind a header of zeroes and the right type. */
static void write_packet(struct capture_file *k, bool ip, uint64_t ns, const struct head *h,
	const uint8_t *bytes)
{
	static const uint8_t zeroes[12];
	uint8_t type[2] = {0x08, 0x00};
	uint32_t more = sizeof(zeroes) + sizeof(type);

	if (!ip || k->link == CAPTURE_RAW_IP) {
		pcap_packet(k->f, ns, bytes, h->have, h->len);
		return;
	}
	if (h->have && bytes[0] >> 4 == 6) {
		type[0] = 0x86;
		type[1] = 0xdd;
	}
	pcap_head(k->f, ns, h->have + more, h->len + more);
	put(k->f, zeroes, sizeof(zeroes));
	put(k->f, type, sizeof(type));
	put(k->f, bytes, h->have);
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
		k->link = link_type(m, k->path);
		pcap_start(k->f, k->link);
	} else {
		session_cannot_write(s, k->path, errno);
	}
	return k;
}

/* Right after writing, while errno says why it failed. */
static void check(struct session *s, struct capture_file *k)
{
	if (!k->f || !ferror(k->f))
		return;
	session_cannot_write(s, k->path, errno);
	fclose(k->f);
	k->f = NULL;
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
	if (!s->clock_offset && !s->l->meta.times_of_day)
		s->clock_offset = clock_offset();
	k->packets++;
	if (k->f)
		write_packet(k, is_ip(&s->l->meta.formats.v[id]), h.ns + s->clock_offset, &h,
			p + sizeof(h));
	check(s, k);
	return true;
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
