#include "daemon/bus/bus-fields.h"

#include <ctype.h>
#include <errno.h>

#include "common/clock.h"
#include "common/strv.h"
#include "daemon/bus/bus-options.h"
#include "daemon/core/task-ties.h"

/* ---- values that are put together ---- */

static int append_kind(sd_bus_message *m, const Bus *b, const Task *t) {
    return sd_bus_message_append_basic(m, 's', t->spec->kind);
}

static int append_state(sd_bus_message *m, const Bus *b, const Task *t) {
    return sd_bus_message_append_basic(m, 's', task_state_to_string(task_shown_state(t)));
}

static int append_reason(sd_bus_message *m, const Bus *b, const Task *t) {
    _cleanup_free_ char *reason = b->api->reason(b->api_userdata, t);

    return sd_bus_message_append_basic(m, 's', strempty(reason));
}

static int append_log_file(sd_bus_message *m, const Bus *b, const Task *t) {
    _cleanup_free_ char *path = b->api->log_path(b->api_userdata, t);

    return sd_bus_message_append_basic(m, 's', strempty(path));
}

static int append_amount(sd_bus_message *m, const char *key, uint64_t amount) {
    return amount > 0 ? sd_bus_message_append(m, "{sv}", key, "t", amount) : 0;
}

static int append_usage(sd_bus_message *m, const Bus *b, const Task *t) {
    TaskUsage usage = task_is_final(t) ? task_work(t)->usage : b->api->usage(b->api_userdata, t);
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r >= 0)
        r = append_amount(m, "cpu-usec", usage.cpu_usec);
    if (r >= 0)
        r = append_amount(m, "memory-peak", usage.memory_peak);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_rate(sd_bus_message *m, const Bus *b, const Task *t) {
    double rate = task_rate(t, clock_usec(CLOCK_MONOTONIC));

    return sd_bus_message_append_basic(m, 'd', &rate);
}

static int append_expected_end_time(sd_bus_message *m, const Bus *b, const Task *t) {
    uint64_t remaining = task_remaining_usec(t, clock_usec(CLOCK_MONOTONIC)), end = 0;

    if (remaining < USEC_INFINITY)
        end = clock_usec(CLOCK_REALTIME) + remaining;
    return sd_bus_message_append_basic(m, 't', &end);
}

static int append_unit(sd_bus_message *m, const Bus *b, const Task *t) {
    return sd_bus_message_append_basic(m, 's', task_work(t)->progress.bytes ? "bytes" : "");
}

static int append_progress_source(sd_bus_message *m, const Bus *b, const Task *t) {
    return sd_bus_message_append_basic(m, 's',
                                       progress_source_to_string(task_work(t)->progress.source));
}

