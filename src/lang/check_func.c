/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Functions that give values: their arguments, and the type of what comes out. */
#include "lang/check.h"
#include <arpa/inet.h>
#include <string.h>
#include <sys/stat.h>

#define SCAN_UNROLLED 30000 /* the same for kernels that take no variable index into the stack */
#define SCAN_MOST 200000 /* instructions that a search through a string may take: ir/check_loop.c */

static struct expr *arg(const struct expr *e, uint32_t i)
{
	return i < e->u.call.args.list.n ? e->u.call.args.list.v[i] : NULL;
}

/* Checks all arguments; false when their number is wrong or one was reported. */
static bool take(struct check *c, struct expr *e, uint32_t min, uint32_t max)
{
	bool ok = count_args(c, e, min, max);

	e->type.kind = LT_UNKNOWN;
	for (uint32_t i = 0; ok && i < e->u.call.args.list.n; i++) {
		check_expr(c, arg(e, i));
		if (arg(e, i)->type.kind == LT_UNKNOWN)
			ok = false;
	}
	return ok;
}

static const char *what_arg(struct check *c, const struct expr *e, const char *which)
{
	return arena_printf(c->a, "the %s of %s()", which, e->u.call.name);
}

static void wrong_arg(struct check *c, struct expr *e, const struct expr *a, const char *wanted)
{
	c_hint(c,
		c_error(c, a->span, DIAG_WRONG_TYPE, "%s() takes %s, this is %s", e->u.call.name,
			wanted, c_type(c, &a->type)),
		"%s(%s)", e->u.call.name, builtin_row((enum builtin_id)e->ref.u.builtin)->args);
}

/* ---- numbers ---- */

static void check_bswap(struct check *c, struct expr *e)
{
	struct expr *a;
	uint32_t size;

	if (!take(c, e, 1, 1) || !check_int(c, arg(e, 0), what_arg(c, e, "argument")))
		return;
	a = arg(e, 0);
	switch ((enum builtin_id)e->ref.u.builtin) {
	case BI_F_HTONS:
	case BI_F_NTOHS:
		size = 2;
		break;
	case BI_F_HTONL:
	case BI_F_NTOHL:
		size = 4;
		break;
	default:
		size = check_written_size(a);
		break;
	}
	if (a->is_const)
		set_const(e, size == 8	 ? __builtin_bswap64(a->const_value)
			     : size == 4 ? __builtin_bswap32((uint32_t)a->const_value)
			     : size == 2 ? __builtin_bswap16((uint16_t)a->const_value)
					 : (uint8_t)a->const_value,
			false);
	e->type = lt_int(size, false);
}

/* A number that prints as a name. */
static void check_coded(struct check *c, struct expr *e)
{
	bool filtered = e->ref.u.builtin == BI_F_CGROUP_PATH;

	if (!take(c, e, 1, filtered ? 2 : 1) || !check_int(c, arg(e, 0), what_arg(c, e, "argument")))
		return;
	if (arg(e, 1) && (arg(e, 1)->kind != EX_STR || strcmp(arg(e, 1)->u.str.s, "unified") != 0)) {
		c_hint(c,
			c_error(c, arg(e, 1)->span, DIAG_WRONG_ARGS,
				"cgroup_path() knows the hierarchy \"unified\" only"),
			"leave the second argument out");
		return;
	}
	e->type = lt_of(LT_CODED, 8);
	switch ((enum builtin_id)e->ref.u.builtin) {
	case BI_F_STRERROR:
		e->type.coded = MK_STRERROR;
		break;
	case BI_F_SYSCALL_NAME:
		e->type.coded = MK_SYSCALL;
		break;
	case BI_F_CGROUP_PATH:
		e->type.coded = MK_CGROUP_PATH;
		break;
	default:
		e->type.coded = MK_SIGNAL;
		break;
	}
}

static void suggest_reg(const char *name, void *arg)
{
	suggest_try(arg, name);
}

