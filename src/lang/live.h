/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#pragma once
#include "lang/ast.h"

/* Adds what --live shows of a scheduler to a script that is one. Requires: parsed without errors. */
void live_probes(struct script *s);
