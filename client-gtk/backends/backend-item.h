#pragma once

#include <gio/gio.h>

#include "client-gtk/widgets/plot-series.h"

/* A backend as the daemon has last told of it.
 *
 * Signal: "changed" (nothing besides), when what is known is another than before. */
#define LONGRUN_TYPE_BACKEND_ITEM (backend_item_get_type())
G_DECLARE_FINAL_TYPE(BackendItem, backend_item, LONGRUN, BACKEND_ITEM, GObject)

/* Of the latency, newest first to go. */
#define BACKEND_SAMPLES_MAX 300

BackendItem *backend_item_new(const char *name, const char *path);

const char *backend_item_get_name(BackendItem *self);
const char *backend_item_get_path(BackendItem *self);

/* properties: a{sv} of org.longrun.Longrun1.Backend, all or some; what has a type that it should
 * not have is left out. A LastUpdate that is new makes a sample of the latency. */
void backend_item_apply(BackendItem *self, GVariant *properties);

/* A check has found it offline: a gap in the latency. usec: now, since the epoch. */
void backend_item_note_offline(BackendItem *self, gint64 usec);

/* Something of it is known. */
gboolean backend_item_is_loaded(BackendItem *self);

/* By the names of the properties. "", 0 and FALSE for what is not known. */
const char *backend_item_get_text(BackendItem *self, const char *property);
guint64 backend_item_get_number(BackendItem *self, const char *property);
gboolean backend_item_get_flag(BackendItem *self, const char *property);

/* a{sv}, or NULL; owned by self. */
GVariant *backend_item_get_settings(BackendItem *self);

/* The file that defines it, or "". Only what no file defines can be removed. */
const char *backend_item_get_origin(BackendItem *self);

/* Polls go on: LastUpdate moves without a signal. */
gboolean backend_item_is_polled(BackendItem *self);

/* Values are in microseconds. */
PlotSeries *backend_item_get_latency(BackendItem *self);

/* ---- words; g_free() ---- */

/* "Last update: 12:34:56", or "Last update: Never". */
char *backend_item_last_update(BackendItem *self);
/* "12:34:56"; "" for 0. */
char *backend_format_time(guint64 usec);
/* "850 µs", "12 ms", "1.3 s". */
char *backend_format_latency(double usec);
