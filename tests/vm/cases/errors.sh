# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
# What goes wrong is said at the right place, and nothing stays attached.
# timeout: 120

# fails NAME REGEX SCRIPT
fails() {
	skep -e "$3" >/tmp/out 2>/tmp/err
	_status=$?
	cat /tmp/err
	if [ $_status = 0 ]; then
		t_fail "$1" "exit status 0"
	else
		expect_match "$1" "$2" /tmp/err
	fi
	grep -q '^hint: ' /tmp/err || t_fail "$1-hint" "no hint"
}

fails function "-e:1:[0-9]+: error: .*vfs_raed.*no-such-target" 'kprobe:vfs_raed { @ = count(); }'
fails tracepoint 'no-such-target' 'tracepoint:syscalls:sys_enter_opnat { @ = count(); }'
fails field 'no-such-field' 'tracepoint:syscalls:sys_enter_openat { printf("%s\n", str(args.filenme)); }'
fails interface 'no-such-interface' 'xdp:nonesuch0 { drop(); }'
fails wrong_probe 'wrong-probe' 'kprobe:vfs_read { drop(); }'
if ! have_config CONFIG_SCHED_CLASS_EXT; then
	fails no_sched_ext 'kernel-feature' 'sched_ext:enqueue { dsq_insert(args.p, SCX_DSQ_GLOBAL, SCX_SLICE_DFL, 0); }'
fi
cat >/tmp/nobody.sh <<'X'
skep -e 'kprobe:vfs_read { @ = count(); }'
X
su -s /bin/sh nobody /tmp/nobody.sh >/tmp/out 2>/tmp/err </dev/null
status=$?
cat /tmp/err
if grep -q 'su:' /tmp/err; then
	t_skip permission "this busybox cannot change the user"
else
	expect_match permission 'permission' /tmp/err
	[ $status != 0 ] && t_ok permission_status || t_fail permission_status "exit status 0"
fi
