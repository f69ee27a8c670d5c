/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Recursive descent over tcpdump's filters; each primitive becomes comparisons of header fields. A
 * field whose header is missing makes its comparison false, which is what tcpdump's primitives mean.
 */
#include "lang/pcap.h"
#include "kern/kern.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MOST 100

enum direction { SRC_OR_DST, SRC, DST, SRC_AND_DST };
enum kind { K_NONE, K_HOST, K_NET, K_PORT, K_PORTRANGE, K_PROTO };

/* What stands before a value; kept for "port 80 or 443". */
struct qualifiers {
	const char *proto; /* "" none */
	enum direction dir;
	enum kind kind;
};

struct pcap {
	struct arena *a;
	struct skep_diags *d;
	const char *text, *p; /* p: at the current word */
	size_t n;	      /* its length; 0 at the end */
	uint32_t base;
	struct qualifiers last;
	unsigned depth;
	unsigned sums; /* parentheses open around proto[offset] & mask */
	bool failed;
};

struct word {
	const char *word;
	int64_t value;
};
enum { TCP = 1 << 16, UDP = 2 << 16, BOTH = 0 }; /* above the port of a service */
static const struct word services[] = {
#define SERVICE(word, port, over) {word, (port) | (over)},
#include "lang/pcap.def"
};
static const struct word consts[] = {
#define CONST(word, value) {word, value},
#include "lang/pcap.def"
};
static const struct word ipprotos[] = {
#define IPPROTO(word, number) {word, number},
#include "lang/pcap.def"
};
static const struct {
	const char *word, *layer, *presence;
} protos[] = {
#define PROTO(word, layer, presence) {word, layer, presence},
#include "lang/pcap.def"
};
#define COUNT(x) (sizeof(x) / sizeof(*(x)))

/* ---- words ---- */

/* Addresses and names run on over ':', '.', '/' and '-'; operators and brackets are by themselves. */
static void next(struct pcap *c)
{
	static const char *const two[] = {"&&", "||", "==", "!=", "<=", ">=", "<<", ">>"};

	c->p += c->n;
	while (isspace((unsigned char)*c->p))
		c->p++;
	c->n = 0;
	while (isalnum((unsigned char)c->p[c->n]) || (c->p[c->n] && strchr("._:/-\\", c->p[c->n])))
		c->n++;
	if (c->n || !*c->p)
		return;
	c->n = 1;
	for (size_t i = 0; i < COUNT(two); i++) {
		if (!strncmp(c->p, two[i], 2))
			c->n = 2;
	}
}

static bool is(const struct pcap *c, const char *word)
{
	return strlen(word) == c->n && !strncmp(c->p, word, c->n);
}

static bool take(struct pcap *c, const char *word)
{
	if (!is(c, word))
		return false;
	next(c);
	return true;
}

static void error(struct pcap *c, const char *what, const char *hint)
{
	struct skep_span at = {c->base + (uint32_t)(c->p - c->text), (uint32_t)(c->n ? c->n : 1)};

	if (c->failed)
		return;
	c->failed = true;
	if (c->n)
		diag_hint(c->d,
			diag_error(c->d, at, DIAG_SYNTAX, "%s, found '%.*s'", what,
				(int)(c->n < 40 ? c->n : 40), c->p),
			"%s", hint);
	else
		diag_hint(c->d,
			diag_error(c->d, at, DIAG_SYNTAX, "%s, found the end of the filter", what),
			"%s", hint);
}

static const char *word_text(struct pcap *c)
{
	return arena_strndup(c->a, c->p, c->n);
}

static bool find_word(struct pcap *c, const struct word *list, size_t n, int64_t *value)
{
	for (size_t i = 0; i < n; i++) {
		if (is(c, list[i].word)) {
			*value = list[i].value;
			return true;
		}
	}
	return false;
}

