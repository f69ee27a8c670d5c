/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The config block: skep's settings and bpftrace's; and map declarations. */
#include "lang/check.h"
#include "lang/lex.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_STRLEN_DEFAULT 1024 /* bpftrace since 0.23 */
#define KEY_STRLEN_DEFAULT 128	/* kept strings: a stack holds 512 bytes in all */
#define MAX_MAP_KEYS_DEFAULT 4096
#define MAX_PROBES_DEFAULT 1024 /* bpftrace's */
#define SCHED_TIMEOUT_MAX 30000 /* SCX_WATCHDOG_MAX_TIMEOUT, kernel/sched/ext.c */
#define SCHED_NAME_MAX 127	/* SCX_OPS_NAME_LEN 128 */

enum config_type { CT_U32, CT_U64, CT_BOOL, CT_NAME, CT_VERDICT, CT_STACK, CT_IGNORED, CT_MISSING, CT_TRAILER };

/* CT_IGNORED: has no meaning here, results stay the same. */
static const struct config_row {
	const char *key;
	enum config_type type : 8;
	uint16_t off;
	uint32_t min;
	uint64_t max;
} rows[] = {
	{"cache_user_symbols", CT_IGNORED, 0, 0, 0},
	{"cpp_demangle", CT_IGNORED, 0, 0, 0},
	{"default_verdict", CT_VERDICT, offsetof(struct config, default_verdict), 0, 0},
	{"lazy_symbolication", CT_IGNORED, 0, 0, 0},
	{"license", CT_IGNORED, 0, 0, 0},
	{"log_size", CT_IGNORED, 0, 0, 0},
	{"max_ast_nodes", CT_IGNORED, 0, 0, 0},
	{"max_bpf_progs", CT_IGNORED, 0, 0, 0},
	{"max_cat_bytes", CT_U32, offsetof(struct config, max_cat_bytes), 1, 1u << 24},
	{"max_map_keys", CT_U32, offsetof(struct config, max_map_keys), 1, 1u << 26},
	{"max_probes", CT_U32, offsetof(struct config, max_probes), 1, 1u << 20},
	{"max_strlen", CT_U32, offsetof(struct config, max_strlen), 2, MAX_STRLEN_MOST},
	{"max_type_res_iterations", CT_IGNORED, 0, 0, 0},
	{"missing_probes", CT_MISSING, offsetof(struct config, missing_probes), 0, 0},
	{"on_stack_limit", CT_IGNORED, 0, 0, 0},
	{"perf_rb_pages", CT_U32, offsetof(struct config, perf_rb_pages), 1, 1u << 18},
	{"print_maps_on_exit", CT_BOOL, offsetof(struct config, print_maps_on_exit), 0, 1},
	{"sched_dispatch_max_batch", CT_U32, offsetof(struct config, sched_dispatch_max_batch), 0,
		1u << 16},
	{"sched_exit_dump_len", CT_U32, offsetof(struct config, sched_exit_dump_len), 0, 1u << 24},
	{"sched_flags", CT_U64, offsetof(struct config, sched_flags), 0, UINT64_MAX},
	{"sched_name", CT_NAME, offsetof(struct config, sched_name), 0, 0},
	{"sched_timeout_ms", CT_U32, offsetof(struct config, sched_timeout_ms), 1,
		SCHED_TIMEOUT_MAX},
	{"show_debug_info", CT_IGNORED, 0, 0, 0},
	{"stack_mode", CT_STACK, offsetof(struct config, stack_mode), 0, 0},
	{"str_trunc_trailer", CT_TRAILER, offsetof(struct config, no_trailer), 0, 0},
	{"unstable_dw_ustack", CT_IGNORED, 0, 0, 0},
	{"unstable_import", CT_IGNORED, 0, 0, 0},
	{"unstable_import_statement", CT_IGNORED, 0, 0, 0},
	{"unstable_macro", CT_IGNORED, 0, 0, 0},
	{"unstable_map_decl", CT_IGNORED, 0, 0, 0},
	{"unstable_tseries", CT_IGNORED, 0, 0, 0},
	{"unstable_typeinfo", CT_IGNORED, 0, 0, 0},
	{"use_blazesym", CT_IGNORED, 0, 0, 0},
};

static void unknown_key(struct check *c, const struct config_entry *e)
{
	struct diag *d =
		c_error(c, e->key_span, DIAG_BAD_CONFIG, "unknown setting '%.60s'", e->key);
	struct suggest s;

	suggest_init(&s, e->key);
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		suggest_try(&s, rows[i].key);
	if (suggest_best(&s))
		c_hint(c, d, "did you mean '%s'?", suggest_best(&s));
	else
		c_hint(c, d,
			"settings are default_verdict, max_strlen, max_map_keys, print_maps_on_exit, sched_name, "
			"sched_timeout_ms, sched_flags");
}

