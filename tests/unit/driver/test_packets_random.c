/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Random sets of packet rules on crafted frames with random bytes changed, for each hook: interpreter,
 * kernel (where it allows) and an evaluation in plain C must agree.
 * SEED=n N=n in the environment choose what is tried.
 */
#include "tests/unit/driver/packet_frames.h"
#include "tests/fuzz/kernel.c"
#include <stdio.h>
#include <stdlib.h>

#define RULES_MOST 8
#define LIST_MOST 64 /* of a few fields */
#define LIST_FEW 24
#define POOL 3
#define NODES_MOST 7
#define FRAMES_TRIED 60

static uint64_t rng;

static unsigned below(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)((rng >> 11) % n);
}

/* ---- conditions ---- */

enum kind { A_TCP_DPORT, A_TCP_RANGE, A_UDP_DPORT, A_IP_SRC, A_IP_NET, A_IP6_NET, A_VLAN, A_VLAN2, A_ICMP,
	A_ICMP6, A_FRAG, A_L4, A_TYPE, A_ARP, A_FLAGS, A_BYTE, A_TTL, A_SET, A_LEN, A_PROTO, A_BOUND, A_SRC,
	A_MSS, A_SACK, A_CONTAINS, A_AND, A_OR, A_NOT };

struct node {
	enum kind kind;
	unsigned a, b;
	int x, y; /* nodes below */
};
struct rules {
	struct node node[LIST_MOST][NODES_MOST];
	int nodes[LIST_MOST], top[LIST_MOST];
	bool drop[LIST_MOST], falls[LIST_MOST];
	unsigned n, searches;
	enum kind pool[POOL];
	bool list; /* conditions on the fields of the pool */
	uint32_t hook;
};

static unsigned port(void)
{
	static const unsigned some[] = {23, 53, 80, 5353, 22, 24, 443, 4000, 0, 65535};

	return some[below(10)];
}

static int make(struct rules *r, unsigned rule, unsigned depth)
{
	int at = r->nodes[rule]++;
	struct node *n = &r->node[rule][at];

	*n = (struct node){.kind = (enum kind)below(depth && r->nodes[rule] < 4 ? A_NOT + 1 : A_AND)};
	if (r->list && n->kind < A_AND)
		n->kind = r->pool[below(POOL)];
	if (n->kind >= A_MSS && n->kind <= A_CONTAINS && r->searches++ > 4) /* each is a loop */
		n->kind = A_TTL;
	if (r->hook == BPF_PROG_TYPE_CGROUP_SKB && (n->kind == A_VLAN || n->kind == A_VLAN2 ||
							   n->kind == A_TYPE || n->kind == A_SRC ||
							   n->kind == A_ARP))
		n->kind = A_TCP_DPORT;
	n->a = n->kind == A_ICMP || n->kind == A_ICMP6 ? (below(2) ? 8 : 128)
	       : n->kind == A_VLAN || n->kind == A_VLAN2 ? 5 + below(3)
	       : n->kind == A_LEN ? 20 + below(80)
	       : n->kind == A_BYTE ? below(6)
	       : n->kind == A_IP_NET || n->kind == A_IP6_NET ? below(33)
							     : port();
	n->b = n->kind == A_TCP_RANGE ? n->a + below(65536 - n->a < 100 ? 65536 - n->a : 100) : below(256);
	if (n->kind >= A_AND)
		n->x = make(r, rule, depth - 1);
	if (n->kind >= A_AND && n->kind != A_NOT)
		n->y = make(r, rule, depth - 1);
	return at;
}

static unsigned type_of(const struct node *n)
{
	static const unsigned some[] = {0x800, 0x86dd, 0x806, 0x8100, 0x88a8};

	return some[n->b / 2 % 5];
}

static unsigned proto_of(const struct node *n)
{
	static const unsigned some[] = {6, 17, 18, 51};

	return some[n->b / 2 % 4];
}

