#include "daemon/tasks-unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log.h"
#include "common/shim-protocol.h"
#include "common/strv.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER SYSTEMD ".Manager"

#define ANSWER_TIMEOUT_USEC (10 * USEC_PER_SEC)
#define RETRY_INTERVAL_USEC (500 * USEC_PER_MSEC)

typedef enum AskState {
    ASK_NOTHING,
    ASK_BEGIN, /* the timer begins */
    ASK_WAIT,  /* for the manager; the timer gives up */
    ASK_RETRY, /* the unit is being stopped; the timer asks again */
} AskState;

struct TasksUnit {
    sd_bus *bus;
    char *runtime_dir;
    TasksUnitAnswer answer;
    void *userdata; /* not owned */
    AskState state;
    sd_event_source *timer;
    sd_bus_slot *match, *call;
    char *job;      /* path of the job that starts it; NULL: not known yet */
    char *done_job; /* path of the last job of the unit that ended, and how */
    char *done_result;
    bool waiting_logged;
};

static void set_timer(TasksUnit *u, AskState state, uint64_t usec) {
    u->state = state;
    int r = sd_event_source_set_time_relative(u->timer, usec);

    if (r >= 0)
        r = sd_event_source_set_enabled(u->timer, SD_EVENT_ONESHOT);
    if (r < 0)
        log_error_errno(r, "Cannot set a timer");
}

/* ---- the answer ---- */

static void forget_question(TasksUnit *u) {
    u->state = ASK_NOTHING;
    (void)sd_event_source_set_enabled(u->timer, SD_EVENT_OFF);
    u->call = sd_bus_slot_unref(u->call);
    free(u->job);
    free(u->done_job);
    free(u->done_result);
    u->job = u->done_job = u->done_result = NULL;
    u->waiting_logged = false;
}