static void sched_name(struct check *c, const struct config_entry *e, const char **out)
{
	const struct expr *v = e->value;
	const char *p;
	struct diag *d;

	if (v->kind != EX_STR && v->kind != EX_NAME) {
		d = c_error(c, v->span, DIAG_BAD_CONFIG, "'%s' needs a string", e->key);
		c_hint(c, d, "for instance: %s = \"mine\"", e->key);
		return;
	}
	*out = v->kind == EX_STR ? v->u.str.s : v->u.name;
	for (p = *out; *p; p++) { /* SCX_OPS names: validate_ops, kernel/sched/ext.c */
		if (!strchr("_.-", *p) && !(*p >= '0' && *p <= '9') &&
			!((*p | 32) >= 'a' && (*p | 32) <= 'z'))
			break;
	}
	if (*p || p == *out || p - *out > SCHED_NAME_MAX) {
		d = c_error(c, v->span, DIAG_BAD_CONFIG, "not a name for a scheduler");
		c_hint(c, d, "1 to %d letters, digits and '_', '.', '-'", SCHED_NAME_MAX);
	}
}

static void default_verdict(struct check *c, const struct config_entry *e, const char **out)
{
	const struct expr *v = e->value;

	*out = v->kind == EX_STR ? v->u.str.s : v->kind == EX_NAME ? v->u.name : "";
	if (strcmp(*out, "drop") != 0 && strcmp(*out, "pass") != 0)
		c_hint(c, c_error(c, v->span, DIAG_BAD_CONFIG, "not a verdict for packets"),
			"default_verdict is \"pass\" or \"drop\"");
}

static void stack_mode(struct check *c, const struct config_entry *e, uint32_t *out)
{
	const struct expr *v = e->value;
	const char *name = v->kind == EX_STR ? v->u.str.s : v->kind == EX_NAME ? v->u.name : "";
	int mode = stack_mode_by_name(name);

	if (mode >= 0)
		*out = (uint32_t)mode;
	else
		c_hint(c, c_error(c, v->span, DIAG_BAD_CONFIG, "not a way to print stacks"),
			"stack_mode is bpftrace, perf or raw");
}

static void missing_probes(struct check *c, const struct config_entry *e, enum missing *out)
{
	static const char *const words[] = {"error", "warn", "ignore"};
	const struct expr *v = e->value;
	const char *word = v->kind == EX_STR ? v->u.str.s : v->kind == EX_NAME ? v->u.name : "";

	for (unsigned i = 0; i < 3; i++) {
		if (!strcmp(word, words[i])) {
			*out = (enum missing)i;
			return;
		}
	}
	c_hint(c,
		c_error(c, v->span, DIAG_BAD_CONFIG,
			"'%s' says what becomes of probes that do not exist", e->key),
		"%s = error, warn or ignore", e->key);
}

/* A number, or enumerators of the kernel joined by '|'. */
static bool config_value(struct check *c, const struct config_row *row, struct expr *v, uint64_t *n)
{
	uint64_t b;
	int64_t num;

	if (v->kind == EX_INT) {
		*n = v->u.num.v;
		return true;
	}
	if (row->type != CT_U64)
		return false;
	if (v->kind == EX_BINARY && v->u.binary.op == BO_OR &&
		config_value(c, row, v->u.binary.a, n) && config_value(c, row, v->u.binary.b, &b)) {
		*n |= b;
		return true;
	}
	if (v->kind != EX_NAME)
		return false;
	if (!kernel_const(c, v->u.name, &num)) {
		unknown_flag(c, v);
		return false;
	}
	*n = (uint64_t)num;
	return true;
}

/* What follows a string that was cut: "..", or nothing. */
static void trailer(struct check *c, const struct config_entry *e, bool *none)
{
	const char *text = e->value->kind == EX_STR ? e->value->u.str.s : "?";

	*none = !*text;
	if (*text && strcmp(text, "..") != 0)
		c_hint(c, c_error(c, e->value->span, DIAG_BAD_CONFIG, "'%s' is \"..\" or \"\"", e->key),
			"cut strings end in \"..\"");
}

static bool config_number(
	struct check *c, const struct config_row *row, const struct config_entry *e, uint64_t *n)
{
	struct expr *v = e->value;
	int errors = c->d->errors;
	struct diag *d;
	int64_t all;

