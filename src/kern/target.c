/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The target: the running machine, or a description of another one. Features come from the kernel
 * version and are corrected by the architecture (measured, see arch_since) and by what the
 * kernel's own BTF shows, which is right for distributions that port features back.
 */
#include "kern/target.h"
#include "kern/file.h"
#ifdef __x86_64__
#include <cpuid.h>
#endif
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BIT(f) (1ull << (f))
#define ISA_DEFAULT 3 /* every JIT since 5.12 takes it; 4 only after a load showed it works */

_Static_assert(KF_COUNT <= 64, "features are bits of a u64");

static const struct {
	const char *text, *what, *cost;
	uint32_t since;
} features[] = {
#define F(id, text, since, what, cost) {text, what, cost, since},
#include "kern/features.def"
};

/* Architectures that got a feature later; first versions seen to work (Debian kernels). */
static const struct {
	enum kern_arch arch;
	enum kern_feature feature;
	uint32_t since;
} arch_since[] = {
	{KERN_ARM64, KF_FENTRY, KV(6, 4)},	  /* 6.1: -ENOTSUPP; direct calls came in 6.4 */
	{KERN_RISCV64, KF_FENTRY, KV(6, 12)},	  /* 6.12 works; older ones not tried */
	{KERN_ARM64, KF_KPROBE_MULTI, KV(6, 14)}, /* 6.12: no fprobe; it came with fgraph in 6.14 */
	{KERN_RISCV64, KF_KPROBE_MULTI, KV(6, 14)}, /* the same */
	{KERN_RISCV64, KF_CPU_V4, KV(6, 8)},
};

/*
 * Types that a kernel lacks when it lacks the feature; proof: it has the feature when it has the
 * type. Absence counts in whole-kernel BTF only (one with struct bpf_prog), not in an excerpt.
 */
static const struct {
	enum kern_feature feature;
	bool proof;
	const char *type;
} shown_by[] = {
	{KF_KPROBE_MULTI, true, "bpf_kprobe_multi_link"}, /* needs CONFIG_FPROBE */
	{KF_KPROBE_SESSION, false, "bpf_kprobe_multi_link"},
	{KF_PERF_LINK, true, "bpf_perf_link"},
	{KF_RINGBUF, true, "bpf_ringbuf"},
	{KF_SCHED_EXT, true, "bpf_struct_ops_sched_ext_ops"},
	{KF_STRUCT_OPS_LINK, true, "bpf_struct_ops_link"},
	{KF_TCX, true, "tcx_link"},
	{KF_UPROBE_MULTI, true, "bpf_uprobe_multi_link"},
	{KF_XDP_LINK, true, "bpf_xdp_link"},
};

bool target_has(const struct target *t, enum kern_feature f)
{
	return f < KF_COUNT && (t->features & BIT(f));
}

const char *kern_feature_text(enum kern_feature f)
{
	return f < KF_COUNT ? features[f].text : "?";
}

const char *kern_feature_what(enum kern_feature f)
{
	return f < KF_COUNT ? features[f].what : "?";
}

const char *kern_feature_cost(enum kern_feature f)
{
	return f < KF_COUNT ? features[f].cost : "";
}

uint32_t kern_feature_since(enum kern_feature f)
{
	return f < KF_COUNT ? features[f].since : 0;
}

int kern_feature_by_name(const char *text)
{
	for (size_t i = 0; i < COUNT(features); i++)
		if (!strcmp(features[i].text, text))
			return (int)i;
	return -1;
}

void target_features_by_version(struct target *t)
{
	/* Unknown version: the oldest kernel skep supports. */
	uint32_t version = t->version ? t->version : KV(5, 10);

	t->features = 0;
	for (size_t i = 0; i < COUNT(features); i++)
		if (version >= features[i].since)
			t->features |= BIT(i);
	for (size_t i = 0; i < COUNT(arch_since); i++)
		if (arch_since[i].arch == t->arch && version < arch_since[i].since)
			t->features &= ~BIT(arch_since[i].feature);
	if (!t->btf)
		t->features &= ~(BIT(KF_BTF) | BIT(KF_MODULE_BTF));
}

/* Corrects the table's answers by the kernel's own types. */
static void features_by_btf(struct target *t)
{
	bool whole;

	if (!t->btf)
		return;
	whole = kbtf_find(t->btf, BTF_KIND_STRUCT, "bpf_prog");
	for (size_t i = 0; i < COUNT(shown_by); i++) {
		bool there = kbtf_find(t->btf, BTF_KIND_STRUCT, shown_by[i].type);

		if (there && shown_by[i].proof)
			t->features |= BIT(shown_by[i].feature);
		if (!there && whole)
			t->features &= ~BIT(shown_by[i].feature);
	}
}

