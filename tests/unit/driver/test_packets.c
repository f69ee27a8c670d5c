/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packet rules on crafted frames, cut short at every length, in our interpreter. What they should
 * decide comes from a reader of headers written here in plain C, which shares nothing with the
 * compiler: VLAN tags, IPv4 options and fragments, IPv6 extension headers, ARP, bad lengths.
 */
#include "tests/unit/driver/packet_frames.h"
#include "tests/fuzz/kernel.c"

static bool want_dport(const struct frame *f, const struct parsed *p, int n)
{
	return has(p, n, 6, 20) && get16(f, p->l4 + 2) == 23;
}

static bool want_not_dport(const struct frame *f, const struct parsed *p, int n)
{
	return has(p, n, 6, 20) && get16(f, p->l4 + 2) != 23;
}

static bool want_negated(const struct frame *f, const struct parsed *p, int n)
{
	return !want_dport(f, p, n);
}

static bool want_l4(const struct frame *f, const struct parsed *p, int n)
{
	return (has(p, n, 6, 4) || has(p, n, 17, 4)) &&
	       (get16(f, p->l4) == 23 || get16(f, p->l4 + 2) == 23);
}

static bool want_source(const struct frame *f, const struct parsed *p, int n)
{
	return has_l3(p, n, 0x800, 20) && f->b[p->l3 + 12] == 10 && f->b[p->l3 + 13] == 1;
}

static bool want_source6(const struct frame *f, const struct parsed *p, int n)
{
	(void)f;
	return has_l3(p, n, 0x86dd, 40) && get16(f, p->l3 + 8) == 0x2001;
}

static bool want_vlan(const struct frame *f, const struct parsed *p, int n)
{
	(void)f, (void)n;
	return p->tags && (p->tci[0] & 0xfff) == 5;
}

static bool want_syn(const struct frame *f, const struct parsed *p, int n)
{
	return has(p, n, 6, 20) && (f->b[p->l4 + 13] & 0x12) == 2 && get16(f, p->l4) > 1023;
}

static bool want_frag(const struct frame *f, const struct parsed *p, int n)
{
	return has_l3(p, n, 0x800, 20) && get16(f, p->l3 + 6) & 0x3fff;
}

static bool want_icmp(const struct frame *f, const struct parsed *p, int n)
{
	return (has(p, n, 1, 8) && f->b[p->l4] == 8) || (has(p, n, 58, 8) && f->b[p->l4] == 128);
}

static bool want_ports_any(const struct frame *f, const struct parsed *p, int n)
{
	return want_l4(f, p, n) || has(p, n, 1, 8);
}

/* The port of TCP, else that of UDP, both through choices. */
static bool want_port_choice(const struct frame *f, const struct parsed *p, int n)
{
	bool udp_23 = has(p, n, 17, 8) && get16(f, p->l4) == 23;

	return want_dport(f, p, n) || udp_23;
}

static bool want_not_tcp_23(const struct frame *f, const struct parsed *p, int n)
{
	return want_source(f, p, n) && !want_dport(f, p, n);
}

static bool want_mac(const struct frame *f, const struct parsed *p, int n)
{
	(void)p;
	return n >= 14 && f->b[5] == 1 && f->b[11] == 2;
}

static bool want_ip6_pair(const struct frame *f, const struct parsed *p, int n)
{
	return has_l3(p, n, 0x86dd, 40) && f->b[p->l3 + 23] == 7 && f->b[p->l3 + 39] == 9;
}

/* A statement that reads what is not there is passed over; those around it are not. */
static bool want_sum(const struct frame *f, const struct parsed *p, int n)
{
	unsigned x = 1;

	x += has(p, n, 6, 20) ? get16(f, p->l4 + 2) : 0;
	x += has_l3(p, n, 0x800, 20) ? f->b[p->l3 + 8] : 0;
	return x > 23 && x < 100;
}

static bool want_inner(const struct frame *f, const struct parsed *p, int n)
{
	(void)f, (void)n;
	return p->tags == 2 && (p->tci[1] & 0xfff) == 6;
}

static bool want_any_100(const struct frame *f, const struct parsed *p, int n)
{
	bool tag = (p->tags && (p->tci[0] & 0xfff) == 100) ||
		   (p->tags == 2 && (p->tci[1] & 0xfff) == 100);

	return tag && has(p, n, 17, 8) && get16(f, p->l4 + 2) == 5353;
}

