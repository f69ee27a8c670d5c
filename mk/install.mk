# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# make install [DESTDIR=] [PREFIX=/usr/local]   program, library, headers, manual, completions, scripts
# make install LOADER=1                         the program without its compiler, and no library
# make deb [ARCH=…]                             build/skep_VERSION_ARCH.deb around the static program
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
INSTALL ?= install
OBJCOPY ?= objcopy
VERSION := $(shell sed -n 's/^\#define SKEP_VERSION "\(.*\)"/\1/p' include/skep/skep.h)
DEB_ARCH = $(patsubst x86_64,amd64,$(STATIC_ARCH))

# One object, in which only the public names are seen from outside.
$(B)/libskep.a: $(LIBS)
	$(CC) -nostdlib -r -Wl,--whole-archive $^ -Wl,--no-whole-archive -o $(B)/libskep.o
	$(OBJCOPY) --wildcard --keep-global-symbol='skep_*' $(B)/libskep.o
	@rm -f $@
	@$(AR) rcsD $@ $(B)/libskep.o
libskep: $(B)/libskep.a

define PC
prefix=$(PREFIX)
Name: libskep
Description: Compiles and runs eBPF scripts
Version: $(VERSION)
Requires: libbpf >= 1.1 libelf zlib
Libs: -L$(LIBDIR) -lskep
Cflags: -I$(INCLUDEDIR)
endef
export PC

GUIDES := language objects packets schedulers scripts
# $(1): the program; $(2): root of the installation
define install_program
$(INSTALL) -D -m 755 $(1) $(2)$(BINDIR)/skep
$(INSTALL) -D -m 644 docs/skep.1 $(2)$(DATADIR)/man/man1/skep.1
$(INSTALL) -d $(2)$(DATADIR)/bash-completion/completions $(2)$(DATADIR)/zsh/site-functions \
	$(2)$(DATADIR)/fish/vendor_completions.d $(2)$(DATADIR)/skep/scripts/packets
scripts/completion bash >$(2)$(DATADIR)/bash-completion/completions/skep
scripts/completion zsh >$(2)$(DATADIR)/zsh/site-functions/_skep
scripts/completion fish >$(2)$(DATADIR)/fish/vendor_completions.d/skep.fish
$(INSTALL) -m 644 $(wildcard scripts/*.bt scripts/*.skep) $(2)$(DATADIR)/skep/scripts
$(INSTALL) -m 644 $(wildcard scripts/packets/*.skep) $(2)$(DATADIR)/skep/scripts/packets
$(INSTALL) -D -m 644 docs/packaging/skep@.service $(2)$(DATADIR)/doc/skep/skep@.service
$(INSTALL) -m 644 LICENSE $(GUIDES:%=docs/%.md) $(2)$(DATADIR)/doc/skep
endef

install: $(B)/skep $(if $(LOADER),,install-lib)
	$(call install_program,$(B)/skep,$(DESTDIR))
install-lib: $(B)/libskep.a
	$(INSTALL) -D -m 644 $< $(DESTDIR)$(LIBDIR)/libskep.a
	$(INSTALL) -d $(DESTDIR)$(INCLUDEDIR)/skep $(DESTDIR)$(LIBDIR)/pkgconfig
	$(INSTALL) -m 644 include/skep/*.h $(DESTDIR)$(INCLUDEDIR)/skep
	echo "$$PC" >$(DESTDIR)$(LIBDIR)/pkgconfig/libskep.pc

define CONTROL
Package: skep
Version: $(VERSION)
Architecture: $(DEB_ARCH)
Maintainer: skep developers <skep@localhost>
Section: admin
Priority: optional
Recommends: bash-completion
Description: eBPF scripts: tracing, packet rules, schedulers
 Compiles short scripts to eBPF and runs them, without LLVM, clang or kernel
 headers. One static program.
endef
export CONTROL
deb: PREFIX := /usr
deb: static
	rm -rf build/deb
	$(call install_program,$(STATIC_OUT)/skep,build/deb)
	gzip -9n build/deb$(DATADIR)/man/man1/skep.1
	$(INSTALL) -d build/deb/DEBIAN
	echo "$$CONTROL" >build/deb/DEBIAN/control
	dpkg-deb --root-owner-group --build build/deb build/skep_$(VERSION)_$(DEB_ARCH).deb

# What lies where after make install and after installing the package; a program built against it.
CHECK_STEPS += install
check-install: deps-build
	@scripts/deps static-$(STATIC_ARCH)
	+@CC="$(CC)" MAKE="$(MAKE)" tests/install/run build/install
# For another machine, against a folder of its packages; with musl as the system's C library.
CHECK_STEPS += cross
check-cross: deps-build
	@scripts/deps static-arm64 static-$(STATIC_ARCH)
	+@MAKE="$(MAKE)" tests/install/cross build/cross-install
.PHONY: install install-lib libskep deb check-install check-cross
