/*
 * A blocking connection, plain or TLS, whose outgoing bytes can be shaped:
 * cut after so many bytes, or sent one byte at a time.
 */
#ifndef APISERVER_NET_H
#define APISERVER_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct conn;

/* Listens on HOST:PORT; the port really bound is returned in *port. */
int net_listen(const char *addr, uint16_t *port, char **why);

/* Certificate and key may be NULL (plain). NULL: the handshake failed. */
struct conn *conn_accept(int fd, const char *cert, const char *key);
void conn_free(struct conn *c);

ssize_t conn_read(struct conn *c, void *buf, size_t len);
int conn_write(struct conn *c, const void *data, size_t len);
bool conn_broken(const struct conn *c);
bool conn_peer_gone(struct conn *c); /* never blocks */

/* Shaping, in force until conn_shape_reset(). */
void conn_cut_after(struct conn *c, uint64_t bytes, bool reset);
void conn_slow(struct conn *c, unsigned delay_us);
void conn_shape_reset(struct conn *c);
void conn_abort(struct conn *c); /* no farewell at all */

#endif
