# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# make sizes           the static programs of all architectures, beside what is recorded in
#                      tests/bench/sizes.tsv; fails above the limits and 5 % above the record
# make sizes BLESS=1   today's sizes become the record
SIZE_ARCHES ?= x86_64 arm64 riscv64
CHECK_STEPS += sizes
sizes: $(SIZE_ARCHES:%=sizes-%)
	@tests/bench/sizes.sh $(if $(BLESS),-b) $(foreach a,$(SIZE_ARCHES),build/static-$(a)/skep build/static-$(a)/skep-load)
sizes-%: deps-static-%
	+@$(MAKE) --no-print-directory static ARCH=$* >/dev/null
	+@$(MAKE) --no-print-directory static ARCH=$* LOADER=1 >/dev/null
check-sizes: sizes
.PHONY: sizes check-sizes
