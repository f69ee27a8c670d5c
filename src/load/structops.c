/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * struct_ops: operations tables of the kernel (sched_ext and others) filled with programs. Layout
 * and indices are found by name in the running kernel's BTF, since both move between versions.
 * Only vmlinux types are known, not those of modules.
 */
#include "load/internal.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

#define F_LINK (1u << 13)  /* BPF_F_LINK, since 6.4 */
#define ATTACH_STRUCT_OPS 44 /* enum bpf_attach_type's BPF_STRUCT_OPS, since 6.4 */
#define SCX_STATE "/sys/kernel/sched_ext/state"
#define SCX_ROOT "/sys/kernel/sched_ext/root/ops"
#define KLOG_READ_ALL 3 /* syslog(2) */

static bool is_scx(const struct meta_ops *o)
{
	return !strcmp(o->type, "sched_ext_ops");
}

static int no_type(struct loaded *l, const struct meta_ops *o)
{
	struct diag *e;

	if (!l->target->btf)
		e = diag_error(l->d, NO_SPAN, DIAG_NEED_BTF,
			"'%s' needs the kernel's type information: %s", o->type,
			l->target->btf_why ? l->target->btf_why : "there is none");
	else
		e = diag_error(l->d, NO_SPAN, DIAG_NO_KERNEL_FEATURE,
			"this kernel has no '%s' for BPF programs", o->type);
	if (is_scx(o))
		diag_hint(l->d, e,
			"schedulers need Linux 6.12 or newer with CONFIG_SCHED_CLASS_EXT=y");
	return SKEP_ESYS;
}

/* The kernel's table type, and the type of the map's value around it; 0 when it has neither. */
static uint32_t ops_type(struct loaded *l, const struct meta_ops *o)
{
	return l->target->btf ? kbtf_find_struct(l->target->btf, o->type) : 0;
}

int structops_types(struct loaded *l)
{
	for (uint32_t i = 0; i < l->meta.ops.n; i++) {
		if (!ops_type(l, &l->meta.ops.v[i]))
			return no_type(l, &l->meta.ops.v[i]);
	}
	return SKEP_OK;
}

static uint32_t value_type(struct loaded *l, const struct meta_ops *o)
{
	return l->target->btf ? kbtf_find_struct(l->target->btf,
					arena_printf(l->a, "bpf_struct_ops_%s", o->type))
			      : 0;
}

/* Position of a member in its struct; META_NONE when there is none of that name. */
static uint32_t member_index(const struct kbtf *b, uint32_t id, const char *name)
{
	const struct btf_type *t = kbtf_type(b, id);
	const struct btf_member *m = (const struct btf_member *)(t + 1);

	for (uint32_t i = 0; btf_kind_of(t) == BTF_KIND_STRUCT && i < btf_vlen_of(t); i++) {
		if (!strcmp(kbtf_str(b, m[i].name_off), name))
			return i;
	}
	return META_NONE;
}

int structops_prog_ids(struct loaded *l, uint32_t prog, uint32_t *type_id, uint32_t *member)
{
	const struct meta_prog *p = &l->meta.progs.v[prog];
	const struct meta_ops *o;
	const char *name;

	if (p->ops == META_NONE) {
		diag_error(l->d, NO_SPAN, DIAG_BAD_OBJECT,
			"program '%s' belongs to no operations table", p->name);
		return SKEP_EUSER;
	}
	o = &l->meta.ops.v[p->ops];
	name = o->members.v[p->member].name;
	*type_id = ops_type(l, o);
	if (!*type_id)
		return no_type(l, o);
	*member = member_index(l->target->btf, *type_id, name);
	if (*member == META_NONE) {
		diag_error(l->d, prog_span(l, prog, 0), DIAG_NO_KERNEL_FEATURE,
			"this kernel's '%s' has no operation '%s'", o->type, name);
		return SKEP_ESYS;
	}
	return SKEP_OK;
}

/* Any BTF will do, but there must be one: a single int. */
static int least_btf(void)
{
	struct {
		struct btf_header h;
		struct btf_type t;
		uint32_t bits;
		char str[8];
	} b = {.h = {.magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(b.h),
		       .type_len = sizeof(b.t) + 4, .str_off = sizeof(b.t) + 4, .str_len = 5},
		.t = {.name_off = 1, .info = BTF_KIND_INT << 24, .size = 4}, .bits = 32,
		.str = "\0int"};

	return sys_btf_load(&b, sizeof(b.h) + sizeof(b.t) + 4 + 5);
}

static const struct meta_ops *ops_of_map(const struct loaded *l, uint32_t map)
{
	for (uint32_t i = 0; i < l->meta.ops.n; i++) {
		if (l->meta.ops.v[i].map == map)
			return &l->meta.ops.v[i];
	}
	return NULL;
}