static void check_reg(struct check *c, struct expr *e)
{
	struct expr *name = arg(e, 0);
	struct suggest s;
	struct diag *d;

	if (!take(c, e, 1, 1))
		return;
	if (name->kind != EX_STR) {
		wrong_arg(c, e, name, "the name of a register");
		return;
	}
	if (kern_reg_off(c->t->arch, name->u.str.s) < 0) {
		d = c_error(c, name->span, DIAG_UNKNOWN_NAME, "%s has no register '%.60s'",
			kern_arch_name(c->t->arch), name->u.str.s);
		suggest_init(&s, name->u.str.s);
		kern_each_reg(c->t->arch, suggest_reg, &s);
		if (suggest_best(&s))
			c_hint(c, d, "did you mean reg(\"%s\")?", suggest_best(&s));
		return;
	}
	e->type = lt_int(8, false);
}

static void check_cgroupid(struct check *c, struct expr *e)
{
	struct expr *path = arg(e, 0);
	struct stat st;

	if (!take(c, e, 1, 1))
		return;
	if (path->kind != EX_STR) {
		wrong_arg(c, e, path, "the path of a cgroup");
		return;
	}
	if (!c->t->host) {
		c_hint(c,
			c_error(c, e->span, DIAG_NOT_SUPPORTED,
				"cgroupid() asks the machine it is compiled on, not the target"),
			"compare 'cgroup' with the number that `stat -c %%i DIRECTORY` gives there");
		return;
	}
	if (stat(path->u.str.s, &st) || !S_ISDIR(st.st_mode)) {
		c_hint(c,
			c_error(c, path->span, DIAG_UNKNOWN_NAME, "there is no cgroup '%.200s'",
				path->u.str.s),
			"for instance: cgroupid(\"/sys/fs/cgroup/system.slice\")");
		return;
	}
	set_const(e, st.st_ino, false);
}

/* uptr(p), kptr(p): where a pointer or a number points to. */
static void check_space(struct check *c, struct expr *e)
{
	const struct expr *a;

	if (!take(c, e, 1, 1) || !check_number(c, arg(e, 0), what_arg(c, e, "argument")))
		return;
	a = arg(e, 0);
	e->type = a->type;
	if (a->type.kind == LT_INT)
		e->type = lt_of(LT_PTR, 8);
	lt_forget(&e->type);
	e->type.space =
		e->ref.u.builtin == BI_F_UPTR ? SPACE_USER : SPACE_KERNEL;
}

/* "KILL", "SIGKILL", in either case. 0: there is none. */
static uint64_t signal_by_name(const struct check *c, const char *name)
{
	char full[16] = "SIG";
	size_t n = strncasecmp(name, full, 3) ? 3 : 0;
	int64_t number = 0;

	for (; *name && n < sizeof(full) - 1; name++)
		full[n++] = (char)(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name);
	return !*name && kern_const(c->t->arch, full, &number) ? (uint64_t)number : 0;
}

static void check_signal(struct check *c, struct expr *e)
{
	struct expr *a = arg(e, 0);

	if (!take(c, e, 1, 1))
		return;
	if (a->kind == EX_STR) {
		uint64_t n = signal_by_name(c, a->u.str.s);

		if (!n) {
			c_hint(c,
				c_error(c, a->span, DIAG_UNKNOWN_NAME, "unknown signal '%.60s'",
					a->u.str.s),
				"for instance: signal(\"KILL\"), signal(9)");
			return;
		}
		a->const_value = n;
	} else if (!check_int(c, a, "the signal")) {
		return;
	} else if (a->is_const && (a->const_value < 1 || a->const_value > 64)) {
		c_error(c, a->span, DIAG_CONST_RANGE, "signals have the numbers 1 to 64");
		return;
	}
	if (c_needs_unsafe(c, e))
		e->type = lt_of(LT_NONE, 0);
}

static void check_override(struct check *c, struct expr *e)
{
	if (take(c, e, 1, 1) && check_int(c, arg(e, 0), "the value to return") &&
		c_needs_unsafe(c, e))
		e->type = lt_of(LT_NONE, 0);
}

/* ---- addresses ---- */

static bool is_bytes(const struct lt *t, uint32_t size)
{
	return (t->kind == LT_ARRAY || t->kind == LT_STR || t->kind == LT_STRUCT) && t->size == size;
}

