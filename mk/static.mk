# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# One static musl program per architecture; see third_party/build-libs.
#
#   make static [ARCH=…]        build/static-ARCH/skep
#   make static LOADER=1        build/static-ARCH/skep-load: runs objects, has no compiler
#   make static-tests [ARCH=…]  build/static-ARCH/tests/NAME of each tests/vm/progs/NAME.c (all
#                               layers but cli are linked), build/static-ARCH/tools/NAME of
#                               tests/vm/tools/NAME.c (plain C)

ARCH ?= $(shell uname -m)
STATIC_ARCH := $(patsubst aarch64,arm64,$(patsubst amd64,x86_64,$(ARCH)))
STATIC_MACHINE := $(patsubst arm64,aarch64,$(STATIC_ARCH))
STATIC_CROSS := $(if $(filter $(STATIC_MACHINE),$(shell uname -m)),,$(STATIC_MACHINE)-linux-gnu-)
STATIC_OUT := build/static-$(STATIC_ARCH)

VM_PROGS := $(basename $(notdir $(wildcard tests/vm/progs/*.c)))
VM_TOOLS := $(basename $(notdir $(wildcard tests/vm/tools/*.c)))

# With CCACHE_DIR in the environment, through ccache.
CCACHE ?= $(if $(CCACHE_DIR),ccache)

# Size counts on a board, so -Oz (a fifth smaller than -O2), fixed addresses (a static program
# without position independence), no unwind tables. -g goes by strip. Structs that are not taken apart
# into registers, invariants where they stand, one way out of a function (a call at its end is a jump
# behind a copy of what restores registers): each half a percent or more. x86-64: entries of a switch's table
# are addresses of eight bytes, comparing is shorter. arm64: all names are within a
# megabyte (the linker says when not); its gcc keeps frame pointers unless told; and, since its
# instructions take four bytes each, the program is compiled once more as a whole (half a minute).
STATIC_OPT := -Oz -g -fno-pie -fmerge-all-constants -fno-unwind-tables -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections -DSKEP_NO_IR_TEXT -DSKEP_SMALL_LIBC \
	-fno-tree-sra -fno-move-loop-invariants -fno-optimize-sibling-calls \
	$(if $(filter riscv64,$(STATIC_ARCH)),-msave-restore,-mgeneral-regs-only) \
	$(if $(filter x86_64,$(STATIC_ARCH)),-fno-jump-tables) \
	$(if $(filter arm64,$(STATIC_ARCH)),-mcmodel=tiny -fomit-frame-pointer -fno-thread-jumps -fno-caller-saves \
		-flto -ffat-lto-objects -flto-partition=one)
# No reader of the IR's text (skep dump --from=ir): 17 KB for those who write passes, who build skep anyway.
# Segments one behind the other, without filling up to 64 KB or 4 KB pages between them.
STATIC_LINK := -static -no-pie -Wl,--gc-sections -Wl,-z,norelro -Wl,-z,noseparate-code \
	-Wl,-z,common-page-size=65536
# There are no fractions (-mgeneral-regs-only refuses them). musl's printf could print them; its 128-bit
# arithmetic, which is software on arm64 and riscv64, stays out.
SOFT_FLOAT := __addtf3 __subtf3 __multf3 __eqtf2 __netf2 __extenddftf2 __fixtfsi __fixunstfsi \
	__floatsitf __floatunsitf
ifneq ($(filter arm64 riscv64,$(STATIC_ARCH)),)
STATIC_LINK += $(SOFT_FLOAT:%=-Wl$(comma)--defsym=%=abort)
endif
# setrlimit() is a loop over all threads where the kernel lacks prlimit(), which none has since 2.6.36.
STATIC_LINK += -Wl,--defsym=__synccall=abort
STATIC_BIN := $(STATIC_OUT)/$(if $(LOADER),skep-load,skep)

# This Makefile again, with another compiler and build folder.
define static_make
@libs=$$(third_party/build-libs $(STATIC_ARCH)) && \
$(MAKE) --no-print-directory V=static-$(STATIC_ARCH)/$(if $(LOADER),load,full) SAN= \
	CC="$(CCACHE) $$libs/bin/musl-gcc" \
	AR=$(STATIC_CROSS)ar STRIP=$(STATIC_CROSS)strip STATIC=1 \
	OPT="$(STATIC_OPT) -ffile-prefix-map=$(CURDIR)=." \
	DEPS_CFLAGS= DEPS_LIBS="$(STATIC_LINK) -lbpf -lelf -lz"
endef

static:
	+$(static_make) $(STATIC_BIN)
	@ls -l $(STATIC_BIN)

static-tests:
	+$(static_make) $(VM_PROGS:%=$(STATIC_OUT)/tests/%) $(VM_TOOLS:%=$(STATIC_OUT)/tools/%)

static-native:
	+$(static_make) $(STATIC_OUT)/native

ifdef STATIC
$(STATIC_BIN): $(B)/skep
	$(STRIP) -R .comment -o $@ $<
# Parts of test programs that are no layer's.
$(B)/libparts.a: $(patsubst %,$(B)/obj/tests/fuzz/%.o,prog prog_ir prog_script $(basename $(notdir $(wildcard $(addprefix tests/fuzz/,lang*.c damage*.c fake*.c))))) mk/static.mk
	@rm -f $@
	@$(AR) rcsD $@ $(filter %.o,$^)
# libc's glob() brings libc's getpwuid_r() beside that of base/small_libc.c, which comes first: muldefs.
$(STATIC_OUT)/tests/%: $(B)/obj/tests/vm/progs/%.o $(B)/libparts.a $(LIBS)
	@mkdir -p $(@D) $(B)/tests
	$(CC) $(OPT) -fno-lto -Wl,-z,muldefs $< $(B)/libparts.a -Wl,--start-group $(LIBS) -Wl,--end-group -o $(B)/tests/$* $(DEPS_LIBS)
	$(STRIP) -o $@ $(B)/tests/$*
$(STATIC_OUT)/native: $(B)/obj/tests/bench/native.o $(B)/obj/tests/bench/native_hand.o $(LIBS)
	$(CC) $(OPT) -fno-lto $(filter %.o,$^) -Wl,--start-group $(LIBS) -Wl,--end-group -o $@ $(DEPS_LIBS)
$(STATIC_OUT)/tools/%: tests/vm/tools/%.c
	@mkdir -p $(@D)
	$(CC) $(OPT) -fno-lto $(WARN) -D_GNU_SOURCE -I. -static $< -o $@
	$(STRIP) --strip-debug $@ # tests look for names of functions
endif
.PHONY: static static-tests static-native
