/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* printf and strftime of scripts, from formats and record bytes. */
#include "run/fmt.h"
#include "make.h"

static struct fixture *f;
static uint8_t record[256];
static struct meta_format format;

static void begin(const char *text)
{
	format = (struct meta_format){.event = ME_PRINTF, .text = text, .size = 8};
	memset(record, 0xee, sizeof(record));
}

static void arg(enum meta_kind kind, const void *p, uint32_t size)
{
	struct meta_field a = {.kind = kind, .off = format.size, .size = size};

	memcpy(record + format.size, p, size);
	format.size += size;
	vec_push(&f->a, &format.args, a);
}

static void arg_int(int64_t v)
{
	arg(MK_INT, &v, 8);
}

static void arg_uint(uint64_t v)
{
	arg(MK_UINT, &v, 8);
}

static void expect(const char *text)
{
	struct buf out;

	buf_init(&out, &f->a);
	buf_puts(&out, "");
	fmt_record(&out, &f->meta, &format, record, format.size);
	assert_string_equal(out.p, text);
}

#define INT(fmt, v, text) (begin(fmt), arg_int(v), expect(text))
#define UINT(fmt, v, text) (begin(fmt), arg_uint(v), expect(text))

static void integers(void **state)
{
	(void)state;
	INT("%d", -1, "-1");
	INT("%i|", INT64_MIN, "-9223372036854775808|");
	INT("%lld", 5000000000, "5000000000");
	INT("%d", 5000000000, "5000000000"); /* no modifier: all 64 bits */
	INT("%hhd %%", 300, "44 %");
	INT("%hd", 0x18000, "-32768");
	INT("%hu", -1, "65535");
	INT("%ld", -7, "-7");
	UINT("%u", UINT64_MAX, "18446744073709551615");
	UINT("%x", 0xbeef, "beef");
	UINT("%X", 0xbeef, "BEEF");
	UINT("%#x", 255, "0xff");
	UINT("%#X", 255, "0XFF");
	UINT("%#x", 0, "0");
	UINT("%o", 8, "10");
	UINT("%#o", 8, "010");
	UINT("%#.3o", 8, "010");
	UINT("%#.2o", 8, "010");
	UINT("%#.0o", 0, "0");
	UINT("%p", 0xffffffff81000000, "0xffffffff81000000");
	UINT("%p", 0, "0x0");
	INT("%c", 'A', "A");
}

static void flags(void **state)
{
	(void)state;
	INT("[%5d]", 42, "[   42]");
	INT("[%-5d]", 42, "[42   ]");
	INT("[%05d]", -42, "[-0042]");
	INT("[%-05d]", 42, "[42   ]");
	INT("[%+d]", 42, "[+42]");
	INT("[% d]", 42, "[ 42]");
	INT("[%+d]", -42, "[-42]");
	INT("[%.4d]", 42, "[0042]");
	INT("[%8.4d]", -42, "[   -0042]");
	INT("[%08.4d]", 42, "[    0042]"); /* precision wins over the zero flag */
	INT("[%.0d]", 0, "[]");
	UINT("[%#010x]", 255, "[0x000000ff]");
	UINT("[%-8x]", 255, "[ff      ]");
	INT("[%3c]", 'A', "[  A]");
	INT("[%*d]", 7, "[7]"); /* as bpftrace: * takes no argument */
}

static void strings(void **state)
{
	char comm[16] = "bash";

	(void)state;
	begin("%s %s\n");
	arg(MK_STR, comm, 16);
	arg_int(3);
	expect("bash 3\n");
	begin("[%-8s|%8s|%.2s|%8.2s]");
	for (int i = 0; i < 4; i++)
		arg(MK_STR, comm, 16);
	expect("[bash    |    bash|ba|      ba]");
	memset(comm, 'x', 16); /* fills its field: no NUL */
	begin("%s.");
	arg(MK_STR, comm, 16);
	expect("xxxxxxxxxxxxxxxx.");
}

