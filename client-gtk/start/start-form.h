#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"
#include "client-gtk/start/field.h"

/* All that can be said of a new task: what it is, and how it is to run.
 *
 * Signals: "changed", a moment after something was, and "entered" when Enter was pressed in a line.
 */
#define LONGRUN_TYPE_START_FORM (start_form_get_type())
G_DECLARE_FINAL_TYPE(StartForm, start_form, LONGRUN, START_FORM, AdwBin)

/* To be called once. */
void start_form_set_link(StartForm *self, DaemonLink *link);

const char *start_form_get_kind(StartForm *self);

/* What is there now; g_hash_table_unref(). */
FormValues *start_form_get_values(StartForm *self);

/* At the field; false when it is not there. It goes when the field is changed. */
bool start_form_set_error(StartForm *self, const char *name, const char *message);
void start_form_clear_errors(StartForm *self);

/* To the field, wherever it is; to the first one without a name. */
void start_form_focus(StartForm *self, const char *name);
