/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The crafted frames of tests/packets/frames.h, for the kernel's own packet filter to judge, too: each
 * has its number in the sender's address (02:fe:00:00:HH:LL), so that filters can tell who matched.
 *   netcraft send INTERFACE    sends all that an MTU of 1500 lets through
 *   netcraft list              prints "ADDRESS CLASS NAME" of each; its class is what filters differ in:
 *                              tags (two and more), ah, later (fragments after the first), length (of IPv4,
 *                              wrong) or plain
 */
#include "tests/packets/frames.h"
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

/* Lengths in crafted headers say more than there is; the kernel's filter wants that they are true. */
#define PADDING 64

static struct frame *frames; /* FRAMES_MOST: too many bytes for what static arm64 programs address */

static int send_all(const char *interface, unsigned n)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	ll.sll_ifindex = (int)if_nametoindex(interface);
	if (fd < 0 || !ll.sll_ifindex || bind(fd, (void *)&ll, sizeof(ll)) < 0) {
		perror(interface);
		return 1;
	}
	for (unsigned i = 0; i < n; i++) {
		if (frames[i].n <= ETH_FRAME_LEN && send(fd, frames[i].b, frames[i].n, 0) < 0) {
			perror(frames[i].name);
			return 1;
		}
	}
	return 0;
}

static const char *class_of6(const uint8_t *ip)
{
	const uint8_t *h = ip + 40;
	unsigned next = ip[6];

	while (next == 0 || next == 43 || next == 44 || next == 60) {
		if (next == 44 && ((h[2] << 8 | h[3]) & 0xfff8))
			return "later";
		const uint8_t *here = h;

		h += next == 44 ? 8 : 8 * (h[1] + 1);
		next = here[0];
	}
	return next == 51 ? "ah" : "plain";
}

static const char *class_of(const struct frame *f)
{
	unsigned type = (unsigned)(f->b[12] << 8 | f->b[13]), at = 14;

	if (type == 0x8100 || type == 0x88a8) {
		type = (unsigned)(f->b[16] << 8 | f->b[17]);
		at = 18;
	}
	if (type == 0x8100 || type == 0x88a8)
		return "tags";
	if (type == 0x800 && ((f->b[at + 6] << 8 | f->b[at + 7]) & 0x1fff))
		return "later";
	if (type == 0x800) {
		unsigned len = (unsigned)(f->b[at + 2] << 8 | f->b[at + 3]);

		return len > f->n - at || len < 4u * (f->b[at] & 15) ? "length" : "plain";
	}
	return type == 0x86dd ? class_of6(f->b + at) : "plain";
}

int main(int argc, char **argv)
{
	unsigned n;

	frames = calloc(FRAMES_MOST, sizeof(*frames));
	if (!frames)
		return 1;
	n = all_frames(frames);
	for (unsigned i = 0; i < n; i++) {
		frames[i].n += PADDING;
		memcpy(frames[i].b + 6, (uint8_t[6]){2, 0xfe, 0, 0, (uint8_t)(i >> 8), (uint8_t)i}, 6);
	}
	if (argc == 3 && !strcmp(argv[1], "send"))
		return send_all(argv[2], n);
	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (unsigned i = 0; i < n; i++) {
			if (frames[i].n <= ETH_FRAME_LEN)
				printf("02:fe:00:00:%02x:%02x %s %s\n", i >> 8, i & 255, class_of(&frames[i]),
					frames[i].name);
		}
		return 0;
	}
	fprintf(stderr, "usage: see the head of netcraft.c\n");
	return 2;
}
