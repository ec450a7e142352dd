#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/bus/bus-by-id.h"
#include "tests/bus/bus-rig.h"

/* Starts that come after other tasks, which may lie on disk; repetitions; priorities. */

static BusRig rig;
static FakeDaemon fake;
static unsigned n_answers, n_errors;

static void setup(void) {
    n_answers = n_errors = 0;
    bus_rig_setup_fake(&rig, &fake);
}

static void teardown(void) {
    bus_rig_teardown(&rig);
}

#define CALL(...) bus_rig_call(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)
#define GOOD(...) bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)
#define TASK_CALL(id, ...) bus_rig_call(&rig, path_of(id), LONGRUN_TASK_INTERFACE, __VA_ARGS__)

static const char *path_of(uint64_t id) {
    static char path[64];

    bus_rig_task_path(path, id);
    return path;
}

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    n_answers++;
    n_errors += sd_bus_message_is_method_error(m, NULL) > 0;
    return 0;
}

static bool came(void *userdata) {
    return n_answers >= *(const unsigned *)userdata;
}

static void send(const char *method, const char *types, ...) {
    va_list ap;

    va_start(ap, types);
    ck_assert_int_ge(sd_bus_call_method_asyncv(rig.client, NULL, LONGRUN_BUS_NAME,
                                               LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, method,
                                               on_answer, NULL, types, ap),
                     0);
    va_end(ap);
}

static uint64_t read_id(sd_bus_message *m) {
    const char *path;
    uint64_t id;

    ck_assert_int_ge(sd_bus_message_read(m, "to", &id, &path), 0);
    ck_assert_str_eq(path, path_of(id));
    sd_bus_message_unref(m);
    return id;
}

/* ---- starts ---- */

/* Of each method, with what is on disk under each of the options. */
static const char *const options[] = {"after", "after-any", "after-failed"};

START_TEST(a_start_waits_for_the_disk) {
    uint64_t first = fake_daemon_add_many(&fake, 3);
    const char *option = options[_i];

    fake.disk_stopped = true;
    send("Start", "sa{sv}", "noop", 1, option, "at", 2, first, first + 1);
    send("StartCommand", "asa{sv}", 1, "true", 1, option, "at", 3, first, first, first);
    send("StartMany", "a(sa{sv})", 2, "noop", 0, "noop", 1, option, "at", 1, first + 2);
    /* All else goes on meanwhile. */
    uint64_t other = read_id(GOOD("Start", "sa{sv}", "noop", 0));
    ck_assert_uint_eq(n_answers, 0);
    ck_assert_uint_eq(fake.recalls, 3);
    ck_assert_uint_eq(fake.recalled, 4); /* each once */
    fake_daemon_go_on(&fake);
    bus_rig_run_until(&rig, came, &(unsigned){3});
    ck_assert_uint_eq(n_errors, 0);
    ck_assert_uint_eq(fake.last_id, other + 4);
    const Task *t = task_table_find(&fake.memory, other + 1);
    ck_assert_uint_eq(id_list_length(t->spec->after) + id_list_length(t->spec->after_any) +
                          id_list_length(t->spec->after_failed),
                      2);
}
END_TEST

START_TEST(a_start_that_needs_no_disk) {
    uint64_t id = fake_daemon_add_running(&fake)->id;

    fake.disk_stopped = true;
    read_id(GOOD("Start", "sa{sv}", "noop", 2, "after", "at", 1, id, "after-any", "at", 1, id));
    read_id(GOOD("Start", "sa{sv}", "noop", 1, "after", "at", 0));
    ck_assert_uint_eq(fake.recalls, 0);
}
END_TEST

START_TEST(a_start_when_the_disk_fails) {
    uint64_t id = fake_daemon_add_many(&fake, 1);

    fake.disk_error = -EIO;
    bus_rig_assert_error(
        CALL("Start", "sa{sv}", "noop", 1, "after", "at", 1, id), "Storage",
        "Nothing was started. Cannot read the tasks from disk: Input/output error");
    ck_assert_uint_eq(fake.last_id, id);
}
END_TEST

/* A bad request is refused before the disk is asked for anything. */
START_TEST(a_bad_start_needs_no_disk) {
    uint64_t id = fake_daemon_add_many(&fake, 1);

    fake.disk_stopped = true;
    bus_rig_assert_error(
        CALL("Start", "sa{sv}", "noop", 2, "after", "at", 1, id, "nonsense", "b", true),
        "UnknownOption", "nonsense");
    bus_rig_assert_error(CALL("Start", "sa{sv}", "noop", 1, "after-index", "at", 1, (uint64_t)0),
                         "InvalidOption", "after-index names places of the same StartMany");
    bus_rig_assert_error(
        CALL("StartMany", "a(sa{sv})", 1, "noop", 1, "after-index", "at", 1, (uint64_t)0),
        "InvalidOption", "tasks[0]: after-index 0 is no place before this one");
    ck_assert_uint_eq(fake.recalls, 0);
}
END_TEST

