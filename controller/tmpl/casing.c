/*
 * Letter case.
 */
#include "casing.h"

#include "unicode.h"
#include "utf8.h"

/* xstrings counts these ideographs as no letters. */
#define CJK_COMMON_FIRST   0x4E00U
#define CJK_COMMON_LAST	   0x9FCCU
#define CJK_RARE_FIRST	   0x3400U
#define CJK_RARE_LAST	   0x4D85U
#define CJK_HISTORIC_FIRST 0x20000U
#define CJK_HISTORIC_LAST  0x2B81DU

/* Takes one rune off the front. */
static uint32_t
next_rune(struct str *s)
{
	uint32_t r;
	size_t w = utf8_decode(s->p, s->len, &r);

	*s = str_slice(*s, w, s->len);
	return r;
}

static void
map_runes(struct text *out, struct str s, uint32_t (*map)(uint32_t r))
{
	while (s.len > 0 && !out->failed)
		text_putrune(out, map(next_rune(&s)));
}

void
casing_upper(struct text *out, struct str s)
{
	map_runes(out, s, unicode_to_upper);
}

void
casing_lower(struct text *out, struct str s)
{
	map_runes(out, s, unicode_to_lower);
}

/* Between words, for strings.Title. */
static bool
is_separator(uint32_t r)
{
	if (r < 0x80)
		return !unicode_is_letter(r) && !unicode_is_digit(r) &&
		    r != '_';
	if (unicode_is_letter(r) || unicode_is_digit(r))
		return false;
	return unicode_is_space(r);
}

void
casing_title(struct text *out, struct str s)
{
	uint32_t prev = ' ';

	while (s.len > 0 && !out->failed) {
		uint32_t r = next_rune(&s);

		text_putrune(out, is_separator(prev) ? unicode_to_title(r) : r);
		prev = r;
	}
}

void
casing_untitle(struct text *out, struct str s)
{
	bool at_start = true;

	while (s.len > 0 && !out->failed) {
		uint32_t r = next_rune(&s);

		if (unicode_is_space(r)) {
			at_start = true;
		} else if (at_start) {
			r = unicode_to_lower(r);
			at_start = false;
		}
		text_putrune(out, r);
	}
}

void
casing_swap(struct text *out, struct str s)
{
	bool at_start = true;

	while (s.len > 0 && !out->failed) {
		uint32_t r = next_rune(&s);

		if (unicode_is_upper(r) || unicode_is_title(r)) {
			r = unicode_to_lower(r);
			at_start = false;
		} else if (unicode_is_lower(r)) {
			r = at_start ? unicode_to_title(r)
				     : unicode_to_upper(r);
			at_start = false;
		} else {
			at_start = unicode_is_space(r);
		}
		text_putrune(out, r);
	}
}

static bool
is_connector(uint32_t r)
{
	return r == '-' || r == '_' || unicode_is_space(r);
}

/* Copies leading connectors; the first rune behind them (upper case), or the
 * last of them where nothing follows. */
static uint32_t
pascal_start(struct text *out, struct str *s, bool *lowering)
{
	uint32_t r = 0;

	while (s->len > 0) {
		r = next_rune(s);
		if (!is_connector(r)) {
			*lowering = unicode_is_upper(r);
			return unicode_to_upper(r);
		}
		text_putrune(out, r);
	}
	return r;
}

void
casing_pascal(struct text *out, struct str s)
{
	bool lowering = false;
	uint32_t r, prev;

	if (s.len == 0)
		return;
	r = pascal_start(out, &s, &lowering);
	while (s.len > 0 && !out->failed) {
		prev = r;
		r = next_rune(&s);
		if (is_connector(r) && is_connector(prev)) {
			text_putrune(out, prev);
			continue;
		}
		if (is_connector(prev)) {
			lowering = unicode_is_upper(r);
			r = unicode_to_upper(r);
			continue;
		}
		if (lowering) {
			if (unicode_is_upper(r))
				r = unicode_to_lower(r);
			else
				lowering = false;
		}
		text_putrune(out, prev);
	}
	text_putrune(out, r);
}

enum word {
	WORD_INVALID, /* the end, or nothing but invalid bytes */
	WORD_NUMBER,
	WORD_UPPER,
	WORD_ALPHABET,
	WORD_CONNECTOR,
	WORD_PUNCT,
	WORD_OTHER
};

static bool
is_alphabet(uint32_t r)
{
	if (!unicode_is_letter(r))
		return false;
	return !(r >= CJK_COMMON_FIRST && r <= CJK_COMMON_LAST) &&
	    !(r >= CJK_RARE_FIRST && r <= CJK_RARE_LAST) &&
	    !(r >= CJK_HISTORIC_FIRST && r <= CJK_HISTORIC_LAST);
}

static bool
is_alphabet_not_upper(uint32_t r)
{
	return is_alphabet(r) && !unicode_is_upper(r);
}

static bool
is_other(uint32_t r)
{
	return !is_connector(r) && !is_alphabet(r) && !unicode_is_number(r) &&
	    !unicode_is_punct(r);
}

/* The first rune at or behind at that is no U+FFFD, and the width with what
 * was passed over; prev where there is none. */
