/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Rules that change packets: the bytes afterwards, in our interpreter and in the kernel of this machine,
 * beside the same change made here with all checksums counted anew.
 */
#include "tests/unit/driver/packet_frames.h"
#include "tests/fuzz/kernel.c"
#include <stdio.h>
#include <stdlib.h>

/* ---- checksums, from the start ---- */

static uint32_t sum16(const uint8_t *p, uint32_t n)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	at[0] = (uint8_t)(~sum >> 8);
	at[1] = (uint8_t)~sum;
}

/* Of IPv4, and of TCP, UDP or ICMPv6 where the packet is whole; none: UDP without a checksum stays so. */
static void count_sums(struct frame *f, bool none)
{
	struct parsed p = parse(f, (int)f->n);
	uint8_t *ip = f->b + p.l3, *at;
	uint32_t bytes, sum;

	bool six = has_l3(&p, (int)f->n, 0x86dd, 40);

	if (!six && !has_l3(&p, (int)f->n, 0x800, 20))
		return;
	if (!six) {
		ip[10] = ip[11] = 0;
		put_sum(ip + 10, sum16(ip, (ip[0] & 15) < 5 ? 20 : 4u * (ip[0] & 15)));
	}
	if (!has(&p, (int)f->n, 6, 20) && !has(&p, (int)f->n, 17, 8) && !(six && has(&p, (int)f->n, 58, 8)))
		return;
	at = f->b + p.l4 + (p.proto == 6 ? 16 : p.proto == 17 ? 6 : 2);
	bytes = f->n - (uint32_t)p.l4;
	if (none && p.proto == 17 && !at[0] && !at[1])
		return;
	at[0] = at[1] = 0;
	sum = sum16(ip + (six ? 8 : 12), six ? 32 : 8) + p.proto + bytes + sum16(f->b + p.l4, bytes);
	put_sum(at, sum);
	if (p.proto == 17 && !at[0] && !at[1])
		at[0] = at[1] = 0xff;
}

/* ---- changes ---- */

static void put_at(struct frame *f, int at, unsigned v)
{
	f->b[at] = (uint8_t)(v >> 8);
	f->b[at + 1] = (uint8_t)v;
}

static void nat(struct frame *f, const struct parsed *p)
{
	if (has_l3(p, (int)f->n, 0x800, 20))
		memcpy(f->b + p->l3 + 16, "\12\0\0\5", 4);
	if (has(p, (int)f->n, 6, 20))
		put_at(f, p->l4 + 2, 8080);
}

static void nat6(struct frame *f, const struct parsed *p)
{
	uint8_t *ip = f->b + p->l3;

	if (has_l3(p, (int)f->n, 0x86dd, 40)) {
		memcpy(ip + 8, ip + 24, 16);
		memcpy(ip + 24, "\x20\x01\xd\xb8\0\0\0\0\xff\xff\0\0\0\0\0\5", 16);
	}
	if (has(p, (int)f->n, 6, 20))
		put_at(f, p->l4 + 2, 8080);
}

static void source(struct frame *f, const struct parsed *p)
{
	if (!has_l3(p, (int)f->n, 0x800, 20) || !f->b[p->l3 + 8])
		return;
	memcpy(f->b + p->l3 + 12, f->b + p->l3 + 16, 4);
	if (has(p, (int)f->n, 17, 8))
		put_at(f, p->l4, get16(f, p->l4) + 1);
}

static void clamp(struct frame *f, const struct parsed *p)
{
	int at = option_at(f, p, (int)f->n, 2, 2);

	if (at >= 0 && get16(f, at + 2) > 300)
		put_at(f, at + 2, 300);
}

static void some_ports(struct frame *f, const struct parsed *p)
{
	if (has(p, (int)f->n, 6, 20) && get16(f, p->l4 + 2) == 23)
		put_at(f, p->l4, 7), put_at(f, p->l4 + 2, 65535);
	else if (has(p, (int)f->n, 17, 8))
		put_at(f, p->l4 + 2, 53);
}

static void marks(struct frame *f, const struct parsed *p)
{
	if (has_l3(p, (int)f->n, 0x800, 20))
		f->b[p->l3 + 1] = (uint8_t)(46 << 2 | (f->b[p->l3 + 1] & 3)), f->b[p->l3 + 8] = 9;
	if (has_l3(p, (int)f->n, 0x86dd, 40))
		f->b[p->l3] = (uint8_t)((f->b[p->l3] & 0xf0) | 0xb), f->b[p->l3 + 1] = 0x80 | (f->b[p->l3 + 1] & 0x3f);
}

