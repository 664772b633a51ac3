/*
 * Go's package net/url.
 */
#include "url.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"

#define BAD_ESCAPE "invalid URL escape " WITHHELD
#define BAD_HOST   "invalid character " WITHHELD " in host name"
#define BAD_PORT   "invalid port " WITHHELD " after host"
#define ADDR_MAX   64

/* What need not be escaped, besides letters, digits and -_.~ */
static const char in_host[] = "!\"$&'()*+,:;<=>[]";
static const char in_path[] = "$&+,/:;=@";
static const char in_user[] = "$&+,;=";
static const char in_fragment[] = "!$&()*+,/:;=?@";
static const char in_userinfo[] = "-._:~!$&'()*+,;=%@";

enum where { HOST, ZONE, PATH, USER, FRAGMENT };

static const char *const allowed[] = {
	[HOST] = in_host,
	[ZONE] = in_host,
	[PATH] = in_path,
	[USER] = in_user,
	[FRAGMENT] = in_fragment,
};

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static bool
must_escape(char c, enum where where)
{
	return !is_alpha(c) && !is_digit(c) && !is_one_of(c, "-_.~") &&
	    !is_one_of(c, allowed[where]);
}

static int
hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that %XX at the front of s means; -1: no such escape. */
static int
escaped_byte(struct str s)
{
	int high, low;

	if (s.len < 3)
		return -1;
	high = hex_digit(s.p[1]);
	low = hex_digit(s.p[2]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* NULL, or what is wrong with the front of s. */
static const char *
check_front(struct str s, enum where where)
{
	int byte;

	if (s.p[0] != '%') {
		if ((where == HOST || where == ZONE) &&
		    (unsigned char)s.p[0] < 0x80 && must_escape(s.p[0], where))
			return BAD_HOST;
		return NULL;
	}
	byte = escaped_byte(s);
	if (byte < 0)
		return BAD_ESCAPE;
	/* In a host only what is no ASCII may be escaped, and the % before a
	 * zone. */
	if (where == HOST && byte < 0x80 && byte != '%')
		return BAD_ESCAPE;
	if (where == ZONE && byte != '%' && byte != ' ' &&
	    must_escape((char)byte, HOST))
		return BAD_ESCAPE;
	return NULL;
}

static int
unescape(struct env *e, struct str s, enum where where, struct str *ret,
    const char **why)
{
	struct value v;
	struct text t;

	*why = NULL;
	text_init(&t, e);
	while (s.len > 0 && !t.failed) {
		bool escaped = s.p[0] == '%';
		char c = s.p[0];

		*why = check_front(s, where);
		if (*why != NULL)
			return -1;
		if (escaped)
			c = (char)escaped_byte(s);
		text_putc(&t, c);
		s = str_slice(s, escaped ? 3 : 1, s.len);
	}
	if (text_done(&t, &v) < 0)
		return -1;
	*ret = str_of(&v);
	return 0;
}

static void
put_escaped(struct text *out, struct str s, enum where where)
{
	for (size_t i = 0; i < s.len && !out->failed; i++) {
		if (must_escape(s.p[i], where))
			text_printf(out, "%%%02X", (unsigned char)s.p[i]);
		else
			text_putc(out, s.p[i]);
	}
}

static int
fail(const char **why, const char *text)
{
	*why = text;
	return -1;
}

/* Cuts at the first c: what is before it; *rest is what is behind it. */
static struct str
cut(struct str s, char c, struct str *rest)
{
	size_t at = str_find_char(s, c);

	if (at == STR_NONE) {
		*rest = str_slice(s, s.len, s.len);
		return s;
	}
	*rest = str_slice(s, at + 1, s.len);
	return str_slice(s, 0, at);
}

static int
parse_scheme(struct env *e, struct str s, struct url *u, struct str *rest,
    const char **why)
{
	size_t i = 0;
	char *lower;

	*rest = s;
	while (i < s.len && s.p[i] != ':') {
		if (!is_alpha(s.p[i]) &&
		    (i == 0 ||
			(!is_digit(s.p[i]) && !is_one_of(s.p[i], "+-."))))
			return 0;
		i++;
	}
	if (i == s.len)
		return 0;
	if (i == 0)
		return fail(why, "missing protocol scheme");
	lower = env_strndup(e, s.p, i);
	if (lower == NULL)
		return fail(why, NULL);
	for (size_t k = 0; k < i; k++) {
		if (s.p[k] >= 'A' && s.p[k] <= 'Z')
			lower[k] = (char)(s.p[k] | 0x20);
	}
	u->scheme = (struct str) { lower, i };
	*rest = str_slice(s, i + 1, s.len);
	return 0;
}

/* "", ":" or ":80" */
static bool
is_port(struct str s)
{
	if (s.len > 0 && s.p[0] != ':')
		return false;
	for (size_t i = 1; i < s.len; i++) {
		if (!is_digit(s.p[i]))
			return false;
	}
	return true;
}

/* An IPv6 address, perhaps with a zone, as netip.ParseAddr takes it. */
static int
check_address(struct str s, const char **why)
{
	unsigned char addr[sizeof(struct in6_addr)];
	char text[ADDR_MAX];
	size_t colon = str_find_char(s, ':'), dot = str_find_char(s, '.');
	size_t zone = str_find_char(s, '%');
	bool is_v4 = dot < colon && dot < zone;
	bool valid;

	if (zone != STR_NONE && !is_v4) {
		if (zone + 1 == s.len || zone < colon)
			return fail(why, "invalid host: " WITHHELD);
		s = str_slice(s, 0, zone);
	}
	valid = s.len < sizeof(text) && str_find_char(s, '\0') == STR_NONE;
	if (valid) {
		memset(text, 0, sizeof(text));
		memcpy(text, s.p, s.len);
		valid = inet_pton(is_v4 ? AF_INET : AF_INET6, text, addr) == 1;
		mem_wipe(text, sizeof(text));
	}
	if (!valid)
		return fail(why, "invalid host: " WITHHELD);
	return is_v4 ? fail(why, "invalid IP-literal") : 0;
}

/* What is between the brackets. */
static int
unescape_literal(struct env *e, struct str s, struct str *ret, const char **why)
{
	size_t zone = str_find(s, 0, str_c("%25"));
	struct str host, rest;
	struct value v;
	struct text t;

	if (zone == STR_NONE)
		return unescape(e, s, HOST, ret, why);
	if (unescape(e, str_slice(s, 0, zone), HOST, &host, why) < 0 ||
	    unescape(e, str_slice(s, zone, s.len), ZONE, &rest, why) < 0)
		return -1;
	text_init(&t, e);
	text_append(&t, host.p, host.len);
	text_append(&t, rest.p, rest.len);
	if (text_done(&t, &v) < 0)
		return fail(why, NULL);
	*ret = str_of(&v);
	return 0;
}

/* [address]:port */
static int
parse_literal(struct env *e, struct str s, struct str *ret, const char **why)
{
	size_t close = str_rfind(s, ']');
	struct str host, port;
	struct value v;
	struct text t;

	if (close == STR_NONE)
		return fail(why, "missing ']' in host");
	if (!is_port(str_slice(s, close + 1, s.len)))
		return fail(why, BAD_PORT);
	if (unescape(e, str_slice(s, close + 1, s.len), HOST, &port, why) < 0 ||
	    unescape_literal(e, str_slice(s, 1, close), &host, why) < 0 ||
	    check_address(host, why) < 0)
		return -1;
	text_init(&t, e);
	text_putc(&t, '[');
	text_append(&t, host.p, host.len);
	text_putc(&t, ']');
	text_append(&t, port.p, port.len);
	if (text_done(&t, &v) < 0)
		return fail(why, NULL);
	*ret = str_of(&v);
	return 0;
}

static int
parse_host(struct env *e, struct str scheme, struct str s, struct str *ret,
    const char **why)
{
	size_t bracket = str_rfind(s, '['), colon = str_find_char(s, ':');

	if (bracket != STR_NONE && bracket > 0)
		return fail(why, "invalid IP-literal");
	if (bracket == 0)
		return parse_literal(e, s, ret, why);
	if (colon != STR_NONE) {
		/* Other schemes than these may have several colons. */
		if (!str_eq(scheme, str_c("http")) &&
		    !str_eq(scheme, str_c("https")))
			colon = str_rfind(s, ':');
		if (!is_port(str_slice(s, colon, s.len)))
			return fail(why, BAD_PORT);
	}
	return unescape(e, s, HOST, ret, why);
}

static int
parse_user(struct env *e, struct str s, struct url *u, const char **why)
{
	struct str user, password;

	for (size_t i = 0; i < s.len; i++) {
		if (!is_alpha(s.p[i]) && !is_digit(s.p[i]) &&
		    !is_one_of(s.p[i], in_userinfo))
			return fail(why, "net/url: invalid userinfo");
	}
	u->has_user = true;
	u->has_password = str_find_char(s, ':') != STR_NONE;
	user = cut(s, ':', &password);
	if (unescape(e, user, USER, &u->user, why) < 0)
		return -1;
	return unescape(e, password, USER, &u->password, why);
}

static int
parse_authority(struct env *e, struct str s, struct url *u, const char **why)
{
	size_t at = str_rfind(s, '@');
	struct str host = at == STR_NONE ? s : str_slice(s, at + 1, s.len);

	if (parse_host(e, u->scheme, host, &u->host, why) < 0)
		return -1;
	if (at == STR_NONE)
		return 0;
	return parse_user(e, str_slice(s, 0, at), u, why);
}

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7F)
			return true;
	}
	return false;
}

