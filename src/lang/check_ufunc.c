/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attach points in user space: files, functions, addresses, statically defined probes. */
#include "lang/check.h"
#include "base/glob.h"
#include "kern/uelf.h"
#include <stdlib.h>
#include <string.h>

/* The files a part means, in full; none: a missing probe, reported. */
const char **find_files(struct check *c, struct attach_point *ap)
{
	const char *why, **files;
	struct diag *e;

	if (!c->t->host)
		return ARENA_NEW(c->a, const char *);
	files = ufile_each(c->a, ap->parts.v[0], c->s->pid ? c->s->pid : c->s->cpid, &why);
	if (*files)
		return files;
	e = missing_probe(c, ap, ap->part_spans.v[0],
		arena_printf(c->a, "cannot find '%.200s': %s", ap->parts.v[0], why));
	if (e && !strchr(ap->parts.v[0], '/'))
		c_hint(c, e, "write the path of the program or library: %s:/usr/bin/bash:readline",
			kern_probe(ap->kind)->name);
	return files;
}

/* An open file, kept until the end of the compilation; NULL: reported. */
struct uelf *open_file(struct check *c, struct attach_point *ap, const char *path)
{
	struct uelf *u = smap_get(&c->files, path);
	const char *why;

	if (u)
		return u;
	u = uelf_open(c->a, path, &why);
	if (u)
		smap_put(&c->files, path, u);
	else
		missing_probe(c, ap, ap->part_spans.v[0],
			arena_printf(c->a, "cannot read '%.200s': %s", path, why));
	return u;
}

void check_close_files(struct check *c)
{
	for (uint32_t i = 0; i < c->files.entries.n; i++)
		uelf_close(c->files.entries.v[i].value);
}

static void try_func(const struct uelf_func *f, void *arg)
{
	suggest_try(arg, f->name);
}

/* "0x1234", "4096": an address in the file's own numbers. */
bool is_number_part(const char *s)
{
	char *end;

	strtoull(s, &end, 0);
	return *s >= '0' && *s <= '9' && !*end;
}

static bool bad_offset(struct check *c, const struct attach_point *ap, const char *text,
	const char *what)
{
	c_hint(c, c_error(c, ap->part_spans.v[1], DIAG_BAD_PROBE, "'%.60s' %s", text, what),
		"offsets are numbers of bytes: %s:/bin/bash:main+16", kern_probe(ap->kind)->name);
	return false;
}

/* function+offset: the number goes to num[0], the part keeps the name. */
static bool take_offset(struct check *c, struct attach_point *ap)
{
	const char *part = ap->parts.v[1], *plus = strchr(part, '+');
	char *end;

	if (!plus)
		return true;
	ap->num[0] = strtoull(plus + 1, &end, 0);
	if (plus[1] < '0' || plus[1] > '9' || *end)
		return bad_offset(c, ap, plus, "is no offset");
	if (ap->kind == PROBE_URETPROBE && ap->num[0])
		return bad_offset(c, ap, plus, "makes no sense: a return probe has no offset");
	ap->parts.v[1] = arena_strndup(c->a, part, (size_t)(plus - part));
	return true;
}

static void no_function(struct check *c, struct attach_point *ap, struct uelf *u)
{
	struct suggest s;
	struct diag *e = missing_probe(c, ap, ap->part_spans.v[1],
		arena_printf(c->a, "'%.200s' has no function '%.100s'", ap->parts.v[0],
			ap->parts.v[1]));

	if (!e)
		return;
	suggest_init(&s, ap->parts.v[1]);
	uelf_each_function(u, try_func, &s);
	if (suggest_best(&s))
		c_hint(c, e, "did you mean '%s'?", suggest_best(&s));
	else if (strstr(ap->parts.v[0], "/libpthread"))
		c_hint(c, e, "since glibc 2.34 its functions are in libc: %s:libc:%.100s",
			kern_probe(ap->kind)->name, ap->parts.v[1]);
	else
		c_hint(c, e, "`skep -l '%s:%s:*'` lists its functions; programs are often stripped "
			"of all but what they export",
			kern_probe(ap->kind)->name, ap->parts.v[0]);
}

struct inside {
	uint64_t addr;
	bool found;
};

static void is_inside(const struct uelf_func *f, void *arg)
{
	struct inside *x = arg;

	x->found |= x->addr >= f->addr && x->addr - f->addr < f->size;
}

/* A breakpoint in what is no code, or in the middle of an instruction, breaks the program. */
static void check_address(struct check *c, struct attach_point *ap, struct uelf *u, const char *path)
{
	struct inside x = {.addr = strtoull(ap->parts.v[1], NULL, 0)};
	uint64_t off;

	if (!uelf_file_offset(u, x.addr, &off)) {
		missing_probe(c, ap, ap->part_spans.v[1],
			arena_printf(c->a, "address %s is not in '%.200s'", ap->parts.v[1], path));
		return;
	}
	uelf_each_function(u, is_inside, &x);
	if (!x.found && !c->s->unsafe)
		c_hint(c,
			c_error(c, ap->part_spans.v[1], DIAG_UNSAFE,
				"address %s is in no function that the file names: a probe there may "
				"break the program", ap->parts.v[1]),
			"--unsafe allows it");
}