static bool want_5353(const struct frame *f, const struct parsed *p, int n)
{
	return has(p, n, 17, 8) && get16(f, p->l4 + 2) == 5353;
}

static bool want_null_or_syn_fin(const struct frame *f, const struct parsed *p, int n)
{
	unsigned flags = has(p, n, 6, 20) ? f->b[p->l4 + 13] : 4;

	return !flags || (flags & 3) == 3;
}

static bool want_get(const struct frame *f, const struct parsed *p, int n)
{
	int at = payload_at(f, p, n);

	return at >= 0 && at + 14 <= n && !memcmp(f->b + at, "GET / HTTP/1.1", 14);
}

static bool want_data(const struct frame *f, const struct parsed *p, int n)
{
	int at = payload_at(f, p, n);

	return at >= 0 && at + 4 <= n && !memcmp(f->b + at, "data", 4);
}

static bool want_http(const struct frame *f, const struct parsed *p, int n)
{
	int at = payload_at(f, p, n);

	for (int i = 0; at >= 0 && i + 4 <= 128 && at + i + 4 <= n; i++) {
		if (!memcmp(f->b + at + i, "HTTP", 4))
			return true;
	}
	return false;
}

static bool want_port_set(const struct frame *f, const struct parsed *p, int n)
{
	unsigned port = has(p, n, 6, 20) ? get16(f, p->l4 + 2) : 0;

	return port == 23 || port == 80;
}

/* The first rule that meets a packet decides. */
static bool want_first(const struct frame *f, const struct parsed *p, int n)
{
	unsigned port = has(p, n, 6, 20) ? get16(f, p->l4 + 2) : 0;

	return port == 23 && has_l3(p, n, 0x800, 20);
}

static bool want_default(const struct frame *f, const struct parsed *p, int n)
{
	bool arp = has_l3(p, n, 0x806, 28) || (n >= 14 && get16(f, 12) == 0x806);

	return !arp && !(has(p, n, 17, 8) && get16(f, p->l4) == 53);
}

static bool want_zeroes(const struct frame *f, const struct parsed *p, int n)
{
	int at = payload_at(f, p, n);

	return has(p, n, 1, 8) && f->b[p->l4] == 8 && at + 5 <= n && !memcmp(f->b + at, "\0\1\0\2\0", 5);
}

static bool want_mss(const struct frame *f, const struct parsed *p, int n)
{
	int at = option_at(f, p, n, 2, 2);

	return at >= 0 && get16(f, at + 2) < 500;
}

static bool want_options(const struct frame *f, const struct parsed *p, int n)
{
	int scale = option_at(f, p, n, 3, 1), stamp = option_at(f, p, n, 8, 4);

	return option_at(f, p, n, 4, 0) >= 0 && option_at(f, p, n, 8, 0) >= 0 && scale >= 0 &&
	       f->b[scale + 2] == 7 && stamp >= 0 && get16(f, stamp + 4) == 0x203;
}

static bool want_no_sack(const struct frame *f, const struct parsed *p, int n)
{
	return has(p, n, 6, 20) && option_at(f, p, n, 4, 0) < 0;
}

static bool want_dns(const struct frame *f, const struct parsed *p, int n)
{
	int at = p->l4 + 8 + 12;

	if (!has(p, n, 17, 8))
		return false;
	for (int o = 0; o < 256 && at + o + 13 <= n; o += f->b[at + o] + 1) {
		if (f->b[at + o] == 7 && !strncasecmp((const char *)f->b + at + o + 1, "example\3com", 12))
			return true;
		if (!f->b[at + o] || f->b[at + o] > 63)
			break;
	}
	return false;
}

static bool want_always(const struct frame *f, const struct parsed *p, int n)
{
	(void)f, (void)p, (void)n;
	return true;
}

