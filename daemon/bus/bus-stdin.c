#include "daemon/bus/bus-stdin.h"

#include <errno.h>
#include <inttypes.h>

#include "common/log.h"
#include "common/parse.h"
#include "daemon/bus/bus-caller.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-task.h"

/* The bytes stay in the message. */
typedef struct BusStdinCall {
    StdinWrite write;
    Bus *bus; /* not owned */
    sd_bus_message *message;
    BusCaller caller;
    Task *task; /* not owned; has a run as long as the call waits */
    LIST_ENTRY(BusStdinCall) link;
} BusStdinCall;

/* ---- calls that wait ---- */

static void call_free(BusStdinCall *c) {
    LIST_REMOVE(c, link);
    c->bus->n_writes--;
    c->bus->bytes_of_writes -= c->write.size;
    bus_caller_done(&c->caller);
    sd_bus_message_unref(c->message);
    free(c);
}

static void on_done(StdinWrite *w, int error) {
    _cleanup_error_ Error e = {};
    sd_bus_error bus_error = SD_BUS_ERROR_NULL;
    BusStdinCall *c = CONTAINER_OF(w, BusStdinCall, write);
    int r = error < 0 ? stdin_write_error(c->task->id, w, error, &e)
                      : sd_bus_reply_method_return(c->message, NULL);

    if (error < 0)
        r = bus_error_from(&bus_error, r, &e);
    if (r < 0)
        bus_reply_error(c->message, r, &bus_error);
    sd_bus_error_free(&bus_error);
    call_free(c);
}

static void drop(BusStdinCall *c) {
    c->bus->api->drop_stdin(c->bus->api_userdata, c->task, &c->write);
    call_free(c);
}

static void on_caller_left(void *userdata) {
    drop(userdata);
}

void bus_stdin_forget(Bus *b) {
    for (BusStdinCall *c; (c = LIST_FIRST(&b->writes));)
        drop(c);
}

/* ---- the methods ---- */

static int call_new(BusStdinCall **ret, Bus *b, sd_bus_message *m, const StdinWrite *w) {
    BusStdinCall *c = malloc(sizeof(BusStdinCall));

    if (!c)
        return -ENOMEM;
    *c = (BusStdinCall){
        .write = *w, .bus = b, .message = sd_bus_message_ref(m), .task = bus_task_of_call(b, m)};
    c->write.done = on_done;
    LIST_INSERT_HEAD(&b->writes, c, link);
    b->n_writes++;
    b->bytes_of_writes += w->size;
    *ret = c;
    return 0;
}

static int check(const Bus *b, const StdinWrite *w, Error *error) {
    char size[FORMAT_MAX];

    if (w->size > STDIN_WRITE_MAX)
        return error_set(error, ERROR_INVALID_OPTION,
                         "WriteStdin takes at most %s in a call, this one has %zu bytes: write in "
                         "pieces, each when the one before was answered",
                         format_size(size, STDIN_WRITE_MAX), w->size);
    if (b->n_writes >= STDIN_WRITES_ALL_MAX ||
        b->bytes_of_writes + w->size > STDIN_WRITES_BYTES_MAX)
        return error_set(error, ERROR_QUEUE_FULL,
                         "%zu calls with %s wait for commands to read: wait for answers before you "
                         "send more",
                         b->n_writes, format_size(size, b->bytes_of_writes));
    return 0;
}

/* Whoever waits is watched from then on: what is left of his call goes with him. */
static int begin(Bus *b, sd_bus_message *m, const StdinWrite *w, Error *error) {
    BusStdinCall *c;
    int r = call_new(&c, b, m, w);

    if (r < 0)
        return r;
    r = b->api->write_stdin(b->api_userdata, c->task, &c->write, error);
    if (r != 0) {
        call_free(c);
        return r > 0 ? sd_bus_reply_method_return(m, NULL) : r;
    }
    r = bus_caller_watch(&c->caller, m, on_caller_left, c);
    if (r < 0)
        log_warning_errno(r, "Cannot see whether the caller of WriteStdin is there, ignoring");
    return 1;
}

static int write_stdin(Bus *b, sd_bus_message *m, const StdinWrite *w, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    int r = check(b, w, &error);

    if (r >= 0)
        r = begin(b, m, w, &error);
    return r < 0 ? bus_error_from(ret_error, r, &error) : r;
}

int bus_method_write_stdin(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    StdinWrite w = {};
    const void *data;
    int r = sd_bus_message_read_array(m, 'y', &data, &w.size);

    if (r < 0)
        return r;
    w.data = data;
    return write_stdin(userdata, m, &w, ret_error);
}

int bus_method_close_stdin(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    StdinWrite w = {.close = true};

    return write_stdin(userdata, m, &w, ret_error);
}
