#include <check.h>

#include "tests/bus/bus-rig.h"

/* Starts that wait: for systemd to read a calendar, and for tasks on disk. */

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

static const TaskSpec *started(sd_bus_message *answer, uint64_t id) {
    uint64_t is;
    const Task *t = task_table_find(&fake.memory, id);

    ck_assert_int_ge(sd_bus_message_read(answer, "to", &is, NULL), 0);
    ck_assert_uint_eq(is, id);
    ck_assert_ptr_nonnull(t);
    sd_bus_message_unref(answer);
    return t->spec;
}

START_TEST(without_calendar) {
    (void)started(GOOD("Start", "sa{sv}", "noop", 1, "label", "s", "x"), 1);
    ck_assert_uint_eq(fake.checks, 0);
}
END_TEST

START_TEST(calendar_is_checked) {
    const TaskSpec *spec =
        started(GOOD("Start", "sa{sv}", "noop", 2, "calendar", "s", "daily", "label", "s", "x"), 1);

    ck_assert_uint_eq(fake.checks, 1);
    ck_assert_str_eq(spec->calendar, "daily");
    ck_assert_str_eq(spec->label, "x");
    spec =
        started(GOOD("StartCommand", "asa{sv}", 2, "true", "-x", 1, "calendar", "s", "weekly"), 2);
    ck_assert_str_eq(spec->argv[1], "-x");
    ck_assert_str_eq(spec->calendar, "weekly");
}
END_TEST

START_TEST(calendar_that_is_known) {
    fake.calendars_are_known = true;
    (void)started(GOOD("Start", "sa{sv}", "noop", 1, "calendar", "s", "daily"), 1);
    ck_assert_uint_eq(fake.checks, 1);
}
END_TEST

START_TEST(calendar_that_never_elapses) {
    bus_rig_assert_error(CALL("Start", "sa{sv}", "noop", 1, "calendar", "s", "never"),
                         "InvalidOption", "never elapses");
    bus_rig_assert_error(
        CALL("StartMany", "a(sa{sv})", 2, "noop", 0, "noop", 1, "calendar", "s", "never"),
        "InvalidOption", "never elapses");
    ck_assert_ptr_null(task_table_begin(&fake.memory, false));
    ck_assert_int_eq(fake.bus->n_later, 0);
}
END_TEST

/* One after the other: what was recalled does not stay for long. */
START_TEST(calendar_and_tasks_on_disk) {
    uint64_t id = fake_daemon_add_ended(&fake, TASK_SUCCEEDED)->id;

    fake.evictions = 1;
    sd_bus_message_unref(GOOD("StartMany", "a(sa{sv})", 2, "noop", 1, "calendar", "s", "daily",
                              "noop", 1, "after", "at", 1, id));
    ck_assert_uint_eq(fake.checks, 1);
    ck_assert_uint_eq(fake.recalls, 1);
    ck_assert_ptr_nonnull(task_table_find(&fake.memory, id + 1));
    ck_assert_ptr_nonnull(task_table_find(&fake.memory, id + 2));
    ck_assert_int_eq(fake.bus->n_later, 0);
}
END_TEST

/* The bus goes while systemd is being asked: see teardown. */
START_TEST(bus_goes) {
    ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, NULL, LONGRUN_ROOT_PATH,
                                              LONGRUN_MANAGER_INTERFACE, "Start", NULL, NULL,
                                              "sa{sv}", "noop", 1, "calendar", "s", "daily"),
                     0);
    fake.disk_stopped = true;
    while (fake.checks == 0)
        ck_assert_int_ge(sd_event_run(rig.event, UINT64_MAX), 0);
    ck_assert_int_eq(fake.bus->n_later, 1);
}
END_TEST

int main(void) {
    Suite *s = suite_create("bus-start");
    TCase *t = tcase_create("start");
    SRunner *runner = srunner_create(s);

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, without_calendar);
    tcase_add_test(t, calendar_is_checked);
    tcase_add_test(t, calendar_that_is_known);
    tcase_add_test(t, calendar_that_never_elapses);
    tcase_add_test(t, calendar_and_tasks_on_disk);
    tcase_add_test(t, bus_goes);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed > 0;
}
