#include "client-cli/when.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client-cli/output.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/fd-io.h"
#include "common/parse.h"

#define PROGRAM "systemd-analyze"
#define ANSWER_MAX (64 * KIB)
#define ANSWER_MARK "UNIX seconds: @"
#define EXIT_NOT_FOUND 127

/* Who says "now", or has worked it out a moment ago, means no time that is past. */
#define PAST_USEC USEC_PER_MINUTE

#define WANTED "a time, as in 18:00, +2h, tomorrow, \"2026-12-24 09:00\", \"Mon 2026-12-28\""
#define WANTED_PAST "a time, as in 10min, \"2h ago\", 18:00, yesterday, \"2026-12-24 09:00\""

/* ---- systemd-analyze ---- */

_Noreturn static void execute(const char *text, int out) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    /* Its answer is for us, and its complaints are said in words of our own. */
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
        dup2(out, STDOUT_FILENO) < 0)
        _exit(EXIT_NOT_FOUND);
    setenv("LC_ALL", "C", 1);
    setenv("SYSTEMD_COLORS", "0", 1);
    execlp(PROGRAM, PROGRAM, "timestamp", "--", text, NULL);
    _exit(EXIT_NOT_FOUND);
}

/* Fresh string in *ret. 0; EXIT_NOT_FOUND, another exit status of the program, or -errno. */
static int ask(const char *text, char **ret) {
    _cleanup_close_ int in = -EBADF, out = -EBADF;
    _cleanup_free_ char *answer = NULL;
    size_t size;
    int fds[2], status, r;

    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    in = fds[0];
    out = fds[1];
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        execute(text, out);
    out = close_fd(out);
    r = fd_read_all(in, ANSWER_MAX, &answer, &size);
    in = close_fd(in);
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    if (r < 0)
        return r;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
    *ret = TAKE_PTR(answer);
    return 0;
}

/* "@1795280977.767316", of which up to six digits of the fraction are there. */
static int read_answer(const char *answer, uint64_t *ret_usec) {
    const char *p = strstr(answer, ANSWER_MARK);
    uint64_t usec, unit = USEC_PER_SEC;
    char *end;

    if (!p || !isdigit((unsigned char)p[strlen(ANSWER_MARK)]))
        return -EINVAL;
    errno = 0;
    usec = strtoull(p + strlen(ANSWER_MARK), &end, 10);
    if (errno != 0 || __builtin_mul_overflow(usec, USEC_PER_SEC, &usec))
        return -ERANGE;
    if (*end == '.')
        while (isdigit((unsigned char)*++end) && unit > 1) {
            unit /= 10;
            usec += (uint64_t)(*end - '0') * unit;
        }
    *ret_usec = usec;
    return 0;
}

/* ---- what people write ---- */

/* "18:00", "9:30:15" */
static bool is_time_of_day(const char *s) {
    for (unsigned i = 0; i < 3; i++) {
        size_t n = strspn(s, "0123456789");
        if (n < 1 || n > 2)
            return false;
        s += n;
        if (!*s)
            return i > 0;
        if (*s++ != ':')
            return false;
    }
    return false;
}

/* The same time of day so many days on, as systemd.time(7) has it. */
static char *time_of_day_on(const char *time_of_day, int days, uint64_t now_usec) {
    time_t now = (time_t)(now_usec / USEC_PER_SEC);
    struct tm tm;
    char date[16], *text;

    if (!localtime_r(&now, &tm))
        return NULL;
    tm.tm_mday += days;
    tm.tm_hour = 12; /* there is one on any day */
    tm.tm_isdst = -1;
    if (mktime(&tm) == (time_t)-1 || strftime(date, sizeof(date), "%F", &tm) == 0)
        return NULL;
    return asprintf(&text, "%s %s", date, time_of_day) < 0 ? NULL : text;
}

static int parse_timestamp(const Command *command, const char *option, const char *wanted,
                           const char *text, uint64_t *ret_usec) {
    _cleanup_free_ char *answer = NULL;
    int r = ask(text, &answer);

    if (r == EXIT_NOT_FOUND)
        return print_error("%s, which reads times, cannot be executed; it is part of systemd",
                           PROGRAM);
    if (r < 0)
        return print_error("cannot execute %s: %s", PROGRAM, strerror(-r));
    if (r > 0 || read_answer(answer, ret_usec) < 0)
        return usage_error(command, "--%s wants %s; not \"%s\"", option, wanted, text);
    return 0;
}

int when_parse(const Command *command, const char *option, const char *text, uint64_t *ret_usec) {
    uint64_t now = clock_usec(CLOCK_REALTIME), usec = 0;
    _cleanup_free_ char *tomorrow = NULL;
    char when[WHEN_MAX];
    int r;

    r = parse_timestamp(command, option, WANTED, text, &usec);
    if (r == 0 && usec <= now && is_time_of_day(text)) {
        tomorrow = must(time_of_day_on(text, 1, now));
        r = parse_timestamp(command, option, WANTED, tomorrow, &usec);
    }
    if (r != 0)
        return r;
    if (usec < now && now - usec > PAST_USEC)
        return usage_error(command, "--%s: \"%s\" is %s, which is past", option, text,
                           format_when(when, usec));
    *ret_usec = usec;
    return 0;
}

int when_parse_past(const Command *command, const char *option, const char *text,
                    uint64_t *ret_usec) {
    uint64_t now = clock_usec(CLOCK_REALTIME), usec = 0;
    _cleanup_free_ char *yesterday = NULL;
    int r;

    if (parse_span(text, &usec) >= 0) {
        *ret_usec = usec < now ? now - usec : 0;
        return 0;
    }
    r = parse_timestamp(command, option, WANTED_PAST, text, &usec);
    if (r == 0 && usec > now && is_time_of_day(text)) {
        yesterday = must(time_of_day_on(text, -1, now));
        r = parse_timestamp(command, option, WANTED_PAST, yesterday, &usec);
    }
    if (r == 0)
        *ret_usec = usec;
    return r;
}

/* ---- what people read ---- */

static char *format(char buf[WHEN_MAX], uint64_t usec, const char *form) {
    time_t seconds = (time_t)(usec / USEC_PER_SEC);
    struct tm tm;

    if (!localtime_r(&seconds, &tm) || strftime(buf, WHEN_MAX, form, &tm) == 0)
        strcpy(buf, "-");
    return buf;
}

char *format_when(char buf[WHEN_MAX], uint64_t usec) {
    return format(buf, usec, "%a %F %T");
}

/* 0 = the same day, 1 = the next, ...; -1: past, or so far away that its weekday does not tell. */
static int days_until(uint64_t usec, uint64_t now_usec) {
    time_t then = (time_t)(usec / USEC_PER_SEC), now = (time_t)(now_usec / USEC_PER_SEC);
    struct tm a, b;

    if (!localtime_r(&now, &a) || !localtime_r(&then, &b) || usec < now_usec ||
        usec - now_usec > 6 * USEC_PER_DAY)
        return -1;
    return (b.tm_wday - a.tm_wday + 7) % 7;
}

char *format_when_short(char buf[WHEN_MAX], uint64_t usec, uint64_t now_usec) {
    int days = days_until(usec, now_usec);

    if (days == 0)
        return format(buf, usec, usec - now_usec < USEC_PER_HOUR ? "%T" : "%H:%M");
    if (days == 1)
        return format(buf, usec, "tomorrow %H:%M");
    return format(buf, usec, days > 1 ? "%a %H:%M" : "%F %H:%M");
}
