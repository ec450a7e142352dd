#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bus/bus-by-id.h"
#include "daemon/bus/bus-recall.h"
#include "daemon/bus/parked-calls.h"
#include "tests/bus/bus-rig.h"

/* Tasks that have ended and lie on disk: calls of their objects, and methods that name them. */

static BusRig rig;
static FakeDaemon fake;

static void setup(void) {
    bus_rig_setup_fake(&rig, &fake);
}

static void teardown(void) {
    bus_rig_teardown(&rig);
}

#define MANAGER(...) bus_rig_call(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)

/* ---- many calls under way ---- */

#define ANSWERS_MAX 12000

typedef struct Answers {
    sd_bus_message *messages[ANSWERS_MAX]; /* in the order in which they came */
    size_t n, wanted;
} Answers;

static Answers answers;

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    answers.messages[answers.n++] = sd_bus_message_ref(m);
    return 0;
}

static void send_get(uint64_t id, const char *property) {
    sd_bus_message *m;
    char path[64];

    bus_rig_task_path(path, id);
    ck_assert_int_ge(sd_bus_message_new_method_call(rig.client, &m, LONGRUN_BUS_NAME, path,
                                                    "org.freedesktop.DBus.Properties", "Get"),
                     0);
    ck_assert_int_ge(sd_bus_message_append(m, "ss", LONGRUN_TASK_INTERFACE, property), 0);
    ck_assert_int_ge(sd_bus_call_async(rig.client, NULL, m, on_answer, NULL, UINT64_MAX), 0);
    sd_bus_message_unref(m);
}

static bool all_came(void *userdata) {
    return answers.n >= answers.wanted;
}

static void await(size_t n) {
    answers.wanted = n;
    bus_rig_run_until(&rig, all_came, NULL);
}

static void forget_answers(void) {
    for (size_t i = 0; i < answers.n; i++)
        sd_bus_message_unref(answers.messages[i]);
    answers = (Answers){};
}

static const char *error_of(size_t i) {
    return sd_bus_message_is_method_error(answers.messages[i], NULL)
               ? sd_bus_message_get_error(answers.messages[i])->name
               : "";
}

static uint64_t number_of(size_t i) {
    uint64_t number;

    ck_assert_int_ge(sd_bus_message_read(answers.messages[i], "v", "t", &number), 0);
    return number;
}

/* ---- calls of objects ---- */

static void assert_state(uint64_t id, const char *expected) {
    const char *state;
    char path[64];

    bus_rig_task_path(path, id);
    sd_bus_message *m = bus_rig_call_good(&rig, path, "org.freedesktop.DBus.Properties", "Get",
                                          "ss", LONGRUN_TASK_INTERFACE, "State");
    ck_assert_int_ge(sd_bus_message_read(m, "v", "s", &state), 0);
    ck_assert_str_eq(state, expected);
    sd_bus_message_unref(m);
}

START_TEST(a_property_of_a_task_on_disk) {
    uint64_t id = fake_daemon_add_ended(&fake, TASK_TIMED_OUT)->id;

    assert_state(id, "timed-out");
    ck_assert_uint_eq(fake.recalls, 1);
    assert_state(id, "timed-out"); /* in memory now */
    ck_assert_uint_eq(fake.recalls, 1);
}
END_TEST

START_TEST(every_interface_of_a_task_on_disk) {
    uint64_t id = fake_daemon_add_many(&fake, 3);
    const char *state, *xml;
    char path[64];

    bus_rig_task_path(path, id);
    sd_bus_message *m =
        bus_rig_call_good(&rig, path, "org.freedesktop.DBus.Properties", "GetAll", "s", "");
    sd_bus_message_unref(m);
    bus_rig_task_path(path, id + 1);
    m = bus_rig_call_good(&rig, path, "org.freedesktop.DBus.Introspectable", "Introspect", "");
    ck_assert_int_ge(sd_bus_message_read(m, "s", &xml), 0);
    ck_assert_ptr_nonnull(strstr(xml, LONGRUN_TASK_INTERFACE));
    sd_bus_message_unref(m);
    bus_rig_task_path(path, id + 2);
    m = bus_rig_call_good(&rig, path, LONGRUN_TASK_INTERFACE, "Wait", "");
    ck_assert_int_ge(sd_bus_message_read(m, "si", &state, NULL), 0);
    ck_assert_str_eq(state, "succeeded");
    sd_bus_message_unref(m);
    ck_assert_uint_eq(fake.recalls, 3);
}
END_TEST