static size_t
valid_rune(struct str s, size_t at, uint32_t prev, uint32_t *r)
{
	size_t from = at;

	while (at < s.len) {
		at += utf8_decode(s.p + at, s.len - at, r);
		if (*r != UTF8_ERROR)
			return at - from;
	}
	*r = prev;
	return at - from;
}

/* The end of the run of runes of a class that begins before at; *last is the
 * rune that ended it (or the last one), *width that of the last one in it. */
static size_t
run_end(struct str s, size_t at, bool (*in_class)(uint32_t r), uint32_t *last,
    size_t *width)
{
	while (at < s.len) {
		size_t w = valid_rune(s, at, *last, last);

		if (!in_class(*last))
			return at;
		*width = w;
		at += w;
	}
	return at;
}

/* A word that begins with an upper-case rune r of at bytes. */
static size_t
upper_end(struct str s, size_t at, uint32_t r)
{
	size_t w, width, end;

	if (at == s.len)
		return at;
	w = valid_rune(s, at, r, &r);
	width = w;
	if (unicode_is_upper(r)) {
		end = run_end(s, at + w, unicode_is_upper, &r, &width);
		/* HTTPServer: the last capital begins the next word. */
		if (end < s.len && is_alphabet(r))
			end -= width;
		return end;
	}
	if (is_alphabet(r))
		return run_end(s, at + w, is_alphabet_not_upper, &r, &width);
	return at;
}

/* Takes one word off the front of *s. */
static enum word
next_word(struct str *s, struct str *word)
{
	enum word type;
	uint32_t r;
	size_t at, width;

	*word = str_slice(*s, 0, 0);
	if (s->len == 0)
		return WORD_INVALID;
	at = valid_rune(*s, 0, UTF8_ERROR, &r);
	if (r == UTF8_ERROR) {
		type = WORD_INVALID;
	} else if (is_connector(r)) {
		type = WORD_CONNECTOR;
		at = run_end(*s, at, is_connector, &r, &width);
	} else if (unicode_is_punct(r)) {
		type = WORD_PUNCT;
		at = run_end(*s, at, unicode_is_punct, &r, &width);
	} else if (unicode_is_upper(r)) {
		type = WORD_UPPER;
		at = upper_end(*s, at, r);
	} else if (is_alphabet(r)) {
		type = WORD_ALPHABET;
		at = run_end(*s, at, is_alphabet_not_upper, &r, &width);
	} else if (unicode_is_number(r)) {
		type = WORD_NUMBER;
		at = run_end(*s, at, unicode_is_number, &r, &width);
	} else {
		type = WORD_OTHER;
		at = run_end(*s, at, is_other, &r, &width);
	}
	*word = str_slice(*s, 0, at);
	*s = str_slice(*s, at, s->len);
	return type;
}

/* Writes words; one is read ahead. */
struct wording {
	struct text *out;
	char connector;
	struct str rest;
	enum word type;
	struct str word;
};

static void
wording_put(struct wording *w, enum word type, struct str word)
{
	if (type != WORD_UPPER && type != WORD_CONNECTOR) {
		text_append(w->out, word.p, word.len);
		return;
	}
	while (word.len > 0 && !w->out->failed) {
		uint32_t r = next_rune(&word);

		if (is_connector(r))
			text_putc(w->out, w->connector);
		else
			text_putrune(w->out,
			    unicode_is_upper(r) ? unicode_to_lower(r) : r);
	}
}

static void
wording_next(struct wording *w)
{
	w->type = next_word(&w->rest, &w->word);
}

/* Lower-case words and numbers belong to a number before them. */
static void
wording_number_tail(struct wording *w)
{
	while ((w->type == WORD_ALPHABET || w->type == WORD_NUMBER) &&
	    !w->out->failed) {
		wording_put(w, w->type, w->word);
		wording_next(w);
	}
	if (w->type != WORD_INVALID && w->type != WORD_CONNECTOR &&
	    w->type != WORD_PUNCT)
		text_putc(w->out, w->connector);
}

/* Between a word of letters (or other) and what follows. */
static void
wording_join(struct wording *w)
{
	struct str number = w->word;

	if (w->type != WORD_NUMBER) {
		if (w->type != WORD_CONNECTOR && w->type != WORD_PUNCT)
			text_putc(w->out, w->connector);
		return;
	}
	if (w->rest.len == 0)
		return;
	wording_next(w);
	if (w->type == WORD_ALPHABET) {
		/* http2xx: the number and the letters make a word. */
		text_putc(w->out, w->connector);
		wording_put(w, WORD_NUMBER, number);
		wording_number_tail(w);
		return;
	}
	/* Bld4Floor: the number belongs to the word before it. */
	wording_put(w, WORD_NUMBER, number);
	if (w->type != WORD_CONNECTOR && w->type != WORD_PUNCT)
		text_putc(w->out, w->connector);
}

void
casing_connected(struct text *out, struct str s, char connector)
{
	struct wording w = { out, connector, s, WORD_INVALID, { 0 } };

	if (s.len == 0)
		return;
	wording_next(&w);
	while (w.rest.len > 0 && !out->failed) {
		enum word prev = w.type;

		wording_put(&w, w.type, w.word);
		wording_next(&w);
		if (prev == WORD_NUMBER)
			wording_number_tail(&w);
		else if (prev != WORD_CONNECTOR && prev != WORD_PUNCT)
			wording_join(&w);
	}
	wording_put(&w, w.type, w.word);
}