/* ---- the running machine ---- */

/* "6.12.3-whatever" -> 0x060c03; 0 when it does not start with two numbers. */
static uint32_t parse_version(const char *s)
{
	unsigned long major, minor, patch = 0;
	char *end;

	major = strtoul(s, &end, 10);
	if (end == s || *end != '.' || !isdigit((unsigned char)end[1]))
		return 0;
	minor = strtoul(end + 1, &end, 10);
	if (major > 255 || minor > 255)
		return 0;
	if (*end == '.')
		patch = strtoul(end + 1, NULL, 10);
	return KV(major, minor) | (patch > 255 ? 255 : patch); /* as the kernel clamps it */
}

uint32_t kern_version_parse(const char *release, const char *version, const char *signature)
{
	const char *p;

	/* Ubuntu: "Ubuntu 5.15.0-92.102-generic 5.15.131"; uname has 5.15.0 for ever */
	p = signature ? strrchr(signature, ' ') : NULL;
	if (p && parse_version(p + 1))
		return parse_version(p + 1);
	/* Debian: uname -r "6.1.0-18-amd64", uname -v "... Debian 6.1.76-1 (2024-02-01)" */
	p = version ? strstr(version, "Debian ") : NULL;
	if (p && parse_version(p + strlen("Debian ")))
		return parse_version(p + strlen("Debian "));
	return parse_version(release);
}

uint32_t kern_cpu_count(const char *list, uint32_t *span)
{
	uint32_t n = 0;

	*span = 0;
	while (isdigit((unsigned char)*list)) {
		char *end;
		unsigned long from = strtoul(list, &end, 10), to = from;

		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		if (to < from || to >= 65536)
			return *span = 0;
		n += (uint32_t)(to - from + 1);
		if (to >= *span)
			*span = (uint32_t)to + 1;
		list = *end == ',' ? end + 1 : end;
	}
	return n;
}

#ifndef SYS_fsopen /* the same numbers on all architectures, since 5.2 */
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#define CONFIG_CREATE 6 /* FSCONFIG_CMD_CREATE */

/*
 * A tracefs of our own where nobody has mounted one and we may: it stands in no directory, is seen
 * by nobody else, and ends with its descriptor.
 */
static void own_tracefs(struct target *t)
{
	int fs = (int)syscall(SYS_fsopen, "tracefs", 1), mount = -1; /* 1: close on exec, twice */

	if (fs < 0)
		return;
	if (!syscall(SYS_fsconfig, fs, CONFIG_CREATE, NULL, NULL, 0))
		mount = (int)syscall(SYS_fsmount, fs, 1, 0);
	close(fs);
	if (mount < 0)
		return;
	t->tracefs_mount = mount + 1;
	t->tracefs = arena_printf(t->a, "/proc/self/fd/%d", mount);
}

static bool lacks_cx16(void)
{
#ifdef __x86_64__
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && !(c & bit_CMPXCHG16B);
#else
	return false;
#endif
}

const char *kern_tracefs_hint(void)
{
	return geteuid() ? "run it with sudo: tracefs is for root only"
			 : "mount it: mount -t tracefs tracefs /sys/kernel/tracing";
}

static void host_tracefs(struct target *t)
{
	static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

	for (size_t i = 0; i < COUNT(places) && !t->tracefs; i++)
		if (!access(arena_printf(t->a, "%s/events", places[i]), F_OK))
			t->tracefs = places[i];
	if (!t->tracefs)
		own_tracefs(t);
}

void target_borrow_formats(struct target *t)
{
	host_tracefs(t);
	t->formats = t->tracefs;
	t->tracefs = NULL;
}

void target_host(struct target *t, struct arena *a, const char *btf_path)
{
	struct utsname un;
	const char *possible;

	*t = (struct target){.a = a, .name = "host", .isa = ISA_DEFAULT, .host = true};
	if (!uname(&un)) {
		t->arch = kern_arch_by_name(un.machine);
		t->version = kern_version_parse(
			un.release, un.version, file_read(a, "/proc/version_signature", NULL));
	}
	possible = file_read(a, "/sys/devices/system/cpu/possible", NULL);
	t->ncpus = possible ? kern_cpu_count(possible, &t->cpu_span) : 0;
	t->no_cx16 = lacks_cx16();
	t->btf = kbtf_open(a, btf_path ? btf_path : "/sys/kernel/btf/vmlinux", &t->btf_why);
	if (t->btf)
		t->btf_why = NULL;
	if (!access("/proc/kallsyms", R_OK))
		t->ksyms = "/proc/kallsyms";
	host_tracefs(t);
	target_features_by_version(t);
	features_by_btf(t);
}

