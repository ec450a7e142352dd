#include "client-gtk/start/start-time.h"

#include <glib/gi18n.h>

#include "common/parse.h"

typedef struct Moment {
    int year, month, day, hour, minute, second;
    bool has_day, has_time;
} Moment;

/* Up to max digits; -1 for none, or for more. */
static int read_number(const char **p, int max) {
    int n = 0, value = 0;

    for (; g_ascii_isdigit(**p) && n < max; n++)
        value = value * 10 + g_ascii_digit_value(*(*p)++);
    return n == 0 || g_ascii_isdigit(**p) ? -1 : value;
}

static bool skip(const char **p, char c) {
    if (**p != c)
        return false;
    (*p)++;
    return true;
}

/* "18:00", "9:30:15" */
static bool read_time(const char *word, Moment *m) {
    m->hour = read_number(&word, 2);
    if (m->hour < 0 || m->hour > 23 || !skip(&word, ':'))
        return false;
    m->minute = read_number(&word, 2);
    m->second = skip(&word, ':') ? read_number(&word, 2) : 0;
    m->has_time = true;
    return *word == '\0' && m->minute >= 0 && m->minute < 60 && m->second >= 0 && m->second < 60;
}

/* "2026-12-24" */
static bool read_date(const char *word, Moment *m) {
    m->year = read_number(&word, 4);
    if (m->year < 1970 || !skip(&word, '-'))
        return false;
    m->month = read_number(&word, 2);
    if (!skip(&word, '-'))
        return false;
    m->day = read_number(&word, 2);
    m->has_day = true;
    return *word == '\0' && m->month > 0 && m->day > 0 &&
           g_date_valid_dmy((GDateDay)m->day, (GDateMonth)m->month, (GDateYear)m->year);
}

static void take_day(Moment *m, GDateTime *day) {
    g_date_time_get_ymd(day, &m->year, &m->month, &m->day);
    m->has_day = true;
}

/* In the language of the user, or in English. */
static bool is_word(const char *word, const char *english, const char *translated) {
    g_autofree char *a = g_utf8_casefold(word, -1), *b = g_utf8_casefold(translated, -1);

    return g_ascii_strcasecmp(word, english) == 0 || g_str_equal(a, b);
}

static bool read_word(const char *word, GDateTime *now, Moment *m) {
    g_autoptr(GDateTime) tomorrow = g_date_time_add_days(now, 1);

    if (strchr(word, ':'))
        return !m->has_time && read_time(word, m);
    if (m->has_day || m->has_time)
        return false;
    if (is_word(word, "today", _("today")))
        take_day(m, now);
    else if (is_word(word, "tomorrow", _("tomorrow")))
        take_day(m, tomorrow);
    else
        return read_date(word, m);
    return true;
}

/* Not by adding a day to the moment: that day may have 23 hours. */
static GDateTime *to_local(const Moment *m, GDateTime *now) {
    g_autoptr(GDateTime) tomorrow = g_date_time_add_days(now, 1), today = NULL;
    Moment on = *m;

    if (!m->has_day)
        take_day(&on, now);
    today = g_date_time_new_local(on.year, on.month, on.day, on.hour, on.minute, on.second);
    if (m->has_day || !today || g_date_time_compare(today, now) > 0)
        return g_steal_pointer(&today);
    take_day(&on, tomorrow);
    return g_date_time_new_local(on.year, on.month, on.day, on.hour, on.minute, on.second);
}

static bool read_ahead(const char *text, gint64 now_usec, guint64 *ret_usec) {
    guint64 ahead, usec;

    if (parse_span(text, &ahead) < 0 || ahead == USEC_INFINITY ||
        __builtin_add_overflow((guint64)now_usec, ahead, &usec) || usec > G_MAXINT64)
        return false;
    *ret_usec = usec;
    return true;
}

bool start_time_parse(const char *text, gint64 now_usec, guint64 *ret_usec) {
    g_autoptr(GDateTime) now = g_date_time_new_from_unix_local(now_usec / G_USEC_PER_SEC);
    g_autoptr(GDateTime) then = NULL;
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    g_auto(GStrv) words = NULL;
    Moment m = {};

    if (*stripped == '+')
        return read_ahead(g_strchug(stripped + 1), now_usec, ret_usec);
    if (strlen(stripped) > strlen("2026-12-24") && stripped[strlen("2026-12-24")] == 'T')
        stripped[strlen("2026-12-24")] = ' ';
    words = g_strsplit(stripped, " ", -1);
    for (char **word = words; *word; word++)
        if (**word && !read_word(*word, now, &m))
            return false;
    then = m.has_day || m.has_time ? to_local(&m, now) : NULL;
    if (!then)
        return false;
    *ret_usec = (guint64)g_date_time_to_unix(then) * G_USEC_PER_SEC;
    return true;
}
