/*
 * Conformance: tokens of service accounts, TokenReview and
 * SubjectAccessReview.
 */
#include "conformance.h"

#define ACCOUNTS "/api/v1/namespaces/{N}/serviceaccounts"
#define TOKENS	 "/apis/authentication.k8s.io/v1/tokenreviews"
#define ACCESS	 "/apis/authorization.k8s.io/v1/subjectaccessreviews"
#define TOKEN_REVIEW \
	"'kind':'TokenReview','apiVersion':'authentication.k8s.io/v1'"
#define ACCESS_REVIEW                   \
	"'kind':'SubjectAccessReview'," \
	"'apiVersion':'authorization.k8s.io/v1'"
#define TOKEN_REQUEST \
	"'kind':'TokenRequest','apiVersion':'authentication.k8s.io/v1'"
#define MAKE_TOKEN                                                     \
	{ "POST", ACCOUNTS, "{'metadata':{'name':'a'}}", 201,          \
		"{'*':1,'metadata':{'*':1,'uid':'<uid=a>'}}" },        \
	{                                                              \
		"POST", ACCOUNTS "/a/token",                           \
		    "{" TOKEN_REQUEST ",'spec':{'audiences':['ours']," \
		    "'expirationSeconds':600}}",                       \
		    201, "{'*':1,'status':{'*':1,'token':'<any=t>'}}"  \
	}

static void
a_token_says_whose_it_is_to_its_audience(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		MAKE_TOKEN,
		{ "POST", TOKENS,
		    "{" TOKEN_REVIEW ",'spec':{'token':'<t>',"
		    "'audiences':['other','ours']}}", 201,
		    "{" TOKEN_REVIEW ",'metadata':{'*':1},"
		    "'spec':{'token':'<t>','audiences':['other','ours']},"
		    "'status':{'authenticated':true,'user':{"
		    "'username':'system:serviceaccount:{N}:a','uid':'<a>',"
		    "'groups':['system:serviceaccounts',"
		    "'system:serviceaccounts:{N}','system:authenticated'],"
		    "'extra':{'authentication.kubernetes.io/credential-id':"
		    "['^JTI=']}},'audiences':['ours']}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
a_token_for_others_is_refused(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		MAKE_TOKEN,
		{ "POST", TOKENS,
		    "{" TOKEN_REVIEW ",'spec':{'token':'<t>',"
		    "'audiences':['other']}}", 201,
		    "{'*':1,'status':{'user':{},"
		    "'error':'^[invalid bearer token, token audiences'}}" },
		{ "POST", TOKENS,
		    "{" TOKEN_REVIEW ",'spec':{'token':'<t>'}}", 201,
		    "{'*':1,'status':{'user':{},"
		    "'error':'^[invalid bearer token, token audiences'}}" },
	};
	/* clang-format on */

	RUN(steps);
}

static void
what_is_no_token_is_refused(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", TOKENS,
		    "{" TOKEN_REVIEW ",'spec':{'token':'garbage',"
		    "'audiences':['ours']}}", 201,
		    "{'*':1,'status':{'user':{},"
		    "'error':'invalid bearer token'}}" },
		{ "POST", TOKENS,
		    "{" TOKEN_REVIEW ",'spec':{'token':''}}", 400,
		    PLAIN_FAILURE(400, "BadRequest",
		    "token is required for TokenReview in authentication") },
		{ "POST", ACCOUNTS "/none/token",
		    "{" TOKEN_REQUEST ",'spec':{'audiences':['ours']}}", 404,
		    FAILURE(404, "NotFound",
		    "serviceaccounts ~none~ not found",
		    "{'name':'none','kind':'serviceaccounts'}") },
	};
	/* clang-format on */

	RUN(steps);
}

static void
access_is_reviewed(void **state UNUSED)
{
	/* clang-format off */
	static const struct step steps[] = {
		{ "POST", ACCESS,
		    "{" ACCESS_REVIEW ",'spec':{'user':'nobody',"
		    "'groups':['system:authenticated'],'resourceAttributes':"
		    "{'namespace':'{N}','verb':'get','version':'v1',"
		    "'resource':'secrets'}}}", 201,
		    "{" ACCESS_REVIEW ",'metadata':{'*':1},"
		    "'spec':{'user':'nobody',"
		    "'groups':['system:authenticated'],'resourceAttributes':"
		    "{'namespace':'{N}','verb':'get','version':'v1',"
		    "'resource':'secrets'}},'status':{'allowed':false}}" },
		{ "POST", ACCESS,
		    "{" ACCESS_REVIEW ",'spec':{'user':'root','groups':"
		    "['system:masters'],'resourceAttributes':"
		    "{'namespace':'{N}','verb':'get','version':'v1',"
		    "'resource':'secrets'}}}", 201,
		    "{'*':1,'status':{'allowed':true}}" },
	};
	/* clang-format on */

	RUN(steps);
}

int
conformance_reviews(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_says_whose_it_is_to_its_audience),
		cmocka_unit_test(a_token_for_others_is_refused),
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(access_is_reviewed),
	};

	return cmocka_run_group_tests_name("reviews", tests, NULL, NULL);
}