/* A number that is the whole word, or a word of the list. */
static bool number(struct pcap *c, const struct word *list, size_t n, int64_t *value)
{
	const char *text = word_text(c);
	char *end;

	if (find_word(c, list, n, value)) {
		next(c);
		return true;
	}
	*value = (int64_t)strtoull(text, &end, 0);
	if (!c->n || !isdigit((unsigned char)*text) || *end || *value < 0 || *value > UINT32_MAX)
		return false;
	next(c);
	return true;
}

/* ---- pieces of the predicate ---- */

/* (A.src OP V || A.dst OP V), as the direction says. */
static const char *both_ways(struct pcap *c, enum direction dir, const char *src, const char *dst,
	const char *test)
{
	switch (dir) {
	case SRC:
		return arena_printf(c->a, "%s %s", src, test);
	case DST:
		return arena_printf(c->a, "%s %s", dst, test);
	case SRC_AND_DST:
		return arena_printf(c->a, "(%s %s && %s %s)", src, test, dst, test);
	default:
		return arena_printf(c->a, "(%s %s || %s %s)", src, test, dst, test);
	}
}

static const char *either(struct pcap *c, const char *x, const char *y)
{
	return arena_printf(c->a, "(%s || %s)", x, y);
}

/* "2:0:0:0:0:1" */
static bool mac_bytes(const char *text, unsigned b[6])
{
	for (int i = 0; i < 6; i++) {
		size_t n = strspn(text, "0123456789abcdefABCDEF");

		if (!n || n > 2 || text[n] != (i < 5 ? ':' : 0))
			return false;
		b[i] = (unsigned)strtoul(text, NULL, 16);
		text += n + 1;
	}
	return true;
}

static const char *mac(struct pcap *c, enum direction dir)
{
	unsigned b[6];
	const char *text = word_text(c);

	if (!mac_bytes(text, b)) {
		error(c, "expected a hardware address", "for instance ether host 02:00:00:00:00:01");
		return "";
	}
	next(c);
	return both_ways(c, dir, "eth.src", "eth.dst",
		arena_printf(c->a, "== %02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
			b[5]));
}

/* Is the protocol before a value one of these: " ip ip6 "? */
static bool proto_fits(struct pcap *c, const struct qualifiers *q, const char *list, const char *what,
	const char *hint)
{
	if (!*q->proto || strstr(list, arena_printf(c->a, " %s ", q->proto)))
		return true;
	error(c, what, hint);
	return false;
}

/* An address with its prefix: text as our language has it, and the family. False: reported. */
static bool address(struct pcap *c, bool net, const char **text, bool *six)
{
	char *slash, *end, *s = arena_strndup(c->a, c->p, c->n);
	uint8_t b[16];
	unsigned long bits;
	unsigned dots = 0;

	slash = strchr(s, '/');
	if (slash)
		*slash = 0;
	*six = strchr(s, ':') != NULL;
	bits = *six ? 128 : 32;
	for (const char *q = s; !*six && *q; q++)
		dots += *q == '.';
	if (net && !*six && dots < 3 && c->n) { /* "net 10", "net 192.168" */
		bits = 8ul * (dots + 1);
		for (; dots < 3; dots++)
			s = arena_printf(c->a, "%s.0", s);
	}
	if (inet_pton(*six ? AF_INET6 : AF_INET, s, b) != 1) {
		error(c, "expected an address", "names of hosts are not looked up: host 192.0.2.1");
		return false;
	}
	if (slash) {
		bits = strtoul(slash + 1, &end, 10);
		if (!net || !isdigit((unsigned char)slash[1]) || *end || bits > (*six ? 128 : 32)) {
			error(c, net ? "expected a prefix" : "expected one address",
				"for instance net 192.0.2.0/24, net 2001:db8::/32");
			return false;
		}
	}
	next(c);
	if (net && !*six && take(c, "mask")) {
		uint32_t m;

		if (inet_pton(AF_INET, word_text(c), &m) != 1) {
			error(c, "expected a mask", "for instance net 192.0.2.0 mask 255.255.255.0");
			return false;
		}
		m = ntohl(m);
		bits = m ? 32 - (unsigned)__builtin_ctz(m) : 0;
		if (m != (bits ? ~0u << (32 - bits) : 0)) {
			error(c, "expected a mask whose ones come first", "for instance 255.255.255.0");
			return false;
		}
		next(c);
	}
	*text = bits == (*six ? 128 : 32) ? arena_printf(c->a, "== %s", s)
					  : arena_printf(c->a, "in %s/%lu", s, bits);
	return true;
}

