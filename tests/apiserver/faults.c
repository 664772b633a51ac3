/*
 * The list of fault rules and their counters.
 */
#include "faults.h"

#include <pthread.h>

#include "settings.h"

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static json_t *rules;
static uint64_t last_id;
static uint64_t epoch;

uint64_t
faults_add(const json_t *rule)
{
	json_t *copy = json_deep_copy(rule);
	uint64_t id;

	pthread_mutex_lock(&mu);
	if (rules == NULL)
		rules = json_array();
	id = ++last_id;
	json_put(copy, "id", json_integer((json_int_t)id));
	json_put(copy, "seen", json_integer(0));
	json_put(copy, "fired", json_integer(0));
	json_array_append_new(rules, copy);
	pthread_mutex_unlock(&mu);
	return id;
}

void
faults_clear(void)
{
	pthread_mutex_lock(&mu);
	json_decref(rules);
	rules = NULL;
	epoch++;
	pthread_mutex_unlock(&mu);
}

uint64_t
faults_epoch(void)
{
	uint64_t e;

	pthread_mutex_lock(&mu);
	e = epoch;
	pthread_mutex_unlock(&mu);
	return e;
}

json_t *
faults_list(void)
{
	json_t *out;

	pthread_mutex_lock(&mu);
	out = rules == NULL ? json_array() : json_deep_copy(rules);
	pthread_mutex_unlock(&mu);
	return out;
}

/* seen: the how-manieth matching request this is, from 1. */
static bool
fires(const json_t *rule, int64_t seen)
{
	int64_t every = json_num(rule, "every", 0);
	int64_t nth = json_num(rule, "nth", 1);
	int64_t times = json_num(rule, "times", 1);

	if (every > 0)
		return seen % every == 0;
	return seen >= nth && (times == 0 || seen < nth + times);
}

json_t *
faults_match(
    const char *verb, const char *resource, const char *ns, const char *name)
{
	json_t *hit = NULL, *rule;
	size_t i;

	pthread_mutex_lock(&mu);
	json_array_foreach(rules, i, rule)
	{
		int64_t seen;

		if (!settings_rule_matches(rule, verb, resource, ns, name))
			continue;
		seen = json_num(rule, "seen", 0) + 1;
		json_put(rule, "seen", json_integer(seen));
		if (hit != NULL || !fires(rule, seen))
			continue;
		json_put(rule, "fired",
		    json_integer(json_num(rule, "fired", 0) + 1));
		hit = json_deep_copy(rule);
	}
	pthread_mutex_unlock(&mu);
	return hit;
}
