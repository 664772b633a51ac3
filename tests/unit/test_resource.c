/*
 * Tests of controller/kube/resource.c.
 * layer: kube
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kube/client.h"

static void
collections_have_the_paths_of_the_api(void **state UNUSED)
{
	static const struct {
		const struct kube_resource *res;
		const char *ns, *want;
	} cases[] = {
		{ &KUBE_SECRETS, "ns", "/api/v1/namespaces/ns/secrets" },
		{ &KUBE_SECRETS_META, NULL, "/api/v1/secrets" },
		{ &KUBE_SEALEDSECRETS, NULL,
		    "/apis/bitnami.com/v1alpha1/sealedsecrets" },
		{ &KUBE_SEALEDSECRETS, "a",
		    "/apis/bitnami.com/v1alpha1/namespaces/a/sealedsecrets" },
		{ &KUBE_EVENTS, "a", "/api/v1/namespaces/a/events" },
		{ &KUBE_NAMESPACES, NULL, "/api/v1/namespaces" },
		{ &KUBE_NAMESPACES, "ignored", "/api/v1/namespaces" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(buf) struct buf path = BUF_INIT(1024);

		kube_path_collection(cases[i].res, cases[i].ns, &path);
		assert_string_equal(buf_str(&path), cases[i].want);
	}
}

static void
objects_and_subresources_follow_the_collection(void **state UNUSED)
{
	static const struct objkey key = { .ns = "ns", .name = "x.y" };
	AUTO_RELEASE(buf) struct buf object = BUF_INIT(1024);
	AUTO_RELEASE(buf) struct buf status = BUF_INIT(1024);
	AUTO_RELEASE(buf) struct buf ns = BUF_INIT(1024);

	kube_path_object(&KUBE_SECRETS, &key, NULL, &object);
	assert_string_equal(
	    buf_str(&object), "/api/v1/namespaces/ns/secrets/x.y");
	kube_path_object(&KUBE_SEALEDSECRETS, &key, "status", &status);
	assert_string_equal(buf_str(&status),
	    "/apis/bitnami.com/v1alpha1/namespaces/ns/sealedsecrets/x.y/"
	    "status");
	kube_path_object(&KUBE_NAMESPACES, &key, NULL, &ns);
	assert_string_equal(buf_str(&ns), "/api/v1/namespaces/x.y");
}

static void
nothing_in_a_name_changes_the_shape_of_a_path(void **state UNUSED)
{
	static const struct {
		const char *name, *want;
	} cases[] = {
		{ "a/b", "/api/v1/namespaces/n/secrets/a%2Fb" },
		{ "a?b#c", "/api/v1/namespaces/n/secrets/a%3Fb%23c" },
		{ "a%2Fb", "/api/v1/namespaces/n/secrets/a%252Fb" },
		{ "\xc3\xa4 \r\n",
		    "/api/v1/namespaces/n/secrets/%C3%A4%20%0D%0A" },
		{ ".", "/api/v1/namespaces/n/secrets/%2E" },
		{ "..", "/api/v1/namespaces/n/secrets/%2E%2E" },
		{ "a-b_c~d.e", "/api/v1/namespaces/n/secrets/a-b_c~d.e" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		AUTO_RELEASE(buf) struct buf path = BUF_INIT(1024);
		struct objkey key = { .ns = "n" };

		(void)snprintf(key.name, sizeof(key.name), "%s", cases[i].name);
		kube_path_object(&KUBE_SECRETS, &key, NULL, &path);
		assert_string_equal(buf_str(&path), cases[i].want);
	}
}

static void
the_first_parameter_begins_the_query(void **state UNUSED)
{
	AUTO_RELEASE(buf) struct buf path = BUF_INIT(1024);

	buf_puts(&path, "/x");
	kube_path_query(&path, "labelSelector", "a/b=c,d");
	kube_path_query(&path, "limit", "500");
	kube_path_query(&path, "continue", "e+/= &");
	assert_string_equal(buf_str(&path),
	    "/x?labelSelector=a%2Fb%3Dc%2Cd&limit=500"
	    "&continue=e%2B%2F%3D%20%26");
}

static void
metadata_only_never_falls_back_to_full_objects(void **state UNUSED)
{
	assert_string_equal(
	    kube_accept(&KUBE_SECRETS, true), "application/json");
	assert_string_equal(kube_accept(&KUBE_SECRETS_META, true),
	    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
	assert_string_equal(kube_accept(&KUBE_SECRETS_META, false),
	    "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collections_have_the_paths_of_the_api),
		cmocka_unit_test(
		    objects_and_subresources_follow_the_collection),
		cmocka_unit_test(nothing_in_a_name_changes_the_shape_of_a_path),
		cmocka_unit_test(the_first_parameter_begins_the_query),
		cmocka_unit_test(
		    metadata_only_never_falls_back_to_full_objects),
	};

	return cmocka_run_group_tests_name("resource", tests, NULL, NULL);
}
