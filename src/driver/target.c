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
	if (s->target.version)
		return SKEP_OK;
	return refuse(s, "write it as --kernel 6.12", "not a kernel version: ", kernel);
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
		return SKEP_OK;
	}
	if (!target_file(&s->target, &s->a, o->target, &why))
		return SKEP_OK;
	return refuse(s, "--target takes x86_64, arm64, riscv64 or a description file",
		"cannot use the target: ", why);
}

int choose_target(struct skep *s, const struct skep_options *o)
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

static bool has_capability(const struct __user_cap_data_struct *d, unsigned cap)
{
	return d[cap / 32].effective & (1u << (cap % 32));
}

bool permitted(struct skep *s)
{
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct data[2] = {{0}};
	struct diag *e;

	if (syscall(SYS_capget, &head, data))
		return true; /* cannot tell; the kernel will */
	if (has_capability(data, CAP_SYS_ADMIN) ||
		(has_capability(data, CAP_BPF) && has_capability(data, CAP_PERFMON)))
		return true;
	e = diag_error(&s->diags, NO_SPAN, DIAG_NO_PERMISSION,
		"loading programs into the kernel needs root, or CAP_BPF and CAP_PERFMON%s",
		geteuid() == 0 ? " (this root user lacks them: a container?)" : "");
	diag_hint(&s->diags, e,
		"%s; `skep check` compiles and `skep build` writes an object without any rights",
		geteuid() == 0 ? "give the container these capabilities" : "run it with sudo");
	return false;
}
