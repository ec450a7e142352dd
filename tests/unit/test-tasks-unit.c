/* longrun-tasks.service, asked for over a connection on whose other end a stand-in for the systemd
 * user manager sits. */

#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <systemd/sd-id128.h>

#include "common/clock.h"
#include "common/log.h"
#include "daemon/tasks-unit.h"
#include "tests/unit/unit.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD ".Manager"
#define OUR_JOB SYSTEMD_PATH "/job/7"

#define DEADLINE_USEC (20 * USEC_PER_SEC)

static sd_event *event;
static sd_bus *manager, *client;
static TasksUnit *unit;

/* How the manager behaves. */
static const char *runtime_dir; /* its XDG_RUNTIME_DIR; NULL: it tells none */
static const char *error_name;  /* of StartUnit; NULL: there is a job */
static unsigned errors;         /* so many times */
static const char *result;      /* of the job; NULL: it never ends */
static bool early;              /* the end of the job comes before the reply */
static bool others;             /* jobs of others end as well */
static unsigned starts, subscriptions;

/* What was answered. */
static unsigned answers;
static bool usable;
static char reason[512];

/* ---- the manager ---- */

static void remove_job(const char *job, const char *name, const char *how) {
    MUST(sd_bus_emit_signal(manager, SYSTEMD_PATH, SYSTEMD_MANAGER, "JobRemoved", "uoss", 7, job,
                            name, how) >= 0);
}

static void end_jobs(void) {
    if (others) {
        remove_job(SYSTEMD_PATH "/job/6", "other.service", "failed");
        remove_job(SYSTEMD_PATH "/job/5", TASKS_UNIT, "canceled"); /* an earlier one */
    }
    if (result)
        remove_job(OUR_JOB, TASKS_UNIT, result);
}

static int method_start_unit(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *name, *mode;

    MUST(sd_bus_message_read(m, "ss", &name, &mode) >= 0);
    ck_assert_str_eq(name, TASKS_UNIT);
    ck_assert_str_eq(mode, "fail");
    starts++;
    if (error_name && starts <= errors)
        return sd_bus_error_set(error, error_name, "in the manager's words");
    if (early)
        end_jobs();
    MUST(sd_bus_reply_method_return(m, "o", OUR_JOB) >= 0);
    if (!early)
        end_jobs();
    return 1;
}

static int method_subscribe(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    subscriptions++;
    return sd_bus_reply_method_return(m, "");
}

static int property_environment(sd_bus *bus, const char *path, const char *interface,
                                const char *property, sd_bus_message *reply, void *userdata,
                                sd_bus_error *error) {
    char variable[256];

    snprintf(variable, sizeof(variable), "XDG_RUNTIME_DIR=%s", strempty(runtime_dir));
    return sd_bus_message_append(reply, "as", 2, "SHELL=/bin/sh", runtime_dir ? variable : "A=b");
}

/* clang-format off */
static const sd_bus_vtable manager_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("StartUnit", "ss", "o", method_start_unit, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Subscribe", "", "", method_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("Environment", "as", property_environment, 0, 0),
    SD_BUS_VTABLE_END,
};
/* clang-format on */

/* ---- the rig ---- */

static void on_answer(void *userdata, bool is_usable, const char *why) {
    answers++;
    usable = is_usable;
    snprintf(reason, sizeof(reason), "%s", strempty(why));
}

static void connect_ends(void) {
    sd_id128_t id;
    int pair[2];

    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    MUST(sd_id128_randomize(&id) >= 0);
    MUST(sd_bus_new(&manager) >= 0);
    MUST(sd_bus_set_fd(manager, pair[0], pair[0]) >= 0);
    MUST(sd_bus_set_server(manager, true, id) >= 0);
    MUST(sd_bus_attach_event(manager, event, 0) >= 0);
    MUST(sd_bus_start(manager) >= 0);
    MUST(sd_bus_new(&client) >= 0);
    MUST(sd_bus_set_fd(client, pair[1], pair[1]) >= 0);
    MUST(sd_bus_attach_event(client, event, 0) >= 0);
    MUST(sd_bus_start(client) >= 0);
}

static void setup(void) {
    log_set_max_level(LOG_CRIT);
    MUST(sd_event_new(&event) >= 0);
    connect_ends();
    result = "done";
    errors = UINT_MAX;
    MUST(tasks_unit_new(&unit, client, event, unit_dir, on_answer, NULL) == 0);
}

static void teardown(void) {
    unit = tasks_unit_free(unit);
    client = sd_bus_flush_close_unref(client);
    manager = sd_bus_flush_close_unref(manager);
    event = sd_event_unref(event);
}

static void add_manager(void) {
    MUST(sd_bus_add_object_vtable(manager, NULL, SYSTEMD_PATH, SYSTEMD_MANAGER, manager_vtable,
                                  NULL) >= 0);
}

