/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Words for the errno of a system call: rows of syserr.def, else the C library's text. */
#include "load/internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

struct row {
	const char *kind, *cause, *hint;
	uint16_t err;
	enum sys_what what : 8;
	enum diag_id id : 8;
};

static const struct row rows[] = {
#define X(what, kind, err, id, cause, hint) {kind, cause, hint, err, what, DIAG_##id},
#include "load/syserr.def"
#undef X
};

static const struct row *find_row(enum sys_what what, const char *kind, int err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *r = &rows[i];

		if (r->what == what && r->err == err && (!*r->kind || !strcmp(r->kind, kind)))
			return r;
	}
	return NULL;
}

static enum diag_id default_id(enum sys_what what)
{
	return what == SYS_ATTACH || what == SYS_OPS ? DIAG_ATTACH : DIAG_SYSTEM;
}

const char *sys_cause(enum sys_what what, const char *kind, int err)
{
	const struct row *r = find_row(what, kind, err);

	return r ? r->cause : strerror(err);
}

/* "integrity" or "confidentiality" while the kernel keeps even root from its insides; NULL. */
static const char *locked_down(struct arena *a)
{
	const char *text = read_small(a, "/sys/kernel/security/lockdown");
	const char *in = text ? strchr(text, '[') : NULL;

	if (!in || !strncmp(in, "[none", 5))
		return NULL;
	return arena_strndup(a, in + 1, strcspn(in + 1, "]"));
}

int sys_error(struct loaded *l, enum sys_what what, const char *kind, struct skep_span at, int err,
	const char *fmt, ...)
{
	const struct row *r = find_row(what, kind, err);
	const char *subject, *lock = err == EPERM && !geteuid() ? locked_down(l->a) : NULL;
	struct diag *e;
	va_list ap;

	va_start(ap, fmt);
	subject = arena_vprintf(l->a, fmt, ap);
	va_end(ap);
	if (lock) {
		e = diag_error(l->d, at, DIAG_NO_PERMISSION,
			"%s: this kernel is locked down (%s) (errno %d)", subject, lock, err);
		diag_hint(l->d, e, "packet rules work; tracing needs a boot without lockdown=%s "
			"and without what sets it (secure boot)", lock);
		return SKEP_ESYS;
	}
	if (r)
		e = diag_error(l->d, at, r->id, "%s: %s (errno %d)", subject, r->cause, err);
	else
		e = diag_error(l->d, at, default_id(what), "%s: %s (errno %d)", subject,
			strerror(err), err);
	if (r && *r->hint)
		diag_hint(l->d, e, "%s", r->hint);
	return SKEP_ESYS;
}

const char *read_small(struct arena *a, const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return NULL;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n < 0)
		return NULL;
	while (n && text[n - 1] == '\n')
		n--;
	return arena_strndup(a, text, (size_t)n);
}