static const char *host(struct pcap *c, const struct qualifiers *q)
{
	const char *test, *ip, *arp;
	struct pcap at = *c;
	bool six;

	if (!strcmp(q->proto, "ether"))
		return mac(c, q->dir);
	if (!address(c, q->kind == K_NET, &test, &six) ||
		!proto_fits(&at, q, six ? " ip6 " : " ip arp ",
			"expected ip or arp before an address of IPv4, ip6 before one of IPv6",
			"other protocols by \"and\": tcp and host 192.0.2.1")) {
		c->failed = true;
		return "";
	}
	if (six)
		return both_ways(c, q->dir, "ip6.src", "ip6.dst", test);
	ip = both_ways(c, q->dir, "ip.src", "ip.dst", test);
	arp = both_ways(c, q->dir, "arp.spa", "arp.tpa", test);
	if (!strcmp(q->proto, "ip"))
		return ip;
	return !strcmp(q->proto, "arp") ? arp : either(c, ip, arp);
}

/* ---- ports, protocols ---- */

/* The port of a service is that of its own protocol. */
static bool port(struct pcap *c, const char **layer, int64_t *value)
{
	struct pcap before = *c;
	bool named = c->n && !isdigit((unsigned char)*c->p);

	if (number(c, services, COUNT(services), value) && (named || *value <= 65535)) {
		const char *own = *value & TCP ? "tcp" : *value & UDP ? "udp" : *layer;

		*value &= 65535;
		if (!strcmp(*layer, "l4") || !strcmp(own, *layer)) {
			*layer = own;
			return true;
		}
		*c = before;
		error(c, "expected a service of that protocol", "numbers are of both: udp port 22");
		return false;
	}
	*c = before;
	error(c, "expected a port, at most 65535", "a number or a name: port 80, port https");
	return false;
}

/* "80-90", which the reader of words leaves in one piece. */
static bool port_range(struct pcap *c, int64_t *lo, int64_t *hi)
{
	const char *text = word_text(c);
	char *end;

	*lo = strtoll(text, &end, 10);
	*hi = *end == '-' ? strtoll(end + 1, &end, 10) : -1;
	if (!c->n || !isdigit((unsigned char)*text) || *end || *hi < *lo || *hi > 65535) {
		error(c, "expected a range of ports", "for instance portrange 8000-8080");
		return false;
	}
	next(c);
	return true;
}

static const char *ports(struct pcap *c, const struct qualifiers *q)
{
	const char *layer = !strcmp(q->proto, "tcp") || !strcmp(q->proto, "udp") ? q->proto : "l4";
	int64_t lo, hi;
	const char *test, *x;

	if (!proto_fits(c, q, " tcp udp ip ip6 ", "expected tcp or udp before a port",
		    "ports are of TCP and UDP: port 80, udp port 53") ||
		(q->kind == K_PORTRANGE ? !port_range(c, &lo, &hi) : !port(c, &layer, &lo)))
		return "";
	test = q->kind == K_PORTRANGE ? arena_printf(c->a, "in %lld..%lld", (long long)lo, (long long)hi)
				      : arena_printf(c->a, "== %lld", (long long)lo);
	x = both_ways(c, q->dir, arena_printf(c->a, "%s.sport", layer),
		arena_printf(c->a, "%s.dport", layer), test);
	if (!strcmp(q->proto, "ip") || !strcmp(q->proto, "ip6"))
		return arena_printf(c->a, "(%s && %s)",
			*(q->proto + 2) ? "ip6.next in 0..255" : "ip.proto in 0..255", x);
	return x;
}

