/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The verifier contract on the guest's kernel; "contract full" with the slow cases, too.
 * timeout: 400
 * files: tests/contract
 */
#include "tests/contract/contract.c"
#include "tests/fuzz/kernel.c"

int main(int argc, char **argv)
{
	const char *cases = "/skep/tests/contract/cases.txt";
	const char *matrix = "/skep/tests/contract/matrix.txt";
	struct contract c;
	bool sense;

	setvbuf(stdout, NULL, _IOLBF, 0);
	contract_open(&c, stdout);
	c.quick = argc < 2 || strcmp(argv[1], "full");
	sense = contract_run(&c, cases, matrix);
	printf("%u passed, %u failed, %u skipped\n", c.passed, c.failed, c.skipped);
	return !sense || c.failed;
}
