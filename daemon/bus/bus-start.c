#include "daemon/bus/bus-start.h"

#include <errno.h>
#include <inttypes.h>

#include "common/strv.h"
#include "daemon/bus/absent-ids.h"
#include "daemon/bus/bus-by-id.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-later.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-options.h"
#include "daemon/bus/bus-reply.h"

/* Tasks in one call of StartMany: as many as the queue takes by default. */
#define START_MANY_MAX 100000

typedef struct SpecList {
    TaskSpec **specs;
    size_t n, allocated;
} SpecList;

static void spec_list_done(SpecList *l) {
    for (size_t i = 0; i < l->n; i++)
        task_spec_free(l->specs[i]);
    free(l->specs);
}

/* Takes the spec, also on -ENOMEM. */
static int spec_list_add(SpecList *l, TaskSpec *spec) {
    if (l->n == l->allocated) {
        size_t n = MAX(l->allocated * 2, (size_t)1);
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

/* ---- what each method reads and answers ---- */

typedef struct StartMethod {
    int (*read)(Bus *b, sd_bus_message *m, SpecList *l, Error *error);
    int (*append)(sd_bus_message *reply, const uint64_t *ids, size_t n);
} StartMethod;

static int read_options(Bus *b, sd_bus_message *m, const char *kind, TaskSpec **ret, Error *error) {
    _cleanup_(task_spec_freep) TaskSpec *spec = b->api->new_spec(b->api_userdata, kind);

    if (!spec)
        return -ENOMEM;
    int r = bus_options_read(m, b->api, b->api_userdata, spec, error);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(spec);
    return 0;
}

/* Takes the request, which is complete. It is packed as soon as it is: otherwise it takes twice the
 * memory. */
static int check_and_add(Bus *b, TaskSpec **spec, SpecList *l, Error *error) {
    int r = b->api->check(b->api_userdata, spec, error);

    return r < 0 ? r : spec_list_add(l, TAKE_PTR(*spec));
}

static int check_single(const TaskSpec *spec, Error *error) {
    if (id_list_length(spec->after_index) == 0)
        return 0;
    return error_set(error, ERROR_INVALID_OPTION,
                     "after-index names places of the same StartMany, and there are none here: "
                     "name the ids of tasks with after");
}

static int read_start(Bus *b, sd_bus_message *m, SpecList *l, Error *error) {
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL;
    const char *kind;
    int r = sd_bus_message_read_basic(m, 's', &kind);

    if (r >= 0)
        r = read_options(b, m, kind, &spec, error);
    if (r >= 0)
        r = check_single(spec, error);
    return r < 0 ? r : check_and_add(b, &spec, l, error);
}

static int read_start_command(Bus *b, sd_bus_message *m, SpecList *l, Error *error) {
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL;
    _cleanup_(strv_freep) char **argv = NULL;
    int r = sd_bus_message_read_strv(m, &argv);

    if (r >= 0)
        r = read_options(b, m, TASK_KIND_COMMAND, &spec, error);
    if (r >= 0)
        r = check_single(spec, error);
    if (r < 0)
        return r;
    if (spec->argv)
        return error_set(error, ERROR_INVALID_OPTION,
                         "option argv is for Start; StartCommand has it as its first argument");
    spec->argv = TAKE_PTR(argv);
    return check_and_add(b, &spec, l, error);
}

/* A task may wait for those before it in the call. */
static int check_places(const TaskSpec *spec, size_t place, Error *error) {
    const IdList *l = spec->after_index;

    for (size_t i = 0; i < id_list_length(l); i++)
        if (l->ids[i] >= place)
            return error_set(error, ERROR_INVALID_OPTION,
                             "after-index %" PRIu64
                             " is no place before this one (they begin at 0): put those first that "
                             "are to come first",
                             l->ids[i]);
    return 0;
}

static int read_next(Bus *b, sd_bus_message *m, SpecList *l, Error *error) {
    _cleanup_(task_spec_freep) TaskSpec *spec = NULL;
    const char *kind;
    int r = sd_bus_message_read_basic(m, 's', &kind);

    if (r >= 0)
        r = read_options(b, m, kind, &spec, error);
    if (r >= 0)
        r = check_places(spec, l->n, error);
    if (r >= 0)
        r = check_and_add(b, &spec, l, error);
    if (r < 0)
        error_prefix(error, "tasks[%zu]: ", l->n);
    return r;
}

static int read_start_many(Bus *b, sd_bus_message *m, SpecList *l, Error *error) {
    int r = sd_bus_message_enter_container(m, 'a', "(sa{sv})");

    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(m, 'r', "sa{sv}")) > 0) {
        if (l->n == START_MANY_MAX)
            return error_set(error, ERROR_QUEUE_FULL,
                             "StartMany takes at most %d tasks in one call: make several",
                             START_MANY_MAX);
        r = read_next(b, m, l, error);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
        if (r < 0)
            return r;
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int append_one(sd_bus_message *reply, const uint64_t *ids, size_t n) {
    char path[TASK_PATH_SIZE];

    bus_task_path(path, ids[0]);
    return sd_bus_message_append(reply, "to", ids[0], path);
}

static int append_many(sd_bus_message *reply, const uint64_t *ids, size_t n) {
    int r = sd_bus_message_open_container(reply, 'a', "(to)");

    for (size_t i = 0; r >= 0 && i < n; i++) {
        char path[TASK_PATH_SIZE];
        bus_task_path(path, ids[i]);
        r = sd_bus_message_append(reply, "(to)", ids[i], path);
    }
    return r < 0 ? r : sd_bus_message_close_container(reply);
}

static const StartMethod method_start = {read_start, append_one};
static const StartMethod method_start_command = {read_start_command, append_one};
static const StartMethod method_start_many = {read_start_many, append_many};

/* ---- the start ---- */

static int start_all(Bus *b, sd_bus_message *m, const StartMethod *method, SpecList *l,
                     Error *error) {
    _cleanup_free_ uint64_t *ids = calloc(l->n + 1, sizeof(uint64_t));
    _cleanup_message_ sd_bus_message *reply = NULL;
    int r = ids ? b->api->start(b->api_userdata, l->specs, l->n, ids, error) : -ENOMEM;

    if (r < 0)
        return r;
    r = sd_bus_message_new_method_return(m, &reply);
    if (r >= 0)
        r = method->append(reply, ids, l->n);
    return r < 0 ? r : bus_reply_when_started(b, m, TAKE_PTR(reply));
}

/* ---- tasks that have ended, and are waited for nevertheless ---- */

static int find_absent(const Bus *b, const SpecList *l, AbsentIds *ret) {
    const TaskTable *table = b->api->tasks(b->api_userdata);
    int r = 0;

    for (size_t i = 0; i < l->n; i++) {
        const TaskSpec *s = l->specs[i];
        const IdList *lists[] = {s->after, s->after_any, s->after_failed};
        for (size_t k = 0; r >= 0 && k < ELEMENTSOF(lists); k++)
            if (lists[k])
                r = absent_ids_add(ret, table, lists[k]->ids, lists[k]->n);
        if (r >= 0 && s->parent > 0)
            r = absent_ids_add(ret, table, &s->parent, 1);
    }
    absent_ids_sort(ret);
    return r;
}

/* What was read of the call before may not hold any more. */
static int read_again(const BusLater *l, SpecList *list, Error *error) {
    const StartMethod *const *method = l->data;
    int r = sd_bus_message_rewind(l->call, true);

    return r < 0 ? r : (*method)->read(l->bus, l->call, list, error);
}

/* Now all that exist are in memory. */
static void on_recalled(void *arg, int error) {
    BusLater *l = arg;
    const StartMethod *const *method = l->data;
    _cleanup_(spec_list_done) SpecList list = {};
    _cleanup_error_ Error refusal = {};
    sd_bus_error e = SD_BUS_ERROR_NULL;
    int r;

    if (error < 0)
        r = bus_error_storage(&e, error, "Nothing was started. Cannot read the tasks from disk");
    else {
        r = read_again(l, &list, &refusal);
        if (r >= 0)
            r = start_all(l->bus, l->call, *method, &list, &refusal);
        if (r < 0)
            r = bus_error_from(&e, r, &refusal);
    }
    bus_later_end(l, r, &e);
}

static int park(BusLater **ret, Bus *b, sd_bus_message *m, const StartMethod *method,
                sd_bus_error *error) {
    const StartMethod **data = malloc(sizeof(*data));
    int r;

    if (!data)
        return -ENOMEM;
    *data = method;
    r = bus_later_new(ret, b, m, data, error);
    if (r < 0)
        free(data);
    return r;
}

static int recall(Bus *b, sd_bus_message *m, const StartMethod *method, const AbsentIds *absent,
                  sd_bus_error *error) {
    BusLater *l;
    int r;

    if (absent->n > BUS_BY_ID_RECALL_MAX)
        return sd_bus_error_setf(error, SD_BUS_ERROR_LIMITS_EXCEEDED,
                                 "%zu of the tasks that are to come before ended long ago and "
                                 "would have to be read from disk, and %d is the limit of one call",
                                 absent->n, BUS_BY_ID_RECALL_MAX);
    r = park(&l, b, m, method, error);
    if (r < 0)
        return r;
    r = b->api->recall(b->api_userdata, absent->ids, absent->n, on_recalled, l);
    if (r >= 0)
        return 1;
    bus_later_free(l);
    return bus_error_storage(error, r, "Nothing was started. Cannot read the tasks from disk");
}

/* The last step before the start, since what was recalled does not stay for long. */
static int recall_and_start(Bus *b, sd_bus_message *m, const StartMethod *method, SpecList *list,
                            sd_bus_error *ret_error) {
    _cleanup_absent_ids_ AbsentIds absent = {};
    _cleanup_error_ Error error = {};
    int r = find_absent(b, list, &absent);

    if (r >= 0 && absent.n > 0)
        return recall(b, m, method, &absent, ret_error);
    if (r >= 0)
        r = start_all(b, m, method, list, &error);
    return bus_error_from(ret_error, r, &error);
}

/* ---- calendars, which systemd has to read ---- */

static bool has_calendar(const SpecList *l) {
    for (size_t i = 0; i < l->n; i++)
        if (!isempty(l->specs[i]->calendar))
            return true;
    return false;
}

static void on_calendars(void *arg, const Error *error) {
    BusLater *l = arg;
    const StartMethod *const *method = l->data;
    _cleanup_(spec_list_done) SpecList list = {};
    _cleanup_error_ Error refusal = {};
    sd_bus_error e = SD_BUS_ERROR_NULL;
    int r = error ? -EREMOTE : read_again(l, &list, &refusal);

    if (r < 0)
        r = bus_error_from(&e, r, error ?: &refusal);
    else
        r = recall_and_start(l->bus, l->call, *method, &list, &e);
    bus_later_end(l, r, &e);
}

static int check_calendars_and_start(Bus *b, sd_bus_message *m, const StartMethod *method,
                                     SpecList *list, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    BusLater *l;
    int r = park(&l, b, m, method, ret_error);

    if (r < 0)
        return r;
    r = b->api->check_calendars(b->api_userdata, list->specs, list->n, on_calendars, l, &error);
    if (r > 0)
        return r;
    bus_later_free(l);
    return r < 0 ? bus_error_from(ret_error, r, &error)
                 : recall_and_start(b, m, method, list, ret_error);
}

/* ---- methods ---- */

static int start(Bus *b, sd_bus_message *m, const StartMethod *method, sd_bus_error *ret_error) {
    _cleanup_(spec_list_done) SpecList list = {};
    _cleanup_error_ Error error = {};
    int r = method->read(b, m, &list, &error);

    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    return has_calendar(&list) ? check_calendars_and_start(b, m, method, &list, ret_error)
                               : recall_and_start(b, m, method, &list, ret_error);
}

int bus_method_start(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return start(userdata, m, &method_start, ret_error);
}

int bus_method_start_command(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return start(userdata, m, &method_start_command, ret_error);
}

int bus_method_start_many(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return start(userdata, m, &method_start_many, ret_error);
}