	if (!config_value(c, row, v, n)) {
		if (c->d->errors > errors)
			return false;
		d = c_error(c, v->span, DIAG_BAD_CONFIG, "'%s' needs a %s", e->key,
			row->type == CT_BOOL ? "0 or 1" : "number");
		c_hint(c, d, "for instance: %s = %s", e->key,
			row->type == CT_BOOL  ? "1"
			: row->type == CT_U64 ? "SCX_OPS_ENQ_LAST | SCX_OPS_ENQ_EXITING"
					      : "100");
		return false;
	}
	if (row->type == CT_U64 && kernel_const(c, "SCX_OPS_ALL_FLAGS", &all) &&
		*n & ~(uint64_t)all) {
		d = c_error(c, v->span, DIAG_BAD_CONFIG, "the kernel has no flag %#llx for schedulers",
			(unsigned long long)(*n & ~(uint64_t)all));
		c_hint(c, d, "`skep -lv 'enum scx_ops_flags'` lists them");
		return false;
	}
	if (*n >= row->min && *n <= row->max)
		return true;
	d = c_error(c, v->span, DIAG_BAD_CONFIG, "'%s' must be between %llu and %llu", e->key,
		(unsigned long long)row->min, (unsigned long long)row->max);
	if (!strcmp(e->key, "sched_timeout_ms"))
		c_hint(c, d, "the kernel allows 30 seconds at most: 30000");
	return false;
}

/* stack_mode, STACK_MODE and BPFTRACE_STACK_MODE are one. */
static const struct config_row *row_of(const char *key)
{
	if (!strncmp(key, "BPFTRACE_", 9))
		key += 9;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!strcasecmp(rows[i].key, key))
			return &rows[i];
	}
	return NULL;
}

static void config_entry(struct check *c, const struct config_entry *e)
{
	const struct config_row *row = row_of(e->key);
	char *base = (char *)&c->s->config;
	uint64_t n;

	if (!row) {
		unknown_key(c, e);
		return;
	}
	switch (row->type) {
	case CT_IGNORED:
		break;
	case CT_STACK:
		stack_mode(c, e, (uint32_t *)(void *)(base + row->off));
		break;
	case CT_TRAILER:
		trailer(c, e, (bool *)(void *)(base + row->off));
		break;
	case CT_MISSING:
		missing_probes(c, e, (enum missing *)(void *)(base + row->off));
		break;
	case CT_NAME:
		sched_name(c, e, (const char **)(void *)(base + row->off));
		break;
	case CT_VERDICT:
		default_verdict(c, e, (const char **)(void *)(base + row->off));
		break;
	case CT_BOOL:
		if (config_number(c, row, e, &n))
			*(bool *)(void *)(base + row->off) = n != 0;
		break;
	case CT_U32:
		if (config_number(c, row, e, &n))
			*(uint32_t *)(void *)(base + row->off) = (uint32_t)n;
		break;
	case CT_U64:
		if (config_number(c, row, e, &n))
			*(uint64_t *)(void *)(base + row->off) = n;
		break;
	}
}

/* "name=value" from outside the script: a number, true or false, or a text. */
static void outer_setting(struct check *c, const char *text)
{
	const char *equals = strchr(text, '=');
	struct config_entry e = {.key_span = NO_SPAN};
	struct expr *v = ARENA_NEW(c->a, struct expr);
	char *end;

	if (!equals || (!equals[1] && strncasecmp(text, "str_trunc_trailer", 17) != 0))
		return;
	e.key = arena_printf(c->a, "%.*s", (int)(equals - text), text);
	e.value = v;
	*v = (struct expr){.kind = EX_INT, .height = 1, .span = NO_SPAN};
	v->u.num.v = strtoull(equals + 1, &end, 0);
	if (*end || end == equals + 1 || !lex_is_digit((unsigned char)equals[1])) {
		v->u.num.v = !strcmp(equals + 1, "true");
		if (!v->u.num.v && strcmp(equals + 1, "false") != 0) {
			v->kind = EX_STR;
			v->u.str.s = equals + 1;
			v->u.str.n = (uint32_t)strlen(equals + 1);
		}
	}
	if (row_of(e.key))
		config_entry(c, &e);
}

void check_config(struct check *c)
{
	struct config *cfg = &c->s->config;

	*cfg = (struct config){.print_maps_on_exit = true, .max_probes = MAX_PROBES_DEFAULT,
		.missing_probes = MISSING_DEFAULT};
	for (uint32_t i = 0; i < c->s->config_entries.n; i++)
		config_entry(c, &c->s->config_entries.v[i]);
	for (unsigned i = 0; c->s->settings && c->s->settings[i]; i++)
		outer_setting(c, c->s->settings[i]);
	/* kept strings are longer only when the user said so: a stack has 512 bytes */
	cfg->max_keystr = cfg->max_strlen > KEY_STRLEN_DEFAULT ? cfg->max_strlen : KEY_STRLEN_DEFAULT;
	if (!cfg->max_strlen)
		cfg->max_strlen = MAX_STRLEN_DEFAULT;
	if (!cfg->max_map_keys)
		cfg->max_map_keys = MAX_MAP_KEYS_DEFAULT;
}

