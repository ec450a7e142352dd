#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bus/bus-rig.h"

/* The Manager interface, method by method. */

static BusRig rig;

static void setup(void) {
    bus_rig_setup(&rig, "[Manager]\nMaxParallel=1\nMaxQueued=5\nHistoryMax=8\n");
}

static void teardown(void) {
    bus_rig_teardown(&rig);
}

#define CALL(...) bus_rig_call(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)
#define GOOD(...) bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)

#define FOREVER "{\"steps\": 1, \"step_ms\": 3600000}"

static uint32_t read_number(sd_bus_message *m) {
    uint32_t number;

    ck_assert_int_ge(sd_bus_message_read_basic(m, 'u', &number), 0);
    sd_bus_message_unref(m);
    return number;
}

static uint32_t count_in(const char *state) {
    sd_bus_message *m = GOOD("CountTasks", "a{sv}", 0);
    uint32_t number, found = 0;
    const char *word;

    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "{su}"), 0);
    while (sd_bus_message_read(m, "{su}", &word, &number) > 0)
        if (strcmp(word, state) == 0)
            found = number;
    sd_bus_message_unref(m);
    return found;
}

START_TEST(start_gives_id_and_object) {
    sd_bus_message *m = GOOD("Start", "sa{sv}", "noop", 0);
    const char *path;
    uint64_t id;

    ck_assert_int_ge(sd_bus_message_read(m, "to", &id, &path), 0);
    ck_assert_uint_eq(id, 1);
    ck_assert_str_eq(path, LONGRUN_TASK_PATH "/1");
    sd_bus_message_unref(m);
    ck_assert_str_eq(bus_rig_wait(&rig, 1), "succeeded");
}
END_TEST

static const struct {
    const char *kind, *option, *value, *error, *part;
} refused[] = {
    {"nonsense", "label", "x", "NoSuchKind", "nonsense"},
    {"noop", "no-such", "x", "UnknownOption", "no-such"},
    {"noop", "cwd", "relative/path", "InvalidOption", "absolute"},
    {"noop", "cwd", "/etc/passwd", "InvalidOption", "not a folder"},
    {"noop", "group", "other", "NoSuchGroup", "other"},
    {"noop", "label", "two\nlines", "InvalidOption", "control character"},
    {"noop", "params", "{", "InvalidOption", "not JSON"},
    {"noop", "params", "[]", "InvalidOption", "must be a JSON object"},
    {"noop", "params", "{\"x\": 1}", "InvalidOption", "x"},
    {"countdown", "params", "{\"steps\": -1}", "InvalidOption", "steps"},
    {"command", "label", "x", "InvalidOption", "argv is empty"},
    {"command", "params", "{}", "InvalidOption", "built-in"},
};

START_TEST(start_refuses) {
    bus_rig_assert_error(
        CALL("Start", "sa{sv}", refused[_i].kind, 1, refused[_i].option, "s", refused[_i].value),
        refused[_i].error, refused[_i].part);
    /* Nothing of it stays behind. */
    ck_assert_uint_eq(read_number(GOOD("CancelAll", "a{sv}", 0)), 0);
}
END_TEST

START_TEST(wrong_type_is_named) {
    bus_rig_assert_error(CALL("Start", "sa{sv}", "noop", 1, "label", "u", (uint32_t)5),
                         "InvalidOption", "label is of type s, not u");
    bus_rig_assert_error(CALL("Start", "sa{sv}", "noop", 2, "label", "s", "a", "label", "s", "b"),
                         "InvalidOption", "twice");
}
END_TEST

START_TEST(own_variables_are_refused) {
    bus_rig_assert_error(CALL("Start", "sa{sv}", "noop", 1, "env", "as", 1, "LONGRUN_RESULT=/x"),
                         "InvalidOption", "set by longrund itself");
}
END_TEST

START_TEST(a_cancel_counts_once) {
    uint64_t id = bus_rig_start(&rig, "countdown", FOREVER);

    ck_assert_uint_eq(read_number(GOOD("Cancel", "at", 3, id, id, id)), 1);
}
END_TEST

START_TEST(start_many_is_all_or_none) {
    bus_rig_assert_error(CALL("StartMany", "a(sa{sv})", 3, "noop", 0, "nonsense", 0, "noop", 0),
                         "NoSuchKind", "tasks[1]");
    ck_assert_uint_eq(count_in("queued") + count_in("running") + count_in("succeeded"), 0);

    sd_bus_message *m = GOOD("StartMany", "a(sa{sv})", 2, "noop", 0, "noop", 0);
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "(to)"), 0);
    uint64_t first, second;
    ck_assert_int_ge(sd_bus_message_read(m, "(to)", &first, NULL), 0);
    ck_assert_int_ge(sd_bus_message_read(m, "(to)", &second, NULL), 0);
    ck_assert_uint_eq(second, first + 1);
    sd_bus_message_unref(m);
}
END_TEST

