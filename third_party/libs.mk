# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# libz.a, libelf.a and libbpf.a from unpacked sources, without their own build systems.
# Called by build-libs with SRC (sources), OUT (where include/ and lib/ go), SMALL (flags), CC, AR.
MAKEFLAGS += --no-builtin-rules
HERE := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
# Small before fast: nothing hot is in here. No unwind tables: nobody walks these stacks.
OPT := -Oz $(SMALL) -g0 -fno-pie -fno-unwind-tables -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -ffile-prefix-map=$(SRC)=.

Z := adler32 compress crc32 deflate gzclose gzlib gzread gzwrite infback inffast inflate inftrees \
	trees uncompr zutil
ELF := $(basename $(notdir $(wildcard $(SRC)/elfutils/libelf/*.c)))
BPF := $(basename $(notdir $(wildcard $(SRC)/libbpf/src/*.c)))

ZFLAGS := -D_LARGEFILE64_SOURCE=1 -DHAVE_HIDDEN -DHAVE_UNISTD_H -DHAVE_STDARG_H
EFLAGS := -std=gnu99 -D_GNU_SOURCE -DHAVE_CONFIG_H -D_FILE_OFFSET_BITS=64 -Icfg \
	-I$(SRC)/elfutils/libelf -I$(SRC)/elfutils/lib -I$(OUT)/include
BFLAGS := -std=gnu89 -D_LARGEFILE64_SOURCE -D_FILE_OFFSET_BITS=64 -I$(SRC)/libbpf/src \
	-I$(SRC)/libbpf/include -I$(SRC)/libbpf/include/uapi -I$(OUT)/include

all: $(OUT)/lib/libz.a $(OUT)/lib/libelf.a $(OUT)/lib/libbpf.a

headers: $(HERE)libelf-config.h
	mkdir -p $(OUT)/include/bpf $(OUT)/lib cfg o/z o/elf o/eu o/bpf
	cp $< cfg/config.h
	cp $(SRC)/zlib/zlib.h $(SRC)/zlib/zconf.h $(OUT)/include/
	cp $(SRC)/elfutils/libelf/libelf.h $(SRC)/elfutils/libelf/gelf.h $(OUT)/include/
	cp $(SRC)/libbpf/src/*.h $(OUT)/include/bpf/
	touch $@
o/z/%.o: $(SRC)/zlib/%.c headers
	$(CC) $(OPT) $(ZFLAGS) -c $< -o $@
o/elf/%.o: $(SRC)/elfutils/libelf/%.c headers
	$(CC) $(OPT) $(EFLAGS) -c $< -o $@
o/eu/%.o: $(SRC)/elfutils/lib/%.c headers
	$(CC) $(OPT) $(EFLAGS) -c $< -o $@
o/bpf/%.o: $(SRC)/libbpf/src/%.c headers
	$(CC) $(OPT) $(BFLAGS) -c $< -o $@
$(OUT)/lib/libz.a: $(Z:%=o/z/%.o)
$(OUT)/lib/libelf.a: $(ELF:%=o/elf/%.o) o/eu/eu-search.o
$(OUT)/lib/libbpf.a: $(BPF:%=o/bpf/%.o)
$(OUT)/lib/%.a:
	$(AR) rcsD $@ $^
.PHONY: all