START_TEST(a_start_behind_too_many) {
    sd_bus_message *m;
    static uint64_t ids[BUS_BY_ID_RECALL_MAX + 1];

    for (size_t i = 0; i < ELEMENTSOF(ids); i++)
        ids[i] = 1000000 + i;
    ck_assert_int_ge(sd_bus_message_new_method_call(rig.client, &m, LONGRUN_BUS_NAME,
                                                    LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE,
                                                    "Start"),
                     0);
    ck_assert_int_ge(sd_bus_message_append(m, "s", "noop"), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'a', "{sv}"), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'e', "sv"), 0);
    ck_assert_int_ge(sd_bus_message_append(m, "s", "after"), 0);
    ck_assert_int_ge(sd_bus_message_open_container(m, 'v', "at"), 0);
    ck_assert_int_ge(sd_bus_message_append_array(m, 't', ids, sizeof(ids)), 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_ge(sd_bus_message_close_container(m), 0);
    ck_assert_int_ge(sd_bus_call_async(rig.client, NULL, m, on_answer, NULL, 0), 0);
    sd_bus_message_unref(m);
    bus_rig_run_until(&rig, came, &(unsigned){1});
    ck_assert_uint_eq(n_errors, 1);
    ck_assert_uint_eq(fake.recalls, 0);
}
END_TEST

static bool has_later(void *userdata) {
    return fake.bus->n_later == *(const size_t *)userdata;
}

/* Who asked has gone when the disk answers. */
START_TEST(a_caller_that_has_gone) {
    uint64_t id = fake_daemon_add_many(&fake, 2);

    fake.disk_stopped = true;
    send("Start", "sa{sv}", "noop", 1, "after", "at", 1, id);
    send("RetryAll", "a{sv}", 0);
    bus_rig_run_until(&rig, has_later, &(size_t){2});
    sd_bus_close(rig.client);
    fake_daemon_go_on(&fake);
    bus_rig_run_until(&rig, has_later, &(size_t){0});
}
END_TEST

/* ---- repetitions ---- */

START_TEST(a_repetition) {
    uint64_t id = fake_daemon_add_ended(&fake, TASK_FAILED)->id;
    uint64_t again = read_id(TASK_CALL(id, "Retry", ""));

    ck_assert_uint_eq(again, id + 1);
    ck_assert_uint_eq(task_table_find(&fake.memory, again)->retry_of, id);
    bus_rig_assert_error(TASK_CALL(again, "Retry", ""), "StillActive", "has not ended: wait");
    bus_rig_assert_error(TASK_CALL(99, "Retry", ""), "NoSuchTask", "99");
    fake.refusal = "no room";
    bus_rig_assert_error(TASK_CALL(id, "Retry", ""), "QueueFull", "no room");
    fake.refusal = NULL;
    fake.commit_error = -EIO;
    bus_rig_assert_error(TASK_CALL(id, "Retry", ""), "Storage", "Nothing was started");
}
END_TEST

static size_t read_ids(sd_bus_message *m, const uint64_t **ret) {
    size_t size;

    ck_assert_int_ge(sd_bus_message_read_array(m, 't', (const void **)ret, &size), 0);
    return size / sizeof(uint64_t);
}

START_TEST(all_repetitions) {
    const uint64_t *ids;

    for (TaskState s = TASK_SUCCEEDED; s < _TASK_STATE_MAX; s++)
        fake_daemon_add_ended(&fake, s);
    sd_bus_message *m = GOOD("RetryAll", "a{sv}", 0);
    ck_assert_uint_eq(read_ids(m, &ids), 3);
    sd_bus_message_unref(m);
    ck_assert_uint_eq(fake.filter.states,
                      1u << TASK_FAILED | 1u << TASK_TIMED_OUT | 1u << TASK_INTERRUPTED);
    m = GOOD("RetryAll", "a{sv}", 2, "states", "as", 1, "cancelled", "kind", "s", "noop");
    ck_assert_uint_eq(read_ids(m, &ids), 1);
    ck_assert_uint_eq(ids[0], TASK_CANCELLED - TASK_SUCCEEDED + 1);
    sd_bus_message_unref(m);
    m = GOOD("RetryAll", "a{sv}", 1, "label", "s", "nothing of the kind");
    ck_assert_uint_eq(read_ids(m, &ids), 0);
    sd_bus_message_unref(m);
}
END_TEST

