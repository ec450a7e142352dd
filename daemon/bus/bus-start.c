#include "daemon/bus/bus-start.h"

#include <errno.h>
#include <inttypes.h>

#include "common/strv.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-options.h"
#include "daemon/bus/bus-reply.h"

/* Tasks in one call of StartMany: as many as the queue takes by default. */
#define START_MANY_MAX 100000

static int read_spec(Bus *b, sd_bus_message *m, const char *kind, TaskSpec **ret, Error *error) {
    _cleanup_(task_spec_freep) TaskSpec *spec = b->api->new_spec(b->api_userdata, kind);

    if (!spec)
        return -ENOMEM;
    int r = bus_options_read(m, b->api, b->api_userdata, spec, error);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(spec);
    return 0;
}

static int check_one(Bus *b, TaskSpec **spec, Error *error) {
    if ((*spec)->after_index)
        return error_set(error, ERROR_INVALID_OPTION,
                         "after-index is for StartMany, and names tasks of the same call; give "
                         "after, with ids");
    return b->api->check(b->api_userdata, spec, error);
}

static int start_one(Bus *b, sd_bus_message *m, TaskSpec **spec, Error *error) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    char path[TASK_PATH_SIZE];
    uint64_t id;
    int r = check_one(b, spec, error);

    if (r >= 0)
        r = b->api->start(b->api_userdata, spec, 1, &id, error);
    if (r < 0)
        return r;
    bus_task_path(path, id);
    r = sd_bus_message_new_method_return(m, &reply);
    if (r >= 0)
        r = sd_bus_message_append(reply, "to", id, path);
    return r < 0 ? r : bus_reply_when_started(b, m, TAKE_PTR(reply));
}

int bus_method_start(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL;
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    const char *kind;
    int r = sd_bus_message_read_basic(m, 's', &kind);

    if (r >= 0)
        r = read_spec(b, m, kind, &spec, &error);
    if (r >= 0)
        r = start_one(b, m, &spec, &error);
    return bus_error_from(ret_error, r, &error);
}

int bus_method_start_command(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL;
    _cleanup_(strv_freep) char **argv = NULL;
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    int r = sd_bus_message_read_strv(m, &argv);

    if (r >= 0)
        r = read_spec(b, m, TASK_KIND_COMMAND, &spec, &error);
    if (r >= 0 && spec->argv)
        r = error_set(&error, ERROR_INVALID_OPTION,
                      "option argv is for Start; StartCommand has it as its first argument");
    if (r >= 0) {
        spec->argv = TAKE_PTR(argv);
        r = start_one(b, m, &spec, &error);
    }
    return bus_error_from(ret_error, r, &error);
}

typedef struct SpecList {
    TaskSpec **specs;
    size_t n, allocated;
} SpecList;

static void spec_list_done(SpecList *l) {
    for (size_t i = 0; i < l->n; i++)
        task_spec_free(l->specs[i]);
    free(l->specs);
}

static int spec_list_add(SpecList *l, TaskSpec *spec) {
    if (l->n == l->allocated) {
        size_t n = MAX(l->allocated * 2, (size_t)16);
        TaskSpec **grown = realloc(l->specs, n * sizeof(TaskSpec *));
        if (!grown) {
            task_spec_free(spec);
            return -ENOMEM;
        }
        l->specs = grown;
        l->allocated = n;
    }
    l->specs[l->n++] = spec;
    return 0;
}

/* A task may wait for those before it in the call. */
static int check_places(const TaskSpec *spec, size_t place, Error *error) {
    const IdList *l = spec->after_index;

    for (size_t i = 0; i < id_list_length(l); i++)
        if (l->ids[i] >= place)
            return error_set(error, ERROR_INVALID_OPTION,
                             "after-index %" PRIu64 " is no place before this one: they begin at 0",
                             l->ids[i]);
    return 0;
}

/* Packed as soon as it is read: unpacked ones take twice the memory. */
static int read_next(Bus *b, sd_bus_message *m, size_t place, TaskSpec **ret, Error *error) {
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL;
    const char *kind;
    int r = sd_bus_message_read_basic(m, 's', &kind);

    if (r >= 0)
        r = read_spec(b, m, kind, &spec, error);
    if (r >= 0)
        r = check_places(spec, place, error);
    if (r >= 0)
        r = b->api->check(b->api_userdata, &spec, error);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(spec);
    return 0;
}

static int read_specs(Bus *b, sd_bus_message *m, SpecList *l, Error *error) {
    int r = sd_bus_message_enter_container(m, 'a', "(sa{sv})");

    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(m, 'r', "sa{sv}")) > 0) {
        TaskSpec *spec;
        if (l->n == START_MANY_MAX)
            return error_set(error, ERROR_QUEUE_FULL,
                             "StartMany takes at most %d tasks in one call: make several",
                             START_MANY_MAX);
        r = read_next(b, m, l->n, &spec, error);
        if (r < 0) {
            error_prefix(error, "tasks[%zu]: ", l->n);
            return r;
        }
        r = spec_list_add(l, spec);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
        if (r < 0)
            return r;
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int append_started(sd_bus_message *reply, const uint64_t *ids, size_t n) {
    int r = sd_bus_message_open_container(reply, 'a', "(to)");

    for (size_t i = 0; r >= 0 && i < n; i++) {
        char path[TASK_PATH_SIZE];
        bus_task_path(path, ids[i]);
        r = sd_bus_message_append(reply, "(to)", ids[i], path);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

int bus_method_start_many(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_(spec_list_done) SpecList list = {};
    _cleanup_message_ sd_bus_message *reply = NULL;
    _cleanup_free_ uint64_t *ids = NULL;
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    int r = read_specs(b, m, &list, &error);

    if (r >= 0) {
        ids = calloc(list.n + 1, sizeof(uint64_t));
        r = ids ? b->api->start(b->api_userdata, list.specs, list.n, ids, &error) : -ENOMEM;
    }
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    r = sd_bus_message_new_method_return(m, &reply);
    if (r >= 0)
        r = append_started(reply, ids, list.n);
    return r < 0 ? r : bus_reply_when_started(b, m, TAKE_PTR(reply));
}
