/* Requests held against the rules for when a task may start, and how often; and the defaults of a
 * group. */

#include <errno.h>

#include "daemon/core/task-options.h"
#include "daemon/store/request-json.h"
#include "tests/unit/unit-task.h"

/* A request of a kind, with the options that the text says. */
static TaskSpec *make(const char *kind, const char *json) {
    const char *priority = strstr(json, "\"priority\":"); /* has a place of its own on disk */
    RequestColumns columns = {.kind = kind,
                              .label = "",
                              .group = "default",
                              .priority = priority ? atoi(strchr(priority, ':') + 1) : 0};
    _cleanup_(task_spec_freep) TaskSpec *packed = NULL;

    MUST(request_from_json(&packed, &columns, json) == 0);
    TaskSpec *spec = task_spec_copy(packed, 0);
    MUST(spec);
    unit_set(&spec->cwd, "/");
    for (const TaskOption *o = task_options(); o->name; o++) {
        char key[64];
        snprintf(key, sizeof(key), "\"%s\"", o->name);
        if (strstr(json, key))
            spec->given |= task_option_bit(o);
    }
    return spec;
}

/* part: of the message, NULL for a request that is good. */
static void expect(int r, const Error *e, const char *part) {
    if (!part) {
        ck_assert_msg(r == 0, "%s", strempty(e->message));
        return;
    }
    ck_assert_int_eq(r, -EREMOTE);
    ck_assert_int_eq(e->code, ERROR_INVALID_OPTION);
    ck_assert_msg(strstr(e->message, part), "\"%s\" is not in: %s", part, e->message);
}

static const struct {
    const char *json, *error;
} requests[] = {
    {"{\"priority\":1000000}", NULL},
    {"{\"priority\":-1000000}", NULL},
    {"{\"priority\":1000001}", "priority is from -1000000 to 1000000"},
    {"{\"priority\":-1000001}", "priority is from"},
    {"{\"after\":[3,1,2],\"after-any\":[7],\"after-failed\":[9]}", NULL},
    {"{\"after\":[]}", NULL},
    {"{\"after\":[5,0]}", "after names task 0"},
    {"{\"after-any\":[0]}", "after-any names task 0"},
    {"{\"after-failed\":[0,0]}", "after-failed names task 0"},
    {"{\"when-online\":\"nas.local\"}", NULL},
    {"{\"when-online\":\"not a name\"}", "backend"},
    {"{\"resources\":{\"gpu\":1,\"net\":4000000000}}", NULL},
    {"{\"resources\":{}}", NULL},
    {"{\"resources\":{\"gpu\":0}}", "resources wants 0 of gpu"},
    {"{\"resources\":{\"gpu\":1,\"gpu\":2}}", "resources names gpu twice"},
    {"{\"resources\":{\"\":1}}", "resource"},
    {"{\"resources\":{\"a/b\":1}}", "resource"},
    {"{\"retries\":1000,\"retry-delay\":604800000000,\"retry-on\":[1,255]}", NULL},
    {"{\"retries\":1001}", "retries is at most 1000"},
    {"{\"retries\":1,\"retry-delay\":604800000001}", "retry-delay is above 7d 0h"},
    {"{\"retries\":1,\"retry-on\":[0]}", "retry-on: 0 is not the exit code of a failure"},
    {"{\"retries\":1,\"retry-on\":[256]}", "retry-on: 256 is not the exit code"},
    {"{\"retries\":1,\"retry-on\":[-1]}", "retry-on: -1 is not the exit code"},
    {"{\"retry-on\":[1]}", "retry-on says nothing without retries: give retries as well"},
    {"{\"retries\":0,\"retry-on\":[1]}", "retry-on says nothing without retries"},
    {"{\"retry-delay\":5}", "retry-delay says nothing without retries"},
    {"{\"every\":100000}", NULL},
    {"{\"every\":99999}", "every is at least 100ms"},
    {"{\"every\":315360000000000}", NULL},
    {"{\"every\":315360000000001}", "every is above ten years"},
    {"{\"calendar\":\"daily\",\"persistent\":true}", NULL},
    {"{\"calendar\":\"daily\",\"every\":1000000}", "every and calendar exclude each other"},
    {"{\"every\":1000000,\"persistent\":true}", "give calendar as well"},
    {"{\"persistent\":true}", "give calendar as well"},
    {"{\"every\":1000000,\"after\":[1]}", "after does not go with every"},
    {"{\"calendar\":\"daily\",\"after-any\":[1]}", "after-any does not go with calendar"},
    {"{\"every\":1000000,\"after-failed\":[1]}", "after-failed does not go with every"},
    {"{\"every\":1000000,\"unique\":\"k\",\"when-online\":\"nas\",\"retries\":3,\"parent\":4}",
     NULL},
    {"{\"stdin-open\":true}", "stdin-open is for tasks with a process of their own"},
    {"{\"stdin-open\":true,\"isolate\":true}", NULL},
    {"{\"pty\":true}", "pty is for tasks with a process of their own"},
    {"{\"pty\":true,\"pty-size\":\"1x65535\",\"isolate\":true}", NULL},
    {"{\"pty-size\":\"80x65536\"}",
     "pty-size is COLUMNSxROWS, each from 1 to 65535, as in \"80x24\"; not \"80x65536\""},
    {"{\"pty-size\":\"\"}", "pty-size is COLUMNSxROWS"},
};

