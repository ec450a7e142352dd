#pragma once

#include "client-gtk/start/field.h"

/* What can be said of any task, in the order in which the window shows it. */
typedef struct OptionSection {
    const char *title; /* to be translated; NULL: always in sight, above the others */
    const char *icon;
    const Field *fields;
    gsize n_fields;
} OptionSection;

extern const OptionSection option_sections[];
extern const gsize n_option_sections;

/* NULL when there is none of that name. */
const Field *option_form_find(const char *name);