static const char *protocol(struct pcap *c, const struct qualifiers *q)
{
	static const struct word types[] = {{"ip", 0x800}, {"arp", 0x806}, {"ip6", 0x86dd},
		{"vlan", 0x8100}};
	int64_t v;
	bool ether = !strcmp(q->proto, "ether");

	if (!proto_fits(c, q, " ip ip6 ether ", "expected ip, ip6 or ether before the number of a protocol",
		    "for instance ip proto 47, proto gre"))
		return "";
	if (c->n && *c->p == '\\') { /* tcpdump wants \tcp where tcp is a word of its own */
		c->p++;
		c->n--;
	}
	if (!number(c, ether ? types : ipprotos, ether ? COUNT(types) : COUNT(ipprotos), &v)) {
		error(c, "expected a protocol", ether ? "for instance ether proto 0x88cc"
						      : "for instance ip proto 47, proto gre");
		return "";
	}
	if (ether)
		return v == 0x800 ? "ip.proto in 0..255"
		       : v == 0x806 ? "arp.op in 0..65535"
		       : v == 0x86dd ? "ip6.next in 0..255"
				     : arena_printf(c->a, "eth.type == %lld", (long long)v);
	if (!strcmp(q->proto, "ip"))
		return arena_printf(c->a, "ip.proto == %lld", (long long)v);
	if (!strcmp(q->proto, "ip6"))
		return arena_printf(c->a, "ip6.next == %lld", (long long)v);
	return arena_printf(c->a, "(ip.proto == %lld || ip6.next == %lld)", (long long)v, (long long)v);
}

/* ---- proto[offset:size] & mask RELATION value ---- */

/* "tcp-syn|tcp-ack" where it may be without parentheses, "(1 | 2)", numbers; -1 reported. */
static int64_t const_value(struct pcap *c, bool bare)
{
	bool paren = take(c, "(");
	int64_t sum = 0, v;

	do {
		if (!number(c, consts, COUNT(consts), &v)) {
			error(c, "expected a number", "for instance tcp[tcpflags] & tcp-syn != 0");
			return -1;
		}
		sum |= v;
	} while ((bare || paren) && take(c, "|"));
	if (paren && !take(c, ")")) {
		error(c, "expected ')'", "the parenthesis must be closed");
		return -1;
	}
	return sum;
}

/* The field of our table that lies there and has all bits of the mask; NULL. */
static const struct net_field *field_at(const char *layer, int64_t off, int64_t size, int64_t mask)
{
	int l = net_layer_by_name(layer);
	const struct net_field *f;

	for (unsigned i = 0; (f = net_field_at(i)); i++) {
		uint64_t bits = f->bits ? (UINT64_C(1) << f->bits) - 1 : UINT64_MAX;

		if ((int)f->layer == l && f->off == off && f->width == size && !f->shift &&
			(f->kind == NK_NUM || f->kind == NK_FLAG) &&
			(mask < 0 ? !f->bits : !((uint64_t)mask & ~bits)))
			return f;
	}
	return NULL;
}

static const char *relation(struct pcap *c)
{
	static const char *const list[] = {"==", "!=", "<=", ">=", "<", ">"};

	if (take(c, "="))
		return "==";
	for (size_t i = 0; i < COUNT(list); i++) {
		if (take(c, list[i]))
			return list[i];
	}
	error(c, "expected a comparison", "one of = == != < <= > >=");
	return "";
}

/* True for packets with that header. */
static const char *presence_of(const char *layer)
{
	return !strcmp(layer, "udp")   ? "udp.len in 0..65535"
	       : !strcmp(layer, "tcp") ? "tcp.doff in 0..15"
	       : !strcmp(layer, "icmp") ? "icmp.type in 0..255"
					: "icmp6.type in 0..255";
}

