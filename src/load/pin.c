/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Writing and reading pinned sets. A set that replaces one of the same name takes over its links one
 * by one (attach_over_pinned), so there is no moment without rules; if anything fails before
 * load_pin is done, load_detach gives the links their old programs back.
 */
#include "load/pin.h"
#include "load/internal.h"
#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <net/if.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define BPFFS "/sys/fs/bpf"
#define NAME_MOST 64
#define LINK_TCX 11 /* BPF_LINK_TYPE_TCX, since 6.6: tells its interface where xdp does */

static int pin_error(struct loaded *l, const char *what, int err)
{
	struct diag *e = diag_error(l->d, NO_SPAN, err == EPERM || err == EACCES ? DIAG_NO_PERMISSION
									      : DIAG_SYSTEM,
		"cannot pin %s as '%s': %s", what, l->attach.pin, strerror(err));

	if (err == EPERM || err == EACCES)
		diag_hint(l->d, e, "run as root; rules are pinned in " PIN_ROOT);
	return SKEP_ESYS;
}

bool pin_name_ok(struct skep_diags *d, const char *name)
{
	size_t n = strlen(name);

	if (n && n <= NAME_MOST && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
						"0123456789-_") == n)
		return true;
	diag_hint(d,
		diag_error(d, NO_SPAN, DIAG_BAD_OPTION, "'%.80s' is no name for a set of rules", name),
		"letters, digits, '-' and '_', at most %d: firewall", NAME_MOST);
	return false;
}

static const char *dir_of(struct arena *a, const char *name)
{
	return arena_printf(a, PIN_ROOT "/%s", name);
}

/* PIN_ROOT/NAME/PREFIX:TEXT; the kernel takes no dots in names. */
static const char *path_of(struct arena *a, const char *name, const char *prefix, const char *text)
{
	struct buf b;

	buf_init(&b, a);
	buf_printf(&b, PIN_ROOT "/%s/%s:", name, prefix);
	for (; *text; text++) {
		if (*text == '.' || *text == '/' || *text == '%')
			buf_printf(&b, "%%%02X", (unsigned char)*text);
		else
			buf_putc(&b, *text);
	}
	return b.p;
}

static const char *file_of(struct arena *a, const char *name, const char *file)
{
	return arena_printf(a, PIN_ROOT "/%s/%s", name, file);
}

static int make_dirs(struct loaded *l)
{
	struct statfs fs;

	if ((statfs(BPFFS, &fs) || fs.f_type != BPF_FS_MAGIC) &&
		mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700"))
		return pin_error(l, "rules (" BPFFS " is no BPF file system)", errno);
	if ((mkdir(PIN_ROOT, 0700) && errno != EEXIST) ||
		(mkdir(dir_of(l->a, l->attach.pin), 0700) && errno != EEXIST))
		return pin_error(l, "rules", errno);
	return SKEP_OK;
}

/* ---- writing ---- */

static int repin(int fd, const char *path)
{
	unlink(path);
	return bpf_obj_pin(fd, path) ? -errno : 0;
}

/* An array of n values from bytes, pinned. */
static int pin_array(struct loaded *l, const char *file, const char *kname, const void *bytes,
	uint32_t size, uint32_t n)
{
	int fd = sys_map_create(BPF_MAP_TYPE_ARRAY, kname, 4, size, n, NULL), err = 0;

	if (fd < 0)
		return -errno;
	for (uint32_t i = 0; !err && i < n; i++) {
		if (bpf_map_update_elem(fd, &i, (const uint8_t *)bytes + (size_t)size * i, 0))
			err = -errno;
	}
	if (!err)
		err = repin(fd, file_of(l->a, l->attach.pin, file));
	close(fd);
	return err;
}

static int pin_meta(struct loaded *l)
{
	struct buf b;

	buf_init(&b, l->a);
	meta_write(&l->meta, &b);
	return pin_array(l, "meta", "skep_meta", b.p, (uint32_t)b.n, 1);
}

static int pin_filters(struct loaded *l)
{
	VEC(struct tc_filter) f = {0};

	for (uint32_t i = 0; i < l->links.n; i++) {
		if (l->links.v[i].clsact)
			vec_push(l->a, &f, l->links.v[i].tc);
	}
	if (f.n)
		return pin_array(l, "tc", "skep_tc", f.v, sizeof(*f.v), f.n);
	unlink(file_of(l->a, l->attach.pin, "tc"));
	return 0;
}

static int pin_links(struct loaded *l)
{
	for (uint32_t i = 0; i < l->links.n; i++) {
		struct loaded_link *k = &l->links.v[i];
		const struct meta_probe *p;
		const char *path;

		if (k->clsact || k->pinned)
			continue;
		if (k->probe == META_NONE || k->tracefs)
			return pin_error(l, "this kind of probe", EOPNOTSUPP);
		p = &l->meta.probes.v[k->probe];
		path = path_of(l->a, l->attach.pin, "link", p->name);
		unlink(path);
		if (bpf_obj_pin(k->fd, path))
			return pin_error(l, arena_printf(l->a, "'%s'", p->name), errno);
		k->pinned = true;
	}
	return SKEP_OK;
}

static bool still_used(const struct loaded *l, const char *path)
{
	for (uint32_t i = 0; i < l->links.n; i++) {
		const struct loaded_link *k = &l->links.v[i];

		if (k->pinned && k->probe != META_NONE &&
			!strcmp(path, path_of(l->a, l->attach.pin, "link",
					      l->meta.probes.v[k->probe].name)))
			return true;
	}
	for (uint32_t i = 0; i < l->meta.maps.n; i++) {
		if (l->map_fd[i] >= 0 &&
			!strcmp(path, path_of(l->a, l->attach.pin, "map", l->meta.maps.v[i].kname)))
			return true;
	}
	return false;
}

/* Links and maps of the set that had the name before. */
static void forget_others(struct loaded *l)
{
	DIR *dir = opendir(dir_of(l->a, l->attach.pin));
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		const char *path = file_of(l->a, l->attach.pin, e->d_name);

		if (strchr(e->d_name, ':') && !still_used(l, path))
			unlink(path);
	}
	if (dir)
		closedir(dir);
}

