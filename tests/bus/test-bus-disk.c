#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bus/bus-later.h"
#include "tests/bus/bus-rig.h"

/* Methods that are answered when the disk has given what they ask for. */

static BusRig rig;
static FakeDaemon fake;

static void setup(void) {
    bus_rig_setup_fake(&rig, &fake);
}

static void teardown(void) {
    bus_rig_teardown(&rig);
}

#define CALL(...) bus_rig_call(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)
#define GOOD(...) bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)

/* ---- ListTasks ---- */

/* Reads a page of ids alone; gives how many. */
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

START_TEST(a_list_in_pages) {
    uint64_t ids[16], next = 0;
    size_t total = 0, n;

    fake_daemon_add_many(&fake, 7);
    do {
        n = read_page(GOOD("ListTasks", "a{sv}", 3, "limit", "u", 3, "cursor", "t", next, "fields",
                           "as", 1, "id"),
                      ids, &next);
        for (size_t i = 0; i < n; i++)
            ck_assert_uint_eq(ids[i], ++total);
    } while (next != 0);
    ck_assert_uint_eq(total, 7);
    n = read_page(GOOD("ListTasks", "a{sv}", 3, "limit", "u", 2, "newest-first", "b", 1, "fields",
                       "as", 1, "id"),
                  ids, &next);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(ids[0], 7);
    ck_assert_uint_eq(next, 5);
}
END_TEST

START_TEST(the_filter_is_passed_on) {
    uint64_t ids[16], next;

    fake_daemon_add_ended(&fake, TASK_TIMED_OUT);
    fake_daemon_add_ended(&fake, TASK_SUCCEEDED);
    ck_assert_uint_eq(read_page(GOOD("ListTasks", "a{sv}", 5, "states", "as", 2, "timed-out",
                                     "paused", "fields", "as", 1, "id", "kind", "s", "noop",
                                     "since", "t", (uint64_t)1, "until", "t", (uint64_t)9),
                                ids, &next),
                      1);
    ck_assert_uint_eq(ids[0], 1);
    ck_assert_uint_eq(fake.filter.states, 1u << TASK_TIMED_OUT | 1u << TASK_PAUSED);
    ck_assert_uint_eq(fake.filter.until, 9);
    bus_rig_assert_error(CALL("ListTasks", "a{sv}", 1, "states", "as", 1, "odd"), "InvalidOption",
                         "odd");
}
END_TEST

/* A page ends before the message gets too large, and the next begins where it ended. */
START_TEST(a_page_of_large_tasks) {
    uint64_t ids[16], next;
    const char *keys[] = {"params", "id", NULL};
    size_t total = 0, pages = 0;

    for (int i = 0; i < 80; i++) {
        TaskSpec *spec = fake_daemon_add_ended(&fake, TASK_SUCCEEDED)->spec;
        free(spec->params);
        spec->params = malloc(TASK_PARAMS_MAX);
        memset(spec->params, 'x', TASK_PARAMS_MAX - 1);
        spec->params[TASK_PARAMS_MAX - 1] = '\0';
    }
    next = 0;
    do {
        size_t n = 0;
        sd_bus_message *m =
            GOOD("ListTasks", "a{sv}", 2, "cursor", "t", next, "fields", "as", 2, keys[0], keys[1]);
        ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "a{sv}"), 0);
        for (; sd_bus_message_enter_container(m, 'a', "{sv}") > 0; n++) {
            ck_assert_int_ge(sd_bus_message_skip(m, "{sv}"), 0);
            ck_assert_int_ge(sd_bus_message_read(m, "{sv}", NULL, "t", &ids[0]), 0);
            ck_assert_uint_eq(ids[0], ++total);
            ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
        }
        ck_assert_int_ge(sd_bus_message_exit_container(m), 0);
        ck_assert_int_ge(sd_bus_message_read_basic(m, 't', &next), 0);
        sd_bus_message_unref(m);
        ck_assert_uint_le(n, 33);
        pages++;
    } while (next != 0);
    ck_assert_uint_eq(total, 80);
    ck_assert_uint_eq(pages, 3);
}
END_TEST

/* ---- CountTasks, Prune ---- */

static uint32_t count_in(sd_bus_message *m, const char *state) {
    uint32_t number, found = 0;
    const char *word;

    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "{su}"), 0);
    while (sd_bus_message_read(m, "{su}", &word, &number) > 0)
        if (strcmp(word, state) == 0)
            found = number;
    sd_bus_message_unref(m);
    return found;
}

