/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared header of the anchor programs: hand-written XDP C, the style a careful C author would use.
 */
#pragma once
#include <stddef.h>
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#ifdef TUNED /* struct ethhdr is packed: clang loads h_proto bytewise (4 insns, not 1). A          \
		2-aligned twin avoids it. */
struct eth2 {
	__u16 h_dest[3], h_source[3], h_proto;
};
#define ethhdr eth2
#endif
#define N16(x) bpf_htons(x)
#define N32(x) bpf_htonl(x)
#define PKT(c) void *data = (void *)(long)(c)->data, *end = (void *)(long)(c)->data_end
#define FITS(p) ((void *)((p) + 1) <= end)
#define ETH(c)                                                                                     \
	PKT(c);                                                                                    \
	struct ethhdr *e = data;                                                                   \
	if (!FITS(e))                                                                              \
	return XDP_PASS
/* L4 start of a first-fragment IPv4 packet or NULL */
static __always_inline void *l4_ip4(struct iphdr *ip, void *end)
{
	if (!FITS(ip) || (ip->frag_off & N16(0x1fff)))
		return NULL;
	return (void *)ip + ip->ihl * 4;
}
char _license[] SEC("license") = "GPL";
