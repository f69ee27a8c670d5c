/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Inside the interpreter: addresses, memory regions, state of a run. Shared by the interp*.c files.
 *
 * An address is region << 48 | offset. Every piece of memory is a region of its own, so a step past
 * its end or before its start hits nothing. Offsets start at ADDR_BASE: small negative distances
 * stay inside the region's own numbers.
 */
#pragma once
#include "backend-bpf/insn.h"
#include "backend-bpf/interp.h"

#define ADDR_SHIFT 48
#define ADDR_BASE ((uint64_t)1 << 40)
#define FRAMES 8	 /* the kernel's MAX_CALL_FRAMES */
#define FRAME_SIZE 512	 /* MAX_BPF_STACK */
#define PKT_HEADROOM 256 /* XDP_PACKET_HEADROOM */
#define PKT_ROOM 4096	 /* one page, as BPF_PROG_TEST_RUN has it */
#define NO_ENTRY UINT32_MAX

enum region_id {
	REGION_NONE,
	REGION_STACK, /* FRAMES of them */
	REGION_KEY = REGION_STACK + FRAMES, /* FRAMES of them: keys given to callbacks */
	REGION_CTX = REGION_KEY + FRAMES,
	REGION_PKT,
	REGION_MAPREF, /* offset: map index; no memory */
	REGION_MAP,    /* one per map, then ring buffer records */
};

/* Elements of elem bytes, stride apart in memory, 1 << shift apart in addresses. */
struct region {
	uint8_t *p;
	uint64_t base; /* offset of the first byte */
	uint32_t elem, stride, count;
	uint8_t shift;
	bool read_only;
};

struct record { /* reserved ring buffer record */
	uint32_t size, cap;
	uint64_t run; /* that took it; its region is not used twice in one run */
	bool live;
};

struct frame {
	uint32_t back;	   /* instruction to return to */
	uint64_t saved[4]; /* r6 .. r9 */
};

struct decoded {
	const struct isa_row *row; /* NULL: second slot of a constant */
	bool (*run)(struct interp *in, const struct decoded *d);
	uint8_t dst, src;
	int16_t off;
	int32_t imm;
	uint64_t imm64;
};

struct interp_state {
	uint64_t r[BPF_REGS];
	uint32_t pc, at, depth;
	uint64_t steps, run; /* of this run; how many runs there were */
	bool done;	     /* the outermost function ended */
	struct frame frame[FRAMES];
	uint8_t stack[FRAMES][FRAME_SIZE];
	uint8_t written[FRAMES][FRAME_SIZE]; /* strict_stack: bytes that have a value */
	VEC(struct region) regions;
	VEC(struct record) records; /* regions REGION_MAP + maps … */
	struct decoded *code;
	struct bpf_insn *decoded; /* copy of what code was made from: callers reuse buffers */
	uint32_t decoded_n, code_cap;
	uint8_t *pkt; /* PKT_HEADROOM, packet, room to grow */
	uint32_t pkt_room, pkt_at, pkt_len;
	uint32_t pkt_skip; /* bytes before what the program sees */
	uint64_t pkt_base; /* offset of the packet's addresses: changes when it moves, old pointers
			      die */
	uint8_t ctx[192];  /* struct xdp_md or __sk_buff */
	int ctx_kind;	   /* enum kern_ctx of packet programs, else -1 */
};

/* interp.c */
bool interp_fail(struct interp *in, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Runs the function at pc with r1..r4 until it returns; its r0. For helpers with callbacks. */
bool interp_callback(struct interp *in, uint32_t pc, const uint64_t args[4], uint64_t *r0);

/* interp_mem.c */
void mem_init(struct interp *in);
bool mem_start(struct interp *in);  /* stack, context and packet for a run */
bool mem_finish(struct interp *in); /* packet back to the caller */
uint64_t mem_addr(const struct interp *in, uint32_t region, uint64_t off);
/* The address of a key that the function about to be called back gets; it may only read it. */
uint64_t mem_key(struct interp *in, uint8_t *key, uint32_t size);
/* size bytes at addr; NULL and an error when they are not all in one piece of memory. */
uint8_t *mem_at(struct interp *in, uint64_t addr, uint64_t size, bool write);
uint8_t *mem_try(struct interp *in, uint64_t addr, uint64_t size, bool write); /* no error */
bool mem_load(struct interp *in, uint64_t addr, unsigned size, uint64_t *v);
bool mem_store(struct interp *in, uint64_t addr, unsigned size, uint64_t v);
/* Moves the packet's start and end; 0 or -EINVAL as the kernel's helpers. */
int64_t mem_move_packet(struct interp *in, int64_t head, int64_t tail);
/* A new record: its address, 0 when there is no room for it. */
uint64_t mem_reserve(struct interp *in, uint32_t size);
/* The record that starts at addr, taken back: its bytes, NULL when there is none. */
const uint8_t *mem_release(struct interp *in, uint64_t addr, uint32_t *size);
bool mem_record_leaked(const struct interp *in);

/* interp_map.c */
void maps_init(struct interp *in);
struct interp_map *map_by_addr(const struct interp *in, uint64_t addr); /* NULL no map */
const struct meta_map *map_row(const struct interp_map *m);
uint64_t map_lookup_addr(struct interp *in, struct interp_map *m, const void *key); /* 0 none */
int map_update(struct interp *in, struct interp_map *m, const void *key, const void *value,
	uint64_t flags);
int map_delete(struct interp_map *m, const void *key);
/* All keys of a map, one behind the other, as they are now; -EINVAL when it cannot be walked. */
int64_t map_keys(struct interp *in, const struct interp_map *m, uint8_t **keys);

/* interp_call.c */
bool call_helper(struct interp *in, uint32_t id);
