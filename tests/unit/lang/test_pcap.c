/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* tcpdump's filters as predicates: what each becomes, what is refused and where. */
#include "lang/pcap.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static const struct {
	const char *filter, *want;
} right[] = {
	{"tcp dst port 23", "tcp.dport == 23"},
	{"port domain", "(l4.sport == 53 || l4.dport == 53)"},
	{"port ssh or ntp", "(tcp.sport == 22 || tcp.dport == 22) || (udp.sport == 123 || udp.dport == 123)"},
	{"ip src port ssh", "(ip.proto in 0..255 && tcp.sport == 22)"},
	{"udp dst port https", "udp.dport == 443"},
	{"udp src portrange 5000-6000", "udp.sport in 5000..6000"},
	{"src and dst port 7", "(l4.sport == 7 && l4.dport == 7)"},
	{"ip host 10.0.0.1", "(ip.src == 10.0.0.1 || ip.dst == 10.0.0.1)"},
	{"src host 10.0.0.1", "(ip.src == 10.0.0.1 || arp.spa == 10.0.0.1)"},
	{"dst net 192.168", "(ip.dst in 192.168.0.0/16 || arp.tpa in 192.168.0.0/16)"},
	{"ip net 10.0.0.0 mask 255.255.0.0", "(ip.src in 10.0.0.0/16 || ip.dst in 10.0.0.0/16)"},
	{"src net 2001:db8::/32", "ip6.src in 2001:db8::/32"},
	{"host fe80::1", "(ip6.src == fe80::1 || ip6.dst == fe80::1)"},
	{"ether src 02:00:00:00:00:01", "eth.src == 02:00:00:00:00:01"},
	{"arp", "arp.op in 0..65535"},
	{"ether proto ip6", "ip6.next in 0..255"},
	{"ether proto 0x88cc", "eth.type == 35020"},
	{"ip proto \\tcp", "ip.proto == 6"},
	{"proto 47", "(ip.proto == 47 || ip6.next == 47)"},
	{"vlan", "vlan.id in 0..4095"},
	{"vlan 7 and icmp", "vlan.id == 7 && ip.proto == 1"},
	{"tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn", "(tcp.flags & 18) == 2"},
	{"tcp[13]&tcp-rst!=0", "(tcp.flags & 4) != 0"},
	{"ip[6:2] & 0x1fff != 0", "(ip.frag & 8191) != 0"},
	{"ip[0] & 0xf > 5", "(ip.ihl & 15) > 5"},
	{"icmp[icmptype] == icmp-echo", "icmp.type == 8"},
	{"less 100 or greater 1000", "pkt.len <= 100 || pkt.len >= 1000"},
	{"len != 60", "pkt.len != 60"},
	{"port 80 or 443 or 8080",
		"(l4.sport == 80 || l4.dport == 80) || (l4.sport == 443 || l4.dport == 443) || "
		"(l4.sport == 8080 || l4.dport == 8080)"},
	/* "and" and "or" bind alike, from left to right */
	{"tcp dst port 1 or tcp dst port 2 and ip host 1.2.3.4",
		"(tcp.dport == 1 || tcp.dport == 2) && (ip.src == 1.2.3.4 || ip.dst == 1.2.3.4)"},
	{"vlan 1 and vlan 2 or vlan 3 and vlan 4",
		"((vlan.id == 1 && vlan.id == 2) || vlan.id == 3) && vlan.id == 4"},
	{"not (vlan 1 or ! vlan 2)", "!((vlan.id == 1 || !(vlan.id == 2)))"},
	{"ip multicast", "ip.dst in 224.0.0.0/3"},
	{"ether broadcast", "eth.dst == ff:ff:ff:ff:ff:ff"},
};