START_TEST(test_request) {
    _cleanup_(task_spec_freep) TaskSpec *spec = make("noop", requests[_i].json);
    _cleanup_error_ Error e = {};

    expect(task_spec_check(spec, &e), &e, requests[_i].error);
}
END_TEST

START_TEST(test_lists_in_order) {
    _cleanup_(task_spec_freep) TaskSpec *spec =
        make("noop", "{\"after\":[3,1,3,2,1],\"retries\":1,\"retry-on\":[9,2,9],"
                     "\"resources\":{\"net\":2,\"cpu\":3}}");
    const uint64_t ids[] = {1, 2, 3};
    const int32_t codes[] = {2, 9};
    _cleanup_error_ Error e = {};

    expect(task_spec_check(spec, &e), &e, NULL);
    ck_assert_uint_eq(spec->after->n, 3);
    ck_assert_mem_eq(spec->after->ids, ids, sizeof(ids));
    ck_assert_uint_eq(spec->retry_on->n, 2);
    ck_assert_mem_eq(spec->retry_on->codes, codes, sizeof(codes));
    ck_assert_uint_eq(spec->resources->n, 2);
    ck_assert_str_eq(spec->resources->claims[0].name, "cpu");
    ck_assert_uint_eq(spec->resources->claims[0].amount, 3);
    ck_assert_str_eq(spec->resources->claims[1].name, "net");
}
END_TEST

/* ---- caps of lists ---- */

static IdList *many_ids(size_t n) {
    _cleanup_free_ uint64_t *ids = calloc(n, sizeof(uint64_t));
    IdList *l;

    for (size_t i = 0; i < n; i++)
        ids[i] = i + 1;
    MUST(id_list_new(&l, ids, n) == 0);
    return l;
}

static const struct {
    size_t field;
    const char *name;
} id_lists[] = {
    {offsetof(TaskSpec, after), "after names"},
    {offsetof(TaskSpec, after_any), "after-any names"},
    {offsetof(TaskSpec, after_failed), "after-failed names"},
    {offsetof(TaskSpec, after_index), "after-index names"},
};

START_TEST(test_many_ids) {
    for (size_t n = TASK_AFTER_MAX; n <= TASK_AFTER_MAX + 1; n++) {
        _cleanup_(task_spec_freep) TaskSpec *spec = make("noop", "{}");
        _cleanup_error_ Error e = {};
        *(IdList **)((char *)spec + id_lists[_i].field) = many_ids(n);
        expect(task_spec_check(spec, &e), &e, n > TASK_AFTER_MAX ? id_lists[_i].name : NULL);
    }
}
END_TEST

START_TEST(test_many_codes) {
    _cleanup_(task_spec_freep) TaskSpec *spec = make("noop", "{\"retries\":1}");
    int32_t codes[TASK_RETRY_ON_MAX + 1];
    _cleanup_error_ Error e = {};

    for (int i = 0; i <= TASK_RETRY_ON_MAX; i++)
        codes[i] = 1 + i;
    MUST(code_list_new(&spec->retry_on, codes, TASK_RETRY_ON_MAX + 1) == 0);
    expect(task_spec_check(spec, &e), &e, "retry-on names more than 256 exit codes");
}
END_TEST

START_TEST(test_many_resources) {
    for (size_t n = TASK_RESOURCES_MAX; n <= TASK_RESOURCES_MAX + 1; n++) {
        _cleanup_(task_spec_freep) TaskSpec *spec = make("noop", "{}");
        TokenClaim claims[TASK_RESOURCES_MAX + 1];
        char names[TASK_RESOURCES_MAX + 1][8];
        _cleanup_error_ Error e = {};
        for (size_t i = 0; i < n; i++) {
            snprintf(names[i], sizeof(names[i]), "r%zu", i);
            claims[i] = (TokenClaim){.name = names[i], .amount = 1};
        }
        MUST(token_list_new(&spec->resources, claims, n) == 0);
        expect(task_spec_check(spec, &e), &e,
               n > TASK_RESOURCES_MAX ? "resources names 65 resources; at most 64" : NULL);
    }
}
END_TEST