START_TEST(counts) {
    fake_daemon_add_many(&fake, 300);
    fake_daemon_add_ended(&fake, TASK_TIMED_OUT);
    ck_assert_uint_eq(count_in(GOOD("CountTasks", "a{sv}", 0), "succeeded"), 300);
    ck_assert_uint_eq(
        count_in(GOOD("CountTasks", "a{sv}", 1, "states", "as", 1, "timed-out"), "succeeded"), 0);
    bus_rig_assert_error(CALL("CountTasks", "a{sv}", 1, "limit", "u", 5), "UnknownOption", "limit");
}
END_TEST

static uint32_t read_number(sd_bus_message *m) {
    uint32_t number;

    ck_assert_int_ge(sd_bus_message_read_basic(m, 'u', &number), 0);
    sd_bus_message_unref(m);
    return number;
}

START_TEST(prune_counts) {
    fake_daemon_add_many(&fake, 5);
    fake_daemon_add_ended(&fake, TASK_FAILED);
    ck_assert_uint_eq(read_number(GOOD("Prune", "a{sv}", 1, "states", "as", 1, "failed")), 1);
    ck_assert_uint_eq(
        read_number(GOOD("Prune", "a{sv}", 2, "until", "t", (uint64_t)3, "kind", "s", "noop")), 2);
    ck_assert_uint_eq(read_number(GOOD("Prune", "a{sv}", 0)), 3);
}
END_TEST

static const struct {
    const char *key, *type, *value, *error, *part;
} prune_refused[] = {
    {"states", "as", "running", "InvalidOption", "running is not the state of one"},
    {"states", "as", "paused", "InvalidOption", "tasks that have ended"},
    {"states", "as", "queued", "InvalidOption", "cancel such tasks first"},
    {"limit", "as", "x", "UnknownOption", "limit"},
};

START_TEST(prune_refuses) {
    fake_daemon_add_many(&fake, 2);
    bus_rig_assert_error(
        CALL("Prune", "a{sv}", 1, prune_refused[_i].key, "as", 1, prune_refused[_i].value),
        prune_refused[_i].error, prune_refused[_i].part);
    ck_assert_uint_eq(count_in(GOOD("CountTasks", "a{sv}", 0), "succeeded"), 2);
}
END_TEST

/* ---- what can go wrong ---- */

static const struct {
    const char *method, *part;
    int error;
} failures[] = {
    {"ListTasks", "Cannot read the tasks from disk: Input/output error. Look into", -EIO},
    {"CountTasks", "Cannot count the tasks on disk: Input/output error. Look into", -EIO},
    {"Prune", "Not all of the tasks could be removed: No space left on device. Make room", -ENOSPC},
    {"Prune", "Make the file system of the state folder writable, then try again", -EROFS},
};

START_TEST(a_disk_that_fails) {
    fake.disk_error = failures[_i].error;
    bus_rig_assert_error(CALL(failures[_i].method, "a{sv}", 0), "Storage", failures[_i].part);
}
END_TEST

static unsigned n_answers, n_refused;

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    n_answers++;
    if (sd_bus_message_is_method_error(m, SD_BUS_ERROR_LIMITS_EXCEEDED))
        n_refused++;
    return 0;
}

static bool came(void *userdata) {
    return n_answers >= *(const unsigned *)userdata;
}

START_TEST(calls_that_wait_have_a_cap) {
    n_answers = n_refused = 0;
    fake.disk_stopped = true;
    for (int i = 0; i < BUS_LATER_MAX + 3; i++)
        ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, LONGRUN_BUS_NAME,
                                                  LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                                  i % 2 ? "ListTasks" : "CountTasks", on_answer,
                                                  NULL, "a{sv}", 0),
                         0);
    bus_rig_run_until(&rig, came, &(unsigned){3});
    ck_assert_uint_eq(n_refused, 3);
    fake_daemon_go_on(&fake);
    bus_rig_run_until(&rig, came, &(unsigned){BUS_LATER_MAX + 3});
    ck_assert_uint_eq(n_refused, 3);
}
END_TEST

static bool has_later(void *userdata) {
    return fake.bus->n_later == *(const size_t *)userdata;
}

/* Who asked has gone when the disk answers. */
START_TEST(a_caller_that_has_gone) {
    fake_daemon_add_many(&fake, 2);
    fake.disk_stopped = true;
    const char *const methods[] = {"ListTasks", "CountTasks", "Prune"};
    for (size_t i = 0; i < ELEMENTSOF(methods); i++)
        ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, LONGRUN_BUS_NAME,
                                                  LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                                  methods[i], on_answer, NULL, "a{sv}", 0),
                         0);
    bus_rig_run_until(&rig, has_later, &(size_t){3});
    sd_bus_close(rig.client);
    fake_daemon_go_on(&fake);
    bus_rig_run_until(&rig, has_later, &(size_t){0});
}
END_TEST