static void check_ntop(struct check *c, struct expr *e)
{
	struct expr *a;

	if (!take(c, e, 1, 2))
		return;
	a = arg(e, e->u.call.args.list.n - 1);
	if (arg(e, 1) && !check_int(c, arg(e, 0), "the address family"))
		return;
	switch (a->type.kind) {
	case LT_INT:
	case LT_INET:
	case LT_INET4:
	case LT_INET6:
	case LT_PTR:
		break;
	default:
		if (is_bytes(&a->type, 4) || is_bytes(&a->type, 16))
			break;
		wrong_arg(c, e, a, "a number or 4 or 16 bytes");
		return;
	}
	if (a->type.kind == LT_PTR && !(arg(e, 1) && arg(e, 0)->is_const)) {
		c_hint(c,
			c_error(c, a->span, DIAG_WRONG_TYPE,
				"ntop() of a pointer needs a constant address family"),
			"ntop(AF_INET, pointer) reads 4 bytes, ntop(AF_INET6, pointer) 16");
		return;
	}
	e->type = lt_of(LT_INET, 20);
}

/* The text becomes the address itself. */
static void check_pton(struct check *c, struct expr *e)
{
	struct expr *a = arg(e, 0);
	uint8_t bytes[16];
	unsigned family;

	if (!take(c, e, 1, 1))
		return;
	if (a->kind != EX_STR) {
		wrong_arg(c, e, a, "the text of an address");
		return;
	}
	family = strchr(a->u.str.s, ':') ? 6 : 4;
	if (inet_pton(family == 6 ? AF_INET6 : AF_INET, a->u.str.s, bytes) != 1) {
		c_hint(c,
			c_error(c, a->span, DIAG_BAD_NUMBER, "'%.60s' is no IP address", a->u.str.s),
			"for instance: pton(\"10.0.0.1\"), pton(\"::1\")");
		return;
	}
	e->kind = EX_ADDR;
	e->ref.kind = REF_NONE;
	memcpy(e->u.addr.bytes, bytes, sizeof(bytes));
	e->u.addr.family = (uint8_t)family;
	e->u.addr.prefix = family == 6 ? 128 : 32;
	check_expr(c, e);
}

static void check_macaddr(struct check *c, struct expr *e)
{
	const struct lt *t;

	if (!take(c, e, 1, 1))
		return;
	t = &arg(e, 0)->type;
	if (!is_bytes(t, 6) && !(arg(e, 0)->kind == EX_STR && arg(e, 0)->u.str.n == 6) && t->kind != LT_PTR && t->kind != LT_INT && t->kind != LT_MAC) {
		wrong_arg(c, e, arg(e, 0), "6 bytes or their address");
		return;
	}
	e->type = lt_of(LT_MAC, 6);
}

/* ---- bytes and strings ---- */

/* How many bytes a function copies: a constant, or as many as a number says at run time. */
static bool length_arg(struct check *c, struct expr *e, struct expr *n, uint32_t *size)
{
	if (!check_int(c, n, what_arg(c, e, "length")))
		return false;
	if (!n->is_const)
		return true;
	if (!check_const(c, n, arena_printf(c->a, "size of %s()", e->u.call.name), 0, INT32_MAX))
		return false;
	if (n->const_value < *size)
		*size = (uint32_t)n->const_value;
	return true;
}

static void check_buf(struct check *c, struct expr *e)
{
	struct expr *a = arg(e, 0), *n = arg(e, 1);
	uint32_t size = c->s->config.max_strlen;
	bool bytes;

	if (!take(c, e, 1, 2))
		return;
	bytes = a->type.kind == LT_ARRAY || a->type.kind == LT_STRUCT || a->type.kind == LT_STR;
	if (!bytes && a->type.kind != LT_PTR && a->type.kind != LT_INT) {
		wrong_arg(c, e, a, "a pointer or an array");
		return;
	}
	if (bytes && a->type.size && a->type.size < size)
		size = a->type.size;
	if (!n && !(bytes && a->type.size)) {
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_ARGS, "buf() of a pointer needs a length"),
			"write buf(pointer, 16)");
		return;
	}
	if (n && !length_arg(c, e, n, &size))
		return;
	e->type = lt_of(LT_BUF, size ? size : 1);
}

