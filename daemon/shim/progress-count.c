#include "daemon/shim/progress-count.h"

#include <strings.h>

#include "daemon/shim/progress-number.h"

/* A place in the line. */
typedef struct Spot {
    const char *begin, *at, *end;
} Spot;

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static const char *skip_blanks(const char *p, const char *end) {
    while (p < end && is_blank(*p))
        p++;
    return p;
}

/* ---- what stands around a number ---- */

/* A number may begin here: not in the midst of a word, a path, a version, an address or a time, and
 * it is not negative. */
static bool may_begin(const Spot *s) {
    char before;

    if (s->at == s->begin)
        return true;
    before = s->at[-1];
    if ((unsigned char)before >= 0x80 || strchr(" \t([{<|>#*~\"'`;!", before))
        return true;
    if (s->at - s->begin == 1)
        return before == ':' || before == '=' || before == '.';
    /* "at:3/10", but no time; "Reading...45%", but no decimals. */
    if (before == ':' || before == '=')
        return !progress_number_digit(s->at[-2]);
    return before == '.' && s->at[-2] == '.';
}

static bool may_end(const char *p, const char *end) {
    if (p == end || (unsigned char)*p >= 0x80 || strchr(" \t,;)]}>|(\"'!", *p))
        return true;
    if (*p == ':')
        return p + 1 == end || !progress_number_digit(p[1]);
    return *p == '.' && (p + 1 == end || is_blank(p[1]) || p[1] == '.');
}

/* Begin of the word before p, with blanks, ":", "=" and brackets between them. */
static const char *word_before(const Spot *s, const char **ret_end) {
    const char *p = s->at;

    while (p > s->begin && strchr(" \t:=(~<", p[-1]))
        p--;
    *ret_end = p;
    while (p > s->begin && is_word(p[-1]))
        p--;
    return p;
}

static bool word_is_in(const char *word, const char *end, const char *const *list, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strlen(list[i]) == (size_t)(end - word) &&
            strncasecmp(word, list[i], (size_t)(end - word)) == 0)
            return true;
    return false;
}

/* ---- counters ---- */

/* "/", "of", "out of" between two numbers, blanks included. */
static const char *separator(const char *p, const char *end) {
    static const char *const words[] = {"of ", "out of "};
    const char *at = skip_blanks(p, end);

    if (at < end && *at == '/')
        return skip_blanks(at + 1, end);
    for (size_t i = 0; at > p && i < ELEMENTSOF(words); i++) {
        size_t n = strlen(words[i]);
        if ((size_t)(end - at) > n && memcmp(at, words[i], n) == 0)
            return skip_blanks(at + n, end);
    }
    return NULL;
}

static bool is_time(const char *p, const char *end) {
    uint64_t usec;
    return progress_number_clock(&p, end, &usec);
}

static bool is_year(const char *p, const char *end) {
    double year;
    return progress_number_decimal(&p, end, &year) && year >= 1900 && year < 2200 &&
           may_end(p, end);
}

/* "11/21 18:13:32", "Sat 11/21", "18:13 11/21", "11/21 2026". */
static bool is_date(const Spot *s, const ProgressNumber *a, const ProgressNumber *b,
                    const char *behind) {
    static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    const char *word, *word_end, *next = skip_blanks(behind, s->end);

    if (a->value < 1 || b->value > 31 || (a->value > 12 && b->value > 12))
        return false;
    if (is_year(next, s->end) || (a->digits == 2 && b->digits == 2 && is_time(next, s->end)))
        return true;
    word = word_before(s, &word_end);
    if (word_is_in(word, word_end, days, ELEMENTSOF(days)))
        return true;
    while (word > s->begin && (progress_number_digit(word[-1]) || word[-1] == ':'))
        word--;
    return is_time(word, s->end);
}

/* Whether they count together. A unit behind whole numbers makes a fraction of them, "1/2 MB"; with
 * decimals nobody would write one. */
static bool is_pair(const ProgressNumber *a, const ProgressNumber *b) {
    if (b->value < 2 || a->value > b->value) /* "1/1" is no news */
        return false;
    if (b->factor == 0)
        return a->factor == 0 && a->whole && b->whole;
    return a->factor > 0 || b->factor == 1 || !b->whole;
}

/* "attempt 2/5" says what it is about, not how far it is. */
static bool is_number_of_thing(const Spot *s) {
    static const char *const things[] = {"attempt", "rank", "retry", "shard",
                                         "thread",  "try",  "worker"};
    const char *word_end, *word = word_before(s, &word_end);

    return word_is_in(word, word_end, things, ELEMENTSOF(things));
}

