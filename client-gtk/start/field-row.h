#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"
#include "client-gtk/start/field.h"

/* One field in the window: its title, what to write or what is wrong, and the control.
 *
 * Signals: "changed", and "entered" when Enter was pressed in a single line. */
#define LONGRUN_TYPE_FIELD_ROW (field_row_get_type())
G_DECLARE_FINAL_TYPE(FieldRow, field_row, LONGRUN, FIELD_ROW, AdwPreferencesRow)

/* f lives as long as the program. */
FieldRow *field_row_new(const Field *f, DaemonLink *link);

const Field *field_row_get_field(FieldRow *self);

/* g_free(). */
char *field_row_get_text(FieldRow *self);
void field_row_set_text(FieldRow *self, const char *text);

/* What can be chosen, of a group or a backend; what is chosen stays. */
void field_row_set_names(FieldRow *self, const char *const *names);

/* NULL: nothing is wrong, and the hint is there again. */
void field_row_set_error(FieldRow *self, const char *message);

void field_row_focus(FieldRow *self);