/* What let @x = NAME(…) makes. */
static const struct map_type {
	const char *name;
	bool lru, percpu;
	enum list_kind list;
} map_types[] = {
	{"hash", false, false, LIST_NONE},
	{"lruhash", true, false, LIST_NONE},
	{"percpuhash", false, true, LIST_NONE},
	{"percpulruhash", true, true, LIST_NONE},
	{"ports", false, false, LIST_PORTS},
	{"prefixes", false, false, LIST_PREFIXES},
	{"task", false, false, LIST_NONE},
};

static const struct map_type *map_type(const char *name)
{
	for (unsigned i = 0; i < sizeof(map_types) / sizeof(*map_types); i++) {
		if (!strcmp(map_types[i].name, name))
			return &map_types[i];
	}
	return NULL;
}

bool check_is_decl(const char *name)
{
	return map_type(name) != NULL;
}

void check_has_task_maps(struct check *c, struct skep_span at, const char *name)
{
	if (c->t->version && c->t->version < KV(5, 11))
		c_hint(c,
			c_error(c, at, DIAG_NO_KERNEL_FEATURE,
				"the target kernel keeps no values per task: Linux 5.11 does"),
			"a map by thread number serves: %.60s[tid]", name);
}

/* let @x = task(): a value on every task. */
static void task_decl(struct check *c, const struct map_decl *m)
{
	if (m->size)
		c_hint(c,
			c_error(c, m->size->span, DIAG_WRONG_ARGS,
				"there are as many values as tasks: task() takes no number"),
			"let %.60s = task();", m->map);
	else
		check_has_task_maps(c, m->span, m->map);
}

static void check_decl(struct check *c, struct map_decl *m)
{
	const struct map_type *type = map_type(m->type);
	int errors = c->d->errors;

	if (smap_get(&c->s->with_fields, m->map) && strcmp(m->type, "task") != 0)
		c_hint(c,
			c_error(c, m->span, DIAG_WRONG_TYPE,
				"fields that are assigned, as %.60s[…].name = … has them, hang on tasks",
				m->map),
			"let %.60s = task();", m->map);
	m->list = type ? type->list : LIST_NONE;
	if (check_list_decl(c, m))
		return;

	if (m->size && !check_const(c, m->size, "number of entries", 1, 1 << 26) &&
		c->d->errors == errors) /* a map or variable: nothing is known of them here */
		c_error(c, m->size->span, DIAG_WRONG_TYPE,
			"the number of entries must be a constant number");
	if (!strcmp(m->type, "task")) {
		task_decl(c, m);
		return;
	}
	if (type) {
		m->lru = type->lru;
		m->percpu = type->percpu;
		return;
	}
	if (!strcmp(m->type, "percpuarray")) {
		c_unsupported(c, m->span, "maps of type 'percpuarray' are",
			"an aggregation without a key needs no declaration: @x = count()");
		return;
	}
	c_hint(c, c_error(c, m->span, DIAG_UNKNOWN_NAME, "unknown map type '%.60s'", m->type),
		"hash, lruhash, percpuhash, percpulruhash, task: let %.60s = hash(1000);", m->map);
}

/* Maps that are declared and never used would have no type; what is kept per CPU is added up. */
void check_decl_uses(struct check *c)
{
	for (uint32_t i = 0; i < c->s->decls.n; i++) {
		const struct map_decl *d = &c->s->decls.v[i];
		const struct map_sym *m = smap_get(&c->s->maps, d->map);

		if (!m)
			diag_warn(c->d, d->span, DIAG_UNUSED,
				"map '%.60s' is declared and never used", d->map);
		else if (d->percpu && m->agg == MA_NONE)
			c_hint(c,
				c_error(c, d->span, DIAG_WRONG_TYPE,
					"'%.60s' is no aggregation: its values cannot be kept per "
					"CPU",
					d->map),
				"let %.60s = %s(…)", d->map, d->lru ? "lruhash" : "hash");
		else if (!m->keyed && m->has_key_type)
			diag_warn(c->d, d->span, DIAG_UNUSED,
				"map '%.60s' has no keys: its declared size means nothing", d->map);
	}
}

void check_decls(struct check *c)
{
	c->probe = ARENA_NEW(c->a, struct probe); /* declarations stand in no probe */
	for (uint32_t i = 0; i < c->s->decls.n; i++) {
		struct map_decl *m = &c->s->decls.v[i];

		check_decl(c, m);
		for (uint32_t k = 0; k < i; k++) {
			if (!strcmp(c->s->decls.v[k].map, m->map))
				diag_also(c->d,
					c_error(c, m->span, DIAG_DUPLICATE,
						"map '%.60s' is declared twice", m->map),
					c->s->decls.v[k].span, "first here");
		}
	}
}
