/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel helpers that the interpreter offers, by number. A helper returns false only when the
 * program broke a rule that the verifier enforces; what the kernel answers with an errno is *r0.
 * Source of behaviour: the helper's comment in include/uapi/linux/bpf.h and its implementation.
 */
#include "backend-bpf/interp_int.h"
#include <errno.h>
#include <string.h>

#define COMM_SIZE 16
#define LOOPS_MAX (1u << 23) /* BPF_MAX_LOOPS */

/* a: r1 .. r5 */
typedef bool helper_fn(struct interp *in, const uint64_t *a, uint64_t *r0);

static uint64_t answer(int64_t v)
{
	return (uint64_t)v;
}

/* ---- maps ---- */

static struct interp_map *map_arg(struct interp *in, uint64_t addr)
{
	struct interp_map *m = map_by_addr(in, addr);

	if (!m)
		interp_fail(in, "helper's first argument is no map");
	return m;
}

/* Map and key that a[0] and a[1] name. */
static bool map_and_key(
	struct interp *in, const uint64_t *a, struct interp_map **m, const uint8_t **key)
{
	*m = map_arg(in, a[0]);
	*key = *m ? mem_at(in, a[1], map_row(*m)->key_size, false) : NULL;
	return *key != NULL;
}

static bool h_map_lookup(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	struct interp_map *m;
	const uint8_t *key;

	if (!map_and_key(in, a, &m, &key))
		return false;
	*r0 = map_lookup_addr(in, m, key);
	return true;
}

static bool h_map_lookup_percpu(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	if ((uint32_t)a[2] == in->cpu)
		return h_map_lookup(in, a, r0);
	*r0 = 0;
	return true;
}

static bool h_map_update(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	struct interp_map *m;
	const uint8_t *key, *value;

	if (!map_and_key(in, a, &m, &key))
		return false;
	value = mem_at(in, a[2], map_row(m)->value_size, false);
	if (!value)
		return false;
	*r0 = answer(map_update(in, m, key, value, a[3]));
	return true;
}

static bool h_map_delete(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	struct interp_map *m;
	const uint8_t *key;

	if (!map_and_key(in, a, &m, &key))
		return false;
	*r0 = answer(map_delete(m, key));
	return true;
}

/* ---- the environment ---- */

static bool h_ktime(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	(void)a;
	*r0 = in->now_ns;
	return true;
}

static bool h_random(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	uint64_t x = in->random_state ? in->random_state : 0x9e3779b97f4a7c15u;

	(void)a;
	x ^= x << 13; /* xorshift64, Marsaglia 2003 */
	x ^= x >> 7;
	x ^= x << 17;
	in->random_state = x;
	*r0 = (uint32_t)(x >> 32);
	return true;
}

static bool h_cpu(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	(void)a;
	*r0 = in->cpu;
	return true;
}

static bool h_pid_tgid(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	(void)a;
	*r0 = in->pid_tgid;
	return true;
}

static bool h_uid_gid(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	(void)a;
	*r0 = in->uid_gid;
	return true;
}

/* Fills the whole buffer, with a NUL at its end. */
static bool h_comm(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	uint32_t size = (uint32_t)a[1];
	uint8_t *p = mem_at(in, a[0], size, true);

	if (!p)
		return false;
	*r0 = 0;
	if (!size)
		return true;
	memset(p, 0, size);
	memcpy(p, in->comm, strnlen(in->comm, size - 1 < COMM_SIZE ? size - 1 : COMM_SIZE));
	return true;
}

static bool h_nothing(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	(void)in;
	(void)a;
	*r0 = 0;
	return true;
}

/* ---- memory by address ---- */

static bool read_any(struct interp *in, uint64_t from, void *to, uint32_t size)
{
	const uint8_t *p = mem_try(in, from, size, false);

	if (p)
		memmove(to, p, size);
	return p || (in->read_mem && in->read_mem(in->arg, from, to, size));
}

static bool h_probe_read(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	uint32_t size = (uint32_t)a[1];
	uint8_t *to = mem_at(in, a[0], size, true);

	if (!to)
		return false;
	*r0 = 0;
	if (!read_any(in, a[2], to, size)) {
		memset(to, 0, size);
		*r0 = answer(-EFAULT);
	}
	return true;
}