static void text(struct buf *b, const struct node *all, int at)
{
	const struct node *n = &all[at];

	switch (n->kind) {
	case A_TCP_DPORT: buf_printf(b, "tcp.dport == %u", n->a); break;
	case A_TCP_RANGE: buf_printf(b, "tcp.dport in %u..%u", n->a, n->b); break;
	case A_UDP_DPORT: buf_printf(b, "udp.dport == %u", n->a); break;
	case A_IP_SRC: buf_printf(b, "ip.src == 10.1.2.%u", n->b % 8); break;
	case A_IP_NET: buf_printf(b, "ip.src in 10.1.2.%u/%u", n->b % 8, n->a); break;
	case A_IP6_NET: buf_printf(b, "ip6.src in 2001:db8::%x/%u", n->b % 16, n->a + 90); break;
	case A_VLAN: buf_printf(b, "vlan.id == %u", n->a); break;
	case A_VLAN2: buf_printf(b, "vlan2.id == %u", n->a); break;
	case A_ICMP: buf_printf(b, "icmp.type == %u", n->a); break;
	case A_ICMP6: buf_printf(b, "icmp6.type >= %u", n->a); break;
	case A_FRAG: buf_printf(b, "ip.frag %s 0", n->b & 1 ? "!=" : "=="); break;
	case A_L4: buf_printf(b, "l4.dport < %u", n->a); break;
	case A_TYPE: buf_printf(b, "eth.type %s 0x%x", n->b & 1 ? "!=" : "==", type_of(n)); break;
	case A_PROTO: buf_printf(b, "ip.proto %s %u", n->b & 1 ? "in 5.." : "<", proto_of(n)); break;
	case A_BOUND:
		buf_printf(b, "l4.sport %s %u", n->b & 1 ? ">" : "<=", n->a > 100 ? 65534 : 0);
		break;
	case A_SRC: buf_printf(b, "eth.src == 02:00:00:00:00:%02x", n->b % 4); break;
	case A_ARP: buf_printf(b, "arp.op == %u", n->b % 3); break;
	case A_FLAGS: buf_printf(b, "(tcp.flags & %u) == %u", n->b % 32, n->b % 32 & 6); break;
	case A_BYTE: buf_printf(b, "payload[%u:2] > %u", n->a, n->b * 256); break;
	case A_TTL: buf_printf(b, "ip.ttl > %u", n->b); break;
	case A_SET: buf_printf(b, "l4.dport in {%u, 1, 3, 21..25, 7, 9, 5000..6000}", n->a); break;
	case A_LEN: buf_printf(b, "pkt.len > %u", n->a); break;
	case A_MSS: buf_printf(b, "tcp.mss >= %u", 4 * n->b); break;
	case A_SACK: buf_printf(b, n->b & 1 ? "tcp.sackok" : "tcp.tstamp == 0"); break;
	case A_CONTAINS: buf_printf(b, "payload contains \"%s\"", n->b & 1 ? "data" : "P/1"); break;
	default:
		buf_printf(b, n->kind == A_NOT ? "!(" : "(");
		text(b, all, n->x);
		if (n->kind != A_NOT) {
			buf_printf(b, n->kind == A_AND ? " && " : " || ");
			text(b, all, n->y);
		}
		buf_printf(b, ")");
	}
}

/* ---- what they mean ---- */

struct packet {
	const struct frame *f;
	struct parsed p;
	int n;
	bool l2; /* the hook sees the Ethernet header */
};

static unsigned bytes32(const struct frame *f, int at)
{
	return get16(f, at) << 16 | get16(f, at + 2);
}

static bool in_net(unsigned v, unsigned net, unsigned bits)
{
	return !bits || (v ^ net) >> (32 - bits) == 0;
}

