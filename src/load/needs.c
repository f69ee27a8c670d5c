/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the object says it needs is compared with this kernel before anything is loaded. Where the
 * tables say no, the kernel is asked: distributions bring features back.
 */
#include "load/internal.h"
#include "kern/kern.h"

static const char *version_text(struct loaded *l, uint32_t v)
{
	return arena_printf(l->a, "%u.%u", v >> 16, v >> 8 & 0xff);
}

static void hint(struct loaded *l, struct diag *e, const char *without)
{
	const char *made = l->meta.target ? arena_printf(l->a, "it was made for %s; ", l->meta.target) : "";

	diag_hint(l->d, e, "%scompile it with --kernel %s%s%s", made, version_text(l, l->target->version),
		*without ? " or --no-feature=" : "", without);
}

static bool has(struct loaded *l, enum kern_feature f)
{
	if (l->target->forgotten & 1ull << f)
		return false;
	return target_has(l->target, f) || load_probe_feature(f) == 1;
}

static bool has_helper(struct loaded *l, const struct kern_helper *h)
{
	if (!l->target->version || h->since <= l->target->version)
		return true;
	for (uint32_t i = 0; i < l->meta.progs.n; i++) {
		/* what cannot be told is left to the kernel */
		if (load_probe_helper(l->meta.progs.v[i].type, h->id) != 0)
			return true;
	}
	return false;
}

int needs_check(struct loaded *l)
{
	const struct kern_helper *h = kern_helper_by_id(l->meta.helper);
	int err = structops_types(l); /* without them the rest is of no interest */
	struct diag *e;

	if (err)
		return err;
	for (unsigned f = 0; f < KF_COUNT; f++) {
		enum kern_feature k = (enum kern_feature)f;

		if (!(l->meta.needs & 1ull << f) || has(l, k))
			continue;
		e = diag_error(l->d, NO_SPAN, DIAG_NO_KERNEL_FEATURE,
			"this needs %s (Linux %s), which this kernel (%s) lacks", kern_feature_what(k),
			version_text(l, kern_feature_since(k)), version_text(l, l->target->version));
		hint(l, e, kern_feature_text(k));
		err = SKEP_ESYS;
	}
	if (h && !has_helper(l, h)) {
		e = diag_error(l->d, NO_SPAN, DIAG_NO_KERNEL_FEATURE,
			"this calls the helper '%s' (Linux %s), which this kernel (%s) lacks", h->name,
			version_text(l, h->since), version_text(l, l->target->version));
		hint(l, e, "");
		err = SKEP_ESYS;
	}
	return err;
}
