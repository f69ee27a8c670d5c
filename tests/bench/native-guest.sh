# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# /test of the guest in which `make bench` counts machine instructions.
cd /bench/skep # where lists are
/native /bench/skep/*.bt /bench/skep/*.skep | sed 's/^@@native /@@skep native skep /'
/native /bench/clang/*.o | sed 's/^@@native /@@skep native clang /'
/native /bench/hand/*.s | sed 's/^@@native /@@skep native limit /'
