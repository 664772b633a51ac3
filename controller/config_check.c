/*
 * Checks of the values whose syntax Kubernetes or X.509 fixes.
 */
#include "config_check.h"

#include <stddef.h>
#include <string.h>

#include "base/dns.h"

/* Limits of Kubernetes' label and annotation syntax. */
#define KEY_NAME_MAX 63
#define VALUE_MAX    63
/* All annotations of one object together. */
#define ANNOTATIONS_MAX (256 * 1024)

#define LOWER		"abcdefghijklmnopqrstuvwxyz"
#define UPPER		"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS		"0123456789"

/* A part of a text, not NUL-terminated. */
struct span {
	const char *p;
	size_t len;
};

static bool
refuse(struct err *why, const char *text)
{
	(void)err_set(why, ERR_INVALID, "%s", text);
	return false;
}

static bool
only(struct span s, const char *set)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == '\0' || strchr(set, s.p[i]) == NULL)
			return false;
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blanks(struct span *s)
{
	for (; s->len > 0 && is_blank(s->p[0]); s->p++, s->len--)
		;
}

/* Characters of inner everywhere, of ends at both ends; not empty. */
static bool
shaped(struct span s, const char *ends, const char *inner)
{
	return s.len > 0 && only(s, inner) &&
	    only((struct span) { s.p, 1 }, ends) &&
	    only((struct span) { s.p + s.len - 1, 1 }, ends);
}

static struct span
cut(struct span *rest, char at)
{
	const char *end = rest->len > 0 ? memchr(rest->p, at, rest->len) : NULL;
	struct span head = *rest;

	if (end == NULL) {
		*rest = (struct span) { rest->p + rest->len, 0 };
		return head;
	}
	head.len = (size_t)(end - rest->p);
	*rest = (struct span) { end + 1, rest->len - head.len - 1 };
	return head;
}

static bool
is_qualified_part(struct span s, size_t max)
{
	return s.len <= max &&
	    shaped(s, LOWER UPPER DIGITS, LOWER UPPER DIGITS "-_.");
}

static bool
is_key(struct span s)
{
	struct span name = s, prefix;

	if (s.len == 0 || memchr(s.p, '/', s.len) == NULL)
		return is_qualified_part(name, KEY_NAME_MAX);
	prefix = cut(&name, '/');
	return dns_is_subdomain(prefix.p, prefix.len, DNS_LABEL_MAX) &&
	    is_qualified_part(name, KEY_NAME_MAX);
}

static bool
is_label_value(struct span s)
{
	return s.len == 0 || is_qualified_part(s, VALUE_MAX);
}

static bool
any_value(struct span s)
{
	(void)s;
	return true;
}

static bool
check_list(const char *s, bool (*value_ok)(struct span), struct err *why)
{
	struct span rest = { s, strlen(s) };

	while (rest.len > 0) {
		struct span value = cut(&rest, ','), key;

		if (value.len == 0)
			continue;
		if (memchr(value.p, '=', value.len) == NULL)
			return refuse(why, "an element without \"=\"");
		key = cut(&value, '=');
		if (!is_key(key))
			return refuse(why, "an element with an invalid key");
		if (!value_ok(value))
			return refuse(why, "an element with an invalid value");
	}
	return true;
}

bool
config_check_labels(const char *s, struct err *why)
{
	return check_list(s, is_label_value, why);
}

bool
config_check_annotations(const char *s, struct err *why)
{
	if (strlen(s) > ANNOTATIONS_MAX)
		return refuse(why, "longer than 256 KiB");
	return check_list(s, any_value, why);
}

bool
config_check_namespaces(const char *s, struct err *why)
{
	struct span rest = { s, strlen(s) };

	while (rest.len > 0) {
		struct span name = cut(&rest, ',');

		skip_blanks(&name);
		while (name.len > 0 && is_blank(name.p[name.len - 1]))
			name.len--;
		if (name.len > 0 && !dns_is_label(name.p, name.len))
			return refuse(why, "not a name of a namespace");
	}
	return true;
}

/* ---- label selectors ---- */

/* Up to a blank or an operator; may be empty. */
static struct span
take_word(struct span *rest)
{
	struct span word = { rest->p, 0 };

	skip_blanks(rest);
	word.p = rest->p;
	while (word.len < rest->len && !is_blank(word.p[word.len]) &&
	    strchr(",()=!<>", word.p[word.len]) == NULL)
		word.len++;
	*rest = (struct span) { rest->p + word.len, rest->len - word.len };
	skip_blanks(rest);
	return word;
}

static bool
take(struct span *rest, const char *token)
{
	size_t n = strlen(token);

	if (rest->len < n || memcmp(rest->p, token, n) != 0)
		return false;
	*rest = (struct span) { rest->p + n, rest->len - n };
	return true;
}

static bool
is_word(struct span s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.p, word, s.len) == 0;
}

static bool
take_set(struct span *rest)
{
	if (!take(rest, "("))
		return false;
	do {
		if (!is_label_value(take_word(rest)))
			return false;
	} while (take(rest, ","));
	return take(rest, ")");
}

static bool
take_requirement(struct span *rest)
{
	struct span word;
	bool absent;

	skip_blanks(rest);
	absent = take(rest, "!");
	if (!is_key(take_word(rest)))
		return false;
	if (absent || rest->len == 0 || rest->p[0] == ',')
		return true;
	if (take(rest, "==") || take(rest, "!=") || take(rest, "="))
		return is_label_value(take_word(rest));
	if (take(rest, "<") || take(rest, ">")) {
		word = take_word(rest);
		return word.len > 0 && only(word, DIGITS);
	}
	word = take_word(rest);
	return (is_word(word, "in") || is_word(word, "notin")) &&
	    take_set(rest);
}

bool
config_check_selector(const char *s, struct err *why)
{
	struct span rest = { s, strlen(s) };

	skip_blanks(&rest);
	if (rest.len == 0)
		return true;
	if (rest.len > CONFIG_CHECK_SELECTOR_MAX)
		return refuse(why, "longer than 1024 bytes");
	do {
		if (!take_requirement(&rest))
			return refuse(why, "not a label selector");
		skip_blanks(&rest);
	} while (take(&rest, ","));
	return rest.len == 0 || refuse(why, "not a label selector");
}

bool
config_check_object_name(const char *s, struct err *why UNUSED)
{
	return dns_is_subdomain(s, strlen(s), DNS_LABEL_MAX);
}

bool
config_check_key_prefix(const char *s, struct err *why)
{
	size_t len = strlen(s), valid = strspn(s, LOWER DIGITS "-");

	if (len == 0)
		return refuse(why, "name is empty");
	if (len > CONFIG_CHECK_PREFIX_MAX) {
		(void)err_set(why, ERR_INVALID,
		    "name is too long, must be shorter than %d, got %zu",
		    CONFIG_CHECK_PREFIX_MAX, len);
		return false;
	}
	if (s[valid] > ' ' && s[valid] < 0x7f) {
		(void)err_set(why, ERR_INVALID,
		    "name contains illegal character %c", s[valid]);
		return false;
	}
	if (valid != len) {
		(void)err_set(why, ERR_INVALID,
		    "name contains illegal character 0x%02x",
		    (unsigned)(unsigned char)s[valid]);
		return false;
	}
	if (s[0] == '-')
		return refuse(why, "name begins with -");
	return true;
}

bool
config_check_common_name(const char *s, struct err *why)
{
	if (strlen(s) > CONFIG_CHECK_CN_MAX)
		return refuse(why, "too long");
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			return refuse(why, "control character");
	return true;
}
