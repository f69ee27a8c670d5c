# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# How objects, layer archives, the program and the unit tests are built.

# A layer's archive is made again when a file comes or goes, too: the list says which are in it.
define layer_rules
SRC_$(1) := $$(sort $$(wildcard $$(DIR_$(1))/*.c))
OBJ_$(1) := $$(patsubst %.c,$(B)/obj/%.o,$$(SRC_$(1)))
$(B)/lib$(1).list: flags-asked
	@mkdir -p $$(@D); echo '$$(OBJ_$(1))' | cmp -s - $$@ || echo '$$(OBJ_$(1))' >$$@
$(B)/lib$(1).a: $$(OBJ_$(1)) $(B)/lib$(1).list
	@mkdir -p $$(@D); rm -f $$@
	@$(AR) rcsD $$@ $$(OBJ_$(1))
TESTS_$(1) := $$(sort $$(wildcard tests/unit/$(1)/test_*.c))
TBIN_$(1) := $$(patsubst tests/unit/%.c,$(B)/tests/%,$$(TESTS_$(1)))
$$(TBIN_$(1)): $(B)/tests/$(1)/%: $(B)/obj/tests/unit/$(1)/%.o $(B)/obj/tests/golden/cases.o $$(foreach l,$$(USES_$(1)),$(B)/lib$$(l).a)
	@mkdir -p $$(@D)
	$$(CC) $$(OPT) $$< $(B)/obj/tests/golden/cases.o -Wl,--start-group $$(foreach l,$$(USES_$(1)),$(B)/lib$$(l).a) -Wl,--end-group -o $$@ $$(DEPS_LIBS) -lcmocka
endef
$(foreach l,$(LAYERS),$(eval $(call layer_rules,$(l))))

# Before the first file is compiled: whether what all of it needs is there, and its name when it is not.
define NEEDS
#include <libelf.h>
#include <zlib.h>
#include <bpf/libbpf.h>
#if LIBBPF_MAJOR_VERSION < 1 || LIBBPF_MAJOR_VERSION == 1 && LIBBPF_MINOR_VERSION < 1
#error "libbpf is older than 1.1"
#endif
endef
export NEEDS
# Other flags, other objects: those for small and for fast must not meet in one program.
$(B)/flags: flags-asked
	@mkdir -p $(@D); echo '$(OPT) $(CPPFLAGS_SKEP)' | cmp -s - $@ || { \
		echo "$$NEEDS" | $(CC) $(ALL_CFLAGS) -E -x c - >/dev/null || { \
			echo "skep needs a C compiler, libelf, libbpf (1.1 or newer) and zlib, with their headers" >&2; \
			$(if $(SYSROOT),,scripts/deps -n build;) exit 1; }; \
		echo '$(OPT) $(CPPFLAGS_SKEP)' >$@; }
$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# LOADER=1: the program without the compiler, which runs objects only.
COMPILER_CLI := cmd_check cmd_dump cmd_replay cmd_run
LIBS := $(foreach l,driver run load $(if $(LOADER),,back lang ir) kern base,$(B)/lib$(l).a)
CLI_OBJ := $(if $(LOADER),$(filter-out $(COMPILER_CLI:%=$(B)/obj/src/cli/%.o),$(OBJ_cli)),$(OBJ_cli))
$(B)/skep: $(CLI_OBJ) $(LIBS) $(B)/libcli.list
	$(CC) $(OPT) $(CLI_OBJ) -Wl,--start-group $(LIBS) -Wl,--end-group -o $@ $(DEPS_LIBS) $(LDFLAGS)

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
.PHONY: all unit clean flags-asked
.SECONDARY:
