# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
SUMMARY = "eBPF scripts: tracing, packet rules, schedulers, without LLVM"
LICENSE = "BSD-2-Clause | GPL-2.0-only"
LIC_FILES_CHKSUM = "file://LICENSE;md5=${SKEP_LICENSE_MD5}"
# Where your copy of the sources is:
SRC_URI = "git://${SKEP_REPOSITORY};protocol=https;branch=main"
SRCREV = "${AUTOREV}"
S = "${WORKDIR}/git"

DEPENDS = "libbpf elfutils zlib"
inherit pkgconfig

# bitbake's CC has --sysroot in it already.
EXTRA_OEMAKE = "'CC=${CC}' 'AR=${AR}' 'OBJCOPY=${OBJCOPY}' 'CFLAGS=${CFLAGS}' 'LDFLAGS=${LDFLAGS}' OPT= \
	PREFIX=${prefix} BINDIR=${bindir} LIBDIR=${libdir} INCLUDEDIR=${includedir} DATADIR=${datadir}"
PACKAGECONFIG ??= ""
PACKAGECONFIG[loader] = "LOADER=1,,"
EXTRA_OEMAKE += "${PACKAGECONFIG_CONFARGS}"

do_install() {
	oe_runmake install DESTDIR=${D}
}
FILES:${PN} += "${datadir}/skep ${datadir}/bash-completion ${datadir}/zsh ${datadir}/fish"
COMPATIBLE_HOST = "(x86_64|aarch64|riscv64).*-linux"