static void assert_no_task(const char *path, const char *part) {
    bus_rig_assert_error(bus_rig_call(&rig, path, LONGRUN_TASK_INTERFACE, "Cancel", ""),
                         "NoSuchTask", part);
}

START_TEST(a_task_that_is_nowhere) {
    assert_no_task(LONGRUN_TASK_PATH "/4711", "4711");
    ck_assert_uint_eq(fake.recalls, 1);
    assert_no_task(LONGRUN_TASK_PATH "/18446744073709551615", "18446744073709551615");
    ck_assert_uint_eq(fake.recalls, 2);
}
END_TEST

/* Nobody asks the disk for what cannot be a task. */
START_TEST(a_path_that_is_no_task) {
    const char *const paths[] = {"/x1", "/01", "/18446744073709551616", "/1/2", "/_1"};
    char path[128];

    assert_no_task(LONGRUN_TASK_PATH "/0", "no task 0");
    for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
        snprintf(path, sizeof(path), LONGRUN_TASK_PATH "%s", paths[i]);
        sd_bus_message *m = bus_rig_call(&rig, path, LONGRUN_TASK_INTERFACE, "Cancel", "");
        ck_assert(sd_bus_message_is_method_error(m, SD_BUS_ERROR_UNKNOWN_METHOD) ||
                  sd_bus_message_is_method_error(m, SD_BUS_ERROR_UNKNOWN_OBJECT));
        sd_bus_message_unref(m);
    }
    ck_assert_uint_eq(fake.recalls, 0);
}
END_TEST

