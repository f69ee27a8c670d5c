# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The differential fuzzer.
#
#   make fuzz                     from a fixed seed;  SEED=N N=COUNT FORM=ir|script|both,
#                                 lang (all of the language), object, text (damaged input)
#   make fuzz SAN=1               the same under the sanitizers
SEED ?= 1
N ?= 5000
FORM ?= both
# What make check runs: a slice in the kernel, and one under the sanitizers without it.
CHECK_STEPS += fuzz
FUZZ_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(addprefix tests/fuzz/,fuzz.c prog.c prog_ir.c prog_script.c \
	kernel.c lang_make.c lang_more.c lang_text.c lang_eval.c lang_run.c \
	damage_object.c damage_text.c fake_kernel.c))
FUZZ_LIBS := $(foreach l,driver run load back lang ir kern base,$(B)/lib$(l).a)

$(B)/fuzz: $(FUZZ_OBJ) $(FUZZ_LIBS)
	$(CC) $(OPT) $(FUZZ_OBJ) -Wl,--start-group $(FUZZ_LIBS) -Wl,--end-group -o $@ $(DEPS_LIBS)

fuzz: $(B)/fuzz
	$(B)/fuzz -s $(SEED) -n $(N) -f $(FORM) $(FUZZ_FLAGS)
check-fuzz:
	+@$(MAKE) --no-print-directory fuzz SEED=1000000 N=1500
	+@$(MAKE) --no-print-directory fuzz SEED=1000000 N=80 FORM=lang
	+@$(MAKE) --no-print-directory fuzz SEED=2000000 N=500 FUZZ_FLAGS=-K SAN=1
	+@$(MAKE) --no-print-directory fuzz SEED=2000000 N=25 FORM=lang FUZZ_FLAGS=-K SAN=1
	+@$(MAKE) --no-print-directory fuzz SEED=2000000 N=2500 FORM=object SAN=1
	+@$(MAKE) --no-print-directory fuzz SEED=2000000 N=1500 FORM=text SAN=1
.PHONY: fuzz check-fuzz