static void answer_no(TasksUnit *u, const char *format, ...) _printf_(2, 3);
static void answer_no(TasksUnit *u, const char *format, ...) {
    char reason[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(reason, sizeof(reason), format, ap);
    va_end(ap);
    forget_question(u);
    u->answer(u->userdata, false, reason);
}

static void answer_started(TasksUnit *u) {
    char path[4096];

    if ((size_t)snprintf(path, sizeof(path), "%s/" KEEPER_SOCKET, u->runtime_dir) >= sizeof(path) ||
        access(path, F_OK) < 0) {
        answer_no(u, TASKS_UNIT " serves another runtime folder than %s", u->runtime_dir);
        return;
    }
    forget_question(u);
    u->answer(u->userdata, true, NULL);
}

static void answer_if_done(TasksUnit *u) {
    if (!u->job || !u->done_job || !streq(u->job, u->done_job))
        return;
    if (streq(u->done_result, "done"))
        answer_started(u);
    else
        answer_no(u,
                  TASKS_UNIT " could not be started (%s): see systemctl --user status " TASKS_UNIT,
                  u->done_result);
}

/* ---- its start ---- */

static int call(TasksUnit *u, sd_bus_message_handler_t handler, const char *interface,
                const char *method, const char *types, ...) {
    sd_bus_message *m = NULL;
    va_list ap;
    int r = sd_bus_message_new_method_call(u->bus, &m, SYSTEMD, SYSTEMD_PATH, interface, method);

    /* A bus without a systemd user manager is not to start anything by this name. */
    if (r >= 0)
        r = sd_bus_message_set_auto_start(m, false);
    va_start(ap, types);
    if (r >= 0 && types[0])
        r = sd_bus_message_appendv(m, types, ap);
    va_end(ap);
    u->call = sd_bus_slot_unref(u->call);
    if (r >= 0)
        r = sd_bus_call_async(u->bus, handler ? &u->call : NULL, m, handler, u,
                              ANSWER_TIMEOUT_USEC);
    sd_bus_message_unref(m);
    return r;
}

static bool is_one_of(const sd_bus_error *error, const char *const *names) {
    for (; *names; names++)
        if (sd_bus_error_has_name(error, *names))
            return true;
    return false;
}

static bool is_no_manager(const sd_bus_error *error) {
    static const char *const names[] = {SD_BUS_ERROR_SERVICE_UNKNOWN,
                                        SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_UNKNOWN_OBJECT,
                                        SD_BUS_ERROR_UNKNOWN_METHOD, NULL};
    return is_one_of(error, names);
}

/* Stopped by somebody, or with the whole session. */
static bool is_stopping(const sd_bus_error *error) {
    static const char *const names[] = {SYSTEMD ".TransactionIsDestructive",
                                        SYSTEMD ".TransactionJobsConflicting",
                                        SYSTEMD ".ShuttingDown", NULL};
    return is_one_of(error, names);
}

static bool is_not_installed(const sd_bus_error *error) {
    static const char *const names[] = {SYSTEMD ".NoSuchUnit", SYSTEMD ".LoadFailed", NULL};
    return is_one_of(error, names);
}

static void handle_start_error(TasksUnit *u, const sd_bus_error *error) {
    if (is_stopping(error)) {
        if (!u->waiting_logged)
            log_notice(TASKS_UNIT " is being stopped: commands wait until it can be started again");
        u->waiting_logged = true;
        set_timer(u, ASK_RETRY, RETRY_INTERVAL_USEC);
    } else if (is_no_manager(error))
        answer_no(u, "there is no systemd user manager on this bus");
    else if (is_not_installed(error))
        answer_no(u, TASKS_UNIT " is not installed");
    else if (sd_bus_error_has_name(error, SYSTEMD ".UnitMasked"))
        answer_no(u, TASKS_UNIT " is masked");
    else
        answer_no(u, TASKS_UNIT " cannot be started: %s", error->message ?: error->name);
}

static int on_start_reply(sd_bus_message *m, void *userdata, sd_bus_error *unused) {
    TasksUnit *u = userdata;
    const char *job;

    u->call = sd_bus_slot_unref(u->call);
    if (sd_bus_message_is_method_error(m, NULL)) {
        handle_start_error(u, sd_bus_message_get_error(m));
        return 0;
    }
    int r = sd_bus_message_read(m, "o", &job);
    u->job = r < 0 ? NULL : strdup(job);
    if (!u->job)
        answer_no(u, "the systemd user manager gave no job for " TASKS_UNIT);
    else
        answer_if_done(u);
    return 0;
}

static int on_job_removed(sd_bus_message *m, void *userdata, sd_bus_error *unused) {
    TasksUnit *u = userdata;
    const char *job, *unit, *result;
    uint32_t id;

    if (u->state != ASK_WAIT || sd_bus_message_read(m, "uoss", &id, &job, &unit, &result) < 0 ||
        !streq(unit, TASKS_UNIT))
        return 0;
    /* It may come before the reply that tells which job is ours. */
    free(u->done_job);
    free(u->done_result);
    u->done_job = strdup(job);
    u->done_result = strdup(result);
    if (u->done_job && u->done_result)
        answer_if_done(u);
    return 0;
}

/* "fail": whoever has it stopped just now is not overruled. */
static void start_unit(TasksUnit *u) {
    int r = call(u, on_start_reply, SYSTEMD_MANAGER, "StartUnit", "ss", TASKS_UNIT, "fail");

    if (r < 0)
        answer_no(u, "the systemd user manager cannot be asked: %s", strerror(-r));
}

/* ---- its folder ---- */

static const char *runtime_of(char *const *environment) {
    static const char name[] = "XDG_RUNTIME_DIR=";

    STRV_FOREACH (e, (char **)environment)
        if (strncmp(*e, name, strlen(name)) == 0)
            return *e + strlen(name);
    return NULL;
}

/* The unit keeps the tasks of %t/longrun, and %t is the manager's own XDG_RUNTIME_DIR. */
static bool serves(const TasksUnit *u, char *const *environment) {
    const char *runtime = runtime_of(environment);
    char path[4096];

    return !runtime ||
           ((size_t)snprintf(path, sizeof(path), "%s/longrun", runtime) < sizeof(path) &&
            streq(path, u->runtime_dir));
}

static int on_environment(sd_bus_message *m, void *userdata, sd_bus_error *unused) {
    _cleanup_(strv_freep) char **environment = NULL;
    TasksUnit *u = userdata;

    u->call = sd_bus_slot_unref(u->call);
    if (sd_bus_message_is_method_error(m, NULL)) {
        handle_start_error(u, sd_bus_message_get_error(m));
        return 0;
    }
    if (sd_bus_message_enter_container(m, 'v', "as") >= 0)
        (void)sd_bus_message_read_strv(m, &environment);
    if (!serves(u, environment))
        answer_no(u, TASKS_UNIT " serves another runtime folder than %s", u->runtime_dir);
    else
        start_unit(u);
    return 0;
}

/* ---- the question ---- */

static int subscribe(TasksUnit *u) {
    /* A connection without a bus between has no names. */
    const char *sender = sd_bus_is_bus_client(u->bus) > 0 ? SYSTEMD : NULL;

    if (!u->match) {
        int r = sd_bus_match_signal_async(u->bus, &u->match, sender, SYSTEMD_PATH, SYSTEMD_MANAGER,
                                          "JobRemoved", on_job_removed, NULL, u);
        if (r < 0)
            return r;
    }
    /* Without this the manager sends no signals. It forgets it when it is executed anew. */
    return call(u, NULL, SYSTEMD_MANAGER, "Subscribe", "");
}

static void begin(TasksUnit *u) {
    set_timer(u, ASK_WAIT, ANSWER_TIMEOUT_USEC);
    int r = subscribe(u);
    if (r >= 0)
        r = call(u, on_environment, "org.freedesktop.DBus.Properties", "Get", "ss", SYSTEMD_MANAGER,
                 "Environment");
    if (r < 0)
        answer_no(u, "the systemd user manager cannot be asked: %s", strerror(-r));
}

static int on_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    TasksUnit *u = userdata;

    if (u->state == ASK_WAIT)
        answer_no(u, "the systemd user manager has not started " TASKS_UNIT " within %d s",
                  (int)(ANSWER_TIMEOUT_USEC / USEC_PER_SEC));
    else if (u->state != ASK_NOTHING)
        begin(u);
    return 0;
}