/* Each rule meets what the ones before have left. */
static void in_turn(struct frame *f, const struct parsed *p)
{
	int n = (int)f->n;
	bool four = has_l3(p, n, 0x800, 20);

	if (has(p, n, 6, 20) && get16(f, p->l4 + 2) == 23) {
		put_at(f, p->l4, 7), put_at(f, p->l4 + 2, 25);
		if (four)
			memcpy(f->b + p->l3 + 12, "\12\0\0\7", 4);
		if (four && option_at(f, p, n, 2, 2) >= 0)
			put_at(f, option_at(f, p, n, 2, 2) + 2, 77);
	}
	if (has(p, n, 17, 8) && get16(f, p->l4 + 2) == 53)
		put_at(f, p->l4 + 2, 54);
	if (four)
		f->b[p->l3 + 8] = 3;
}

static const struct {
	const char *body; /* %1$s: the direction; %2$s: the hook */
	void (*change)(struct frame *f, const struct parsed *p);
} edits[] = {
	{"v0%1$s { ip.dst = 10.0.0.5; tcp.dport = 8080; }", nat},
	{"v0%1$s /ip.ttl > 0/ { ip.src = ip.dst; udp.sport += 1; pass(); }", source},
	{"v0%1$s /tcp.mss > 300/ { tcp.mss = 300; }", clamp},
	{"v0%1$s { if (tcp.dport == 23) { tcp.sport = 7; tcp.dport = 65535; return; } udp.dport = 53; }",
		some_ports},
	{"v0%1$s { ip.dscp = ef; ip.ttl = 9; ip6.dscp = 46; }", marks},
	{"v0%1$s { @was = ip6.dst; ip6.dst = 2001:db8::ffff:0:0:5; "
	 "if (ip6.src == ip6.dst) { return; } ip6.src = @was; tcp.dport = 8080; }", nat6},
	{"v0%1$s /tcp.dport == 23/ { tcp.dport = 24; tcp.sport = 7; }"
	 " %2$s:v0%1$s /tcp.dport == 24/ { tcp.dport = 25; ip.src = 10.0.0.6; }"
	 " %2$s:v0%1$s /tcp.dport == 23/ { tcp.dport = 1; }"
	 " %2$s:v0%1$s /udp.dport == 53/ { udp.dport = 54; }"
	 " %2$s:v0%1$s /ip.src == 10.0.0.6 && tcp.dport == 25/ { ip.src = 10.0.0.7; tcp.mss = 77; }"
	 " %2$s:v0%1$s { ip.ttl = 3; }", in_turn},
};

/* ---- random ones ---- */

enum where { TCP, UDP, IP4, IP6 };
static const struct field {
	const char *name;
	enum where in;
	int at, bytes, shift;
	unsigned mask; /* of what lies there */
} fields[] = {
	{"tcp.sport", TCP, 0, 2, 0, 0xffff}, {"tcp.dport", TCP, 2, 2, 0, 0xffff},
	{"udp.sport", UDP, 0, 2, 0, 0xffff}, {"udp.dport", UDP, 2, 2, 0, 0xffff},
	{"ip.src", IP4, 12, 4, 0, ~0u}, {"ip.dst", IP4, 16, 4, 0, ~0u}, {"ip.ttl", IP4, 8, 1, 0, 0xff},
	{"ip.dscp", IP4, 1, 1, 2, 0x3f}, {"ip.ecn", IP4, 1, 1, 0, 3}, {"ip.tos", IP4, 1, 1, 0, 0xff},
	{"ip.id", IP4, 4, 2, 0, 0xffff}, {"ip6.hops", IP6, 7, 1, 0, 0xff}, {"ip6.dscp", IP6, 0, 2, 6, 0x3f},
	{"ip6.flow", IP6, 0, 4, 0, 0xfffff}, {"ip6.src", IP6, 8, 16, 0, 0}, {"ip6.dst", IP6, 24, 16, 0, 0},
};
#define FIELDS (sizeof(fields) / sizeof(*fields))
#define WRITTEN_MOST 4

/* One rule: if "if_field < bound" (or not), then "to = from + add" or "to = add" or "to += add". */
struct rule {
	unsigned if_field, bound, n;
	bool below, returns;
	struct step {
		int to, from; /* -1: $x; from -2: nothing */
		unsigned add;
		bool guarded; /* if (if_field …) else … */
	} step[WRITTEN_MOST];
};
struct script {
	struct rule rule[4];
	unsigned n;
};

