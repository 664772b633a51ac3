/*
 * Syntax of names as RFC 1123 has it, in lower case: "a-1", "a-1.b.c".
 */
#ifndef BASE_DNS_H
#define BASE_DNS_H

#include <stdbool.h>
#include <stddef.h>

#define DNS_LABEL_MAX	  63
#define DNS_SUBDOMAIN_MAX 253

/* a-z, 0-9 and, but for both ends, "-"; 1 to DNS_LABEL_MAX bytes. */
bool dns_is_label(const char *s, size_t len);
/*
 * Such labels with a dot between them, DNS_SUBDOMAIN_MAX bytes in all. Not
 * everybody limits the labels, too: label_max is DNS_LABEL_MAX, or
 * DNS_SUBDOMAIN_MAX where only the whole has a limit.
 */
bool dns_is_subdomain(const char *s, size_t len, size_t label_max);

#endif
