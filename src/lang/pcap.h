/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * tcpdump's filter expressions, the common part of pcap-filter(7), as a predicate of our language:
 *
 *   [proto] [src|dst|src or dst|src and dst] [host|net|port|portrange|proto] VALUE
 *   ip ip6 arp tcp udp icmp icmp6 vlan [N]   less N  greater N  len > N
 *   ether|ip|ip6 broadcast|multicast         tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn
 *   and && or || not ! ( )                   "and" and "or" bind alike, from left to right
 *
 * VLAN tags and IPv6 extension headers are looked through, as in all rules; tcpdump does not.
 */
#pragma once
#include "base/arena.h"
#include "base/diag.h"

/* Appends the predicate to out. False with diagnostics whose places are in text (added as source). */
bool pcap_translate(struct arena *a, struct skep_diags *d, const char *name, const char *text,
	struct buf *out);
