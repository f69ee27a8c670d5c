# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# /test of the guest in which `make bench` counts machine instructions. Each file has a process, and
# so a kernel, to itself: who walks a stack looks for its frames among all programs that are loaded.
cd /bench/skep # where lists are
/native /bench/hand/h.s >/dev/null # the first to walk stacks pays for what the kernel does once
each() {
	by=$1
	shift
	for f; do
		usleep 100000 # until the one before is gone
		/native "$f" | sed "s/^@@native /@@skep native $by /"
	done
}
each skep /bench/skep/*.bt /bench/skep/*.skep
each clang /bench/clang/*.o
each limit /bench/hand/*.s
