/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* --pcap: a filter of tcpdump's and what to do with its packets, as a script of ours. */
#include "lang/pcap.h"
#include "driver/driver.h"
#include "skep/compile.h"
#include <string.h>

struct pcap_call {
	const char *filter, *hook, *action, *file;
	struct buf script;
};

static const struct {
	const char *name, *body; /* body: what stands behind the predicate */
	const char *rest;	 /* for the packets that do not match; or NULL */
	bool file;
} actions[] = {
	{"drop", "{ @dropped = count(); drop(); }", NULL, false},
	{"only", "{ @passed = count(); pass(); }", "{ @dropped = count(); drop(); }", false},
	{"count", "{ @packets = count(); @bytes = sum(pkt.len); }", NULL, false},
	{"capture", NULL, NULL, true},
};

static int bad_action(struct skep *s, const char *action)
{
	struct diag *e = diag_error(&s->diags, NO_SPAN, DIAG_BAD_OPTION,
		"--pcap: '%.40s' is nothing to do with packets", action);

	diag_hint(&s->diags, e, "drop, only (drops all others), count, or capture FILE");
	return SKEP_EUSER;
}

/* Text between quotes of our language. */
static const char *quoted(struct skep *s, const char *text)
{
	struct buf b;

	buf_init(&b, &s->a);
	buf_puts(&b, "");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_putc(&b, '\\');
		buf_putc(&b, *text);
	}
	return b.p;
}

static int do_translate(struct skep *s, void *arg)
{
	struct pcap_call *c = arg;
	struct buf predicate;
	unsigned i = 0;

	while (i < sizeof(actions) / sizeof(*actions) && strcmp(actions[i].name, c->action))
		i++;
	if (i == sizeof(actions) / sizeof(*actions) || (actions[i].file && !c->file))
		return bad_action(s, c->action);
	buf_init(&predicate, &s->a);
	if (*c->filter && !pcap_translate(&s->a, &s->diags, "--pcap", c->filter, &predicate))
		return SKEP_EUSER;
	buf_init(&c->script, &s->a);
	buf_puts(&c->script, c->hook);
	if (predicate.n)
		buf_printf(&c->script, " /%s/", predicate.p);
	buf_putc(&c->script, ' ');
	if (actions[i].file)
		buf_printf(&c->script, "{ capture(\"%s\"); }", quoted(s, c->file));
	else
		buf_puts(&c->script, actions[i].body);
	if (actions[i].rest)
		buf_printf(&c->script, "\n%s %s", c->hook, actions[i].rest);
	buf_putc(&c->script, '\n');
	return SKEP_OK;
}

int skep_compile_pcap(struct skep *s, const char *filter, const char *hook, const char *action,
	const char *file, const struct skep_compile_options *o)
{
	struct pcap_call c = {.filter = filter, .hook = hook, .action = action, .file = file};
	int err = guarded(s, do_translate, &c);

	return err ? err : skep_compile(s, "the filter as a script", c.script.p, c.script.n, o);
}
