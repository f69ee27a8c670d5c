/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What each parameter of a kernel function wants, from its prototype and the names in it. */
#include "kern/kern.h"
#include <string.h>

static bool named(const struct kbtf_param *p, const char *name)
{
	return p->name && !strcmp(p->name, name);
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = s ? strlen(s) : 0, m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

static bool is_const(const struct kbtf *b, uint32_t id)
{
	return btf_kind_of(kbtf_type(b, id)) == BTF_KIND_CONST;
}

/* The kernel's formatted texts: char *fmt, unsigned long long *data, u32 data__sz. */
static bool is_format(const struct kbtf_param *p, uint32_t left)
{
	return left >= 3 && named(p, "fmt") && named(p + 1, "data") && named(p + 2, "data__sz");
}

static enum kfunc_arg_kind kind_of(const struct kbtf *b, const struct kbtf_param *p)
{
	struct kbtf_info t = kbtf_describe(b, p->type), to;

	if (t.class == KBTF_INT)
		return KFA_INT;
	if (t.class != KBTF_PTR)
		return KFA_OTHER;
	to = kbtf_describe(b, t.target);
	if (to.class == KBTF_STRUCT)
		return ends_with(p->name, "__iter") || named(p, "it") ? KFA_ITER : KFA_STRUCT;
	/* a pointer to a number that is no array and no constant: a result */
	if (to.class == KBTF_INT && !to.is_char && !is_const(b, t.target))
		return KFA_OUT;
	return KFA_OTHER;
}

unsigned kfunc_args(const struct kbtf *b, uint32_t proto, struct kfunc_arg *out)
{
	struct kbtf_param p[KFUNC_ARGS_MAX];
	uint32_t n = kbtf_params(b, proto, p, KFUNC_ARGS_MAX);

	for (uint32_t i = 0; i < n && i < KFUNC_ARGS_MAX; i++) {
		struct kbtf_info t = kbtf_describe(b, p[i].type);

		out[i] = (struct kfunc_arg){.kind = kind_of(b, &p[i]), .name = p[i].name ? p[i].name : "?",
			.type = p[i].type, .nullable = ends_with(p[i].name, "__nullable")};
		if (t.class == KBTF_PTR)
			out[i].to = kbtf_describe(b, t.target);
	}
	for (uint32_t i = 0; i + 2 < n && n <= KFUNC_ARGS_MAX; i++) {
		if (!is_format(&p[i], n - i))
			continue;
		out[i].kind = KFA_FORMAT;
		out[i + 1].kind = KFA_DATA;
		out[i + 2].kind = KFA_DATA_SIZE;
	}
	return n;
}

/* A struct whose first member is the wanted one stands for it: struct bpf_cpumask is a cpumask. */
bool kbtf_starts_with(const struct kbtf *b, uint32_t id, const char *want)
{
	for (int depth = 0; depth < 4; depth++) {
		struct kbtf_info t = kbtf_describe(b, id);
		const struct btf_type *s = kbtf_type(b, t.id);

		if (t.class != KBTF_STRUCT)
			return false;
		if (!strcmp(kbtf_name(b, t.id), want))
			return true;
		if (btf_kind_of(s) != BTF_KIND_STRUCT || !btf_vlen_of(s))
			return false;
		id = ((const struct btf_member *)(s + 1))->type;
	}
	return false;
}
