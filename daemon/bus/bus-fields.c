#include "daemon/bus/bus-fields.h"

#include <errno.h>

#include "common/strv.h"

#define FIELD_STRING(name, value)                                                                  \
    static int append_##name(sd_bus_message *m, const Task *t) {                                   \
        return sd_bus_message_append_basic(m, 's', strempty(value));                               \
    }
#define FIELD_NUMBER(name, letter, type, value)                                                    \
    static int append_##name(sd_bus_message *m, const Task *t) {                                   \
        type number = (type)(value);                                                               \
        return sd_bus_message_append_basic(m, letter, &number);                                    \
    }
#define FIELD_STRV(name, value)                                                                    \
    static int append_##name(sd_bus_message *m, const Task *t) {                                   \
        return sd_bus_message_append_strv(m, (char **)(value));                                    \
    }

FIELD_NUMBER(id, 't', uint64_t, t->id)
FIELD_STRING(kind, t->spec->kind)
FIELD_STRING(label, t->spec->label)
FIELD_STRING(group, t->spec->group)
FIELD_STRING(state, task_state_to_string(t->state))
FIELD_STRING(reason, t->reason)
FIELD_NUMBER(progress, 'd', double, t->progress.fraction)
FIELD_STRING(phase, t->progress.phase)
FIELD_NUMBER(done, 't', uint64_t, t->progress.done)
FIELD_NUMBER(total, 't', uint64_t, t->progress.total)
FIELD_STRING(status, t->status)
FIELD_NUMBER(created_at, 't', uint64_t, t->created_at)
FIELD_NUMBER(started_at, 't', uint64_t, t->started_at)
FIELD_NUMBER(finished_at, 't', uint64_t, t->finished_at)
FIELD_NUMBER(exit_code, 'i', int32_t, t->exit_code)
FIELD_NUMBER(exit_signal, 'i', int32_t, t->exit_signal)
FIELD_STRING(message, t->message)
FIELD_NUMBER(has_result, 'b', int, t->has_result)
FIELD_STRING(unique, t->spec->unique)
FIELD_STRING(params, t->spec->params)
FIELD_STRV(argv, t->spec->argv)
FIELD_STRV(env, env_block_strings(t->spec->env))
FIELD_STRING(cwd, t->spec->cwd)
FIELD_NUMBER(umask, 'u', uint32_t, t->spec->umask)
FIELD_NUMBER(stop_timeout, 't', uint64_t, t->spec->stop_timeout_usec)
FIELD_NUMBER(isolate, 'b', int, t->spec->isolate)
FIELD_NUMBER(log_max, 't', uint64_t, t->spec->log_max)
FIELD_NUMBER(result_max, 't', uint64_t, t->spec->result_max)
FIELD_NUMBER(pid, 'u', uint32_t, t->pid)
FIELD_NUMBER(log_size, 't', uint64_t, t->log_size)

static const BusField fields[] = {
    {"Id", "id", "t", append_id},
    {"Kind", "kind", "s", append_kind},
    {"Label", "label", "s", append_label},
    {"Group", "group", "s", append_group},
    {"State", "state", "s", append_state},
    {"Reason", "reason", "s", append_reason},
    {"Progress", "progress", "d", append_progress},
    {"Phase", "phase", "s", append_phase},
    {"Done", "done", "t", append_done},
    {"Total", "total", "t", append_total},
    {"Status", "status", "s", append_status},
    {"CreatedAt", "created-at", "t", append_created_at},
    {"StartedAt", "started-at", "t", append_started_at},
    {"FinishedAt", "finished-at", "t", append_finished_at},
    {"ExitCode", "exit-code", "i", append_exit_code},
    {"ExitSignal", "exit-signal", "i", append_exit_signal},
    {"Message", "message", "s", append_message},
    {"HasResult", "has-result", "b", append_has_result},
    {"Unique", "unique", "s", append_unique},
    {"Params", "params", "s", append_params, .large = true},
    {"Argv", "argv", "as", append_argv, .large = true},
    {"Env", NULL, "as", append_env},
    {"Cwd", "cwd", "s", append_cwd},
    {"Umask", "umask", "u", append_umask},
    {"StopTimeout", "stop-timeout", "t", append_stop_timeout},
    {"Isolate", "isolate", "b", append_isolate},
    {"LogMax", "log-max", "t", append_log_max},
    {"ResultMax", "result-max", "t", append_result_max},
    {"Pid", "pid", "u", append_pid},
    {"LogSize", "log-size", "t", append_log_size},
};

const BusField *bus_field_by_property(const char *property) {
    for (size_t i = 0; i < ELEMENTSOF(fields); i++)
        if (streq(fields[i].property, property))
            return &fields[i];
    return NULL;
}

static const BusField *field_by_key(const char *key) {
    for (size_t i = 0; i < ELEMENTSOF(fields); i++)
        if (fields[i].key && streq(fields[i].key, key))
            return &fields[i];
    return NULL;
}

int bus_fields_pick(char *const *keys, const BusField ***ret, Error *error) {
    size_t n = 0, max = keys ? strv_length(keys) : ELEMENTSOF(fields);

    /* A key named twice would make a dictionary with two of it; there are not more than all. */
    if (max > ELEMENTSOF(fields))
        return error_set(error, ERROR_INVALID_OPTION, "fields names more keys than there are");
    _cleanup_free_ const BusField **picked = calloc(max + 1, sizeof(BusField *));
    if (!picked)
        return -ENOMEM;
    for (size_t i = 0; i < max; i++) {
        const BusField *f = keys ? field_by_key(keys[i]) : &fields[i];
        if (!f)
            return error_set(error, ERROR_INVALID_OPTION,
                             "\"%.50s\" in fields is not a key of a listed task", keys[i]);
        if (f->key)
            picked[n++] = f;
    }
    *ret = TAKE_PTR(picked);
    return 0;
}

size_t bus_fields_size(const Task *t, const BusField *const *picked) {
    for (size_t i = 0; picked[i]; i++)
        if (picked[i]->large)
            return task_spec_size(t->spec);
    return 0;
}

int bus_fields_append_entry(sd_bus_message *m, const Task *t, const BusField *f, const char *name) {
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', name);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', f->type);
    if (r >= 0)
        r = f->append(m, t);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_fields_append(sd_bus_message *m, const Task *t, const BusField *const *picked) {
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    for (size_t i = 0; r >= 0 && picked[i]; i++)
        r = bus_fields_append_entry(m, t, picked[i], picked[i]->key);
    return r < 0 ? r : sd_bus_message_close_container(m);
}
