/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* See fake_kernel.h. libbpf makes its calls through syscall(), which the linker finds here first. */
#include "tests/fuzz/fake_kernel.h"
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef __GLIBC__
#define FILE_MOST (1u << 20)

static struct {
	bool on;
	uint64_t seed;
	uint8_t sum; /* of all that was read: nothing may be left out */
} fake;

void fake_kernel(bool on, uint64_t seed)
{
	fake.on = on;
	fake.seed = seed;
}

static bool refuses(unsigned one_in)
{
	fake.seed = fake.seed * 6364136223846793005u + 1442695040888963407u;
	return (fake.seed >> 33) % one_in == 0;
}

static void touch(uint64_t at, uint64_t n)
{
	const volatile uint8_t *p = (const volatile uint8_t *)(uintptr_t)at;

	for (uint64_t i = 0; p && i < n; i++)
		fake.sum = (uint8_t)(fake.sum + p[i]);
}

/* A descriptor that can be mapped. */
static long some_file(uint64_t size)
{
	int fd = memfd_create("fake", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, (off_t)(size < FILE_MOST ? size + 4096 : FILE_MOST)))
		errno = ENOMEM;
	return fd;
}

static long refuse(int err)
{
	errno = err;
	return -1;
}

static long load(const union bpf_attr *a)
{
	static const char log[] = "0: R1=ctx() R10=fp0\n; x @ s.bt:1\n0: (79) r2 = *(u64 *)(r1 +8)\n"
				  "invalid bpf_context access off=8 size=8\nprocessed 1 insns\n";

	touch(a->insns, (uint64_t)a->insn_cnt * 8);
	if (a->license)
		touch(a->license, strlen((const char *)(uintptr_t)a->license) + 1);
	touch(a->func_info, (uint64_t)a->func_info_cnt * a->func_info_rec_size);
	touch(a->line_info, (uint64_t)a->line_info_cnt * a->line_info_rec_size);
	touch(a->core_relos, (uint64_t)a->core_relo_cnt * a->core_relo_rec_size);
	if (!refuses(6))
		return some_file(0);
	if (a->log_buf && a->log_size > sizeof(log))
		memcpy((void *)(uintptr_t)a->log_buf, log, sizeof(log));
	return refuse(refuses(4) ? E2BIG : EINVAL);
}

/* Callers may know less of the attributes than we do. */
static long answer(int cmd, const void *attr, size_t size)
{
	union bpf_attr given = {0}, *a = &given;

	memcpy(&given, attr, size < sizeof(given) ? size : sizeof(given));
	switch (cmd) {
	case BPF_MAP_CREATE:
		return refuses(60) ? refuse(EINVAL) : some_file((uint64_t)a->value_size * a->max_entries);
	case BPF_PROG_LOAD:
		return load(a);
	case BPF_BTF_LOAD:
		touch(a->btf, a->btf_size);
		return refuses(10) ? refuse(EINVAL) : some_file(0);
	case BPF_OBJ_GET_INFO_BY_FD:
		memset((void *)(uintptr_t)a->info.info, 0, a->info.info_len);
		return 0;
	case BPF_MAP_FREEZE:
	case BPF_MAP_UPDATE_ELEM:
		return refuses(60) ? refuse(EPERM) : 0;
	default:
		return refuse(refuses(2) ? ENOENT : EINVAL);
	}
}

long syscall(long nr, ...)
{
	long (*real)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list ap;

	va_start(ap, nr);
	for (unsigned i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (fake.on && nr == SYS_bpf)
		return answer((int)a[0], (const void *)a[1], (size_t)a[2]);
	return real(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
#else /* static programs for guests: there is no other syscall() to fall back to */
void fake_kernel(bool on, uint64_t seed)
{
	(void)on;
	(void)seed;
	abort();
}
#endif
