#include "client-cli/client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#include "client-cli/output.h"

#define EXIT_CANCELLED 130 /* as a shell says of a program that Ctrl-C ended */

#define NO_BUS_HELP                                                                                \
    "log in through systemd-logind (console, ssh, \"machinectl shell\"), or begin a session bus "  \
    "of your own: dbus-run-session -- bash"

#define SPAWN_PREFIX "org.freedesktop.DBus.Error.Spawn."

#define GONE "longrund has gone away, or does not answer; \"longrun list\" starts it again"

/* Whether the daemon has answered before: then it is installed. */
static bool has_answered;

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
    };

    if (has_answered && sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN))
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
    else if (strncmp(error->name, SPAWN_PREFIX, strlen(SPAWN_PREFIX)) == 0)
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

int client_send(sd_bus *bus, sd_bus_message *call, uint64_t timeout, sd_bus_message **ret) {
    _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
    int r = sd_bus_call(bus, call, timeout, &error, ret);

    if (r >= 0) {
        has_answered = true;
        return 0;
    }
    /* The path of a task that is not known has no object behind it. */
    const char *path = sd_bus_message_get_path(call);
    if (sd_bus_error_has_name(&error, SD_BUS_ERROR_UNKNOWN_OBJECT) && !streq(path, CLIENT_ROOT)) {
        print_error("there is no task %s; \"longrun list --all\" shows those that are known",
                    strrchr(path, '/') + 1);
        return r;
    }
    return client_report(&error, r);
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
    return client_send(bus, call, 0, ret);
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

int client_new_call(sd_bus *bus, const char *member, sd_bus_message **ret) {
    int r =
        sd_bus_message_new_method_call(bus, ret, CLIENT_NAME, CLIENT_ROOT, CLIENT_MANAGER, member);
    return r < 0 ? client_report(NULL, r) : 0;
}

int client_read_properties(sd_bus_message *reply, cJSON **ret) {
    _cleanup_json_ cJSON *task = NULL;
    int r = json_read_bus(reply, &task);

    if (r < 0)
        return client_report(NULL, r);
    has_answered = true;
    json_tidy_task(task);
    *ret = TAKE_PTR(task);
    return 0;
}

int client_task_properties(sd_bus *bus, uint64_t id, cJSON **ret) {
    _cleanup_message_ sd_bus_message *call = NULL, *reply = NULL;
    char path[CLIENT_PATH_MAX];
    int r;

    r = sd_bus_message_new_method_call(bus, &call, CLIENT_NAME, client_task_path(path, id),
                                       "org.freedesktop.DBus.Properties", "GetAll");
    if (r >= 0)
        r = sd_bus_message_append(call, "s", CLIENT_TASK);
    if (r < 0)
        return client_report(NULL, r);
    r = client_send(bus, call, 0, &reply);
    if (r < 0)
        return r;
    return client_read_properties(reply, ret);
}

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

    if (sd_bus_message_is_method_error(reply, NULL))
        return client_report(sd_bus_message_get_error(reply), -sd_bus_message_get_errno(reply));
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
    r = client_send(bus, call, CLIENT_FOREVER, &reply);
    if (r < 0)
        return r;
    return client_read_ends(reply, ret_ends, n);
}

int client_wait_async(sd_bus *bus, uint64_t id, sd_bus_message_handler_t callback, void *userdata) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    r = new_wait(bus, &id, 1, &call);
    if (r < 0)
        return r;
    r = sd_bus_call_async(bus, NULL, call, callback, userdata, CLIENT_FOREVER);
    return r < 0 ? client_report(NULL, r) : 0;
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

int client_exit_status(const TaskEnd *end) {
    if (streq(end->state, "succeeded"))
        return EXIT_SUCCESS;
    if (end->code > 0)
        return end->code;
    return streq(end->state, "cancelled") ? EXIT_CANCELLED : EXIT_FAILURE;
}
