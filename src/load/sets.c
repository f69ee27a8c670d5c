/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads list files; see sets.h. A hundred thousand lines take a few hundredths of a second. */
#include "load/sets.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MOST ((off_t)512 << 20)
#define PORT_BYTES 8192

struct reader {
	struct skep_diags *d;
	const char *path;
	const char *text;
	size_t len;
	const struct meta_map *map;
	struct set_data *out;
	bool inet6; /* the map's family */
};

static bool file_error(struct skep_diags *d, struct skep_span at, const char *path, int err)
{
	diag_hint(d,
		diag_error(d, at, DIAG_NO_SUCH_TARGET, "cannot read the list '%.200s': %s", path,
			strerror(err)),
		"paths of lists are relative to where skep is started");
	return false;
}

/* The file becomes a source, so that its line is shown like a script's. */
static bool line_error(struct reader *r, const char *at, size_t n, const char *what,
	const char *hint)
{
	uint32_t base = diags_add_source(r->d, r->path, r->text, r->len);
	struct skep_span span = {base + (uint32_t)(at - r->text), (uint32_t)(n < 80 ? n : 80)};

	diag_hint(r->d,
		diag_error(r->d, span, DIAG_BAD_LIST, "'%.*s' is %s", (int)(n < 60 ? n : 60), at,
			what),
		"%s", hint);
	return false;
}

static bool add_key(struct reader *r, const uint8_t *key)
{
	struct set_data *s = r->out;
	uint32_t size = r->map->key_size;

	if (s->n == s->cap) {
		uint32_t cap = s->cap ? s->cap * 2 : 1024;
		uint8_t *more = realloc(s->keys, (size_t)cap * size);

		if (!more) {
			diag_error(r->d, NO_SPAN, DIAG_SYSTEM, "out of memory for the list '%s'",
				r->path);
			return false;
		}
		s->keys = more;
		s->cap = cap;
	}
	memcpy(s->keys + (size_t)s->n++ * size, key, size);
	return true;
}

/* Zeroes behind the prefix: equal prefixes are equal bytes. */
static void mask(uint8_t *addr, uint32_t size, uint32_t bits)
{
	for (uint32_t i = 0; i < size; i++, bits = bits > 8 ? bits - 8 : 0) {
		if (bits < 8)
			addr[i] &= (uint8_t)(0xff00u >> bits);
	}
}

static bool prefix(struct reader *r, const char *p, size_t n)
{
	static const char hint[] = "a line holds a prefix: 192.0.2.0/24, 192.0.2.1, 2001:db8::/32";
	char text[64], *slash, *end;
	uint8_t key[20] = {0};
	bool six;
	uint32_t bits, most;

	if (n >= sizeof(text))
		return line_error(r, p, n, "no prefix", hint);
	memcpy(text, p, n);
	text[n] = 0;
	slash = strchr(text, '/');
	if (slash)
		*slash = 0;
	six = strchr(text, ':') != NULL;
	if (inet_pton(six ? AF_INET6 : AF_INET, text, key + 4) != 1)
		return line_error(r, p, n, "no prefix", hint);
	bits = most = six ? 128 : 32;
	if (slash) {
		unsigned long v = strtoul(slash + 1, &end, 10);

		if (slash[1] < '0' || slash[1] > '9' || *end || v > most)
			return line_error(r, p, n, six ? "no prefix: at most 128 bits"
						       : "no prefix: at most 32 bits", hint);
		bits = (uint32_t)v;
	}
	if (six != r->inet6)
		return true;
	memcpy(key, &bits, 4);
	mask(key + 4, most / 8, bits);
	return add_key(r, key);
}

