/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A slice of the differential fuzzer in the guest's kernel; with arguments, as tests/fuzz/fuzz.c.
 * timeout: 180
 */
#define FUZZ_IN_GUEST /* damaged input says nothing about kernels */
#define FUZZ_COUNT 500
#define FUZZ_SECONDS 20
#include "tests/fuzz/fuzz.c"
#include "tests/fuzz/kernel.c"
