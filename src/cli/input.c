/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cli/cli.h"
#include "base/diag.h"
#include "kern/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)256 << 20)

static bool read_all(struct input *in, int fd)
{
	size_t cap = 0;

	for (;;) {
		ssize_t n;

		if (in->len + 1 >= cap) {
			char *more = realloc(in->text, cap ? cap * 2 : 65536);

			if (!more) {
				errno = ENOMEM;
				return false;
			}
			in->text = more;
			cap = cap ? cap * 2 : 65536;
		}
		n = read(fd, in->text + in->len, cap - in->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			in->text[in->len] = 0;
			return n == 0;
		}
		in->len += (size_t)n;
		if (in->len > INPUT_MAX) {
			errno = EFBIG;
			return false;
		}
	}
}

/* A file that is not there may be a subcommand mistyped. */
static void no_file(const char *path, int err)
{
	struct suggest near;
	char hint[128];

	suggest_init(&near, path);
	for (const struct command *c = commands; c->name; c++) {
		if (*c->name)
			suggest_try(&near, c->name);
	}
	if (err == ENOENT && suggest_best(&near)) {
		snprintf(hint, sizeof(hint), "did you mean 'skep %s'?", suggest_best(&near));
		fail(hint, "cannot read '%s': %s", path, strerror(err));
	} else {
		fail(err == ENOENT && strpbrk(path, " {") ? "a script on the command line follows -e" : NULL,
			"cannot read '%s': %s", path, strerror(err));
	}
}

bool input_read(struct input *in, const char *path)
{
	bool standard = !strcmp(path, "-");
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	bool ok;
	int err;

	*in = (struct input){.name = standard ? "stdin" : path};
	if (fd < 0) {
		no_file(path, errno);
		return false;
	}
	ok = read_all(in, fd);
	err = errno;
	if (!standard)
		close(fd);
	if (!ok) {
		input_free(in);
		no_file(path, err);
	}
	return ok;
}

bool input_script(struct input *in, struct settings *o)
{
	if (o->value[OPT_EXPR]) {
		*in = (struct input){.name = "-e", .text = strdup(o->value[OPT_EXPR])};
		if (!in->text) {
			fail(NULL, "out of memory");
			return false;
		}
		in->len = strlen(in->text);
		return true;
	}
	if (!o->nargs) {
		fail("skep -e 'BEGIN { printf(\"hello\\n\"); }', or skep FILE; skep --help tells more",
			"there is no script");
		return false;
	}
	if (!input_read(in, o->args[0]))
		return false;
	if (in->len >= 4 && !memcmp(in->text, "\177ELF", 4)) {
		fail("`skep load` runs objects", "'%s' is an object, not a script", in->name);
		input_free(in);
		return false;
	}
	o->args++;
	o->nargs--;
	return true;
}

void input_free(struct input *in)
{
	free(in->text);
	in->text = NULL;
}

bool output_write(const char *path, const void *p, size_t n)
{
	int err = file_write(path, p, n);

	if (err)
		fail(NULL, "cannot write '%s': %s", path, strerror(err));
	return !err;
}

bool parse_time(const char *text, uint64_t *ms)
{
	static const struct {
		const char *unit;
		uint64_t ms;
	} units[] = {{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	unsigned long long n;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || n > UINT32_MAX)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!strcmp(end, units[i].unit)) {
			*ms = n * units[i].ms;
			return *ms > 0;
		}
	}
	return false;
}
