/*
 * What the API server, or a proxy in its place, says when it refuses: head
 * lines and body. Texts stay short and clean, waits bounded. Byte 0 is the
 * status, byte 1 how much of the rest is the head.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "controller/kube/target.h"
#include "fuzz.h"
#include "kube/client.h"

#define TEXT_MAX	560
#define RETRY_AFTER_MAX 3600

static void
check_error(const struct err *err)
{
	if (err->code == ERR_NONE || err->retry_after_s > RETRY_AFTER_MAX)
		abort();
	if (err->msg[0] == '\0' || strlen(err->msg) > TEXT_MAX)
		abort();
	for (const char *p = err->msg; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			abort();
}

static void
read_head(const char *p, size_t len, struct target_head *head)
{
	target_head_reset(head);
	while (len > 0) {
		const char *nl = memchr(p, '\n', len);
		size_t n = nl != NULL ? (size_t)(nl - p) + 1 : len;

		if (!target_head_line(head, p, n))
			break;
		p += n;
		len -= n;
	}
	if (head->retry_after_s < -1 || head->retry_after_s > RETRY_AFTER_MAX ||
	    head->status < 0 || head->status > 999)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_RELEASE(kube_response) struct kube_response resp = { 0 };
	AUTO_JSON json_t *v = NULL;
	struct err err = ERR_INIT;
	struct target_head head;
	size_t n;

	if (size < 2)
		return 0;
	n = data[1] < size - 2 ? data[1] : size - 2;
	read_head((const char *)data + 2, n, &head);
	buf_init(&resp.body, SIZE_MAX / 2);
	resp.status = 300 + data[0];
	resp.json = head.json || (data[0] & 1) != 0;
	resp.retry_after_s = head.retry_after_s;
	if (buf_append(&resp.body, data + 2 + n, size - 2 - n, &err) < 0)
		abort();
	if (kube_status_error(&resp, &err) != -1)
		abort();
	check_error(&err);
	if (jsonx_parse(buf_str(&resp.body), resp.body.len, 0, &v, &err) == 0) {
		(void)kube_status_object_error(v, &err);
		check_error(&err);
	}
	return 0;
}
