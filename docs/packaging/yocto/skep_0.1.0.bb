# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
SUMMARY = "eBPF scripts: tracing, packet rules, schedulers, without LLVM"
LICENSE = "BSD-2-Clause | GPL-2.0-only"
LIC_FILES_CHKSUM = "file://LICENSE;md5=b06fc8efdc35d454d7c6482b26df969e"
# Where your copy of the sources is, set in conf/local.conf: SKEP_REPOSITORY = "git.example.org/skep.git"
SRC_URI = "git://${SKEP_REPOSITORY};protocol=https;branch=main"
SRCREV = "${AUTOREV}"
# Up to release 5.2; newer ones know the folder by themselves and want no such line.
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