static const struct {
	const char *filter;
	uint32_t at; /* offset of the complaint */
	const char *says;
} wrong[] = {
	{"port 70000", 5, "expected a port, at most 65535, found '70000'"},
	{"tcp dst prt 80", 8, "expected an address, found 'prt'"},
	{"host", 4, "expected a value, found the end"},
	{"net 10.0.0.0/33", 4, "expected a prefix"},
	{"host 10.0.0.0/8", 5, "expected one address"},
	{"net 10.0.0.0 mask 255.0.255.0", 18, "ones come first"},
	{"portrange 90-80", 10, "expected a range of ports"},
	{"(tcp", 4, "expected ')'"},
	{"tcp)", 3, "expected the end of the filter"},
	{"port 80 81", 8, "expected 'and' or 'or'"},
	{"vlan 5000", 5, "they end at 4095"},
	{"ip[100] = 5", 3, "these bytes of the header have no name"},
	{"tcp[13 = 5", 7, "expected ']'"},
	{"tcp[13] ~ 5", 8, "expected a comparison"},
	{"proto nonsense", 6, "expected a protocol"},
	{"ether host 1:2:3", 11, "expected a hardware address"},
	{"ether multicast", 6, "not supported: multicast by hardware address"},
	{"and", 0, "expected what to look for"},
	{"tcp host 192.0.2.1", 9, "expected ip or arp before an address of IPv4"},
	{"icmp port 80", 10, "expected tcp or udp before a port"},
	{"tcp proto 6", 10, "expected ip, ip6 or ether before the number"},
	{"tcp[13] & tcp-syn|tcp-ack != 0", 17, "expected a comparison, found '|'"},
	{"udp port ssh", 9, "expected a service of that protocol, found 'ssh'"},
	{"tcp port tftp", 9, "numbers are of both: udp port 22"},
	{"port 65558", 5, "expected a port, at most 65535"},
	{"less many", 5, "expected a number of bytes"},
};

static bool translate(struct arena *a, struct skep_diags *d, const char *filter, struct buf *out)
{
	diags_init(d, a);
	buf_init(out, a);
	buf_puts(out, "");
	return pcap_translate(a, d, "--pcap", filter, out);
}

static void predicates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++) {
		struct skep_diags d;
		struct arena a;
		struct buf b;

		arena_init(&a, NULL);
		if (!translate(&a, &d, right[i].filter, &b))
			fail_msg("'%s' refused: %s", right[i].filter, d.list.v[0].message);
		if (strcmp(b.p, right[i].want))
			fail_msg("'%s'\n gave %s\n want %s", right[i].filter, b.p, right[i].want);
		arena_free(&a);
	}
}

static void complaints(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct skep_diags d;
		struct arena a;
		struct buf b;

		arena_init(&a, NULL);
		if (translate(&a, &d, wrong[i].filter, &b))
			fail_msg("'%s' gave %s", wrong[i].filter, b.p);
		buf_init(&b, &a);
		diags_render_buf(&d, &b, false);
		if (!strstr(b.p, wrong[i].says) || !strstr(b.p, "hint: "))
			fail_msg("'%s': '%s' is not in %s", wrong[i].filter, wrong[i].says, b.p);
		assert_int_equal(d.errors, 1);
		if (d.list.v[0].at[0].off - d.sources.v[0].base != wrong[i].at)
			fail_msg("'%s': at %u", wrong[i].filter,
				d.list.v[0].at[0].off - d.sources.v[0].base);
		arena_free(&a);
	}
}

/* Any text gives an answer: pieces of the language in any order. */
static void nonsense(void **state)
{
	static const char *const words[] = {"tcp", "port", "(", ")", "not", "and", "or", "[", "]", "13",
		"&", "|", "10.0.0.0/8", "host", "src", "dst", "vlan", "::1", "=", "net", "mask", "\\",
		"less", "ether", "ff:ff:ff:ff:ff:ff", "proto", "6:2", "-", "\xff", "portrange", "1-2"};
	uint32_t s = 42;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct skep_diags d;
		char text[400] = "";
		struct arena a;
		struct buf b;

		for (unsigned k = 0; k < 1 + i % 14; k++) {
			s = s * 1664525 + 1013904223;
			strcat(text, words[(s >> 8) % (sizeof(words) / sizeof(*words))]);
			if (s >> 30)
				strcat(text, " ");
		}
		arena_init(&a, NULL);
		if (!translate(&a, &d, text, &b))
			assert_true(d.errors > 0);
		arena_free(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(predicates),
		cmocka_unit_test(complaints),
		cmocka_unit_test(nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
