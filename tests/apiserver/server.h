/*
 * Accepting connections and serving them, a thread for each.
 */
#ifndef APISERVER_SERVER_H
#define APISERVER_SERVER_H

struct server_options {
	const char *tls_cert; /* NULL: plain HTTP */
	const char *tls_key;
	const char *user; /* the name that refusals mention */
};

/* Serves the listening socket in a thread of its own. */
void server_start(int listen_fd, const struct server_options *options);

#endif
