/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Boxes from the bottom up, as wide as their part of the whole, callees by name. The file shows the
 * full name under the pointer; a click makes a box as wide as the picture, Ctrl-F or the word at the
 * top right marks the boxes whose name a regular expression matches.
 */
#include "run/flame.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WIDTH 1200u
#define MARGIN 10u
#define ROW 17
#define HEAD 40
#define FOOT 30
#define CHAR 660  /* width of a character of the font, in hundredths */
#define LEAST 10  /* narrower boxes are not drawn; in hundredths */

struct box {
	const char *name;
	uint64_t value;
	VEC(struct box *) in;
};

struct flame {
	struct arena *a;
	struct box all;
	unsigned depth;
};

struct flame *flame_new(struct arena *a)
{
	struct flame *f = ARENA_NEW(a, struct flame);

	*f = (struct flame){.a = a, .all = {.name = "all"}};
	return f;
}

void flame_add(struct flame *f, const char *const *frames, unsigned n, uint64_t value)
{
	struct box *b = &f->all;

	b->value += value;
	for (unsigned i = 0; i < n; i++) {
		struct box *next = NULL;

		for (uint32_t k = 0; k < b->in.n && !next; k++) {
			if (!strcmp(b->in.v[k]->name, frames[i]))
				next = b->in.v[k];
		}
		if (!next) {
			next = ARENA_NEW(f->a, struct box);
			*next = (struct box){.name = arena_strdup(f->a, frames[i])};
			vec_push(f->a, &b->in, next);
		}
		next->value += value;
		b = next;
	}
	f->depth = n > f->depth ? n : f->depth;
}

static void escaped(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n && s[i]; i++) {
		switch (s[i]) {
		case '<':
			buf_puts(out, "&lt;");
			break;
		case '>':
			buf_puts(out, "&gt;");
			break;
		case '&':
			buf_puts(out, "&amp;");
			break;
		case '"':
			buf_puts(out, "&quot;");
			break;
		default:
			/* names are any bytes, the file must be UTF-8 */
			buf_putc(out, s[i] > 0 && s[i] < 32 ? ' ' : s[i] & 0x80 ? '?' : s[i]);
		}
	}
}

/* A warm colour that is the name's own, so that the same function looks the same everywhere. */
static void colour(const char *name, unsigned rgb[3])
{
	uint32_t h = 2166136261u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	rgb[0] = 205 + h % 50;
	rgb[1] = 60 + (h >> 8) % 150;
	rgb[2] = 20 + (h >> 16) % 50;
}

static int by_name(const void *x, const void *y)
{
	const struct box *const *a = x, *const *b = y;

	return strcmp((*a)->name, (*b)->name);
}

struct place {
	uint64_t before, all; /* values left of here, and together */
	unsigned level, depth;
};

/*
 * Lengths are counted in hundredths of a pixel: no arithmetic with fractions, which some machines do
 * in software.
 */
static uint64_t length(uint64_t value, uint64_t all)
{
	while (all >> 40) { /* so that the product fits */
		all >>= 1;
		value >>= 1;
	}
	return all ? value * 100 * (WIDTH - 2 * MARGIN) / all : 0;
}

/* Cuts the name to what fits. */
static void label(struct buf *out, const struct box *b, uint64_t width)
{
	size_t room = width > 3 * CHAR ? (size_t)((width - 400) / CHAR) : 0, n = strlen(b->name);

	if (room < 3)
		return;
	if (n > room)
		n = room - 2;
	escaped(out, b->name, n);
	if (b->name[n])
		buf_puts(out, "..");
}

#define HUNDREDTHS "%" PRIu64 ".%02u"
#define IN_HUNDREDTHS(v) (v) / 100, (unsigned)((v) % 100)

static void draw(struct flame *f, struct buf *out, struct box *b, struct place at)
{
	uint64_t left = length(at.before, at.all), x = 100 * MARGIN + left;
	uint64_t width = length(at.before + b->value, at.all) - left;
	uint64_t share = width * 100 / (WIDTH - 2 * MARGIN);
	unsigned y = HEAD + (at.depth - at.level) * ROW, rgb[3];

	if (width < LEAST)
		return;
	colour(b->name, rgb);
	buf_printf(out, "<g data-x=\"" HUNDREDTHS "\" data-w=\"" HUNDREDTHS
			"\" data-l=\"%u\" data-v=\"%" PRIu64 "\" data-n=\"",
		IN_HUNDREDTHS(x), IN_HUNDREDTHS(width), at.level, b->value);
	escaped(out, b->name, strlen(b->name));
	buf_puts(out, "\"><title>");
	escaped(out, b->name, strlen(b->name));
	buf_printf(out, " (%" PRIu64 ", " HUNDREDTHS "%%)</title><rect x=\"" HUNDREDTHS
			"\" y=\"%u\" width=\"" HUNDREDTHS "\" height=\"%u\" "
			"fill=\"rgb(%u,%u,%u)\"/><text x=\"" HUNDREDTHS "\" y=\"%u\">",
		b->value, IN_HUNDREDTHS(share), IN_HUNDREDTHS(x), y, IN_HUNDREDTHS(width), ROW - 1,
		rgb[0], rgb[1], rgb[2], IN_HUNDREDTHS(x + 300), y + 12);
	label(out, b, width);
	buf_puts(out, "</text></g>\n");
	if (b->in.n > 1)
		qsort(b->in.v, b->in.n, sizeof(*b->in.v), by_name);
	at.level++;
	for (uint32_t i = 0; i < b->in.n; i++) {
		draw(f, out, b->in.v[i], at);
		at.before += b->in.v[i]->value;
	}
}

