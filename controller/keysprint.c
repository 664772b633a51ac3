/*
 * Tables for people. See keysprint.h.
 */
#include "keysprint.h"

#include <string.h>

#include "base/jsonx.h"
#include "base/mem.h"

#define COLUMNS_MAX 9
#define CELL_MAX    256

#define BOLD	    "1"
#define RED	    "31"
#define GREEN	    "32"
#define YELLOW	    "33"

struct row {
	char *cells[COLUMNS_MAX];
	const char *colour; /* NULL: none */
};

struct table {
	const char *const *heads; /* ended by NULL */
	size_t columns;
	struct row *rows;
	size_t count;
};

static void
table_init(struct table *t, const char *const *heads, size_t rows)
{
	*t = (struct table) { .heads = heads };
	while (heads[t->columns] != NULL)
		t->columns++;
	t->rows = xcalloc(rows + 1, sizeof(t->rows[0]));
}

static void
table_release(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		for (size_t c = 0; c < t->columns; c++)
			mem_free_wiped(t->rows[i].cells[c]);
	mem_free_wiped(t->rows);
}

void
keysprint_clean(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
}

/* Owned by the caller. */
static char *
shown(const char *text)
{
	char *s = xstrndup(text, CELL_MAX);

	keysprint_clean(s);
	return s;
}

/* A cell of the row that is being filled. */
static void
put(struct table *t, size_t column, const char *text)
{
	t->rows[t->count].cells[column] = shown(text);
}

static void
put_number(struct table *t, size_t column, int64_t n, const char *suffix)
{
	AUTO_STR char *text = xasprintf("%lld%s", (long long)n, suffix);

	put(t, column, text);
}

static void
end_row(struct table *t, const char *colour)
{
	t->rows[t->count++].colour = colour;
}

static void
print_line(const struct table *t, const size_t widths[], const char *const *row,
    const char *colour, FILE *out)
{
	if (colour != NULL)
		(void)fprintf(out, "\033[%sm", colour);
	for (size_t c = 0; c < t->columns; c++) {
		bool last = c + 1 == t->columns;

		(void)fprintf(out, "%-*s", last ? 0 : (int)widths[c] + 2,
		    row[c] != NULL ? row[c] : "");
	}
	(void)fprintf(out, "%s\n", colour != NULL ? "\033[0m" : "");
}

static void
table_print(const struct table *t, bool colour, FILE *out)
{
	size_t widths[COLUMNS_MAX];

	for (size_t c = 0; c < t->columns; c++) {
		widths[c] = strlen(t->heads[c]);
		for (size_t i = 0; i < t->count; i++)
			if (t->rows[i].cells[c] != NULL &&
			    strlen(t->rows[i].cells[c]) > widths[c])
				widths[c] = strlen(t->rows[i].cells[c]);
	}
	print_line(t, widths, t->heads, colour ? BOLD : NULL, out);
	for (size_t i = 0; i < t->count; i++)
		print_line(t, widths, (const char *const *)t->rows[i].cells,
		    colour ? t->rows[i].colour : NULL, out);
}

static const char *
text_of(const json_t *v, const char *member, const char *absent)
{
	const char *s = jsonx_str(v, member, NULL);

	return s != NULL ? s : absent;
}

/* "2026-11-24T09:45:00Z" -> its first len characters, a blank for the T. */
static void
put_time(struct table *t, size_t column, const char *time, size_t len)
{
	AUTO_STR char *text = xstrndup(time, len);
	char *separator = strchr(text, 'T');

	if (separator != NULL)
		*separator = ' ';
	put(t, column, text);
}

#define DAY_LEN	   10
#define MINUTE_LEN 16

static const char *
colour_of_key(const json_t *key)
{
	const char *state = text_of(key, "state", "");

	if (strcmp(state, "expired") == 0)
		return RED;
	if (strcmp(state, "pending") == 0)
		return YELLOW;
	return jsonx_is_true(key, "seals", NULL) ? GREEN : NULL;
}