static bool in_net6(const struct packet *p, const struct node *n)
{
	uint8_t want[16] = {0x20, 1, 0xd, 0xb8};

	want[15] = (uint8_t)(n->b % 16);
	for (unsigned i = 0; i < n->a + 90; i++) {
		if ((p->f->b[p->p.l3 + 8 + (int)i / 8] ^ want[i / 8]) >> (7 - i % 8) & 1)
			return false;
	}
	return true;
}

static bool contains(const struct packet *p, const char *what)
{
	int at = payload_at(p->f, &p->p, p->n), len = (int)strlen(what);

	for (int i = 0; at >= 0 && i + len <= 128 && at + i + len <= p->n; i++) {
		if (!memcmp(p->f->b + at + i, what, (size_t)len))
			return true;
	}
	return false;
}

static bool in_ports(unsigned v, unsigned a)
{
	return v == a || v == 1 || v == 3 || v == 7 || v == 9 || (v >= 21 && v <= 25) ||
	       (v >= 5000 && v <= 6000);
}

static bool means_l4(const struct packet *p, const struct node *n)
{
	bool tcp = has(&p->p, p->n, 6, 20), udp = has(&p->p, p->n, 17, 8);
	bool l4 = has(&p->p, p->n, 6, 4) || has(&p->p, p->n, 17, 4);
	unsigned dport = l4 ? get16(p->f, p->p.l4 + 2) : 0;
	int data = payload_at(p->f, &p->p, p->n), at;

	switch (n->kind) {
	case A_TCP_DPORT: return tcp && dport == n->a;
	case A_TCP_RANGE: return tcp && dport >= n->a && dport <= n->b;
	case A_UDP_DPORT: return udp && dport == n->a;
	case A_ICMP: return has(&p->p, p->n, 1, 8) && p->f->b[p->p.l4] == n->a;
	case A_ICMP6: return has(&p->p, p->n, 58, 8) && p->f->b[p->p.l4] >= n->a;
	case A_L4: return l4 && dport < n->a;
	case A_BOUND:
		at = l4 ? (int)get16(p->f, p->p.l4) : 0;
		return l4 && (at > (n->a > 100 ? 65534 : 0)) == (n->b & 1);
	case A_SET: return l4 && in_ports(dport, n->a);
	case A_FLAGS: return tcp && (p->f->b[p->p.l4 + 13] & n->b % 32) == (n->b % 32 & 6);
	case A_BYTE:
		return data >= 0 && data + (int)n->a + 2 <= p->n &&
		       get16(p->f, data + (int)n->a) > n->b * 256;
	case A_MSS:
		data = option_at(p->f, &p->p, p->n, 2, 2);
		return data >= 0 && get16(p->f, data + 2) >= 4 * n->b;
	case A_SACK:
		return tcp && (n->b & 1 ? option_at(p->f, &p->p, p->n, 4, 0) >= 0
					: option_at(p->f, &p->p, p->n, 8, 0) < 0);
	default: return contains(p, n->b & 1 ? "data" : "P/1");
	}
}

static bool means(const struct packet *p, const struct node *all, int at)
{
	const struct node *n = &all[at];
	bool ip = has_l3(&p->p, p->n, 0x800, 20);

	switch (n->kind) {
	case A_IP_SRC: return ip && bytes32(p->f, p->p.l3 + 12) == 0x0a010200 + n->b % 8;
	case A_IP_NET: return ip && in_net(bytes32(p->f, p->p.l3 + 12), 0x0a010200 + n->b % 8, n->a);
	case A_IP6_NET: return has_l3(&p->p, p->n, 0x86dd, 40) && in_net6(p, n);
	case A_VLAN: return p->p.tags && (p->p.tci[0] & 0xfff) == n->a;
	case A_VLAN2: return p->p.tags == 2 && (p->p.tci[1] & 0xfff) == n->a;
	case A_FRAG: return ip && !(get16(p->f, p->p.l3 + 6) & 0x3fff) == !(n->b & 1);
	case A_TYPE: return p->n >= 14 && (get16(p->f, 12) == type_of(n)) == !(n->b & 1);
	case A_SRC:
		return p->n >= 14 && !memcmp(p->f->b + 6, "\2\0\0\0\0", 5) && p->f->b[11] == n->b % 4;
	case A_PROTO:
		at = ip ? p->f->b[p->p.l3 + 9] : 0;
		return ip && (n->b & 1 ? at >= 5 && at <= (int)proto_of(n) : at < (int)proto_of(n));
	case A_ARP: return has_l3(&p->p, p->n, 0x806, 28) && get16(p->f, p->p.l3 + 6) == n->b % 3;
	case A_TTL: return ip && p->f->b[p->p.l3 + 8] > n->b;
	case A_LEN: return p->n - (p->l2 ? 0 : 14) > (int)n->a;
	case A_AND: return means(p, all, n->x) && means(p, all, n->y);
	case A_OR: return means(p, all, n->x) || means(p, all, n->y);
	case A_NOT: return !means(p, all, n->x);
	default: return means_l4(p, n);
	}
}