static const struct rule {
	const char *script;
	bool (*drop)(const struct frame *f, const struct parsed *p, int n);
} rules[] = {
	{"xdp:v0 /tcp.dport == 23/ { drop(); }", want_dport},
	{"xdp:v0 /tcp.dport != 23/ { drop(); }", want_not_dport},
	{"xdp:v0 /!(tcp.dport == 23)/ { drop(); }", want_negated},
	{"xdp:v0 { if (tcp.dport > 22 && tcp.dport < 24) { drop(); } }", want_dport},
	{"xdp:v0 /tcp.dport in {7, 20..23}/ { drop(); }", want_dport},
	{"xdp:v0 /l4.sport == 23 || l4.dport == 23/ { drop(); }", want_l4},
	{"xdp:v0 /ip.src in 10.1.0.0/16/ { drop(); }", want_source},
	{"xdp:v0 { $a = ip.src; if ($a == 10.1.2.3) { drop(); } }", want_source},
	{"xdp:v0 /ip6.src in 2001:db8::/32/ { drop(); }", want_source6},
	{"xdp:v0 /ip6.src == 2001:db8::7/ { drop(); }", want_source6},
	{"xdp:v0 /vlan.id == 5/ { drop(); }", want_vlan},
	{"xdp:v0 /tcp.syn && !tcp.ack && tcp.sport > 1023/ { drop(); }", want_syn},
	{"xdp:v0 /ip.frag != 0/ { drop(); }", want_frag},
	{"xdp:v0 { $d = tcp.dport == 23; if ($d) { drop(); } }", want_dport},
	{"xdp:v0 { $x = tcp.dport == 23 ? 1 : 0; if ($x == 1) { drop(); } }", want_dport},
	{"xdp:v0 /(tcp.dport == 23 ? 1 : udp.sport == 23 ? 2 : 0) in {1, 2}/ { drop(); }",
		want_port_choice},
	{"xdp:v0 { if (tcp.dport == 23) { drop(); } else if (udp.sport == 23) { drop(); } }",
		want_port_choice},
	{"xdp:v0 { if (ip.src in 10.0.0.0/8) { if (tcp.dport == 23) { pass(); } drop(); } }",
		want_not_tcp_23},
	{"xdp:v0 { if (tcp.dport == 23) { return; } if (ip.src == 10.1.2.3) { drop(); } }",
		want_not_tcp_23},
	{"xdp:v0 { if (tcp.dport == 23) { return; } } xdp:v0 { drop(); }", want_always},
	{"xdp:v0 { return; } xdp:v0 /tcp.dport == 23/ { $p = 1; return; drop(); }"
	 " xdp:v0 { if (pkt.len == 0) { $p = 2; } if (tcp.dport == 23 && $p == 0) { drop(); } }",
		want_dport},
	{"xdp:v0 { for ($i : 20..25) { if (tcp.dport == $i) { if ($i == 23) { drop(); } } } }",
		want_dport},
	{"xdp:v0 { $n = 0; for ($i : 0..4) { if ($i == 2) { continue; } $n += tcp.dport; }"
	 " if ($n == 69) { drop(); } }", want_dport},
	{"xdp:v0 { unroll(3) { if (l4.sport == 23) { break; } if (l4.dport == 23) { drop(); } }"
	 " if (l4.sport == 23 || icmp.type >= 0) { drop(); } }", want_ports_any},
	{"xdp:v0 { $m = eth.dst; $k = eth.src; if ($m == 02:00:00:00:00:01 &&"
	 " $k in {02:00:00:00:00:07, 02:00:00:00:00:02}) { drop(); } }", want_mac},
	{"xdp:v0 { $m = eth.src; $m = pkt.len > 0 ? eth.dst : eth.src;"
	 " if ($m == 02:00:00:00:00:01 && $m != eth.src) { drop(); } }", want_mac},
	{"xdp:v0 { $a = ip6.src; $b = ip6.dst; $c = $b; if ($c == fd00::9 && $a != $c &&"
	 " $a in 2001:db8::/64 && $a == 2001:db8::7) { drop(); } }", want_ip6_pair},
	{"xdp:v0 { $a = ip6.src; if (ip6.next != 255) { for ($i : 0..2) { if ($i == 1) {"
	 " $a = ip6.dst; } } } if ($a == fd00::9) { drop(); } }", want_ip6_pair},
	{"xdp:v0 { @s[1] = ip6.src; @d = ip6.dst; $a = @s[1]; @k[@d, ip6.next] = 1; if ($a == 2001:db8::7"
	 " && @d in fd00::/8 && @d == ip6.dst && @k[ip6.dst, ip6.next] == 1) { drop(); }"
	 " delete(@s[1]); delete(@d); delete(@k[ip6.dst, ip6.next]); }", want_ip6_pair},
	{"xdp:v0 { @p[tcp.dport] += 1; if (@p[tcp.dport] == 1) { $r = 1; } delete(@p[tcp.dport]);"
	 " if (@p[23] == 0 && tcp.dport == 23 && $r) { drop(); } }", want_dport},
	{"xdp:v0 { @m[eth.dst] = tcp.dport; $p = @m[02:00:00:00:00:01]; delete(@m[eth.dst]);"
	 " if ($p == 23) { drop(); } }", want_dport},
	{"xdp:v0 { @i[ip.src] = ip.dst; @n = @i[10.1.2.3]; $n = @n; delete(@n);"
	 " delete(@i[10.1.2.3]); if ($n == 192.168.0.9) { drop(); } }", want_source},
	{"xdp:v0 { $x = 1; $x += tcp.dport; $x += ip.ttl; if ($x > 23 && $x < 100) { drop(); } }",
		want_sum},
	{"xdp:v0 { $x = 1; { $x += tcp.dport; } if (1) { $x += ip.ttl; $y = $x; }"
	 " if ($x in 24..99) { drop(); } }", want_sum},
	{"xdp:v0 /icmp.type == 8 || icmp6.type == 128/ { drop(); }", want_icmp},
	{"xdp:v0 /icmp.type == echo_request || icmp6.type in {echo_request}/ { drop(); }", want_icmp},
	{"xdp:v0 /vlan2.id == 6/ { drop(); }", want_inner},
	{"xdp:v0 /(vlan.id == 100 || vlan2.id == 100) && udp.dport == 5353/ { drop(); }", want_any_100},
	{"xdp:v0 /udp.dport == 5353/ { drop(); }", want_5353},
	{"xdp:v0 /tcp.flags == 0 || (tcp.flags & (syn | fin)) == (syn | fin)/ { drop(); }",
		want_null_or_syn_fin},
	{"xdp:v0 /payload[0:14] == \"GET / HTTP/1.1\"/ { drop(); }", want_get},
	{"xdp:v0 /payload[0:4] == 0x64617461/ { drop(); }", want_data},
	{"xdp:v0 { $d = payload[0:4]; if ($d == 0x64617461 && payload[1] == 0x61) { drop(); } }",
		want_data},
	{"xdp:v0 /payload contains \"HTTP\"/ { drop(); }", want_http},
	{"xdp:v0 /icmp.type == 8 && payload[0:5] == \"\\0\\1\\0\\x02\\0\"/ { drop(); }", want_zeroes},
	{"xdp:v0 /icmp.type == 8 && payload contains \"\\1\\0\\2\\0\"/ { drop(); }", want_zeroes},
	{"xdp:v0 /tcp.mss < 500/ { drop(); }", want_mss},
	{"xdp:v0 { $m = tcp.mss; if ($m in {200..400, 7}) { drop(); } }", want_mss},
	{"xdp:v0 /tcp.sackok && tcp.wscale == 7 && tcp.tsval == 0x10203 && tcp.tstamp/ { drop(); }",
		want_options},
	{"xdp:v0 /tcp.sackok == 0/ { drop(); } xdp:v0 /tcp.tstamp > 1/ { drop(); }", want_no_sack},
	{"xdp:v0 /dns_name(\"Example.com.\")/ { drop(); }", want_dns},
	{"xdp:v0 { $d = dns_name(\"example.com\"); if ($d && !dns_name(\"com.de\")) { drop(); } }", want_dns},
	{"xdp:v0 /tcp.dport in {1, 3, 5, 22..24, 79..80, 443, 8000..8080}/ { drop(); }", want_port_set},
	{"xdp:v0 /tcp.dport == 7/ { drop(); } xdp:v0 /tcp.dport == 23 && ip6.next >= 0/ { pass(); }"
	 " xdp:v0 /tcp.dport in 20..30/ { $x = 1; } xdp:v0 /tcp.dport == 23/ { drop(); }"
	 " xdp:v0 /tcp.dport == 80/ { pass(); } xdp:v0 /tcp.dport in 0..65535/ { pass(); }", want_first},
	{"xdp:v0 /tcp.dport in {22, 21..23}/ { drop(); } xdp:v0 /tcp.dport in {23, 20..25}/ { pass(); }"
	 " xdp:v0 /tcp.dport in {1, 23}/ { pass(); }", want_dport},
	{"config = { default_verdict = \"drop\"; } xdp:v0 /eth.type == arp || arp.op >= 0/ { pass(); }"
	 " xdp:v0 /arp.op >= 0/ { pass(); } xdp:v0 /udp.sport == 53/ { pass(); }"
	 " xdp:v0 /eth.type == 0x9999/ { pass(); }", want_default},
};

