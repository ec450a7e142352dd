#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "tests/bus/bus-rig.h"

/* The Task interface and its signals. */

static BusRig rig;
static FakeDaemon fake;

static void setup(void) {
    bus_rig_setup(&rig, "[Manager]\nMaxParallel=4\n");
}

static void setup_fake(void) {
    bus_rig_setup_fake(&rig, &fake);
}

static void teardown(void) {
    bus_rig_teardown(&rig);
}

#define CALL(id, ...)                                                                              \
    ({                                                                                             \
        char _path[64];                                                                            \
        bus_rig_task_path(_path, id);                                                              \
        bus_rig_call(&rig, _path, LONGRUN_TASK_INTERFACE, __VA_ARGS__);                            \
    })

static void good(sd_bus_message *answer) {
    ck_assert(!sd_bus_message_is_method_error(answer, NULL));
    sd_bus_message_unref(answer);
}

static sd_bus_message *get_property(uint64_t id, const char *name, const char *type) {
    char path[64];

    bus_rig_task_path(path, id);
    sd_bus_message *m = bus_rig_call_good(&rig, path, "org.freedesktop.DBus.Properties", "Get",
                                          "ss", LONGRUN_TASK_INTERFACE, name);
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'v', type), 0);
    return m;
}

static void assert_string(uint64_t id, const char *name, const char *expected) {
    sd_bus_message *m = get_property(id, name, "s");
    const char *value;

    ck_assert_int_ge(sd_bus_message_read_basic(m, 's', &value), 0);
    ck_assert_str_eq(value, expected);
    sd_bus_message_unref(m);
}

START_TEST(properties_of_an_ended_task) {
    uint64_t id = bus_rig_start(&rig, "countdown", "{\"steps\": 2, \"step_ms\": 1}");
    sd_bus_message *m;
    double progress;

    ck_assert_str_eq(bus_rig_wait(&rig, id), "succeeded");
    assert_string(id, "State", "succeeded");
    assert_string(id, "Kind", "countdown");
    assert_string(id, "Label", "countdown");
    assert_string(id, "Group", "default");
    assert_string(id, "Status", "Task completed!");
    assert_string(id, "Message", "All work completed successfully!");
    m = get_property(id, "Progress", "d");
    ck_assert_int_ge(sd_bus_message_read_basic(m, 'd', &progress), 0);
    ck_assert_double_eq(progress, 1.0);
    sd_bus_message_unref(m);
}
END_TEST

static double get_double(uint64_t id, const char *name) {
    sd_bus_message *m = get_property(id, name, "d");
    double value;

    ck_assert_int_ge(sd_bus_message_read_basic(m, 'd', &value), 0);
    sd_bus_message_unref(m);
    return value;
}

/* Seconds from now; 0: it is not known. */
static double expected_end(uint64_t id) {
    sd_bus_message *m = get_property(id, "ExpectedEndTime", "t");
    uint64_t value, now = clock_usec(CLOCK_REALTIME);

    ck_assert_int_ge(sd_bus_message_read_basic(m, 't', &value), 0);
    sd_bus_message_unref(m);
    return value == 0 ? 0 : ((double)value - (double)now) / USEC_PER_SEC;
}

START_TEST(how_fast_it_gets_on) {
    Task *t = fake_daemon_add_running(&fake);
    TaskProgress *p = &task_work_make(t)->progress;
    uint64_t begin = clock_usec(CLOCK_MONOTONIC) - 100 * USEC_PER_SEC;

    ck_assert_double_eq(get_double(t->id, "Rate"), -1);
    ck_assert_double_eq(expected_end(t->id), 0);
    assert_string(t->id, "Unit", "");
    assert_string(t->id, "ProgressSource", "");

    /* 4096 a second, as of now, of 4096000: there are 900 s left. */
    for (uint64_t i = 0; i <= 100; i++)
        progress_update(p,
                        &(ProgressNews){.fraction = PROGRESS_UNKNOWN,
                                        .done = i * 4096,
                                        .total = 4096000,
                                        .bytes = true,
                                        .source = PROGRESS_SOURCE_OSC},
                        begin + i * USEC_PER_SEC);
    ck_assert_double_eq_tol(get_double(t->id, "Rate"), 4096, 500);
    ck_assert_double_eq_tol(expected_end(t->id), 900, 20);
    assert_string(t->id, "Unit", "bytes");
    assert_string(t->id, "ProgressSource", "osc");

    ck_assert_int_eq(task_set_state(t, TASK_PAUSED, 1), 0);
    ck_assert_double_eq(get_double(t->id, "Rate"), 0);
    ck_assert_double_eq(expected_end(t->id), 0);
    ck_assert_int_eq(task_set_state(t, TASK_RUNNING, 1), 0);
    ck_assert_double_eq_tol(expected_end(t->id), 900, 20);

    fake_daemon_end(&fake, t, TASK_FAILED);
    ck_assert_double_eq(get_double(t->id, "Rate"), -1);
    ck_assert_double_eq(expected_end(t->id), 0);
    assert_string(t->id, "Unit", "bytes");
}
END_TEST

