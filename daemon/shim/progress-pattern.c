#include "daemon/shim/progress-pattern.h"

typedef struct Matcher {
    const char *pattern;
    const char *at, *end;
    ProgressMatch match;
} Matcher;

static bool skip_blanks(Matcher *m) {
    const char *begin = m->at;

    while (m->at < m->end && (*m->at == ' ' || *m->at == '\t'))
        m->at++;
    return m->at > begin;
}

/* Characters of the pattern that stand for themselves, from p on. */
static size_t count_literals(const char *p) {
    return strcspn(p, "% ~");
}

/* First number with a percent sign right behind it. */
static const char *find_percentage(const char *p, const char *end) {
    const char *sign = p;

    while ((sign = memchr(sign, '%', (size_t)(end - sign)))) {
        const char *number = sign;
        while (number > p && progress_number_digit(number[-1]))
            number--;
        if (number - p >= 2 && (number[-1] == '.' || number[-1] == ',') &&
            progress_number_digit(number[-2]))
            number--;
        while (number > p && progress_number_digit(number[-1]))
            number--;
        if (number < sign)
            return number;
        sign++;
    }
    return NULL;
}

/* First place where what the pattern says next is written. */
static const char *find_next(const Matcher *m) {
    const char *p = m->pattern;
    size_t n = count_literals(p);

    if (n > 0)
        return memmem(m->at, (size_t)(m->end - m->at), p, n);
    if (p[0] == '%' && p[1] == 'p')
        return find_percentage(m->at, m->end);
    if (p[0] == '%')
        return memchr(m->at, '%', (size_t)(m->end - m->at));
    return memchr(m->at, ' ', (size_t)(m->end - m->at));
}

static bool skip_anything(Matcher *m, bool is_name) {
    const char *found = find_next(m);

    if (!found)
        return false;
    if (is_name) {
        m->match.name = m->at;
        m->match.name_size = (size_t)(found - m->at);
    }
    m->at = found;
    return true;
}

static bool take_amount(Matcher *m, double *ret) {
    ProgressNumber n;

    if (!progress_number_amount(&m->at, m->end, &n))
        return false;
    *ret = n.value;
    m->match.bytes = m->match.bytes || n.factor > 0;
    return true;
}

static bool take(Matcher *m, char directive) {
    double ignored;

    switch (directive) {
    case 'p':
        return progress_number_decimal(&m->at, m->end, &m->match.percent);
    case 'n':
        return progress_number_whole(&m->at, m->end, &m->match.done);
    case 'm':
        return progress_number_whole(&m->at, m->end, &m->match.total);
    case 'a':
        return take_amount(m, &m->match.done);
    case 'b':
        return take_amount(m, &m->match.total);
    case 'x': {
        bool bytes = m->match.bytes;
        bool taken = take_amount(m, &ignored);
        m->match.bytes = bytes;
        return taken;
    }
    case 't':
        return progress_number_clock(&m->at, m->end, &m->match.time_usec);
    case 'l':
        return skip_anything(m, true);
    case '*':
        return skip_anything(m, false);
    case '$':
        return m->at == m->end;
    default: /* '%' */
        return m->at < m->end && *m->at++ == directive;
    }
}

static bool step(Matcher *m) {
    char c = *m->pattern++;

    switch (c) {
    case ' ':
        return skip_blanks(m);
    case '~':
        skip_blanks(m);
        return true;
    case '%':
        return take(m, *m->pattern++);
    default:
        return m->at < m->end && *m->at++ == c;
    }
}

bool progress_pattern_match(const char *pattern, const char *line, const char *end,
                            ProgressMatch *ret) {
    Matcher m = {
        .pattern = pattern,
        .at = line,
        .end = end,
        .match = {.percent = -1, .done = -1, .total = -1},
    };

    while (*m.pattern != '\0')
        if (!step(&m))
            return false;
    *ret = m.match;
    return true;
}