START_TEST(test_long_calendar) {
    for (size_t n = TASK_CALENDAR_MAX; n <= TASK_CALENDAR_MAX + 1; n++) {
        _cleanup_(task_spec_freep) TaskSpec *spec = make("noop", "{}");
        _cleanup_error_ Error e = {};
        free(spec->calendar);
        spec->calendar = unit_repeat('x', n);
        expect(task_spec_check(spec, &e), &e,
               n > TASK_CALENDAR_MAX ? "calendar has more than 1024 bytes" : NULL);
    }
}
END_TEST

/* A place may be 0, the first of the call; but runs of a series wait for nobody. */
START_TEST(test_after_index) {
    for (int series = 0; series < 2; series++) {
        _cleanup_(task_spec_freep) TaskSpec *spec =
            make("noop", series ? "{\"every\":1000000}" : "{}");
        _cleanup_error_ Error e = {};
        MUST(id_list_new(&spec->after_index, (uint64_t[]){0}, 1) == 0);
        expect(task_spec_check(spec, &e), &e, series ? "after-index does not go with every" : NULL);
    }
}
END_TEST

/* ---- start-at ---- */

#define NOW (UINT64_C(1700000000) * USEC_PER_SEC)

static const struct {
    uint64_t at;
    const char *error;
} times[] = {
    {0, NULL},
    {NOW - 1, NULL}, /* at once */
    {NOW + 1, NULL},
    {TASK_START_AT_MIN, NULL},
    {TASK_START_AT_MIN - 1, "before the year 2000"},
    {1700000000, "before the year 2000"},       /* seconds */
    {1700000000000, "microseconds since 1970"}, /* milliseconds */
    {NOW + TASK_START_AT_AHEAD, NULL},
    {NOW + TASK_START_AT_AHEAD + 1, "more than a century ahead"},
    {NOW * 1000, "microseconds since 1970"}, /* nanoseconds */
    {UINT64_MAX, "more than a century ahead"},
};

START_TEST(test_start_at) {
    _cleanup_error_ Error e = {};

    expect(task_start_at_check(times[_i].at, NOW, &e), &e, times[_i].error);
}
END_TEST

/* ---- defaults of a group ---- */

static const struct {
    const char *json, *error;
} defaults[] = {
    {"{\"priority\":5,\"timeout\":1,\"memory-max\":1048576,\"nice\":5,\"on-interrupt\":"
     "\"restart\"}",
     NULL},
    {"{\"retry-on\":[1]}", NULL}, /* retries are for the task to name */
    {"{\"retry-delay\":1}", NULL},
    {"{\"resources\":{\"gpu\":1}}", NULL},
    {"{\"priority\":1000001}", "priority is from"},
    {"{\"memory-max\":5}", "memory-max is from 1M"},
    {"{\"timeout\":315360000000001}", "timeout is above ten years"},
    {"{\"on-interrupt\":\"dance\"}", "on-interrupt is"},
    {"{\"retries\":1001}", "retries is at most"},
    {"{\"retry-on\":[0]}", "retry-on: 0"},
    {"{\"resources\":{\"gpu\":0}}", "resources wants 0"},
    {"{\"stop-timeout\":604800000001}", "stop-timeout is above"},
    {"{\"unique\":\"x\"}", "unique is of one task"},
    {"{\"after\":[1]}", "after is of one task"},
    {"{\"every\":1000000}", "every is of one task"},
};

START_TEST(test_defaults) {
    _cleanup_(task_spec_freep) TaskSpec *spec = make("", defaults[_i].json);
    _cleanup_error_ Error e = {};

    expect(task_defaults_check(spec, &e), &e, defaults[_i].error);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("task-plan");
    TCase *t = tcase_create("rules");

    tcase_add_loop_test(t, test_request, 0, ELEMENTSOF(requests));
    tcase_add_test(t, test_lists_in_order);
    tcase_add_loop_test(t, test_many_ids, 0, ELEMENTSOF(id_lists));
    tcase_add_test(t, test_many_codes);
    tcase_add_test(t, test_many_resources);
    tcase_add_test(t, test_long_calendar);
    tcase_add_test(t, test_after_index);
    tcase_add_loop_test(t, test_start_at, 0, ELEMENTSOF(times));
    tcase_add_loop_test(t, test_defaults, 0, ELEMENTSOF(defaults));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
