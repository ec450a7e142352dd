#include "daemon/http/messenger-time.h"

/* ---- numbers ---- */

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Digits behind the point, as microseconds. Gives what follows. */
static const char *read_fraction(const char *s, uint64_t *ret_usec) {
    uint64_t unit = USEC_PER_SEC / 10;

    for (*ret_usec = 0; is_digit(*s); s++, unit /= 10)
        *ret_usec += unit * (uint64_t)(*s - '0');
    return s;
}

/* Of a number in the unit that its size tells. */
static uint64_t scale(uint64_t number, uint64_t fraction_usec) {
    static const uint64_t step = 1000;
    uint64_t limit = UINT64_C(100000000000); /* seconds: the year 5138 */

    if (number < limit)
        return number * USEC_PER_SEC + fraction_usec;
    limit *= step;
    if (number < limit)
        return number * USEC_PER_MSEC + fraction_usec / USEC_PER_MSEC;
    limit *= step;
    return number < limit ? number : number / NSEC_PER_USEC;
}

/* Gives what follows; NULL: that is no such number. */
static const char *read_number(const char *s, uint64_t *ret) {
    uint64_t number = 0, fraction = 0;

    if (!is_digit(*s))
        return NULL;
    for (; is_digit(*s); s++)
        if (__builtin_mul_overflow(number, UINT64_C(10), &number) ||
            __builtin_add_overflow(number, (uint64_t)(*s - '0'), &number))
            return NULL;
    if (*s == '.')
        s = read_fraction(s + 1, &fraction);
    *ret = scale(number, fraction);
    return *s == 'e' || *s == 'E' ? NULL : s;
}

uint64_t messenger_time_from_number(const char *s) {
    uint64_t usec;

    return read_number(s, &usec) ? usec : 0;
}

/* ---- ISO 8601 ---- */

/* So many digits, and a number from min to max. Gives what follows, or NULL. */
static const char *read_digits(const char *s, unsigned n, unsigned min, unsigned max,
                               unsigned *ret) {
    *ret = 0;
    for (; n > 0; n--, s++) {
        if (!s || !is_digit(*s))
            return NULL;
        *ret = *ret * 10 + (unsigned)(*s - '0');
    }
    return *ret >= min && *ret <= max ? s : NULL;
}

static const char *read_char(const char *s, const char *chars) {
    return s && *s && strchr(chars, *s) ? s + 1 : NULL;
}

/* Days from 1970-01-01, of the Gregorian calendar: years are counted from March, so that the leap
 * day is the last one. */
static int64_t days_of(unsigned year, unsigned month, unsigned day) {
    unsigned y = year - (month <= 2), m = month > 2 ? month - 3 : month + 9;

    return (int64_t)y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1 - 719468;
}

static const char *read_date(const char *s, int64_t *ret_days) {
    unsigned year, month, day;

    s = read_digits(s, 4, 1, 9999, &year);
    s = read_char(s, "-");
    s = s ? read_digits(s, 2, 1, 12, &month) : NULL;
    s = read_char(s, "-");
    s = s ? read_digits(s, 2, 1, 31, &day) : NULL;
    if (s)
        *ret_days = days_of(year, month, day);
    return s;
}

static const char *read_clock(const char *s, uint64_t *ret_usec) {
    unsigned hour, minute, second = 0;
    uint64_t fraction = 0;

    s = read_digits(s, 2, 0, 24, &hour);
    s = read_char(s, ":");
    s = s ? read_digits(s, 2, 0, 59, &minute) : NULL;
    if (s && *s == ':') {
        s = read_digits(s + 1, 2, 0, 60, &second);
        if (s && (*s == '.' || *s == ','))
            s = read_fraction(s + 1, &fraction);
    }
    if (s)
        *ret_usec = ((hour * UINT64_C(60) + minute) * 60 + second) * USEC_PER_SEC + fraction;
    return s;
}

/* Of "Z", "+01:00", "+0100", "+01" or "". */
static const char *read_zone(const char *s, int64_t *ret_minutes) {
    unsigned hours, minutes = 0;
    int sign;

    *ret_minutes = 0;
    if (*s == 'Z' || *s == 'z')
        return s + 1;
    if (*s != '+' && *s != '-')
        return s;
    sign = *s == '-' ? -1 : 1;
    s = read_digits(s + 1, 2, 0, 23, &hours);
    if (s && *s == ':')
        s++;
    if (s && is_digit(*s))
        s = read_digits(s, 2, 0, 59, &minutes);
    if (s)
        *ret_minutes = sign * (int64_t)(hours * 60 + minutes);
    return s;
}

static uint64_t read_iso(const char *s) {
    int64_t days, zone = 0, usec;
    uint64_t clock = 0;

    s = read_date(s, &days);
    if (s && *s) {
        s = read_char(s, "Tt ");
        s = s ? read_clock(s, &clock) : NULL;
        if (s && *s == ' ')
            s++;
        s = s ? read_zone(s, &zone) : NULL;
    }
    if (!s || *s)
        return 0;
    usec = days * (int64_t)USEC_PER_DAY + (int64_t)clock - zone * (int64_t)USEC_PER_MINUTE;
    return usec > 0 ? (uint64_t)usec : 0;
}

uint64_t messenger_time_from_text(const char *s) {
    uint64_t usec;
    const char *end = read_number(s, &usec);

    return end && !*end ? usec : read_iso(s);
}
