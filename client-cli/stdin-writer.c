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

#define STDIN_CLOSED CLIENT_NAME ".Error.StdinClosed"

/* ---- the start of the task ---- */

static int on_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    *(bool *)userdata = true;
    return 0;
}

static bool is_yet_to_start(const cJSON *task) {
    const char *state = json_string(task, "state");

    return streq(state, "waiting") || streq(state, "queued") || streq(state, "starting");
}

/* 1: something has changed; 0: nothing has for a while; or -errno. */
static int wait_for_change(sd_bus *bus, bool *changed) {
    int r = 1;

    while (!*changed && r > 0) {
        r = sd_bus_process(bus, NULL);
        if (r == 0)
            r = sd_bus_wait(bus, PATIENCE_USEC);
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
        r = wait_for_change(w->bus, changed);
        if (r < 0)
            return r;
        if (r == 0 && !said)
            print_error("task %" PRIu64 " has not started; waiting for that", w->id);
        said |= r == 0;
    }
}

int stdin_writer_begin(StdinWriter *w, sd_bus *bus, uint64_t id) {
    _cleanup_(sd_bus_slot_unrefp) sd_bus_slot *slot = NULL;
    _cleanup_json_ cJSON *task = NULL;
    char path[CLIENT_PATH_MAX];
    bool changed = false;

    w->bus = bus;
    w->id = id;
    int r = sd_bus_match_signal(bus, &slot, CLIENT_NAME, client_task_path(path, id),
                                "org.freedesktop.DBus.Properties", "PropertiesChanged", on_changed,
                                &changed);
    if (r < 0)
        return client_report(NULL, r);
    r = wait_for_start(w, &changed, &task);
    if (r < 0)
        return r;
    w->before = json_u64(task, "stdin-size");
    w->attempt = (uint32_t)json_u64(task, "attempt");
    return 0;
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
    if (w->may_close && sd_bus_error_has_name(error, STDIN_CLOSED))
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
        ssize_t n = read_piece(fd, piece);
        if (n == 0)
            return 0;
        if (n < 0) {
            print_error("cannot read: %s", strerror((int)-n));
            return (int)n;
        }
        int r = write_piece(w, piece, (size_t)n);
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
