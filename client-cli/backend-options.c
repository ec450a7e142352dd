#include "client-cli/backend-options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "client-cli/append.h"
#include "client-cli/backend-option-table.h"
#include "client-cli/here.h"
#include "client-cli/output.h"
#include "common/cleanup.h"
#include "common/parse.h"

/* ---- what was given ---- */

/* The value behind --set, when that is of this setting, else NULL. */
static const char *set_value(const char *word, const char *name) {
    size_t n = strlen(name);

    return strncmp(word, name, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

/* The value that one of the options gives the setting, or NULL. */
static const char *value_for(const GivenOption *given, const BackendOption *o) {
    if (given->id == OPT_SET)
        return set_value(given->value, o->name);
    if (given->id != o->id)
        return NULL;
    return given->value ?: "no"; /* --no-polling */
}

static int check_names(const Invocation *inv) {
    for (size_t i = 0; i < inv->n_options; i++) {
        const GivenOption *given = &inv->options[i];
        const BackendOption *o = backend_options();
        if (given->id != OPT_SET)
            continue;
        while (o->name && !set_value(given->value, o->name))
            o++;
        if (o->name)
            continue;
        if (!strchr(given->value, '='))
            return usage_error(inv->command, "--set wants NAME=VALUE, not \"%s\"", given->value);
        return usage_error(inv->command, "--set: there is no setting \"%.*s\"",
                           (int)strcspn(given->value, "="), given->value);
    }
    return 0;
}

/* ---- values ---- */

static int wants(const Invocation *inv, const BackendOption *o, const char *what,
                 const char *value) {
    return usage_error(inv->command, "%s wants %s, not \"%s\"", o->name, what, value);
}

static int append_span(const Invocation *inv, const BackendOption *o, const char *value,
                       sd_bus_message *call) {
    uint64_t usec;

    if (parse_span(value, &usec) < 0)
        return wants(inv, o, "a time, as in 500ms, 10s, 5min", value);
    return append_u64(call, o->name, usec);
}

static int append_size(const Invocation *inv, const BackendOption *o, const char *value,
                       sd_bus_message *call) {
    uint64_t bytes;

    if (parse_size(value, &bytes) < 0)
        return wants(inv, o, "a size, as in 64K, 8M", value);
    return append_u64(call, o->name, bytes);
}

static int append_count(const Invocation *inv, const BackendOption *o, const char *value,
                        sd_bus_message *call) {
    uint32_t n;

    if (parse_u32(value, &n) < 0)
        return wants(inv, o, "a number", value);
    return append_u32(call, o->name, n);
}

static int append_switch(const Invocation *inv, const BackendOption *o, const char *value,
                         sd_bus_message *call) {
    bool on;

    if (parse_bool(value, &on) < 0)
        return wants(inv, o, "yes or no", value);
    return append_bool(call, o->name, on);
}

static int append_file(const BackendOption *o, const char *value, sd_bus_message *call) {
    _cleanup_free_ char *path = NULL;

    if (*value == '\0' || (o->form == BACKEND_OPTION_PLACE && !strchr(value, '/')))
        return append_string(call, o->name, value);
    path = here_path(value, " Name the whole path");
    return path ? append_string(call, o->name, path) : EXIT_FAILURE;
}

static int append_value(const Invocation *inv, const BackendOption *o, const char *value,
                        sd_bus_message *call) {
    switch (o->form) {
    case BACKEND_OPTION_SPAN:
        return append_span(inv, o, value, call);
    case BACKEND_OPTION_SIZE:
        return append_size(inv, o, value, call);
    case BACKEND_OPTION_COUNT:
        return append_count(inv, o, value, call);
    case BACKEND_OPTION_SWITCH:
        return append_switch(inv, o, value, call);
    case BACKEND_OPTION_FILE:
    case BACKEND_OPTION_PLACE:
        return append_file(o, value, call);
    default:
        return append_string(call, o->name, value);
    }
}

static int append_setting(const Invocation *inv, const BackendOption *o, sd_bus_message *call) {
    _cleanup_free_ const char **values = must(calloc(inv->n_options + 1, sizeof(char *)));
    size_t n = 0;

    for (size_t i = 0; i < inv->n_options; i++) {
        const char *value = value_for(&inv->options[i], o);
        if (value)
            values[n++] = value;
    }
    if (n == 0)
        return 0;
    return o->form == BACKEND_OPTION_TEXTS ? append_strings(call, o->name, values)
                                           : append_value(inv, o, values[n - 1], call);
}

int backend_options_append(const Invocation *inv, sd_bus_message *call) {
    int r = check_names(inv);

    for (const BackendOption *o = backend_options(); o->name && r == 0; o++)
        r = append_setting(inv, o, call);
    return r;
}

/* ---- how they are shown ---- */

static void put_number(FILE *f, const BackendOption *o, uint64_t value) {
    char buf[FORMAT_MAX];

    if (value == 0)
        return;
    if (o->form == BACKEND_OPTION_SPAN)
        fputs(format_span(buf, value), f);
    else if (o->form == BACKEND_OPTION_SIZE)
        fputs(format_size(buf, value), f);
    else
        fprintf(f, "%" PRIu64, value);
}

char *backend_option_format(const BackendOption *o, const cJSON *value) {
    char *text = NULL;
    size_t size;
    const cJSON *item;
    FILE *f = must(open_memstream(&text, &size));

    if (cJSON_IsString(value))
        fputs(value->valuestring, f);
    else if (cJSON_IsArray(value)) {
        cJSON_ArrayForEach (item, value)
            fprintf(f, "%s%s", ftell(f) > 0 ? " and " : "", strempty(cJSON_GetStringValue(item)));
    } else if (value && !cJSON_IsBool(value))
        put_number(f, o, json_to_u64(value));
    fclose(f);
    return must(text);
}
