#include "client-cli/stdin-writer.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "client-cli/output.h"

/* Bytes written in a call: as many as the shim takes at a time. */
#define PIECE_SIZE (256 * KIB)

/* Until it is said that we wait for the start, and looked again: the signal comes from a daemon,
 * and there may be another one by then. */
#define PATIENCE_USEC (2 * USEC_PER_SEC)

/* How long input may let us wait before somebody looks whether it is still wanted. */
#define PAUSE_MSEC 200

#define STDIN_CLOSED CLIENT_NAME ".Error.StdinClosed"
#define NOT_RUNNING CLIENT_NAME ".Error.NotRunning"

/* ---- what becomes of the task ---- */

/* Progress comes ten times a second, and is nothing to us. */
static int has_state(sd_bus_message *m) {
    const char *key;
    int r = sd_bus_message_skip(m, "s");

    if (r >= 0)
        r = sd_bus_message_enter_container(m, 'a', "{sv}");
    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        r = sd_bus_message_read(m, "s", &key);
        if (r >= 0 && streq(key, "State"))
            return 1;
        if (r >= 0)
            r = sd_bus_message_skip(m, "v");
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
    }
    return r;
}

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    if (has_state(m) != 0)
        *(bool *)userdata = true;
    return 0;
}

/* The next daemon does not tell what the one before has not. */
static int on_owner(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *name, *before, *now;

    if (sd_bus_message_read(m, "sss", &name, &before, &now) >= 0 && !isempty(now))
        *(bool *)userdata = true;
    return 0;
}

/* *changed: set by signals that are processed. While they are not, this is to end: they pile up. */
static int watch_task(const StdinWriter *w, bool *changed, sd_bus_slot **ret) {
    char path[CLIENT_PATH_MAX];
    int r = sd_bus_match_signal(w->bus, ret, CLIENT_NAME, client_task_path(path, w->id),
                                "org.freedesktop.DBus.Properties", "PropertiesChanged", on_changed,
                                changed);

    return r < 0 ? client_report(NULL, r) : 0;
}

static int watch_daemon(const StdinWriter *w, bool *changed, sd_bus_slot **ret) {
    int r = sd_bus_add_match(w->bus, ret,
                             "type='signal',sender='org.freedesktop.DBus',"
                             "interface='org.freedesktop.DBus',member='NameOwnerChanged',"
                             "arg0='" CLIENT_NAME "'",
                             on_owner, changed);

    return r < 0 ? client_report(NULL, r) : 0;
}

static bool is_yet_to_start(const cJSON *task) {
    const char *state = json_string(task, "state");

    return streq(state, "waiting") || streq(state, "queued") || streq(state, "starting");
}

/* 1: something has changed; 0: nothing has for a while; or -errno. */
static int wait_for_change(sd_bus *bus, bool *changed, uint64_t patience_usec) {
    int r = 1;

    while (!*changed && r > 0) {
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, patience_usec);
        if (r == -EINTR)
            r = 1;
    }
    if (r < 0)
        return client_report(NULL, r);
    r = *changed;
    *changed = false;
    return r;
}

static int wait_for_start(StdinWriter *w, bool *changed, cJSON **ret) {
    bool said = false;

    for (;;) {
        _cleanup_json_ cJSON *task = NULL;
        int r = client_task_properties(w->bus, w->id, &task);
        if (r < 0)
            return r;
        if (!is_yet_to_start(task)) {
            *ret = TAKE_PTR(task);
            return 0;
        }
        r = wait_for_change(w->bus, changed, PATIENCE_USEC);
        if (r < 0)
            return r;
        if (r == 0 && !said)
            print_error("task %" PRIu64 " has not started; waiting for that", w->id);
        said |= r == 0;
    }
}

static void note_attempt(StdinWriter *w, const cJSON *task) {
    w->before = json_u64(task, "stdin-size");
    w->written = 0;
    w->attempt = (uint32_t)json_u64(task, "attempt");
}

