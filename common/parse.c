#include "common/parse.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int parse_u64(const char *s, uint64_t *ret) {
    uint64_t value = 0;

    if (isempty(s))
        return -EINVAL;
    for (; *s; s++) {
        if (!isdigit((unsigned char)*s))
            return -EINVAL;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
            return -ERANGE;
    }
    *ret = value;
    return 0;
}

int parse_u32(const char *s, uint32_t *ret) {
    uint64_t value;
    int r = parse_u64(s, &value);

    if (r < 0)
        return r;
    if (value > UINT32_MAX)
        return -ERANGE;
    *ret = (uint32_t)value;
    return 0;
}

int parse_bool(const char *s, bool *ret) {
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true}, {"no", false},  {"true", true}, {"false", false},
                 {"on", true},  {"off", false}, {"1", true},    {"0", false}};

    for (size_t i = 0; i < ELEMENTSOF(words); i++)
        if (streq(strempty(s), words[i].word)) {
            *ret = words[i].value;
            return 0;
        }
    return -EINVAL;
}

typedef struct Unit {
    const char *name;
    uint64_t factor;
} Unit;

/* Reads "12", "1.5" or ".5", then a word from the table, and moves the cursor behind both. */
static int parse_quantity(const char **cursor, const Unit *units, size_t n_units, uint64_t *ret) {
    const char *p = *cursor;
    size_t digits = strspn(p, "0123456789.");
    char number[64], *end;

    if (digits == 0 || digits >= sizeof(number))
        return -EINVAL;
    memcpy(number, p, digits);
    number[digits] = '\0';
    double value = strtod(number, &end);
    if (*end || streq(number, "."))
        return -EINVAL;

    p += digits;
    p += strspn(p, " \t");
    size_t letters = 0;
    while (isalpha((unsigned char)p[letters]))
        letters++;
    for (size_t i = 0; i < n_units; i++) {
        if (strlen(units[i].name) != letters || strncmp(units[i].name, p, letters) != 0)
            continue;
        value *= (double)units[i].factor;
        if (value >= 0x1p63)
            return -ERANGE;
        *ret = (uint64_t)(value + 0.5);
        *cursor = p + letters;
        return 0;
    }
    return -EINVAL;
}

int parse_span(const char *s, uint64_t *ret_usec) {
    static const Unit units[] = {
        {"", USEC_PER_SEC},
        {"us", 1},
        {"usec", 1},
        {"ms", USEC_PER_MSEC},
        {"msec", USEC_PER_MSEC},
        {"s", USEC_PER_SEC},
        {"sec", USEC_PER_SEC},
        {"second", USEC_PER_SEC},
        {"seconds", USEC_PER_SEC},
        {"m", USEC_PER_MINUTE},
        {"min", USEC_PER_MINUTE},
        {"minute", USEC_PER_MINUTE},
        {"minutes", USEC_PER_MINUTE},
        {"h", USEC_PER_HOUR},
        {"hr", USEC_PER_HOUR},
        {"hour", USEC_PER_HOUR},
        {"hours", USEC_PER_HOUR},
        {"d", USEC_PER_DAY},
        {"day", USEC_PER_DAY},
        {"days", USEC_PER_DAY},
        {"w", 7 * USEC_PER_DAY},
        {"week", 7 * USEC_PER_DAY},
        {"weeks", 7 * USEC_PER_DAY},
    };
    uint64_t total = 0;

    s = strempty(s);
    s += strspn(s, " \t");
    if (streq(s, "infinity")) {
        *ret_usec = USEC_INFINITY;
        return 0;
    }
    if (!*s)
        return -EINVAL;
    while (*s) {
        uint64_t part;
        int r = parse_quantity(&s, units, ELEMENTSOF(units), &part);
        if (r < 0)
            return r;
        if (__builtin_add_overflow(total, part, &total))
            return -ERANGE;
        s += strspn(s, " \t");
    }
    *ret_usec = total;
    return 0;
}

int parse_size(const char *s, uint64_t *ret_bytes) {
    static const Unit units[] = {{"", 1},    {"B", 1},     {"K", KIB}, {"KiB", KIB},
                                 {"M", MIB}, {"MiB", MIB}, {"G", GIB}, {"GiB", GIB},
                                 {"T", TIB}, {"TiB", TIB}};
    uint64_t bytes;

    s = strempty(s);
    int r = parse_quantity(&s, units, ELEMENTSOF(units), &bytes);
    if (r < 0)
        return r;
    if (*s)
        return -EINVAL;
    *ret_bytes = bytes;
    return 0;
}

int parse_fraction(const char *s, double *ret) {
    size_t n = strspn(s, "0123456789.");
    bool percent = s[n] == '%' || !memchr(s, '.', n);
    char number[32], *end;

    if (n == 0 || n >= sizeof(number) || (s[n] != '\0' && !streq(s + n, "%")))
        return -EINVAL;
    memcpy(number, s, n);
    number[n] = '\0';
    double value = strtod(number, &end);
    if (*end || end == number)
        return -EINVAL;
    if (percent)
        value /= 100;
    if (!(value >= 0 && value <= 1))
        return -EINVAL;
    *ret = value;
    return 0;
}

char *format_span(char buf[FORMAT_MAX], uint64_t usec) {
    uint64_t seconds = usec / USEC_PER_SEC;

    if (usec == USEC_INFINITY)
        snprintf(buf, FORMAT_MAX, "infinity");
    else if (usec >= USEC_PER_DAY)
        snprintf(buf, FORMAT_MAX, "%" PRIu64 "d %" PRIu64 "h", seconds / 86400,
                 seconds % 86400 / 3600);
    else if (usec >= USEC_PER_HOUR)
        snprintf(buf, FORMAT_MAX, "%" PRIu64 "h %" PRIu64 "min", seconds / 3600,
                 seconds % 3600 / 60);
    else if (usec >= USEC_PER_MINUTE)
        snprintf(buf, FORMAT_MAX, "%" PRIu64 "min %" PRIu64 "s", seconds / 60, seconds % 60);
    else if (usec >= USEC_PER_SEC)
        snprintf(buf, FORMAT_MAX, "%.1fs", (double)(usec / 100000) / 10);
    else
        snprintf(buf, FORMAT_MAX, "%" PRIu64 "ms", usec / USEC_PER_MSEC);
    return buf;
}

char *format_size(char buf[FORMAT_MAX], uint64_t bytes) {
    static const char suffixes[] = "KMGTPE";
    double value = (double)bytes;
    int i = -1;

    while (value >= 1024 && i + 1 < (int)strlen(suffixes)) {
        value /= 1024;
        i++;
    }
    if (i < 0)
        snprintf(buf, FORMAT_MAX, "%" PRIu64 "B", bytes);
    else
        snprintf(buf, FORMAT_MAX, "%.1f%c", value, suffixes[i]);
    return buf;
}
