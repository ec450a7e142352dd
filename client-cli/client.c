#include "client-cli/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "client-cli/again.h"
#include "client-cli/backend.h"
#include "client-cli/output.h"
#include "common/clock.h"

#define EXIT_CANCELLED 130 /* as a shell says of a program that Ctrl-C ended */
#define EXIT_TIMED_OUT 124 /* as timeout(1) has it, whatever the command then ended with */

/* As timeout(1) and env(1) say of a command that they have not executed, and git-bisect(1) takes it
 * for what is to be skipped. */
#define EXIT_SKIPPED 125

#define NO_BUS_HELP                                                                                \
    "log in through systemd-logind (console, ssh, \"machinectl shell\"), or begin a session bus "  \
    "of your own: dbus-run-session -- bash"

#define SPAWN_PREFIX "org.freedesktop.DBus.Error.Spawn."
#define SYSTEMD_PREFIX "org.freedesktop.systemd1."

#define GONE "longrund has gone away, or does not answer; \"longrun list\" starts it again"

/* Whether the daemon has been there before: then it is installed. */
static bool was_there;

static bool has_prefix(const char *s, const char *prefix) {
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* What to say of errors of the bus itself, NULL for others: those of the daemon say what to do. */
static const char *bus_error_text(const sd_bus_error *error) {
    static const struct {
        const char *name;
        const char *text;
    } texts[] = {
        {SD_BUS_ERROR_SERVICE_UNKNOWN,
         "longrund is not installed where D-Bus finds it: " CLIENT_NAME ".service belongs into "
         "dbus-1/services below XDG_DATA_HOME or one of XDG_DATA_DIRS"},
        {SD_BUS_ERROR_NAME_HAS_NO_OWNER, "longrund is not running, and D-Bus could not start it"},
        {SD_BUS_ERROR_NO_REPLY, GONE},
        {SD_BUS_ERROR_TIMEOUT, "longrund does not answer"},
        {SD_BUS_ERROR_UNKNOWN_METHOD,
         "longrund is of an older version than this program, and cannot do that yet: systemctl "
         "--user restart longrund, or end it by SIGTERM; tasks go on"},
    };

    if (was_there && sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN))
        return GONE;
    for (size_t i = 0; i < ELEMENTSOF(texts); i++)
        if (sd_bus_error_has_name(error, texts[i].name))
            return texts[i].text;
    return NULL;
}

int client_report(const sd_bus_error *error, int r) {
    const char *text = bus_error_text(error);

    if (text)
        print_error("%s", text);
    else if (r == -ENOTCONN || r == -ECONNRESET || r == -EPIPE)
        print_error("the connection to the session bus is lost");
    else if (!sd_bus_error_is_set(error))
        print_error("longrund and this program do not understand each other: %s", strerror(-r));
    else if (has_prefix(error->name, SPAWN_PREFIX))
        print_error("longrund could not be started: %s", strempty(error->message));
    else
        print_error("%s", isempty(error->message) ? error->name : error->message);
    return r;
}

int client_connect(sd_bus **ret) {
    int r = sd_bus_open_user(ret);

    if (r >= 0)
        return 0;
    const char *address = getenv("DBUS_SESSION_BUS_ADDRESS");
    if (!isempty(address))
        print_error("no session bus answers at DBUS_SESSION_BUS_ADDRESS (%s): %s", address,
                    strerror(-r));
    else if (r == -ENOMEDIUM || r == -ENOENT || r == -ECONNREFUSED)
        print_error("there is no session bus: " NO_BUS_HELP);
    else
        print_error("cannot connect to the session bus: %s", strerror(-r));
    return r;
}

const char *client_task_path(char buf[CLIENT_PATH_MAX], uint64_t id) {
    snprintf(buf, CLIENT_PATH_MAX, CLIENT_ROOT "/task/%" PRIu64, id);
    return buf;
}

/* ---- calls ---- */

/* Sends a call and waits for the answer. The error is the caller's to report. */
static int send_once(sd_bus *bus, sd_bus_message *call, uint64_t timeout, sd_bus_message **ret,
                     sd_bus_error *error) {
    int r = sd_bus_call(bus, call, timeout, error, ret);

    if (r < 0)
        return r;
    was_there = true;
    return 0;
}