void check_ufunc(struct check *c, struct attach_point *ap)
{
	const char *path = ap->from_pattern ? ap->parts.v[0] : *find_files(c, ap);
	struct uelf_func f = {0};
	struct uelf *u;

	if (path)
		ap->parts.v[0] = path;
	ap->func = ap->parts.v[1];
	if (ap->missing || !take_offset(c, ap))
		return;
	ap->func = ap->parts.v[1];
	ap->name = point_name(c, ap);
	if (ap->num[0])
		ap->name = arena_printf(c->a, "%s+%llu", ap->name, (unsigned long long)ap->num[0]);
	u = path ? open_file(c, ap, path) : NULL;
	if (!u)
		return;
	if (is_number_part(ap->parts.v[1])) {
		check_address(c, ap, u, path);
	} else if (!uelf_find(u, ap->parts.v[1], &f)) {
		no_function(c, ap, u);
	} else if (ap->num[0] && ap->num[0] >= f.size) {
		missing_probe(c, ap, ap->part_spans.v[1],
			arena_printf(c->a, "'%.100s' has %llu bytes: offset %llu is behind its end",
				f.name, (unsigned long long)f.size,
				(unsigned long long)ap->num[0]));
	}
}

/* ---- addresses ---- */

/* The symbol in the point's file; false: reported. */
static bool find_symbol(struct check *c, struct attach_point *ap, const struct expr *name,
	struct uelf_func *f)
{
	struct uelf *u = open_file(c, ap, ap->parts.v[0]);

	if (!u)
		return false;
	if (uelf_moves(u)) {
		c_unsupported(c, name->span, "uaddr() in files that are loaded anywhere (PIE, libraries) is",
			"programs linked with -no-pie, and Go's, have addresses of their own");
		return false;
	}
	if (uelf_find_object(u, name->u.str.s, f) || uelf_find(u, name->u.str.s, f))
		return true;
	c_hint(c,
		c_error(c, name->span, DIAG_NO_SUCH_TARGET, "'%.200s' has no symbol '%.100s'",
			ap->parts.v[0], name->u.str.s),
		"nm %.200s lists them; programs are often stripped of them", ap->parts.v[0]);
	return false;
}

/* From here on it is the cast that a user who knows the address would write. */
static void becomes_pointer(struct check *c, struct expr *e, const struct uelf_func *f)
{
	struct expr *v = ARENA_NEW(c->a, struct expr);

	*v = (struct expr){.kind = EX_INT, .span = e->span, .height = 1};
	v->u.num.v = f->addr;
	*e = (struct expr){.kind = EX_CAST, .span = e->span, .height = 2};
	e->u.cast.type = f->size == 1 ? "uint8" : f->size == 2 ? "uint16" : f->size == 4 ? "uint32"
										 : "uint64";
	e->u.cast.type_span = e->span;
	e->u.cast.stars = 1;
	e->u.cast.a = v;
	check_expr(c, e);
}

/* uaddr("counter"): where a variable of the probed program is, as a pointer by its size. */
void check_uaddr(struct check *c, struct expr *e)
{
	struct expr *name = e->u.call.args.list.n == 1 ? e->u.call.args.list.v[0] : NULL;
	struct uelf_func f = {0}, first = {0};

	e->type = lt_of(LT_UNKNOWN, 0);
	if (!name || name->kind != EX_STR) {
		c_hint(c, c_error(c, e->span, DIAG_WRONG_ARGS, "uaddr() takes a name in quotes"),
			"for instance: *uaddr(\"counter\")");
		return;
	}
	if (!c->t->host || c->s->portable) {
		c_unsupported(c, e->span, "uaddr() in objects for other machines is",
			"compile the script on the machine where it runs");
		return;
	}
	for (uint32_t i = 0; i < c->probe->points.n; i++) {
		struct attach_point *ap = &c->probe->points.v[i];

		if (ap->missing)
			continue;
		if (!find_symbol(c, ap, name, &f))
			return;
		if (first.addr && (f.addr != first.addr || f.size != first.size)) {
			c_hint(c,
				c_error(c, name->span, DIAG_WRONG_PROBE,
					"'%.100s' is elsewhere in each file", name->u.str.s),
				"write a block for each file");
			return;
		}
		first = f;
	}
	if (first.addr)
		becomes_pointer(c, e, &first);
}

/* ---- patterns ---- */

struct ufind {
	struct check *c;
	const struct attach_point *ap;
	const char *path, *pattern;
	struct smap seen;
	void (*found)(const char *path, const char *name, void *arg);
	void *arg;
};

static void match_func(const struct uelf_func *f, void *arg)
{
	struct ufind *x = arg;
	const char *name = x->ap->cpp ? cpp_name(x->c->a, f->name) : f->name, *key;

	if (!name || !name_matches(x->pattern, name))
		return;
	/* constructors have several symbols in one place */
	key = x->ap->cpp ? arena_printf(x->c->a, "%llx", (unsigned long long)f->addr) : f->name;
	if (smap_get(&x->seen, key))
		return;
	name = arena_strdup(x->c->a, f->name);
	smap_put(&x->seen, x->ap->cpp ? key : name, x);
	x->found(x->path, name, x->arg);
}

/* The point's file may be a pattern, too: uprobe:/usr/lib/libssl.so*:SSL_read. */
void expand_ufunc(struct check *c, struct attach_point *ap,
	void (*found)(const char *path, const char *name, void *arg), void *arg)
{
	struct ufind x = {.c = c, .ap = ap, .pattern = ap->parts.v[1], .found = found, .arg = arg};

	if (ap->cpp && strchr(x.pattern, '(')) {
		c_unsupported(c, ap->part_spans.v[1], "choosing a function of C++ by its parameters is",
			"leave them out, or write the name as `nm` shows it");
		ap->missing = true;
		return;
	}
	for (const char **file = find_files(c, ap); *file; file++) {
		struct uelf *u = open_file(c, ap, *file);

		x.path = *file;
		smap_init(&x.seen, c->a);
		if (u && (is_number_part(x.pattern) || strchr(x.pattern, '+')))
			found(*file, x.pattern, arg);
		else if (u)
			uelf_each_function(u, match_func, &x);
	}
}
