/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rate(KEY, N, BURST): which events exceed it, one by one, against a count made by hand. */
#include "tests/unit/driver/packet_world.h"
#include <stdio.h>

#define MS 1000000ull

struct event {
	unsigned ms, port; /* the key */
	bool exceeds;
};

static void events(const char *rate, const struct event *e, unsigned n)
{
	static struct compiled c;
	char script[200];

	snprintf(script, sizeof(script), "xdp:v0 /%s/ { drop(); }", rate);
	compile(&c, script, KERN_X86_64);
	for (unsigned i = 0; i < n; i++) {
		uint64_t verdict;

		memset(c.packet, 0, 42); /* UDP over IPv4 */
		c.packet[12] = 8, c.packet[14] = 0x45, c.packet[23] = 17;
		c.packet[37] = (uint8_t)e[i].port;
		c.in.packet_len = 42;
		c.in.now_ns = 5000 * MS + e[i].ms * MS;
		if (!interp_run(&c.in, &verdict))
			fail_msg("%s: %s", rate, c.in.error);
		if ((verdict == 1) != e[i].exceeds)
			fail_msg("%s: event %u at %u ms %s", rate, i, e[i].ms,
				verdict == 1 ? "exceeds it" : "does not exceed it");
	}
	arena_free(&c.a);
}
#define EVENTS(rate, ...) events(rate, (const struct event[]){__VA_ARGS__}, \
	sizeof((const struct event[]){__VA_ARGS__}) / sizeof(struct event))

/* As many at once as are allowed in a second; then one each 1/N of it. */
static void without_burst(void **state)
{
	(void)state;
	EVENTS("rate(udp.dport, 4)", {0, 1, false}, {0, 1, false}, {0, 1, false}, {0, 1, false}, {0, 1, true},
		{249, 1, true}, {250, 1, false}, {251, 1, true}, {499, 1, true}, {500, 1, false}, {749, 1, true},
		{750, 1, false}, {5000, 1, false}, {5000, 1, false}, {5000, 1, false}, {5000, 1, false},
		{5000, 1, true});
}

static void burst(void **state)
{
	(void)state;
	EVENTS("rate(udp.dport, 10, 1)", {0, 1, false}, {0, 1, true}, {99, 1, true}, {100, 1, false},
		{100, 1, true}, {201, 1, false}, {300, 1, true}, {301, 1, false});
	EVENTS("rate(udp.dport, 10, 3)", {0, 1, false}, {0, 1, false}, {1, 1, false}, {2, 1, true},
		{100, 1, false}, {100, 1, true}, {1000, 1, false}, {1000, 1, false}, {1000, 1, false},
		{1000, 1, true});
	EVENTS("rate(udp.dport, 1, 2)", {0, 1, false}, {999, 1, false}, {999, 1, true}, {1000, 1, false},
		{1001, 1, true}, {2000, 1, false});
}

static void keys_apart(void **state)
{
	(void)state;
	EVENTS("rate(udp.dport, 1)", {0, 1, false}, {0, 2, false}, {0, 1, true}, {0, 2, true}, {0, 3, false},
		{1000, 2, false}, {1000, 1, false}, {1000, 1, true});
	EVENTS("rate((ip.proto, udp.dport), 1, 2)", {0, 1, false}, {0, 1, false}, {0, 2, false}, {0, 1, true},
		{0, 2, false}, {0, 2, true});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_burst),
		cmocka_unit_test(burst),
		cmocka_unit_test(keys_apart),
	};

	return cmocka_run_group_tests_name("packet_rate", tests, NULL, NULL);
}