static int append_children(sd_bus_message *m, const Bus *b, const Task *t) {
    int r = sd_bus_message_open_container(m, 'a', "t");

    for (const Task *c = task_first_child(t); r >= 0 && c; c = task_next_child(t, c))
        r = sd_bus_message_append_basic(m, 't', &c->id);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_attempts(sd_bus_message *m, const Bus *b, const Task *t) {
    int r = sd_bus_message_open_container(m, 'a', "(usiittts)");

    for (unsigned i = 0; r >= 0 && i < t->n_attempts; i++) {
        const TaskAttempt *a = &t->attempts[i];
        r = sd_bus_message_append(m, "(usiittts)", a->number, task_state_to_string(a->state),
                                  a->exit_code, a->exit_signal, a->started_at, a->finished_at,
                                  a->log_offset, strempty(a->message));
    }
    return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- the table ---- */

/* clang-format off */
#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define EMITS SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

static const BusField task_fields[] = {
    {"id", .type = "t", .flags = CONST, .offset = offsetof(Task, id)},
    {"kind", .type = "s", .flags = CONST, .append = append_kind},
    {"state", .type = "s", .flags = EMITS, .append = append_state},
    {"reason", .type = "s", .append = append_reason},
    {"progress", .type = "d", .of_work = true, .offset = offsetof(TaskWork, progress.fraction)},
    {"phase", .type = "s", .of_work = true, .offset = offsetof(TaskWork, progress.phase)},
    {"done", .type = "t", .of_work = true, .offset = offsetof(TaskWork, progress.done)},
    {"total", .type = "t", .of_work = true, .offset = offsetof(TaskWork, progress.total)},
    {"unit", .type = "s", .append = append_unit},
    {"rate", .type = "d", .append = append_rate},
    {"expected-end-time", .type = "t", .append = append_expected_end_time},
    {"progress-source", .type = "s", .append = append_progress_source},
    {"status", .type = "s", .of_work = true, .offset = offsetof(TaskWork, status)},
    {"created-at", .type = "t", .flags = CONST, .offset = offsetof(Task, created_at)},
    {"started-at", .type = "t", .offset = offsetof(Task, started_at)},
    {"finished-at", .type = "t", .at_end = true, .offset = offsetof(Task, finished_at)},
    {"due-at", .type = "t", .offset = offsetof(Task, due_at)},
    {"retry-of", .type = "t", .flags = CONST, .offset = offsetof(Task, retry_of)},
    {"attempt", .type = "u", .offset = offsetof(Task, attempt)},
    {"children", .type = "at", .append = append_children},
    {"attempts", .type = "a(usiittts)", .large = true, .append = append_attempts},
    {"exit-code", .type = "i", .at_end = true, .offset = offsetof(Task, exit_code)},
    {"exit-signal", .type = "i", .at_end = true, .offset = offsetof(Task, exit_signal)},
    {"message", .type = "s", .at_end = true, .offset = offsetof(Task, message)},
    {"has-result", .type = "b", .at_end = true, .offset = offsetof(Task, has_result)},
    {"usage", .type = "a{sv}", .append = append_usage},
    {"pid", .type = "u", .offset = offsetof(Task, pid)},
    {"stdin-size", .type = "t", .of_work = true, .offset = offsetof(TaskWork, stdin_size)},
    {"log-size", .type = "t", .offset = offsetof(Task, log_size)},
    {"log-begin", .type = "t", .offset = offsetof(Task, log_begin)},
    {"log-file", .type = "s", .append = append_log_file},
};
/* clang-format on */

#define FIELDS_MAX 96

/* "created-at" is the property "CreatedAt". */
static void set_property_name(BusField *f) {
    size_t n = 0;

    for (const char *p = f->key; *p && n < BUS_PROPERTY_MAX - 1; p++)
        if (*p != '-')
            f->property[n++] = (p == f->key || p[-1] == '-') ? (char)toupper(*p) : *p;
}

static BusField field_of_option(const TaskOption *o) {
    TaskOptionType type = task_option_type(o);
    BusField f = {.key = o->name, .type = o->type, .flags = CONST, .option = o};

    if (streq(o->name, "label") || streq(o->name, "priority"))
        f.flags = EMITS;
    f.large = streq(o->name, "params") || type == TASK_OPTION_STRINGS || type == TASK_OPTION_IDS;
    if (type == TASK_OPTION_ENV || type == TASK_OPTION_BYTES) {
        f.flags = CONST | SD_BUS_VTABLE_PROPERTY_EXPLICIT;
        f.hidden = true;
    }
    return f;
}

const BusField *bus_fields(void) {
    static BusField fields[FIELDS_MAX + 1];
    size_t n = 0;

    if (fields[0].key)
        return fields;
    for (size_t i = 0; i < ELEMENTSOF(task_fields); i++)
        fields[n++] = task_fields[i];
    for (const TaskOption *o = task_options(); o->name && n < FIELDS_MAX; o++)
        if (!(o->flags & TASK_OPTION_CALL))
            fields[n++] = field_of_option(o);
    for (size_t i = 0; i < n; i++)
        set_property_name(&fields[i]);
    return fields;
}

const BusField *bus_field_by_property(const char *property) {
    for (const BusField *f = bus_fields(); f->key; f++)
        if (streq(f->property, property))
            return f;
    return NULL;
}

static const BusField *field_by_key(const char *key) {
    for (const BusField *f = bus_fields(); f->key; f++)
        if (!f->hidden && streq(f->key, key))
            return f;
    return NULL;
}

/* ---- picking ---- */

static const BusField **pick_all(void) {
    const BusField **picked = calloc(FIELDS_MAX + 1, sizeof(BusField *));
    size_t n = 0;

    for (const BusField *f = bus_fields(); picked && f->key; f++)
        if (!f->hidden)
            picked[n++] = f;
    return picked;
}

int bus_fields_pick(char *const *keys, const BusField ***ret, Error *error) {
    _cleanup_free_ const BusField **picked = NULL;
    size_t n = 0;

    /* A key named twice would make a dictionary with two of it; there are not more than all. */
    if (keys && strv_length(keys) > FIELDS_MAX)
        return error_set(error, ERROR_INVALID_OPTION, "fields names more keys than there are");
    picked = keys ? calloc(strv_length(keys) + 1, sizeof(BusField *)) : pick_all();
    if (!picked)
        return -ENOMEM;
    for (char *const *key = keys; key && *key; key++) {
        picked[n] = field_by_key(*key);
        if (!picked[n++])
            return error_set(error, ERROR_INVALID_OPTION,
                             "\"%.50s\" in fields is not a key of a listed task", *key);
    }
    *ret = TAKE_PTR(picked);
    return 0;
}

size_t bus_fields_size(const Task *t, const BusField *const *picked) {
    for (size_t i = 0; picked[i]; i++)
        if (picked[i]->large)
            return task_spec_size(t->spec) +
                   t->n_attempts * (sizeof(TaskAttempt) + TASK_ATTEMPT_MESSAGE_MAX);
    return 0;
}

/* ---- appending ---- */

int bus_field_append(sd_bus_message *m, const BusField *f, const Bus *b, const Task *t) {
    static const Task not_ended = {.exit_code = -1};
    const void *of = f->of_work                   ? (const void *)task_work(t)
                     : f->at_end && t->end_untold ? &not_ended
                                                  : t;
    const void *value = (const char *)of + f->offset;
    int flag;

    if (f->option)
        return bus_option_append(m, f->option, t->spec);
    if (f->append)
        return f->append(m, b, t);
    switch (f->type[0]) {
    case 's':
        return sd_bus_message_append_basic(m, 's', strempty(*(char *const *)value));
    case 'b':
        flag = *(const bool *)value;
        return sd_bus_message_append_basic(m, 'b', &flag);
    default: /* numbers are as wide as their fields */
        return sd_bus_message_append_basic(m, f->type[0], value);
    }
}

static int append_entry(sd_bus_message *m, const BusField *f, const Bus *b, const Task *t) {
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', f->key);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', f->type);
    if (r >= 0)
        r = bus_field_append(m, f, b, t);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_fields_append(sd_bus_message *m, const Bus *b, const Task *t,
                      const BusField *const *picked) {
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    for (size_t i = 0; r >= 0 && picked[i]; i++)
        r = append_entry(m, picked[i], b, t);
    return r < 0 ? r : sd_bus_message_close_container(m);
}
