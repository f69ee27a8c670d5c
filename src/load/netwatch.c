/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel tells of changes by netlink; what has changed is found by asking again, so no message
 * needs to be understood and none that was lost matters.
 */
#include "load/netwatch.h"
#include "base/glob.h"
#include "load/internal.h"
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int load_watch_open(const struct loaded *l)
{
	struct sockaddr_nl at = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
	bool wanted = false;
	int fd;

	for (uint32_t i = 0; i < l->links.n; i++)
		wanted |= l->links.v[i].ifindex != 0;
	if (!wanted)
		return -1;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

bool load_watch_changed(int fd)
{
	char message[8192];
	bool any = false;

	while (recv(fd, message, sizeof(message), 0) > 0)
		any = true;
	return any;
}

static void gone(struct loaded *l, struct loaded_link *k, void (*say)(void *arg, const char *text),
	void *arg)
{
	const struct meta_probe *p = &l->meta.probes.v[k->probe];

	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
	k->clsact = false; /* the qdisc went with the interface */
	k->ifindex = 0;
	say(arg, arena_printf(l->a, "interface '%s' is gone, and with it the rules of %s", p->arg[0],
			 p->name));
}

/* The new link takes the place of the dead one. */
static void back(struct loaded *l, uint32_t link, void (*say)(void *arg, const char *text),
	void *arg)
{
	uint32_t probe = l->links.v[link].probe, before = l->d->list.n, n = l->links.n;
	const struct meta_probe *p = &l->meta.probes.v[probe];
	int errors = l->d->errors;

	if (attach_again(l, probe) || l->links.n == n) {
		say(arg, arena_printf(l->a, "interface '%s' is back, but not its rules: %s", p->arg[0],
				 l->d->list.n > before ? l->d->list.v[before].message : "refused"));
		l->d->list.n = before;
		l->d->errors = errors;
		return;
	}
	l->links.v[link] = l->links.v[--l->links.n];
	say(arg, arena_printf(l->a, "interface '%s' is back: %s has its rules again", p->arg[0],
			 p->name));
}

static bool has_probe(const struct loaded *l, const char *kind, const char *name)
{
	for (uint32_t i = 0; i < l->meta.probes.n; i++) {
		const struct meta_probe *p = &l->meta.probes.v[i];

		if (!strcmp(p->kind, kind) && !strcmp(p->arg[0], name))
			return true;
	}
	return false;
}

static bool told(struct loaded *l, const char *text)
{
	for (uint32_t i = 0; i < l->newcomers.n; i++) {
		if (!strcmp(l->newcomers.v[i], text))
			return true;
	}
	vec_push(l->a, &l->newcomers, text);
	return false;
}

static void newcomer(struct loaded *l, const char *name, void (*say)(void *arg, const char *text),
	void *arg)
{
	for (uint32_t i = 0; i < l->meta.probes.n; i++) {
		const struct meta_probe *p = &l->meta.probes.v[i];
		const char *text;

		if ((strcmp(p->kind, "xdp") && strcmp(p->kind, "tc")) || !*p->arg[2] || !l->links.n || !name_matches(p->arg[2], name) ||
			has_probe(l, p->kind, name))
			continue;
		text = arena_printf(l->a,
			"interface '%s' appeared and matches %s:%s: start skep again to give it rules",
			name, p->kind, p->arg[2]);
		if (!told(l, text))
			say(arg, text);
	}
}

/* It is there by another name: programs belong to the interface, not to its name. */
static bool renamed(struct loaded *l, const struct loaded_link *k, const struct meta_probe *p,
	void (*say)(void *arg, const char *text), void *arg)
{
	char name[IF_NAMESIZE];
	const char *text;

	if (!if_indextoname(k->ifindex, name))
		return false;
	text = arena_printf(l->a, "interface '%s' is called '%s' now: it keeps the rules of %s", p->arg[0],
		name, p->name);
	if (!told(l, text))
		say(arg, text);
	return true;
}

void load_watch_update(struct loaded *l, void (*say)(void *arg, const char *text), void *arg)
{
	struct if_nameindex *all;

	for (uint32_t i = 0; i < l->links.n; i++) {
		struct loaded_link *k = &l->links.v[i];
		const struct meta_probe *p = k->probe == META_NONE ? NULL : &l->meta.probes.v[k->probe];
		unsigned now = p && (k->ifindex || k->fd < 0) ? if_nametoindex(p->arg[0]) : 0;

		if (k->ifindex && now != k->ifindex && renamed(l, k, p, say, arg))
			continue;
		if (k->ifindex && now != k->ifindex)
			gone(l, k, say, arg);
		if (now && !k->ifindex && k->fd < 0 && !k->clsact)
			back(l, i, say, arg);
	}
	all = if_nameindex();
	for (struct if_nameindex *i = all; i && i->if_name; i++)
		newcomer(l, i->if_name, say, arg);
	if (all)
		if_freenameindex(all);
}