struct counts { /* of each rule, as its row has it */
	uint64_t v[LIST_MOST][2];
};

static bool dropped(const struct rules *r, const struct packet *p, struct counts *sum)
{
	for (unsigned i = 0; i < r->n; i++) {
		if (!means(p, r->node[i], r->top[i]))
			continue;
		sum->v[i][0]++;
		sum->v[i][1] += (uint64_t)(p->n - (p->l2 ? 0 : 14));
		if (!r->falls[i])
			return r->drop[i];
	}
	return false;
}

/* ---- trying ---- */

/* Verdicts as numbers of the hook: passed, dropped. */
static uint64_t verdict_of(uint32_t hook, bool drop)
{
	if (hook == BPF_PROG_TYPE_CGROUP_SKB)
		return !drop;
	if (hook == BPF_PROG_TYPE_SCHED_CLS)
		return drop ? 2 : UINT32_MAX; /* TC_ACT_SHOT, TC_ACT_UNSPEC */
	return drop ? 1 : 2;
}

static const char *script_of(struct rules *r, struct buf *b, unsigned hook)
{
	static const char *const names[] = {"xdp:v0", "tc:v0:ingress", "cgroup_skb:/a:egress"};
	bool alike = below(3) == 0; /* a run of rules on one field */
	bool list = !alike && below(2), one = list && below(2);
	bool pure = list && !one && below(2); /* enough that do nothing but decide, and turns among them */

	*r = (struct rules){.n = 1 + below(list ? LIST_FEW : RULES_MOST), .hook = hook_of(names[hook]),
		.list = list};
	if (pure)
		r->n = LIST_FEW + below(LIST_MOST - LIST_FEW + 1);
	for (unsigned i = 0; i < POOL; i++)
		r->pool[i] = (enum kind)below(A_MSS);
	for (unsigned i = 0; i < r->n; i++) {
		r->top[i] = make(r, i, alike || below(4) == 0 ? 0 : list ? 1 : 2);
		if (alike && i)
			r->node[i][0].kind = r->node[0][0].kind == A_TCP_RANGE ? A_TCP_DPORT : r->node[0][0].kind;
		if (alike && i && r->node[0][0].kind != A_TCP_RANGE && r->node[0][0].kind != A_TCP_DPORT)
			r->node[i][0].a = r->node[0][0].a;
		if (r->node[i][0].kind >= A_MSS && r->node[i][0].kind <= A_CONTAINS && alike && i > 4)
			r->node[i][0].kind = A_TTL;
		r->drop[i] = below(2);
		if (one && below(8)) /* mostly lists of what to drop */
			r->drop[i] = true;
		r->falls[i] = below(pure ? 50 : one ? 20 : 5) == 0;
		buf_printf(b, "%s /", names[hook]);
		text(b, r->node[i], r->top[i]);
		buf_printf(b, "/ { %s }\n", r->falls[i] ? "$x = 1;" : r->drop[i] ? "drop();" : "pass();");
	}
	return b->p;
}

