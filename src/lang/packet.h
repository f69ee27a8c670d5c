/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Numbers of the protocols' formats, for those who look for headers in packets. */
#pragma once
#include "lang/lower.h"

#define RAW16(x) ((int64_t)__builtin_bswap16(x))
#define ETH_LEN 14
#define IP4_LEN 20
#define IP6_LEN 40
#define ARP_LEN 28

#define BIT(layer) (1u << NET_##layer)
#define L4_LAYERS (BIT(TCP) | BIT(UDP) | BIT(ICMP) | BIT(ICMP6) | BIT(L4) | BIT(PAYLOAD))
#define TAG_LAYERS (BIT(VLAN) | BIT(VLAN2))

enum { TYPE_IP4 = 0x0800, TYPE_ARP = 0x0806, TYPE_VLAN = 0x8100, TYPE_IP6 = 0x86dd,
	TYPE_QINQ = 0x88a8 };
enum { PROTO_HOPOPTS = 0, PROTO_ICMP = 1, PROTO_TCP = 6, PROTO_UDP = 17, PROTO_ROUTING = 43,
	PROTO_FRAGMENT = 44, PROTO_AH = 51, PROTO_ICMP6 = 58, PROTO_DSTOPTS = 60 };