/* What makes boxes grow and names be found; plain SVG scripting, nothing is loaded. */
static const char script[] =
	"<script><![CDATA[\n"
	"var W=1180,M=10,C=6.6,boxes=document.querySelectorAll('g[data-n]'),head,found;\n"
	"function num(g,k){return parseFloat(g.getAttribute('data-'+k));}\n"
	"function fit(g,x,w){var r=g.querySelector('rect'),t=g.querySelector('text'),"
	"n=g.getAttribute('data-n'),room=Math.floor((w-4)/C);\n"
	" g.style.display=w<0.1?'none':'';r.setAttribute('x',x);r.setAttribute('width',Math.max(w,0));\n"
	" t.setAttribute('x',x+3);t.textContent=room<3?'':n.length>room?n.slice(0,room-2)+'..':n;}\n"
	"function zoom(b){var x0=num(b,'x'),w0=num(b,'w'),l0=num(b,'l');boxes.forEach(function(g){\n"
	" var x=num(g,'x'),w=num(g,'w'),l=num(g,'l'),e=0.01;\n"
	" if(l<l0&&x<=x0+e&&x+w>=x0+w0-e){fit(g,M,W);g.style.opacity=0.5;return;}\n"
	" g.style.opacity=1;\n"
	" if(x<x0-e||x+w>x0+w0+e||l<l0)g.style.display='none';"
	"else fit(g,M+(x-x0)*W/w0,w*W/w0);});}\n"
	"function find(){var p=prompt('Find functions (regular expression):',head||'');"
	"if(p===null)return;head=p;\n"
	" var re;try{re=p?new RegExp(p):null;}catch(err){alert(err);return;}\n"
	" var seen=[];boxes.forEach(function(g){var r=g.querySelector('rect'),"
	"hit=re&&re.test(g.getAttribute('data-n'));\n"
	"  if(!r.hasAttribute('data-f'))r.setAttribute('data-f',r.getAttribute('fill'));\n"
	"  r.setAttribute('fill',hit?'rgb(230,0,230)':r.getAttribute('data-f'));\n"
	"  if(hit)seen.push(g);});\n"
	" var sum=0;seen.forEach(function(g){if(!seen.some(function(o){return o!==g&&num(o,'l')<num(g,'l')"
	"&&num(o,'x')<=num(g,'x')+0.01&&num(o,'x')+num(o,'w')>=num(g,'x')+num(g,'w')-0.01;}))"
	"sum+=num(g,'w');});\n"
	" document.getElementById('found').textContent=re?'found '+(100*sum/W).toFixed(1)+'%':'';}\n"
	"boxes.forEach(function(g){g.addEventListener('click',function(){zoom(g);});});\n"
	"document.getElementById('search').addEventListener('click',find);\n"
	"document.getElementById('reset').addEventListener('click',function(){zoom(boxes[0]);});\n"
	"window.addEventListener('keydown',function(e){if(e.ctrlKey&&e.key==='f'){"
	"e.preventDefault();find();}});\n"
	"]]></script>\n";

void flame_svg(struct flame *f, const char *title, struct buf *out)
{
	unsigned height = HEAD + (f->depth + 1) * ROW + FOOT;
	struct place at = {.all = f->all.value, .depth = f->depth};

	buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
			"width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\">\n"
			"<style>text{font:11px monospace;pointer-events:none}g{cursor:pointer}"
			".b{cursor:pointer;pointer-events:all;fill:#555}"
			"rect:hover{stroke:#000;stroke-width:0.5}</style>\n"
			"<rect width=\"100%%\" height=\"100%%\" fill=\"#fcfbf5\"/>\n"
			"<text x=\"%u\" y=\"24\" text-anchor=\"middle\" style=\"font-size:16px\">",
		WIDTH, height, WIDTH, height, WIDTH / 2);
	escaped(out, title, strlen(title));
	buf_printf(out, "</text>\n<text id=\"reset\" class=\"b\" x=\"%u\" y=\"24\">reset zoom</text>\n"
			"<text id=\"search\" class=\"b\" x=\"%u\" y=\"24\" text-anchor=\"end\">search"
			"</text>\n<text id=\"found\" x=\"%u\" y=\"%u\" text-anchor=\"end\"></text>\n",
		MARGIN, WIDTH - MARGIN, WIDTH - MARGIN, height - 10);
	draw(f, out, &f->all, at);
	buf_puts(out, script);
	buf_puts(out, "</svg>\n");
}