/* Bytes up to the NUL, which counts; the rest of the buffer stays unless there is a fault. */
static bool h_probe_read_str(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	uint32_t size = (uint32_t)a[1], n = 0;
	uint8_t *to = mem_at(in, a[0], size, true);

	if (!to)
		return false;
	for (; n < size; n++) {
		if (!read_any(in, a[2] + n, to + n, 1)) {
			memset(to, 0, size);
			*r0 = answer(-EFAULT);
			return true;
		}
		if (!to[n])
			break;
	}
	if (n == size && size)
		to[--n] = 0;
	*r0 = size ? n + 1 : 0;
	return true;
}

static bool h_strncmp(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	uint32_t size = (uint32_t)a[1];
	const uint8_t *s1 = mem_at(in, a[0], size, false), *s2;

	if (!s1)
		return false;
	for (uint32_t k = 0; k < size; k++) {
		s2 = mem_at(in, a[2] + k, 1, false);
		if (!s2)
			return false;
		*r0 = answer(s1[k] < *s2 ? -1 : s1[k] > *s2);
		if (*r0 || !s1[k])
			return true;
	}
	*r0 = 0;
	return true;
}

/* ---- ring buffers ---- */

static struct interp_map *ring_arg(struct interp *in, uint64_t addr)
{
	struct interp_map *m = map_arg(in, addr);

	if (m && map_row(m)->type != BPF_MAP_TYPE_RINGBUF) {
		interp_fail(in, "helper's first argument is no ring buffer");
		return NULL;
	}
	return m;
}

/* As __bpf_ringbuf_reserve: 8 bytes of header, all rounded up to 8; readers take all at once. */
static bool ring_has_room(const struct interp_map *m, uint64_t size)
{
	return size <= map_row(m)->max_entries &&
	       ((size + 8 + 7) & ~7ull) <= map_row(m)->max_entries;
}

static bool h_ringbuf_output(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	const struct interp_map *m = ring_arg(in, a[0]);
	const uint8_t *data = m ? mem_at(in, a[1], (uint32_t)a[2], false) : NULL;

	if (!data)
		return false;
	*r0 = ring_has_room(m, (uint32_t)a[2]) ? 0 : answer(-EAGAIN);
	if (*r0 == 0 && in->on_record)
		in->on_record(in->arg, data, (uint32_t)a[2]);
	return true;
}

static bool h_ringbuf_reserve(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	const struct interp_map *m = ring_arg(in, a[0]);

	if (!m)
		return false;
	*r0 = ring_has_room(m, a[1]) ? mem_reserve(in, (uint32_t)a[1]) : 0;
	return true;
}

static bool release(struct interp *in, uint64_t addr, bool submit)
{
	uint32_t size;
	const uint8_t *data = mem_release(in, addr, &size);

	if (!data)
		return interp_fail(in, "no ring buffer record to give back");
	if (submit && in->on_record)
		in->on_record(in->arg, data, size);
	return true;
}

static bool h_ringbuf_submit(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	*r0 = 0;
	return release(in, a[0], true);
}

