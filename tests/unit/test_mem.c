/*
 * Allocation and wiping. That nothing stays in freed memory is shown from
 * outside: a child installs the hooks, lets a library handle a canary, frees
 * everything, and then searches its whole address space for it.
 */
/* layer: base */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first. */
#include <cmocka.h>

#include <curl/curl.h>
#include <fcntl.h>
#include <malloc.h>
#include <openssl/bio.h>
#include <openssl/buffer.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/jsonx.h"
#include "base/mem.h"
#include "base/yamlx.h"
#include "lib/sanitized.h"

static void
allocates_zero_bytes_too(void **state UNUSED)
{
	void *a = xmalloc(0), *b = xcalloc(0, 8), *c = xcalloc(8, 0);

	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
	a = xreallocarray(a, 0, 8);
	assert_non_null(a);
	free(a);
	free(b);
	free(c);
}

static void
copies_and_formats_strings(void **state UNUSED)
{
	AUTO_STR char *a = xstrdup("abc");
	AUTO_STR char *b = xstrndup("abcdef", 3);
	AUTO_STR char *c = xstrndup("ab", 10);
	AUTO_STR char *d = xasprintf("%s-%d", "x", 5);

	assert_string_equal(a, "abc");
	assert_string_equal(b, "abc");
	assert_string_equal(c, "ab");
	assert_string_equal(d, "x-5");
}

static void
grows_arrays_and_keeps_their_contents(void **state UNUSED)
{
	int *p = NULL;

	for (size_t n = 1; n <= 1000; n++) {
		p = xreallocarray(p, n, sizeof(*p));
		p[n - 1] = (int)n;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(p[i], i + 1);
	free(p);
}

static void
reallocates_without_losing_bytes(void **state UNUSED)
{
	char *p = mem_realloc_wiped(NULL, 10);

	memcpy(p, "0123456789", 10);
	p = mem_realloc_wiped(p, 100000);
	assert_memory_equal(p, "0123456789", 10);
	p = mem_realloc_wiped(p, 5);
	assert_memory_equal(p, "01234", 5);
	p = mem_realloc_wiped(p, 5);
	assert_memory_equal(p, "01234", 5);
	p = mem_realloc_wiped(p, 0);
	assert_non_null(p);
	mem_free_wiped(p);
	mem_free_wiped(NULL);
}

static void
wipes_and_compares(void **state UNUSED)
{
	char a[8] = "secret!", b[8] = "secret?";
	static const char zeros[8];

	assert_int_not_equal(mem_compare(a, b, 8), 0);
	assert_int_equal(mem_compare(a, b, 6), 0);
	assert_int_equal(mem_compare(a, b, 0), 0);
	mem_wipe(a, 0);
	assert_string_equal(a, "secret!");
	mem_wipe(a, 3);
	assert_memory_equal(a, "\0\0\0ret!", 8);
	mem_wipe(a, sizeof(a));
	assert_memory_equal(a, zeros, 8);
	mem_wipe(NULL, 0);
}

/* Exit status of a child that runs fn. */
static int
status_of(void (*fn)(void))
{
	pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(STDERR_FILENO);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static volatile size_t huge = SIZE_MAX / 2;

static void
malloc_too_much(void)
{
	free(xmalloc(huge));
}

static void
calloc_too_much(void)
{
	free(xcalloc(huge, 4));
}

static void
realloc_too_much(void)
{
	free(xreallocarray(NULL, huge, 4));
}

static void
aborts_where_memory_or_sizes_run_out(void **state UNUSED)
{
	/* A sanitizer ends the program in its own way. */
	assert_int_not_equal(status_of(malloc_too_much), 0);
	assert_int_not_equal(status_of(calloc_too_much), 0);
	assert_int_not_equal(status_of(realloc_too_much), 0);
}

/*
 * The canary is kept masked, so that no constant and no buffer of the search
 * matches it. 40 bytes: allocators write their own data over the first 16 of
 * a freed block.
 */
#define CANARY_LEN 40
#define MASK	   0x55
#define CHUNK	   (64 * 1024)

static unsigned char
masked_byte(size_t i)
{
	return (unsigned char)(('a' + i * 7 % 26) ^ MASK);
}

static void
put_canary(char *p)
{
	for (size_t i = 0; i < CANARY_LEN; i++)
		p[i] = (char)(masked_byte(i) ^ MASK);
}

/* The last 24 bytes count as a copy. */
static bool
is_canary(const unsigned char *p)
{
	for (size_t i = 16; i < CANARY_LEN; i++)
		if ((p[i - 16] ^ MASK) != masked_byte(i))
			return false;
	return true;
}

static unsigned
search_range(int mem, unsigned char *chunk, uintptr_t from, uintptr_t to)
{
	unsigned found = 0;

	for (uintptr_t at = from; at < to; at += CHUNK - CANARY_LEN) {
		size_t want = to - at < CHUNK ? to - at : CHUNK;
		ssize_t n = pread(mem, chunk, want, (off_t)at);

		for (ssize_t i = 0; i + CANARY_LEN - 16 <= n; i++)
			found += is_canary(chunk + i);
	}
	return found;
}

/* Copies of the canary in every writable mapping but that of the search and
 * the stack, whose dead frames no allocator can wipe. */
static unsigned
count_copies(void)
{
	unsigned char *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FILE *maps = fopen("/proc/self/maps", "r");
	int mem = open("/proc/self/mem", O_RDONLY);
	char line[512];
	unsigned found = 0;

	if (chunk == MAP_FAILED || maps == NULL || mem < 0)
		_exit(100);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long from, to;
		char perm[5];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, perm) != 3 ||
		    perm[1] != 'w' || strstr(line, "[stack]") != NULL)
			continue;
		if ((uintptr_t)chunk >= from && (uintptr_t)chunk < to) {
			/* The kernel may have joined it with a neighbour. */
			found +=
			    search_range(mem, chunk, from, (uintptr_t)chunk);
			found += search_range(
			    mem, chunk, (uintptr_t)chunk + CHUNK, to);
			continue;
		}
		found += search_range(mem, chunk, from, to);
	}
	return found;
}

