#include "daemon/bus/bus-options.h"

#include <errno.h>
#include <stdio.h>

#include "common/strv.h"

/* ---- entries ---- */

static int read_entry(sd_bus_message *m, BusEntryFunc func, void *userdata, Error *error) {
    const char *key;
    int r = sd_bus_message_read_basic(m, 's', &key);

    if (r >= 0)
        r = func(m, key, userdata, error);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

int bus_entries_read(sd_bus_message *m, BusEntryFunc func, void *userdata, Error *error) {
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");

    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        r = read_entry(m, func, userdata, error);
        if (r < 0)
            return r;
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* ---- options of a task ---- */

typedef struct OptionsReader {
    const BusApi *api;
    void *api_userdata;
    TaskSpec *spec;
} OptionsReader;

static int unknown_option(const char *name, Error *error) {
    char known[1024] = "";
    size_t n = 0;

    for (const TaskOption *o = task_options(); o->name && n < sizeof(known); o++)
        n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s", n > 0 ? ", " : "", o->name);
    return error_set(error, ERROR_UNKNOWN_OPTION, "There is no option \"%.100s\". Known are: %s",
                     name, known);
}

static int read_option(sd_bus_message *m, const char *name, void *userdata, Error *error) {
    const OptionsReader *to = userdata;
    const TaskOption *o = task_option_by_name(name);

    if (!o)
        return unknown_option(name, error);
    return bus_option_read(m, to->api, to->api_userdata, o, to->spec, error);
}

int bus_options_read(sd_bus_message *m, const BusApi *api, void *api_userdata, TaskSpec *spec,
                     Error *error) {
    OptionsReader to = {.api = api, .api_userdata = api_userdata, .spec = spec};

    return bus_entries_read(m, read_option, &to, error);
}

static int append_entry(sd_bus_message *m, const TaskOption *o, const TaskSpec *spec) {
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', o->name);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', o->type);
    if (r >= 0)
        r = bus_option_append(m, o, spec);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_options_append_given(sd_bus_message *m, const TaskSpec *spec) {
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    for (const TaskOption *o = task_options(); r >= 0 && spec && o->name; o++)
        if (spec->given & task_option_bit(o))
            r = append_entry(m, o, spec);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

/* ---- filters ---- */

static int read_states(sd_bus_message *m, TaskFilter *f, Error *error) {
    _cleanup_(strv_freep) char **words = NULL;
    int r = bus_option_read_strings(m, "states", &words, error);

    if (r < 0)
        return r;
    STRV_FOREACH (word, words) {
        TaskState state = task_state_from_string(*word);
        if ((int)state < 0)
            return error_set(error, ERROR_INVALID_OPTION,
                             "\"%.50s\" in states is not a state of a task", *word);
        f->states |= 1u << state;
    }
    return 0;
}

static int read_page_key(sd_bus_message *m, const char *key, TaskFilter *f, char ***fields,
                         Error *error) {
    int r, flag;

    if (streq(key, "cursor"))
        return bus_option_read_basic(m, key, "t", &f->cursor, error);
    if (streq(key, "fields"))
        return *fields ? error_set(error, ERROR_INVALID_OPTION, "fields is given twice")
                       : bus_option_read_strings(m, key, fields, error);
    if (streq(key, "newest-first")) {
        r = bus_option_read_basic(m, key, "b", &flag, error);
        if (r >= 0)
            f->newest_first = flag;
        return r;
    }
    if (streq(key, "limit")) {
        r = bus_option_read_basic(m, key, "u", &f->limit, error);
        if (r >= 0 && (f->limit < 1 || f->limit > TASK_FILTER_LIMIT_MAX))
            return error_set(error, ERROR_INVALID_OPTION, "limit is from 1 to %d",
                             TASK_FILTER_LIMIT_MAX);
        return r;
    }
    return error_set(error, ERROR_UNKNOWN_OPTION,
                     "There is no filter key \"%.100s\". Known are: states, group, kind, label, "
                     "search, parent, since, until, cursor, limit, fields, newest-first",
                     key);
}

typedef struct FilterReader {
    TaskFilter filter;
    char ***fields; /* NULL: of a method without pages */
} FilterReader;

static int read_filter_key(sd_bus_message *m, const char *key, void *userdata, Error *error) {
    FilterReader *to = userdata;
    TaskFilter *f = &to->filter;
    const struct {
        const char *key, *type;
        void *field;
    } plain[] = {
        {"group", "s", &f->group},   {"kind", "s", &f->kind},   {"label", "s", &f->label},
        {"search", "s", &f->search}, {"since", "t", &f->since}, {"until", "t", &f->until},
        {"parent", "t", &f->parent},
    };

    if (streq(key, "states"))
        return read_states(m, f, error);
    for (size_t i = 0; i < ELEMENTSOF(plain); i++)
        if (streq(key, plain[i].key))
            return bus_option_read_basic(m, key, plain[i].type, plain[i].field, error);
    if (to->fields)
        return read_page_key(m, key, f, to->fields, error);
    return error_set(error, ERROR_UNKNOWN_OPTION,
                     "There is no filter key \"%.100s\" here. Known are: states, group, kind, "
                     "label, search, parent, since, until",
                     key);
}

int bus_filter_read(sd_bus_message *m, TaskFilter *ret, char ***fields, Error *error) {
    FilterReader to = {.filter.limit = TASK_FILTER_LIMIT_DEFAULT, .fields = fields};
    int r = bus_entries_read(m, read_filter_key, &to, error);

    if (r < 0)
        return r;
    *ret = to.filter;
    return 0;
}

int bus_filter_check_final(const TaskFilter *f, const char *does, Error *error) {
    for (TaskState s = 0; !task_state_is_final(s); s++)
        if (f->states & (1u << s))
            return error_set(error, ERROR_INVALID_OPTION,
                             "%s that have ended, and %s is not the state of one: leave it out, or "
                             "cancel such tasks first",
                             does, task_state_to_string(s));
    return 0;
}
