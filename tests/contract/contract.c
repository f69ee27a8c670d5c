/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* See contract.h, cases.txt and matrix.txt. */
#include "tests/contract/contract.h"
#include "backend-bpf/backend.h"
#include "kern/btf.h"
#include "tests/fuzz/kernel.h"
#include <ctype.h>
#include <errno.h>
#include <linux/version.h>
#include <string.h>
#include <sys/utsname.h>

#define COLUMNS_MAX 8
#define FENTRY_FUNCTION "wake_up_new_task"
#define OPS_STRUCT "tcp_congestion_ops"
#define OPS_MEMBER "ssthresh"

struct suite {
	struct contract *c;
	struct arena a;
	struct meta meta;
	struct kbtf *btf; /* NULL: btf_why */
	const char *btf_why;
	char *matrix; /* text; lines end with NUL once split */
	VEC(char *) rows;
	unsigned column[COLUMNS_MAX], ncolumns;
};

struct expectation {
	const char *here; /* "ok", "no" or NULL when nobody knows */
	const char *why_unknown;
	const char *rule;
};

static char *read_all(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "r");
	struct buf b;
	char piece[4096];
	size_t n;

	if (!f)
		return NULL;
	buf_init(&b, a);
	buf_puts(&b, "");
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_put(&b, piece, n);
	buf_putc(&b, 0);
	fclose(f);
	return b.p;
}

void contract_open(struct contract *c, FILE *out)
{
	struct utsname u;
	unsigned major = 0, minor = 0;

	*c = (struct contract){.out = out, .btf = "/sys/kernel/btf/vmlinux"};
	if (uname(&u) || sscanf(u.release, "%u.%u", &major, &minor) != 2)
		return;
	c->version = KERNEL_VERSION(major, minor, 0);
	c->x86 = !strcmp(u.machine, "x86_64");
}

/* ---- the matrix ---- */

static bool read_columns(struct suite *s, char *line)
{
	unsigned major, minor;

	for (char *w = strtok(line, " "); w; w = strtok(NULL, " ")) {
		if (sscanf(w, "%u.%u", &major, &minor) != 2)
			continue;
		if (s->ncolumns == COLUMNS_MAX)
			return false;
		s->column[s->ncolumns++] = KERNEL_VERSION(major, minor, 0);
	}
	return s->ncolumns > 0;
}

