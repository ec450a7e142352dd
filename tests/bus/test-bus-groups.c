#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/strv.h"
#include "daemon/bus/bus-publisher.h"
#include "daemon/core/task-options.h"
#include "tests/bus/bus-rig.h"

/* Groups and resources: what goes in comes out, what is wrong is refused, and nothing is answered
 * before it is on disk. */

static BusRig rig;
static FakeDaemon fake;

static void setup(void) {
    bus_rig_setup_fake(&rig, &fake);
}

static void teardown(void) {
    bus_rig_teardown(&rig);
}

#define CALL(...) bus_rig_call(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__)
#define GOOD(...)                                                                                  \
    sd_bus_message_unref(                                                                          \
        bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, __VA_ARGS__))

static const Group *group(const char *name) {
    const Group *g;

    HASH_FIND_STR(fake.groups, name, g);
    ck_assert_ptr_nonnull(g);
    return g;
}

static uint64_t bit(const char *option) {
    return task_option_bit(task_option_by_name(option));
}

/* ---- ConfigureGroup ---- */

START_TEST(what_is_named_is_changed) {
    GOOD("ConfigureGroup", "sa{sv}", "build", 4, "max-parallel", "u", 3, "timeout", "t",
         (uint64_t)7, "resources", "a{su}", 2, "net", 2, "gpu", 1, "unset", "as", 2, "nice",
         "retries");
    const Group *g = group("build");
    ck_assert_uint_eq(g->max_parallel, 3);
    ck_assert_uint_eq(g->max_queued, 0);
    ck_assert_uint_eq(g->defaults->given, bit("timeout") | bit("resources"));
    ck_assert_uint_eq(g->defaults->timeout_usec, 7);
    ck_assert_uint_eq(token_list_length(g->defaults->resources), 2);
    ck_assert_uint_eq(fake.unset, bit("nice") | bit("retries"));

    GOOD("ConfigureGroup", "sa{sv}", "build", 1, "max-queued", "u", 0);
    ck_assert_uint_eq(g->max_parallel, 3);
    GOOD("ConfigureGroup", "sa{sv}", "plain", 0);
    ck_assert_uint_eq(HASH_COUNT(fake.groups), 2);
}
END_TEST

/* The whole table of options: those that may be defaults, and no others. */
START_TEST(an_option_is_a_default_or_not) {
    const TaskOption *o = &task_options()[_i];
    const char *type = o->type;
    sd_bus_message *m;

    if (!(o->flags & TASK_OPTION_DEFAULT)) {
        m = type[0] == 'a'   ? CALL("ConfigureGroup", "sa{sv}", "g", 1, o->name, type, 0)
            : type[0] == 't' ? CALL("ConfigureGroup", "sa{sv}", "g", 1, o->name, type, (uint64_t)1)
            : type[0] == 's' ? CALL("ConfigureGroup", "sa{sv}", "g", 1, o->name, type, "x")
                             : CALL("ConfigureGroup", "sa{sv}", "g", 1, o->name, type, 1);
        bus_rig_assert_error(m, "InvalidOption", o->name);
        ck_assert_uint_eq(HASH_COUNT(fake.groups), 0);
        return;
    }
    if (type[0] == 't')
        GOOD("ConfigureGroup", "sa{sv}", "g", 1, o->name, type, (uint64_t)1);
    else if (type[0] == 's')
        GOOD("ConfigureGroup", "sa{sv}", "g", 1, o->name, type, "x");
    else
        GOOD("ConfigureGroup", "sa{sv}", "g", 1, o->name, type, type[0] == 'a' ? 0 : 1);
    ck_assert_uint_eq(group("g")->defaults->given, task_option_bit(o));
}
END_TEST

