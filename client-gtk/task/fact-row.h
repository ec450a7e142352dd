#pragma once

#include <adwaita.h>

#include "client-gtk/task/task-sheet.h"

/* A fact: what it is, and beside or below it what there is to say. */
#define LONGRUN_TYPE_FACT_ROW (fact_row_get_type())
G_DECLARE_FINAL_TYPE(FactRow, fact_row, LONGRUN, FACT_ROW, AdwPreferencesRow)

GtkWidget *fact_row_new(const TaskFact *fact);

/* The same fact, with another value. */
void fact_row_set(FactRow *self, const TaskFact *fact);
