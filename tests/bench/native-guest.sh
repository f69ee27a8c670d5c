# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# /test of the guest in which `make bench` counts machine instructions.
/native /bench/skep/* | sed 's/^@@native /@@skep native skep /'
/native /bench/clang/*.o | sed 's/^@@native /@@skep native clang /'
