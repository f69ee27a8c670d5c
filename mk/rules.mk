# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# How objects, layer archives, the program and the unit tests are built.

define layer_rules
SRC_$(1) := $$(sort $$(wildcard $$(DIR_$(1))/*.c))
OBJ_$(1) := $$(patsubst %.c,$(B)/obj/%.o,$$(SRC_$(1)))
$(B)/lib$(1).a: $$(OBJ_$(1))
	@mkdir -p $$(@D); rm -f $$@
	@$(AR) rcsD $$@ $$^
TESTS_$(1) := $$(sort $$(wildcard tests/unit/$(1)/test_*.c))
TBIN_$(1) := $$(patsubst tests/unit/%.c,$(B)/tests/%,$$(TESTS_$(1)))
$$(TBIN_$(1)): $(B)/tests/$(1)/%: $(B)/obj/tests/unit/$(1)/%.o $(B)/obj/tests/golden/cases.o $$(foreach l,$$(USES_$(1)),$(B)/lib$$(l).a)
	@mkdir -p $$(@D)
	$$(CC) $$(OPT) $$< $(B)/obj/tests/golden/cases.o -Wl,--start-group $$(foreach l,$$(USES_$(1)),$(B)/lib$$(l).a) -Wl,--end-group -o $$@ $$(DEPS_LIBS) -lcmocka
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

LIBS := $(foreach l,driver run load back lang ir kern base,$(B)/lib$(l).a)
$(B)/skep: $(OBJ_cli) $(LIBS)
	$(CC) $(OPT) $(OBJ_cli) -Wl,--start-group $(LIBS) -Wl,--end-group -o $@ $(DEPS_LIBS) $(LDFLAGS)

skep: $(B)/skep
	@ln -sf $< $@
all: skep

layer-%: $(B)/lib%.a ;

# Unit tests: T=ir runs one layer, T=ir/test_parse one program.
ALL_TBIN := $(foreach l,$(LAYERS),$(TBIN_$(l)))
RUN_TBIN := $(if $(T),$(filter $(B)/tests/$(T) $(B)/tests/$(T)/%,$(ALL_TBIN)),$(ALL_TBIN))
unit: $(RUN_TBIN)
	@fail=0; for t in $(RUN_TBIN); do $$t || fail=1; done; exit $$fail

clean:
	rm -rf build skep

-include $(shell find $(B) -name '*.d' 2>/dev/null)
.PHONY: all unit clean
.SECONDARY:
