/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The config.h of libelf alone (elfutils 0.192) on musl, in place of its configure script. */
#define HAVE_ERR_H 1 /* keeps lib/system.h from <error.h>, which musl lacks and libelf never uses */
#define HAVE_DECL_MEMRCHR 1
#define HAVE_DECL_MEMPCPY 1
#define HAVE_DECL_REALLOCARRAY 1
#define HAVE_DECL_POWEROF2 1
#define HAVE_DECL_RAWMEMCHR 0 /* lib/system.h has its own */
#define HAVE_VISIBILITY 1
#define HAVE_FALLTHROUGH 1
#define HAVE_MREMAP 1
/* Undefined on purpose: USE_LOCKS, USE_ZSTD, HAVE_GCC_STRUCT. */
#include <eu-config.h>