/* Everything but the fragment. */
static int
parse(struct env *e, struct str s, struct url *u, const char **why)
{
	struct str rest, segment, behind;
	size_t slash;

	if (has_control(s))
		return fail(why, "net/url: invalid control character in URL");
	if (str_eq(s, str_c("*"))) {
		u->path = s;
		return 0;
	}
	if (parse_scheme(e, s, u, &rest, why) < 0)
		return -1;
	rest = cut(rest, '?', &u->query);
	if (!str_has_prefix(rest, str_c("/"))) {
		if (u->scheme.len > 0) {
			u->opaque = rest;
			return 0;
		}
		segment = cut(rest, '/', &behind);
		if (str_find_char(segment, ':') != STR_NONE)
			return fail(why,
			    "first path segment in URL cannot contain colon");
	}
	if (str_has_prefix(rest, str_c("//")) &&
	    (u->scheme.len > 0 || !str_has_prefix(rest, str_c("///")))) {
		rest = str_slice(rest, 2, rest.len);
		slash = str_find_char(rest, '/');
		if (slash == STR_NONE)
			slash = rest.len;
		if (parse_authority(e, str_slice(rest, 0, slash), u, why) < 0)
			return -1;
		rest = str_slice(rest, slash, rest.len);
	}
	return unescape(e, rest, PATH, &u->path, why);
}

