#pragma once

#include <glib.h>

/* Results that were taken: the daemon gives each of them once, and who comes back to the page of a
 * task wants to see it again. The last few are kept, until the program ends. */
#define LONGRUN_RESULTS_KEPT 20
#define LONGRUN_RESULTS_BYTES (16 * 1024 * 1024)

/* The one that is kept last is kept, whatever its size. */
void result_keep(guint64 id, const char *result);

/* NULL for one that is not kept; valid until the next result_keep(). */
const char *result_keep_find(guint64 id);

/* Forgets all. */
void result_keep_clear(void);
