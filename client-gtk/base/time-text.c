#include "client-gtk/base/time-text.h"

#include <glib/gi18n.h>

#include "common/parse.h"

char *time_text_span(guint64 usec) {
    guint64 seconds = usec / USEC_PER_SEC;
    char buf[FORMAT_MAX];

    if (seconds < 60)
        /* Translators: a number of seconds, as short as can be */
        return g_strdup_printf(_("%us"), (guint)seconds);
    return g_strdup(format_span(buf, seconds * USEC_PER_SEC));
}

char *time_text_took(guint64 usec) {
    char buf[FORMAT_MAX];

    return usec < USEC_PER_SEC ? g_strdup(format_span(buf, usec)) : time_text_span(usec);
}

static gboolean is_same_day(GDateTime *a, GDateTime *b) {
    return g_date_time_get_day_of_year(a) == g_date_time_get_day_of_year(b) &&
           g_date_time_get_year(a) == g_date_time_get_year(b);
}

char *time_text_moment(guint64 usec, guint64 now) {
    g_autoptr(GDateTime) then = g_date_time_new_from_unix_local((gint64)(usec / USEC_PER_SEC));
    g_autoptr(GDateTime) today = g_date_time_new_from_unix_local((gint64)(now / USEC_PER_SEC));

    if (usec == 0 || !then || !today)
        return g_strdup("");
    return g_date_time_format(then, is_same_day(then, today) ? "%X" : "%c");
}