void target_close(struct target *t)
{
	kbtf_close(t->btf);
	t->btf = NULL;
	if (t->tracefs_mount)
		close(t->tracefs_mount - 1);
	t->tracefs_mount = 0;
}

/* ---- a described machine ---- */

struct described {
	struct target *t;
	const char *path;
	uint64_t with, without; /* features the file sets itself */
};

/* Paths in the file are relative to the file. */
static const char *beside(struct described *d, const char *path)
{
	const char *slash = strrchr(d->path, '/');

	if (path[0] == '/' || !slash)
		return path;
	return arena_printf(d->t->a, "%.*s/%s", (int)(slash - d->path), d->path, path);
}

static const char *set_feature(struct described *d, const char *value, uint64_t *mask)
{
	int f = kern_feature_by_name(value);

	if (f < 0)
		return arena_printf(d->t->a, "unknown feature '%s'", value);
	*mask |= BIT(f);
	return NULL;
}

static const char *set_number(struct described *d, const char *value, unsigned long min,
	unsigned long max, unsigned long *out)
{
	char *end;

	*out = strtoul(value, &end, 10);
	if (!isdigit((unsigned char)value[0]) || *end || *out < min || *out > max)
		return arena_printf(
			d->t->a, "'%s' is not a number from %lu to %lu", value, min, max);
	return NULL;
}

/* One "key = value"; what is wrong with it, or NULL. */
static const char *set_key(struct described *d, const char *key, const char *value)
{
	struct target *t = d->t;
	const char *why = NULL;
	unsigned long n = 0;

	if (!strcmp(key, "arch")) {
		t->arch = kern_arch_by_name(value);
		return t->arch ? NULL : arena_printf(t->a, "unknown architecture '%s'", value);
	}
	if (!strcmp(key, "kernel")) {
		t->version = parse_version(value);
		return t->version ? NULL : arena_printf(t->a, "'%s' is no kernel version", value);
	}
	if (!strcmp(key, "isa")) {
		why = set_number(d, value, 1, 4, &n);
		t->isa = (int)n;
		return why;
	}
	if (!strcmp(key, "cpus")) {
		why = set_number(d, value, 1, 65536, &n);
		t->ncpus = t->cpu_span = (uint32_t)n;
		return why;
	}
	if (!strcmp(key, "btf")) {
		t->btf = kbtf_open(t->a, beside(d, value), &why);
		return t->btf ? NULL : why;
	}
	if (!strcmp(key, "tracefs")) {
		t->tracefs = beside(d, value);
		return NULL;
	}
	if (!strcmp(key, "ksyms")) {
		t->ksyms = beside(d, value);
		return NULL;
	}
	if (!strcmp(key, "feature"))
		return set_feature(d, value, &d->with);
	if (!strcmp(key, "no-feature"))
		return set_feature(d, value, &d->without);
	return arena_printf(t->a, "unknown key '%s'", key);
}

static char *trim(char *s)
{
	size_t n;

	while (isspace((unsigned char)*s))
		s++;
	n = strlen(s);
	while (n && isspace((unsigned char)s[n - 1]))
		s[--n] = 0;
	return s;
}

/* One line of the file; what is wrong with it, or NULL. */
static const char *set_line(struct described *d, char *line)
{
	char *hash = strchr(line, '#'), *eq;

	if (hash)
		*hash = 0;
	line = trim(line);
	if (!line[0])
		return NULL;
	eq = strchr(line, '=');
	if (!eq)
		return "expected 'key = value'";
	*eq = 0;
	return set_key(d, trim(line), trim(eq + 1));
}

int target_file(struct target *t, struct arena *a, const char *path, const char **why)
{
	struct described d = {.t = t, .path = path};
	char *text = file_read(a, path, NULL);

	*t = (struct target){.a = a, .name = path, .isa = ISA_DEFAULT};
	t->btf_why = "the target file names no BTF";
	if (!text) {
		int e = errno;

		*why = arena_printf(a, "%s: %s", path, strerror(e));
		return -e;
	}
	for (int line = 1; text; line++) {
		char *end = strchr(text, '\n');
		const char *wrong;

		if (end)
			*end++ = 0;
		wrong = set_line(&d, text);
		if (wrong) {
			*why = arena_printf(a, "%s:%d: %s", path, line, wrong);
			target_close(t);
			return -EINVAL;
		}
		text = end;
	}
	if (t->btf)
		t->btf_why = NULL;
	target_features_by_version(t);
	features_by_btf(t);
	t->features = (t->features | d.with) & ~d.without;
	return 0;
}
