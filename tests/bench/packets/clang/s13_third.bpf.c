/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "pk.h"
__u32 count;
SEC("xdp") int p(struct xdp_md *c)
{
	return __sync_fetch_and_add(&count, 1) % 3 == 1 ? XDP_DROP : XDP_PASS;
}
