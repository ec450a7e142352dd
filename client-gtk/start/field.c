#include "client-gtk/start/field.h"

#include "common/parse.h"

/* ---- values ---- */

FormValues *form_values_new(void) {
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

const char *form_value(FormValues *values, const char *name) {
    const char *text = g_hash_table_lookup(values, name);

    return text ? text : "";
}

void form_values_set(FormValues *values, const char *name, const char *text) {
    g_hash_table_replace(values, g_strdup(name), g_strdup(text));
}

/* ---- which of them count ---- */

static bool is_on(const char *text) {
    bool on = false;

    return parse_bool(text, &on) >= 0 && on;
}

bool field_is_set(const Field *f, const char *text) {
    if (f->type == FIELD_SWITCH)
        return is_on(text) != is_on(f->initial);
    return *text && g_strcmp0(text, f->initial) != 0;
}

/* What another field must be: the value that is named, or else anything but nothing. */
static bool is_needed(const Field *f, FormValues *values) {
    const char *text;

    if (!f->needs)
        return true;
    text = form_value(values, f->needs);
    if (f->needs_value)
        return g_str_equal(text, f->needs_value);
    return *text && !g_str_equal(text, "no") && !g_str_equal(text, "0");
}

static bool is_in_scope(const Field *f, const char *kind, FormValues *values) {
    bool command = g_str_equal(kind, "command");

    switch (f->scope) {
    case FIELD_FOR_COMMANDS:
        return command;
    case FIELD_FOR_KINDS:
        return !command;
    case FIELD_FOR_PROCESSES:
        return command || g_str_equal(kind, "download") || is_on(form_value(values, "isolate"));
    default:
        return true;
    }
}

bool field_applies(const Field *f, const char *kind, FormValues *values) {
    return is_in_scope(f, kind, values) && is_needed(f, values);
}