int client_report_call(sd_bus_message *call, const sd_bus_error *error, int r) {
    const char *path = sd_bus_message_get_path(call);

    if (backend_report(call, error))
        return r;
    /* The path of a task that is not known has no object behind it. */
    if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT) && !streq(path, CLIENT_ROOT)) {
        print_error("there is no task %s; \"longrun list --all\" shows those that are known",
                    strrchr(path, '/') + 1);
        return r;
    }
    return client_report(error, r);
}

int client_send(sd_bus *bus, sd_bus_message *call, uint64_t timeout, sd_bus_message **ret) {
    _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = send_once(bus, call, timeout, ret, &error);

    return r < 0 ? client_report_call(call, &error, r) : 0;
}

/* Whether the error says that the daemon has gone away, or cannot come yet. The bus itself is still
 * there then. */
static bool is_away(sd_bus *bus, const sd_bus_error *error) {
    static const char *const names[] = {SD_BUS_ERROR_NAME_HAS_NO_OWNER, SD_BUS_ERROR_DISCONNECTED,
                                        SD_BUS_ERROR_SERVICE_UNKNOWN,
                                        "org.freedesktop.DBus.Error.TimedOut"};

    if (sd_bus_is_open(bus) <= 0 || !sd_bus_error_is_set(error))
        return false;
    /* The bus says so of a peer that has left without an answer. A daemon that is there and does
     * not answer in time is another error, Timeout. */
    if (sd_bus_error_has_name(error, SD_BUS_ERROR_NO_REPLY)) {
        was_there = true;
        return true;
    }
    if (!was_there)
        return false;
    for (size_t i = 0; i < ELEMENTSOF(names); i++)
        if (sd_bus_error_has_name(error, names[i]))
            return true;
    /* While the old one is on its way out the next one may fail to start. */
    return has_prefix(error->name, SPAWN_PREFIX) || has_prefix(error->name, SYSTEMD_PREFIX);
}

int client_try(sd_bus *bus, sd_bus_message *call, uint64_t timeout, sd_bus_error *error,
               bool *ret_away) {
    int r = send_once(bus, call, timeout, NULL, error);

    *ret_away = r < 0 && is_away(bus, error);
    return r;
}

/* Whether the question is to be asked again, and in how many microseconds. */
static bool ask_again(Again *again, sd_bus *bus, const sd_bus_error *error, uint64_t sent_usec,
                      uint64_t *ret_delay_usec) {
    if (!is_away(bus, error))
        return false;
    AgainAdvice advice =
        again_advise(again, sent_usec, clock_usec(CLOCK_MONOTONIC), ret_delay_usec);
    if (advice == AGAIN_SAY_AND_WAIT)
        print_error("longrund has gone away; waiting for it to come back");
    return advice != AGAIN_GIVE_UP;
}

int client_ask(sd_bus *bus, sd_bus_message *call, uint64_t timeout, sd_bus_message **ret) {
    Again again = {};

    for (;;) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        uint64_t sent_usec = clock_usec(CLOCK_MONOTONIC), delay_usec;
        int r = send_once(bus, call, timeout, ret, &error);

        if (r >= 0)
            return 0;
        if (!ask_again(&again, bus, &error, sent_usec, &delay_usec))
            return client_report_call(call, &error, r);
        usleep((useconds_t)delay_usec);
    }
}

static int call_method(sd_bus *bus, const char *path, const char *interface, const char *member,
                       sd_bus_message **ret, const char *signature, va_list args) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    r = sd_bus_message_new_method_call(bus, &call, CLIENT_NAME, path, interface, member);
    if (r >= 0 && signature)
        r = sd_bus_message_appendv(call, signature, args);
    if (r < 0)
        return client_report(NULL, r);
    return client_ask(bus, call, 0, ret);
}

int client_call_manager(sd_bus *bus, sd_bus_message **ret, const char *member,
                        const char *signature, ...) {
    va_list args;

    va_start(args, signature);
    int r = call_method(bus, CLIENT_ROOT, CLIENT_MANAGER, member, ret, signature, args);
    va_end(args);
    return r;
}

int client_call_task(sd_bus *bus, uint64_t id, sd_bus_message **ret, const char *member,
                     const char *signature, ...) {
    char path[CLIENT_PATH_MAX];
    va_list args;

    va_start(args, signature);
    int r = call_method(bus, client_task_path(path, id), CLIENT_TASK, member, ret, signature, args);
    va_end(args);
    return r;
}