static bool read_matrix(struct suite *s, const char *path)
{
	char *save = NULL;

	s->matrix = read_all(&s->a, path);
	if (!s->matrix)
		return false;
	for (char *l = strtok_r(s->matrix, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (*l == '#')
			continue;
		if (!s->ncolumns && !read_columns(s, l))
			return false;
		vec_push(&s->a, &s->rows, l);
	}
	return s->ncolumns > 0;
}

static char *find_row(struct suite *s, const char *name)
{
	size_t n = strlen(name);

	for (uint32_t k = 0; k < s->rows.n; k++) {
		if (!strncmp(s->rows.v[k], name, n) && s->rows.v[k][n] == ' ')
			return arena_strdup(&s->a, s->rows.v[k]);
	}
	return NULL;
}

/* The answers of the measured kernels on both sides of ours; the same one when it was measured. */
static void neighbours(
	const struct suite *s, char *answer[], const char **below, const char **above)
{
	*below = *above = NULL;
	for (unsigned k = 0; k < s->ncolumns; k++) {
		if (s->column[k] <= s->c->version)
			*below = answer[k];
		if (s->column[k] >= s->c->version && !*above)
			*above = answer[k];
	}
	if (!*above) /* newer than all: what held last must hold still */
		*above = *below;
}

static struct expectation expect(struct suite *s, const char *name)
{
	struct expectation e = {.rule = ""};
	char *answer[COLUMNS_MAX], *row = find_row(s, name), *hash, *w, *save = NULL;
	const char *below, *above;

	if (!row) {
		e.why_unknown = "no row in the matrix";
		return e;
	}
	hash = strchr(row, '#');
	if (hash) {
		*hash = 0;
		e.rule = hash + 1 + strspn(hash + 1, " ");
	}
	strtok_r(row, " ", &save);
	for (unsigned k = 0; k < s->ncolumns; k++) {
		answer[k] = strtok_r(NULL, " ", &save);
		if (!answer[k]) {
			e.why_unknown = "row too short";
			return e;
		}
	}
	w = strtok_r(NULL, " ", &save);
	neighbours(s, answer, &below, &above);
	if (w && !strcmp(w, "x86") && !s->c->x86)
		e.why_unknown = "measured on x86-64 only";
	else if (!below)
		e.why_unknown = "older than all measured kernels";
	else if (*below == '?' || strcmp(below, above))
		e.why_unknown = "not measured on this kernel";
	else
		e.here = below;
	return e;
}

/* ---- programs ---- */

/* Offset of "struct.member.member". */
static bool member_offset(struct suite *s, char *path, uint32_t *off)
{
	char *save = NULL, *w = strtok_r(path, ".", &save);
	uint32_t id = s->btf && w ? kbtf_find_struct(s->btf, w) : 0;
	struct kbtf_member m;

	*off = 0;
	while (id && (w = strtok_r(NULL, ".", &save)) != NULL) {
		if (!kbtf_find_member(s->btf, id, w, &m))
			return false;
		*off += m.bit_off / 8;
		id = kbtf_describe(s->btf, m.type).id;
	}
	return id && *off;
}

/* The text with each $STRUCT.MEMBER replaced by its offset; NULL and the name that has none. */
static const char *with_offsets(struct suite *s, const char *text, const char **missing)
{
	struct buf out;

	buf_init(&out, &s->a);
	buf_puts(&out, "");
	while (*text) {
		size_t plain = strcspn(text, "$"), n = 0;
		uint32_t off;

		buf_put(&out, text, plain);
		text += plain;
		if (!*text)
			break;
		while (isalnum((unsigned char)text[1 + n]) || text[1 + n] == '_' ||
			text[1 + n] == '.')
			n++;
		*missing = arena_strndup(&s->a, text + 1, n);
		if (!member_offset(s, arena_strndup(&s->a, text + 1, n), &off))
			return NULL;
		buf_printf(&out, "%u", off);
		text += 1 + n;
	}
	return out.p;
}

static int ops_member_index(const struct kbtf *b, uint32_t ops)
{
	const struct btf_type *t = kbtf_type(b, ops);
	const struct btf_member *m = (const struct btf_member *)(t + 1);

	for (unsigned k = 0; k < btf_vlen_of(t); k++) {
		if (!strcmp(kbtf_str(b, m[k].name_off), OPS_MEMBER))
			return (int)k;
	}
	return -1;
}

/* What loading a program of this kind takes; a reason when this kernel does not have it. */
static const char *set_kind(struct suite *s, const char *type, struct kernel_prog *k)
{
	static const struct {
		const char *name;
		uint32_t type;
	} plain[] = {
		{"kprobe", BPF_PROG_TYPE_KPROBE},
		{"xdp", BPF_PROG_TYPE_XDP},
		{"tc", BPF_PROG_TYPE_SCHED_CLS},
	};
	int member;

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		if (!strcmp(plain[i].name, type)) {
			k->type = plain[i].type;
			return NULL;
		}
	}
	if (!s->btf)
		return s->btf_why;
	if (!strcmp(type, "fentry")) {
		k->type = BPF_PROG_TYPE_TRACING;
		k->expected_attach_type = BPF_TRACE_FENTRY;
		k->attach_btf_id = kbtf_func(s->btf, FENTRY_FUNCTION);
		return k->attach_btf_id ? NULL : "no function " FENTRY_FUNCTION " in BTF";
	}
	if (strcmp(type, "sops"))
		return "unknown type of program";
	k->type = BPF_PROG_TYPE_STRUCT_OPS;
	k->attach_btf_id = kbtf_find_struct(s->btf, OPS_STRUCT);
	member = k->attach_btf_id ? ops_member_index(s->btf, k->attach_btf_id) : -1;
	k->expected_attach_type = (uint32_t)member;
	return member >= 0 ? NULL : "no " OPS_STRUCT " in BTF";
}

/* The verifier's complaint: the last line of its log before the statistics. */
static const char *complaint(struct arena *a, const char *log)
{
	char *text = arena_strdup(a, log), *save = NULL, *last = text;

	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		if (strncmp(l, "processed ", 10) && strncmp(l, "verification time", 17))
			last = l;
	}
	return last;
}