int structops_create(struct loaded *l, uint32_t map)
{
	LIBBPF_OPTS(bpf_map_create_opts, opt, .map_flags = F_LINK);
	struct meta_map *row = &l->meta.maps.v[map];
	const struct meta_ops *o = ops_of_map(l, map);
	int least = -1, fd, err;

	if (!o)
		return SKEP_OK;
	opt.btf_vmlinux_value_type_id = value_type(l, o);
	if (!opt.btf_vmlinux_value_type_id || !ops_type(l, o))
		return no_type(l, o);
	row->value_size = kbtf_size(l->target->btf, opt.btf_vmlinux_value_type_id);
	if (btf_fd_of(l) < 0)
		least = least_btf();
	opt.btf_fd = (uint32_t)(least >= 0 ? least : btf_fd_of(l));
	fd = sys_map_create(BPF_MAP_TYPE_STRUCT_OPS, row->kname, 4, row->value_size, 1, &opt);
	row->flags = F_LINK;
	if (fd < 0 && errno == EINVAL) { /* before 6.4: registered by writing the value */
		opt.map_flags = row->flags = 0;
		fd = sys_map_create(BPF_MAP_TYPE_STRUCT_OPS, row->kname, 4, row->value_size, 1,
			&opt);
	}
	err = errno;
	if (least >= 0)
		close(least);
	if (fd < 0)
		return sys_error(l, SYS_OPS, "", NO_SPAN, err, "cannot make the table of '%s'",
			o->name);
	l->map_fd[map] = fd;
	return SKEP_OK;
}

static int bad_member(struct loaded *l, const struct meta_ops *o, const char *name, const char *why)
{
	diag_error(
		l->d, NO_SPAN, DIAG_BAD_CONFIG, "cannot set '%s' of '%s': %s", name, o->type, why);
	return SKEP_ESYS;
}

static int set_member(struct loaded *l, const struct meta_ops *o, const struct meta_ops_member *om,
	uint32_t id, uint8_t *data, uint32_t room)
{
	struct kbtf_member m;
	struct kbtf_info t;
	uint64_t v = om->value;

	if (!kbtf_find_member(l->target->btf, id, om->name, &m))
		return om->prog == META_NONE && !om->text && !v
			       ? SKEP_OK
			       : bad_member(l, o, om->name, "this kernel has no such member");
	t = kbtf_describe(l->target->btf, m.type);
	if (m.bit_size || m.bit_off % 8 || m.bit_off / 8 > room || t.size > room - m.bit_off / 8)
		return bad_member(l, o, om->name, "it has another form on this kernel");
	data += m.bit_off / 8;
	if (om->prog != META_NONE) {
		if (t.class != KBTF_PTR)
			return bad_member(l, o, om->name, "it is no operation");
		v = (uint64_t)l->prog[om->prog].fd;
		memcpy(data, &v, sizeof(v));
		return SKEP_OK;
	}
	if (om->text) {
		if (t.class != KBTF_ARRAY || strlen(om->text) >= t.size)
			return bad_member(l, o, om->name, "the text is too long");
		memcpy(data, om->text, strlen(om->text));
		return SKEP_OK;
	}
	if (t.class != KBTF_INT || (t.size < 8 && v >> (8 * t.size)))
		return bad_member(l, o, om->name, "the number is too large");
	memcpy(data, &v, t.size);
	return SKEP_OK;
}

int structops_fill(struct loaded *l, uint32_t ops)
{
	const struct meta_ops *o = &l->meta.ops.v[ops];
	const struct meta_map *row = &l->meta.maps.v[o->map];
	uint32_t id = ops_type(l, o), zero = 0;
	struct kbtf_member data;
	uint8_t *value;
	int err = SKEP_OK;

	if (!kbtf_find_member(l->target->btf, value_type(l, o), "data", &data) ||
		data.bit_off / 8 > row->value_size)
		return no_type(l, o);
	value = arena_alloc(l->a, row->value_size);
	for (uint32_t i = 0; !err && i < o->members.n; i++)
		err = set_member(l, o, &o->members.v[i], id, value + data.bit_off / 8,
			row->value_size - data.bit_off / 8);
	if (!err && bpf_map_update_elem(l->map_fd[o->map], &zero, value, 0))
		err = sys_error(l, SYS_OPS, "", NO_SPAN, errno, "cannot register '%s'", o->name);
	return err;
}

/* One scheduler at a time: the kernel would only say that it is busy. */
static int refuse_second(struct loaded *l)
{
	const char *state = read_small(l->a, SCX_STATE), *root;

	if (!state || strcmp(state, "enabled") != 0)
		return SKEP_OK;
	root = read_small(l->a, SCX_ROOT);
	diag_hint(l->d,
		diag_error(l->d, NO_SPAN, DIAG_SCHED, "another scheduler is active: '%.127s'",
			root && *root ? root : "?"),
		"end the program that runs it; echo S > /proc/sysrq-trigger throws out any scheduler");
	return SKEP_ESYS;
}

