/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What busybox cannot send, for the packet cases:
 *   netsend udp ADDRESS PORT COUNT       datagrams of 4 bytes (IPv4 or IPv6)
 *   netsend frame INTERFACE HEX…         raw frames; spaces in HEX are ignored
 *   netsend pcap INTERFACE FILE          the frames of a capture (pcap, of this machine's byte order)
 *   netsend nosum INTERFACE              the kernel counts the checksums of what it sends there itself
 *   netsend count INTERFACE MILLISECONDS prints how many frames arrive there
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int send_udp(const char *address, int port, int count)
{
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	int v6 = inet_pton(AF_INET6, address, &a6.sin6_addr) == 1;
	struct sockaddr *to = v6 ? (void *)&a6 : (void *)&a4;
	socklen_t len = v6 ? sizeof(a6) : sizeof(a4);
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);

	if (!v6 && inet_pton(AF_INET, address, &a4.sin_addr) != 1)
		return fail(address);
	for (int i = 0; i < count; i++)
		if (sendto(fd, "skep", 4, 0, to, len) != 4)
			return fail("sendto");
	close(fd);
	return 0;
}

static int open_raw(const char *interface)
{
	struct sockaddr_ll ll = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	ll.sll_ifindex = if_nametoindex(interface);
	if (fd < 0 || !ll.sll_ifindex || bind(fd, (void *)&ll, sizeof(ll)) < 0)
		return -1;
	return fd;
}

static size_t from_hex(const char *hex, unsigned char *out, size_t max)
{
	size_t digits = 0;

	memset(out, 0, max);
	for (; *hex && digits < 2 * max; hex++) {
		char one[2] = {*hex, 0};

		if (!isxdigit((unsigned char)*hex))
			continue;
		out[digits / 2] |= strtoul(one, NULL, 16) << (digits % 2 ? 0 : 4);
		digits++;
	}
	return digits / 2;
}

static int send_frames(const char *interface, char **frames)
{
	unsigned char buf[4096];
	int fd = open_raw(interface);

	if (fd < 0)
		return fail(interface);
	for (; *frames; frames++) {
		size_t n = from_hex(*frames, buf, sizeof(buf));

		if (send(fd, buf, n, 0) != (ssize_t)n)
			return fail("send");
	}
	close(fd);
	return 0;
}

static int send_capture(const char *interface, const char *path)
{
	unsigned char buf[65536];
	unsigned head[4];
	int fd = open_raw(interface);
	FILE *f = fopen(path, "rb");

	if (fd < 0 || !f || fread(buf, 1, 24, f) != 24)
		return fail(fd < 0 ? interface : path);
	while (fread(head, sizeof(*head), 4, f) == 4) {
		if (head[2] > sizeof(buf) || fread(buf, 1, head[2], f) != head[2])
			return fail(path);
		if (send(fd, buf, head[2], 0) != (ssize_t)head[2])
			return fail("send");
	}
	fclose(f);
	close(fd);
	return 0;
}

/* As ethtool -K INTERFACE tx off: packets go out with whole checksums, and are looked at where they arrive. */
static int no_sums(const char *interface)
{
	struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM};
	struct ifreq r = {0};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), err;

	strncpy(r.ifr_name, interface, sizeof(r.ifr_name) - 1);
	r.ifr_data = (char *)&off;
	err = ioctl(fd, SIOCETHTOOL, &r);
	close(fd);
	return err ? fail(interface) : 0;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int count_frames(const char *interface, int ms)
{
	unsigned char buf[4096];
	struct sockaddr_ll from;
	long end = now_ms() + ms;
	int count = 0, fd = open_raw(interface);

	if (fd < 0)
		return fail(interface);
	for (long left; (left = end - now_ms()) > 0;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		socklen_t len = sizeof(from);

		if (poll(&p, 1, left) != 1)
			continue;
		if (recvfrom(fd, buf, sizeof(buf), 0, (void *)&from, &len) > 0 &&
			from.sll_pkttype != PACKET_OUTGOING)
			count++;
	}
	printf("%d\n", count);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "udp"))
		return send_udp(argv[2], atoi(argv[3]), atoi(argv[4]));
	if (argc >= 4 && !strcmp(argv[1], "frame"))
		return send_frames(argv[2], argv + 3);
	if (argc == 4 && !strcmp(argv[1], "pcap"))
		return send_capture(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "nosum"))
		return no_sums(argv[2]);
	if (argc == 4 && !strcmp(argv[1], "count"))
		return count_frames(argv[2], atoi(argv[3]));
	fprintf(stderr, "usage: see the head of netsend.c\n");
	return 2;
}
