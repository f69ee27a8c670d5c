# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# The tests of the command line run the program beside them.
$(TBIN_cli): | $(B)/skep
