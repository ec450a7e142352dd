#include "client-gtk/messages/chat-time.h"

static gboolean is_same_day(GDateTime *a, GDateTime *b) {
    return g_date_time_get_year(a) == g_date_time_get_year(b) &&
           g_date_time_get_day_of_year(a) == g_date_time_get_day_of_year(b);
}

char *chat_time(guint64 usec, GDateTime *now) {
    g_autoptr(GDateTime) at = NULL;

    if (usec == 0 || usec / G_USEC_PER_SEC > G_MAXINT64 / G_USEC_PER_SEC)
        return NULL;
    at = g_date_time_new_from_unix_local((gint64)(usec / G_USEC_PER_SEC));
    return at ? g_date_time_format(at, is_same_day(at, now) ? "%X" : "%c") : NULL;
}