static uint64_t rng;

static unsigned some(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)((rng >> 11) % n);
}

static int start_of(const struct frame *f, const struct parsed *p, enum where in)
{
	int n = (int)f->n;

	switch (in) {
	case TCP:
		return has(p, n, 6, 20) ? p->l4 : -1;
	case UDP:
		return has(p, n, 17, 8) ? p->l4 : -1;
	case IP4:
		return has_l3(p, n, 0x800, 20) ? p->l3 : -1;
	default:
		return has_l3(p, n, 0x86dd, 40) ? p->l3 : -1;
	}
}

static bool get(const struct frame *f, const struct parsed *p, int field, uint64_t x, uint64_t *v)
{
	const struct field *d = &fields[field < 0 ? 0 : field];
	int at = start_of(f, p, d->in);
	unsigned raw = 0;

	*v = x;
	if (field < 0)
		return true;
	for (int i = 0; i < d->bytes && at >= 0; i++)
		raw = raw << 8 | f->b[at + d->at + i];
	*v = raw >> d->shift & d->mask;
	return at >= 0;
}

static bool put_field(struct frame *f, const struct parsed *p, int field, uint64_t *x, uint64_t v)
{
	const struct field *d = &fields[field < 0 ? 0 : field];
	int at = start_of(f, p, d->in);
	unsigned raw = 0;

	if (field < 0)
		*x = v;
	if (field < 0 || at < 0)
		return field < 0;
	for (int i = 0; i < d->bytes; i++)
		raw = raw << 8 | f->b[at + d->at + i];
	raw = (raw & ~(d->mask << d->shift)) | ((unsigned)v & d->mask) << d->shift;
	for (int i = d->bytes; i-- > 0; raw >>= 8)
		f->b[at + d->at + i] = (uint8_t)raw;
	return true;
}

/* An address of IPv6 becomes the other one, or 2001:db8::N. */
static void put_inet6(struct frame *f, const struct parsed *p, const struct step *t)
{
	uint8_t v[16] = {0x20, 1, 0xd, 0xb8, [15] = (uint8_t)t->add};
	int ip = start_of(f, p, IP6);

	if (ip < 0)
		return;
	if (t->from != -2)
		memcpy(v, f->b + ip + fields[t->from].at, 16);
	memcpy(f->b + ip + fields[t->to].at, v, 16);
}

/* What reads a field that is not there is passed over; a comparison with it is false. */
static void run_script(const struct script *s, struct frame *f, const struct parsed *p)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct rule *r = &s->rule[i];
		uint64_t x = 7, v;

		if (!get(f, p, (int)r->if_field, 0, &v) || (v < r->bound) != r->below)
			continue;
		for (unsigned k = 0; k < r->n; k++) {
			const struct step *t = &r->step[k];
			bool holds;

			if (r->returns && k == 2)
				break;
			holds = get(f, p, (int)r->if_field, 0, &v) && v < r->bound;
			if (t->guarded && holds)
				continue;
			if (t->to >= 0 && fields[t->to].bytes == 16) {
				put_inet6(f, p, t);
				continue;
			}
			v = 0;
			if (t->from != -2 && !get(f, p, t->from, x, &v))
				continue;
			put_field(f, p, t->to, &x, v + t->add);
		}
	}
}

static const char *name_of(int field)
{
	return field < 0 ? "$x" : fields[field].name;
}

static bool is_address(int field)
{
	return field >= 0 && (fields[field].bytes == 16 || (fields[field].bytes == 4 && fields[field].in == IP4));
}

/* Addresses take addresses; what is more than fits is masked. */
static void make_step(struct rule *r, struct step *t, struct buf *b)
{
	unsigned most;

	t->to = (int)some(FIELDS + 2) - 1;
	if (t->to == (int)FIELDS)
		t->to = -1;
	t->guarded = some(5) == 0;
	if (is_address(t->to)) {
		t->from = some(2) ? -2 : (t->to < 10 ? 9 : 29) - t->to; /* the other one */
		t->add = t->from == -2 ? 0x0a010200 + some(9) : 0;
	} else {
		most = t->to < 0 ? 1000 : fields[t->to].mask;
		do
			t->from = (int)some(FIELDS + 3) - 2;
		while (t->from == (int)FIELDS || is_address(t->from));
		t->add = t->from == -2 ? some(most < 70000 ? most + 1 : 70000) : some(300);
	}
	if (t->guarded)
		buf_printf(b, "if (%s < %u) { } else { ", name_of((int)r->if_field), r->bound);
	if (is_address(t->to) && t->from == -2)
		buf_printf(b, "%s = %s%u; ", name_of(t->to), t->to < 10 ? "10.1.2." : "2001:db8::",
			t->add & 0xff);
	else if (t->from == -2)
		buf_printf(b, "%s = %u; ", name_of(t->to), t->add);
	else if (is_address(t->to))
		buf_printf(b, "%s = %s; ", name_of(t->to), name_of(t->from));
	else if (t->from == t->to)
		buf_printf(b, "%s += %u; ", name_of(t->to), t->add);
	else
		buf_printf(b, "%s = %s + %u; ", name_of(t->to), name_of(t->from), t->add);
	buf_puts(b, t->guarded ? "} " : "");
}

