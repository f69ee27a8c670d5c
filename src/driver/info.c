/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * --info: what the target is, what its kernel can do, what each missing piece costs. On this
 * machine the kernel is asked where that is allowed; of another one the version and its types tell.
 */
#include "driver/target.h"
#include "run/field.h"
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

struct info {
	struct skep *s;
	bool json, started;
	struct buf out; /* JSON: the object in the making */
	void (*line)(const char *text, void *arg);
	void *arg;
};

static void json_name(struct info *i, const char *name)
{
	if (i->out.n && i->out.p[i->out.n - 1] != '{')
		buf_puts(&i->out, ", ");
	json_string(&i->out, name, strlen(name));
	buf_puts(&i->out, ": ");
}

static void put(struct info *i, const char *name, const char *text)
{
	if (!i->json) {
		i->line(arena_printf(&i->s->a, "%-20s %s", name, text), i->arg);
		return;
	}
	json_name(i, name);
	json_string(&i->out, text, strlen(text));
}

/* One thing that is there or not. */
static void have(struct info *i, const char *name, bool yes, const char *cost)
{
	if (i->json) {
		json_name(i, name);
		buf_puts(&i->out, yes ? "{\"have\": true" : "{\"have\": false");
		if (!yes && *cost) {
			buf_puts(&i->out, ", \"cost\": ");
			json_string(&i->out, cost, strlen(cost));
		}
		buf_putc(&i->out, '}');
		return;
	}
	if (!yes)
		i->line(arena_printf(&i->s->a, "%-20s no   %s", name, *cost ? cost : "costs nothing"), i->arg);
	else
		i->line(arena_printf(&i->s->a, "%-20s yes", name), i->arg);
}

static void group(struct info *i, const char *name)
{
	if (i->json) {
		json_name(i, name);
		buf_putc(&i->out, '{');
	} else {
		i->line(arena_printf(&i->s->a, "\n%s:", name), i->arg);
	}
}

static void group_end(struct info *i)
{
	if (i->json)
		buf_putc(&i->out, '}');
}

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* First line of a file, which may be a large one; "" when it cannot be read. */
static const char *first_line(struct info *i, const char *path)
{
	char *text = arena_alloc(&i->s->a, 256);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, 255);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	return text;
}

/* "[none] integrity confidentiality" */
static const char *lockdown(struct info *i)
{
	const char *text = first_line(i, "/sys/kernel/security/lockdown"), *in = strchr(text, '[');

	return in ? arena_printf(&i->s->a, "%.*s", (int)strcspn(in + 1, "]"), in + 1) : "none";
}

static bool sees_addresses(struct info *i)
{
	const char *line = first_line(i, "/proc/kallsyms");

	return *line && strspn(line, "0") < strcspn(line, " ");
}

static void surroundings(struct info *i)
{
	const struct target *t = &i->s->target;
	const char *lock = lockdown(i), *jit = first_line(i, "/proc/sys/net/core/bpf_jit_enable");

	group(i, "this machine");
	have(i, "root_or_cap_bpf", may_load(), "nothing can be loaded; `skep check` and `skep build` work");
	have(i, "cap_net_admin", has_net_admin(), "no packet probes");
	have(i, "tracefs", t->tracefs, arena_printf(&i->s->a, "no tracepoints: %s", kern_tracefs_hint()));
	have(i, "cgroup2", is_cgroup2("/sys/fs/cgroup") || is_cgroup2("/sys/fs/cgroup/unified"),
		"no cgroup_skb probes, no cgroup ids: only version 1 is mounted");
	have(i, "jit", *jit != '0', "programs are interpreted, calls of kernel functions refused: "
				    "echo 1 > /proc/sys/net/core/bpf_jit_enable");
	have(i, "kallsyms", sees_addresses(i), "addresses of kernel functions have no names");
	have(i, "unlocked", !strcmp(lock, "none"),
		!strcmp(lock, "confidentiality")
			? "locked down for confidentiality: kernel memory cannot be read, no kprobes"
			: "locked down for integrity: programs may not write user memory");
	group_end(i);
}

static void machine(struct info *i)
{
	const struct target *t = &i->s->target;

	put(i, "target", t->name);
	put(i, "architecture", t->arch == KERN_ANY ? "unknown" : kern_arch_name(t->arch));
	put(i, "kernel", !t->version ? "unknown" : arena_printf(&i->s->a, "%u.%u.%u", t->version >> 16,
						       t->version >> 8 & 0xff, t->version & 0xff));
	put(i, "instruction set", arena_printf(&i->s->a, "v%d", t->isa));
	put(i, "kernel types", t->btf ? "BTF" : t->btf_why ? t->btf_why : "none");
	if (t->host) {
		put(i, "page size", arena_printf(&i->s->a, "%d", getpagesize()));
		put(i, "CPUs", arena_printf(&i->s->a, "%u", t->ncpus));
	}
}

static int do_info(struct skep *s, void *arg)
{
	struct info *i = arg;

	i->s = s;
	buf_init(&i->out, &s->a);
	if (i->json)
		buf_putc(&i->out, '{');
	if (s->target.host && may_load())
		load_probe_features(&s->target);
	machine(i);
	if (s->target.host)
		surroundings(i);
	group(i, "kernel features");
	for (unsigned f = 0; f < KF_COUNT; f++) {
		enum kern_feature k = (enum kern_feature)f;

		have(i, kern_feature_text(k), target_has(&s->target, k), kern_feature_cost(k));
	}
	group_end(i);
	if (i->json) {
		buf_puts(&i->out, "}");
		i->line(i->out.p, i->arg);
	}
	return SKEP_OK;
}

void skep_info(struct skep *s, bool json, void (*line)(const char *text, void *arg), void *arg)
{
	struct info i = {.json = json, .line = line, .arg = arg};

	guarded(s, do_info, &i);
}
