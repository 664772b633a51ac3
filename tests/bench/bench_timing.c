/*
 * Does the time that /v1/verify takes tell why an item does not open? Sends
 * items of four kinds in random order over one connection and compares the
 * times: one that opens, one sealed for another name (wrong OAEP label), one
 * whose RSA part was changed (bad padding), one whose tag was changed.
 *
 *	bench_timing ADDRESS PORT CERT SAMPLES
 *
 * Prints for each kind its median in microseconds, then for each two kinds the
 * difference of the medians, its bootstrap interval of 95 %, and Welch's t of
 * the times below the 90th percentile of all.
 */
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/codec.h"
#include "base/mem.h"
#include "keystore/seal.h"
#include "objects.h"
#include "tool.h"

#define KINDS	 4
#define VARIANTS 32 /* of each kind, so that no single number decides */
#define WARM_UP	 200
#define ROUNDS	 1000 /* of the bootstrap */
#define KEPT	 0.9
#define LABEL	 "timing/object"
#define OTHER	 "timing/others" /* of the same length */

enum kind { VALID, WRONG_LABEL, BAD_PADDING, BAD_TAG };

static const char *const names[KINDS] = { "valid", "wrong label", "bad padding",
	"bad tag" };

struct samples {
	double *v; /* microseconds */
	size_t n;
};

struct campaign {
	int fd;
	struct buf requests[KINDS][VARIANTS];
	struct samples kinds[KINDS];
};

/* ---- chance: quality is of no importance, speed is ---- */

static uint64_t seed;

static uint64_t
draw(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* ---- requests ---- */

static void
spoil(enum kind kind, struct buf *blob)
{
	if (kind == BAD_PADDING) /* the low end: it stays below the modulus */
		blob->data[2 + 500] ^= (char)(1 + draw() % 255);
	if (kind == BAD_TAG)
		blob->data[blob->len - 1] ^= (char)(1 + draw() % 255);
}

static void
make_request(const char *cert, enum kind kind, struct buf *out)
{
	AUTO_RELEASE(buf) struct buf blob = BUF_INIT(SEAL_BLOB_MAX);
	AUTO_RELEASE(buf) struct buf text = BUF_INIT(OBJECTS_MAX);
	AUTO_RELEASE(buf) struct buf body = BUF_INIT(OBJECTS_MAX);
	const char *label = kind == WRONG_LABEL ? OTHER : LABEL;
	struct err err = ERR_INIT;

	if (seal_encrypt_cert(
		cert, label, strlen(label), "plaintext", 9, &blob, &err) < 0)
		tool_die("%s", err.msg);
	spoil(kind, &blob);
	if (base64_encode(blob.data, blob.len, &text, &err) < 0)
		tool_die("%s", err.msg);
	buf_printf(&body,
	    "{\"apiVersion\":\"bitnami.com/v1alpha1\",\"kind\":"
	    "\"SealedSecret\",\"metadata\":{\"name\":\"object\","
	    "\"namespace\":\"timing\"},\"spec\":{\"encryptedData\":"
	    "{\"item\":\"%s\"}}}",
	    buf_str(&text));
	buf_init(out, OBJECTS_MAX);
	buf_printf(out,
	    "POST /v1/verify HTTP/1.1\r\nHost: timing\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    body.len, buf_str(&body));
}

static void
make_requests(struct campaign *c, const char *cert)
{
	for (unsigned k = 0; k < KINDS; k++)
		for (unsigned i = 0; i < VARIANTS; i++)
			make_request(cert, (enum kind)k, &c->requests[k][i]);
}

/* ---- the connection ---- */

static int
connect_to(const char *host, const char *port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)tool_number(port)) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (inet_pton(AF_INET, host, &sa.sin_addr) != 1 ||
	    connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) < 0)
		tool_die("cannot connect to %s", host);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static double
now_us(void)
{
	return (double)clock_mono_ns(&clock_system) / 1e3;
}

/* Microseconds until the whole head is there; answers have no body. */
static double
ask(int fd, const struct buf *request, const char *want)
{
	char in[2048];
	size_t have = 0;
	double start = now_us();

	if (send(fd, request->data, request->len, MSG_NOSIGNAL) !=
	    (ssize_t)request->len)
		tool_die("the server takes no request");
	for (;;) {
		ssize_t n = recv(fd, in + have, sizeof(in) - 1 - have, 0);

		if (n <= 0)
			tool_die("the server closed the connection");
		have += (size_t)n;
		in[have] = '\0';
		if (strstr(in, "\r\n\r\n") != NULL)
			break;
	}
	if (strncmp(in, want, strlen(want)) != 0 ||
	    strcasestr(in, "content-length: 0\r\n") == NULL)
		tool_die("another answer than expected: %.40s", in);
	return now_us() - start;
}

