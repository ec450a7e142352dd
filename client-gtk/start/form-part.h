#pragma once

#include <adwaita.h>

#include "client-gtk/start/daemon-lists.h"
#include "client-gtk/start/field-row.h"

/* Fields that stand together: in a group, or in a row that expands, of which the rows are made when
 * it does so for the first time.
 *
 * Signals: "changed" (FieldRow), "entered". */
#define LONGRUN_TYPE_FORM_PART (form_part_get_type())
G_DECLARE_FINAL_TYPE(FormPart, form_part, LONGRUN, FORM_PART, GObject)

/* Those of the n fields that are advanced, or those that are not. place: an AdwPreferencesGroup or
 * an AdwExpanderRow, which owns the rows. */
FormPart *form_part_new(const Field *fields, gsize n, bool advanced, GtkWidget *place,
                        DaemonLink *link, DaemonLists *lists);

void form_part_collect(FormPart *self, FormValues *values);

/* Shows the rows that say something, and in the title of what expands those that were filled in. */
void form_part_update(FormPart *self, const char *kind, FormValues *values);

/* NULL when the field is none of these. Makes the rows, if need be. */
FieldRow *form_part_find(FormPart *self, const char *name);

void form_part_clear_errors(FormPart *self);
