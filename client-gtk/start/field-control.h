#pragma once

#include <gtk/gtk.h>

#include "client-gtk/base/daemon-link.h"
#include "client-gtk/start/field.h"

/* What a field is filled in with: a line, a text, a switch or a choice, and what helps with it,
 * such as a file chooser. Its value is a text.
 *
 * Signals: "changed", and "entered" when Enter was pressed in a single line. */
#define LONGRUN_TYPE_FIELD_CONTROL (field_control_get_type())
G_DECLARE_FINAL_TYPE(FieldControl, field_control, LONGRUN, FIELD_CONTROL, GtkBox)

FieldControl *field_control_new(const Field *f, DaemonLink *link);

/* There is room for it beside a title. */
bool field_control_is_short(const Field *f);

/* g_free(). */
char *field_control_get_text(FieldControl *self);
void field_control_set_text(FieldControl *self, const char *text);

/* More at the end: words of a line of numbers, lines of a text. */
void field_control_append(FieldControl *self, const char *more);

void field_control_set_names(FieldControl *self, const char *const *names);

/* To those who do not see the message. */
void field_control_describe(FieldControl *self, const char *message, gboolean is_error);

void field_control_focus(FieldControl *self);