static bool string_arg(struct check *c, struct expr *e, uint32_t i)
{
	if (arg(e, i)->type.kind == LT_STR)
		return true;
	wrong_arg(c, e, arg(e, i), "strings");
	return false;
}

static void check_strlen(struct check *c, struct expr *e)
{
	if (!take(c, e, 1, 1) || !string_arg(c, e, 0))
		return;
	e->type = lt_int(8, false);
	if (arg(e, 0)->kind == EX_STR)
		set_const(e, strnlen(arg(e, 0)->u.str.s, arg(e, 0)->u.str.n), false);
}

static void check_strncmp(struct check *c, struct expr *e)
{
	if (!take(c, e, 3, 3) || !string_arg(c, e, 0) || !string_arg(c, e, 1) ||
		!check_const(c, arg(e, 2), "length of strncmp()", 0, MAX_STRLEN_MOST))
		return;
	e->type = lt_int(8, false);
}

/* strcontains(text, part), strstr(text, part) */
static void check_search(struct check *c, struct expr *e)
{
	uint64_t cost;

	if (!take(c, e, 2, 2) || !string_arg(c, e, 0) || !string_arg(c, e, 1))
		return;
	cost = (uint64_t)arg(e, 0)->type.size * (arg(e, 1)->type.size * 6 + 8);
	if (cost > SCAN_MOST) {
		c_hint(c,
			c_error(c, e->span, DIAG_TOO_BIG,
				"searching %u bytes for up to %u takes more steps than the kernel "
				"allows",
				arg(e, 0)->type.size, arg(e, 1)->type.size),
			"say how long they are: str(pointer, 64)");
		return;
	}
	if (c->t->version < KV(5, 12) && cost > SCAN_UNROLLED) {
		c_unsupported(c, e->span,
			arena_printf(c->a, "%s() of long strings on kernels before 5.12 is",
				e->u.call.name),
			"say how long they are: str(pointer, 32)");
		return;
	}
	e->type = e->ref.u.builtin == BI_F_STRCONTAINS ? lt_bool() : lt_int(8, true);
}

/* btf_allowlist_d_path, kernel/trace/bpf_trace.c; security hooks and iterators besides. */
static bool has_paths(const struct attach_point *ap)
{
	static const char *const functions[] = {"dentry_open", "filp_close", "security_file_open",
		"security_file_permission", "security_inode_getattr", "security_path_truncate",
		"vfs_fallocate", "vfs_getattr", "vfs_truncate"};

	if (ap->kind != PROBE_FENTRY && ap->kind != PROBE_FEXIT)
		return true;
	for (unsigned i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		if (ap->func && !strcmp(ap->func, functions[i]))
			return true;
	}
	return false;
}

/* A struct path that lies in what an argument points to, or is that: the kernel has to know it. */
static bool known_path(struct check *c, const struct expr *a)
{
	const struct lt *t = &a->type;

	if ((t->kind != LT_STRUCT && t->kind != LT_PTR) || !t->btf ||
		strcmp(kbtf_name(c->btf, kbtf_strip(c->btf, t->btf)), "path") != 0)
		return false;
	while (a->kind == EX_FIELD && a->ref.kind == REF_MEMBER && a->type.kind == LT_STRUCT)
		a = a->u.field.base;
	return a->ref.kind == REF_TRACEDARG && a->type.kind == LT_PTR && a->type.typed;
}

/* path(args.file.f_path) */
static void check_path(struct check *c, struct expr *e)
{
	uint32_t size = c->s->config.max_strlen;

	if (!take(c, e, 1, 2) || (arg(e, 1) && !length_arg(c, e, arg(e, 1), &size)))
		return;
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		const struct attach_point *ap = &c->probe->points.v[i];

		if (ap->kind == PROBE_COUNT || ap->missing || has_paths(ap))
			continue;
		c_hint(c,
			c_error(c, e->span, DIAG_WRONG_PROBE, "the kernel does not allow path() in %s",
				ap->name),
			"it does in iterators, security hooks and fentry:filp_close, security_file_open, "
			"dentry_open, vfs_truncate, vfs_fallocate, vfs_getattr");
		return;
	}
	if (c_is_kind(c, PP_ITER) && c->t->version && c->t->version < KV(5, 12)) {
		c_error(c, e->span, DIAG_NO_KERNEL_FEATURE,
			"path() in iterators needs Linux 5.12, the target is %u.%u", c->t->version >> 16,
			c->t->version >> 8 & 255);
		return;
	}
	if (!known_path(c, arg(e, 0))) {
		wrong_arg(c, e, arg(e, 0), "a struct path of an argument, as args.file.f_path");
		return;
	}
	if (arg(e, 1) && !arg(e, 1)->is_const) {
		c_unsupported(c, arg(e, 1)->span, "a size of path() that is no constant is", NULL);
		return;
	}
	e->type = lt_str(size ? size : 1);
}

