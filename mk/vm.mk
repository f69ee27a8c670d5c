# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# Tests in real kernels; see tests/vm/README.md.
#
#   make vm                          every case on every kernel
#   make vm K=x86_64:6.1             on one; K="…" on several
#   make vm C="xdp sched"            some cases only
#   make vm-shell K=x86_64:newest    a shell in that kernel, with skep
#   make vm-sched                    schedulers for long, on 2 and 4 CPUs
#   make soak                        an hour (SOAK_MIN minutes) under a busy probe
#   make vm-fetch                    the kernels alone;  FRESH=1: newer ones if there are

KERNELS := x86_64:5.10 x86_64:6.1 x86_64:6.12 x86_64:newest arm64:newest riscv64:newest
K ?= $(KERNELS)
VM_ARCHES = $(sort $(foreach k,$(K),$(firstword $(subst :, ,$(k)))))

vm: vm-static vm-objects
	@tests/vm/suite $(C:%=-c %) $(K)
vm-static: $(VM_ARCHES:%=vm-static-%)
vm-static-%: deps-static-%
	+@$(MAKE) --no-print-directory static ARCH=$*
	+@$(MAKE) --no-print-directory static ARCH=$* LOADER=1
	+@$(MAKE) --no-print-directory static-tests ARCH=$*
# Objects compiled here for kernels there (tests/vm/cases/deploy.sh); foreign.o is another machine's;
# next.o knows its machine by name only, and tracepoints from here, where only root sees them.
VM_TARGET_x86_64 := x86_64-7.3
VM_TARGET_arm64 := arm64-7.3
VM_TARGET_riscv64 := riscv64-7.2
vm-objects: $(B)/skep
	@for a in $(VM_ARCHES); do mkdir -p build/vm/objects/$$a; done
	@$(foreach a,$(VM_ARCHES),for s in tests/vm/objects/*.bt tests/vm/objects/*.skep; do \
		n=$${s##*/}; $(B)/skep build --target tests/targets/$(VM_TARGET_$(a)).target --kernel 5.10 \
			-o build/vm/objects/$(a)/$${n%.*}.o $$s || exit; done; \
		$(B)/skep build --target tests/targets/$(VM_TARGET_$(a)).target --kernel 6.12 \
			-o build/vm/objects/$(a)/fifo.o scripts/sched-fifo.skep || exit; \
		$(B)/skep build --target $(if $(filter riscv64,$(a)),arm64,riscv64) --kernel 5.10 \
			-o build/vm/objects/$(a)/foreign.o -e 'BEGIN { }' || exit; \
		rm -f build/vm/objects/$(a)/next.o; [ "$$(id -u)" != 0 ] || $(B)/skep build --target $(a) \
			-o build/vm/objects/$(a)/next.o tests/vm/objects/bare/next.bt;) :
vm-fetch: deps-vm
	@for k in $(K); do tests/vm/fetch-kernel $$(echo $$k | tr : ' ') >/dev/null || exit; done
vm-shell: deps-vm vm-static
	@tests/vm/run-guest -x $(subst :, ,$(firstword $(K))) -- scripts:/skep/scripts \
		build/static-$(firstword $(VM_ARCHES))/skep:/skep/bin/skep
# Schedulers for long, on 2 and on 4 CPUs; not part of make check. A boot for some pieces each
# (see tests/vm/cases/sched.sh), so that other guests get their turn; SCHED_P, SCHED_K, SCHED_N choose.
SCHED_K ?= x86_64:newest arm64:newest riscv64:newest
SCHED_P ?= core,broken,shares,wakeups fifo,vtime,lottery,latency central,users,slices,pin-cgroup
SCHED_N ?= 2 4
vm-sched:
	+@$(MAKE) --no-print-directory vm-static K="$(SCHED_K)"
	@for n in $(SCHED_N); do for p in $(SCHED_P); do \
		echo "$$p on $$n CPUs"; \
		VM_GUEST="-s $$n -a skep.long=$$p" tests/vm/suite -c sched $(SCHED_K) || bad="$$bad $$p:$$n"; \
	done; done; [ -z "$$bad" ] || { echo "failed:$$bad"; exit 1; }
# A busy probe for an hour, or SOAK_MIN minutes: flat memory, and every event accounted for.
SOAK_MIN ?= 60
SOAK_K ?= x86_64:newest
soak:
	+@$(MAKE) --no-print-directory vm-static K="$(SOAK_K)"
	@VM_LIMIT=$$(($(SOAK_MIN) * 60 + 120)) VM_GUEST="-a skep.soak=$(SOAK_MIN)" tests/vm/suite -c soak $(SOAK_K)
demo: deps-vm vm-static-x86_64
	@scripts/demo
export FRESH
.PHONY: soak vm vm-objects vm-static vm-sched vm-fetch vm-shell demo
# Debian's bpftrace and skep side by side
compare: deps-vm vm-static-x86_64
	@tests/vm/compare/run
.PHONY: compare
