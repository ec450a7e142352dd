#pragma once

#include <gio/gio.h>
#include <stdbool.h>

/* One thing that people are asked for when they start a task, and how what they write is read.
 *
 * The value of every field is a text, as it stands in the window, "" where nothing was said. What
 * it means is a GVariant, as the daemon takes it. */
typedef enum FieldType {
    FIELD_TEXT,    /* s: one line */
    FIELD_MESSAGE, /* ay: several lines, as they are */
    FIELD_NUMBER,  /* u, i or t, as the field says */
    FIELD_DECIMAL, /* d */
    FIELD_OCTAL,   /* u */
    FIELD_SPAN,    /* t: "1h 30min", in microseconds; 0 for "infinity" */
    FIELD_MSEC,    /* t: the same in milliseconds */
    FIELD_SIZE,    /* t: "1.5G", in bytes */
    FIELD_TIME,    /* t: a moment to come, in microseconds since the epoch */
    FIELD_SWITCH,  /* b: "yes" or "no" */
    FIELD_CHOICE,  /* s: one of the words */
    FIELD_LINES,   /* as: one a line */
    FIELD_ID,      /* t: a task */
    FIELD_IDS,     /* at */
    FIELD_CODES,   /* ai: exit codes, "1, 75" */
    FIELD_TOKENS,  /* a{su}: "gpu, net=2" */
    FIELD_ENV,     /* as: NAME=VALUE, one a line */
    FIELD_HEADERS, /* a{ss}: "Name: value", one a line */
    FIELD_JSON,    /* s: any JSON value, unchanged */
    FIELD_COMMAND, /* as: a line as a shell splits it */
    FIELD_FILE,    /* s: an absolute path, or one that begins with ~/ */
    FIELD_FOLDER,  /* s: the same */
    FIELD_FILES,   /* as: the same, one a line */
    FIELD_GROUP,   /* s: a name, of those that the daemon has */
    FIELD_BACKEND, /* s: the same */
} FieldType;

/* Which tasks it says something to. */
typedef enum FieldScope {
    FIELD_FOR_ALL,
    FIELD_FOR_COMMANDS,
    FIELD_FOR_KINDS,
    FIELD_FOR_PROCESSES, /* commands, and kinds in a process of their own */
} FieldScope;

typedef struct Field {
    const char *name;  /* of the option; of a parameter: "params.NAME" */
    const char *title; /* to be translated, as the next */
    const char *hint;  /* what to write, or NULL */
    FieldType type;
    FieldScope scope;
    const char *initial;             /* what it is when nothing is said, or NULL for "" */
    const char *const *words;        /* of a choice, NULL-terminated; the first is initial */
    const char *const *word_titles;  /* to be translated; NULL: the words are shown themselves */
    const char *needs, *needs_value; /* it says something only where another is so; without a
                                        value: where that is set */
    double min, max;                 /* both 0: anything that the type can hold */
    char signature;                  /* of a number: 'u', 'i' or 't' */
    bool required;
    bool advanced;  /* most people never need it */
    bool is_choice; /* it only tells which others count, and is not sent itself */
} Field;

/* The texts of all fields by name, g_str_hash, both owned by the table. */
typedef GHashTable FormValues;

FormValues *form_values_new(void);
/* Never NULL. */
const char *form_value(FormValues *values, const char *name);
void form_values_set(FormValues *values, const char *name, const char *text);

/* Something was said that is not what is there from the beginning. */
bool field_is_set(const Field *f, const char *text);

/* It says something to a task of this kind, with these values. */
bool field_applies(const Field *f, const char *kind, FormValues *values);

/* What can be read altogether of one field, in bytes: that of the largest that the daemon takes. */
#define FIELD_TEXT_MAX (1024 * 1024)

/* A floating GVariant of the field's type. NULL when there is nothing to say (the text is empty),
 * or, with *ret_error set (to be freed with g_free()), when it cannot be read: then it says, for
 * people, what to write. Times count from now. */
GVariant *field_read(const Field *f, const char *text, gint64 now_usec, char **ret_error);
