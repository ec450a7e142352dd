#pragma once

#include "client-gtk/start/field.h"

/* What a command, or a built-in kind, is asked for. A kind that this table does not know gets a
 * form with its parameters as JSON. */
typedef struct KindForm {
    const char *kind;    /* NULL: any other */
    const char *title;   /* to be translated; NULL: the name of the kind */
    const char *summary; /* to be translated; NULL: what the daemon says */
    const Field *fields;
    gsize n_fields;
} KindForm;

/* Never NULL. */
const KindForm *kind_form_find(const char *kind);

/* "Checksums", translated; the name itself for a kind that is not known. */
const char *kind_form_title(const char *kind);

/* Of the form; NULL when there is none of that name. */
const Field *kind_form_field(const KindForm *form, const char *name);

#define PARAMS_PREFIX "params."