START_TEST(all_repetitions_refused) {
    static const char *const active[] = {"waiting", "queued", "running", "paused"};

    fake_daemon_add_ended(&fake, TASK_FAILED);
    for (size_t i = 0; i < ELEMENTSOF(active); i++)
        bus_rig_assert_error(CALL("RetryAll", "a{sv}", 1, "states", "as", 2, "failed", active[i]),
                             "InvalidOption", "is not the state of one");
    bus_rig_assert_error(CALL("RetryAll", "a{sv}", 1, "limit", "u", 1), "UnknownOption", "limit");
    fake.refusal = "70 tasks match";
    bus_rig_assert_error(CALL("RetryAll", "a{sv}", 0), "QueueFull", "70 tasks match");
    fake.refusal = NULL;
    fake.disk_error = -EIO;
    bus_rig_assert_error(CALL("RetryAll", "a{sv}", 0), "Storage", "Nothing was started");
    fake.disk_error = 0;
    fake.commit_error = -ENOSPC;
    bus_rig_assert_error(CALL("RetryAll", "a{sv}", 0), "Storage", "Nothing was started");
}
END_TEST

/* ---- priorities ---- */

START_TEST(a_priority) {
    uint64_t id = read_id(GOOD("Start", "sa{sv}", "noop", 0));
    const Task *t = task_table_find(&fake.memory, id);

    sd_bus_message *m =
        bus_rig_call_good(&rig, path_of(id), LONGRUN_TASK_INTERFACE, "SetPriority", "i", -7);
    sd_bus_message_unref(m);
    ck_assert_int_eq(t->spec->priority, -7);
    bus_rig_assert_error(TASK_CALL(id, "SetPriority", "i", TASK_PRIORITY_LIMIT + 1),
                         "InvalidOption", "from -1000000 to 1000000, not 1000001");
    bus_rig_assert_error(TASK_CALL(fake_daemon_add_running(&fake)->id, "SetPriority", "i", 1),
                         "NotRunning", "has started already (running)");
    bus_rig_assert_error(
        TASK_CALL(fake_daemon_add_ended(&fake, TASK_FAILED)->id, "SetPriority", "i", 1),
        "NotRunning", "has ended already: failed");
    fake.commit_error = -EIO;
    bus_rig_assert_error(TASK_CALL(id, "SetPriority", "i", 1), "Storage", "The change is made");
    ck_assert_int_eq(t->spec->priority, 1);
}
END_TEST

START_TEST(all_priorities) {
    uint64_t first = read_id(GOOD("Start", "sa{sv}", "noop", 1, "label", "s", "a"));
    uint32_t n;

    for (int i = 0; i < 3; i++)
        read_id(GOOD("Start", "sa{sv}", "noop", 1, "label", "s", "b"));
    fake_daemon_add_running(&fake);
    sd_bus_message *m = GOOD("SetPriorityAll", "a{sv}i", 1, "label", "s", "b", 5);
    ck_assert_int_ge(sd_bus_message_read_basic(m, 'u', &n), 0);
    sd_bus_message_unref(m);
    ck_assert_uint_eq(n, 3);
    ck_assert_int_eq(task_table_find(&fake.memory, first)->spec->priority, 0);
    ck_assert_int_eq(task_table_find(&fake.memory, first + 3)->spec->priority, 5);
    m = GOOD("SetPriorityAll", "a{sv}i", 0, 5);
    ck_assert_int_ge(sd_bus_message_read_basic(m, 'u', &n), 0);
    sd_bus_message_unref(m);
    ck_assert_uint_eq(n, 1);
    bus_rig_assert_error(CALL("SetPriorityAll", "a{sv}i", 0, -TASK_PRIORITY_LIMIT - 1),
                         "InvalidOption", "not -1000001");
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-again");
    TCase *t = tcase_create("again");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, a_start_waits_for_the_disk, 0, (int)ELEMENTSOF(options));
    tcase_add_test(t, a_start_that_needs_no_disk);
    tcase_add_test(t, a_start_when_the_disk_fails);
    tcase_add_test(t, a_bad_start_needs_no_disk);
    tcase_add_test(t, a_start_behind_too_many);
    tcase_add_test(t, a_caller_that_has_gone);
    tcase_add_test(t, a_repetition);
    tcase_add_test(t, all_repetitions);
    tcase_add_test(t, all_repetitions_refused);
    tcase_add_test(t, a_priority);
    tcase_add_test(t, all_priorities);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
