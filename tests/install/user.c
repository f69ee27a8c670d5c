/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A program of somebody else's, with what make install put there: compiles, writes, is told errors. */
#include <skep/compile.h>
#include <skep/skep.h>
#include <stdio.h>
#include <string.h>

static int compile(const char *text, const char *object)
{
	struct skep *s;
	int err = skep_new(&s, &(struct skep_options){.target = "arm64", .kernel = "5.10"});

	if (!err)
		err = skep_compile(s, "-e", text, strlen(text), NULL);
	if (!err && object) {
		size_t size;
		const void *elf = skep_object(s, &size);
		FILE *f = fopen(object, "w");

		if (!f || fwrite(elf, 1, size, f) != size || fclose(f))
			err = -1;
	}
	fputs(skep_messages(s, false), stdout);
	skep_free(s);
	return err;
}

int main(int argc, char **argv)
{
	if (argc < 2 || strcmp(skep_version(), SKEP_VERSION))
		return 2;
	if (compile("xdp:eth0 { @[ip.src] = count(); }", argv[1]) != SKEP_OK)
		return 3;
	return compile("BEGIN { @x = foo(); }", NULL) == SKEP_EUSER ? 0 : 4;
}