/* A frame cut somewhere, some bytes changed; for the hook of cgroups its tags are no L3. */
static struct packet random_packet(const struct rules *r, const struct frame *from, struct frame *f)
{
	struct packet p = {.f = f, .l2 = r->hook != BPF_PROG_TYPE_CGROUP_SKB};

	*f = *from;
	for (unsigned k = below(3); k > 0 && f->n > 14; k--)
		f->b[14 + below(f->n - 14)] ^= (uint8_t)(1u << below(8));
	p.n = below(2) ? (int)f->n : (int)(14 + below(f->n - 13));
	p.p = parse(f, p.n);
	if (!p.l2 && p.p.tags)
		p.p = (struct parsed){.l3 = -1, .l4 = -1};
	return p;
}

struct compared {
	const struct counts *want;
	unsigned n;
	uint64_t seed;
	const char *who, *script;
};

static void same_counts(void *arg, const void *key, const void *value)
{
	const struct compared *x = arg;
	const uint64_t *v = value;

	(void)key;
	for (unsigned i = 0; i < x->n; i++) {
		if (v[2 * i] != x->want->v[i][0] || v[2 * i + 1] != x->want->v[i][1])
			fail_msg("seed %llu: rule %u: %s counts %llu packets, %llu bytes, expected %llu, %llu\n%s",
				(unsigned long long)x->seed, i, x->who, (unsigned long long)v[2 * i],
				(unsigned long long)v[2 * i + 1], (unsigned long long)x->want->v[i][0],
				(unsigned long long)x->want->v[i][1], x->script);
	}
}

static void compare_counts(struct compiled *c, struct kernel_prog *k, struct compared *x,
	const struct counts *of_kernel)
{
	uint32_t map = meta_role_map(&c->meta, MM_RULES);

	if (map == META_NONE) { /* no packet reaches any of them */
		for (unsigned i = 0; i < x->n; i++)
			assert_int_equal(x->want->v[i][0], 0);
		return;
	}
	assert_int_equal(c->meta.rules.n, x->n);
	x->who = "interpreter";
	interp_map_each(&c->in, map, same_counts, x);
	if (!of_kernel)
		return;
	x->who = "kernel";
	x->want = of_kernel;
	assert_int_equal(kernel_map_each(k, map, same_counts, x), 0);
}

static void one_script(uint64_t seed, const struct frame *frames, unsigned nframes, bool kernel)
{
	static struct compiled c;
	static struct frame f;
	struct kernel_prog k = {0};
	struct counts sum = {0}, of_kernel = {0}, before;
	bool counted = seed / 3 % 2;
	struct rules r;
	struct arena a;
	struct trap trap;
	struct buf b;
	const char *script;

	rng = seed * 0x9e3779b97f4a7c15ull + 1;
	arena_init(&a, &trap);
	buf_init(&b, &a);
	script = script_of(&r, &b, (unsigned)(seed % 3));
	if (counted)
		compile_as(&c, script, KERN_X86_64, true);
	else
		compile(&c, script, KERN_X86_64);
	k = (struct kernel_prog){.a = &c.a, .meta = &c.meta, .type = r.hook};
	if (r.hook == BPF_PROG_TYPE_CGROUP_SKB)
		k.expected_attach_type = BPF_CGROUP_INET_EGRESS;
	if (kernel && kernel_load(&k, c.code.insn, c.code.n))
		fail_msg("seed %llu: not loaded: %s\n%s", (unsigned long long)seed, k.log + (strlen(k.log) > 300 ? strlen(k.log) - 300 : 0), script);
	for (unsigned i = 0; i < FRAMES_TRIED; i++) {
		struct packet p = random_packet(&r, &frames[below(nframes)], &f);
		uint64_t want, got = 0;
		uint32_t size = (uint32_t)p.n, answer = 0;

		before = sum;
		want = verdict_of(r.hook, dropped(&r, &p, &sum));
		memcpy(c.packet, f.b, (size_t)p.n);
		c.in.packet_len = (uint32_t)p.n;
		if (!interp_run(&c.in, &got) || (uint32_t)got != (uint32_t)want)
			fail_msg("seed %llu: %s, %d bytes: %lld, expected %lld %s\n%s",
				(unsigned long long)seed, f.name, p.n, (long long)got, (long long)want,
				c.in.error ? c.in.error : "", script);
		memcpy(c.packet, f.b, (size_t)p.n);
		/* without payload behind its Ethernet header the kernel takes no packet of a cgroup */
		if (!kernel || p.n > 3400 || (!p.l2 && p.n < 14 + 20) || kernel_run(&k, c.packet, &size, FRAME_MAX, &answer))
			continue;
		if (answer != (uint32_t)want)
			fail_msg("seed %llu: %s, %d bytes: the kernel's verdict is %u, expected %lld\n%s",
				(unsigned long long)seed, f.name, p.n, answer, (long long)want, script);
		for (unsigned j = 0; j < 2 * r.n; j++)
			of_kernel.v[j / 2][j % 2] += sum.v[j / 2][j % 2] - before.v[j / 2][j % 2];
	}
	if (counted)
		compare_counts(&c, &k, &(struct compared){.want = &sum, .n = r.n, .seed = seed, .script = script},
			kernel ? &of_kernel : NULL);
	if (kernel)
		kernel_close(&k);
	arena_free(&c.a);
	arena_free(&a);
}