static void
measure(struct campaign *c, size_t n)
{
	for (size_t i = 0; i < n + WARM_UP; i++) {
		unsigned k = (unsigned)(draw() % KINDS);
		double us = ask(c->fd, &c->requests[k][draw() % VARIANTS],
		    k == VALID ? "HTTP/1.1 200" : "HTTP/1.1 409");

		if (i >= WARM_UP)
			c->kinds[k].v[c->kinds[k].n++] = us;
	}
}

/* ---- statistics ---- */

static double
median(const double *v, size_t n, bool again, double *room)
{
	for (size_t i = 0; i < n; i++)
		room[i] = v[again ? draw() % n : i];
	return tool_percentile(room, n, 0.5);
}

/* The interval of the difference of medians. */
static void
bootstrap(
    const struct samples *a, const struct samples *b, double *low, double *high)
{
	double *room = xcalloc(a->n > b->n ? a->n : b->n, sizeof(*room));
	double *d = xcalloc(ROUNDS, sizeof(*d));

	for (size_t i = 0; i < ROUNDS; i++) {
		d[i] = median(a->v, a->n, true, room);
		d[i] -= median(b->v, b->n, true, room);
	}
	*low = tool_percentile(d, ROUNDS, 0.025);
	*high = tool_percentile(d, ROUNDS, 0.975);
	free(room);
	free(d);
}

struct moments {
	double n, mean, var;
};

static struct moments
moments_below(const struct samples *s, double limit)
{
	struct moments m = { 0, 0, 0 };
	double squares = 0;

	for (size_t i = 0; i < s->n; i++) {
		double delta = s->v[i] - m.mean;

		if (s->v[i] > limit)
			continue;
		m.n++;
		m.mean += delta / m.n;
		squares += delta * (s->v[i] - m.mean);
	}
	m.var = m.n > 1 ? squares / (m.n - 1) : 0;
	return m;
}

static double
welch(const struct samples *a, const struct samples *b, double limit)
{
	struct moments x = moments_below(a, limit);
	struct moments y = moments_below(b, limit);

	return (x.mean - y.mean) / sqrt(x.var / x.n + y.var / y.n);
}

static double
limit_of(const struct campaign *c, size_t n)
{
	double *all = xcalloc(n, sizeof(*all)), limit;
	size_t at = 0;

	for (unsigned k = 0; k < KINDS; k++) {
		memcpy(all + at, c->kinds[k].v, c->kinds[k].n * sizeof(*all));
		at += c->kinds[k].n;
	}
	limit = tool_percentile(all, n, KEPT);
	free(all);
	return limit;
}

static void
compare(const struct campaign *c, size_t n)
{
	double *room = xcalloc(n, sizeof(*room));
	double limit = limit_of(c, n), low, high, m[KINDS];

	for (unsigned k = 0; k < KINDS; k++) {
		m[k] = median(c->kinds[k].v, c->kinds[k].n, false, room);
		(void)printf("%s: %zu samples, median %.1f us\n", names[k],
		    c->kinds[k].n, m[k]);
	}
	for (unsigned a = 0; a < KINDS; a++)
		for (unsigned b = a + 1; b < KINDS; b++) {
			bootstrap(&c->kinds[a], &c->kinds[b], &low, &high);
			(void)printf(
			    "%s - %s: %.1f us [%.1f, %.1f], t = %.1f\n",
			    names[a], names[b], m[a] - m[b], low, high,
			    welch(&c->kinds[a], &c->kinds[b], limit));
		}
	free(room);
}

int
main(int argc, char *argv[])
{
	struct campaign *c = xcalloc(1, sizeof(*c));
	size_t n;

	mem_install_hooks();
	if (argc != 5) {
		(void)fprintf(
		    stderr, "usage: bench_timing ADDRESS PORT CERT SAMPLES\n");
		return 2;
	}
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		tool_die("no random numbers");
	seed |= 1;
	n = tool_number(argv[4]);
	for (unsigned k = 0; k < KINDS; k++)
		c->kinds[k].v = xcalloc(n, sizeof(double));
	make_requests(c, objects_certificate(argv[3]));
	c->fd = connect_to(argv[1], argv[2]);
	measure(c, n);
	compare(c, n);
	(void)close(c->fd);
	return 0;
}
