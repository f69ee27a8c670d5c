# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# skep: one small program that turns scripts into eBPF.
#
#   make            the program, ./skep (system libelf, libbpf, zlib)
#   make check      every test; installs or names what it needs
#   make check-unit the part that needs neither root nor VM (T=layer or T=layer/test_x selects)
#   make demo       the main jobs, for real, in an emulated test kernel
#   make static     one static musl binary (ARCH=arm64 or riscv64 for a board; LOADER=1: without
#                   the compiler, for machines that may not have one)
#   make fuzz       differential fuzzer (SEED=, N=);   make bench   tables of costs
#   make install    DESTDIR=, PREFIX=/usr/local;   make deb   a Debian package
#   SAN=1           any of the above under ASan and UBSan

.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.DEFAULT_GOAL := all

PKG_CONFIG ?= pkg-config
CC ?= cc
ifeq ($(origin CC),default)
CC := cc
endif
# Another machine's compiler and libraries: make CC=aarch64-linux-gnu-gcc SYSROOT=/path (docs/packaging).
ifdef SYSROOT
override CC := $(CC) --sysroot=$(SYSROOT)
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
export PKG_CONFIG_SYSROOT_DIR := $(SYSROOT)
export PKG_CONFIG_LIBDIR := $(SYSROOT)/usr/lib/pkgconfig:$(SYSROOT)/usr/share/pkgconfig$(MULTIARCH:%=:$(SYSROOT)/usr/lib/%/pkgconfig)
endif
OPT ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wpointer-arith -Wwrite-strings
ifdef CI
WARN += -Werror
endif
ifdef LOADER
V := load
else
V := dev
endif
ifdef SAN
V := san
OPT := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -DSKEP_MALLOC_ARENA
endif
B := build/$(V)

CPPFLAGS_SKEP := -D_GNU_SOURCE $(if $(LOADER),-DSKEP_LOADER) -Iinclude -Isrc -I. -I$(B)/gen
DEPS_CFLAGS = $(shell $(PKG_CONFIG) --cflags libbpf libelf zlib 2>/dev/null)
DEPS_LIBS = $(shell $(PKG_CONFIG) --libs libbpf libelf zlib 2>/dev/null || echo -lbpf -lelf -lz)
ALL_CFLAGS = -std=gnu11 $(OPT) $(WARN) $(CPPFLAGS_SKEP) $(DEPS_CFLAGS) $(CFLAGS)

# Layers, lowest first; scripts/check-layers knows the same order.
LAYERS := base kern ir lang back load run driver cli
DIR_base := src/base
DIR_kern := src/kern
DIR_ir := ir
DIR_lang := src/lang
DIR_back := backend-bpf
DIR_load := src/load
DIR_run := src/run
DIR_driver := src/driver
DIR_cli := src/cli
# What a layer's tests may link: itself and the layers it may use.
USES_base := base
USES_kern := kern base
USES_ir := ir kern base
USES_lang := lang ir kern base
USES_back := back ir kern base
USES_load := load back ir kern base
USES_run := run load ir kern base
USES_driver := driver run load back lang ir kern base
USES_cli := driver run load back lang ir kern base

include mk/rules.mk
include $(filter-out mk/rules.mk,$(sort $(wildcard mk/*.mk)))