int structops_attach(struct loaded *l, uint32_t ops)
{
	const struct meta_ops *o = &l->meta.ops.v[ops];
	bool link = l->meta.maps.v[o->map].flags & F_LINK;
	int err = is_scx(o) ? refuse_second(l) : SKEP_OK, fd;

	if (!err)
		err = structops_fill(l, ops);
	if (err)
		return err;
	fd = link ? bpf_link_create(l->map_fd[o->map], 0, ATTACH_STRUCT_OPS, NULL)
		  : dup(l->map_fd[o->map]);
	if (fd < 0)
		return sys_error(l, SYS_OPS, "", NO_SPAN, errno, "cannot register '%s'", o->name);
	vec_push(l->a, &l->links,
		(struct loaded_link){.fd = fd, .probe = META_NONE, .unregister = !link});
	return SKEP_OK;
}

/* The layout that base/meta.def gives for MM_EXIT_INFO. */
struct exit_info {
	uint64_t kind;
	int64_t code;
	char reason[128], msg[1024], dump[];
};
#define EXIT_UNREG_BPF 65 /* SCX_EXIT_UNREG_BPF, include/linux/sched/ext.h */

static bool why_from_map(struct loaded *l, struct load_ops_end *end)
{
	uint32_t map = meta_role_map(&l->meta, MM_EXIT_INFO), size;
	struct exit_info *x;

	if (map == META_NONE || l->meta.maps.v[map].value_size < sizeof(*x))
		return false;
	size = l->meta.maps.v[map].value_size;
	x = arena_alloc(l->a, size + 1);
	if (load_value_get(l, map, x) || !x->kind)
		return false;
	end->why = arena_printf(l->a, "%.127s%s%.1023s", x->reason, x->msg[0] ? ": " : "", x->msg);
	((char *)x)[size] = 0;
	if (size > sizeof(*x) && x->dump[0])
		end->dump = x->dump;
	end->itself = x->kind == EXIT_UNREG_BPF;
	end->code = x->code;
	return true;
}

/* The kernel also writes it to its log: the last line that says our scheduler was disabled. */
static const char *why_from_log(struct loaded *l, const char *name)
{
	const int size = 256 * 1024;
	char *log = malloc((size_t)size + 1), *p, *last = NULL, *rest, *end;
	const char *why = NULL, *key = arena_printf(l->a, "BPF scheduler \"%s\" disabled (", name);
	const char *more = arena_printf(l->a, "sched_ext: %s: ", name);
	int n = log ? klogctl(KLOG_READ_ALL, log, size) : -1;

	if (n > 0) {
		log[n] = 0;
		for (p = log; (p = strstr(p, key)); p++)
			last = p + strlen(key);
	}
	if (last) {
		rest = strstr(last, more);
		end = last + strcspn(last, ")\n");
		why = arena_strndup(l->a, last, (size_t)(end - last));
		if (rest) {
			rest += strlen(more);
			why = arena_printf(l->a, "%s: %.*s", why, (int)strcspn(rest, "\n"), rest);
		}
	}
	free(log);
	return why;
}

static const char *name_of(const struct meta_ops *o)
{
	for (uint32_t i = 0; i < o->members.n; i++) {
		if (o->members.v[i].text && !strcmp(o->members.v[i].name, "name"))
			return o->members.v[i].text;
	}
	return o->name;
}

/* Another scheduler in our place counts as "not ours any more". */
static bool scx_enabled(struct loaded *l, const struct meta_ops *o)
{
	const char *state = read_small(l->a, SCX_STATE), *root;

	if (!state || (strcmp(state, "enabled") && strcmp(state, "enabling")))
		return false;
	root = read_small(l->a, SCX_ROOT);
	return !root || !*root || !strcmp(root, name_of(o));
}

#define EXIT_WAIT_MS 3000
#define EXIT_STEP_MS 20

bool load_ops_alive(struct loaded *l, struct load_ops_end *end)
{
	bool known = false;

	*end = (struct load_ops_end){0};
	for (uint32_t i = 0; i < l->meta.ops.n; i++) {
		const struct meta_ops *o = &l->meta.ops.v[i];

		if (!is_scx(o) || scx_enabled(l, o))
			continue;
		/* the state changes first, the exit operation that tells why runs a little later */
		for (int tries = 0; !known && tries < EXIT_WAIT_MS / EXIT_STEP_MS; tries++) {
			known = why_from_map(l, end);
			if (!known)
				usleep(EXIT_STEP_MS * 1000);
		}
		if (!known)
			end->why = why_from_log(l, name_of(o));
		return false;
	}
	return true;
}