/* What lies behind the header of UDP, ICMP or ICMPv6 is payload; "" for other places. */
static const char *payload_at(struct pcap *c, const char *layer, int64_t off, int64_t size)
{
	bool eight = !strcmp(layer, "udp") || !strcmp(layer, "icmp") || !strcmp(layer, "icmp6");

	if (!eight || off < 8 || off > 1024 || (size != 1 && size != 2 && size != 4))
		return "";
	return arena_printf(c->a, "payload[%lld:%lld]", (long long)off - 8, (long long)size);
}

/* tcp[((tcp[12] & 0xf0) >> 2):4]: how tcpdump's users spell the payload of TCP. The words of it. */
static int64_t tcp_payload(struct pcap *c)
{
	static const char *const words[] = {"(", "(", "tcp", "[", "12", "]", "&", "0xf0", ")", ">>", "2", ")"};
	struct pcap before = *c;
	int64_t size;

	for (size_t i = 0; i < COUNT(words); i++) {
		if (!take(c, words[i]) && (strcmp(words[i], "12") || !take(c, "12:1"))) {
			*c = before;
			return 0;
		}
	}
	size = is(c, ":1") ? 1 : is(c, ":2") ? 2 : is(c, ":4") ? 4 : 0;
	if (size)
		next(c);
	else
		*c = before;
	return size;
}

static const char *bytes_of(struct pcap *c, const char *layer)
{
	const char *start = c->p, *rel, *what = "";
	int64_t off, size = 1, mask = -1, v;
	const struct net_field *f;
	const char *text, *colon;

	if (!strcmp(layer, "tcp") && (size = tcp_payload(c))) {
		what = arena_printf(c->a, "payload[0:%lld]", (long long)size);
		off = -1;
	}
	size = size ? size : 1;
	text = arena_strndup(c->a, c->p, c->n); /* "8:2" is one word */
	colon = strchr(text, ':');
	if (*what) {
		colon = NULL;
	} else if (colon) {
		char *end, *end2;

		off = strtoll(text, &end, 0);
		size = strtoll(colon + 1, &end2, 0);
		if (end != colon || *end2 || colon == text)
			size = 0;
		next(c);
	} else if (!number(c, consts, COUNT(consts), &off)) {
		error(c, "expected an offset", "for instance tcp[13], ip[8], tcp[tcpflags]");
		return "";
	}
	if (!take(c, "]")) {
		error(c, "expected ']'", "for instance ip[6:2]");
		return "";
	}
	if (take(c, "&") && (mask = const_value(c, false)) < 0)
		return "";
	if (is(c, "|")) { /* & and | bind alike: (tcp[13] & 2) | 16 */
		error(c, "expected a comparison", "in parentheses: tcp[tcpflags] & (tcp-syn|tcp-ack) != 0");
		return "";
	}
	for (; c->sums && take(c, ")"); c->sums--)
		;
	rel = relation(c);
	v = *rel ? const_value(c, true) : -1;
	if (v < 0)
		return "";
	what = *what ? what : payload_at(c, layer, off, size);
	f = *what ? NULL : field_at(layer, off, size, mask);
	if (f)
		what = f->name;
	if (!*what) {
		c->n = (size_t)(c->p - start);
		c->p = start;
		error(c, "these bytes of the header have no name that skep knows",
			"rules in skep's own language read all fields: tcp.flags, ip.ttl, payload");
		return "";
	}
	text = f ? "" : arena_printf(c->a, "%s && ", presence_of(layer));
	if (mask < 0)
		return arena_printf(c->a, "%s%s %s %lld", text, what, rel, (long long)v);
	return arena_printf(c->a, "%s(%s & %lld) %s %lld", text, what, (long long)mask, rel, (long long)v);
}

/* ---- primitives ---- */

