#include "daemon/core/retry-after.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "common/parse.h"

/* ---- dates ---- */

static int month_of(const char *name) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; i < 12; i++)
        if (strncmp(names + i * 3, name, 3) == 0)
            return i;
    return -1;
}

/* Of two digits: a year that seems to be more than 50 years ahead is the last one before with the
 * same digits (RFC 9110, section 5.6.7). */
static int whole_year(int year, uint64_t now_usec) {
    time_t now = (time_t)(now_usec / USEC_PER_SEC);
    struct tm tm = {};
    int this_year;

    if (!gmtime_r(&now, &tm))
        return year;
    this_year = tm.tm_year + 1900;
    year += this_year - this_year % 100;
    return year > this_year + 50 ? year - 100 : year;
}

typedef struct Date {
    int day, year, hour, minute, second;
    char month[4];
} Date;

/* The form that is sent, that of RFC 850, and that of asctime(3). */
static bool read_date(const char *text, uint64_t now_usec, Date *d) {
    int end = 0;

    sscanf(text, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT%n", &d->day, d->month, &d->year,
           &d->hour, &d->minute, &d->second, &end);
    if (end > 0)
        return text[end] == '\0';
    sscanf(text, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT%n", &d->day, d->month, &d->year,
           &d->hour, &d->minute, &d->second, &end);
    if (end > 0) {
        d->year = whole_year(d->year, now_usec);
        return text[end] == '\0';
    }
    sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", d->month, &d->day, &d->hour,
           &d->minute, &d->second, &d->year, &end);
    return end > 0 && text[end] == '\0';
}

uint64_t http_date_parse(const char *text, uint64_t now_usec) {
    Date d = {};
    time_t sec;

    if (!read_date(text, now_usec, &d))
        return 0;
    if (month_of(d.month) < 0 || d.day < 1 || d.day > 31 || d.year < 1970 || d.hour < 0 ||
        d.hour > 23 || d.minute < 0 || d.minute > 59 || d.second < 0 || d.second > 60)
        return 0;
    struct tm tm = {
        .tm_mday = d.day,
        .tm_mon = month_of(d.month),
        .tm_year = d.year - 1900,
        .tm_hour = d.hour,
        .tm_min = d.minute,
        .tm_sec = d.second,
    };
    sec = timegm(&tm);
    return sec > 0 ? (uint64_t)sec * USEC_PER_SEC : 0;
}

/* ---- Retry-After ---- */

static bool is_number(const char *value) {
    return *value && value[strspn(value, "0123456789")] == '\0';
}

uint64_t retry_after_usec(const char *value, const char *date, uint64_t now_usec,
                          uint64_t max_usec) {
    uint64_t until, theirs, seconds;

    if (isempty(value))
        return 0;
    if (is_number(value)) {
        if (parse_u64(value, &seconds) == -ERANGE || seconds > max_usec / USEC_PER_SEC)
            return max_usec;
        return seconds * USEC_PER_SEC;
    }
    until = http_date_parse(value, now_usec);
    theirs = date ? http_date_parse(date, now_usec) : 0;
    if (theirs > 0)
        now_usec = theirs;
    return until > now_usec ? MIN(until - now_usec, max_usec) : 0;
}