START_TEST(what_is_wrong_is_refused) {
    bus_rig_assert_error(CALL("ConfigureGroup", "sa{sv}", "g", 1, "nonsense", "u", 1),
                         "UnknownOption", "no property \"nonsense\"");
    bus_rig_assert_error(CALL("ConfigureGroup", "sa{sv}", "g", 1, "max-queued", "t", (uint64_t)1),
                         "InvalidOption", "max-queued is of type u, not t");
    bus_rig_assert_error(
        CALL("ConfigureGroup", "sa{sv}", "g", 2, "max-queued", "u", 1, "max-queued", "u", 2),
        "InvalidOption", "max-queued is given twice");
    bus_rig_assert_error(CALL("ConfigureGroup", "sa{sv}", "g", 2, "nice", "i", 1, "nice", "i", 2),
                         "InvalidOption", "nice is given twice");
    bus_rig_assert_error(CALL("ConfigureGroup", "sa{sv}", "g", 1, "nice", "u", 1), "InvalidOption",
                         "nice is of type i, not u");
    bus_rig_assert_error(CALL("ConfigureGroup", "sa{sv}", "g", 1, "unset", "s", "nice"),
                         "InvalidOption", "unset is of type as, not s");
    bus_rig_assert_error(CALL("ConfigureGroup", "sa{sv}", "g", 1, "unset", "as", 1, "argv"),
                         "InvalidOption", "argv");
    bus_rig_assert_error(
        CALL("ConfigureGroup", "sa{sv}", "g", 2, "unset", "as", 1, "nice", "nice", "i", 1),
        "InvalidOption", "nice is both given and to be unset");
    ck_assert_uint_eq(HASH_COUNT(fake.groups), 0);
}
END_TEST

/* ---- ListGroups ---- */

static void expect_number(sd_bus_message *m, const char *key, uint32_t expected) {
    const char *name;
    uint32_t number;

    ck_assert_int_gt(sd_bus_message_read(m, "{sv}", &name, "u", &number), 0);
    ck_assert_str_eq(name, key);
    ck_assert_uint_eq(number, expected);
}

static void expect_flag(sd_bus_message *m, const char *key, bool expected) {
    const char *name;
    int flag;

    ck_assert_int_gt(sd_bus_message_read(m, "{sv}", &name, "b", &flag), 0);
    ck_assert_str_eq(name, key);
    ck_assert_int_eq(flag, expected);
}

START_TEST(a_group_is_listed) {
    const char *name, *value;
    uint64_t timeout;

    GOOD("ConfigureGroup", "sa{sv}", "build", 3, "max-parallel", "u", 3, "max-queued", "u", 70,
         "timeout", "t", (uint64_t)7);
    Group *g = fake.groups;
    g->active = 9;
    g->running = 2;
    g->queued = 3;
    g->waiting = 4;
    g->succeeded = 5;
    g->failed = 6;
    g->paused = _i;
    sd_bus_message *m =
        bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, "ListGroups", "");
    ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "a{sv}"), 0);
    ck_assert_int_gt(sd_bus_message_enter_container(m, 'a', "{sv}"), 0);
    ck_assert_int_gt(sd_bus_message_read(m, "{sv}", &name, "s", &value), 0);
    ck_assert_str_eq(name, "name");
    ck_assert_str_eq(value, "build");
    expect_flag(m, "paused", _i);
    expect_flag(m, "draining", false);
    expect_number(m, "max-parallel", 3);
    expect_number(m, "max-queued", 70);
    expect_number(m, "active", 9);
    expect_number(m, "running", 2);
    expect_number(m, "queued", _i ? 0 : 3); /* as they are shown */
    expect_number(m, "waiting", _i ? 7 : 4);
    expect_number(m, "succeeded", 5);
    expect_number(m, "failed", 6);
    ck_assert_int_gt(sd_bus_message_read(m, "{sv}", &name, "a{sv}", 1, &value, "t", &timeout), 0);
    ck_assert_str_eq(value, "timeout");
    ck_assert_uint_eq(timeout, 7);
    ck_assert_int_eq(sd_bus_message_exit_container(m), 1);
    ck_assert_int_eq(sd_bus_message_exit_container(m), 1);
    sd_bus_message_unref(m);
}
END_TEST

START_TEST(names_are_a_property) {
    _cleanup_(strv_freep) char **names = NULL;

    GOOD("ConfigureGroup", "sa{sv}", "a", 0);
    GOOD("ConfigureGroup", "sa{sv}", "b", 0);
    GOOD("RemoveGroup", "s", "a");
    bus_rig_assert_error(CALL("RemoveGroup", "s", "a"), "NoSuchGroup", "no a");
    GOOD("ConfigureGroup", "sa{sv}", "c", 0);
    sd_bus_message *m =
        bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, "org.freedesktop.DBus.Properties", "Get", "ss",
                          LONGRUN_MANAGER_INTERFACE, "Groups");
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'v', "as"), 0);
    ck_assert_int_ge(sd_bus_message_read_strv(m, &names), 0);
    ck_assert_uint_eq(strv_length(names), 2);
    ck_assert_str_eq(names[0], "b");
    ck_assert_str_eq(names[1], "c");
    sd_bus_message_unref(m);
}
END_TEST