static bool direction(struct pcap *c, enum direction *dir)
{
	bool src = is(c, "src");

	if (!src && !is(c, "dst"))
		return false;
	next(c);
	*dir = src ? SRC : DST;
	if (src && (is(c, "or") || is(c, "and"))) {
		struct pcap before = *c;
		bool and = is(c, "and");

		next(c);
		if (take(c, "dst"))
			*dir = and ? SRC_AND_DST : SRC_OR_DST;
		else
			*c = before;
	}
	return true;
}

static bool kind_word(struct pcap *c, enum kind *kind)
{
	static const char *const kinds[] = {[K_HOST] = "host", [K_NET] = "net", [K_PORT] = "port",
		[K_PORTRANGE] = "portrange", [K_PROTO] = "proto"};

	for (unsigned i = K_HOST; i <= K_PROTO; i++) {
		if (take(c, kinds[i])) {
			*kind = i;
			return true;
		}
	}
	return false;
}

static const char *value(struct pcap *c, struct qualifiers q)
{
	if (!c->n) {
		error(c, "expected a value", "for instance host 192.0.2.1, tcp port 80");
		return "";
	}
	c->last = q;
	switch (q.kind) {
	case K_PORT:
	case K_PORTRANGE:
		return ports(c, &q);
	case K_PROTO:
		return protocol(c, &q);
	default:
		return host(c, &q);
	}
}

static const char *casting(struct pcap *c, const char *proto)
{
	bool broad = is(c, "broadcast");

	if (!broad && strcmp(proto, "ip") && strcmp(proto, "ip6")) {
		error(c, "not supported: multicast by hardware address",
			"ip multicast, ip6 multicast and ether broadcast are");
		return "";
	}
	next(c);
	if (!strcmp(proto, "ip6"))
		return "ip6.dst in ff00::/8";
	if (!strcmp(proto, "ip"))
		return broad ? "ip.dst == 255.255.255.255" : "ip.dst in 224.0.0.0/3" /* as tcpdump's */;
	return "eth.dst == ff:ff:ff:ff:ff:ff";
}

static const char *length(struct pcap *c)
{
	bool less = is(c, "less"), greater = is(c, "greater");
	const char *rel = less ? "<=" : ">=";
	int64_t v;

	next(c);
	if (!less && !greater)
		rel = relation(c);
	if (!*rel || !number(c, NULL, 0, &v)) {
		error(c, "expected a number of bytes", "for instance greater 1000, len > 1000");
		return "";
	}
	return arena_printf(c->a, "pkt.len %s %lld", rel, (long long)v);
}

static const char *vlan(struct pcap *c)
{
	struct pcap before = *c;
	int64_t v;

	if (!c->n || !isdigit((unsigned char)*c->p))
		return "vlan.id in 0..4095";
	if (!number(c, NULL, 0, &v) || v > 4095) {
		*c = before;
		error(c, "expected the number of a VLAN", "they end at 4095: vlan 100");
		return "";
	}
	return arena_printf(c->a, "vlan.id == %lld", (long long)v);
}

static bool starts_value(const struct pcap *c)
{
	return c->n && (isdigit((unsigned char)*c->p) || memchr(c->p, ':', c->n));
}

/* A protocol's word: alone, before qualifiers, or before brackets. */
static const char *after_proto(struct pcap *c, size_t i)
{
	struct qualifiers q = {.proto = protos[i].word};
	bool dir;

	if (!protos[i].layer)
		return protos[i].presence;
	if (take(c, "["))
		return bytes_of(c, protos[i].layer);
	if (is(c, "broadcast") || is(c, "multicast"))
		return casting(c, q.proto);
	dir = direction(c, &q.dir);
	if (kind_word(c, &q.kind) || dir || starts_value(c))
		return value(c, q);
	return protos[i].presence;
}