static void forget_filters(struct arena *a, const char *name, const struct loaded *keep);

int load_pin(struct loaded *l)
{
	int err = make_dirs(l);

	if (!err)
		err = pin_links(l);
	if (err)
		return err;
	forget_filters(l->a, l->attach.pin, l);
	for (uint32_t i = 0; !err && i < l->meta.maps.n; i++) {
		if (l->map_fd[i] >= 0)
			err = repin(l->map_fd[i],
				path_of(l->a, l->attach.pin, "map", l->meta.maps.v[i].kname));
	}
	if (!err)
		err = pin_filters(l);
	if (!err)
		err = pin_meta(l);
	if (err)
		return pin_error(l, "maps", -err);
	forget_others(l);
	for (uint32_t i = 0; i < l->links.n; i++) {
		struct loaded_link *k = &l->links.v[i];

		if (k->old_prog > 0)
			close(k->old_prog);
		k->old_prog = 0;
		k->stays = true;
	}
	return SKEP_OK;
}

/* ---- taking over ---- */

static bool same_place(const struct bpf_link_info *info, unsigned ifindex)
{
	if (info->type == BPF_LINK_TYPE_XDP)
		return ifindex && info->xdp.ifindex == ifindex;
	/* a link whose interface is gone says 0 */
	return info->type != LINK_TCX || (ifindex && info->xdp.ifindex == ifindex);
}

bool attach_over_pinned(struct loaded *l, uint32_t probe, unsigned ifindex)
{
	const struct meta_probe *p = &l->meta.probes.v[probe];
	struct loaded_link k = {.fd = -1, .probe = probe, .ifindex = ifindex, .pinned = true};
	struct bpf_link_info info = {0};
	uint32_t len = sizeof(info);
	const char *path;

	if (!l->attach.pin)
		return false;
	path = path_of(l->a, l->attach.pin, "link", p->name);
	k.fd = bpf_obj_get(path);
	if (k.fd < 0)
		return false;
	if (!bpf_obj_get_info_by_fd(k.fd, &info, &len) && same_place(&info, ifindex) &&
		xdp_mode_fits(ifindex, p->arg[1]))
		k.old_prog = bpf_prog_get_fd_by_id(info.prog_id);
	if (k.old_prog > 0 && !bpf_link_update(k.fd, attach_prog_fd(l, probe), NULL)) {
		attach_keep(l, k);
		return true;
	}
	/* Its interface is gone, or it is of another kind: a new one takes its place. */
	if (k.old_prog > 0)
		close(k.old_prog);
	bpf_link_detach(k.fd);
	close(k.fd);
	unlink(path);
	return false;
}

/* ---- reading ---- */

