#pragma once

#include "client-gtk/start/field-control.h"

/* What helps to fill in a field, beside its control: choosers of files and folders, files that are
 * dropped, a search of tasks, a calendar. Adds what the field's type has. */
void field_helpers_add(FieldControl *control, const Field *f, DaemonLink *link);