/* Runs fn on texts around the canary and tells how many copies stayed. */
static unsigned
copies_after(void (*fn)(const char *canary))
{
	char canary[CANARY_LEN + 1];

	put_canary(canary);
	canary[CANARY_LEN] = '\0';
	fn(canary);
	mem_wipe(canary, sizeof(canary));
	return count_copies();
}

static void
hold_it_in_a_plain_block(const char *canary)
{
	char *p = xmalloc(CANARY_LEN);

	memcpy(p, canary, CANARY_LEN);
	/* Or the compiler drops the copy: nobody would read it. */
	__asm__ volatile("" : : "r"(p) : "memory");
	free(p);
}

static void
use_json(const char *canary)
{
	struct buf in = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	json_t *v = NULL;

	buf_puts(&in, "[");
	for (int i = 0; i < 100; i++)
		buf_printf(&in, "{\"%s\":\"x%sx\"},", canary, canary);
	buf_puts(&in, "1]");
	if (jsonx_parse(in.data, in.len, 0, &v, &err) < 0 ||
	    jsonx_dump_sorted(v, &out, &err) < 0)
		_exit(101);
	json_decref(v);
	buf_release(&in);
	buf_release(&out);
}

static void
use_yaml(const char *canary)
{
	struct buf in = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	json_t *v = NULL;

	for (int i = 0; i < 100; i++)
		buf_printf(&in, "- %s: \"x%sx\"\n", canary, canary);
	if (yamlx_parse(in.data, in.len, &v, NULL, &err) < 0)
		_exit(102);
	json_decref(v);
	buf_release(&in);
}

