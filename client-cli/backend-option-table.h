#pragma once

#include "client-cli/command.h"

/* The settings of a backend, as options and behind --set. The contract has the same table, in
 * daemon/core/backend-settings.h; a test compares the two. */

typedef enum BackendOptionForm {
    BACKEND_OPTION_TEXT,
    BACKEND_OPTION_TEXTS, /* one more each time */
    BACKEND_OPTION_FILE,  /* where the daemon is to find it, whatever its own folder is */
    BACKEND_OPTION_PLACE, /* the same when there is a slash in it; else a name */
    BACKEND_OPTION_SPAN,
    BACKEND_OPTION_SIZE,
    BACKEND_OPTION_COUNT,
    BACKEND_OPTION_SWITCH,
} BackendOptionForm;

typedef struct BackendOption {
    const char *name; /* on the bus, and behind --set */
    const char *type; /* of D-Bus */
    BackendOptionForm form;
    OptionId id; /* OPT_SET: it has no option of its own */
} BackendOption;

const BackendOption *backend_options(void); /* ends with one that has no name */
