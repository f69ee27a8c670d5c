/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The life of a script: BEGIN, attach, events until something ends it, detach, END, maps.
 * Requires: programs loaded, nothing attached. Ensures: nothing attached, whatever happened.
 */
#include "run/run.h"
#include "base/trap.h"
#include "load/pin.h"
#include "run/flame.h"
#include "run/live.h"
#include "run/metrics.h"
#include "run/periodic.h"
#include "run/rules.h"
#include "run/session.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 250	/* how late a signal between two waits may be noticed */
#define OPS_TICK_MS 100 /* how late a scheduler's end is noticed */
#define LOST_TICK_MS 1000
#define PROGRESS_MS 1000

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Runs the programs of BEGIN or END in source order and handles what they print. */
static int run_special(struct session *s, const char *kind)
{
	const struct meta *m = &s->l->meta;

	for (uint32_t i = 0; i < m->probes.n; i++) {
		int err;

		if (strcmp(m->probes.v[i].kind, kind) != 0)
			continue;
		err = load_run_prog(s->l, m->probes.v[i].prog);
		if (err)
			return err;
		ring_drain(s);
	}
	return 0;
}

static bool only_special(const struct meta *m)
{
	for (uint32_t i = 0; i < m->probes.n; i++) {
		if (strcmp(m->probes.v[i].kind, "BEGIN") && strcmp(m->probes.v[i].kind, "END"))
			return false;
	}
	return !m->ops.n;
}

static void announce(struct session *s)
{
	const struct meta *m = &s->l->meta;
	struct load_ops_end end;

	if (s->o->quiet)
		return;
	session_announce(s, s->form->attached, load_probe_count(s->l));
	for (uint32_t i = 0; i < m->ops.n && !s->form->announce_to_out; i++) {
		const struct meta_ops *o = &m->ops.v[i];
		const char *name = o->name;

		for (uint32_t k = 0; k < o->members.n; k++) {
			if (o->members.v[k].text && !strcmp(o->members.v[k].name, "name"))
				name = o->members.v[k].text;
		}
		if (strcmp(o->type, "sched_ext_ops") != 0)
			session_say(s, "%s \"%s\" registered\n", o->type, name);
		else if (load_ops_alive(s->l, &end)) /* one whose init refuses is taken, and ended at once */
			session_say(s,
				"Scheduler \"%s\" enabled in place of the kernel's own;"
				" Ctrl-C gives the machine back\n",
				name);
	}
}

/* False once the kernel has put another in the place of what we attached; says why. */
static bool ops_alive(struct session *s)
{
	struct load_ops_end end;

	if (!s->l->meta.ops.n || load_ops_alive(s->l, &end))
		return true;
	if (end.itself && !end.code) {
		session_say(s, "The scheduler has ended itself%s%s\n", end.why ? ": " : "",
			end.why ? end.why : "");
		s->exited = true;
		return true;
	}
	if (end.dump)
		session_say(s, "The kernel's report:\n%s\n", end.dump);
	diag_error(s->l->d, NO_SPAN, DIAG_SCHED, "the kernel has ended the scheduler%s%s",
		end.why ? ": " : "", end.why ? end.why : "");
	return false;
}

static bool stopped(const struct session *s)
{
	return s->o->stop && *s->o->stop;
}

static bool wanted(const struct session *s)
{
	return !s->exited && !s->write_error && !stopped(s);
}

/* The kernel runs the timers of schedulers; each is started by a program. */
static int start_timers(struct session *s)
{
	const struct meta *m = &s->l->meta;
	int err = SKEP_OK;

	for (uint32_t i = 0; !err && i < m->probes.n; i++) {
		if (!strcmp(m->probes.v[i].kind, "sched_ext:timer"))
			err = load_run_prog(s->l, m->probes.v[i].prog);
	}
	return err;
}

/* Without a descriptor (kernels before 5.3) a number that is free again. */
static bool process_ended(struct session *s)
{
	struct pollfd p = {.fd = s->pidfd, .events = POLLIN};

	if (s->o->pid <= 0)
		return false;
	return s->pidfd >= 0 ? poll(&p, 1, 0) > 0 : kill(s->o->pid, 0) && errno == ESRCH;
}

/* Runs self:signal:SIGUSR1 once for what has come since. 0 or SKEP_ESYS. */
static int own_signals(struct session *s)
{
	if (!s->o->signals || *s->o->signals == s->signals)
		return 0;
	s->signals = *s->o->signals;
	return run_special(s, "self");
}

