/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * bpf() without a kernel: the program's own syscall() answers it while it is switched on, reads all
 * that it is given (so that sanitizers see what is short) and refuses now and then.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

void fake_kernel(bool on, uint64_t seed);
