#pragma once

#include <glib.h>

/* What AddBackend takes, as people write it. */
typedef enum BackendFieldForm {
    BACKEND_FIELD_TEXT,
    BACKEND_FIELD_LINES,  /* a list, one a line */
    BACKEND_FIELD_SPAN,   /* "10s" */
    BACKEND_FIELD_SIZE,   /* "8M" */
    BACKEND_FIELD_COUNT,  /* "3" */
    BACKEND_FIELD_SWITCH, /* "yes" or "no" */
    BACKEND_FIELD_FILE,   /* an absolute path */
    BACKEND_FIELD_CHOICE, /* one of choices */
} BackendFieldForm;

typedef enum BackendFieldGroup {
    BACKEND_GROUP_WHERE,
    BACKEND_GROUP_CHECKS,
    BACKEND_GROUP_POLLS,
    BACKEND_GROUP_SECURITY,
    BACKEND_GROUP_LIMITS,
    BACKEND_N_GROUPS,
} BackendFieldGroup;

typedef struct BackendField {
    const char *name; /* on the bus; "name" is that of the backend itself */
    BackendFieldForm form;
    BackendFieldGroup group;
    const char *title; /* not translated yet */
    const char *hint;  /* the same: what holds when it is empty, or how it is written; or NULL */
    const char *const *choices; /* values; the first is the default */
    const char *const *titles;  /* of them, not translated yet */
} BackendField;

/* All of them, "name" and "url" first; ends with one that has no name. */
const BackendField *backend_fields(void);
const BackendField *backend_field(const char *name);

/* Reads one: what is empty or the default is nothing, *ret = NULL. FALSE: ret_error says what is
 * wrong (g_free()). *ret is floating. */
gboolean backend_field_read(const BackendField *field, const char *text, GVariant **ret,
                            char **ret_error);

/* The value of the property Settings for people; g_free(). NULL for what needs not be shown:
 * nothing. */
char *backend_field_show(const BackendField *field, GVariant *value);

/* The field that an InvalidOption of AddBackend is about, by its words; of the name when they tell
 * of none. */
const BackendField *backend_field_of_error(const char *text);