static bool read_counter(const Spot *s, ProgressReading *ret, const char **ret_end) {
    const char *p = s->at;
    ProgressNumber a, b;

    if (!progress_number_amount(&p, s->end, &a))
        return false;
    p = separator(p, s->end);
    if (!p || !progress_number_amount(&p, s->end, &b))
        return false;
    if (a.factor == 0 && b.factor > 0) /* the unit is that of both */
        a.value *= b.factor;
    if (!may_end(p, s->end) || !is_pair(&a, &b) || is_date(s, &a, &b, p) || is_number_of_thing(s))
        return false;
    progress_reading_init(ret, PROGRESS_SOURCE_COUNTER);
    ret->done = (uint64_t)a.value;
    ret->total = (uint64_t)b.value;
    ret->fraction = a.value / b.value;
    ret->bytes = b.factor > 0;
    *ret_end = p;
    return true;
}

/* ---- percentages ---- */

/* What a percentage counts that is not how far something is. */
static const char *const other_things[] = {
    "accuracy",  "average", "battery",  "busy",    "compressed", "compression", "confidence",
    "coverage",  "covered", "executed", "cpu",     "deflated",   "faster",      "free",
    "full",      "gpu",     "idle",     "iowait",  "larger",     "left",        "loss",
    "mem",       "memory",  "off",      "packet",  "ratio",      "reduced",     "reduction",
    "remaining", "saved",   "slower",   "smaller", "system",     "utilization", "usage",
    "use",       "used",    "user",
};

/* The same where they stand before it: behind, they begin something else, "45% rate 1 MB/s". */
static const char *const other_things_before[] = {
    "hits", "load", "probability", "quality", "rate", "score", "swap",
};

static const char *const done_words[] = {"complete", "completed", "done", "finished"};

#define WORDS_AROUND 3 /* so far on the words behind are looked at */

static bool counts_other(const Spot *s, const char *behind) {
    const char *word, *p = skip_blanks(behind, s->end);

    if (p < s->end && p > behind && *p == '/') /* df: how full a file system is */
        return true;
    word = word_before(s, &p);
    if (word_is_in(word, p, other_things, ELEMENTSOF(other_things)) ||
        word_is_in(word, p, other_things_before, ELEMENTSOF(other_things_before)))
        return true;
    p = behind;
    for (int i = 0; i < WORDS_AROUND; i++) {
        word = p = skip_blanks(p, s->end);
        while (p < s->end && is_word(*p))
            p++;
        if (p == word || word_is_in(word, p, done_words, ELEMENTSOF(done_words)))
            return false;
        if (word_is_in(word, p, other_things, ELEMENTSOF(other_things)))
            return true;
    }
    return false;
}

/* "%", " %", " percent" behind a number. */
static const char *percent_sign(const char *p, const char *end) {
    static const char word[] = " percent";

    if ((size_t)(end - p) >= strlen(word) && memcmp(p, word, strlen(word)) == 0)
        return p + strlen(word);
    if (end - p >= 2 && *p == ' ')
        p++;
    return p < end && *p == '%' ? p + 1 : NULL;
}

static bool read_percent(const Spot *s, ProgressReading *ret, const char **ret_end) {
    const char *p = s->at;
    double percent;

    if (!progress_number_decimal(&p, s->end, &percent))
        return false;
    p = percent_sign(p, s->end);
    if (!p || percent > 100 || !may_end(p, s->end) || counts_other(s, p))
        return false;
    progress_reading_init(ret, PROGRESS_SOURCE_PERCENT);
    ret->fraction = percent / 100;
    *ret_end = p;
    return true;
}

/* ---- the line ---- */

static int rank(const ProgressReading *r) {
    return (int)r->source * 2 + r->bytes;
}

static const char *skip_number(const char *p, const char *end) {
    while (p < end && (progress_number_digit(*p) || *p == '.' || *p == ','))
        p++;
    return p;
}

/* Most lines are neither. */
static bool may_count(const char *line, const char *end) {
    static const char *const words[] = {"of ", " percent"};
    size_t size = (size_t)(end - line);

    if (memchr(line, '%', size) || memchr(line, '/', size))
        return true;
    for (size_t i = 0; i < ELEMENTSOF(words); i++)
        if (memmem(line, size, words[i], strlen(words[i])))
            return true;
    return false;
}

bool progress_count_read(const char *line, const char *end, ProgressReading *ret) {
    ProgressReading best = {0}, reading;
    Spot s = {.begin = line, .at = line, .end = end};

    if (!may_count(line, end))
        return false;

    while (s.at < end) {
        if (!progress_number_digit(*s.at)) {
            s.at++;
            continue;
        }
        const char *behind = skip_number(s.at, end);
        if (may_begin(&s) &&
            (read_counter(&s, &reading, &behind) || read_percent(&s, &reading, &behind)) &&
            rank(&reading) > rank(&best))
            best = reading;
        s.at = behind;
    }
    if (best.source == PROGRESS_SOURCE_NONE)
        return false;
    *ret = best;
    return true;
}
