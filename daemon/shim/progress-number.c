#include "daemon/shim/progress-number.h"

#include <strings.h>

#define DIGITS_MAX 18 /* of each part: what is longer is an identifier, or wants to overflow */

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static size_t count_digits(const char *p, const char *end) {
    size_t n = 0;

    while (p + n < end && progress_number_digit(p[n]))
        n++;
    return n;
}

static double value_of(const char *p, size_t n) {
    double value = 0;

    for (size_t i = 0; i < n; i++)
        value = value * 10 + (p[i] - '0');
    return value;
}

/* Bytes of what parts thousands at p: "," "." "'" or, in UTF-8, U+00A0, U+2009 and U+202F; 0 for
 * anything else. */
static size_t separator_size(const char *p, const char *end) {
    static const char *const wide[] = {"\xc2\xa0", "\xe2\x80\x89", "\xe2\x80\xaf"};

    if (p < end && (*p == ',' || *p == '.' || *p == '\''))
        return 1;
    for (size_t i = 0; i < ELEMENTSOF(wide); i++) {
        size_t n = strlen(wide[i]);
        if ((size_t)(end - p) >= n && memcmp(p, wide[i], n) == 0)
            return n;
    }
    return 0;
}

/* Counts the groups of three behind the first digits, all with the same separator, and adds them to
 * the value. */
static size_t take_groups(const char **p, const char *end, double *value) {
    size_t groups = 0, size = separator_size(*p, end);
    const char *separator = *p;

    while (size > 0 && (size_t)(end - *p) > size && memcmp(*p, separator, size) == 0 &&
           count_digits(*p + size, end) == 3) {
        *value = *value * 1000 + value_of(*p + size, 3);
        *p += size + 3;
        groups++;
    }
    return groups;
}

/* Takes the digits at *p; false when there are none, or too many. */
static bool take_digits(const char **p, const char *end, double *ret, size_t *ret_digits) {
    size_t n = count_digits(*p, end);

    if (n == 0 || n > DIGITS_MAX)
        return false;
    *ret = value_of(*p, n);
    *ret_digits = n;
    *p += n;
    return true;
}

bool progress_number_whole(const char **p, const char *end, double *ret) {
    const char *at = *p;
    size_t digits;
    double value;

    if (!take_digits(&at, end, &value, &digits))
        return false;
    if (digits <= 3 && *p[0] != '0')
        take_groups(&at, end, &value);
    if (value > PROGRESS_NUMBER_MAX)
        return false;
    *p = at;
    *ret = value;
    return true;
}

/* Decimals behind "." or ","; none is fine. */
static bool take_decimals(const char **p, const char *end, double *value) {
    size_t n;

    if (end - *p < 2 || (**p != '.' && **p != ','))
        return false;
    n = count_digits(*p + 1, end);
    if (n == 0 || n > DIGITS_MAX)
        return false;
    double scale = 1;
    for (size_t i = 0; i < n; i++)
        scale *= 10;
    *value += value_of(*p + 1, n) / scale;
    *p += 1 + n;
    return true;
}

bool progress_number_decimal(const char **p, const char *end, double *ret) {
    const char *at = *p;
    size_t digits;
    double value;

    if (!take_digits(&at, end, &value, &digits))
        return false;
    take_decimals(&at, end, &value);
    *p = at;
    *ret = value;
    return true;
}

bool progress_number_unit(const char **p, const char *end, double *ret_factor) {
    static const char prefixes[] = "kMGTPE", words[] = "bytes";
    const char *at = *p, *prefix;
    double factor = 1;

    while (at < end && *at == ' ')
        at++;
    if (at == end)
        return false;
    if ((size_t)(end - at) >= strlen(words) && strncasecmp(at, words, strlen(words)) == 0)
        at += strlen(words);
    else if (*at == 'B')
        at++;
    else {
        prefix = *at == 'K' ? prefixes : memchr(prefixes, *at, strlen(prefixes));
        if (!prefix)
            return false;
        at++;
        /* "MB" is what SI says, or not; "M" alone is 1024 with all who print it. */
        bool si = at < end && *at == 'B';
        if (at < end && *at == 'i')
            at++;
        if (at < end && *at == 'B')
            at++;
        for (long i = 0; i <= prefix - prefixes; i++)
            factor *= si ? 1000 : 1024;
    }
    if (at < end && (is_letter(*at) || progress_number_digit(*at)))
        return false;
    *p = at;
    *ret_factor = factor;
    return true;
}

/* What is before the unit. */
static bool take_value(const char **p, const char *end, ProgressNumber *n) {
    const char *first = *p;

    if (!take_digits(p, end, &n->value, &n->digits))
        return false;
    if (n->digits <= 3 && *first != '0') {
        const char *behind = *p;
        double value = n->value;
        if (take_groups(p, end, &n->value) == 1 && *behind == '.') {
            *p = behind;
            n->value = value;
        }
    }
    n->whole = !take_decimals(p, end, &n->value);
    return true;
}

bool progress_number_amount(const char **p, const char *end, ProgressNumber *ret) {
    const char *at = *p;
    ProgressNumber n = {0};

    if (!take_value(&at, end, &n))
        return false;
    if (progress_number_unit(&at, end, &n.factor))
        n.value *= n.factor;
    if (n.value > PROGRESS_NUMBER_MAX)
        return false;
    *p = at;
    *ret = n;
    return true;
}

bool progress_number_clock(const char **p, const char *end, uint64_t *ret_usec) {
    const char *at = *p;
    double seconds = 0, part;
    size_t digits, parts = 0;

    do {
        if (parts > 0)
            at++;
        if (!take_digits(&at, end, &part, &digits) || digits > 6 || (parts > 0 && digits != 2))
            return false;
        seconds = seconds * 60 + part;
        parts++;
    } while (at < end && *at == ':' && parts < 3);
    if (parts < 2)
        return false;
    take_decimals(&at, end, &seconds);
    *p = at;
    *ret_usec = (uint64_t)(seconds * (double)USEC_PER_SEC);
    return true;
}