START_TEST(log_by_offset_and_by_descriptor) {
    const char expected[] = "Task started...\nCompleted step 1\nTask finished successfully\n";
    uint64_t id = bus_rig_start(&rig, "countdown", "{\"steps\": 1, \"step_ms\": 1}"), next;
    char buffer[256];
    const void *data;
    size_t size;
    int fd;

    bus_rig_wait(&rig, id);
    sd_bus_message *m = CALL(id, "ReadLog", "tu", (uint64_t)5, 7);
    ck_assert_int_ge(sd_bus_message_read_array(m, 'y', &data, &size), 0);
    ck_assert_mem_eq(data, expected + 5, 7);
    ck_assert_uint_eq(size, 7);
    ck_assert_int_ge(sd_bus_message_read_basic(m, 't', &next), 0);
    ck_assert_uint_eq(next, 12);
    sd_bus_message_unref(m);

    m = CALL(id, "OpenLog", "");
    ck_assert_int_ge(sd_bus_message_read_basic(m, 'h', &fd), 0);
    ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    ssize_t n = read(fd, buffer, sizeof(buffer));
    ck_assert_int_eq(n, (int)strlen(expected));
    ck_assert_mem_eq(buffer, expected, strlen(expected));
    sd_bus_message_unref(m);
}
END_TEST

START_TEST(result_is_taken_once) {
    uint64_t id = bus_rig_start(&rig, "map", "{\"items\": [\"x\"], \"item_ms\": 100}");
    const char *result;

    bus_rig_assert_error(CALL(id, "TakeResult", ""), "StillActive", "wait");
    bus_rig_wait(&rig, id);
    sd_bus_message *m = CALL(id, "TakeResult", "");
    ck_assert_int_ge(sd_bus_message_read_basic(m, 's', &result), 0);
    ck_assert_ptr_nonnull(strstr(result, "\"processed\":\"X\""));
    sd_bus_message_unref(m);
    bus_rig_assert_error(CALL(id, "TakeResult", ""), "NoResult", "taken already");
}
END_TEST

START_TEST(labels_can_be_changed) {
    uint64_t id = bus_rig_start(&rig, "noop", "{}");

    good(CALL(id, "SetLabel", "s", "a better name"));
    assert_string(id, "Label", "a better name");
    bus_rig_assert_error(CALL(id, "SetLabel", "s", ""), "InvalidOption", "empty");
    bus_rig_assert_error(CALL(id, "SetLabel", "s", "a\tb"), "InvalidOption", "control");
    assert_string(id, "Label", "a better name");
}
END_TEST

START_TEST(threads_have_nothing_to_kill) {
    uint64_t id = bus_rig_start(&rig, "countdown", "{\"steps\": 1, \"step_ms\": 3600000}");

    bus_rig_assert_error(CALL(id, "Kill", "i", SIGTERM), "NotRunning", "isolate");
    bus_rig_assert_error(CALL(id, "Kill", "i", 0), "InvalidOption", "not a signal");
    bus_rig_assert_error(CALL(id, "Kill", "i", 65), "InvalidOption", "not a signal");
    good(CALL(id, "Cancel", ""));
    ck_assert_str_eq(bus_rig_wait(&rig, id), "cancelled");
    bus_rig_assert_error(CALL(id, "Cancel", ""), "NotRunning", "ended already");
    bus_rig_assert_error(CALL(id, "Kill", "i", SIGTERM), "NotRunning", "ended already");
}
END_TEST