int stdin_writer_begin(StdinWriter *w, sd_bus *bus, uint64_t id) {
    _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
    _cleanup_json_ cJSON *task = NULL;
    bool changed = false;

    w->bus = bus;
    w->id = id;
    int r = watch_task(w, &changed, &slot);
    if (r < 0)
        return r;
    r = wait_for_start(w, &changed, &task);
    if (r < 0)
        return r;
    note_attempt(w, task);
    return 0;
}

/* Whether the attempt that is written to is still there: 0, or -ESHUTDOWN without a message. */
static int check_attempt(const StdinWriter *w) {
    _cleanup_json_ cJSON *task = NULL;
    int r = client_task_properties(w->bus, w->id, &task);

    if (r < 0)
        return r;
    return json_u64(task, "attempt") != w->attempt || is_yet_to_start(task) ? -ESHUTDOWN : 0;
}

/* ---- writing ---- */

/* The daemon has gone in the middle of a call; how much of it was taken, the next one knows. */
static int find_taken(const StdinWriter *w, size_t size, size_t *ret) {
    _cleanup_json_ cJSON *task = NULL;
    uint64_t at = w->before + w->written, now;
    int r = client_task_properties(w->bus, w->id, &task);

    if (r < 0)
        return r;
    now = json_u64(task, "stdin-size");
    if (w->may_close && (json_u64(task, "attempt") != w->attempt || is_yet_to_start(task)))
        return -ESHUTDOWN;
    if (json_u64(task, "attempt") != w->attempt || now < at || now - at > size) {
        print_error(
            "longrund was away, and cannot tell how much of the last %zu bytes task %" PRIu64
            " got. Before them were %" PRIu64,
            size, w->id, w->written);
        return -EIO;
    }
    *ret = (size_t)(now - at);
    return 0;
}

static int report_failure(const StdinWriter *w, sd_bus_message *call, const sd_bus_error *error,
                          int r) {
    /* Between two attempts it does not run. */
    if (w->may_close &&
        (sd_bus_error_has_name(error, STDIN_CLOSED) || sd_bus_error_has_name(error, NOT_RUNNING)))
        return r;
    client_report_call(call, error, r);
    if (w->written > 0)
        print_error("%" PRIu64 " bytes were written to task %" PRIu64 " before that", w->written,
                    w->id);
    return r;
}

/* Once; *ret: bytes that were taken, when the daemon has gone fewer than there are perhaps. */
static int write_once(const StdinWriter *w, const char *data, size_t size, size_t *ret) {
    _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
    _cleanup_message_ sd_bus_message *call = NULL;
    bool away;
    int r = client_new_task_call(w->bus, w->id, "WriteStdin", &call);

    if (r < 0)
        return r;
    r = sd_bus_message_append_array(call, 'y', data, size);
    if (r < 0)
        return client_report(NULL, r);
    r = client_try(w->bus, call, CLIENT_FOREVER, &error, &away);
    if (r < 0)
        return away ? find_taken(w, size, ret) : report_failure(w, call, &error, r);
    *ret = size;
    return 0;
}

static int write_piece(StdinWriter *w, const char *data, size_t size) {
    while (size > 0) {
        size_t taken;
        if (w->tell)
            w->tell(w);
        int r = write_once(w, data, size, &taken);
        if (r < 0)
            return r;
        w->written += taken;
        data += taken;
        size -= taken;
    }
    return 0;
}

static bool has_more(int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) > 0 && (p.revents & POLLIN);
}

/* 1: there is something to read, or the end; 0: look at the task; or -errno. */
static int wait_for_either(const StdinWriter *w, int fd, bool *changed) {
    while (!*changed) {
        int r = sd_bus_process(w->bus, NULL);
        if (r < 0)
            return client_report(NULL, r);
        if (r > 0)
            continue;
        struct pollfd p[] = {
            {.fd = fd, .events = POLLIN},
            {.fd = sd_bus_get_fd(w->bus), .events = (short)sd_bus_get_events(w->bus)},
        };
        if (poll(p, ELEMENTSOF(p), -1) > 0 && p[0].revents)
            return 1;
    }
    *changed = false;
    return 0;
}

