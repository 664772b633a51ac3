/*
 * The head of a request; see head.h.
 */
#include "head.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

/* IPv4 peers of a socket for both come as ::ffff:a.b.c.d. */
static void
put_peer6(const struct in6_addr *a, char out[static HEAD_PEER_MAX])
{
	if (IN6_IS_ADDR_V4MAPPED(a))
		(void)inet_ntop(AF_INET, &a->s6_addr[12], out, HEAD_PEER_MAX);
	else
		(void)inet_ntop(AF_INET6, a, out, HEAD_PEER_MAX);
}

static void
put_peer(struct MHD_Connection *mc, char out[static HEAD_PEER_MAX])
{
	const union MHD_ConnectionInfo *info =
	    MHD_get_connection_info(mc, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;

	(void)snprintf(out, HEAD_PEER_MAX, "unknown");
	if (info == NULL || info->client_addr == NULL)
		return;
	if (info->client_addr->sa_family == AF_INET) {
		memcpy(&in4, info->client_addr, sizeof(in4));
		(void)inet_ntop(AF_INET, &in4.sin_addr, out, HEAD_PEER_MAX);
	} else if (info->client_addr->sa_family == AF_INET6) {
		memcpy(&in6, info->client_addr, sizeof(in6));
		put_peer6(&in6.sin6_addr, out);
	}
}

static enum MHD_Result
take_arg(void *cls, enum MHD_ValueKind kind UNUSED, const char *name,
    const char *value)
{
	struct head *h = cls;
	struct head_arg *arg;

	if (value == NULL)
		value = "";
	if (h->nargs == HEAD_ARGS_MAX || strlen(name) >= HEAD_ARG_MAX ||
	    strlen(value) >= HEAD_ARG_MAX) {
		h->odd_args = true;
		return MHD_NO;
	}
	arg = &h->args[h->nargs++];
	(void)snprintf(arg->name, sizeof(arg->name), "%s", name);
	(void)snprintf(arg->value, sizeof(arg->value), "%s", value);
	return MHD_YES;
}

static enum MHD_Result
take_field(void *cls, enum MHD_ValueKind kind UNUSED, const char *name,
    size_t name_len, const char *value, size_t value_len)
{
	struct head *h = cls;

	if (name_len != strlen("Authorization") ||
	    strncasecmp(name, "Authorization", name_len) != 0)
		return MHD_YES;
	h->authorizations++;
	if (h->authorization == NULL && value != NULL)
		h->authorization = secret_from(value, value_len);
	return MHD_YES;
}

struct head *
head_new(struct MHD_Connection *mc, const char *method, bool credentials)
{
	struct head *h = xcalloc(1, sizeof(*h));
	const char *client =
	    MHD_lookup_connection_value(mc, MHD_HEADER_KIND, "X-Forwarded-For");

	(void)snprintf(h->method, sizeof(h->method), "%s", method);
	put_peer(mc, h->peer);
	h->forwarded_for = client != NULL ? client : "";
	(void)MHD_get_connection_values(mc, MHD_GET_ARGUMENT_KIND, take_arg, h);
	if (credentials)
		(void)MHD_get_connection_values_n(
		    mc, MHD_HEADER_KIND, take_field, h);
	return h;
}

void
head_free(struct head *h)
{
	if (h == NULL)
		return;
	secret_free(h->authorization);
	mem_free_wiped(h);
}