/* Handles events until the script, the user, the clock or the kernel ends it. 0 or SKEP_ESYS. */
static int wait_for_end(struct session *s)
{
	uint64_t start = now_ms(), last_lost = start, now = start;
	uint64_t tick = s->l->meta.ops.n ? OPS_TICK_MS : TICK_MS;

	while (wanted(s)) {
		uint64_t wait = tick;

		if (s->o->for_ms) {
			if (now - start >= s->o->for_ms)
				break;
			if (wait > s->o->for_ms - (now - start))
				wait = s->o->for_ms - (now - start);
		}
		ring_wait(s, (int)wait);
		session_hangup(s);
		now = now_ms();
		periodic(s, now);
		live_draw(s, now);
		if (now - last_lost >= LOST_TICK_MS) {
			counters_report_lost(s);
			last_lost = now;
		}
		if (!ops_alive(s))
			return SKEP_ESYS;
		if (own_signals(s))
			return SKEP_ESYS;
		if (process_ended(s))
			break;
	}
	return 0;
}

/* Attaching may take long: a line each second tells how far it is. */
static bool attach_progress(void *arg, uint32_t done, uint32_t of)
{
	struct session *s = arg;

	if (!s->o->quiet && done != of && now_ms() - s->told_at >= PROGRESS_MS) {
		s->told_at = now_ms();
		session_say(s, "Attaching: %u of %u probes\n", done, of);
	}
	return !stopped(s);
}

/* 0 once the user has confirmed the rules; else they go, and it is an error. */
static int on_trial(struct session *s)
{
	int answer = 0;

	trial_begin(s, now_ms());
	while (!answer && wanted(s)) {
		ring_wait(s, TICK_MS);
		periodic(s, now_ms());
		answer = trial_check(s, now_ms());
	}
	trial_end(s);
	return answer > 0 ? 0 : SKEP_ESYS;
}

static int pin(struct session *s)
{
	int err = load_pin(s->l);

	if (err)
		return err;
	s->pinned_only = s->o->stays_pinned;
	if (!s->o->quiet)
		session_say(s, "Pinned as '%s': `skep stats %s` reads, `skep detach %s` removes it\n",
			s->l->attach.pin, s->l->attach.pin, s->l->attach.pin);
	return 0;
}

/* Each byte that is read stands for an object: see lower_traced.c. */
static int iterate(struct session *s, uint32_t probe)
{
	int fd = load_iter_open(s->l, probe), err = fd < 0 ? errno : 0;
	char objects[16];
	ssize_t n = 1;

	while (!err && n && wanted(s)) {
		n = read(fd, objects, sizeof(objects));
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			err = errno;
		ring_drain(s);
	}
	if (err) {
		diag_error(s->l->d, NO_SPAN, DIAG_SYSTEM, "cannot read '%s': %s (errno %d)",
			s->l->meta.probes.v[probe].name, strerror(err), err);
		err = SKEP_ESYS;
	}
	if (fd >= 0)
		close(fd);
	return err;
}

static int run_iterators(struct session *s)
{
	int err = 0;

	for (uint32_t i = 0; i < s->l->meta.probes.n && !err; i++) {
		if (!strcmp(s->l->meta.probes.v[i].kind, "iter"))
			err = iterate(s, i);
	}
	return err;
}

/* By the system call: musl's function only says that there is none. */
static void set_policy(int policy)
{
	int priority = policy == SCHED_FIFO; /* struct sched_param */

	syscall(SYS_sched_setscheduler, 0, policy, &priority);
}

/* Probes, timers, the line that says so; ended early by Ctrl-C where there is something to wait for. */
static int attach_all(struct session *s, bool waits)
{
	int err;

	s->l->progress = attach_progress;
	s->l->progress_arg = s;
	s->told_at = now_ms();
	err = load_attach(s->l);
	s->l->progress = NULL;
	if (err || (waits && stopped(s)))
		return err;
	err = start_timers(s);
	if (!err)
		announce(s);
	return err;
}

static int attach_and_wait(struct session *s)
{
	/* A scheduler may let nobody run: until its timers are started skep is above it, where it may. */
	bool above = s->l->meta.ops.n && syscall(SYS_sched_getscheduler, 0) == SCHED_OTHER;
	/* with nothing but BEGIN and END there is nothing to wait for, except a command's end */
	bool waits = (!s->l->meta.exits_itself && !only_special(&s->l->meta)) || s->o->pid > 0;
	int err;

	if (!wanted(s) && waits)
		return 0; /* exit() in BEGIN: attaching would only disturb the machine */
	if (above)
		set_policy(SCHED_FIFO);
	err = attach_all(s, waits);
	if (above)
		set_policy(SCHED_OTHER);
	if (err || (waits && stopped(s)))
		return err;
	if (s->o->attached)
		s->o->attached(s->o->attached_arg);
	err = run_iterators(s);
	if (!err && s->o->trial_ms)
		err = on_trial(s);
	if (!err && s->l->attach.pin)
		err = pin(s);
	return waits && !err && !s->pinned_only ? wait_for_end(s) : err;
}

