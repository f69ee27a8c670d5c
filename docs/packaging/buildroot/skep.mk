# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
SKEP_VERSION = 0.1.0
# Where your copy of the sources is.
SKEP_SITE = $(TOPDIR)/../skep
SKEP_SITE_METHOD = local
SKEP_LICENSE = BSD-2-Clause or GPL-2.0
SKEP_LICENSE_FILES = LICENSE
SKEP_DEPENDENCIES = host-pkgconf libbpf elfutils zlib
SKEP_MAKE_OPTS = $(TARGET_CONFIGURE_OPTS) OPT=-Os PREFIX=/usr \
	$(if $(BR2_PACKAGE_SKEP_LOADER),LOADER=1)

define SKEP_BUILD_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(SKEP_MAKE_OPTS)
endef
define SKEP_INSTALL_TARGET_CMDS
	$(TARGET_MAKE_ENV) $(MAKE) -C $(@D) $(SKEP_MAKE_OPTS) DESTDIR=$(TARGET_DIR) install
endef

$(eval $(generic-package))
