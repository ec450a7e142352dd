#include "client-cli/output.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#include "common/cleanup.h"
#include "common/text.h"

#define TEXT_MAX (64 * KIB) /* of a label, a message, ... that is shown */
#define COLUMNS_DEFAULT 80
#define COLUMNS_MIN 20

void *must(void *p) {
    if (!p) {
        print_error("%s", strerror(ENOMEM));
        exit(EXIT_FAILURE);
    }
    return p;
}

static bool line_is_open;

void output_open_line(void) {
    line_is_open = true;
}

void output_end_line(void) {
    if (line_is_open)
        putchar('\n');
    line_is_open = false;
}

int print_error(const char *format, ...) {
    _cleanup_free_ char *text = NULL;
    const char *prefix = "longrun: ";
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    output_end_line();
    /* What waits in stdout belongs before it. */
    fflush(stdout);
    for (char *line, *rest = text; (line = strsep(&rest, "\n"));) {
        _cleanup_free_ char *clean = text_clean(line, strlen(line), TEXT_MAX);
        fprintf(stderr, "%s%s\n", prefix, strempty(clean));
        prefix = "";
    }
    return EXIT_FAILURE;
}

bool output_is_terminal(void) {
    static int answer = -1;

    if (answer < 0)
        answer = isatty(STDOUT_FILENO) && !streq(strempty(getenv("TERM")), "dumb");
    return answer;
}

bool output_has_colour(void) {
    return output_is_terminal() && isempty(getenv("NO_COLOR"));
}

bool output_is_utf8(void) {
    /* Apart from the program's own locale, which counts columns of UTF-8 whatever the person has.
     */
    locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

    if (!locale)
        return false;
    bool is_utf8 = streq(nl_langinfo_l(CODESET, locale), "UTF-8");
    freelocale(locale);
    return is_utf8;
}

size_t output_columns(void) {
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
        return COLUMNS_DEFAULT;
    return MAX((size_t)size.ws_col, (size_t)COLUMNS_MIN);
}

const char *state_colour(const char *state) {
    static const char *const colours[_TASK_STATE_MAX] = {
        [TASK_WAITING] = COLOUR_DIM,    [TASK_SKIPPED] = "\x1b[35m",
        [TASK_QUEUED] = COLOUR_DIM,     [TASK_STARTING] = "\x1b[36m",
        [TASK_RUNNING] = "\x1b[36m",    [TASK_PAUSED] = "\x1b[34m",
        [TASK_CANCELLING] = "\x1b[33m", [TASK_SUCCEEDED] = "\x1b[32m",
        [TASK_FAILED] = "\x1b[31m",     [TASK_CANCELLED] = "\x1b[33m",
        [TASK_TIMED_OUT] = "\x1b[31m",  [TASK_INTERRUPTED] = "\x1b[35m",
    };
    TaskState known = task_state_from_string(state);

    return (size_t)known < ELEMENTSOF(colours) ? colours[known] : "";
}

int text_check(const char *what, const char *text) {
    if (utf8_is_valid(text))
        return 0;
    return print_error("%s is not UTF-8, and D-Bus carries no other text: \"%s\"", what, text);
}

char *text_display(const char *s) {
    char *text = must(text_clean(s, strlen(s), TEXT_MAX));

    for (char *p = text; *p; p++)
        if (*p == '\t')
            *p = ' ';
    return text;
}

/* The character at s: its bytes, and the columns that it takes. */
static size_t character(const char *s, size_t *ret_columns) {
    static bool ready = false;
    mbstate_t state = {};
    wchar_t c;

    if (!ready) {
        setlocale(LC_CTYPE, "C.UTF-8");
        ready = true;
    }
    size_t n = mbrtowc(&c, s, strlen(s), &state);
    if (n == 0 || n > strlen(s)) {
        *ret_columns = 1;
        return 1;
    }
    *ret_columns = (size_t)MAX(wcwidth(c), 0);
    return n;
}

size_t text_columns(const char *s) {
    size_t total = 0, columns;

    for (; *s; total += columns)
        s += character(s, &columns);
    return total;
}

char *text_cut(const char *s, size_t columns) {
    size_t kept = 0, used = 0, width;
    char *cut;

    if (text_columns(s) <= columns)
        return must(strdup(s));
    while (s[kept]) {
        size_t n = character(s + kept, &width);
        if (used + width + 1 > columns)
            break;
        used += width;
        kept += n;
    }
    if (asprintf(&cut, "%.*s…", (int)kept, s) < 0)
        cut = NULL;
    return must(cut);
}

char *format_time(char buf[TIME_MAX], uint64_t usec) {
    time_t seconds = (time_t)(usec / USEC_PER_SEC);
    struct tm tm;

    if (usec == 0 || !localtime_r(&seconds, &tm))
        strcpy(buf, "-");
    else
        strftime(buf, TIME_MAX, "%F %T", &tm);
    return buf;
}

char *format_stamp(char buf[TIME_MAX], uint64_t usec) {
    time_t seconds = (time_t)(usec / USEC_PER_SEC);
    char zone[8], time[TIME_MAX - 8];
    struct tm tm;

    strcpy(buf, "-");
    if (usec == 0 || !localtime_r(&seconds, &tm) ||
        strftime(time, sizeof(time), "%FT%T", &tm) == 0 ||
        strftime(zone, sizeof(zone), "%z", &tm) != 5)
        return buf;
    snprintf(buf, TIME_MAX, "%s%.3s:%.2s", time, zone, zone + 3);
    return buf;
}

void print_field(const char *name, const char *value) {
    _cleanup_free_ char *text = text_display(value);

    if (text[0])
        printf("%10s: %s\n", name, text);
}

int output_flush(void) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return 0;
    return print_error("cannot write to stdout: %s", strerror(errno));
}