/* socket_cookie(args.sk) */
static void check_cookie(struct check *c, struct expr *e)
{
	static const char *const sockets[] = {"inet_connection_sock", "inet_sock", "sock",
		"sock_common", "tcp_sock", "udp_sock", "unix_sock"};
	const struct expr *a = arg(e, 0);
	const char *name = "";
	bool ok = false;

	if (!take(c, e, 1, 1))
		return;
	if (a->type.kind == LT_PTR && a->type.btf && a->type.typed && a->ref.kind == REF_TRACEDARG)
		name = kbtf_name(c->btf, kbtf_strip(c->btf, a->type.btf));
	for (unsigned i = 0; i < sizeof(sockets) / sizeof(*sockets); i++)
		ok |= !strcmp(name, sockets[i]);
	if (!ok)
		wrong_arg(c, e, a, "an argument of the function that is a socket, as args.sk");
	else if (c->t->version < KV(5, 12))
		c_unsupported(c, e->span, "socket_cookie() on kernels before 5.12 is",
			"the address of the socket tells them apart: (uint64)args.sk");
	else
		e->type = lt_int(8, false);
}

/* strcap(text, n): its first n bytes. */
static void check_strcap(struct check *c, struct expr *e)
{
	uint32_t size;

	if (e->u.call.args.list.n == 1) { /* bpftrace's: the room it has */
		if (take(c, e, 1, 1) && string_arg(c, e, 0))
			set_const(e, arg(e, 0)->kind == EX_STR ? arg(e, 0)->u.str.n : arg(e, 0)->type.size,
				false);
		return;
	}
	if (!take(c, e, 2, 2) || !string_arg(c, e, 0) ||
		!check_const(c, arg(e, 1), "size of strcap()", 1, MAX_STRLEN_MOST - 1))
		return;
	size = (uint32_t)arg(e, 1)->const_value + 1;
	e->type = lt_str(arg(e, 0)->type.size < size ? arg(e, 0)->type.size : size);
}

static void check_memcmp(struct check *c, struct expr *e)
{
	if (!take(c, e, 3, 3) || !check_const(c, arg(e, 2), "length of memcmp()", 1, 256))
		return;
	for (uint32_t i = 0; i < 2; i++) {
		const struct lt *t = &arg(e, i)->type;

		if (t->kind != LT_PTR && t->kind != LT_ARRAY && t->kind != LT_STRUCT &&
			t->kind != LT_STR) {
			wrong_arg(c, e, arg(e, i), "pointers and arrays");
			return;
		}
		if (t->kind != LT_PTR && t->size < arg(e, 2)->const_value) {
			c_error(c, arg(e, i)->span, DIAG_CONST_RANGE, "it has only %u bytes", t->size);
			return;
		}
	}
	e->type = lt_int(8, true);
}

/* nsecs(), nsecs(monotonic) …; pid(), pid(curr_ns) */
static bool word_arg(struct check *c, struct expr *e, const char *const *words, unsigned *which)
{
	struct expr *a = arg(e, 0);
	struct buf b;

	*which = 0;
	e->type.kind = LT_UNKNOWN;
	if (!count_args(c, e, 0, 1))
		return false;
	if (!a)
		return true;
	buf_init(&b, c->a);
	for (unsigned i = 0; words[i]; i++) {
		if (a->kind == EX_NAME && !strcmp(a->u.name, words[i])) {
			*which = i;
			return true;
		}
		buf_printf(&b, "%s%s(%s)", i ? ", " : "", e->u.call.name, words[i]);
	}
	c_hint(c, c_error(c, a->span, DIAG_WRONG_ARGS, "%s() has no such form", e->u.call.name),
		"there are %s", b.p);
	return false;
}