static void
add_key(struct table *t, const json_t *key, bool some_unknown)
{
	put(t, 0, text_of(key, "name", "?"));
	put(t, 1, text_of(key, "state", "?"));
	put(t, 2, jsonx_is_true(key, "seals", NULL) ? "yes" : "no");
	put_time(t, 3, text_of(key, "notAfter", "?"), DAY_LEN);
	put_number(
	    t, 4, jsonx_int(key, "items", NULL), some_unknown ? "+" : "");
	put_number(t, 5, jsonx_int(key, "opened", NULL), "");
	put_time(t, 6, text_of(key, "backedUp", "never"), MINUTE_LEN);
	put(t, 7, text_of(key, "namespaces", "all"));
	put(t, 8, text_of(key, "fingerprint", "?"));
	end_row(t, colour_of_key(key));
}

void
keysprint_list(const json_t *answer, bool colour, FILE *out)
{
	static const char *const heads[] = { "NAME", "STATE", "SEALS",
		"VALID UNTIL", "ITEMS", "OPENED", "BACKED UP", "NAMESPACES",
		"FINGERPRINT", NULL };
	json_t *keys = jsonx_array(answer, "keys", NULL), *key;
	int64_t unknown = jsonx_int(answer, "unknownItems", NULL);
	struct table t;
	size_t i;

	table_init(&t, heads, json_array_size(keys));
	json_array_foreach(keys, i, key) add_key(&t, key, unknown > 0);
	table_print(&t, colour, out);
	table_release(&t);
	if (unknown > 0)
		(void)fprintf(out,
		    "\nItems whose key is not known yet: %lld. Until there are "
		    "none, a key with 0+ items may still be needed.\n",
		    (long long)unknown);
}

static const char *
colour_of_result(const char *result)
{
	if (strcmp(result, "conflict") == 0)
		return RED;
	return strcmp(result, "created") == 0 ? GREEN : NULL;
}

static void
add_result(struct table *t, const json_t *key)
{
	const char *result = text_of(key, "result", "?");
	const char *as = jsonx_str(key, "as", NULL);
	AUTO_STR char *both =
	    as != NULL ? xasprintf("%s %s", result, as) : xstrdup(result);

	put(t, 0, text_of(key, "name", "?"));
	put(t, 1, both);
	put(t, 2, text_of(key, "fingerprint", "?"));
	put(t, 3, text_of(key, "message", ""));
	end_row(t, colour_of_result(result));
}

static size_t
count_result(const json_t *keys, const char *result)
{
	json_t *key;
	size_t i, n = 0;

	json_array_foreach((json_t *)(uintptr_t)keys, i, key) n +=
	    strcmp(text_of(key, "result", ""), result) == 0;
	return n;
}

static void
print_summary(const json_t *answer, const json_t *keys, FILE *out)
{
	size_t created = count_result(keys, "created");
	size_t conflicts = count_result(keys, "conflict");
	size_t there = json_array_size(keys) - created - conflicts;
	bool dry = jsonx_is_true(answer, "dryRun", NULL);
	const char *seals = jsonx_str(answer, "seals", "name", NULL);
	AUTO_STR char *name = seals != NULL ? shown(seals) : NULL;

	if (conflicts > 0) {
		(void)fprintf(out, "\n%zu in conflict, nothing was written.\n",
		    conflicts);
		return;
	}
	(void)fprintf(out, "\n%s%zu created, %zu already there.\n",
	    dry ? "Dry run, nothing was written: would be " : "", created,
	    there);
	if (name != NULL)
		(void)fprintf(out, "Sealing key: %s\n", name);
}

void
keysprint_restore(const json_t *answer, bool colour, FILE *out)
{
	static const char *const heads[] = { "NAME", "RESULT", "FINGERPRINT",
		"", NULL };
	json_t *keys = jsonx_array(answer, "keys", NULL), *key;
	struct table t;
	size_t i;

	table_init(&t, heads, json_array_size(keys));
	json_array_foreach(keys, i, key) add_result(&t, key);
	table_print(&t, colour, out);
	table_release(&t);
	print_summary(answer, keys, out);
}

void
keysprint_json(const json_t *v, FILE *out)
{
	/* ASCII: some terminals take U+009B for the start of a sequence. */
	(void)json_dumpf(v, out, JSON_INDENT(2) | JSON_ENSURE_ASCII);
	(void)fputc('\n', out);
}