/* Nothing of that name, which only who may look can know. */
static int no_such(struct skep_diags *d, const char *what, const char *hint)
{
	struct stat st;
	struct diag *e;

	if (stat(PIN_ROOT "/.", &st) && errno == EACCES) {
		e = diag_error(d, NO_SPAN, DIAG_NO_PERMISSION, "cannot look into '%s': %s", PIN_ROOT,
			strerror(EACCES));
		hint = "run as root";
	} else {
		e = diag_error(d, NO_SPAN, DIAG_NO_SUCH_TARGET, "%s", what);
	}
	diag_hint(d, e, "%s", hint);
	return SKEP_EUSER;
}

static int not_pinned(struct arena *a, struct skep_diags *d, const char *name)
{
	return no_such(d, arena_printf(a, "no rules are pinned as '%s'", name),
		"`skep list` shows the names there are");
}

/* Whole value of a pinned array of one; NULL. */
static void *read_array(struct arena *a, const char *path, uint32_t *size, uint32_t *n)
{
	struct bpf_map_info info = {0};
	uint32_t len = sizeof(info);
	int fd = bpf_obj_get(path);
	uint8_t *value = NULL;

	if (fd < 0)
		return NULL;
	if (!bpf_obj_get_info_by_fd(fd, &info, &len) && info.type == BPF_MAP_TYPE_ARRAY &&
		info.value_size && info.max_entries && info.max_entries < 65536) {
		uint32_t room = (info.value_size + 7) & ~7u;

		value = arena_alloc(a, (size_t)room * info.max_entries);
		for (uint32_t i = 0; value && i < info.max_entries; i++) {
			if (bpf_map_lookup_elem(fd, &i, value + (size_t)info.value_size * i))
				value = NULL;
		}
	}
	close(fd);
	*size = info.value_size;
	*n = info.max_entries;
	return value;
}

static void open_parts(struct loaded *l, const char *name)
{
	for (uint32_t i = 0; i < l->meta.maps.n; i++)
		l->map_fd[i] = bpf_obj_get(path_of(l->a, name, "map", l->meta.maps.v[i].kname));
	for (uint32_t i = 0; i < l->meta.probes.n; i++) {
		int fd = bpf_obj_get(path_of(l->a, name, "link", l->meta.probes.v[i].name));

		if (fd >= 0)
			attach_keep(l, (struct loaded_link){.fd = fd, .probe = i, .pinned = true,
					       .stays = true});
	}
}

int load_open_pinned(struct loaded *l, struct arena *a, struct target *t, struct skep_diags *d,
	const char *name)
{
	const char *why = NULL;
	uint32_t size = 0, n = 0;
	void *bytes;

	*l = (struct loaded){.a = a, .d = d, .target = t};
	if (!pin_name_ok(d, name))
		return SKEP_EUSER;
	bytes = read_array(a, file_of(a, name, "meta"), &size, &n);
	if (!bytes)
		return not_pinned(a, d, name);
	if (!meta_read(&l->meta, a, bytes, size, &why)) {
		l->meta = (struct meta){.a = a};
		diag_hint(d,
			diag_error(d, NO_SPAN, DIAG_BAD_OBJECT, "the rules pinned as '%s' cannot be "
				"read: %s", name, why),
			"another version of skep pinned them; `skep detach %s` removes them", name);
		return SKEP_EUSER;
	}
	l->map_fd = ARENA_ARRAY(a, int, l->meta.maps.n + 1);
	l->map_mem = ARENA_ARRAY(a, void *, l->meta.maps.n + 1);
	l->prog = ARENA_ARRAY(a, struct loaded_prog, l->meta.progs.n + 1);
	for (uint32_t i = 0; i < l->meta.progs.n; i++)
		l->prog[i].fd = -1;
	open_parts(l, name);
	return SKEP_OK;
}

const char *load_moved(const struct loaded *l, uint32_t link)
{
	const struct loaded_link *k = &l->links.v[link];
	struct bpf_link_info info = {0};
	uint32_t len = sizeof(info);
	char name[IF_NAMESIZE];

	if (bpf_obj_get_info_by_fd(k->fd, &info, &len) ||
		(info.type != BPF_LINK_TYPE_XDP && info.type != LINK_TCX))
		return "";
	if (!info.xdp.ifindex)
		return " (gone)";
	if (info.xdp.ifindex == if_nametoindex(l->meta.probes.v[k->probe].arg[0]) ||
		!if_indextoname(info.xdp.ifindex, name)) /* of another network namespace */
		return "";
	return arena_printf(l->a, " (interface %u, here called %s)", info.xdp.ifindex, name);
}

/* ---- removing ---- */

