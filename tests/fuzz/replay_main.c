/*
 * Runs a fuzz target over every file of the directories given, with any
 * compiler: the corpora are regression tests. Fails where there was no input.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "fuzz.h"

/* Of one input; what libFuzzer writes is far smaller. */
#define INPUT_MAX (16 * 1024 * 1024)

/* Set-up a target may have, as libFuzzer calls it. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

static int
replay_file(const char *path)
{
	AUTO_RELEASE(buf) struct buf b = BUF_INIT(INPUT_MAX);
	struct err err = ERR_INIT;
	uint8_t *exact;

	if (file_read(path, &b, &err) < 0) {
		(void)fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	/* A block of exactly this size, so that a sanitizer sees a read
	 * behind its end. */
	exact = malloc(b.len == 0 ? 1 : b.len);
	if (exact == NULL)
		abort();
	memcpy(exact, buf_str(&b), b.len);
	(void)LLVMFuzzerTestOneInput(exact, b.len);
	free(exact);
	return 0;
}

static int
replay_dir(const char *path, unsigned *inputs)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	int rc = 0;

	if (dir == NULL) {
		(void)fprintf(stderr, "cannot open %s\n", path);
		return -1;
	}
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		AUTO_STR char *name = NULL;
		struct stat st;

		if (e->d_name[0] == '.')
			continue;
		name = xasprintf("%s/%s", path, e->d_name);
		if (stat(name, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		rc = replay_file(name);
		(*inputs)++;
	}
	(void)closedir(dir);
	return rc;
}

int
main(int argc, char **argv)
{
	unsigned inputs = 0;

	mem_install_hooks();
	if (LLVMFuzzerInitialize != NULL)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++)
		if (replay_dir(argv[i], &inputs) < 0)
			return 1;
	(void)printf("%u inputs\n", inputs);
	return inputs > 0 ? 0 : 1;
}