/* What is in the ring belongs to the time before END, unless exit() has cut it off. */
static int finish(struct session *s)
{
	int err;

	load_detach(s->l);
	if (s->pinned_only)
		return 0;
	s->draining = true;
	ring_drain(s);
	s->muted = false;
	err = run_special(s, "END");
	if (err)
		return err;
	if (!s->o->quiet)
		s->form->before_maps(&s->out);
	if (!s->o->no_maps_at_exit && !s->l->meta.silent_maps)
		session_print_maps(s);
	rules_print(s);
	session_flush(s);
	if (s->o->flame)
		flame_write(s);
	if (s->o->verbose)
		costs_print(s);
	periodic_end(s);
	if (s->write_error != EPIPE) {
		counters_report_lost(s);
		counters_report(s);
	}
	return 0;
}

static int run(struct session *s)
{
	uint32_t span;
	int cpus = possible_cpus(&span), err, end_err;

	if (cpus < 1) {
		diag_hint(s->l->d,
			diag_error(s->l->d, NO_SPAN, DIAG_SYSTEM, "cannot count the CPUs: %s",
				strerror(-cpus)),
			"mount -t sysfs sysfs /sys");
		return SKEP_ESYS;
	}
	s->ncpus = (uint32_t)cpus;
	s->cpu_span = span;
	if (ring_open(s))
		return SKEP_ESYS;
	if (s->o->verbose)
		stats_print(s);
	if (s->o->verbose && !s->o->dry)
		costs_begin(s);
	if (s->o->dry)
		return 0;
	if (s->o->flame && flame_begin(s))
		return SKEP_ESYS;
	if (s->l->attach.pin && only_special(&s->l->meta)) {
		diag_error(s->l->d, NO_SPAN, DIAG_BAD_OPTION,
			"nothing would stay in force as '%s': the script has only BEGIN and END",
			s->l->attach.pin);
		return SKEP_EUSER;
	}
	if (s->o->pid > 0)
		s->pidfd = (int)syscall(SYS_pidfd_open, s->o->pid, 0);
	s->draining = true;
	err = run_special(s, "BEGIN");
	s->draining = false;
	if (!err)
		err = attach_and_wait(s);
	if (err && !s->l->links.n) {
		load_detach(s->l);
		return err; /* never ran: there is nothing to show */
	}
	end_err = finish(s);
	return err ? err : end_err;
}

int run_stats(struct loaded *l, const struct run_options *o)
{
	uint32_t span;
	int cpus = possible_cpus(&span);
	struct session s;
	bool ok = true;

	session_init(&s, l, o);
	if (o->buffer > RUN_BY_BYTE)
		setvbuf(o->out, NULL, o->buffer == RUN_FULL ? _IOFBF : _IOLBF, BUFSIZ);
	s.ncpus = cpus < 1 ? 1 : (uint32_t)cpus;
	if (o->metrics) {
		ok = metrics_write(&s);
	} else {
		rules_print(&s);
		session_print_maps(&s);
		session_flush(&s);
		counters_report(&s);
	}
	session_free(&s);
	return ok && (!s.write_error || s.write_error == EPIPE) ? SKEP_OK : SKEP_ESYS;
}

/*
 * False when run() was left by a jump. A function of its own: what is live around setjmp may be lost
 * when it is in registers, and compilers warn of it by chance.
 */
static bool run_trapped(struct session *s, struct trap *trap, int *err)
{
	if (trap && setjmp(trap->env) != 0)
		return false;
	*err = run(s);
	return true;
}

/* Lack of memory anywhere below must still close the ring and give memory back: passed on after. */
int run_script(struct loaded *l, const struct run_options *o)
{
	struct trap *trap = l->a->trap;
	struct session s;
	jmp_buf outer;
	int err = 0;
	bool whole;

	session_init(&s, l, o);
	if (o->buffer > RUN_BY_BYTE)
		setvbuf(o->out, NULL, o->buffer == RUN_FULL ? _IOFBF : _IOLBF, BUFSIZ);
	if (trap)
		memcpy(outer, trap->env, sizeof(outer));
	whole = run_trapped(&s, trap, &err);
	if (trap)
		memcpy(trap->env, outer, sizeof(outer));
	load_detach(l);
	ring_close(&s);
	if (s.pidfd >= 0)
		close(s.pidfd);
	costs_end(&s);
	session_free(&s);
	if (!whole)
		longjmp(trap->env, 1);
	clearerr(o->out); /* what it knows is told here */
	if (s.write_error && s.write_error != EPIPE) {
		diag_error(l->d, NO_SPAN, DIAG_SYSTEM, "cannot write the output: %s",
			strerror(s.write_error));
		err = SKEP_ESYS;
	}
	if (err || s.failed || s.metrics_failed)
		return 1;
	return s.exited ? s.exit_code : 0;
}