int client_new_task_call(sd_bus *bus, uint64_t id, const char *member, sd_bus_message **ret) {
    char path[CLIENT_PATH_MAX];
    int r = sd_bus_message_new_method_call(bus, ret, CLIENT_NAME, client_task_path(path, id),
                                           CLIENT_TASK, member);

    return r < 0 ? client_report(NULL, r) : 0;
}

int client_new_call(sd_bus *bus, const char *member, sd_bus_message **ret) {
    int r =
        sd_bus_message_new_method_call(bus, ret, CLIENT_NAME, CLIENT_ROOT, CLIENT_MANAGER, member);
    return r < 0 ? client_report(NULL, r) : 0;
}

int client_change_task(sd_bus *bus, uint64_t id, const char *member) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = client_new_task_call(bus, id, member, &call);

    return r < 0 ? r : client_send(bus, call, 0, NULL);
}

int client_send_for_number(sd_bus *bus, sd_bus_message *call, uint32_t *ret) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    int r = client_send(bus, call, 0, &reply);

    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "u", ret);
    return r < 0 ? client_report(NULL, r) : 0;
}

int client_change_tasks(sd_bus *bus, const char *member, const uint64_t *ids, size_t n,
                        uint32_t *ret) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = client_new_call(bus, member, &call);

    if (r < 0)
        return r;
    r = sd_bus_message_append_array(call, 't', ids, n * sizeof(uint64_t));
    return r < 0 ? client_report(NULL, r) : client_send_for_number(bus, call, ret);
}

int client_read_properties(sd_bus_message *reply, cJSON **ret) {
    _cleanup_json_ cJSON *task = NULL;
    int r = json_read_bus(reply, &task);

    if (r < 0)
        return client_report(NULL, r);
    was_there = true;
    json_tidy_task(task);
    *ret = TAKE_PTR(task);
    return 0;
}

int client_properties(sd_bus *bus, const char *path, const char *interface, cJSON **ret) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    int r;

    r = sd_bus_message_new_method_call(bus, &call, CLIENT_NAME, path,
                                       "org.freedesktop.DBus.Properties", "GetAll");
    if (r >= 0)
        r = sd_bus_message_append(call, "s", interface);
    if (r < 0)
        return client_report(NULL, r);
    r = client_ask(bus, call, 0, &reply);
    if (r < 0)
        return r;
    return client_read_properties(reply, ret);
}

int client_task_properties(sd_bus *bus, uint64_t id, cJSON **ret) {
    char path[CLIENT_PATH_MAX];

    return client_properties(bus, client_task_path(path, id), CLIENT_TASK, ret);
}

int client_manager_properties(sd_bus *bus, cJSON **ret) {
    return client_properties(bus, CLIENT_ROOT, CLIENT_MANAGER, ret);
}

/* ---- the end of tasks ---- */

static int new_wait(sd_bus *bus, const uint64_t *ids, size_t n, sd_bus_message **ret) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = sd_bus_message_new_method_call(bus, &call, CLIENT_NAME, CLIENT_ROOT, CLIENT_MANAGER,
                                           "Wait");
    if (r >= 0)
        r = sd_bus_message_append_array(call, 't', ids, n * sizeof(uint64_t));
    if (r < 0)
        return client_report(NULL, r);
    *ret = TAKE_PTR(call);
    return 0;
}

int client_read_ends(sd_bus_message *reply, TaskEnd *ret_ends, size_t n) {
    int r;

    if (!reply)
        return -ENOTCONN; /* reported when the question could not be sent again */
    if (sd_bus_message_is_method_error(reply, NULL)) {
        /* That nobody has answered is said of the end of the connection, too. */
        if (sd_bus_is_open(sd_bus_message_get_bus(reply)) <= 0)
            return client_report(NULL, -ECONNRESET);
        return client_report(sd_bus_message_get_error(reply), -sd_bus_message_get_errno(reply));
    }
    r = sd_bus_message_enter_container(reply, 'a', "(tsi)");
    for (size_t i = 0; i < n && r >= 0; i++) {
        const char *state;
        r = sd_bus_message_read(reply, "(tsi)", &ret_ends[i].id, &state, &ret_ends[i].code);
        if (r == 0)
            r = -EBADMSG;
        if (r > 0)
            snprintf(ret_ends[i].state, sizeof(ret_ends[i].state), "%s", state);
    }
    return r < 0 ? client_report(NULL, r) : 0;
}

