#include "daemon/bus/bus-options.h"

#include <errno.h>
#include <stdio.h>

#include "common/strv.h"
#include "daemon/core/task-options.h"

/* ---- one value ---- */

/* Enters the variant, when it has the type that the option wants. */
static int enter_value(sd_bus_message *m, const char *option, const char *type, Error *error) {
    const char *contents;
    char container;
    int r = sd_bus_message_peek_type(m, &container, &contents);

    if (r < 0)
        return r;
    if (!streq(contents, type))
        return error_set(error, ERROR_INVALID_OPTION, "option %s is of type %s, not %s", option,
                         type, contents);
    return sd_bus_message_enter_container(m, 'v', type);
}

static int read_basic(sd_bus_message *m, const char *option, const char *type, void *ret,
                      Error *error) {
    int r = enter_value(m, option, type, error);

    if (r < 0)
        return r;
    r = sd_bus_message_read_basic(m, type[0], ret);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_strings(sd_bus_message *m, const char *option, char ***ret, Error *error) {
    int r = enter_value(m, option, "as", error);

    if (r < 0)
        return r;
    r = sd_bus_message_read_strv(m, ret);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* ---- options of a task ---- */

static const TaskOption *option_by_name(const char *name) {
    for (const TaskOption *o = task_options(); o->name; o++)
        if (streq(o->name, name))
            return o;
    return NULL;
}

static int unknown_option(const char *name, Error *error) {
    char known[512] = "";
    size_t n = 0;

    for (const TaskOption *o = task_options(); o->name && n < sizeof(known); o++)
        n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s", n > 0 ? ", " : "", o->name);
    return error_set(error, ERROR_UNKNOWN_OPTION, "There is no option \"%.100s\". Known are: %s",
                     name, known);
}

static int read_string_option(sd_bus_message *m, const TaskOption *o, char **field, Error *error) {
    const char *s;
    int r = read_basic(m, o->name, "s", &s, error);

    if (r < 0)
        return r;
    char *copy = strdup(s);
    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

static int read_strings_option(sd_bus_message *m, const BusApi *api, void *api_userdata,
                               const TaskOption *o, TaskSpec *spec, Error *error) {
    _cleanup_(strv_freep) char **strings = NULL;
    int r = read_strings(m, o->name, &strings, error);

    if (r < 0)
        return r;
    if (o->offset == offsetof(TaskSpec, argv)) {
        strv_free(spec->argv);
        spec->argv = TAKE_PTR(strings);
        return 0;
    }
    env_block_unref(spec->env);
    spec->env = api->intern_env(api_userdata, strings);
    return spec->env ? 0 : -ENOMEM;
}

static int read_option(sd_bus_message *m, const BusApi *api, void *api_userdata,
                       const TaskOption *o, TaskSpec *spec, Error *error) {
    void *field = (char *)spec + o->offset;
    int flag, r;

    switch (o->type[0]) {
    case 's':
        return read_string_option(m, o, field, error);
    case 'a':
        return read_strings_option(m, api, api_userdata, o, spec, error);
    case 'b':
        r = read_basic(m, o->name, "b", &flag, error);
        if (r >= 0)
            *(bool *)field = flag;
        return r;
    default: /* numbers are as wide as their fields */
        return read_basic(m, o->name, o->type, field, error);
    }
}

int bus_options_read(sd_bus_message *m, const BusApi *api, void *api_userdata, TaskSpec *spec,
                     Error *error) {
    unsigned seen = 0;
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");

    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        const char *name;
        r = sd_bus_message_read_basic(m, 's', &name);
        if (r < 0)
            return r;
        const TaskOption *o = option_by_name(name);
        if (!o)
            return unknown_option(name, error);
        unsigned bit = 1u << (o - task_options());
        if (seen & bit)
            return error_set(error, ERROR_INVALID_OPTION, "option %s is given twice", name);
        seen |= bit;
        r = read_option(m, api, api_userdata, o, spec, error);
        if (r < 0)
            return r;
        r = sd_bus_message_exit_container(m);
        if (r < 0)
            return r;
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* ---- filters ---- */

static int read_states(sd_bus_message *m, TaskFilter *f, Error *error) {
    _cleanup_(strv_freep) char **words = NULL;
    int r = read_strings(m, "states", &words, error);

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
        return read_basic(m, key, "t", &f->cursor, error);
    if (streq(key, "fields"))
        return *fields ? error_set(error, ERROR_INVALID_OPTION, "fields is given twice")
                       : read_strings(m, key, fields, error);
    if (streq(key, "newest-first")) {
        r = read_basic(m, key, "b", &flag, error);
        if (r >= 0)
            f->newest_first = flag;
        return r;
    }
    if (streq(key, "limit")) {
        r = read_basic(m, key, "u", &f->limit, error);
        if (r >= 0 && (f->limit < 1 || f->limit > TASK_FILTER_LIMIT_MAX))
            return error_set(error, ERROR_INVALID_OPTION, "limit is from 1 to %d",
                             TASK_FILTER_LIMIT_MAX);
        return r;
    }
    return error_set(error, ERROR_UNKNOWN_OPTION,
                     "There is no filter key \"%.100s\". Known are: states, group, kind, label, "
                     "since, until, cursor, limit, fields, newest-first",
                     key);
}

static int read_filter_key(sd_bus_message *m, const char *key, TaskFilter *f, char ***fields,
                           Error *error) {
    const struct {
        const char *key, *type;
        void *field;
    } plain[] = {
        {"group", "s", &f->group}, {"kind", "s", &f->kind},   {"label", "s", &f->label},
        {"since", "t", &f->since}, {"until", "t", &f->until},
    };

    if (streq(key, "states"))
        return read_states(m, f, error);
    for (size_t i = 0; i < ELEMENTSOF(plain); i++)
        if (streq(key, plain[i].key))
            return read_basic(m, key, plain[i].type, plain[i].field, error);
    if (fields)
        return read_page_key(m, key, f, fields, error);
    return error_set(error, ERROR_UNKNOWN_OPTION,
                     "There is no filter key \"%.100s\" here. Known are: states, group, kind, "
                     "label, since, until",
                     key);
}

int bus_filter_read(sd_bus_message *m, TaskFilter *ret, char ***fields, Error *error) {
    TaskFilter f = {.limit = TASK_FILTER_LIMIT_DEFAULT};
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");

    if (r < 0)
        return r;
    while ((r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        const char *key;
        r = sd_bus_message_read_basic(m, 's', &key);
        if (r >= 0)
            r = read_filter_key(m, key, &f, fields, error);
        if (r >= 0)
            r = sd_bus_message_exit_container(m);
        if (r < 0)
            return r;
    }
    if (r >= 0)
        r = sd_bus_message_exit_container(m);
    if (r < 0)
        return r;
    *ret = f;
    return 0;
}