static void
use_openssl(const char *canary)
{
	BIO *bio = BIO_new(BIO_s_mem());
	BUF_MEM *mem = BUF_MEM_new();
	char *p = OPENSSL_strdup(canary);

	for (size_t i = 1; i <= 200; i++) {
		if (BIO_write(bio, canary, CANARY_LEN) != CANARY_LEN ||
		    BUF_MEM_grow(mem, i * CANARY_LEN) == 0)
			_exit(103);
		memcpy(mem->data + (i - 1) * CANARY_LEN, canary, CANARY_LEN);
	}
	BUF_MEM_free(mem);
	BIO_free(bio);
	OPENSSL_free(p);
}

static void
use_curl(const char *canary)
{
	CURL *h = curl_easy_init();
	struct curl_slist *list = NULL;
	char *escaped = curl_easy_escape(h, canary, CANARY_LEN);

	for (int i = 0; i < 20; i++)
		list = curl_slist_append(list, canary);
	if (curl_easy_setopt(h, CURLOPT_COPYPOSTFIELDS, canary) != CURLE_OK ||
	    curl_easy_setopt(h, CURLOPT_USERPWD, canary) != CURLE_OK)
		_exit(104);
	curl_free(escaped);
	curl_slist_free_all(list);
	curl_easy_cleanup(h);
}

static void
use_buffers(const char *canary)
{
	struct buf b = BUF_INIT(1 << 20);
	char *s = xasprintf("x%sx", canary);
	char *p = NULL;

	for (size_t i = 1; i < 1000; i++) {
		buf_puts(&b, canary);
		p = mem_realloc_wiped(p, i * CANARY_LEN);
		memcpy(p + (i - 1) * CANARY_LEN, canary, CANARY_LEN);
	}
	buf_release(&b);
	mem_free_wiped(s);
	mem_free_wiped(p);
}

static void
search_after_plain_free(void)
{
	_exit(copies_after(hold_it_in_a_plain_block) == 0);
}

static void
search_after_hooked_free(void)
{
	static void (*const users[])(const char *) = { use_json, use_yaml,
		use_openssl, use_curl, use_buffers };

	mem_install_hooks();
	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		if (copies_after(users[i]) != 0)
			_exit((int)i + 1);
	mem_trim();
	_exit(0);
}

static UNUSED void
finds_what_a_plain_free_leaves_behind(void **state UNUSED)
{
	assert_int_equal(status_of(search_after_plain_free), 0);
}

static UNUSED void
leaves_no_copy_in_freed_memory_of_any_library(void **state UNUSED)
{
	/* 256 * n: the n-th user left a copy behind. */
	assert_int_equal(status_of(search_after_hooked_free), 0);
}

static void
install_hooks_and_use_everything(void)
{
	static void (*const users[])(const char *) = { use_json, use_yaml,
		use_openssl, use_curl, use_buffers };
	char canary[CANARY_LEN + 1] = "";

	mem_install_hooks();
	put_canary(canary);
	for (size_t i = 0; i < ARRAY_SIZE(users); i++)
		users[i](canary);
	mem_trim();
}

static void
hooks_work_with_every_library(void **state UNUSED)
{
	assert_int_equal(status_of(install_hooks_and_use_everything), 0);
}

static void
install_hooks_too_late(void)
{
	OPENSSL_free(OPENSSL_malloc(16));
	mem_install_hooks();
}

static void
aborts_where_openssl_ran_before_the_hooks(void **state UNUSED)
{
	assert_int_not_equal(status_of(install_hooks_too_late), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allocates_zero_bytes_too),
		cmocka_unit_test(copies_and_formats_strings),
		cmocka_unit_test(grows_arrays_and_keeps_their_contents),
		cmocka_unit_test(reallocates_without_losing_bytes),
		cmocka_unit_test(wipes_and_compares),
		cmocka_unit_test(aborts_where_memory_or_sizes_run_out),
		cmocka_unit_test(hooks_work_with_every_library),
		cmocka_unit_test(aborts_where_openssl_ran_before_the_hooks),
#if !SANITIZED
		/* A sanitizer's address space has terabytes of shadow. */
		cmocka_unit_test(finds_what_a_plain_free_leaves_behind),
		cmocka_unit_test(leaves_no_copy_in_freed_memory_of_any_library),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
