/*
 * Syntax of names. See base/dns.h.
 */
#include "base/dns.h"

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
is_label(const char *s, size_t len, size_t max)
{
	if (len == 0 || len > max || !is_alnum(s[0]) || !is_alnum(s[len - 1]))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(s[i]) && s[i] != '-')
			return false;
	return true;
}

bool
dns_is_label(const char *s, size_t len)
{
	return is_label(s, len, DNS_LABEL_MAX);
}

bool
dns_is_subdomain(const char *s, size_t len, size_t label_max)
{
	size_t start = 0;

	if (len > DNS_SUBDOMAIN_MAX)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && s[i] != '.')
			continue;
		if (!is_label(s + start, i - start, label_max))
			return false;
		start = i + 1;
	}
	return true;
}