START_TEST(each_order_is_passed_on) {
    static const struct {
        const char *method;
        bool paused, draining;
    } orders[] = {{"Pause", true, false}, {"Drain", false, true}, {"Resume", false, false}};

    GOOD("ConfigureGroup", "sa{sv}", "g", 0);
    for (size_t i = 0; i < ELEMENTSOF(orders); i++) {
        GOOD(orders[i].method, "s", "g");
        ck_assert_int_eq(group("g")->paused, orders[i].paused);
        ck_assert_int_eq(group("g")->draining, orders[i].draining);
        bus_rig_assert_error(CALL(orders[i].method, "s", "x"), "NoSuchGroup", "no x");
    }
}
END_TEST

/* ---- resources ---- */

START_TEST(resources_are_listed) {
    const char *name;
    uint32_t capacity, used;

    GOOD("ConfigureResource", "su", "gpu", 2);
    GOOD("ConfigureResource", "su", "net", UINT32_MAX);
    resource_find(&fake.resources, "gpu")->used = 3;
    sd_bus_message *m =
        bus_rig_call_good(&rig, LONGRUN_ROOT_PATH, LONGRUN_MANAGER_INTERFACE, "ListResources", "");
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "(suu)"), 0);
    ck_assert_int_gt(sd_bus_message_read(m, "(suu)", &name, &capacity, &used), 0);
    ck_assert_str_eq(name, "gpu");
    ck_assert_uint_eq(capacity, 2);
    ck_assert_uint_eq(used, 3);
    ck_assert_int_gt(sd_bus_message_read(m, "(suu)", &name, &capacity, &used), 0);
    ck_assert_str_eq(name, "net");
    ck_assert_uint_eq(capacity, UINT32_MAX);
    ck_assert_int_eq(sd_bus_message_read(m, "(suu)", &name, &capacity, &used), 0);
    sd_bus_message_unref(m);
}
END_TEST

/* ---- the disk ---- */

static const struct {
    const char *method, *types;
} changes[] = {
    {"ConfigureGroup", "sa{sv}"},
    {"RemoveGroup", "s"},
    {"Pause", "s"},
    {"Resume", "s"},
    {"Drain", "s"},
    {"ConfigureResource", "su"},
};

static int on_answer(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    *(sd_bus_message **)userdata = sd_bus_message_ref(m);
    return 0;
}

static bool has_answer(void *userdata) {
    return *(sd_bus_message **)userdata;
}

static sd_bus_message *answer_after_commit(size_t i, int commit_error) {
    sd_bus_message *answer = NULL;

    GOOD("ConfigureGroup", "sa{sv}", "g", 0);
    fake.commits_stopped = true;
    fake.commit_error = commit_error;
    ck_assert_int_ge(sd_bus_call_method_async(rig.client, NULL, LONGRUN_BUS_NAME, LONGRUN_ROOT_PATH,
                                              LONGRUN_MANAGER_INTERFACE, changes[i].method,
                                              on_answer, &answer, changes[i].types, "g", 0),
                     0);
    /* An answer that did not wait would come before the one to a later call. */
    sd_bus_message_unref(CALL("ListResources", ""));
    ck_assert_ptr_null(answer);
    fake_daemon_go_on(&fake);
    bus_rig_run_until(&rig, has_answer, &answer);
    return answer;
}

START_TEST(the_answer_waits_for_the_disk) {
    sd_bus_message *answer = answer_after_commit((size_t)_i, 0);

    ck_assert(!sd_bus_message_is_method_error(answer, NULL));
    sd_bus_message_unref(answer);
}
END_TEST

START_TEST(the_answer_tells_of_the_disk) {
    bus_rig_assert_error(answer_after_commit((size_t)_i, -ENOSPC), "Storage",
                         "The change is made, but it is not on disk yet");
}
END_TEST