/* Until there is something to read, as long as the attempt is there: else -ESHUTDOWN, without a
 * message. */
static int wait_for_input(const StdinWriter *w, int fd) {
    _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL, *owner = NULL;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    bool changed = false;

    if (poll(&p, 1, PAUSE_MSEC) > 0)
        return 0;
    int r = watch_task(w, &changed, &slot);
    if (r >= 0)
        r = watch_daemon(w, &changed, &owner);
    while (r >= 0) {
        r = check_attempt(w);
        if (r >= 0)
            r = wait_for_either(w, fd, &changed);
        if (r > 0)
            return 0;
    }
    return r;
}

/* Waits for something. Bytes, 0 at the end, or -errno. Whoever shares the descriptor may have made
 * it non-blocking. */
static ssize_t read_some(int fd, char *data, size_t size) {
    for (;;) {
        ssize_t n = read(fd, data, size);
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (n >= 0)
            return n;
        if (errno != EINTR && errno != EAGAIN)
            return -errno;
        if (errno == EAGAIN)
            (void)poll(&p, 1, -1);
    }
}

/* What there is, without a wait for more: a pipe gives it in small pieces. */
static ssize_t read_piece(int fd, char *data) {
    size_t size = 0;

    do {
        ssize_t n = read_some(fd, data + size, PIECE_SIZE - size);
        if (n < 0)
            return n;
        if (n == 0)
            break;
        size += (size_t)n;
    } while (size < PIECE_SIZE && has_more(fd));
    return (ssize_t)size;
}

int stdin_writer_copy(StdinWriter *w, int fd) {
    static char piece[PIECE_SIZE];

    for (;;) {
        int r = w->may_close ? wait_for_input(w, fd) : 0;
        if (r < 0)
            return r;
        ssize_t n = read_piece(fd, piece);
        if (n == 0)
            return 0;
        if (n < 0) {
            print_error("cannot read: %s", strerror((int)-n));
            return (int)n;
        }
        if (w->may_close)
            r = check_attempt(w);
        if (r >= 0)
            r = write_piece(w, piece, (size_t)n);
        if (r < 0)
            return r;
    }
}

int stdin_writer_close(StdinWriter *w) {
    for (;;) {
        _cleanup_bus_error_ sd_bus_error error = SD_BUS_ERROR_NULL;
        _cleanup_message_ sd_bus_message *call = NULL;
        size_t taken;
        bool away;
        int r = client_new_task_call(w->bus, w->id, "CloseStdin", &call);
        if (r < 0)
            return r;
        r = client_try(w->bus, call, CLIENT_FOREVER, &error, &away);
        /* That the command needs no more of it is what is wanted. */
        if (r >= 0 || sd_bus_error_has_name(&error, STDIN_CLOSED))
            return 0;
        if (!away)
            return report_failure(w, call, &error, r);
        r = find_taken(w, 0, &taken); /* again, for that does no harm */
        if (r < 0)
            return r;
    }
}

/* ---- attempts that come later ---- */

static bool is_over(const cJSON *task) {
    return task_state_is_final(task_state_from_string(json_string(task, "state")));
}

int stdin_writer_close_all(StdinWriter *w) {
    _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL, *owner = NULL;
    uint64_t closed = 0;
    bool changed = false;

    /* May take as long as the command reads: what it has not done by then, is told in the loop. */
    (void)stdin_writer_close(w);
    int r = watch_task(w, &changed, &slot);
    if (r >= 0)
        r = watch_daemon(w, &changed, &owner);
    while (r >= 0) {
        _cleanup_json_ cJSON *task = NULL;
        r = client_task_properties(w->bus, w->id, &task);
        if (r < 0 || is_over(task))
            return r;
        note_attempt(w, task);
        if (!is_yet_to_start(task) && closed != w->attempt && stdin_writer_close(w) >= 0)
            closed = w->attempt;
        r = wait_for_change(w->bus, &changed, UINT64_MAX);
    }
    return r;
}
