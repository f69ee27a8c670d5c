# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# make check runs every step in CHECK_STEPS (as target check-STEP), make check-unit every one
# in UNIT_STEPS; each ends with the line "N passed, N failed, N skipped" over all of its steps.
# Other files of mk/ append to these lists.
UNIT_STEPS += layers style globals headers docs unit
CHECK_STEPS += unit san vm

NPROC := $(shell nproc 2>/dev/null || echo 1)
JOBS = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(NPROC))
# A failed step does not keep the others from running.
run_steps = rm -rf build/check/$(1); \
	for s in $(2); do scripts/check-step build/check/$(1) $$s $(MAKE) --no-print-directory $(JOBS) $(3)-$$s; done; \
	scripts/check-step build/check/$(1)

check: deps
	+@$(call run_steps,all,$(CHECK_STEPS),check)
check-unit: deps-build deps-unit
	+@$(call run_steps,unit,$(UNIT_STEPS),step)
check-san:
	+@$(MAKE) --no-print-directory SAN=1 unit
check-vm: vm

comma := ,
none :=
space := $(none) $(none)
step-layers:
	@scripts/check-layers $(foreach l,$(LAYERS),$(l):$(DIR_$(l)):$(subst $(space),$(comma),$(strip $(USES_$(l)))))
step-style:
	@scripts/check-style
	@scripts/check-tested
step-docs: $(B)/skep
	@scripts/doc-tables check
	@scripts/check-commands $<
step-globals: $(LIBS)
	@scripts/check-globals $(LIBS)
step-headers:
	@scripts/check-headers $(CC) $(ALL_CFLAGS)
step-unit: unit
.PHONY: check check-unit check-san check-vm step-layers step-style step-globals step-headers step-docs step-unit
