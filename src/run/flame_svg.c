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

#define WIDTH 1200.0
#define MARGIN 10.0
#define ROW 17
#define HEAD 40
#define FOOT 30
#define CHAR 6.6     /* width of a character of the font */
#define LEAST 0.1    /* narrower boxes are not drawn */

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
	double x, scale;
	unsigned level, depth;
};

/* Cuts the name to what fits. */
static void label(struct buf *out, const struct box *b, double width)
{
	size_t room = width > 3 * CHAR ? (size_t)((width - 4) / CHAR) : 0, n = strlen(b->name);

	if (room < 3)
		return;
	if (n > room)
		n = room - 2;
	escaped(out, b->name, n);
	if (b->name[n])
		buf_puts(out, "..");
}

static void draw(struct flame *f, struct buf *out, struct box *b, struct place at)
{
	double width = (double)b->value * at.scale, x = at.x;
	unsigned y = HEAD + (at.depth - at.level) * ROW, rgb[3];

	if (width < LEAST)
		return;
	colour(b->name, rgb);
	buf_printf(out, "<g data-x=\"%.2f\" data-w=\"%.2f\" data-l=\"%u\" data-v=\"%" PRIu64
			"\" data-n=\"", x, width, at.level, b->value);
	escaped(out, b->name, strlen(b->name));
	buf_puts(out, "\"><title>");
	escaped(out, b->name, strlen(b->name));
	buf_printf(out, " (%" PRIu64 ", %.2f%%)</title><rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" "
			"height=\"%u\" fill=\"rgb(%u,%u,%u)\"/><text x=\"%.2f\" y=\"%u\">",
		b->value, f->all.value ? 100.0 * (double)b->value / (double)f->all.value : 0, x, y,
		width, ROW - 1, rgb[0], rgb[1], rgb[2], x + 3, y + 12);
	label(out, b, width);
	buf_puts(out, "</text></g>\n");
	if (b->in.n > 1)
		qsort(b->in.v, b->in.n, sizeof(*b->in.v), by_name);
	at.level++;
	for (uint32_t i = 0; i < b->in.n; i++) {
		draw(f, out, b->in.v[i], at);
		at.x += (double)b->in.v[i]->value * at.scale;
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
	struct place at = {.x = MARGIN, .depth = f->depth};

	at.scale = f->all.value ? (WIDTH - 2 * MARGIN) / (double)f->all.value : 0;
	buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" "
			"width=\"%.0f\" height=\"%u\" viewBox=\"0 0 %.0f %u\">\n"
			"<style>text{font:11px monospace;pointer-events:none}g{cursor:pointer}"
			".b{cursor:pointer;pointer-events:all;fill:#555}"
			"rect:hover{stroke:#000;stroke-width:0.5}</style>\n"
			"<rect width=\"100%%\" height=\"100%%\" fill=\"#fcfbf5\"/>\n"
			"<text x=\"%.0f\" y=\"24\" text-anchor=\"middle\" style=\"font-size:16px\">",
		WIDTH, height, WIDTH, height, WIDTH / 2);
	escaped(out, title, strlen(title));
	buf_printf(out, "</text>\n<text id=\"reset\" class=\"b\" x=\"%.0f\" y=\"24\">reset zoom</text>\n"
			"<text id=\"search\" class=\"b\" x=\"%.0f\" y=\"24\" text-anchor=\"end\">search"
			"</text>\n<text id=\"found\" x=\"%.0f\" y=\"%u\" text-anchor=\"end\"></text>\n",
		MARGIN, WIDTH - MARGIN, WIDTH - MARGIN, height - 10);
	draw(f, out, &f->all, at);
	buf_puts(out, script);
	buf_puts(out, "</svg>\n");
}
