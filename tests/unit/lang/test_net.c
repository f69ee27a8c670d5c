/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Every packet field is read, compared and kept on every target; the IR's rules hold each time. */
#include "tests/unit/lang/langtest.h"
#include <stdio.h>
#include <string.h>

static void one(const char *target, const char *text)
{
	struct langtest t;

	langtest_init(&t, target);
	if (setjmp(t.trap.env))
		fail_msg("%s: %s: %s", target, text, t.trap.message);
	langtest_parse(&t, text, strlen(text));
	if (!t.d.errors)
		check_script(t.s);
	if (t.d.errors)
		fail_msg("%s: %s", target, langtest_diags(&t));
	langtest_lower(&t, text);
	langtest_free(&t);
}

/* xdp has no mark, packets of a cgroup start with IP. */
static bool has_field(const char *hook, const struct net_field *f)
{
	if (!strncmp(hook, "xdp", 3))
		return strcmp(f->name, "pkt.mark") && strcmp(f->name, "pkt.prio");
	return strncmp(hook, "cgroup", 6) || (f->layer != NET_ETH && f->layer != NET_VLAN &&
						     f->layer != NET_VLAN2 && f->layer != NET_ARP);
}

static void fields(void **state)
{
	static const char *const targets[] = {
		"x86_64-5.10-nobtf", "x86_64-6.1", "x86_64-7.3", "arm64-7.3", "riscv64-7.2"};
	static const char *const hooks[] = {"xdp:eth0", "tc:eth0:ingress", "cgroup_skb:/a:egress"};
	const struct net_field *f;
	char text[256];

	(void)state;
	for (unsigned n = 0; (f = net_field_at(n)); n++) {
		if (!strcmp(f->name, "payload")) /* not in this version */
			continue;
		for (unsigned h = 0; h < sizeof(hooks) / sizeof(*hooks); h++) {
			if (!has_field(hooks[h], f))
				continue;
			snprintf(text, sizeof(text), "%s { @a[%s] = count(); } %s /%s == %s/ { drop(); }",
				hooks[h], f->name, hooks[h], f->name, f->name);
			for (unsigned i = 0; i < sizeof(targets) / sizeof(*targets); i++)
				one(targets[i], text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(fields)};

	return cmocka_run_group_tests_name("net", tests, NULL, NULL);
}