void tasks_unit_ask(TasksUnit *u) {
    if (u->state == ASK_NOTHING)
        set_timer(u, ASK_BEGIN, 0);
}

int tasks_unit_new(TasksUnit **ret, sd_bus *bus, sd_event *event, const char *runtime_dir,
                   TasksUnitAnswer answer, void *userdata) {
    TasksUnit *u = calloc(1, sizeof(TasksUnit));
    int r = -ENOMEM;

    if (!u)
        return r;
    *u = (TasksUnit){.bus = sd_bus_ref(bus), .answer = answer, .userdata = userdata};
    u->runtime_dir = strdup(runtime_dir);
    if (u->runtime_dir)
        r = sd_event_add_time(event, &u->timer, CLOCK_MONOTONIC, 0, 1, on_timer, u);
    if (r >= 0)
        r = sd_event_source_set_enabled(u->timer, SD_EVENT_OFF);
    if (r < 0) {
        tasks_unit_free(u);
        return r;
    }
    *ret = u;
    return 0;
}

TasksUnit *tasks_unit_free(TasksUnit *u) {
    if (!u)
        return NULL;
    sd_event_source_disable_unref(u->timer);
    sd_bus_slot_unref(u->match);
    sd_bus_slot_unref(u->call);
    sd_bus_unref(u->bus);
    free(u->runtime_dir);
    free(u->job);
    free(u->done_job);
    free(u->done_result);
    free(u);
    return NULL;
}
