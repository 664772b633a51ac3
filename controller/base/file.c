/*
 * Reads whole small files.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_CHUNK 4096

/* As Go words it: "open /path: no such file or directory". */
static int
io_error(struct err *err, const char *verb, const char *path, int errnum)
{
	const char *text = strerrordesc_np(errnum);
	enum err_code code = ERR_IO;

	if (errnum == ENOENT || errnum == ENOTDIR)
		code = ERR_NOTFOUND;
	if (text == NULL || *text == '\0')
		text = "Unknown error";
	return err_set(err, code, "%s %s: %c%s", verb, path,
	    text[0] >= 'A' && text[0] <= 'Z' ? text[0] - 'A' + 'a' : text[0],
	    text + 1);
}

int
file_read_fd(int fd, const char *name, struct buf *out, struct err *err)
{
	char chunk[READ_CHUNK];
	ssize_t n;
	int rc = 0;

	for (;;) {
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = io_error(err, "read", name, errno);
		if (n <= 0)
			break;
		rc = buf_append(out, chunk, (size_t)n, err);
		if (rc < 0) {
			rc = err_wrap(err, "read %s", name);
			break;
		}
	}
	mem_wipe(chunk, sizeof(chunk));
	return rc;
}

int
file_read(const char *path, struct buf *out, struct err *err)
{
	size_t before = out->len;
	int fd, rc;

	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return io_error(err, "open", path, errno);
	rc = file_read_fd(fd, path, out, err);
	if (rc < 0)
		buf_truncate(out, before);
	(void)close(fd);
	return rc;
}

bool
file_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static bool
is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *
file_read_trimmed(const char *path, size_t max, struct err *err)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(max);
	const char *p;
	size_t len;

	if (file_read(path, &b, err) < 0)
		return NULL;
	p = buf_str(&b);
	len = b.len;
	if (memchr(p, '\0', len) != NULL) {
		(void)err_set(err, ERR_INVALID, "read %s: NUL byte", path);
		return NULL;
	}
	while (len > 0 && is_space(p[len - 1]))
		len--;
	while (len > 0 && is_space(*p)) {
		p++;
		len--;
	}
	return xstrndup(p, len);
}
