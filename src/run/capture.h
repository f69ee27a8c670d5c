/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* capture("file.pcap"): packets into files that tcpdump reads (pcap with nanoseconds). */
#pragma once
#include "run/session.h"

/* https://www.tcpdump.org/linktypes.html */
enum { CAPTURE_ETHERNET = 1, CAPTURE_RAW_IP = 101 };

struct capture_file {
	const char *path;
	FILE *f; /* NULL: could not be opened, told once */
	uint32_t link;
	uint64_t packets;
};

/* The file's header, and one packet at a time of CLOCK_REALTIME; errors are left in f. */
void pcap_start(FILE *f, uint32_t link);
void pcap_packet(FILE *f, uint64_t ns, const void *bytes, uint32_t have, uint32_t len);

/* A record of ME_CAPTURE: id, and the bytes behind its head. False when it is damaged. */
bool capture_record(struct session *s, uint32_t id, const uint8_t *p, size_t size);
void capture_flush(struct session *s);
void capture_close(struct session *s); /* tells how many packets went where */