/* ---- running ---- */

/* The number of packets that were dropped, as they should. */
static unsigned try_frame(struct compiled *c, const struct rule *rule, const struct frame *f)
{
	unsigned drops = 0;

	for (uint32_t n = 0; n <= f->n; n += n < CUT_MAX || n >= f->n - 32 ? 1 : 61) {
		struct parsed p = parse(f, (int)n);
		uint64_t want = rule->drop(f, &p, (int)n) ? 1 : 2, got = 0;

		memcpy(c->packet, f->b, n);
		c->in.packet_len = n;
		if (!interp_run(&c->in, &got))
			fail_msg("%s: %s, %u bytes: %s at %u", rule->script, f->name, n, c->in.error,
				c->in.error_at);
		if (got != want)
			fail_msg("%s: %s, %u bytes: verdict %llu, expected %llu", rule->script, f->name,
				n, (unsigned long long)got, (unsigned long long)want);
		drops += want == 1;
	}
	return drops;
}

static void run_rules(enum kern_arch arch)
{
	static struct frame frames[FRAMES_MOST];
	static struct compiled c;
	unsigned n = all_frames(frames);

	for (unsigned r = 0; r < sizeof(rules) / sizeof(*rules); r++) {
		unsigned drops = 0;

		compile(&c, rules[r].script, arch);
		for (unsigned i = 0; i < n; i++)
			drops += try_frame(&c, &rules[r], &frames[i]);
		if (!drops)
			fail_msg("%s: no frame is dropped: nothing is tested", rules[r].script);
		arena_free(&c.a);
	}
}

