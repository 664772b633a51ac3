/*
 * The whole program against tests/apiserver: both are started here, on ports
 * of 127.0.0.1 that they choose themselves, and stopped at the end.
 *
 * Environment: CONTROLLER and APISERVER, the two programs.
 */
#ifndef INTEGRATION_HARNESS_H
#define INTEGRATION_HARNESS_H

#include "lib/api.h"
#include "lib/control.h"
#include "lib/objects.h"
#include "lib/proc.h"
#include "lib/wait.h"

/* Long enough for anything that is not waiting for an outage to end. */
#define HARNESS_SOON_MS 20000
/* After an outage: the longest back-off is 30 s, plus jitter. */
#define HARNESS_LATE_MS 60000

struct harness {
	struct proc *server;
	struct api *api; /* to the API server */
	char *kubeconfig;
	char *token_file; /* named in the kubeconfig of a harness with tokens */
	char *state;
	char *address; /* of the API server */
	struct proc *controller;
	char *http; /* "http://127.0.0.1:PORT" of the controller */
	char *metrics;
	char *cert; /* served certificate, once harness_cert() was called */
};

/*
 * Starts the API server with the namespaces a, b and c beside the usual ones.
 * args: further words for it, ended by NULL; may be NULL.
 */
struct harness *harness_new(const char *const args[]);
/* What still runs must stop in order, with exit code 0 (a sanitizer's complaint
 * would be another one). Returns 0 if it does. */
int harness_end(struct harness *h);
void harness_free(struct harness *h); /* kills */

/* The same for tests whose state is a harness: the API server alone, or with a
 * controller that is ready and whose certificate is known; and the two ends. */
int harness_setup(void **state);
int harness_setup_ready(void **state);
int harness_teardown(void **state);
int harness_teardown_kill(void **state);

/* Another controller beside h->controller; args as above. Small keys, so
 * that a first key takes little time. */
struct proc *harness_spawn(struct harness *h, const char *const args[]);
/* Starts h->controller and waits for its ports. Fails the test otherwise. */
void harness_start(struct harness *h, const char *const args[]);
/* ... and until it is ready. */
void harness_start_ready(struct harness *h, const char *const args[]);
bool harness_wait_ready(struct harness *h, int64_t limit_ms);
void harness_kill(struct harness *h); /* SIGKILL h->controller */

/* SIGTERM to the API server, which saves its objects. */
void harness_stop_server(struct harness *h);
/* Starts it again on the same port with the same objects. */
void harness_resume_server(struct harness *h);

/* The certificate that is served, waiting for it. Borrowed. */
const char *harness_cert(struct harness *h);
/* The same of any controller; owned by the caller. */
char *harness_cert_of(struct harness *h, struct proc *controller);

/* What the controller's metrics say now; owned by the caller. */
char *harness_metrics(struct harness *h);
bool harness_metrics_hold(struct harness *h, const char *text);
bool harness_wait_metrics(struct harness *h, const char *text);

/* Creates a Secret or a SealedSecret as it stands. Fails the test when
 * refused. */
void harness_post(struct harness *h, json_t *obj);
/* Creates a SealedSecret of one item. */
void harness_create(
    struct harness *h, const char *ns, const char *name, const char *value);
/* Replaces its item by another value. */
void harness_change(
    struct harness *h, const char *ns, const char *name, const char *value);
/* The item's name. */
#define HARNESS_KEY "password"

/* The present object, or NULL; owned by the caller. */
json_t *harness_secret(struct harness *h, const char *ns, const char *name);
json_t *harness_sealed(struct harness *h, const char *ns, const char *name);

/* Until the Secret has this value. */
bool harness_wait_value(struct harness *h, const char *ns, const char *name,
    const char *value, int64_t limit_ms);
/* Until Synced is "True" or "False" for the present generation. */
bool harness_wait_synced(struct harness *h, const char *ns, const char *name,
    const char *status, int64_t limit_ms);
bool harness_wait_no_secret(
    struct harness *h, const char *ns, const char *name, int64_t limit_ms);
/* Events with this reason about the object, repetitions not counted. */
size_t harness_count_events(
    struct harness *h, const char *ns, const char *name, const char *reason);
/* Until an event with this reason exists for the object. */
bool harness_wait_event(struct harness *h, const char *ns, const char *name,
    const char *reason, int64_t limit_ms);
/* Until `count` SealedSecrets of the whole server are Synced. */
bool harness_wait_all_synced(struct harness *h, size_t count, int64_t limit_ms);

/* Key Secrets in kube-system that are labelled active. */
size_t harness_keys(struct harness *h);
bool harness_wait_keys(struct harness *h, size_t n, int64_t limit_ms);

/* Fails the test, showing the logs, unless what holds. */
#define harness_expect(h, what) \
	harness_check(h, what, #what, __FILE__, __LINE__)
void harness_check(struct harness *h, bool holds, const char *what,
    const char *file, int line);

#endif