START_TEST(many_are_asked_for_together) {
    uint64_t first = fake_daemon_add_many(&fake, 1000);

    for (uint64_t id = first; id < first + 1000; id++)
        send_get(id, "Id");
    await(1000);
    for (size_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(number_of(i), first + i);
    ck_assert_uint_eq(fake.recalled, 1000);
    ck_assert_uint_le(fake.largest_recall, 64);
    forget_answers();
}
END_TEST

static bool all_are_parked(void *userdata) {
    size_t n = 0;

    return sd_bus_get_n_queued_read(rig.server, &n) >= 0 && fake.recalls > 0 && n == 0;
}

START_TEST(those_that_come_meanwhile_are_the_next_batch) {
    uint64_t first = fake_daemon_add_many(&fake, 100);

    fake.disk_stopped = true;
    for (uint64_t id = first; id < first + 100; id++)
        for (int i = 0; i < 3; i++)
            send_get(id, "Id");
    send_get(9999, "Id");
    bus_rig_run_until(&rig, all_are_parked, NULL);
    assert_no_task(LONGRUN_TASK_PATH "/0", "no task 0"); /* behind all of them */
    ck_assert_uint_eq(fake.recalls, 1);
    fake_daemon_go_on(&fake);
    await(301);
    ck_assert_uint_eq(fake.recalls, 3); /* 1, 64, 36 */
    ck_assert_uint_eq(fake.recalled, 101);
    ck_assert_uint_eq(fake.largest_recall, 64);
    forget_answers();
}
END_TEST

#define STOPPED_MAX 4

typedef struct Stopped {
    sd_bus_message *messages[STOPPED_MAX];
    size_t n;
} Stopped;

static int stop_call(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    Stopped *s = userdata;

    if (s->n == STOPPED_MAX)
        return 0;
    s->messages[s->n++] = sd_bus_message_ref(m);
    return 1;
}

static bool all_stopped(void *userdata) {
    return ((Stopped *)userdata)->n == STOPPED_MAX;
}

/* What is put back must not be overtaken by what the check of callers has put into the queue of the
 * bus before. */
START_TEST(order_of_calls_of_one_object) {
    uint64_t id = fake_daemon_add_ended(&fake, TASK_SUCCEEDED)->id, cookie, last = 0;
    Stopped stopped = {};
    sd_bus_slot *filter;

    fake.disk_stopped = true;
    send_get(id, "Id");
    send_get(id, "State");
    bus_rig_run_until(&rig, all_are_parked, NULL);
    ck_assert_int_ge(sd_bus_add_filter(rig.server, &filter, stop_call, &stopped), 0);
    for (size_t i = 0; i < STOPPED_MAX; i++)
        send_get(id, "Label");
    bus_rig_run_until(&rig, all_stopped, &stopped);
    for (size_t i = 0; i < STOPPED_MAX; i++) {
        ck_assert_int_ge(sd_bus_enqueue_for_read(rig.server, stopped.messages[i]), 0);
        sd_bus_message_unref(stopped.messages[i]);
    }
    fake_daemon_go_on(&fake);
    fake_daemon_run(&fake);
    send_get(id, "Kind");
    await(3 + STOPPED_MAX);
    for (size_t i = 0; i < 3 + STOPPED_MAX; i++) {
        ck_assert_int_ge(sd_bus_message_get_reply_cookie(answers.messages[i], &cookie), 0);
        ck_assert_uint_gt(cookie, last);
        last = cookie;
    }
    sd_bus_slot_unref(filter);
    forget_answers();
}
END_TEST

START_TEST(a_task_that_leaves_memory_at_once) {
    uint64_t id = fake_daemon_add_ended(&fake, TASK_SUCCEEDED)->id;

    fake.evictions = 3;
    for (int i = 0; i < 5; i++)
        send_get(id, "Id");
    await(5);
    for (size_t i = 0; i < 5; i++)
        ck_assert_uint_eq(number_of(i), id);
    ck_assert_uint_eq(fake.evictions, 0);
    forget_answers();
}
END_TEST

START_TEST(a_disk_that_fails) {
    uint64_t id = fake_daemon_add_ended(&fake, TASK_SUCCEEDED)->id;
    char path[64];

    bus_rig_task_path(path, id);
    fake.disk_error = -EIO;
    bus_rig_assert_error(bus_rig_call(&rig, path, LONGRUN_TASK_INTERFACE, "Cancel", ""), "Storage",
                         "Cannot read the task from disk: Input/output error. Look into");
    fake.disk_error = 0;
    assert_state(id, "succeeded");
}
END_TEST

START_TEST(calls_of_one_task_have_a_cap) {
    uint64_t id = fake_daemon_add_ended(&fake, TASK_SUCCEEDED)->id;

    fake.disk_stopped = true;
    for (int i = 0; i < BUS_RECALL_CALLS_MAX + 2; i++)
        send_get(id, "Id");
    await(2);
    ck_assert_str_eq(error_of(0), SD_BUS_ERROR_LIMITS_EXCEEDED);
    ck_assert_str_eq(error_of(1), SD_BUS_ERROR_LIMITS_EXCEEDED);
    fake_daemon_go_on(&fake);
    await(BUS_RECALL_CALLS_MAX + 2);
    ck_assert_uint_eq(number_of(BUS_RECALL_CALLS_MAX + 1), id);
    forget_answers();
}
END_TEST

START_TEST(calls_of_all_tasks_have_a_cap) {
    uint64_t first = fake_daemon_add_many(&fake, PARKED_CALLS_MAX + 1);

    fake.disk_stopped = true;
    for (uint64_t i = 0; i < PARKED_CALLS_MAX + 1; i++)
        send_get(first + i, "Id");
    await(1);
    ck_assert_str_eq(error_of(0), SD_BUS_ERROR_LIMITS_EXCEEDED);
    ck_assert_ptr_nonnull(
        strstr(sd_bus_message_get_error(answers.messages[0])->message, "wait for answers"));
    fake_daemon_go_on(&fake);
    await(PARKED_CALLS_MAX + 1);
    for (size_t i = 1; i < PARKED_CALLS_MAX + 1; i++)
        ck_assert_uint_eq(number_of(i), first + i - 1);
    ck_assert_uint_le(fake.largest_recall, 64);
    forget_answers();
}
END_TEST

/* Nothing is left behind when the bus goes with calls held back; the sanitizers would tell. */
START_TEST(the_end_with_calls_held_back) {
    uint64_t first = fake_daemon_add_many(&fake, 3);

    fake.disk_stopped = true;
    for (uint64_t i = 0; i < 3; i++)
        send_get(first + i, "Id");
    ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, LONGRUN_BUS_NAME, LONGRUN_ROOT_PATH,
                                              LONGRUN_MANAGER_INTERFACE, "GetTask", NULL, NULL, "t",
                                              first),
                     0);
    bus_rig_run_until(&rig, all_are_parked, NULL);
    assert_no_task(LONGRUN_TASK_PATH "/0", "no task 0");
}
END_TEST