START_TEST(objects_that_are_not_there) {
    bus_rig_assert_error(CALL(4711, "Cancel", ""), "NoSuchTask", "4711");
    sd_bus_message *m =
        bus_rig_call(&rig, LONGRUN_TASK_PATH "/x1", LONGRUN_TASK_INTERFACE, "Cancel", "");
    ck_assert(sd_bus_message_is_method_error(m, NULL));
    sd_bus_message_unref(m);
}
END_TEST

/* ---- signals ---- */

typedef struct Seen {
    char text[4096];
    unsigned finished;
} Seen;

static void note(Seen *seen, const char *format, const char *text) {
    size_t n = strlen(seen->text);

    snprintf(seen->text + n, sizeof(seen->text) - n, format, text);
}

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *member = sd_bus_message_get_member(m), *text;
    Seen *seen = userdata;

    if (strcmp(member, "Status") == 0) {
        ck_assert_int_ge(sd_bus_message_read_basic(m, 's', &text), 0);
        note(seen, "status %s|", text);
    } else if (strcmp(member, "Log") == 0) {
        ck_assert_int_ge(sd_bus_message_read(m, "t", NULL), 0);
        ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "(tss)"), 0);
        while (sd_bus_message_read(m, "(tss)", NULL, NULL, &text) > 0)
            note(seen, "log %s|", text);
    } else if (strcmp(member, "Finished") == 0) {
        ck_assert_int_ge(sd_bus_message_read(m, "sis", &text, NULL, NULL), 0);
        note(seen, "finished %s|", text);
        seen->finished++;
    } else if (strcmp(member, "Progress") == 0)
        note(seen, "%s|", "progress");
    return 0;
}

static bool has_finished(void *userdata) {
    return ((Seen *)userdata)->finished > 0;
}

static void watch(Seen *seen) {
    char match[256];

    snprintf(match, sizeof(match), "type='signal',interface='%s'", LONGRUN_TASK_INTERFACE);
    ck_assert_int_ge(sd_bus_add_match(rig.client, NULL, match, on_signal, seen), 0);
}

START_TEST(signals_in_order) {
    Seen seen = {};

    watch(&seen);
    bus_rig_start(&rig, "countdown", "{\"steps\": 2, \"step_ms\": 300}");
    bus_rig_run_until(&rig, has_finished, &seen);
    ck_assert_str_eq(seen.text, "log Task started...|status Initializing...|"
                                "progress|status Processing step 1 of 2|log Completed step 1|"
                                "progress|status Processing step 2 of 2|log Completed step 2|"
                                "status Task completed!|log Task finished successfully|"
                                "finished succeeded|");
}
END_TEST

START_TEST(a_short_task_sends_finished_alone) {
    Seen seen = {};

    watch(&seen);
    bus_rig_start(&rig, "countdown", "{\"steps\": 2, \"step_ms\": 1}");
    bus_rig_run_until(&rig, has_finished, &seen);
    ck_assert_str_eq(seen.text, "finished succeeded|");
}
END_TEST

START_TEST(cancel_is_told_in_order) {
    Seen seen = {};

    watch(&seen);
    uint64_t id = bus_rig_start(&rig, "countdown", "{\"steps\": 2, \"step_ms\": 400}");
    ck_assert_str_eq((good(CALL(id, "SetLabel", "s", "x")), "x"), "x");
    while (!strstr(seen.text, "Completed step 1"))
        ck_assert_int_ge(sd_event_run(rig.event, 20 * 1000000), 0);
    good(CALL(id, "Cancel", ""));
    bus_rig_run_until(&rig, has_finished, &seen);
    ck_assert_ptr_nonnull(strstr(
        seen.text, "log Task cancelled at step 2|status Task cancelled|finished cancelled|"));
    assert_string(id, "Message", "Task was cancelled by user");
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-task");
    TCase *t = tcase_create("task");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, properties_of_an_ended_task);
    tcase_add_test(t, log_by_offset_and_by_descriptor);
    tcase_add_test(t, result_is_taken_once);
    tcase_add_test(t, labels_can_be_changed);
    tcase_add_test(t, threads_have_nothing_to_kill);
    tcase_add_test(t, objects_that_are_not_there);
    tcase_add_test(t, signals_in_order);
    tcase_add_test(t, a_short_task_sends_finished_alone);
    tcase_add_test(t, cancel_is_told_in_order);
    suite_add_tcase(s, t);
    t = tcase_create("fake");
    tcase_add_checked_fixture(t, setup_fake, teardown);
    tcase_add_test(t, how_fast_it_gets_on);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
