/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "driver/target.h"
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int refuse(struct skep *s, const char *hint, const char *message, const char *what)
{
	struct diag *e = diag_error(&s->diags, NO_SPAN, DIAG_BAD_OPTION, "%s%s", message, what);

	if (hint)
		diag_hint(&s->diags, e, "%s", hint);
	return SKEP_EUSER;
}

static int apply_kernel(struct skep *s, const char *kernel)
{
	s->target.version = kern_version_parse(kernel, NULL, NULL);
	if (s->target.version >= KV(5, 10))
		return SKEP_OK;
	return refuse(s, s->target.version ? "Linux 5.10 is the oldest" : "write it as --kernel 6.12",
		s->target.version ? "skep makes no programs for Linux " : "not a kernel version: ", kernel);
}

/* A target known by its architecture alone, or by files of its own. */
static int described_target(struct skep *s, const struct skep_options *o)
{
	enum kern_arch arch = kern_arch_by_name(o->target);
	const char *why = NULL;

	if (arch != KERN_ANY && !strchr(o->target, '/')) {
		s->target = (struct target){.a = &s->a, .name = kern_arch_name(arch), .arch = arch};
		s->target.isa = 3; /* every JIT since 5.12 takes it */
		s->target.btf_why = "no --btf FILE was given for the target";
		target_borrow_formats(&s->target);
		return SKEP_OK;
	}
	if (!target_file(&s->target, &s->a, o->target, &why))
		return SKEP_OK;
	return refuse(s, "--target takes x86_64, arm64, riscv64 or a description file",
		"cannot use the target: ", why);
}

static int unknown_feature(struct skep *s, const char *name)
{
	struct suggest near;

	suggest_init(&near, name);
	for (unsigned f = 0; f < KF_COUNT; f++)
		suggest_try(&near, kern_feature_text((enum kern_feature)f));
	return refuse(s, suggest_best(&near) ? arena_printf(&s->a, "did you mean '%s'?", suggest_best(&near))
					     : "`skep --info` lists all features",
		"no kernel feature is called ", name);
}

/* bpftrace's option: what it names is taken for missing. */
static int forget_features(struct skep *s, const char *list)
{
	struct target *t = &s->target;

	while (*list) {
		size_t n = strcspn(list, ", ");
		const char *name = arena_strndup(&s->a, list, n);
		int f = kern_feature_by_name(name);

		list += n;
		list += strspn(list, ", ");
		if (!n)
			continue;
		if (f < 0)
			return unknown_feature(s, name);
		t->features &= ~(1ull << f);
		t->forgotten |= 1ull << f;
		if (f == KF_BTF && t->btf) {
			kbtf_close(t->btf);
			t->btf = NULL;
			t->btf_why = "--no-feature=btf";
		}
	}
	return SKEP_OK;
}

static int choose_machine(struct skep *s, const struct skep_options *o)
{
	struct target *t = &s->target;
	const char *why = NULL;

	if (!o->target) {
		target_host(t, &s->a, o->btf);
		if (o->btf && !t->btf)
			return refuse(s, NULL, "cannot use the kernel types: ", t->btf_why);
		if (!o->kernel)
			return SKEP_OK;
		if (apply_kernel(s, o->kernel))
			return SKEP_EUSER;
		target_features_by_version(t);
		return SKEP_OK;
	}
	if (described_target(s, o) || (o->kernel && apply_kernel(s, o->kernel)))
		return SKEP_EUSER;
	if (o->btf) {
		kbtf_close(t->btf);
		t->btf = kbtf_open(&s->a, o->btf, &why);
		if (!t->btf)
			return refuse(s, NULL, "cannot use the kernel types: ", why);
		t->btf_why = NULL;
	}
	/* A description file may set single features, which the version must not undo. */
	if (o->kernel || o->btf || !t->features)
		target_features_by_version(t);
	return SKEP_OK;
}

int choose_target(struct skep *s, const struct skep_options *o)
{
	int err = choose_machine(s, o);

	return err || !o->no_features ? err : forget_features(s, o->no_features);
}

static bool has_capability(const struct __user_cap_data_struct *d, unsigned cap)
{
	return d[cap / 32].effective & (1u << (cap % 32));
}

/* When it cannot be told the kernel will. */
static bool effective(unsigned cap, bool admin_has_it)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &head, data))
		return true;
	return has_capability(data, cap) || (admin_has_it && has_capability(data, CAP_SYS_ADMIN));
}

bool may_load(void)
{
	return effective(CAP_BPF, true) && effective(CAP_PERFMON, true);
}

bool has_net_admin(void)
{
	return effective(CAP_NET_ADMIN, false);
}

bool permitted(struct skep *s)
{
	struct diag *e;

	if (may_load())
		return true;
	e = diag_error(&s->diags, NO_SPAN, DIAG_NO_PERMISSION,
		"loading programs into the kernel needs root, or CAP_BPF and CAP_PERFMON%s",
		geteuid() == 0 ? " (this root user lacks them: a container?)" : "");
	diag_hint(&s->diags, e,
		"%s; `skep check` compiles and `skep build` writes an object without any rights",
		geteuid() == 0 ? "give the container these capabilities" : "run it with sudo");
	return false;
}