static void skip(struct suite *s, const char *name, const char *why)
{
	s->c->skipped++;
	fprintf(s->c->out, "skip %s: %s\n", name, why);
}

static void judge(struct suite *s, const char *name, bool loads, const char *log)
{
	struct expectation e = expect(s, name);

	if (!e.here) {
		skip(s, name,
			arena_printf(&s->a, "%s; this kernel says %s", e.why_unknown,
				loads ? "ok" : complaint(&s->a, log)));
	} else if (loads == !strcmp(e.here, "ok")) {
		s->c->passed++;
		fprintf(s->c->out, "ok %s\n", name);
	} else {
		s->c->failed++;
		fprintf(s->c->out, "not ok %s: %s (rule: %s)\n", name,
			loads ? "loads, was refused before" : complaint(&s->a, log), e.rule);
	}
}

/* Walks of a million instructions: seconds natively, minutes in an emulated guest. */
static bool is_slow(const char *name)
{
	return !strcmp(name, "L3") || !strcmp(name, "L5") || !strcmp(name, "L6");
}

static bool run_case(struct suite *s, const char *type, const char *name, const char *text)
{
	struct kernel_prog k = {.a = &s->a, .meta = &s->meta, .fd = -1};
	struct skep_diags d;
	struct asm_code code = {0};
	const char *why = set_kind(s, type, &k), *missing = NULL;
	int err;

	if (s->c->quick && is_slow(name))
		why = "slow under emulation; contract full runs it";
	name = arena_printf(&s->a, "%s/%s", type, name);
	if (!why && !kernel_allowed(BPF_PROG_TYPE_KPROBE, &why))
		why = arena_printf(&s->a, "programs may not be loaded: %s", why);
	else if (!why && !(text = with_offsets(s, text, &missing)))
		why = arena_printf(&s->a, "no %s in BTF", missing);
	if (why) {
		skip(s, name, why);
		return true;
	}
	diags_init(&d, &s->a);
	if (!asm_parse(text, strlen(text), diags_add_source(&d, name, text, strlen(text)), &d,
		    &s->a, &code)) {
		diags_render(&d, s->c->out, false);
		return false;
	}
	err = kernel_load(&k, code.insns.v, code.insns.n);
	if (err && !k.judged) /* no permission, or nothing of that kind in this kernel */
		skip(s, name, k.log);
	else
		judge(s, name, err == 0, k.log);
	kernel_close(&k);
	return true;
}

static void add_map(struct suite *s)
{
	struct meta_map m = {.name = "contract",
		.kname = "contract",
		.type = BPF_MAP_TYPE_HASH,
		.key_size = 8,
		.value_size = 64,
		.max_entries = 16,
		.present_off = META_NONE};

	meta_init(&s->meta, &s->a);
	vec_push(&s->a, &s->meta.maps, m);
}

/* Cases are "== TYPE NAME what", then assembler up to the next. */
static bool run_cases(struct suite *s, char *text)
{
	bool sense = true;
	char *at = strstr(text, "\n== ");

	while (at) {
		char *next = strstr(at + 1, "\n== "), *body, type[16], name[16];

		if (next)
			*next = 0;
		body = strchr(at + 1, '\n');
		if (!body || sscanf(at, "\n== %15s %15s", type, name) != 2)
			return false;
		sense &= run_case(s, type, name, body);
		at = next;
		if (at)
			*at = '\n';
	}
	return sense;
}

bool contract_run(struct contract *c, const char *cases, const char *matrix)
{
	struct suite s = {.c = c};
	char *text;
	bool sense;

	arena_init(&s.a, NULL);
	add_map(&s);
	text = read_all(&s.a, cases);
	if (!text || !read_matrix(&s, matrix)) {
		fprintf(c->out, "not ok files: %s or %s\n", cases, matrix);
		arena_free(&s.a);
		return false;
	}
	s.btf = kbtf_open(&s.a, c->btf, &s.btf_why);
	sense = run_cases(&s, text);
	if (s.btf)
		kbtf_close(s.btf);
	arena_free(&s.a);
	return sense;
}