/* The same in the kernel of this machine; it takes no frames shorter than an Ethernet header. */
static void try_kernel(struct compiled *c, const struct rule *rule, const struct frame *f,
	struct kernel_prog *k)
{
	/* what fits a page with its room before and after */
	for (uint32_t n = 14; n <= f->n && n < 3400; n += n >= f->n || n + 40 < f->n ? 13 : 1) {
		struct parsed p = parse(f, (int)n);
		uint32_t want = rule->drop(f, &p, (int)n) ? 1 : 2, got = 0, size = n;

		memcpy(c->packet, f->b, n);
		if (kernel_run(k, c->packet, &size, FRAME_MAX, &got))
			fail_msg("%s: %s, %u bytes: not run: %s", rule->script, f->name, n, k->log);
		if (got != want)
			fail_msg("%s: %s, %u bytes: the kernel's verdict is %u, expected %u",
				rule->script, f->name, n, got, want);
	}
}

static void test_verdicts_kernel(void **state)
{
	static struct frame frames[FRAMES_MOST];
	static struct compiled c;
	const char *why;
	unsigned n = all_frames(frames);

	(void)state;
	if (!kernel_allowed(BPF_PROG_TYPE_XDP, &why))
		skip();
	for (unsigned r = 0; r < sizeof(rules) / sizeof(*rules); r++) {
		struct kernel_prog k = {.type = BPF_PROG_TYPE_XDP};

		compile(&c, rules[r].script, KERN_X86_64);
		k.a = &c.a;
		k.meta = &c.meta;
		if (kernel_load(&k, c.code.insn, c.code.n))
			fail_msg("%s: not loaded: %s", rules[r].script, k.log);
		for (unsigned i = 0; i < n; i++)
			try_kernel(&c, &rules[r], &frames[i], &k);
		kernel_close(&k);
		arena_free(&c.a);
	}
}

static void test_verdicts(void **state)
{
	(void)state;
	run_rules(KERN_X86_64);
}

/* Loads are split there: the verifier wants alignment. */
static void test_verdicts_aligned(void **state)
{
	(void)state;
	run_rules(KERN_RISCV64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_verdicts_aligned),
		cmocka_unit_test(test_verdicts_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