/* ---- commits ---- */

START_TEST(a_start_that_is_not_committed) {
    fake.commit_error = -ENOSPC;
    bus_rig_assert_error(CALL("Start", "sa{sv}", "noop", 0), "Storage",
                         "Nothing was started, for it could not be written to disk: No space left "
                         "on device. Make room on the file system of the state folder, then try "
                         "again");
    bus_rig_assert_error(CALL("StartMany", "a(sa{sv})", 1, "noop", 0), "Storage",
                         "Nothing was started");
    bus_rig_assert_error(CALL("StartCommand", "asa{sv}", 1, "true", 0), "Storage",
                         "Nothing was started");
}
END_TEST

static sd_bus_message *call_task(uint64_t id, const char *method, const char *label) {
    char path[64];

    bus_rig_task_path(path, id);
    return bus_rig_call(&rig, path, LONGRUN_TASK_INTERFACE, method, label ? "s" : "", label);
}

START_TEST(a_change_that_is_not_committed) {
    const char *part = "The change is made, but it is not on disk yet: Input/output error. It is "
                       "lost if longrund ends before it can be written.";
    uint64_t id = fake_daemon_add_running(&fake)->id;

    fake.commit_error = -EIO;
    bus_rig_assert_error(call_task(id, "SetLabel", "x"), "Storage", part);
    bus_rig_assert_error(call_task(id, "Pause", NULL), "Storage", part);
    bus_rig_assert_error(call_task(id, "Cancel", NULL), "Storage", part);
    bus_rig_assert_error(CALL("Cancel", "at", 1, id), "Storage", part);
    bus_rig_assert_error(CALL("CancelAll", "a{sv}", 0), "Storage", part);
}
END_TEST

/* ---- Wait ---- */

static int on_ended(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    ck_assert(!sd_bus_message_is_method_error(m, NULL));
    n_answers++;
    return 0;
}

static void send_wait(uint64_t id) {
    char path[64];

    bus_rig_task_path(path, id);
    ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, LONGRUN_BUS_NAME, path,
                                              LONGRUN_TASK_INTERFACE, "Wait", on_ended, NULL, ""),
                     0);
    ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, LONGRUN_BUS_NAME, LONGRUN_ROOT_PATH,
                                              LONGRUN_MANAGER_INTERFACE, "Wait", on_ended, NULL,
                                              "at", 1, id),
                     0);
}

/* An end that a crash might undo is not told. */
START_TEST(wait_holds_until_the_end_is_committed) {
    Task *t = fake_daemon_add_running(&fake);
    const char *state;
    int code;

    n_answers = 0;
    fake.commits_stopped = true;
    send_wait(t->id); /* before the end */
    fake_daemon_add_ended(&fake, TASK_SUCCEEDED);
    sd_bus_message_unref(GOOD("GetTask", "t", t->id + 1)); /* behind it */
    fake_daemon_end(&fake, t, TASK_FAILED);
    send_wait(t->id); /* and after it */
    sd_bus_message_unref(GOOD("GetTask", "t", t->id));
    ck_assert_uint_eq(n_answers, 0);
    ck_assert_uint_eq(bus_waits_count(fake.bus->waits), 4);
    fake_daemon_go_on(&fake);
    bus_rig_run_until(&rig, came, &(unsigned){4});
    ck_assert_uint_eq(bus_waits_count(fake.bus->waits), 0);
    sd_bus_message *m = call_task(t->id, "Wait", NULL);
    ck_assert_int_ge(sd_bus_message_read(m, "si", &state, &code), 0);
    ck_assert_str_eq(state, "failed");
    ck_assert_int_eq(code, 1);
    sd_bus_message_unref(m);
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-disk");
    TCase *t = tcase_create("disk");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_list_in_pages);
    tcase_add_test(t, the_filter_is_passed_on);
    tcase_add_test(t, a_page_of_large_tasks);
    tcase_add_test(t, counts);
    tcase_add_test(t, prune_counts);
    tcase_add_loop_test(t, prune_refuses, 0, (int)ELEMENTSOF(prune_refused));
    tcase_add_loop_test(t, a_disk_that_fails, 0, (int)ELEMENTSOF(failures));
    tcase_add_test(t, calls_that_wait_have_a_cap);
    tcase_add_test(t, a_caller_that_has_gone);
    tcase_add_test(t, a_start_that_is_not_committed);
    tcase_add_test(t, a_change_that_is_not_committed);
    tcase_add_test(t, wait_holds_until_the_end_is_committed);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
