# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# make bench: tables of costs (tests/bench/README.md); report only.
#   BLESS=1   makes today's figures the base of the +/- column and those of README
BENCH_LIBS := $(foreach l,driver run load back lang ir kern base,$(B)/lib$(l).a)

$(B)/bench: $(B)/obj/tests/bench/bench.o $(BENCH_LIBS)
	$(CC) $(OPT) $< -Wl,--start-group $(BENCH_LIBS) -Wl,--end-group -o $@ $(DEPS_LIBS)

$(B)/bench-packets: $(B)/obj/tests/bench/packets.o $(B)/obj/tests/bench/testrun.o $(BENCH_LIBS)
	$(CC) $(OPT) $(filter %.o,$^) -Wl,--start-group $(BENCH_LIBS) -Wl,--end-group -o $@ $(DEPS_LIBS)

bench: $(B)/bench $(B)/bench-packets $(B)/skep deps-vm
	-+@$(MAKE) --no-print-directory static static-native ARCH=x86_64 >/dev/null
	@BLESS=$(BLESS) tests/bench/bench.sh $(B)/bench $(B)/skep build/bench
	@tests/bench/packets.sh $(B)/bench-packets build/bench
.PHONY: bench