START_TEST(queue_full_is_refused) {
    bus_rig_start(&rig, "countdown", FOREVER);
    for (int i = 0; i < 5; i++)
        bus_rig_start(&rig, "noop", "{}");
    bus_rig_assert_error(CALL("Start", "sa{sv}", "noop", 0), "QueueFull", "MaxQueued=");
    ck_assert_uint_eq(count_in("queued"), 5);
}
END_TEST

START_TEST(cancel_queued_and_running) {
    uint64_t running = bus_rig_start(&rig, "countdown", FOREVER);
    uint64_t queued = bus_rig_start(&rig, "noop", "{}");

    ck_assert_uint_eq(read_number(GOOD("Cancel", "at", 2, running, queued)), 2);
    ck_assert_str_eq(bus_rig_wait(&rig, running), "cancelled");
    ck_assert_str_eq(bus_rig_wait(&rig, queued), "cancelled");
    bus_rig_assert_error(CALL("Cancel", "at", 1, running), "NotRunning", "has ended already");
    bus_rig_assert_error(CALL("Cancel", "at", 2, running, (uint64_t)999), "NoSuchTask", "999");
}
END_TEST

START_TEST(cancel_all_takes_a_filter) {
    bus_rig_start(&rig, "countdown", FOREVER);
    bus_rig_start(&rig, "noop", "{}");
    ck_assert_uint_eq(read_number(GOOD("CancelAll", "a{sv}", 1, "kind", "s", "noop")), 1);
    ck_assert_uint_eq(count_in("cancelled"), 1);
    bus_rig_assert_error(CALL("CancelAll", "a{sv}", 1, "limit", "u", 5), "UnknownOption", "limit");
    bus_rig_assert_error(CALL("CancelAll", "a{sv}", 1, "states", "as", 1, "odd"), "InvalidOption",
                         "odd");
}
END_TEST

START_TEST(wait_answers_when_all_have_ended) {
    uint64_t ids[2] = {bus_rig_start(&rig, "noop", "{}"),
                       bus_rig_start(&rig, "compute-e", "{\"seconds\": 0, \"force_error\": true}")};
    sd_bus_message *m = GOOD("Wait", "at", 2, ids[0], ids[1]);
    const char *state;
    uint64_t id;
    int code;

    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "(tsi)"), 0);
    ck_assert_int_ge(sd_bus_message_read(m, "(tsi)", &id, &state, &code), 0);
    ck_assert_uint_eq(id, ids[0]);
    ck_assert_str_eq(state, "succeeded");
    ck_assert_int_eq(code, 0);
    ck_assert_int_ge(sd_bus_message_read(m, "(tsi)", &id, &state, &code), 0);
    ck_assert_str_eq(state, "failed");
    ck_assert_int_eq(code, 1);
    sd_bus_message_unref(m);
    bus_rig_assert_error(CALL("Wait", "at", 1, (uint64_t)77), "NoSuchTask", "77");
}
END_TEST

/* Reads the ids of a page and its cursor. */
static size_t read_page(sd_bus_message *m, uint64_t *ids, uint64_t *next) {
    size_t n = 0;

    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "a{sv}"), 0);
    while (sd_bus_message_enter_container(m, 'a', "{sv}") > 0) {
        ck_assert_int_ge(sd_bus_message_read(m, "{sv}", NULL, "t", &ids[n++]), 0);
        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
    }
    ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
    ck_assert_int_ge(sd_bus_message_read_basic(m, 't', next), 0);
    sd_bus_message_unref(m);
    return n;
}

START_TEST(list_pages_through) {
    uint64_t ids[10], next, last = 0;
    size_t pages = 0, total = 0;

    for (int i = 0; i < 7; i++)
        last = bus_rig_start(&rig, "noop", "{}"), bus_rig_wait(&rig, last);
    next = 0;
    do {
        size_t n = read_page(GOOD("ListTasks", "a{sv}", 3, "limit", "u", 3, "cursor", "t", next,
                                  "fields", "as", 1, "id"),
                             ids, &next);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq(ids[i], ++total);
        pages++;
    } while (next != 0);
    ck_assert_uint_eq(total, 7);
    ck_assert_uint_eq(pages, 3);

    size_t n = read_page(GOOD("ListTasks", "a{sv}", 3, "limit", "u", 2, "newest-first", "b", 1,
                              "fields", "as", 1, "id"),
                         ids, &next);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(ids[0], 7);
    ck_assert_uint_eq(next, 5);
    bus_rig_assert_error(CALL("ListTasks", "a{sv}", 1, "limit", "u", 0), "InvalidOption", "limit");
    bus_rig_assert_error(CALL("ListTasks", "a{sv}", 1, "fields", "as", 1, "odd"), "InvalidOption",
                         "odd");
}
END_TEST

