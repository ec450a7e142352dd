#pragma once

#include "daemon/shim/progress-reading.h"

/* Lines that single programs print, each with a form of its own: a table. */

typedef enum ProgressForm {
    PROGRESS_FORM_NONE,  /* of no program that is known here */
    PROGRESS_FORM_OTHER, /* what is counted there is not how far the program is */
    PROGRESS_FORM_READ,
} ProgressForm;

ProgressForm progress_forms_read(const char *line, const char *end, ProgressReading *ret);
