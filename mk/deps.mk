# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# make deps: everything; make deps-unit and so on: one group (see scripts/deps).
DEPS_ALL := build unit vm static-x86_64 static-arm64 static-riscv64
deps:
	@scripts/deps $(DEPS_ALL)
deps-%:
	@scripts/deps $*
.PHONY: deps
