#pragma once

#include <adwaita.h>

#include "client-gtk/backends/backend-form.h"

/* A field of the form: a row of what form it has, and a place for what is wrong with it, just
 * below. */
typedef struct BackendFieldRow BackendFieldRow;

/* Adds itself to group, which owns the widgets. Free with g_free(), after them. */
BackendFieldRow *backend_field_row_new(const BackendField *field, AdwPreferencesGroup *group);

const BackendField *backend_field_row_get_field(BackendFieldRow *self);
char *backend_field_row_get_text(BackendFieldRow *self); /* g_free() */

/* NULL: nothing is wrong. */
void backend_field_row_set_error(BackendFieldRow *self, const char *text);
void backend_field_row_focus(BackendFieldRow *self);