static bool kept(const struct loaded *l, const struct tc_filter *f)
{
	for (uint32_t i = 0; l && i < l->links.n; i++) {
		const struct loaded_link *k = &l->links.v[i];

		if (k->clsact && k->tc.ifindex == f->ifindex && k->tc.egress == f->egress &&
			k->tc.priority == f->priority && k->tc.handle == f->handle)
			return true;
	}
	return false;
}

static void forget_filters(struct arena *a, const char *name, const struct loaded *keep)
{
	uint32_t size = 0, n = 0;
	struct tc_filter *f = read_array(a, file_of(a, name, "tc"), &size, &n);

	for (uint32_t i = 0; f && size == sizeof(*f) && i < n; i++) {
		if (!kept(keep, &f[i]))
			tc_detach(&f[i]);
	}
}

/* The filter that the pinned set has where this one goes: the new program takes its place. */
bool attach_filter_over_pinned(struct loaded *l, struct tc_filter *f)
{
	uint32_t size = 0, n = 0;
	struct tc_filter *old;

	if (!l->attach.pin)
		return false;
	old = read_array(l->a, file_of(l->a, l->attach.pin, "tc"), &size, &n);
	for (uint32_t i = 0; old && size == sizeof(*old) && i < n; i++) {
		if (old[i].ifindex != f->ifindex || old[i].egress != f->egress)
			continue;
		*f = old[i];
		return true;
	}
	return false;
}

int load_unpin(struct arena *a, struct skep_diags *d, const char *name)
{
	DIR *dir = pin_name_ok(d, name) ? opendir(dir_of(a, name)) : NULL;
	struct dirent *e;

	if (!dir)
		return d->errors ? SKEP_EUSER : not_pinned(a, d, name);
	forget_filters(a, name, NULL);
	while ((e = readdir(dir))) {
		const char *path = file_of(a, name, e->d_name);
		int fd = strncmp(e->d_name, "link:", 5) ? -1 : bpf_obj_get(path);

		if (fd >= 0) {
			bpf_link_detach(fd); /* others may hold it, too */
			close(fd);
		}
		if (*e->d_name != '.')
			unlink(path);
	}
	closedir(dir);
	if (rmdir(dir_of(a, name))) {
		diag_error(d, NO_SPAN, DIAG_SYSTEM, "cannot remove '%s': %s", dir_of(a, name),
			strerror(errno));
		return SKEP_ESYS;
	}
	return SKEP_OK;
}

int load_each_pinned(struct skep_diags *d, void (*each)(const char *name, void *arg), void *arg)
{
	DIR *dir = opendir(PIN_ROOT);
	struct dirent *e;

	if (!dir && errno != ENOENT) {
		diag_hint(d, diag_error(d, NO_SPAN, DIAG_SYSTEM, "cannot look into '%s': %s", PIN_ROOT,
				     strerror(errno)), "run as root");
		return SKEP_ESYS;
	}
	while (dir && (e = readdir(dir))) {
		if (*e->d_name != '.')
			each(e->d_name, arg);
	}
	if (dir)
		closedir(dir);
	return SKEP_OK;
}

/* ---- trials ---- */

int load_trial_open(struct loaded *l)
{
	int fd = -1;

	if (make_dirs(l))
		return -1;
	fd = sys_map_create(BPF_MAP_TYPE_ARRAY, "skep_trial", 4, 4, 1, NULL);
	if (fd >= 0 && repin(fd, file_of(l->a, l->attach.pin, "trial"))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool load_trial_confirmed(int fd)
{
	uint32_t zero = 0, value = 0;

	return fd >= 0 && !bpf_map_lookup_elem(fd, &zero, &value) && value;
}

void load_trial_close(struct loaded *l, int fd)
{
	if (fd < 0)
		return;
	close(fd);
	unlink(file_of(l->a, l->attach.pin, "trial"));
	rmdir(dir_of(l->a, l->attach.pin)); /* stays when rules are pinned there */
}

int load_trial_confirm(struct arena *a, struct skep_diags *d, const char *name)
{
	uint32_t zero = 0, one = 1;
	int fd = pin_name_ok(d, name) ? bpf_obj_get(file_of(a, name, "trial")) : -1;

	if (fd < 0)
		return d->errors ? SKEP_EUSER
				 : no_such(d, arena_printf(a, "no rules named '%s' are on trial", name),
					   arena_printf(a, "a trial is started by `skep --trial 30s "
						"--pin %s RULES`", name));
	bpf_map_update_elem(fd, &zero, &one, 0);
	close(fd);
	return SKEP_OK;
}
