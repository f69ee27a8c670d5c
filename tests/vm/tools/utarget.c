/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A program to put uprobes on. utarget ROUNDS [MILLISECONDS]: so many calls, a pause after each.
 * A third argument: the address of the number that it writes in each round.
 * Its statically defined probes are written as systemtap's notes are: .note.stapsdt, type 3.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int utarget_add(int a, int b);
unsigned long utarget_say(const char *text);
extern unsigned short utarget_semaphore;
extern volatile int utarget_watched;

volatile int utarget_watched __attribute__((aligned(8)));

unsigned short utarget_semaphore __attribute__((section(".probes"), used));
__asm__(".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"
	".weak _.stapsdt.base\n.hidden _.stapsdt.base\n"
	"_.stapsdt.base: .space 1\n.size _.stapsdt.base, 1\n.popsection\n");

/* Two numbers of 4 bytes (one signed) and a pointer; enabled only while the semaphore is not 0. */
#define USDT(name, sem, a, b, c)                                                                   \
	__asm__ volatile("990: nop\n"                                                              \
			 ".pushsection .note.stapsdt,\"\",\"note\"\n"                              \
			 ".balign 4\n.4byte 992f-991f, 994f-993f, 3\n"                             \
			 "991: .asciz \"stapsdt\"\n992: .balign 4\n"                               \
			 "993: .8byte 990b\n.8byte _.stapsdt.base\n.8byte " sem "\n"               \
			 ".asciz \"utarget\"\n.asciz \"" name "\"\n.asciz \"-4@%0 4@%1 8@%2\"\n"   \
			 "994: .balign 4\n.popsection\n"                                           \
			 :                                                                         \
			 : "r"(a), "r"(b), "r"(c))

__attribute__((noinline)) int utarget_add(int a, int b)
{
	int sum = a + b;

	USDT("sum", "0", -sum, (unsigned)b, "text of a probe");
	return sum;
}

__attribute__((noinline)) unsigned long utarget_say(const char *text)
{
	if (utarget_semaphore)
		USDT("said", "utarget_semaphore", 1, 2u, text);
	return (unsigned long)text[0];
}

/* More arguments, for arg3 and on; and a name as C++ compilers make it. */
int utarget_six(int a, int b, int c, long d, int e, int f);
__attribute__((noinline)) int utarget_six(int a, int b, int c, long d, int e, int f)
{
	__asm__ volatile("" : : "r"(&a));
	return a + b + c + (int)d + e + f;
}

int handle(int fd) __asm__("_ZNK2ns6Server6handleEi");
__attribute__((noinline)) int handle(int fd)
{
	__asm__ volatile("" : : "r"(&fd));
	return fd;
}

int main(int argc, char **argv)
{
	int rounds = argc > 1 ? atoi(argv[1]) : 1, pause = argc > 2 ? atoi(argv[2]) : 0, n = 0;

	if (argc > 3)
		return printf("%p\n", (void *)&utarget_watched) < 0;
	for (int i = 0; i < rounds; i++) {
		utarget_watched = i;
		n += utarget_add(3, 4);
		n += handle(7) - utarget_six(1, 2, 3, 4, 5, 6) + 14;
		n += utarget_say("hello from user space") == 'h';
		if (pause)
			usleep((unsigned)pause * 1000);
	}
	printf("%d\n", n);
	return 0;
}