static void make_script(struct script *s, struct buf *b, const char *hook)
{
	*s = (struct script){.n = 1 + some(4)};
	for (unsigned i = 0; i < s->n; i++) {
		struct rule *r = &s->rule[i];

		do
			r->if_field = some(FIELDS);
		while (is_address((int)r->if_field));
		r->bound = 1 + some(fields[r->if_field].mask < 70000 ? fields[r->if_field].mask : 70000);
		r->below = some(2);
		r->returns = some(5) == 0;
		r->n = 1 + some(WRITTEN_MOST);
		buf_printf(b, "%s /%s %s %u/ { $x = 7; ", hook, name_of((int)r->if_field), r->below ? "<" : ">=",
			r->bound);
		for (unsigned k = 0; k < r->n; k++) {
			make_step(r, &r->step[k], b);
			if (k == 1 && r->returns)
				buf_puts(b, "return; ");
		}
		buf_puts(b, "} ");
	}
}

/* Its last word makes the checksum 0 once nat() has changed it: UDP has 0xffff in its place. */
static void sum_of_zero(struct frame *f)
{
	struct parsed p = parse(f, (int)f->n);
	static struct frame after;
	uint32_t sum, bytes = f->n - (uint32_t)p.l4;

	put_at(f, p.l4 + 6, 0);
	put_at(f, (int)f->n - 2, 0);
	after = *f;
	nat(&after, &p);
	sum = sum16(after.b + p.l3 + 12, 8) + 17 + bytes + sum16(after.b + p.l4, bytes);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put_at(f, (int)f->n - 2, 0xffff - sum);
	put_at(f, p.l4 + 6, 1); /* it has one */
}

static unsigned frames_for_edits(struct frame *f)
{
	unsigned n = all_frames(f);

	eth(f + n, "vlan udp", 0x8100), tag(f + n, 5, 0x800), ip4(f + n, 6, 0, 17), udp(f + n, 7, 9);
	n++;
	eth(f + n, "udp of odd length", 0x800), ip4(f + n, 5, 0, 17), udp(f + n, 7, 9), f[n].n--;
	n++;
	eth(f + n, "udp whose sum becomes 0", 0x800), ip4(f + n, 5, 0, 17), udp(f + n, 7, 9);
	sum_of_zero(f + n);
	n++;
	eth(f + n, "udp6", 0x86dd), ip6(f + n, 60), ext(f + n, 17, 0), udp(f + n, 7, 9);
	return n + 1;
}

static void expect_bytes(const char *script, const struct frame *want, const uint8_t *got, const char *who)
{
	for (uint32_t i = 0; i < want->n; i++) {
		if (got[i] != want->b[i])
			fail_msg("%s: %s: %s: byte %u is %02x, expected %02x", script, who, want->name, i,
				got[i], want->b[i]);
	}
}

/* The same packet with the kernel's own sum over it, which has to be right afterwards, too. */
static void sum_kept(struct kernel_prog *k, const char *script, const struct frame *f)
{
	static uint8_t packet[FRAME_MAX];
	uint32_t size = f->n, verdict;
	int err;

	memcpy(packet, f->b, f->n);
	k->run_flags = BPF_F_TEST_SKB_CHECKSUM_COMPLETE;
	err = kernel_run(k, packet, &size, FRAME_MAX, &verdict);
	k->run_flags = 0;
	if (err && err != -EINVAL) /* kernels before 6.11 */
		fail_msg("%s: %s: the kernel's sum: %s", script, f->name, strerror(-err));
}

/* What a script does to a frame. */
struct change {
	void (*fixed)(struct frame *f, const struct parsed *p);
	const struct script *made;
};