static bool ports(struct reader *r, const char *p, size_t n)
{
	static const char hint[] = "a line holds a port or a range of ports: 22, 8000-8080";
	unsigned long lo, hi;
	char text[32], *end;

	if (n >= sizeof(text) || *p < '0' || *p > '9')
		return line_error(r, p, n, "no port", hint);
	memcpy(text, p, n);
	text[n] = 0;
	lo = hi = strtoul(text, &end, 10);
	if ((*end == '-' || *end == ':') && end[1] >= '0' && end[1] <= '9')
		hi = strtoul(end + 1, &end, 10);
	else if (end[0] == '.' && end[1] == '.' && end[2] >= '0' && end[2] <= '9')
		hi = strtoul(end + 2, &end, 10);
	if (*end)
		return line_error(r, p, n, "no port", hint);
	if (lo > 65535 || hi > 65535)
		return line_error(r, p, n, "no port: they end at 65535", hint);
	if (hi < lo)
		return line_error(r, p, n, "an empty range of ports", hint);
	r->out->ranges++;
	for (unsigned long i = lo; i <= hi; i++)
		r->out->ports[i / 8] |= (uint8_t)(1u << i % 8);
	return true;
}

static bool lines(struct reader *r)
{
	const char *p = r->text, *end = p + r->len;

	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p)), *q;
		bool ok;

		eol = eol ? eol : end;
		for (q = p; q < eol && *q != '#' && *q != ';'; q++)
			;
		while (p < q && (unsigned char)*p <= ' ')
			p++;
		while (q > p && (unsigned char)q[-1] <= ' ')
			q--;
		ok = p == q || (r->out->ports ? ports(r, p, (size_t)(q - p))
					      : prefix(r, p, (size_t)(q - p)));
		if (!ok)
			return false;
		p = eol + 1;
	}
	return true;
}

static int by_bytes(const void *a, const void *b, void *size)
{
	return memcmp(a, b, *(const uint32_t *)size);
}

static void sort_unique(struct set_data *s, uint32_t size)
{
	uint32_t n = 0;

	if (s->n)
		qsort_r(s->keys, s->n, size, by_bytes, &size);
	for (uint32_t i = 0; i < s->n; i++) {
		if (n && !memcmp(s->keys + (size_t)(n - 1) * size, s->keys + (size_t)i * size, size))
			continue;
		memmove(s->keys + (size_t)n++ * size, s->keys + (size_t)i * size, size);
	}
	s->n = n;
}

/* The whole file from malloc; NULL with errno. */
static char *read_file(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st;
	char *text = NULL;
	ssize_t n;

	*len = 0;
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > FILE_MOST)
		err = S_ISDIR(st.st_mode) ? EISDIR : st.st_size > FILE_MOST ? EFBIG : EINVAL;
	else if (!(text = malloc((size_t)st.st_size + 1)))
		err = ENOMEM;
	while (text && *len < (size_t)st.st_size) {
		n = read(fd, text + *len, (size_t)st.st_size - *len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		*len += (size_t)n;
	}
	close(fd);
	if (text)
		text[*len] = 0;
	errno = err;
	return text;
}

bool set_read(struct skep_diags *d, struct skep_span at, const struct meta_map *map,
	struct set_data *out)
{
	const char *path = map->names.n ? map->names.v[0] : "";
	struct reader r = {.d = d, .path = path, .map = map, .out = out};
	char *text = read_file(path, &r.len);
	bool ok;

	*out = (struct set_data){0};
	if (!text)
		return file_error(d, at, path, errno);
	r.text = text;
	r.inet6 = map->keys.n && map->keys.v[0].kind == MK_INET6;
	if (map->type == BPF_MAP_TYPE_ARRAY)
		out->ports = calloc(1, map->value_size < PORT_BYTES ? PORT_BYTES : map->value_size);
	ok = map->type == BPF_MAP_TYPE_ARRAY ? out->ports && map->value_size >= PORT_BYTES
					     : map->key_size == (r.inet6 ? 20u : 8u);
	if (!ok)
		diag_error(d, at, DIAG_BAD_OBJECT, "the list '%s' does not fit its map", map->name);
	ok = ok && lines(&r);
	free(text);
	if (!ok)
		set_free(out);
	else if (!out->ports)
		sort_unique(out, map->key_size);
	return ok;
}

void set_free(struct set_data *s)
{
	free(s->keys);
	free(s->ports);
	*s = (struct set_data){0};
}
