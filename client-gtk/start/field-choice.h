#pragma once

#include <gtk/gtk.h>

#include "client-gtk/start/field.h"

/* One of some words, or of the names that the daemon has. Signal "changed". */
#define LONGRUN_TYPE_FIELD_CHOICE (field_choice_get_type())
G_DECLARE_FINAL_TYPE(FieldChoice, field_choice, LONGRUN, FIELD_CHOICE, GtkBox)

FieldChoice *field_choice_new(const Field *f);

/* Owned by self, good until it changes. */
const char *field_choice_get(FieldChoice *self);

/* A name that is not there is added. */
void field_choice_set(FieldChoice *self, const char *word);

/* What is chosen stays, also when it is gone. */
void field_choice_set_names(FieldChoice *self, const char *const *names);

GtkWidget *field_choice_get_input(FieldChoice *self);