static void kinds(void **state)
{
	struct meta_probe p = {.name = "kprobe:vfs_read"};
	uint8_t four[4] = {10, 0, 0, 1}, mac[6] = {1, 2, 3, 4, 5, 0xab}, raw[4] = {'a', 0, 0xff, 'b'};
	uint32_t probe = 0, none = 9;
	uint8_t yes = 1;

	(void)state;
	vec_push(&f->a, &f->meta.probes, p);
	begin("%s %s %s %s %s");
	arg(MK_PROBE, &probe, 4);
	arg(MK_PROBE, &none, 4);
	arg(MK_INET4, four, 4);
	arg(MK_MAC, mac, 6);
	arg(MK_BOOL, &yes, 1);
	expect("kprobe:vfs_read ? 10.0.0.1 01:02:03:04:05:AB true");
	begin("%r|%rh|%rx|%s");
	for (int i = 0; i < 4; i++)
		arg(MK_BUF, raw, 4);
	expect("a\\x00\\xffb|61 00 ff 62|\\x61\\x00\\xff\\x62|a\\x00\\xffb");
}

static void narrow(void **state)
{
	int32_t minus = -2;
	uint16_t port = 65535;

	(void)state;
	begin("%d %x %u");
	arg(MK_INT, &minus, 4);
	arg(MK_INT, &minus, 4);
	arg(MK_UINT, &port, 2);
	expect("-2 fffffffffffffffe 65535");
}

/* Whatever a damaged object says, only the record is read, and the rest of the text still prints. */
static void damaged(void **state)
{
	struct meta_field outside = {.kind = MK_STR, .off = 250, .size = 100};
	struct meta_field odd = {.kind = MK_INT, .off = 8, .size = 3};
	struct buf out;

	(void)state;
	begin("%d and %d");
	arg_int(1);
	expect("1 and "); /* fewer arguments than conversions */
	begin("%y%d%");
	arg_int(4);
	expect("%y4%");
	begin("%s|%d|%99999999999s");
	vec_push(&f->a, &format.args, outside);
	vec_push(&f->a, &format.args, odd);
	buf_init(&out, &f->a);
	fmt_record(&out, &f->meta, &format, record, 16);
	assert_string_equal(out.p, "||");
}

static void times(void **state)
{
	struct timespec at = {86400 + 3661, 42000};
	struct buf out;

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	buf_init(&out, &f->a);
	fmt_time(&out, "%H:%M:%S.%f %% %Y-%m-%d\n", at);
	assert_string_equal(out.p, "01:01:01.000042 % 1970-01-02\n");
	out.n = 0;
	buf_puts(&out, "");
	fmt_time(&out, "%%f", at);
	assert_string_equal(out.p, "%f");
	out.n = 0;
	for (int i = 0; i < 300; i++)
		fmt_time(&out, "%H:", at);
	assert_int_equal(out.n, 900);
}

static void json_escapes(void **state)
{
	static const char text[] = "test \r \n \t \\ \" bar\x01";
	struct buf out;

	(void)state;
	buf_init(&out, &f->a);
	emit_json.printf(&out, text, sizeof(text) - 1);
	assert_string_equal(out.p,
		"{\"type\": \"printf\", \"data\": \"test \\r \\n \\t \\\\ \\\" bar\\u0001\"}\n");
	out.n = 0;
	emit_json.attached(&out, 1);
	assert_string_equal(out.p,
		"{\"type\": \"attached_probes\", \"count\": 1, \"data\": {\"probes\": 1}}\n");
	out.n = 0;
	emit_text.attached(&out, 1);
	emit_text.attached(&out, 2);
	assert_string_equal(out.p, "Attached 1 probe\nAttached 2 probes\n");
}

static int setup(void **state)
{
	(void)state;
	f = fixture_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_free(f);
	return 0;
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {TEST(integers), TEST(flags), TEST(strings), TEST(kinds),
		TEST(narrow), TEST(damaged), TEST(times), TEST(json_escapes)};

	return cmocka_run_group_tests_name("run/fmt", tests, NULL, NULL);
}