static const char *primitive(struct pcap *c)
{
	struct qualifiers q = {.proto = ""};
	bool dir;

	for (size_t i = 0; i < COUNT(protos); i++) {
		if (take(c, protos[i].word))
			return after_proto(c, i);
	}
	if (take(c, "vlan"))
		return vlan(c);
	if (is(c, "less") || is(c, "greater") || is(c, "len"))
		return length(c);
	if (is(c, "broadcast") || is(c, "multicast"))
		return casting(c, "");
	dir = direction(c, &q.dir);
	if (kind_word(c, &q.kind) || dir)
		return value(c, q);
	if (c->last.kind || starts_value(c)) /* "port 80 or 443" */
		return value(c, c->last.kind ? c->last : (struct qualifiers){.proto = "", .kind = K_HOST});
	error(c, "expected what to look for",
		"for instance host 192.0.2.1, net 10.0.0.0/8, tcp port 80, icmp, vlan 100");
	return "";
}

static const char *alternatives(struct pcap *c);

/* "(tcp[13] & 2) != 0": at the word behind a '(', is a comparison behind its ')'? */
static bool around_sum(struct pcap *c)
{
	struct pcap before = *c;
	unsigned open = 1;
	bool sum;

	for (; open && c->n; next(c)) {
		if (is(c, "("))
			open++;
		else if (is(c, ")"))
			open--;
	}
	for (open = before.sums; open && take(c, ")"); open--)
		;
	sum = c->n && strchr("=!<>", *c->p) && !is(c, "!");
	*c = before;
	return sum;
}

static const char *term(struct pcap *c)
{
	const char *x;

	if (c->failed)
		return "";
	if (c->depth >= DEPTH_MOST) {
		error(c, "expected less nesting", "at most 100 deep");
		return "";
	}
	c->depth++;
	if (take(c, "not") || take(c, "!")) {
		x = arena_printf(c->a, "!(%s)", term(c));
	} else if (take(c, "(")) {
		if (around_sum(c)) {
			c->sums++;
			x = term(c);
		} else {
			x = arena_printf(c->a, "(%s)", alternatives(c));
			if (!take(c, ")"))
				error(c, "expected ')'", "the parenthesis must be closed");
		}
	} else {
		x = primitive(c);
	}
	c->depth--;
	return x;
}

/* Parentheses only where "and" follows "or" or the other way round: long lists stay flat. */
static const char *alternatives(struct pcap *c)
{
	VEC(const char *) terms = {0};
	VEC(bool) ands = {0};
	unsigned turns = 0;
	struct buf b;

	vec_push(c->a, &terms, term(c));
	while (!c->failed && c->n && !is(c, ")")) {
		bool and = is(c, "and") || is(c, "&&");

		if (!and && !is(c, "or") && !is(c, "||")) {
			error(c, "expected 'and' or 'or'", "for instance tcp port 80 and host 192.0.2.1");
			break;
		}
		next(c);
		turns += ands.n && ands.v[ands.n - 1] != and;
		vec_push(c->a, &ands, and);
		vec_push(c->a, &terms, term(c));
	}
	buf_init(&b, c->a);
	buf_puts(&b, "");
	for (unsigned i = 0; i < turns; i++)
		buf_putc(&b, '(');
	buf_puts(&b, terms.v[0]);
	for (uint32_t i = 0; i < ands.n; i++) {
		if (i && ands.v[i] != ands.v[i - 1])
			buf_putc(&b, ')');
		buf_printf(&b, " %s %s", ands.v[i] ? "&&" : "||", terms.v[i + 1]);
	}
	return b.p;
}

bool pcap_translate(struct arena *a, struct skep_diags *d, const char *name, const char *text,
	struct buf *out)
{
	struct pcap c = {.a = a, .d = d, .text = text, .p = text};
	const char *predicate;

	c.base = diags_add_source(d, name, text, strlen(text));
	next(&c);
	predicate = alternatives(&c);
	if (!c.failed && c.n)
		error(&c, "expected the end of the filter", "there is a ')' too many");
	if (c.failed)
		return false;
	buf_puts(out, predicate);
	return true;
}
