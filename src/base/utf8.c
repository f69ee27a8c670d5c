/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "base/utf8.h"

/* The length of the character at s; 0 none. https://www.rfc-editor.org/rfc/rfc3629, section 3 */
static unsigned length(const unsigned char *s, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned len = *s < 0x80 ? 1 : *s < 0xc0 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : *s < 0xf8 ? 4 : 0;
	uint32_t code = *s & (0xffu >> (len + 1));

	if (len < 2 || len > n)
		return len > n ? 0 : len;
	for (unsigned i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[len] || code > 0x10ffff || (code & ~0x7ffu) == 0xd800)
		return 0;
	return len;
}

size_t buf_utf8(struct buf *out, const char *s, size_t n)
{
	unsigned len = length((const unsigned char *)s, n);

	buf_put(out, len ? s : "\xef\xbf\xbd", len ? len : 3);
	return len ? len : 1;
}