/* ---- methods that name tasks ---- */

static uint32_t read_number(sd_bus_message *m) {
    uint32_t number;

    ck_assert_int_ge(sd_bus_message_read_basic(m, 'u', &number), 0);
    sd_bus_message_unref(m);
    return number;
}

START_TEST(get_task_on_disk) {
    uint64_t id = fake_daemon_add_ended(&fake, TASK_SUCCEEDED)->id;
    const char *path;

    sd_bus_message *m = MANAGER("GetTask", "t", id);
    ck_assert_int_ge(sd_bus_message_read_basic(m, 'o', &path), 0);
    ck_assert_str_eq(path, LONGRUN_TASK_PATH "/1");
    sd_bus_message_unref(m);
    bus_rig_assert_error(MANAGER("GetTask", "t", id + 1), "NoSuchTask", "no task 2");
    ck_assert_uint_eq(fake.recalls, 2);
    bus_rig_assert_error(MANAGER("GetTask", "t", (uint64_t)0), "NoSuchTask", "no task 0");
    ck_assert_uint_eq(fake.recalls, 2);
}
END_TEST

START_TEST(cancel_with_tasks_on_disk) {
    uint64_t ended = fake_daemon_add_ended(&fake, TASK_FAILED)->id;
    Task *running = fake_daemon_add_running(&fake);

    ck_assert_uint_eq(read_number(MANAGER("Cancel", "at", 1, running->id)), 1);
    ck_assert_uint_eq(fake.recalls, 0);
    running->cancel_requested = false;
    ck_assert_uint_eq(read_number(MANAGER("Cancel", "at", 3, ended, running->id, ended)), 1);
    ck_assert(running->cancel_requested);
    ck_assert_uint_eq(fake.recalled, 1); /* named twice, asked for once */
    bus_rig_assert_error(MANAGER("Cancel", "at", 1, ended), "NotRunning",
                         "has ended already: failed");
    running->cancel_requested = false;
    bus_rig_assert_error(MANAGER("Cancel", "at", 2, running->id, (uint64_t)99), "NoSuchTask", "99");
    ck_assert(!running->cancel_requested);
}
END_TEST

START_TEST(wait_for_tasks_on_disk) {
    uint64_t first = fake_daemon_add_many(&fake, 200), id;
    const char *state;
    size_t n = 0;

    fake.evictions = 1;
    sd_bus_message *call, *m;
    ck_assert_int_ge(sd_bus_message_new_method_call(rig.client, &call, LONGRUN_BUS_NAME,
                                                    LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                                    "Wait"),
                     0);
    ck_assert_int_ge(sd_bus_message_open_container(call, 'a', "t"), 0);
    for (id = first; id < first + 200; id++)
        ck_assert_int_ge(sd_bus_message_append(call, "t", id), 0);
    ck_assert_int_ge(sd_bus_message_close_container(call), 0);
    ck_assert_int_ge(sd_bus_call_async(rig.client, NULL, call, on_answer, NULL, UINT64_MAX), 0);
    sd_bus_message_unref(call);
    await(1);
    m = answers.messages[0];
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "(tsi)"), 0);
    while (sd_bus_message_read(m, "(tsi)", &id, &state, NULL) > 0) {
        ck_assert_uint_eq(id, first + n++);
        ck_assert_str_eq(state, "succeeded");
    }
    ck_assert_uint_eq(n, 200);
    ck_assert_uint_eq(fake.recalls, 1);
    forget_answers();
}
END_TEST