static unsigned one(const char *script, const struct change *edit, struct frame *frames, unsigned n, bool kernel,
	enum kern_arch arch)
{
	unsigned changed = 0;
	struct kernel_prog k = {.type = hook_of(script)};
	static struct compiled c;
	static struct frame want;

	compile(&c, script, arch);
	k.a = &c.a;
	k.meta = &c.meta;
	if (kernel && kernel_load(&k, c.code.insn, c.code.n))
		fail_msg("%s: not loaded: %s", script, k.log);
	for (unsigned i = 0; i < n; i++) {
		struct parsed p = parse(&frames[i], (int)frames[i].n);
		bool none = i % 2;
		uint64_t got;
		uint32_t verdict, size = frames[i].n;

		count_sums(&frames[i], none);
		want = frames[i];
		if (edit->made)
			run_script(edit->made, &want, &p);
		else
			edit->fixed(&want, &p);
		count_sums(&want, true);
		changed += memcmp(want.b, frames[i].b, want.n) != 0;
		memcpy(c.packet, frames[i].b, frames[i].n);
		c.in.packet_len = frames[i].n;
		if (!interp_run(&c.in, &got))
			fail_msg("%s: %s: %s", script, want.name, c.in.error);
		expect_bytes(script, &want, c.packet, "interpreter");
		memcpy(c.packet, frames[i].b, frames[i].n);
		if (!kernel)
			continue;
		if (want.n > 3400) /* more than fits a page with its room before and after */
			continue;
		if (kernel_run(&k, c.packet, &size, FRAME_MAX, &verdict))
			fail_msg("%s: %s: not run: %s", script, want.name, k.log);
		expect_bytes(script, &want, c.packet, "kernel");
		if (k.type == BPF_PROG_TYPE_SCHED_CLS)
			sum_kept(&k, script, &frames[i]);
	}
	if (kernel)
		kernel_close(&k);
	arena_free(&c.a);
	return changed;
}

static void test_edits(void **state)
{
	static struct frame frames[FRAMES_MOST];
	unsigned n = frames_for_edits(frames);
	const char *why;
	bool kernel = kernel_allowed(BPF_PROG_TYPE_XDP, &why);

	(void)state;
	for (unsigned i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		struct change what = {.fixed = edits[i].change};
		char body[600], script[800];

		snprintf(body, sizeof(body), edits[i].body, "", "xdp");
		snprintf(script, sizeof(script), "xdp:%s xdp:v0 /tcp.dport == 9 && tcp.sport == 9/ { tx(); }", body);
		assert_true(one(script, &what, frames, n, kernel, KERN_X86_64) > 0);
		assert_true(one(script, &what, frames, n, false, KERN_RISCV64) > 0);
		snprintf(body, sizeof(body), edits[i].body, ":ingress", "tc");
		snprintf(script, sizeof(script),
			"tc:%s tc:v0:ingress /tcp.dport == 9 && tcp.sport == 9/ { drop(); }", body);
		assert_true(one(script, &what, frames, n, kernel, KERN_X86_64) > 0);
		assert_true(one(script, &what, frames, n, false, KERN_RISCV64) > 0);
	}
}

static unsigned setting(const char *name, unsigned other)
{
	const char *v = getenv(name);

	return v ? (unsigned)strtoul(v, NULL, 10) : other;
}

/* SEED=n N=n in the environment choose what is tried. */
static void test_random(void **state)
{
	static struct frame frames[FRAMES_MOST];
	static const char *const hooks[] = {"xdp:v0", "tc:v0:ingress"};
	unsigned n = frames_for_edits(frames), seed = setting("SEED", 1), scripts = setting("N", 40), changed = 0;
	const char *why;
	bool kernel = kernel_allowed(BPF_PROG_TYPE_XDP, &why);

	(void)state;
	for (unsigned i = 0; i < scripts; i++) {
		struct script s;
		struct change what = {.made = &s};
		struct arena a;
		struct buf b;

		rng = (seed + i) * 0x9e3779b97f4a7c15ull | 1;
		some(2), some(2);
		arena_init(&a, NULL);
		buf_init(&b, &a);
		make_script(&s, &b, hooks[i % 2]);
		changed += one(b.p, &what, frames, n, kernel && i % 3, i % 3 ? KERN_X86_64 : KERN_RISCV64);
		arena_free(&a);
	}
	assert_true(changed > scripts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_edits), cmocka_unit_test(test_random)};

	return cmocka_run_group_tests_name("packet_edit", tests, NULL, NULL);
}