/* Buffers per CPU; without a limit here. */
static bool h_perf_event_output(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	const struct interp_map *m = map_arg(in, a[1]);
	const uint8_t *data;

	if (!m || map_row(m)->type != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return interp_fail(in, "helper's second argument takes no events");
	data = mem_at(in, a[3], (uint32_t)a[4], false);
	if (!data)
		return false;
	if (in->on_record)
		in->on_record(in->arg, data, (uint32_t)a[4]);
	*r0 = 0;
	return true;
}

static bool h_ringbuf_discard(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	*r0 = 0;
	return release(in, a[0], false);
}

/* ---- packets ---- */

static bool packet_program(struct interp *in, uint64_t ctx)
{
	if (in->state->ctx_kind >= 0 && ctx == mem_addr(in, REGION_CTX, 0))
		return true;
	return interp_fail(in, "helper's first argument is no packet's context");
}

static bool h_adjust_head(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	if (!packet_program(in, a[0]))
		return false;
	*r0 = answer(mem_move_packet(in, (int32_t)a[1], 0));
	return true;
}

static bool h_adjust_tail(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	if (!packet_program(in, a[0]))
		return false;
	*r0 = answer(mem_move_packet(in, 0, (int32_t)a[1]));
	return true;
}

static bool h_load_bytes(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	struct interp_state *s = in->state;
	uint32_t off = (uint32_t)a[1], size = (uint32_t)a[3];
	uint8_t *to;

	if (!packet_program(in, a[0]))
		return false;
	to = mem_at(in, a[2], size, true);
	if (!to)
		return false;
	*r0 = 0;
	if (off > s->pkt_len || size > s->pkt_len - off) {
		*r0 = answer(s->ctx_kind == CTX_XDP_MD ? -EINVAL : -EFAULT);
		if (s->ctx_kind != CTX_XDP_MD)
			memset(to, 0,
				size); /* ____bpf_skb_load_bytes clears, the XDP one does not */
		return true;
	}
	memcpy(to, s->pkt + s->pkt_at + off, size);
	return true;
}

static bool h_buff_len(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	*r0 = in->state->pkt_len;
	return packet_program(in, a[0]);
}

static bool h_redirect(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	bool xdp = in->state->ctx_kind == CTX_XDP_MD;

	/* xdp_redirect takes no flags; tc_redirect BPF_F_INGRESS */
	if (a[1] & (xdp ? ~0ull : ~(uint64_t)BPF_F_INGRESS))
		*r0 = xdp ? XDP_ABORTED : 2; /* TC_ACT_SHOT */
	else
		*r0 = xdp ? XDP_REDIRECT : 7; /* TC_ACT_REDIRECT */
	return true;
}

/* Sum of 32-bit words with end-around carry. */
static uint64_t csum_add(uint64_t sum, const uint8_t *p, uint32_t size, uint32_t flip)
{
	for (uint32_t k = 0; k < size; k += 4) {
		uint32_t word;

		memcpy(&word, p + k, 4);
		sum += word ^ flip;
		sum = (sum & UINT32_MAX) + (sum >> 32);
	}
	return sum;
}

/*
 * The sum of to and of from's complement, folded to 16 bits as since 6.13 (bpf_csum_diff,
 * net/core/filter.c); older kernels give some unfolded equivalent.
 */
static bool h_csum_diff(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	uint32_t nfrom = (uint32_t)a[1], nto = (uint32_t)a[3];
	const uint8_t *from, *to;
	uint64_t sum = (uint32_t)a[4];

	if (nfrom % 4 || nto % 4) {
		*r0 = answer(-EINVAL);
		return true;
	}
	from = nfrom ? mem_at(in, a[0], nfrom, false) : NULL;
	to = nto ? mem_at(in, a[2], nto, false) : NULL;
	if ((nfrom && !from) || (nto && !to))
		return false;
	sum = csum_add(sum, from, nfrom, UINT32_MAX);
	sum = csum_add(sum, to, nto, 0);
	sum = (sum & 0xffff) + (sum >> 16);
	*r0 = (sum & 0xffff) + (sum >> 16);
	return true;
}

/* Here nothing is kept beside the packet, and its checksums are all there. */
static bool h_l4_csum_replace(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	struct interp_state *s = in->state;
	uint32_t off = (uint32_t)a[1], sum;
	uint16_t was;

	if (!packet_program(in, a[0]))
		return false;
	*r0 = answer(off % 2 || off + 2 > s->pkt_len ? -EFAULT : (a[4] & 15) || a[2] ? -EINVAL : 0);
	if (*r0)
		return true;
	memcpy(&was, s->pkt + s->pkt_at + off, 2);
	if (!was && a[4] & 0x20) /* BPF_F_MARK_MANGLED_0: UDP without a checksum */
		return true;
	sum = (uint16_t)~was + ((uint32_t)a[3] & 0xffff) + ((uint32_t)a[3] >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	was = (uint16_t)~((sum & 0xffff) + (sum >> 16));
	if (!was && a[4] & 0x20)
		was = 0xffff;
	memcpy(s->pkt + s->pkt_at + off, &was, 2);
	return true;
}

/* ---- callbacks ---- */

static bool h_loop(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	uint32_t n = (uint32_t)a[0], k;
	uint64_t stop = 0, pc = a[1], args[4] = {0, a[2]};

	if (a[3] || n > LOOPS_MAX) {
		*r0 = answer(a[3] ? -EINVAL : -E2BIG);
		return true;
	}
	for (k = 0; k < n && !stop; k++) {
		args[0] = k;
		if (!interp_callback(in, (uint32_t)pc, args, &stop))
			return false;
	}
	*r0 = k;
	return true;
}

/* Entries that are deleted on the way are passed over; the kernel may give new ones, this does not. */
static bool h_for_each_map_elem(struct interp *in, const uint64_t *a, uint64_t *r0)
{
	struct interp_map *m = map_arg(in, a[0]);
	uint64_t stop = 0, done = 0;
	uint8_t *keys;
	int64_t n;

	if (!m)
		return false;
	n = a[3] ? -EINVAL : map_keys(in, m, &keys);
	if (n < 0) {
		*r0 = answer(n);
		return true;
	}
	for (int64_t k = 0; k < n && !stop; k++) {
		uint8_t *key = keys + k * map_row(m)->key_size;
		uint64_t args[4] = {a[0], 0, map_lookup_addr(in, m, key), a[2]};

		if (!args[2])
			continue;
		args[1] = mem_key(in, key, map_row(m)->key_size);
		done++;
		if (!interp_callback(in, (uint32_t)a[1], args, &stop))
			return false;
	}
	*r0 = done;
	return true;
}

static const struct {
	helper_fn *fn;
	uint8_t id;
} helpers[] = {
	{h_map_lookup, BPF_FUNC_map_lookup_elem},
	{h_map_update, BPF_FUNC_map_update_elem},
	{h_map_delete, BPF_FUNC_map_delete_elem},
	{h_probe_read, BPF_FUNC_probe_read},
	{h_ktime, BPF_FUNC_ktime_get_ns},
	{h_nothing, BPF_FUNC_trace_printk},
	{h_random, BPF_FUNC_get_prandom_u32},
	{h_cpu, BPF_FUNC_get_smp_processor_id},
	{h_pid_tgid, BPF_FUNC_get_current_pid_tgid},
	{h_uid_gid, BPF_FUNC_get_current_uid_gid},
	{h_comm, BPF_FUNC_get_current_comm},
	{h_redirect, BPF_FUNC_redirect},
	{h_load_bytes, BPF_FUNC_skb_load_bytes},
	{h_csum_diff, BPF_FUNC_csum_diff},
	{h_nothing, BPF_FUNC_csum_update},
	{h_nothing, BPF_FUNC_skb_pull_data},
	{h_l4_csum_replace, BPF_FUNC_l4_csum_replace},
	{h_adjust_head, BPF_FUNC_xdp_adjust_head},
	{h_probe_read_str, BPF_FUNC_probe_read_str},
	{h_adjust_tail, BPF_FUNC_xdp_adjust_tail},
	{h_probe_read, BPF_FUNC_probe_read_user},
	{h_probe_read, BPF_FUNC_probe_read_kernel},
	{h_probe_read_str, BPF_FUNC_probe_read_user_str},
	{h_probe_read_str, BPF_FUNC_probe_read_kernel_str},
	{h_ktime, BPF_FUNC_ktime_get_boot_ns},
	{h_perf_event_output, BPF_FUNC_perf_event_output},
	{h_ringbuf_output, BPF_FUNC_ringbuf_output},
	{h_ringbuf_reserve, BPF_FUNC_ringbuf_reserve},
	{h_ringbuf_submit, BPF_FUNC_ringbuf_submit},
	{h_ringbuf_discard, BPF_FUNC_ringbuf_discard},
	{h_nothing, BPF_FUNC_ringbuf_query},
	{h_ktime, BPF_FUNC_ktime_get_coarse_ns},
	{h_for_each_map_elem, BPF_FUNC_for_each_map_elem},
	{h_loop, BPF_FUNC_loop},
	{h_strncmp, BPF_FUNC_strncmp},
	{h_buff_len, BPF_FUNC_xdp_get_buff_len},
	{h_load_bytes, BPF_FUNC_xdp_load_bytes},
	{h_map_lookup_percpu, BPF_FUNC_map_lookup_percpu_elem},
	{h_ktime, BPF_FUNC_ktime_get_tai_ns},
};

bool call_helper(struct interp *in, uint32_t id)
{
	const struct kern_helper *h;
	uint64_t a[5];

	for (size_t i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++) {
		if (helpers[i].id != id)
			continue;
		memcpy(a, &in->state->r[1], sizeof(a));
		return helpers[i].fn(in, a, &in->state->r[0]);
	}
	h = kern_helper_by_id(id);
	return interp_fail(in, "helper %u (%s) cannot be called here", id, h ? h->name : "unknown");
}