static void check_nsecs(struct check *c, struct expr *e)
{
	static const char *const clocks[] = {"boot", "monotonic", "tai", "sw_tai", NULL};
	unsigned clock;

	if (!word_arg(c, e, clocks, &clock))
		return;
	if ((clock == 3 && (!c->t->host || c->s->portable)) || (clock == 2 && c->t->version < KV(6, 1))) {
		c_unsupported(c, e->span,
			clock == 3 ? "the clock 'sw_tai' of another machine is"
				   : "the clock 'tai' on kernels before 6.1 is",
			clock == 3 ? "nsecs(tai) asks the kernel, since 6.1"
				   : "nsecs(sw_tai) adds what the clocks are apart now");
		return;
	}
	e->type = lt_int(8, false);
	e->const_value = clock;
}

static void check_pid(struct check *c, struct expr *e)
{
	static const char *const spaces[] = {"init", "curr_ns", NULL};
	unsigned space;

	if (!word_arg(c, e, spaces, &space))
		return;
	if (space && !c->t->host) {
		c_unsupported(c, e->span, "the current namespace of another machine is",
			"compile where the script runs");
		return;
	}
	e->type = lt_int(4, false);
	e->const_value = space;
}

check_fn check_value_func(enum builtin_id id)
{
	switch (id) {
	case BI_F_BSWAP:
	case BI_F_HTONL:
	case BI_F_HTONS:
	case BI_F_NTOHL:
	case BI_F_NTOHS:
		return check_bswap;
	case BI_F_STRERROR:
	case BI_F_SYSCALL_NAME:
	case BI_F_SIGNAL_NAME:
	case BI_F_CGROUP_PATH:
		return check_coded;
	case BI_F_REG:
		return check_reg;
	case BI_F_CGROUPID:
		return check_cgroupid;
	case BI_F_SIZEOF:
		return check_sizeof;
	case BI_F_OFFSETOF:
		return check_offsetof;
	case BI_F_UPTR:
	case BI_F_KPTR:
		return check_space;
	case BI_F_SIGNAL:
	case BI_F_SIGNAL_THREAD:
		return check_signal;
	case BI_F_OVERRIDE:
		return check_override;
	case BI_F_NTOP:
		return check_ntop;
	case BI_F_PTON:
		return check_pton;
	case BI_F_MACADDR:
		return check_macaddr;
	case BI_F_BUF:
		return check_buf;
	case BI_F_STRLEN:
		return check_strlen;
	case BI_F_STRNCMP:
		return check_strncmp;
	case BI_F_STRCONTAINS:
	case BI_F_STRSTR:
		return check_search;
	case BI_F_NSECS:
		return check_nsecs;
	case BI_F_PID:
	case BI_F_TID:
		return check_pid;
	case BI_F_PATH:
		return check_path;
	case BI_F_SOCKET_COOKIE:
		return check_cookie;
	case BI_F_STRCAP:
		return check_strcap;
	case BI_F_MEMCMP:
		return check_memcmp;
	default:
		return sugar_func(id);
	}
}

/* ---- values ---- */

static void coded(struct expr *e, enum meta_kind kind)
{
	e->type = lt_of(LT_CODED, 8);
	e->type.coded = kind;
}

bool check_special_value(struct check *c, struct expr *e, enum builtin_id id)
{
	switch (id) {
	case BI_USERNAME:
		coded(e, MK_USERNAME);
		return true;
	case BI_PROBETYPE:
		e->type = lt_str(16);
		return true;
	case BI_HAS_CPID:
		set_const(e, c->s->cpid != 0, true);
		e->type = lt_bool();
		return true;
	case BI_CTX:
		e->type = lt_of(LT_PTR, 8);
		return true;
	case BI_NCPUS:
		if (c->t->ncpus)
			set_const(e, c->t->ncpus, true);
		else
			c_unsupported(c, e->span, "'ncpus' of an unknown machine is",
				"write the number itself");
		return true;
	default:
		return sugar_task(c, e, id);
	}
}