START_TEST(ended_tasks_are_kept_up_to_a_number) {
    uint64_t ids[16], next;

    for (int i = 0; i < 12; i++)
        bus_rig_wait(&rig, bus_rig_start(&rig, "noop", "{}"));
    /* They are removed some time after their ends, many at once. */
    size_t n = 12;
    while (n > 8)
        n = read_page(GOOD("ListTasks", "a{sv}", 1, "fields", "as", 1, "id"), ids, &next);
    ck_assert_uint_eq(n, 8);
    ck_assert_uint_eq(ids[0], 5);
    bus_rig_assert_error(CALL("GetTask", "t", (uint64_t)4), "NoSuchTask", "4");
}
END_TEST

START_TEST(remove_ended_ones_only) {
    uint64_t active = bus_rig_start(&rig, "countdown", FOREVER);
    uint64_t other = bus_rig_start(&rig, "noop", "{}");

    read_number(GOOD("Cancel", "at", 1, other));
    bus_rig_assert_error(CALL("RemoveTasks", "at", 2, other, active), "StillActive", "cancel");
    ck_assert_uint_eq(read_number(GOOD("RemoveTasks", "at", 2, other, other)), 1);
    bus_rig_assert_error(CALL("GetTask", "t", other), "NoSuchTask", "");
}
END_TEST

START_TEST(unique_gives_back_the_active_task) {
    uint64_t first, second;
    sd_bus_message *m =
        GOOD("Start", "sa{sv}", "countdown", 2, "unique", "s", "k", "params", "s", FOREVER);

    ck_assert_int_ge(sd_bus_message_read_basic(m, 't', &first), 0);
    sd_bus_message_unref(m);
    m = GOOD("Start", "sa{sv}", "noop", 1, "unique", "s", "k");
    ck_assert_int_ge(sd_bus_message_read_basic(m, 't', &second), 0);
    sd_bus_message_unref(m);
    ck_assert_uint_eq(first, second);
    read_number(GOOD("Cancel", "at", 1, first));
    bus_rig_wait(&rig, first);
    m = GOOD("Start", "sa{sv}", "noop", 1, "unique", "s", "k");
    ck_assert_int_ge(sd_bus_message_read_basic(m, 't', &second), 0);
    sd_bus_message_unref(m);
    ck_assert_uint_gt(second, first);
}
END_TEST

START_TEST(max_parallel_holds) {
    sd_bus_error error = SD_BUS_ERROR_NULL;
    uint64_t first = bus_rig_start(&rig, "countdown", FOREVER);
    uint64_t second = bus_rig_start(&rig, "noop", "{}");

    ck_assert_uint_eq(count_in("queued"), 1);
    sd_bus_message *m =
        bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, "org.freedesktop.DBus.Properties", "Set", "ssv",
                          LONGRUN_MANAGER_INTERFACE, "MaxParallel", "u", 2);
    sd_bus_message_unref(m);
    sd_bus_error_free(&error);
    ck_assert_str_eq(bus_rig_wait(&rig, second), "succeeded");
    ck_assert_uint_eq(count_in("succeeded"), 1);
    ck_assert_uint_eq(first, 1);
}
END_TEST

START_TEST(kinds_are_described) {
    sd_bus_message *m = GOOD("ListKinds", "");
    const char *name, *description;
    size_t n = 0;

    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "(ss)"), 0);
    while (sd_bus_message_read(m, "(ss)", &name, &description) > 0) {
        ck_assert_uint_gt(strlen(description), 10);
        n++;
    }
    sd_bus_message_unref(m);
    ck_assert_uint_eq(n, 7);
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-manager");
    TCase *t = tcase_create("manager");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, start_gives_id_and_object);
    tcase_add_loop_test(t, start_refuses, 0, (int)ELEMENTSOF(refused));
    tcase_add_test(t, wrong_type_is_named);
    tcase_add_test(t, own_variables_are_refused);
    tcase_add_test(t, a_cancel_counts_once);
    tcase_add_test(t, start_many_is_all_or_none);
    tcase_add_test(t, queue_full_is_refused);
    tcase_add_test(t, cancel_queued_and_running);
    tcase_add_test(t, cancel_all_takes_a_filter);
    tcase_add_test(t, wait_answers_when_all_have_ended);
    tcase_add_test(t, list_pages_through);
    tcase_add_test(t, ended_tasks_are_kept_up_to_a_number);
    tcase_add_test(t, remove_ended_ones_only);
    tcase_add_test(t, unique_gives_back_the_active_task);
    tcase_add_test(t, max_parallel_holds);
    tcase_add_test(t, kinds_are_described);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