static void until_answers(unsigned n) {
    uint64_t deadline = clock_usec(CLOCK_MONOTONIC) + DEADLINE_USEC;

    while (answers < n) {
        MUST(clock_usec(CLOCK_MONOTONIC) < deadline);
        MUST(sd_event_run(event, USEC_PER_SEC) >= 0);
    }
    ck_assert_uint_eq(answers, n);
}

static void ask(void) {
    unsigned before = answers;

    tasks_unit_ask(unit);
    ck_assert_uint_eq(answers, before);
    until_answers(before + 1);
}

static void expect_reason(const char *wanted) {
    char text[512];

    snprintf(text, sizeof(text), wanted, unit_dir);
    ck_assert(!usable);
    ck_assert_str_eq(reason, text);
}

/* ---- tests ---- */

START_TEST(test_usable) {
    add_manager();
    unit_write("keeper", "", 0);
    early = _i & 1;
    others = _i & 2;
    ask();
    ck_assert_msg(usable, "%s", reason);
    ck_assert_uint_eq(starts, 1);
    ck_assert_uint_eq(subscriptions, 1);
    /* And again, later. */
    result = "failed";
    ask();
    ck_assert(!usable);
    result = "done";
    ask();
    ck_assert(usable);
    ck_assert_uint_eq(starts, 3);
}
END_TEST

START_TEST(test_ask_twice) {
    add_manager();
    unit_write("keeper", "", 0);
    tasks_unit_ask(unit);
    tasks_unit_ask(unit);
    until_answers(1);
    while (sd_event_run(event, 0) > 0)
        ;
    ck_assert_uint_eq(answers, 1);
    ck_assert_uint_eq(starts, 1);
}
END_TEST

START_TEST(test_no_manager) {
    ask();
    expect_reason("there is no systemd user manager on this bus");
}
END_TEST

static const struct {
    const char *error, *result, *reason;
} failures[] = {
    {SYSTEMD ".NoSuchUnit", NULL, TASKS_UNIT " is not installed"},
    {SYSTEMD ".LoadFailed", NULL, TASKS_UNIT " is not installed"},
    {SYSTEMD ".UnitMasked", NULL, TASKS_UNIT " is masked"},
    {"org.freedesktop.DBus.Error.AccessDenied", NULL,
     TASKS_UNIT " cannot be started: in the manager's words"},
    {SD_BUS_ERROR_SERVICE_UNKNOWN, NULL, "there is no systemd user manager on this bus"},
    {NULL, "failed",
     TASKS_UNIT " could not be started (failed): see systemctl --user status " TASKS_UNIT},
    {NULL, "timeout",
     TASKS_UNIT " could not be started (timeout): see systemctl --user status " TASKS_UNIT},
    {NULL, "done", TASKS_UNIT " serves another runtime folder than %s"}, /* no socket is there */
};

START_TEST(test_failure) {
    add_manager();
    error_name = failures[_i].error;
    result = failures[_i].result;
    ask();
    expect_reason(failures[_i].reason);
}
END_TEST

/* The unit would keep the tasks of another daemon: it is not even started. */
START_TEST(test_other_folder) {
    add_manager();
    unit_write("keeper", "", 0);
    runtime_dir = "/run/user/4711";
    ask();
    expect_reason(TASKS_UNIT " serves another runtime folder than %s");
    ck_assert_uint_eq(starts, 0);
}
END_TEST

static const char *const stopping[] = {SYSTEMD ".TransactionIsDestructive",
                                       SYSTEMD ".TransactionJobsConflicting",
                                       SYSTEMD ".ShuttingDown"};

/* No answer while it is being stopped: otherwise commands would start without it. */
START_TEST(test_stopping) {
    add_manager();
    unit_write("keeper", "", 0);
    error_name = stopping[_i];
    errors = 2;
    ask();
    ck_assert(usable);
    ck_assert_uint_eq(starts, 3);
}
END_TEST

/* The last thing that is asked of it, with a question open. */
START_TEST(test_free) {
    add_manager();
    result = NULL;
    tasks_unit_ask(unit);
    while (starts == 0)
        MUST(sd_event_run(event, USEC_PER_SEC) >= 0);
    unit = tasks_unit_free(unit);
    end_jobs();
    while (sd_event_run(event, 0) > 0)
        ;
    ck_assert_uint_eq(answers, 0);
}
END_TEST

START_TEST(test_slow) {
    add_manager();
    result = NULL;
    ask();
    expect_reason("the systemd user manager has not started " TASKS_UNIT " within 10 s");
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("tasks-unit");
    TCase *t = tcase_create("tasks-unit");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, test_usable, 0, 4);
    tcase_add_test(t, test_ask_twice);
    tcase_add_test(t, test_no_manager);
    tcase_add_loop_test(t, test_failure, 0, ELEMENTSOF(failures));
    tcase_add_test(t, test_other_folder);
    tcase_add_loop_test(t, test_stopping, 0, ELEMENTSOF(stopping));
    tcase_add_test(t, test_free);
    tcase_add_test(t, test_slow);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