int
url_parse(struct env *e, struct str s, struct url *ret, const char **why)
{
	struct str fragment;

	*why = NULL;
	*ret = (struct url) { 0 };
	if (parse(e, cut(s, '#', &fragment), ret, why) < 0)
		return -1;
	return unescape(e, fragment, FRAGMENT, &ret->fragment, why);
}

struct str
url_hostname(const struct url *u)
{
	struct str s = u->host;
	size_t colon = str_rfind(s, ':');

	if (colon != STR_NONE && is_port(str_slice(s, colon, s.len)))
		s.len = colon;
	if (s.len >= 2 && s.p[0] == '[' && s.p[s.len - 1] == ']')
		s = str_slice(s, 1, s.len - 1);
	return s;
}

void
url_put_user(struct text *out, const struct url *u)
{
	put_escaped(out, u->user, USER);
	if (!u->has_password)
		return;
	text_putc(out, ':');
	put_escaped(out, u->password, USER);
}

static void
put_authority(struct text *out, const struct url *u)
{
	if (u->host.len == 0 && !u->has_user &&
	    (u->scheme.len == 0 || u->path.len == 0))
		return;
	text_puts(out, "//");
	if (u->has_user) {
		url_put_user(out, u);
		text_putc(out, '@');
	}
	put_escaped(out, u->host, HOST);
}

static void
put_path(struct text *out, const struct url *u)
{
	struct str rest, path = u->path;

	if (path.len > 0 && path.p[0] != '/' && u->host.len > 0)
		text_putc(out, '/');
	/* Else the first segment would look like a scheme. */
	if (out->len == 0 &&
	    str_find_char(cut(path, '/', &rest), ':') != STR_NONE)
		text_puts(out, "./");
	if (str_eq(path, str_c("*")))
		text_putc(out, '*');
	else
		put_escaped(out, path, PATH);
}

void
url_put(struct text *out, const struct url *u)
{
	if (u->scheme.len > 0) {
		text_append(out, u->scheme.p, u->scheme.len);
		text_putc(out, ':');
	}
	if (u->opaque.len > 0) {
		text_append(out, u->opaque.p, u->opaque.len);
	} else {
		put_authority(out, u);
		put_path(out, u);
	}
	if (u->query.len > 0) {
		text_putc(out, '?');
		text_append(out, u->query.p, u->query.len);
	}
	if (u->fragment.len > 0) {
		text_putc(out, '#');
		put_escaped(out, u->fragment, FRAGMENT);
	}
}
