/*
 * The text format that Prometheus reads.
 */
#include "exposition.h"

#include <string.h>

#include "number.h"

static void
put(struct exposition *x, const char *s, size_t len)
{
	if (!x->failed && buf_append(x->out, s, len, x->err) < 0)
		x->failed = true;
}

static void
puts_out(struct exposition *x, const char *s)
{
	put(x, s, strlen(s));
}

static void
put_escaped(struct exposition *x, const char *s)
{
	for (; *s != '\0'; s++) {
		size_t n = strcspn(s, "\\\n\"");

		put(x, s, n);
		s += n;
		if (*s == '\0')
			break;
		puts_out(x, *s == '\n' ? "\\n" : *s == '"' ? "\\\"" : "\\\\");
	}
}

/* Order of the labels in the text: by name, as the reference's library. */
static unsigned
label_order(const struct family *f, unsigned order[FAMILY_LABELS_MAX])
{
	const char *const *names = f->labels;
	unsigned n;

	for (n = 0; n < FAMILY_LABELS_MAX && names[n] != NULL; n++) {
		unsigned at = n;

		while (at > 0 && strcmp(names[order[at - 1]], names[n]) > 0) {
			order[at] = order[at - 1];
			at--;
		}
		order[at] = n;
	}
	return n;
}

static const char *
label_value(const char *key, unsigned i)
{
	while (i-- > 0)
		key += strlen(key) + 1;
	return key;
}

static void
put_sample(struct exposition *x, const struct family *f, const char *key,
    const char *suffix, const char *le)
{
	unsigned order[FAMILY_LABELS_MAX];
	unsigned n = label_order(f, order);

	puts_out(x, FAMILY_PREFIX);
	puts_out(x, f->name);
	puts_out(x, suffix);
	for (unsigned i = 0; i < n; i++) {
		puts_out(x, i == 0 ? "{" : ",");
		puts_out(x, f->labels[order[i]]);
		puts_out(x, "=\"");
		put_escaped(x, label_value(key, order[i]));
		puts_out(x, "\"");
	}
	if (le != NULL) {
		puts_out(x, n == 0 ? "{" : ",");
		puts_out(x, "le=\"");
		puts_out(x, le);
		puts_out(x, "\"");
	}
	puts_out(x, n > 0 || le != NULL ? "} " : " ");
}

static void
put_number(struct exposition *x, double v)
{
	char text[NUMBER_TEXT_MAX];

	number_format(v, text);
	puts_out(x, text);
	puts_out(x, "\n");
}

void
exposition_family(struct exposition *x, const struct family *f)
{
	static const char *const types[] = {
		[FAMILY_COUNTER] = "counter",
		[FAMILY_GAUGE] = "gauge",
		[FAMILY_HISTOGRAM] = "histogram",
	};

	puts_out(x, "# HELP " FAMILY_PREFIX);
	puts_out(x, f->name);
	puts_out(x, " ");
	puts_out(x, f->help);
	puts_out(x, "\n# TYPE " FAMILY_PREFIX);
	puts_out(x, f->name);
	puts_out(x, " ");
	puts_out(x, types[f->type]);
	puts_out(x, "\n");
}

void
exposition_value(
    struct exposition *x, const struct family *f, const char *key, double v)
{
	put_sample(x, f, key, "", NULL);
	put_number(x, v);
}

void
exposition_histogram(struct exposition *x, const struct family *f,
    const char *key, const struct family_histogram *h, double total)
{
	char le[NUMBER_TEXT_MAX];
	uint64_t sum = 0;

	for (size_t i = 0; i < FAMILY_BUCKETS; i++) {
		sum += h->in[i];
		number_format(family_buckets[i], le);
		put_sample(x, f, key, "_bucket", le);
		put_number(x, (double)sum);
	}
	put_sample(x, f, key, "_bucket", "+Inf");
	put_number(x, (double)h->count);
	put_sample(x, f, key, "_sum", NULL);
	put_number(x, total);
	put_sample(x, f, key, "_count", NULL);
	put_number(x, (double)h->count);
}
