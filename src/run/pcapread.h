/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads captures: pcap (both byte orders, microseconds and nanoseconds) and pcapng. The bytes may be
 * anything; nothing outside of them is read.
 */
#pragma once
#include "base/arena.h"
#include <stdbool.h>
#include <stddef.h>

struct pcap_packet {
	uint64_t ns; /* since 1970; 0 when the capture does not say */
	const uint8_t *bytes;
	uint32_t have, len; /* captured, and on the wire */
	uint32_t link;	    /* LINKTYPE_ */
};
struct pcap_iface { /* of pcapng */
	uint32_t link, snaplen;
	uint64_t per_second; /* units of time stamps */
};
struct pcap_reader {
	struct arena *a;
	const uint8_t *start, *p, *end;
	bool ng, swapped;
	struct pcap_iface plain; /* of pcap */
	VEC(struct pcap_iface) ifaces;
	const char *why; /* what is wrong with the file, where */
};

/* False with r->why when the bytes are no capture. They must stay while r is used. */
bool pcap_open(struct pcap_reader *r, struct arena *a, const void *bytes, size_t n);
/* 1 and the next packet, 0 at the end, -1 with r->why when the file is damaged. */
int pcap_next(struct pcap_reader *r, struct pcap_packet *p);

/*
 * The packet with an Ethernet header: as it is, or with a header of zeroes and the right type in the
 * place of another link's. Into out (room bytes); the length, 0 when the link is none we know.
 */
uint32_t pcap_to_ethernet(const struct pcap_packet *p, uint8_t *out, uint32_t room);
/* The same without VLAN tags; 0 when it is no IP packet. */
uint32_t pcap_to_ip(const struct pcap_packet *p, uint8_t *out, uint32_t room);
bool pcap_link_known(uint32_t link); /* pcap_to_ethernet reads it */