int client_wait(sd_bus *bus, const uint64_t *ids, size_t n, TaskEnd *ret_ends) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    int r;

    r = new_wait(bus, ids, n, &call);
    if (r < 0)
        return r;
    r = client_ask(bus, call, CLIENT_FOREVER, &reply);
    if (r < 0)
        return r;
    return client_read_ends(reply, ret_ends, n);
}

/* A question that waits on the loop. Its timer owns it, and the loop owns the timer. */
typedef struct Question {
    sd_bus *bus;            /* not owned */
    sd_event_source *timer; /* not owned; off, but for a question that is to be asked again */
    sd_bus_message *call;
    sd_bus_message_handler_t callback;
    void *userdata;
    Again again;
    uint64_t timeout, sent_usec;
} Question;

static void question_destroy(void *userdata) {
    Question *q = userdata;

    sd_bus_message_unref(q->call);
    free(q);
}

/* The loop lets go of the timer. */
static int hand_over(Question *q, sd_bus_message *reply, sd_bus_error *error) {
    int r = q->callback(reply, q->userdata, error);

    sd_event_source_set_floating(q->timer, false);
    return r;
}

static int on_answer(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    bool failed = sd_bus_message_is_method_error(reply, NULL);
    Question *q = userdata;
    uint64_t delay_usec;

    was_there = was_there || !failed;
    if (failed &&
        ask_again(&q->again, q->bus, sd_bus_message_get_error(reply), q->sent_usec, &delay_usec) &&
        sd_event_source_set_time_relative(q->timer, delay_usec) >= 0 &&
        sd_event_source_set_enabled(q->timer, SD_EVENT_ONESHOT) >= 0)
        return 0;
    return hand_over(q, reply, error);
}

static int send_question(Question *q) {
    q->sent_usec = clock_usec(CLOCK_MONOTONIC);
    int r = sd_bus_call_async(q->bus, NULL, q->call, on_answer, q, q->timeout);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int on_ask_again(sd_event_source *timer, uint64_t usec, void *userdata) {
    Question *q = userdata;

    if (send_question(q) < 0)
        hand_over(q, NULL, NULL);
    return 0;
}

int client_ask_async(sd_bus *bus, sd_bus_message *call, uint64_t timeout,
                     sd_bus_message_handler_t callback, void *userdata) {
    Question *q = must(calloc(1, sizeof(Question)));
    int r;

    *q = (Question){.bus = bus, .callback = callback, .userdata = userdata, .timeout = timeout};
    r = sd_event_add_time(sd_bus_get_event(bus), &q->timer, CLOCK_MONOTONIC, 0, 0, on_ask_again, q);
    if (r < 0) {
        free(q);
        return client_report(NULL, r);
    }
    q->call = sd_bus_message_ref(call);
    sd_event_source_set_enabled(q->timer, SD_EVENT_OFF);
    sd_event_source_set_destroy_callback(q->timer, question_destroy);
    sd_event_source_set_floating(q->timer, true);
    sd_event_source_unref(q->timer);
    return send_question(q);
}

int client_wait_async(sd_bus *bus, uint64_t id, sd_bus_message_handler_t callback, void *userdata) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = new_wait(bus, &id, 1, &call);

    return r < 0 ? r : client_ask_async(bus, call, CLIENT_FOREVER, callback, userdata);
}

int client_loop(sd_event *event, const bool *done) {
    while (!*done) {
        int r = sd_event_run(event, UINT64_MAX);
        if (r < 0) {
            print_error("cannot wait for events: %s", strerror(-r));
            return r;
        }
    }
    return 0;
}

int client_watch_reader(sd_event *event, sd_event_io_handler_t callback, void *userdata) {
    int r = sd_event_add_io(event, NULL, STDOUT_FILENO, EPOLLERR, callback, userdata);

    /* Files cannot be waited for, and need not be. */
    return r == -EPERM ? 0 : r;
}

int client_exit_status(const TaskEnd *end) {
    if (streq(end->state, "succeeded"))
        return EXIT_SUCCESS;
    if (streq(end->state, "timed-out"))
        return EXIT_TIMED_OUT;
    if (streq(end->state, "skipped"))
        return EXIT_SKIPPED;
    if (end->code > 0)
        return end->code;
    return streq(end->state, "cancelled") ? EXIT_CANCELLED : EXIT_FAILURE;
}