START_TEST(remove_tasks_on_disk) {
    uint64_t first = fake_daemon_add_many(&fake, 3);
    Task *running = fake_daemon_add_running(&fake);

    bus_rig_assert_error(MANAGER("RemoveTasks", "at", 2, first, running->id), "StillActive",
                         "cancel it first");
    bus_rig_assert_error(MANAGER("RemoveTasks", "at", 2, first + 1, (uint64_t)99), "NoSuchTask",
                         "99");
    ck_assert_uint_eq(read_number(MANAGER("RemoveTasks", "at", 3, first, first + 2, first + 2)), 2);
    ck_assert_ptr_null(task_table_find(&fake.disk, first));
    ck_assert_ptr_nonnull(task_table_find(&fake.disk, first + 1));
}
END_TEST

static sd_bus_message *remove_numbers(size_t n) {
    sd_bus_message *call;

    ck_assert_int_ge(sd_bus_message_new_method_call(rig.client, &call, LONGRUN_BUS_NAME,
                                                    LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                                    "RemoveTasks"),
                     0);
    ck_assert_int_ge(sd_bus_message_open_container(call, 'a', "t"), 0);
    for (uint64_t id = 1; id <= n; id++)
        ck_assert_int_ge(sd_bus_message_append(call, "t", id), 0);
    ck_assert_int_ge(sd_bus_message_close_container(call), 0);
    forget_answers();
    ck_assert_int_ge(sd_bus_call_async(rig.client, NULL, call, on_answer, NULL, UINT64_MAX), 0);
    sd_bus_message_unref(call);
    await(1);
    sd_bus_message *m = sd_bus_message_ref(answers.messages[0]);
    forget_answers();
    return m;
}

START_TEST(tasks_of_one_call_have_a_cap) {
    fake_daemon_add_many(&fake, BUS_BY_ID_RECALL_MAX + 1);
    sd_bus_message *m = remove_numbers(BUS_BY_ID_RECALL_MAX + 1);

    ck_assert_str_eq(sd_bus_message_get_error(m)->name, SD_BUS_ERROR_LIMITS_EXCEEDED);
    ck_assert_ptr_nonnull(strstr(sd_bus_message_get_error(m)->message, "make several"));
    sd_bus_message_unref(m);
    ck_assert_uint_eq(fake.recalls, 0);
    ck_assert_uint_eq(read_number(remove_numbers(BUS_BY_ID_RECALL_MAX)), BUS_BY_ID_RECALL_MAX);
    ck_assert_uint_eq(fake.recalls, 1);
}
END_TEST

START_TEST(a_disk_that_fails_for_methods) {
    uint64_t id = fake_daemon_add_ended(&fake, TASK_SUCCEEDED)->id;

    fake.disk_error = -EIO;
    bus_rig_assert_error(MANAGER("GetTask", "t", id), "Storage", "Input/output error");
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-recall");
    TCase *t = tcase_create("recall");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, a_property_of_a_task_on_disk);
    tcase_add_test(t, every_interface_of_a_task_on_disk);
    tcase_add_test(t, a_task_that_is_nowhere);
    tcase_add_test(t, a_path_that_is_no_task);
    tcase_add_test(t, many_are_asked_for_together);
    tcase_add_test(t, those_that_come_meanwhile_are_the_next_batch);
    tcase_add_test(t, order_of_calls_of_one_object);
    tcase_add_test(t, a_task_that_leaves_memory_at_once);
    tcase_add_test(t, a_disk_that_fails);
    tcase_add_test(t, calls_of_one_task_have_a_cap);
    tcase_add_test(t, calls_of_all_tasks_have_a_cap);
    tcase_add_test(t, the_end_with_calls_held_back);
    tcase_add_test(t, get_task_on_disk);
    tcase_add_test(t, cancel_with_tasks_on_disk);
    tcase_add_test(t, wait_for_tasks_on_disk);
    tcase_add_test(t, remove_tasks_on_disk);
    tcase_add_test(t, tasks_of_one_call_have_a_cap);
    tcase_add_test(t, a_disk_that_fails_for_methods);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
