/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The verifier contract on the guest's kernel.
 * timeout: 240
 * files: tests/contract
 */
#include "tests/contract/contract.c"
#include "tests/fuzz/kernel.c"

int main(int argc, char **argv)
{
	const char *cases = argc > 1 ? argv[1] : "/skep/tests/contract/cases.txt";
	const char *matrix = argc > 2 ? argv[2] : "/skep/tests/contract/matrix.txt";
	struct contract c;
	bool sense;

	setvbuf(stdout, NULL, _IOLBF, 0);
	contract_open(&c, stdout);
	sense = contract_run(&c, cases, matrix);
	printf("%u passed, %u failed, %u skipped\n", c.passed, c.failed, c.skipped);
	return !sense || c.failed;
}