/* ---- tasks that are shown in another state ---- */

static unsigned signals, batches, entries;

static int on_signal(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Properties", "PropertiesChanged"))
        signals++;
    if (!sd_bus_message_is_signal(m, LONGRUN_MANAGER_INTERFACE, "TasksChanged"))
        return 0;
    batches++;
    ck_assert_int_ge(sd_bus_message_enter_container(m, 'a', "(tsds)"), 0);
    const char *state;
    while (sd_bus_message_read(m, "(tsds)", NULL, &state, NULL, NULL) > 0) {
        ck_assert_str_eq(state, "waiting");
        entries++;
    }
    return 0;
}

static bool has_batch(void *userdata) {
    return batches >= *(unsigned *)userdata;
}

/* A task without a slot is told of too; one that has gone by the time of the batch is not. */
START_TEST(a_pending_task_is_told_of) {
    Task *tasks[3];
    Group g = {.name = (char *)"g", .paused = true};
    unsigned number = 1;

    ck_assert_int_ge(sd_bus_add_filter(rig.client, NULL, on_signal, NULL), 0);
    for (size_t i = 0; i < ELEMENTSOF(tasks); i++) {
        tasks[i] = fake_daemon_add_running(&fake);
        tasks[i]->state = TASK_QUEUED;
        tasks[i]->group = &g;
        bus_publisher_task_changed(fake.bus->publisher, tasks[i], BUS_CHANGE_STATE);
        bus_publisher_task_changed(fake.bus->publisher, tasks[i], BUS_CHANGE_PROGRESS);
    }
    task_table_take(&fake.memory, tasks[1]);
    task_free(tasks[1]);
    tasks[2]->group = NULL;
    tasks[2]->state = TASK_CANCELLED; /* it is told by its end */
    bus_rig_run_until(&rig, has_batch, &number);
    ck_assert_uint_eq(signals, 3);
    ck_assert_uint_eq(entries, 1);
    tasks[0]->group = NULL;
    tasks[2]->state = TASK_QUEUED;
}
END_TEST

static int on_group_finished(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    if (sd_bus_message_is_signal(m, LONGRUN_MANAGER_INTERFACE, "GroupFinished"))
        *(sd_bus_message **)userdata = sd_bus_message_ref(m);
    return 0;
}

/* Without ends of tasks to go with, it does not wait for some. */
START_TEST(a_group_that_runs_dry_without_an_end) {
    sd_bus_message *signal = NULL;
    uint32_t succeeded, failed;
    const char *name;

    GOOD("ConfigureGroup", "sa{sv}", "g", 0); /* signals before that are not sent */
    ck_assert_int_ge(sd_bus_add_filter(rig.client, NULL, on_group_finished, &signal), 0);
    bus_publisher_group_finished(fake.bus->publisher, "g", 3, 4);
    bus_rig_run_until(&rig, has_answer, &signal);
    ck_assert_int_gt(sd_bus_message_read(signal, "suu", &name, &succeeded, &failed), 0);
    ck_assert_str_eq(name, "g");
    ck_assert_uint_eq(succeeded, 3);
    ck_assert_uint_eq(failed, 4);
    sd_bus_message_unref(signal);
}
END_TEST

static int count_options(void) {
    int n = 0;

    while (task_options()[n].name)
        n++;
    return n;
}

int main(void) {
    Suite *s = suite_create("bus-groups");
    TCase *t = tcase_create("groups");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, what_is_named_is_changed);
    tcase_add_loop_test(t, an_option_is_a_default_or_not, 0, count_options());
    tcase_add_test(t, what_is_wrong_is_refused);
    tcase_add_loop_test(t, a_group_is_listed, 0, 2);
    tcase_add_test(t, names_are_a_property);
    tcase_add_test(t, each_order_is_passed_on);
    tcase_add_test(t, resources_are_listed);
    tcase_add_loop_test(t, the_answer_waits_for_the_disk, 0, (int)ELEMENTSOF(changes));
    tcase_add_loop_test(t, the_answer_tells_of_the_disk, 0, (int)ELEMENTSOF(changes));
    tcase_add_test(t, a_pending_task_is_told_of);
    tcase_add_test(t, a_group_that_runs_dry_without_an_end);
    suite_add_tcase(s, t);
    SRunner *runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