static void test_random_rules(void **state)
{
	static struct frame frames[FRAMES_MOST];
	const char *seed = getenv("SEED"), *count = getenv("N"), *why;
	uint64_t first = seed ? strtoull(seed, NULL, 0) : 1, n = count ? strtoull(count, NULL, 0) : 150;
	unsigned nframes = all_frames(frames);
	bool kernel = kernel_allowed(BPF_PROG_TYPE_XDP, &why);

	(void)state;
	for (uint64_t s = first; s < first + n; s++)
		one_script(s, frames, nframes, kernel);
}

/* A warning says from where on rules are not counted; those before are. */
static void test_many_counted(void **state)
{
	enum { MANY = 2002 };
	static struct compiled c;
	struct frame f;
	struct arena a;
	struct trap trap;
	struct buf b;

	(void)state;
	arena_init(&a, &trap);
	buf_init(&b, &a);
	for (unsigned i = 0; i < MANY; i++)
		buf_printf(&b, "xdp:v0 /tcp.dport == %u/ { drop(); }\n", i + 1);
	compile_as(&c, b.p, KERN_X86_64, true);
	assert_int_equal(c.diags.list.n, 1);
	assert_string_equal(c.diags.list.v[0].message, "2000 rules are counted, this one and others are not");
	for (unsigned port = MANY - 4; port < MANY + 2; port++) {
		uint32_t map = meta_role_map(&c.meta, MM_RULES), key = 0;
		const uint64_t *v;
		uint64_t verdict;

		memset(&f, 0, sizeof(f));
		eth(&f, "tcp", 0x800), ip4(&f, 5, 0, 6), tcp(&f, 4000, port, 2);
		memcpy(c.packet, f.b, f.n);
		c.in.packet_len = f.n;
		assert_true(interp_run(&c.in, &verdict));
		assert_int_equal(verdict, port > MANY ? 2 : 1);
		v = interp_map_lookup(&c.in, map, &key);
		for (unsigned i = MANY - 6; i < 2000; i++) {
			assert_int_equal(v[2 * i], i + 1 >= MANY - 4 && i + 1 <= port);
			assert_int_equal(v[2 * i + 1], v[2 * i] * f.n);
		}
	}
	arena_free(&c.a);
	arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_rules), cmocka_unit_test(test_many_counted)};

	return cmocka_run_group_tests_name("packets_random", tests, NULL, NULL);
}
